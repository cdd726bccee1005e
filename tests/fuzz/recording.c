/* SPDX-License-Identifier: MIT */
/*
 * The input changes a sound recording: a recording is 300 KiB, mostly zeros, and a fuzzer that had
 * to find its magic words by chance would never get far. First byte: flags. Then changes of
 *
 *	offset (3 bytes), length - 1 (1 byte), that many bytes
 *
 * with bit 7 of the length for "exclusive or" instead of "replace". Flags: 1 repair the checks
 * after the changes, so that hostile values get past them; 2 the first 3 bytes cut the file there;
 * 4 through a file and the reader of families; 8 no sound recording below: the input is the file;
 * 16 the recording twice in a row, as a family.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"
#include "check.h"
#include "config.h"
#include "reader.h"
#include "writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
	REPAIR = 1,
	CUT = 2,
	FILE_READER = 4,
	RAW = 8,
	TWICE = 16,
};

static char *sound; /* the recording that is changed, and its length */
static size_t sound_bytes;

static void append(struct wan_recorder *recorder, unsigned count)
{
	struct wan_lane *lane = wan_lane_get(recorder);
	for (unsigned i = 0; i < count; i++) {
		struct wan_record_operation operation = {
			.start_ticks = 1000000 + i * 1000,
			.span_ticks = i * 10,
			.width_px = i % 9,
			.height_px = i,
			.inside = UINT16_MAX,
			.name = wan_recorder_string(recorder, i % 2 ? "png.decode" : "jpeg.decode"),
			.file = wan_recorder_string(recorder, "/a/picture.png"),
			.kind_status = (uint8_t)((i % 50 ? WAN_RECORD_OPERATION : 1 + i % 5) << 4 |
						 (i % 4)),
			.library = (uint8_t)(i % 8),
		};
		wan_lane_append(lane, &operation);
	}
	wan_lane_enter(lane)->start_ticks = 77;
}

/* The same bytes in every run, whatever the clock and the pid. */
static void make_sound(void)
{
	static struct wan_config config;
	struct wan_recorder *recorder;
	void *copy;
	wan_config_defaults(&config);
	config.record_capacity = 256;
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder) != 0)
		abort();
	wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "cache")[0] = 7;
	append(recorder, 900);
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	if (wan_recorder_snapshot(recorder, &copy, &sound_bytes) != 0)
		abort();
	wan_recorder_destroy(recorder);
	sound = copy;
	struct wan_record_header *header = copy;
	header->pid = 1;
	header->pid_start_ticks = 1;
	memset(header->run_id, 1, sizeof(header->run_id));
	header->check = wan_record_header_check(header);
}

static void repair(char *bytes, size_t count)
{
	struct wan_record_header *header = (void *)bytes;
	if (count < WAN_RECORD_UNITS_AT)
		return;
	header->check = wan_record_header_check(header);
	for (size_t at = WAN_RECORD_UNITS_AT; at + WAN_RECORD_UNIT <= count;
	     at += WAN_RECORD_UNIT) {
		struct wan_record_chunk *chunk = (void *)(bytes + at);
		if (chunk->magic != WAN_RECORD_CHUNK_MAGIC) {
			for (unsigned half = 0; half < 2; half++) {
				size_t fold_at =
					at + WAN_RECORD_PAGE + half * WAN_RECORD_FOLD_BYTES;
				struct wan_record_fold *fold = (void *)(bytes + fold_at);
				if (chunk->magic == WAN_RECORD_LANE_MAGIC &&
				    fold_at + sizeof(*fold) <= count &&
				    fold->aggregate_count <= WAN_RECORD_AGGREGATES &&
				    fold->slow_count <= WAN_RECORD_NOTABLE &&
				    fold->failed_count <= WAN_RECORD_NOTABLE)
					fold->check = wan_record_fold_check(fold);
			}
			continue;
		}
		uint32_t unit = (uint32_t)((at - WAN_RECORD_UNITS_AT) / WAN_RECORD_UNIT);
		chunk->check = wan_record_chunk_check(chunk->lane, unit);
		struct wan_record_operation *records = (void *)(chunk + 1);
		for (unsigned i = 0; i < WAN_RECORD_CHUNK_RECORDS; i++)
			records[i].check = wan_record_check(&records[i]);
	}
}

static uint32_t take24(const uint8_t *data)
{
	return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16;
}

static void change(char *bytes, size_t count, const uint8_t *data, size_t left)
{
	while (left > 4) {
		size_t at = take24(data) % count, length = (data[3] & 127u) + 1;
		bool exclusive = data[3] & 128;
		data += 4;
		left -= 4;
		for (size_t i = 0; i < length && i < left && at + i < count; i++)
			bytes[at + i] = (char)(exclusive ? bytes[at + i] ^ data[i] : data[i]);
		length = length < left ? length : left;
		data += length;
		left -= length;
	}
}

static size_t touch(const char *text)
{
	return text ? strlen(text) : 0;
}

/* Look at all of it: whatever is not there, or does not end, is found by the sanitizers. */
static void walk(struct wan_recording *recording)
{
	struct wan_recording_operation operation;
	size_t sum = wan_recording_skipped(recording) + wan_recording_is_damaged(recording);
	while (wan_recording_next(recording, &operation) == 1)
		sum += touch(operation.name) + touch(operation.file) + touch(operation.library);
	for (size_t i = 0; i < wan_recording_process_count(recording); i++) {
		const struct wan_process *process = wan_recording_process(recording, i);
		for (size_t k = 0; k < process->aggregate_count; k++)
			sum += touch(process->aggregates[k].name) +
			       wan_histogram_percentile_ns(process->aggregates[k].histogram, 0.95,
							   process->aggregates[k].min_ns,
							   process->aggregates[k].max_ns);
		for (size_t k = 0; k < process->counters_count; k++)
			sum += touch(process->counters[k].name);
		for (size_t k = 0; k < process->event_count; k++)
			sum += touch(process->events[k].name) + touch(process->events[k].text);
		for (size_t k = 0; k < process->inflight_count; k++)
			sum += touch(process->inflight[k].operation.name);
		for (size_t k = 0; k < process->damage_count; k++)
			sum += touch(process->damage[k].reason);
		sum += touch(process->header.job) + touch(process->header.command);
	}
	__asm__ volatile("" : : "r"(sum));
}

static int open_as_file(const char *bytes, size_t count, struct wan_recording **ret_recording)
{
	char path[64];
	int fd = memfd_create("recording", 0);
	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int error = wan_recording_open(path, ret_recording, NULL);
	close(fd);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct wan_recording *recording;
	if (!sound)
		make_sound();
	if (!bytes)
		return 0;
	unsigned flags = *data++;
	bytes--;
	size_t count = flags & RAW ? bytes : sound_bytes * (flags & TWICE ? 2 : 1);
	if (!count)
		return 0;
	char *copy = malloc(count);
	if (!copy)
		return 0;
	if (flags & RAW) {
		memcpy(copy, data, bytes);
	} else {
		memcpy(copy, sound, sound_bytes);
		if (flags & TWICE)
			memcpy(copy + sound_bytes, sound, sound_bytes);
		if (flags & CUT && bytes >= 3) {
			count = take24(data) % count + 1;
			data += 3;
			bytes -= 3;
		}
		change(copy, count, data, bytes);
		if (flags & REPAIR)
			repair(copy, count);
	}
	struct wan_error error = {0};
	int result = flags & FILE_READER
			     ? open_as_file(copy, count, &recording)
			     : wan_recording_open_memory(copy, count, &recording, &error);
	if (result == 0) {
		walk(recording);
		wan_recording_close(recording);
	} else if (!(flags & FILE_READER) && !error.reason[0]) {
		abort(); /* an error without a sentence */
	}
	free(copy);
	return 0;
}
