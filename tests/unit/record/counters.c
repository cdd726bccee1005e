/* SPDX-License-Identifier: MIT */
#include "support.h"
#include "tracker_words.h"

TEST(blocks_are_read_with_kind_name_and_words)
{
	struct wan_recorder *recorder;
	const char *path = support_path("counters.wprof");
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, path, &recorder), 0);
	uint64_t *cache = wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "main cache");
	uint64_t *memory = wan_recorder_counters(recorder, WAN_COUNTERS_MEMORY, NULL);
	REQUIRE(cache && memory);
	CHECK_EQ(cache[0] | cache[62] | memory[0], 0);
	cache[0] = 256;
	cache[62] = 1;
	memory[15] = UINT64_MAX;
	struct wan_recording *recording = support_open(path); /* while the process goes on */
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	REQUIRE_EQ(process->counters_count, 2);
	CHECK_EQ(process->counters[0].kind, WAN_COUNTERS_CACHE);
	CHECK_STR(process->counters[0].name, "main cache");
	CHECK_EQ(process->counters[0].words[0], 256);
	CHECK_EQ(process->counters[0].words[62], 1);
	CHECK_STR(process->counters[1].name, "");
	CHECK_EQ(process->counters[1].words[15], UINT64_MAX);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(the_deciding_level_is_found_by_its_text)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	uint64_t *memory = wan_recorder_counters(recorder, WAN_COUNTERS_MEMORY, NULL);
	REQUIRE(memory != NULL);
	memory[WAN_MEMORY_DECIDING] = wan_recorder_string(recorder, "cgroup /a.slice");
	struct wan_record_operation operation = support_operation(recorder, 1);
	operation.flags = WAN_FLAG_SCALED;
	wan_lane_append(wan_lane_get(recorder), &operation);
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	uint64_t id = process->counters[0].words[WAN_MEMORY_DECIDING];
	CHECK_STR(wan_process_text(process, id), "cgroup /a.slice");
	CHECK_STR(wan_process_text(process, 0), "");
	CHECK_STR(wan_process_text(process, UINT16_MAX), "");
	CHECK_STR(wan_process_text(process, UINT64_MAX), "");
	REQUIRE_EQ(process->operation_count, 1);
	CHECK_EQ(process->operations[0].flags, WAN_FLAG_SCALED);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(latencies_of_a_tracker_are_read_with_its_block)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, NULL);
	uint64_t *words = wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, "sampling");
	uint32_t *counts = wan_recorder_latencies(recorder, words, 4);
	REQUIRE(counts != NULL);
	words[WAN_TRACKER_UNIT] = wan_recorder_string(recorder, "step");
	const struct wan_tracker_scale scale = {1.0, 4};
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
	for (uint64_t step = 1; step <= 20; step++)
		wan_tracker_step(words, counts, &scale, step, step * 1000000);
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	REQUIRE_EQ(process->counters_count, 2);
	CHECK_EQ(process->damage_count, 0);
	CHECK(process->counters[0].latencies == NULL);
	const struct wan_process_counters *tracker = &process->counters[1];
	REQUIRE(tracker->latencies != NULL);
	CHECK_EQ(tracker->latencies[wan_latency_bucket(1000000 >> 4)], 20);
	CHECK_EQ(tracker->words[WAN_TRACKER_DONE], 20);
	CHECK_EQ(tracker->words[WAN_TRACKER_LATEST + 20 % WAN_TRACKER_RECENT], 20000000);
	CHECK_EQ(tracker->words[WAN_TRACKER_LATENCY_MAX], 1000000);
	CHECK_EQ(wan_tracker_phase_steps(tracker->words, 0), 20);
	CHECK_STR(wan_process_text(process, tracker->words[WAN_TRACKER_UNIT]), "step");
	wan_recording_close(recording);

	CHECK(wan_recorder_latencies(recorder, words, 4) ==
	      counts); /* the next job of that block */
	CHECK_EQ(counts[wan_latency_bucket(1000000 >> 4)], 0);
	wan_recorder_destroy(recorder);
}

TEST(there_are_sixty_four_blocks_and_they_come_back)
{
	struct wan_recorder *recorder;
	uint64_t *blocks[WAN_RECORD_COUNTERS];
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++) {
		blocks[i] = wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, "bar");
		REQUIRE(blocks[i] != NULL);
		blocks[i][0] = i;
	}
	CHECK(wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, "bar") == NULL);
	wan_recorder_counters_release(recorder, blocks[7]);
	uint64_t *again = wan_recorder_counters(recorder, WAN_COUNTERS_MONITOR, "monitor");
	CHECK(again == blocks[7]);
	CHECK(again && again[0] == 0);
	wan_recorder_counters_release(recorder, NULL);
	wan_recorder_counters_release(NULL, blocks[1]);
	CHECK(wan_recorder_counters(recorder, 0, "no kind") == NULL);
	CHECK(wan_recorder_counters(NULL, WAN_COUNTERS_CACHE, "") == NULL);
	wan_recorder_destroy(recorder);
}

TAP_MAIN
