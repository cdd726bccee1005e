/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "glance.h"
#include "tap.h"
#include "tracker_words.h"
#include "writer.h"

static char path[128];
static uint64_t *words;
static uint32_t *counts;

static struct wan_recorder *record(void)
{
	static struct wan_config config;
	struct wan_recorder *recorder = NULL;
	wan_config_defaults(&config);
	snprintf(path, sizeof(path), "/tmp/wan-glance-%d.wprof", (int)getpid());
	unlink(path);
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder) != 0)
		return NULL;
	words = wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, "sampling");
	counts = wan_recorder_latencies(recorder, words, 0);
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
	words[WAN_TRACKER_TOTAL] = 40;
	return recorder;
}

static void step(uint64_t done)
{
	const struct wan_tracker_scale scale = {.ns_per_tick = 1};
	wan_tracker_step(words, counts, &scale, done, wan_ticks());
}

static const struct wan_process_counters *tracker_of(const struct wan_glance *glance)
{
	const struct wan_process *process = wan_glance_process(glance);
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_TRACKER)
			return &process->counters[i];
	return NULL;
}

TEST(each_look_sees_what_was_told_since)
{
	struct wan_recorder *recorder = record();
	struct wan_glance glance;
	REQUIRE(recorder != NULL);
	step(1);
	REQUIRE_EQ(wan_glance_open(path, &glance), 0);
	REQUIRE(tracker_of(&glance) != NULL);
	CHECK_EQ(tracker_of(&glance)->words[WAN_TRACKER_DONE], 1);
	CHECK(wan_glance_process(&glance)->live);
	for (uint64_t i = 2; i < 50; i++) {
		step(i);
		REQUIRE_EQ(wan_glance_look(&glance), 0);
		const struct wan_process_counters *tracker = tracker_of(&glance);
		REQUIRE(tracker && tracker->latencies);
		uint64_t count = 0;
		for (unsigned k = 0; k < WAN_RECORD_LATENCY_BUCKETS; k++)
			count += tracker->latencies[k];
		CHECK_EQ(tracker->words[WAN_TRACKER_DONE], i);
		CHECK_EQ(count, i);
	}
	wan_glance_close(&glance);
	wan_recorder_destroy(recorder);
	unlink(path);
}

TEST(operations_in_flight_are_seen_and_gone_again)
{
	struct wan_recorder *recorder = record();
	struct wan_lane *lane = wan_lane_get(recorder);
	struct wan_glance glance;
	REQUIRE(lane != NULL);
	REQUIRE_EQ(wan_glance_open(path, &glance), 0);
	CHECK_EQ(wan_glance_process(&glance)->inflight_count, 0);
	struct wan_record_inflight *entry = wan_lane_enter(lane);
	entry->name = wan_recorder_string(recorder, "jpeg.decode");
	entry->start_ticks = wan_ticks();
	CHECK_EQ(wan_glance_look(&glance), 0);
	REQUIRE_EQ(wan_glance_process(&glance)->inflight_count, 1);
	CHECK_STR(wan_glance_process(&glance)->inflight[0].operation.name, "jpeg.decode");
	wan_lane_leave(lane, entry);
	CHECK_EQ(wan_glance_look(&glance), 0);
	CHECK_EQ(wan_glance_process(&glance)->inflight_count, 0);
	wan_glance_close(&glance);
	wan_recorder_destroy(recorder);
	unlink(path);
}

TEST(a_file_that_was_removed_is_still_looked_at)
{
	struct wan_recorder *recorder = record();
	struct wan_glance glance;
	struct wan_recording *whole = NULL;
	REQUIRE_EQ(wan_glance_open(path, &glance), 0);
	unlink(path);
	step(7);
	CHECK_EQ(wan_glance_look(&glance), 0);
	CHECK_EQ(tracker_of(&glance)->words[WAN_TRACKER_DONE], 7);
	CHECK_EQ(wan_recording_open(glance.path, &whole, NULL), 0);
	wan_recording_close(whole);
	wan_recorder_destroy(recorder);
	wan_glance_close(&glance);
}

/* What was seen stays when the file is cut, emptied or overwritten under the look. */
TEST(a_damaged_file_leaves_the_look_before)
{
	struct wan_recorder *recorder = record();
	struct wan_glance glance;
	step(3);
	wan_recorder_destroy(recorder);
	REQUIRE_EQ(wan_glance_open(path, &glance), 0);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	for (off_t size = 1000000; size >= 0; size -= 7001) {
		if (ftruncate(fd, size) == 0)
			(void)wan_glance_look(&glance);
		CHECK(wan_glance_process(&glance) != NULL);
	}
	REQUIRE_EQ(ftruncate(fd, 0), 0);
	CHECK(wan_glance_look(&glance) < 0);
	wan_glance_close(&glance);
	CHECK(wan_glance_open(path, &glance) < 0);
	CHECK_EQ(glance.fd, -1);
	close(fd);
	unlink(path);
}

TEST(hostile_words_lead_nowhere)
{
	struct wan_recorder *recorder = record();
	struct wan_glance glance;
	REQUIRE_EQ(wan_glance_open(path, &glance), 0);
	uint64_t seed = 7;
	for (unsigned round = 0; round < 500; round++) {
		for (unsigned i = 0; i < 63; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			words[i] = seed >> (seed & 63);
		}
		CHECK_EQ(wan_glance_look(&glance), 0);
	}
	wan_glance_close(&glance);
	wan_recorder_destroy(recorder);
	unlink(path);
}

TAP_MAIN
