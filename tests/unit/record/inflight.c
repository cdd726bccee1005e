/* SPDX-License-Identifier: MIT */
#include "device.h"
#include "support.h"

static struct wan_recorder *recorder;
static struct wan_lane *lane;

static bool begin(void)
{
	recorder = NULL;
	if (wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder) != 0)
		return false;
	lane = wan_lane_get(recorder);
	return lane != NULL;
}

static struct wan_record_inflight *enter(uint32_t width_px, uint64_t object)
{
	struct wan_record_inflight *slot = wan_lane_enter(lane);
	slot->width_px = width_px;
	slot->object = object;
	slot->name = wan_recorder_string(recorder, "jpeg.decode");
	slot->start_ticks = wan_ticks();
	return slot;
}

/* Widths of what a reader sees in flight, added up. */
static uint64_t seen(void)
{
	struct wan_recording *recording = support_look(recorder);
	uint64_t sum = 0;
	for (size_t i = 0; recording && i < wan_recording_process(recording, 0)->inflight_count;
	     i++)
		sum += wan_recording_process(recording, 0)->inflight[i].operation.width_px;
	wan_recording_close(recording);
	return sum;
}

TEST(a_wait_for_the_device_is_known_in_the_process_itself)
{
	REQUIRE(begin());
	struct wan_device_look look;
	struct wan_record_inflight *slot = enter(0, 0);
	slot->name = wan_recorder_string(recorder, "cuda.synchronize_stream");
	slot->start_ticks -= 1000;
	wan_recorder_look_at_device(recorder, 0, &look);
	CHECK(!look.known);
	CHECK_EQ(look.wait_ns, 0);
	uint64_t *words = wan_recorder_counters(recorder, WAN_COUNTERS_CUDA, "device 0");
	REQUIRE(words != NULL);
	words[17] = 42;
	wan_recorder_look_at_device(recorder, 0, &look);
	CHECK(look.known);
	CHECK_EQ(look.known_done, 42);
	CHECK(look.wait_ns > 0);
	wan_recorder_look_at_device(recorder, lane->thread, &look);
	CHECK(look.wait_ns > 0);
	wan_recorder_look_at_device(recorder, lane->thread + 1, &look);
	CHECK_EQ(look.wait_ns, 0);
	struct wan_record_inflight *inner = enter(10, 0); /* a decode inside: still a wait */
	wan_recorder_look_at_device(recorder, 0, &look);
	CHECK(look.wait_ns > 0);
	wan_lane_leave(lane, inner);
	wan_lane_leave(lane, slot);
	wan_recorder_look_at_device(recorder, 0, &look);
	CHECK_EQ(look.wait_ns, 0);
	wan_recorder_look_at_device(NULL, 0, &look);
	CHECK(!look.known);
	wan_recorder_destroy(recorder);
}

TEST(a_reader_sees_what_is_under_way)
{
	REQUIRE(begin());
	struct wan_record_inflight *slot = enter(640, 1);
	slot->file = wan_recorder_string(recorder, "/a.jpg");
	slot->rows_done = 17;
	slot->library = WAN_LIBRARY_LIBJPEG;
	usleep(2000);
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	REQUIRE_EQ(process->inflight_count, 1);
	const struct wan_recording_operation *operation = &process->inflight[0].operation;
	CHECK_STR(operation->name, "jpeg.decode");
	CHECK_STR(operation->file, "/a.jpg");
	CHECK_EQ(operation->status, 255);
	CHECK_EQ(operation->width_px, 640);
	CHECK_EQ(operation->file_bytes, UINT64_MAX);
	CHECK_EQ(process->inflight[0].rows_done, 17);
	CHECK(operation->span_ns > 1500000 && operation->span_ns < 10000000000u);
	CHECK_EQ(process->total_operations, 0);
	wan_recording_close(recording);
	wan_lane_leave(lane, slot);
	CHECK_EQ(seen(), 0);
	wan_recorder_destroy(recorder);
}

TEST(an_entry_without_a_start_counts_for_nothing)
{
	REQUIRE(begin());
	struct wan_record_inflight *slot = wan_lane_enter(lane);
	slot->width_px = 5;
	CHECK_EQ(seen(), 0);
	slot->start_ticks = 1;
	CHECK_EQ(seen(), 5);
	wan_recorder_destroy(recorder);
}

TEST(frames_skipped_by_longjmp_go_with_the_outer_one)
{
	REQUIRE(begin());
	struct wan_record_inflight *outer = enter(1, 0);
	enter(10, 0);
	enter(100, 0);
	CHECK_EQ(seen(), 111);
	wan_lane_leave(lane, outer);
	CHECK_EQ(seen(), 0);
	CHECK_EQ(lane->depth, 0);
	wan_recorder_destroy(recorder);
}

TEST(objects_end_in_any_order)
{
	REQUIRE(begin());
	struct wan_record_inflight *decoder = enter(1, 0x1000);
	struct wan_record_inflight *encoder = enter(10, 0x2000);
	wan_lane_leave(lane, decoder); /* as every converter does */
	CHECK_EQ(seen(), 10);
	struct wan_record_inflight *third = enter(100, 0x3000);
	CHECK(third != encoder);
	wan_lane_leave(lane, encoder);
	CHECK_EQ(seen(), 100);
	wan_lane_leave(lane, third);
	CHECK_EQ(lane->depth, 0);
	wan_recorder_destroy(recorder);
}

TEST(the_ninth_level_is_not_seen_and_does_no_harm)
{
	REQUIRE(begin());
	struct wan_record_inflight *slots[12];
	for (unsigned i = 0; i < 12; i++)
		slots[i] = enter(1u << i, i + 1);
	CHECK_EQ(seen(), 255);
	for (unsigned i = 12; i-- > 0;)
		wan_lane_leave(lane, slots[i]);
	CHECK_EQ(seen(), 0);
	CHECK_EQ(lane->depth, 0);
	for (unsigned i = 0; i < 12; i++)
		enter(1, 0);
	wan_lane_inflight_reset(lane);
	CHECK_EQ(seen(), 0);
	CHECK_EQ(lane->depth, 0);
	wan_recorder_destroy(recorder);
}

static void *leave_elsewhere(void *slot)
{
	struct wan_lane *own = wan_lane_get(recorder);
	wan_lane_leave(own, slot);
	return NULL;
}

TEST(an_object_may_end_on_another_thread)
{
	REQUIRE(begin());
	pthread_t thread;
	struct wan_record_inflight *slot = enter(64, 0x1000);
	REQUIRE_EQ(pthread_create(&thread, NULL, leave_elsewhere, slot), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(seen(), 0);
	struct wan_record_inflight *next = enter(3, 0);
	CHECK(next == slot); /* the emptied entry is found again */
	CHECK_EQ(seen(), 3);
	wan_recorder_destroy(recorder);
}

TAP_MAIN
