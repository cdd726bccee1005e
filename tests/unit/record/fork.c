/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <dirent.h>

static unsigned count_recordings(void)
{
	unsigned count = 0;
	DIR *folder = opendir(support_path("wanrt"));
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		count += strstr(entry->d_name, ".wprof") != NULL;
	if (folder)
		closedir(folder);
	return count;
}

static bool has(const char *path, uint64_t operations, const char *name, uint64_t hits)
{
	struct wan_recording *recording = support_open(path);
	if (!recording)
		return false;
	const struct wan_process *process = wan_recording_process(recording, 0);
	bool right = process->total_operations == operations && !process->damage_count &&
		     process->counters_count == 1 && process->counters[0].words[5] == hits &&
		     strcmp(process->counters[0].name, "cache") == 0;
	for (size_t i = 0; i < process->operation_count; i++)
		right &= strcmp(process->operations[i].name, name) == 0;
	support_print_damage(recording);
	wan_recording_close(recording);
	return right;
}

/* What the guest's child does: goes on with pointers and ids it got before the fork. */
static int child_work(struct wan_recorder *recorder, uint64_t *words, const char *parent_path,
		      struct wan_record_operation operation)
{
	if (wan_lane_current)
		return 1;
	words[5] = 77;
	struct wan_lane *lane = wan_lane_get(recorder);
	if (!lane)
		return 2;
	for (unsigned i = 0; i < 5; i++)
		wan_lane_append(lane, &operation);
	if (wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true) != recorder)
		return 3;
	const char *path = wan_recorder_path(recorder);
	if (!path || strcmp(path, parent_path) == 0)
		return 4;
	words[5] = 78;
	if (wan_recorder_header(recorder)->pid != (uint32_t)getpid())
		return 5;
	return has(path, 5, "before.fork", 78) ? 0 : 6;
}

TEST(a_forked_child_records_into_a_file_of_its_own)
{
	struct wan_recorder *recorder =
		wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true);
	REQUIRE(recorder != NULL);
	CHECK(wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, false) == recorder);
	uint64_t *words = wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "cache");
	REQUIRE(words != NULL);
	words[5] = 11;
	struct wan_record_operation operation = support_operation(recorder, 1);
	operation.name = wan_recorder_string(recorder, "before.fork");
	struct wan_lane *lane = wan_lane_get(recorder);
	REQUIRE(lane != NULL);
	for (unsigned i = 0; i < 9; i++)
		wan_lane_append(lane, &operation);
	char parent_path[256];
	snprintf(parent_path, sizeof(parent_path), "%s", wan_recorder_path(recorder));
	pid_t child = fork();
	if (child == 0)
		_exit(child_work(recorder, words, parent_path, operation));
	CHECK_EQ(support_wait(child), 0);
	CHECK_EQ(count_recordings(), 2);
	CHECK(has(parent_path, 9, "before.fork", 11)); /* nothing of the child in it */
	wan_lane_append(wan_lane_get(recorder), &operation);
	CHECK(has(parent_path, 10, "before.fork", 11));

	/* A child that records nothing leaves no file. */
	child = fork();
	if (child == 0)
		_exit(0);
	CHECK_EQ(support_wait(child), 0);
	CHECK_EQ(count_recordings(), 2);
}

TEST(an_operation_open_at_the_fork_may_end_in_the_child)
{
	struct wan_recorder *recorder =
		wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true);
	REQUIRE(recorder != NULL);
	struct wan_lane *lane = wan_lane_get(recorder);
	struct wan_record_inflight *slot = wan_lane_enter(lane);
	slot->start_ticks = 1;
	struct wan_record_operation operation = support_operation(recorder, 1);
	pid_t child = fork();
	if (child == 0) {
		slot->rows_done = 3;
		wan_lane_enter(lane)->start_ticks = 2;
		wan_lane_leave(lane, slot);
		for (unsigned i = 0; i < 300; i++)
			wan_lane_append(lane, &operation); /* the parent's lane: goes nowhere */
		_exit(support_append(recorder, 0, 3) ? 0 : 1);
	}
	CHECK_EQ(support_wait(child), 0);
	CHECK(slot->sequence != 0);
	CHECK_EQ(slot->rows_done, 0);
	wan_lane_leave(lane, slot);
}

TEST(a_grandchild_records_too)
{
	struct wan_recorder *recorder =
		wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true);
	REQUIRE(recorder != NULL);
	unsigned before = count_recordings();
	pid_t child = fork();
	if (child == 0) {
		support_append(recorder, 0, 3);
		pid_t grandchild = fork();
		if (grandchild == 0)
			_exit(support_append(recorder, 0, 4) ? 0 : 1);
		_exit(support_wait(grandchild));
	}
	CHECK_EQ(support_wait(child), 0);
	CHECK_EQ(count_recordings(), before + 2);
}

TEST(a_recorder_of_ones_own_is_dead_in_the_child)
{
	struct wan_recorder *recorder;
	const char *path = support_path("own.wprof");
	REQUIRE_EQ(wan_recorder_create(support_config(1000), WAN_ROLE_LINKED, path, &recorder), 0);
	CHECK(support_append(recorder, 0, 7));
	pid_t child = fork();
	if (child == 0) {
		bool written = support_append(recorder, 0, 5);
		wan_recorder_set_outcome(recorder, WAN_RUN_SIGNALLED, 0, 9);
		wan_recorder_destroy(recorder);
		_exit(written);
	}
	CHECK_EQ(support_wait(child), 0);
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 7);
	CHECK_EQ(wan_recording_process(recording, 0)->state, WAN_RUN_RUNNING);
	CHECK(wan_recording_process(recording, 0)->live);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(a_child_that_cannot_make_a_file_keeps_statistics_in_memory)
{
	struct wan_recorder *recorder =
		wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, false);
	REQUIRE(recorder != NULL);
	pid_t child = fork();
	if (child == 0) {
		chmod(support_path("wanrt"), 0777); /* now others may write there: refused */
		struct wan_recorder *mine =
			wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, false);
		bool right =
			mine == recorder && !wan_recorder_path(mine) && support_append(mine, 0, 5);
		struct wan_recording *recording = right ? support_look(mine) : NULL;
		right = recording && wan_recording_process(recording, 0)->total_operations == 5;
		_exit(!right);
	}
	CHECK_EQ(support_wait(child), 0);
	chmod(support_path("wanrt"), 0700);
}

TAP_MAIN
