/* SPDX-License-Identifier: MIT */
#include "fold.h"

#include "recorder.h"
#include "support.h"

static struct wan_record_fold fold;
static struct wan_fold_work work;

static void begin(void)
{
	memset(&fold, 0, sizeof(fold));
	work = (struct wan_fold_work){.fold = &fold, .ns_per_tick_32 = 1ull << 32};
}

static struct wan_record_operation operation(uint16_t name, uint64_t span, unsigned status)
{
	static uint64_t start;
	return (struct wan_record_operation){
		.start_ticks = ++start,
		.span_ticks = span,
		.inside = UINT16_MAX,
		.name = name,
		.width_px = 100,
		.height_px = 10,
		.cpu_us = WAN_CPU_UNKNOWN,
		.file_bytes = WAN_BYTES_UNKNOWN,
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.kind_status = (uint8_t)(WAN_RECORD_OPERATION << 4 | status),
	};
}

TEST(size_buckets_are_powers_of_two)
{
	CHECK_EQ(wan_record_size_bucket(0, 100), 0);
	CHECK_EQ(wan_record_size_bucket(1, 1), 1);
	CHECK_EQ(wan_record_size_bucket(2, 1), 2);
	CHECK_EQ(wan_record_size_bucket(1023, 1), 10);
	CHECK_EQ(wan_record_size_bucket(1024, 1), 11);
	CHECK_EQ(wan_record_size_bucket(UINT32_MAX, UINT32_MAX), 64);
}

TEST(inside_is_a_share_of_the_span)
{
	struct wan_record_operation one = operation(1, 1000000, 0);
	CHECK_EQ(wan_record_inside_ticks(&one), 1000000);
	one.inside = 0;
	CHECK_EQ(wan_record_inside_ticks(&one), 0);
	one.inside = 32768;
	CHECK_NEAR((double)wan_record_inside_ticks(&one), 500000, 10);
	one.span_ticks = UINT64_MAX;
	CHECK_NEAR((double)wan_record_inside_ticks(&one) / 18446744073709551615.0, 0.5, 1e-4);
}

TEST(sums_leave_out_what_is_unknown)
{
	begin();
	struct wan_record_operation one = operation(1, 500, 0), two = operation(1, 1500, 0);
	two.cpu_us = 7;
	two.file_bytes = 100;
	two.memory_kib = -20;
	two.peak_kib = 40;
	wan_fold_operation(&work, &one);
	wan_fold_operation(&work, &two);
	REQUIRE_EQ(fold.aggregate_count, 1);
	const struct wan_record_aggregate *sum = &fold.aggregates[0];
	CHECK_EQ(sum->count, 2);
	CHECK_EQ(sum->span_ticks, 2000);
	CHECK_EQ(sum->cpu_known, 1);
	CHECK_EQ(sum->cpu_us, 7);
	CHECK_EQ(sum->file_known, 1);
	CHECK_EQ(sum->file_bytes, 100);
	CHECK_EQ(sum->memory_known, 1);
	CHECK_EQ(sum->memory_kib, -20);
	CHECK_EQ(sum->peak_kib, 40);
	CHECK_EQ(sum->pixels, 2000);
	CHECK_EQ(sum->min_ticks, 500);
	CHECK_EQ(sum->max_ticks, 1500);
	CHECK_EQ(sum->histogram[0], 1);
	CHECK_EQ(sum->histogram[1], 1);
}

TEST(kinds_beyond_the_room_are_merged_and_counted)
{
	begin();
	for (uint16_t name = 1; name <= 300; name++) {
		struct wan_record_operation one = operation(name, 10, 0);
		wan_fold_operation(&work, &one);
	}
	CHECK_EQ(fold.aggregate_count, WAN_RECORD_AGGREGATES);
	CHECK_EQ(fold.merged, 300 - (WAN_RECORD_AGGREGATES - 1));
	uint64_t count = 0;
	for (unsigned i = 0; i < fold.aggregate_count; i++)
		count += fold.aggregates[i].count;
	CHECK_EQ(count, 300);
	CHECK_EQ(fold.aggregates[WAN_RECORD_AGGREGATES - 1].name, 0);
	CHECK_EQ(fold.aggregates[WAN_RECORD_AGGREGATES - 1].count, fold.merged);
}

TEST(the_slowest_and_the_latest_failures_are_kept)
{
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		struct wan_record_operation good = operation(1, (i * 7919) % 1000, WAN_OP_OK);
		struct wan_record_operation bad = operation(2, 5000 + i, WAN_OP_FAILED + i % 2);
		wan_fold_operation(&work, &good);
		wan_fold_operation(&work, &bad);
	}
	REQUIRE_EQ(fold.slow_count, WAN_RECORD_NOTABLE);
	REQUIRE_EQ(fold.failed_count, WAN_RECORD_NOTABLE);
	for (unsigned i = 0; i < WAN_RECORD_NOTABLE; i++) {
		CHECK(fold.slowest[i].span_ticks >= 1000 - WAN_RECORD_NOTABLE);
		CHECK_EQ(fold.slowest[i].name, 1); /* a failure is kept once, among its like */
		CHECK(fold.failed[i].span_ticks >= 6000 - WAN_RECORD_NOTABLE);
	}
}

TEST(notable_operations_outlive_their_chunk_once_each)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_lane *lane = wan_lane_get(recorder);
	for (unsigned i = 0; i < 20000; i++) {
		struct wan_record_operation one = operation(1, i == 3 ? 1ull << 40 : 100, 0);
		one.height_px = i;
		one.kind_status =
			(uint8_t)(WAN_RECORD_OPERATION << 4 | (i == 5 ? WAN_OP_FAILED : WAN_OP_OK));
		wan_lane_append(lane, &one);
	}
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	unsigned slow = 0, failed = 0, twice = 0;
	for (size_t i = 0; i < process->operation_count; i++) {
		slow += process->operations[i].height_px == 3;
		failed += process->operations[i].status == WAN_OP_FAILED;
		for (size_t k = 0; k < i; k++)
			twice += process->operations[i].height_px ==
				 process->operations[k].height_px;
	}
	CHECK_EQ(slow, 1);
	CHECK_EQ(failed, 1);
	CHECK_EQ(twice, 0);
	CHECK_EQ(process->total_operations, 20000);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(events_go_with_the_ring_and_are_in_no_sum)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_lane *lane = wan_lane_get(recorder);
	for (unsigned i = 0; i < 5000; i++) {
		struct wan_record_event event = {
			.ticks = wan_ticks(),
			.values = {i, 2, 3, UINT64_MAX},
			.name = wan_recorder_string(recorder, "cache_limit"),
			.text = wan_recorder_string(recorder, "high memory"),
			.code = 2,
			.kind_status = WAN_RECORD_ACTION << 4,
			.thread = 9,
		};
		wan_lane_append(lane, &event);
		support_append(recorder, i, 1);
	}
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->total_operations, 5000);
	REQUIRE(process->event_count >= 128 && process->event_count < 1000);
	const struct wan_process_event *last = &process->events[process->event_count - 1];
	CHECK_EQ(last->values[0], 4999);
	CHECK_EQ(last->values[3], UINT64_MAX);
	CHECK_EQ(last->kind, WAN_RECORD_ACTION);
	CHECK_STR(last->name, "cache_limit");
	CHECK_STR(last->text, "high memory");
	CHECK_EQ(last->code, 2);
	CHECK_EQ(last->thread, 9);
	CHECK_NEAR((double)last->time_ns, (double)wan_now_ns(), 1e9);
	for (size_t i = 1; i < process->event_count; i++)
		CHECK(process->events[i - 1].time_ns <= process->events[i].time_ns);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TAP_MAIN
