/* SPDX-License-Identifier: MIT */
/* Cut and flipped recordings: every whole record comes back, the rest is named, nothing breaks. */
#include "support.h"

#include "check.h"

#define OPERATIONS 300 /* two chunks of 256: the second is begun */

static char *sound;
static size_t sound_bytes;

/* A small recording of a process that is gone, in memory and closed. */
static bool make_sound(void)
{
	struct wan_recorder *recorder;
	void *copy;
	if (sound)
		return true;
	if (wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, NULL, &recorder) != 0)
		return false;
	support_append(recorder, 0, OPERATIONS);
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	bool made = wan_recorder_snapshot(recorder, &copy, &sound_bytes) == 0;
	wan_recorder_destroy(recorder);
	sound = copy;
	return made;
}

/* One with folded sums, for flips in them. */
static bool make_wrapped(char **ret_bytes, size_t *ret_count)
{
	struct wan_recorder *recorder;
	void *copy;
	if (wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder) != 0)
		return false;
	support_append(recorder, 0, 3000);
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	bool made = wan_recorder_snapshot(recorder, &copy, ret_count) == 0;
	wan_recorder_destroy(recorder);
	*ret_bytes = copy;
	return made;
}

/* Whole records among those read; UINT32_MAX when one is not what was written. */
static uint32_t whole(const struct wan_process *process)
{
	uint8_t seen[OPERATIONS] = {0};
	uint32_t count = 0;
	for (size_t i = 0; i < process->operation_count; i++) {
		uint32_t number = process->operations[i].height_px;
		if (number >= OPERATIONS || seen[number] || process->operations[i].width_px != 640)
			return UINT32_MAX;
		seen[number] = 1;
		count++;
	}
	return count;
}

/* How many records lie whole in the first `bytes` bytes of the sound recording. */
static uint32_t records_within(uint64_t bytes)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		uint64_t unit = WAN_RECORD_LANE_UNITS + i / WAN_RECORD_CHUNK_RECORDS;
		uint64_t end = WAN_RECORD_UNITS_AT + unit * WAN_RECORD_UNIT +
			       (i % WAN_RECORD_CHUNK_RECORDS + 2) * 64;
		count += end <= bytes;
	}
	return count;
}

static bool cut_is_right(uint64_t bytes)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	char *cut = malloc(bytes ? bytes : 1); /* no byte more: a sanitizer sees a read beyond */
	memcpy(cut, sound, bytes);
	int result = wan_recording_open_memory(cut, bytes, &recording, &error);
	free(cut);
	if (result)
		return bytes < sizeof(struct wan_record_header) && error.reason[0];
	const struct wan_process *process = wan_recording_process(recording, 0);
	bool right = bytes == sound_bytes || process->damage_count > 0;
	right &= whole(process) == records_within(bytes);
	if (!right)
		printf("# cut at %llu: %u records of %u, %zu damages\n", (unsigned long long)bytes,
		       whole(process), records_within(bytes), process->damage_count);
	wan_recording_close(recording);
	return right;
}

TEST(a_cut_anywhere_leaves_the_whole_records_before_it)
{
	REQUIRE(make_sound());
	unsigned wrong = 0, cuts = 0;
	for (uint64_t bytes = 0; bytes <= sound_bytes && wrong < 5; cuts++) {
		wrong += !cut_is_right(bytes);
		/* every byte of the header, the first records and the end; else a dense sample */
		uint64_t records = WAN_RECORD_UNITS_AT + WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT;
		bool dense = bytes < 8192 || (bytes >= records && bytes < records + 1024) ||
			     bytes + 64 > sound_bytes;
		bytes += dense ? 1 : 61;
	}
	printf("# %u cuts of %zu bytes\n", cuts, sound_bytes);
	CHECK_EQ(wrong, 0);
	CHECK(cuts > 10000);
}

/* What came of one changed byte: 0 read as before, 1 told as damage or refused, 2 silently wrong.
 */
static int flip(const char *from, size_t count, uint64_t at, uint8_t mask, uint64_t operations)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	char *copy = malloc(count);
	memcpy(copy, from, count);
	copy[at] = (char)(copy[at] ^ mask);
	int result = wan_recording_open_memory(copy, count, &recording, &error);
	free(copy);
	if (result)
		return error.reason[0] ? 1 : 2;
	const struct wan_process *process = wan_recording_process(recording, 0);
	bool same = process->total_operations == operations;
	for (size_t i = 0; i < process->operation_count; i++)
		same &= process->operations[i].width_px == 640 &&
			process->operations[i].height_px < operations;
	int answer = process->damage_count ? 1 : same ? 0 : 2;
	wan_recording_close(recording);
	return answer;
}

TEST(a_flipped_byte_is_told_or_harmless)
{
	char *wrapped;
	size_t count;
	REQUIRE(make_sound());
	REQUIRE(make_wrapped(&wrapped, &count));
	unsigned silent = 0, told = 0, flips = 0;
	uint64_t records = WAN_RECORD_UNITS_AT + WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT;
	for (uint64_t at = 0; at < sound_bytes && silent < 5;) {
		int answer = flip(sound, sound_bytes, at, (uint8_t)(1 << at % 8), OPERATIONS);
		if (answer == 2)
			printf("# byte %llu of the plain one\n", (unsigned long long)at);
		silent += answer == 2;
		told += answer == 1;
		flips++;
		at += at < 256 || (at >= records && at < records + 2048) ? 1 : 37;
	}
	for (uint64_t at = WAN_RECORD_UNITS_AT; at < count && silent < 5; flips++) {
		int answer = flip(wrapped, count, at, (uint8_t)(0x80 >> at % 8), 3000);
		if (answer == 2)
			printf("# byte %llu of the wrapped one\n", (unsigned long long)at);
		silent += answer == 2;
		told += answer == 1;
		bool dense = at < WAN_RECORD_UNITS_AT + 64 || (at >= records && at < records + 512);
		at += dense ? 1 : 41;
	}
	printf("# %u flips, %u told\n", flips, told);
	CHECK_EQ(silent, 0);
	CHECK(told > 1000);
	free(wrapped);
}

TEST(each_record_that_is_damaged_is_one_less_and_named)
{
	REQUIRE(make_sound());
	char *copy = malloc(sound_bytes);
	memcpy(copy, sound, sound_bytes);
	uint64_t records = WAN_RECORD_UNITS_AT + WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT;
	for (unsigned i = 10; i < 20; i++)
		copy[records + 64 + i * 64 + 20] ^= 4;
	struct wan_recording *recording;
	REQUIRE_EQ(wan_recording_open_memory(copy, sound_bytes, &recording, NULL), 0);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(whole(process), OPERATIONS - 10);
	REQUIRE_EQ(process->damage_count, 10);
	CHECK_EQ(process->damage[0].offset, records + 64 + 10 * 64);
	CHECK(process->damage[0].reason[0] != '\0');
	CHECK(wan_recording_is_damaged(recording));
	wan_recording_close(recording);
	free(copy);
}

TEST(sums_survive_damage_to_the_copy_that_is_not_in_force)
{
	char *wrapped;
	size_t count;
	REQUIRE(make_wrapped(&wrapped, &count));
	const struct wan_record_lane *lane = (const void *)(wrapped + WAN_RECORD_UNITS_AT);
	uint64_t other = WAN_RECORD_UNITS_AT + WAN_RECORD_PAGE +
			 ((lane->generation + 1) & 1) * WAN_RECORD_FOLD_BYTES;
	memset(wrapped + other, 0xff, WAN_RECORD_FOLD_BYTES);
	struct wan_recording *recording;
	REQUIRE_EQ(wan_recording_open_memory(wrapped, count, &recording, NULL), 0);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 3000);
	CHECK_EQ(wan_recording_process(recording, 0)->damage_count, 0);
	wan_recording_close(recording);
	free(wrapped);
}

TAP_MAIN
