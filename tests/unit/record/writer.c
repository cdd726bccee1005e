/* SPDX-License-Identifier: MIT */
#include "support.h"

TEST(a_record_comes_back_as_it_was_written)
{
	const char *path = support_path("one.wprof");
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(1000), WAN_ROLE_LINKED, path, &recorder), 0);
	struct wan_lane *lane = wan_lane_get(recorder);
	REQUIRE(lane != NULL);
	struct wan_clock_anchor before, after;
	wan_clock_anchor(&before);
	struct wan_record_operation operation = support_operation(recorder, 12);
	wan_clock_anchor(&after);
	operation.file = wan_recorder_string(recorder, "/pictures/start.jpg");
	operation.span_ticks = (uint64_t)(5e6 / wan_clock_ns_per_tick());
	operation.inside = UINT16_MAX / 2;
	wan_lane_append(lane, &operation);
	CHECK_STR(wan_recorder_path(recorder), path);
	wan_recorder_destroy(recorder);

	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	struct wan_recording_operation back;
	REQUIRE_EQ(wan_recording_next(recording, &back), 1);
	CHECK_STR(back.name, "jpeg.decode");
	CHECK_STR(back.library, "libjpeg");
	CHECK_STR(back.file, "/pictures/start.jpg");
	CHECK_EQ(back.width_px, 640);
	CHECK_EQ(back.height_px, 12);
	CHECK_EQ(back.channels, 3);
	CHECK_EQ(back.bit_depth, 8);
	CHECK_EQ(back.status, WAN_OP_OK);
	CHECK_EQ(back.cpu_ns, 12000);
	CHECK_EQ(back.file_bytes, 12);
	CHECK_EQ(back.memory_bytes, INT64_MIN);
	CHECK_EQ(back.peak_bytes, 1024);
	CHECK_EQ(back.process, getpid());
	CHECK(!back.child);
	CHECK_NEAR((double)back.span_ns, 5e6, 5e5);
	CHECK_NEAR((double)back.inside_ns, 2.5e6, 3e5);
	/* Between the clocks as read around it; the rate of so short a life is an estimate. */
	const uint64_t near_ns = 100000000;
	CHECK(back.start_ns + near_ns >= before.monotonic_ns);
	CHECK(back.start_ns <= after.monotonic_ns + near_ns);
	CHECK(back.start_realtime_ns + near_ns >= before.realtime_ns);
	CHECK(back.start_realtime_ns <= after.realtime_ns + near_ns);
	CHECK_EQ(wan_recording_next(recording, &back), 0);
	CHECK_EQ(wan_recording_skipped(recording), 0);
	CHECK(!wan_recording_is_damaged(recording));
	support_print_damage(recording);
	CHECK_EQ(wan_recording_process(recording, 0)->state, WAN_RUN_EXITED);
	wan_recording_close(recording);
}

TEST(wrapping_loses_old_records_but_no_sum)
{
	const uint64_t count = 100000;
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(1000), WAN_ROLE_LINKED,
				       support_path("wrap.wprof"), &recorder),
		   0);
	REQUIRE(support_append(recorder, 0, count));
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->total_operations, count);
	CHECK(process->live);
	CHECK_EQ(process->damage_count, 0);
	support_print_damage(recording);
	uint64_t pixels = 0, live = 0;
	for (size_t i = 0; i < process->aggregate_count; i++)
		pixels += process->aggregates[i].pixels;
	CHECK_EQ(pixels, 640 * (count * (count - 1) / 2));
	for (size_t i = 0; i < process->operation_count; i++)
		live += process->operations[i].height_px >= count - 1000;
	CHECK_EQ(live, 1000); /* the capacity asked for is there, whole */
	CHECK_EQ(process->skipped, count - process->operation_count);
	CHECK_EQ(wan_recorder_header(recorder)->dropped, 0);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(off_gives_memory_to_a_runtime_and_nothing_to_hooks)
{
	struct wan_config *config = support_config(1000);
	snprintf(config->record_path, sizeof(config->record_path), "off");
	CHECK(wan_recorder_process(config, WAN_ROLE_PRELOADED, true) == NULL);
	struct wan_recorder *recorder = wan_recorder_process(config, WAN_ROLE_LINKED, false);
	REQUIRE(recorder != NULL);
	CHECK(wan_recorder_path(recorder) == NULL);
	CHECK(support_append(recorder, 0, 10));
	CHECK(wan_recorder_process(config, WAN_ROLE_PRELOADED, true) == NULL);
	CHECK(wan_recorder_process(config, WAN_ROLE_LINKED, false) == recorder);
	struct wan_recording *recording = support_look(recorder);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 10);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder); /* hooks may still use it */
	CHECK(support_append(recorder, 10, 1));
	CHECK(access(support_path("wanrt"), F_OK) != 0);
}

TEST(a_path_that_exists_or_is_too_long_is_an_error)
{
	struct wan_recorder *recorder = NULL;
	char path[5000];
	const char *twice = support_path("twice.wprof");
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, twice, &recorder), 0);
	wan_recorder_destroy(recorder);
	recorder = NULL;
	CHECK_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, twice, &recorder),
		 -EEXIST);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CHECK_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, path, &recorder),
		 -ENAMETOOLONG);
	CHECK(recorder == NULL);
	wan_recorder_destroy(NULL);
	CHECK(wan_lane_claim(NULL) == NULL);
}

TEST(errno_is_kept_by_everything_a_hook_calls)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED,
				       support_path("errno.wprof"), &recorder),
		   0);
	errno = 4711;
	support_append(recorder, 0, 2000); /* claims, grows, folds */
	wan_recorder_anchor(recorder);
	wan_recorder_string(recorder, "name");
	wan_lane_leave(wan_lane_get(recorder), wan_lane_enter(wan_lane_get(recorder)));
	CHECK_EQ(errno, 4711);
	errno = 4711;
	wan_recorder_destroy(recorder);
	CHECK_EQ(errno, 4711);
}

TAP_MAIN
