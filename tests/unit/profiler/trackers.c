/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tap.h"
#include "trackers.h"

#define SECOND 1000000000ull

/* A process whose ticks are nanoseconds since 100 s, with texts at ids 1 and 3. */
struct made {
	struct wan_process process;
	struct wan_process_counters blocks[4];
	struct wan_process_event events[4];
	uint32_t latencies[2][WAN_RECORD_LATENCY_BUCKETS];
	struct wan_view_source source;
	struct wan_view view;
};

static void make(struct made *made, bool live)
{
	static const char texts[] = "step\0\0\0\0vae_tiling";
	*made = (struct made){0};
	made->process = (struct wan_process){
		.live = live,
		.start_ns = 100 * SECOND,
		.end_ns = 110 * SECOND,
		.ns_per_tick = 1,
		.counters = made->blocks,
		.events = made->events,
		.texts = texts,
		.texts_bytes = sizeof(texts),
	};
	made->source = (struct wan_view_source){.process = &made->process, .until_ns = UINT64_MAX};
	made->view = (struct wan_view){.sources = &made->source, .source_count = 1};
}

static uint64_t *add(struct made *made, const char *name, enum wan_tracker_state state)
{
	struct wan_process_counters *block = &made->blocks[made->process.counters_count++];
	block->kind = WAN_COUNTERS_TRACKER;
	block->name = name;
	block->words[WAN_TRACKER_STATE] = state;
	block->words[WAN_TRACKER_BEGIN] = SECOND;
	block->words[WAN_TRACKER_UPDATED] = 6 * SECOND;
	return block->words;
}

TEST(a_job_of_a_living_process_is_active_and_ages)
{
	struct made made;
	struct wan_trackers trackers;
	make(&made, true);
	uint64_t *words = add(&made, "sampling", WAN_TRACKER_ACTIVE);
	words[WAN_TRACKER_UNIT] = 1;
	words[WAN_TRACKER_PHASE] = 4;
	words[WAN_TRACKER_DONE] = 17;
	words[WAN_TRACKER_TOTAL] = 40;
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(trackers.count, 1);
	const struct wan_tracker_row *row = &trackers.items[0];
	CHECK(row->active && !row->unended);
	CHECK_STR(row->unit, "step");
	CHECK_STR(row->phase, "generation");
	CHECK_EQ(row->begin_ns, 101 * SECOND);
	CHECK_EQ(row->seen_ns - row->updated_ns, 4 * SECOND);
	CHECK_EQ(row->device_done, UINT64_MAX);
	wan_trackers_finish(&trackers);
}

TEST(a_job_that_its_process_left_is_unended)
{
	struct made made;
	struct wan_trackers trackers;
	make(&made, false);
	add(&made, "left", WAN_TRACKER_ACTIVE);
	add(&made, "done", WAN_TRACKER_ENDED);
	add(&made, "unused", WAN_TRACKER_UNUSED);
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(trackers.count, 2);
	CHECK(!trackers.items[0].active && trackers.items[0].unended);
	CHECK(!trackers.items[1].active && !trackers.items[1].unended);
	wan_trackers_finish(&trackers);
}

TEST(the_latest_gaps_come_oldest_first)
{
	struct made made;
	struct wan_trackers trackers;
	make(&made, true);
	uint64_t *words = add(&made, "job", WAN_TRACKER_ACTIVE), at = SECOND;
	words[WAN_TRACKER_UPDATES] = 20;
	for (uint64_t i = 1; i <= 20; i++) {
		at += i * 1000;
		words[WAN_TRACKER_LATEST + i % WAN_TRACKER_RECENT] = at;
	}
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(trackers.items[0].recent_count, 15);
	for (unsigned i = 0; i < 15; i++)
		CHECK_EQ(trackers.items[0].recent_ns[i], (i + 6) * 1000);
	wan_trackers_finish(&trackers);
}

TEST(steps_are_counted_up_to_each_edge)
{
	static const uint64_t edges_ns[] = {500, 2000, 10000};
	struct made made;
	struct wan_trackers trackers;
	uint64_t counts[3], count, sum_ns;
	make(&made, true);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t *words = add(&made, "worker", WAN_TRACKER_ENDED);
		words[WAN_TRACKER_UPDATES] = 100;
		words[WAN_TRACKER_LATENCY_SUM] = 700000;
		made.blocks[i].latencies = made.latencies[i];
		made.blocks[i].latency_unit_ns = 1;
		made.latencies[i][wan_latency_bucket(i ? 9000 : 1000)] = 100;
	}
	add(&made, "worker", WAN_TRACKER_ENDED)[WAN_TRACKER_UPDATES] = 5; /* without latencies */
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(wan_trackers_buckets(&trackers, 0, edges_ns, counts, 3, &count, &sum_ns), 0);
	CHECK_EQ(counts[0], 0);
	CHECK_EQ(counts[1], 100);
	CHECK_EQ(counts[2], 200);
	CHECK_EQ(count, 205);
	CHECK(sum_ns >= 1400000);
	wan_trackers_finish(&trackers);
}

TEST(percentiles_of_one_name_are_put_together)
{
	struct made made;
	struct wan_trackers trackers;
	struct wan_tracker_percentiles known;
	make(&made, true);
	for (unsigned i = 0; i < 2; i++) {
		add(&made, "worker", WAN_TRACKER_ENDED)[WAN_TRACKER_LATENCY_MAX] = i ? 9000 : 1000;
		made.blocks[i].latencies = made.latencies[i];
		made.blocks[i].latency_unit_ns = 1;
		made.latencies[i][wan_latency_bucket(i ? 9000 : 1000)] = 100;
	}
	add(&made, "other", WAN_TRACKER_ENDED);
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(wan_trackers_merged(&trackers, 0, &known), 0);
	CHECK_EQ(known.count, 200);
	CHECK(known.p50_ns > 990 && known.p50_ns <= 1010);
	CHECK(known.p99_ns > 8900 && known.p99_ns <= 9000);
	CHECK_EQ(known.max_ns, 9000);
	REQUIRE_EQ(wan_trackers_merged(&trackers, 2, &known), 0);
	CHECK_EQ(known.count, 0);
	CHECK(!wan_trackers_seen_before(&trackers, 0) && wan_trackers_seen_before(&trackers, 1));
	CHECK(!wan_trackers_seen_before(&trackers, 2));
	wan_trackers_finish(&trackers);
}

TEST(what_a_late_update_kept_waiting_counts_where_one_was_due)
{
	struct made made;
	struct wan_trackers trackers;
	struct wan_tracker_percentiles known;
	make(&made, true);
	uint64_t *words = add(&made, "due", WAN_TRACKER_ACTIVE);
	made.blocks[0].latencies = made.latencies[0];
	made.blocks[0].latency_unit_ns = 16;
	made.latencies[0][wan_latency_bucket(100000000 / 16)] = 5900;
	made.latencies[0][wan_latency_bucket(10 * SECOND / 16)] = 1;
	words[WAN_TRACKER_LATENCY_MAX] = 10 * SECOND;
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(wan_tracker_percentiles(&trackers.items[0], &known), 0);
	CHECK(known.p99_ns < 110000000);
	trackers.items[0].expected_ns = 100000000;
	REQUIRE_EQ(wan_tracker_percentiles(&trackers.items[0], &known), 0);
	CHECK(known.p99_ns > 3900000000ull && known.p99_ns < 4100000000ull);
	CHECK(known.p999_ns > 9300000000ull && known.p999_ns < 9500000000ull);
	wan_trackers_finish(&trackers);
}

/* Ended stretches of the program's own come as events, known ones as sums, open ones as words. */
TEST(phases_come_from_where_each_is_kept)
{
	struct made made;
	struct wan_trackers trackers;
	struct wan_phases phases;
	make(&made, true);
	uint64_t *words = add(&made, "job", WAN_TRACKER_ACTIVE);
	words[WAN_TRACKER_PHASE_TEXT] = 3;
	words[WAN_TRACKER_PHASE_START] = 7 * SECOND;
	words[WAN_TRACKER_PHASE_STEPS] = (uint64_t)-40; /* open since the 40th update */
	words[WAN_TRACKER_UPDATES] = 43;
	words[WAN_TRACKER_PHASE_NS + 4] = 4 * SECOND;
	words[WAN_TRACKER_PHASE_STEPS + 4] = 40;
	made.events[0] = (struct wan_process_event){.kind = WAN_RECORD_PHASE,
						    .name = "job",
						    .text = "",
						    .code = 4,
						    .values = {2 * SECOND, 4 * SECOND, 40}};
	made.events[1] = (struct wan_process_event){.kind = WAN_RECORD_PHASE,
						    .name = "job",
						    .text = "warm-up",
						    .values = {SECOND, SECOND, 0}};
	made.process.event_count = 2;
	REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
	REQUIRE_EQ(wan_phases_init(&phases, &made.view, &trackers), 0);
	REQUIRE_EQ(phases.count, 3);
	CHECK_STR(phases.items[0].name, "warm-up");
	CHECK_EQ(phases.items[0].duration_ns, SECOND);
	CHECK_STR(phases.items[1].name, "generation");
	CHECK_EQ(phases.items[1].duration_ns, 4 * SECOND);
	CHECK_EQ(phases.items[1].steps, 40);
	CHECK(!phases.items[1].open);
	CHECK_STR(phases.items[2].name, "vae_tiling");
	CHECK_EQ(phases.items[2].duration_ns, 3 * SECOND);
	CHECK_EQ(phases.items[2].steps, 3);
	CHECK(phases.items[2].open);
	CHECK_EQ(phases.total_ns, 8 * SECOND);
	wan_phases_finish(&phases);
	wan_trackers_finish(&trackers);
}

TEST(damaged_words_are_only_numbers)
{
	uint64_t seed = 3;
	for (unsigned round = 0; round < 3000; round++) {
		struct made made;
		struct wan_trackers trackers;
		struct wan_phases phases;
		struct wan_tracker_percentiles known;
		make(&made, round & 1);
		uint64_t *words = add(&made, "job", WAN_TRACKER_ACTIVE);
		for (unsigned i = 0; i < 63; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			words[i] = seed >> (seed & 63);
		}
		REQUIRE_EQ(wan_trackers_init(&trackers, &made.view), 0);
		REQUIRE_EQ(wan_phases_init(&phases, &made.view, &trackers), 0);
		if (trackers.count)
			CHECK_EQ(wan_tracker_percentiles(&trackers.items[0], &known), 0);
		wan_phases_finish(&phases);
		wan_trackers_finish(&trackers);
	}
}

TAP_MAIN
