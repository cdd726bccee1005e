/* SPDX-License-Identifier: MIT */
#include "identity_mark.h"
#include "support.h"

#include <string.h>

TEST(a_detail_is_found_by_the_start_and_thread_of_its_operation)
{
	struct wan_recorder *recorder;
	const char *path = support_path("detail.wprof");
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, path, &recorder), 0);
	struct wan_lane *lane = wan_lane_get(recorder);
	REQUIRE(lane != NULL);
	uint64_t begin_ticks = wan_ticks();
	for (unsigned i = 0; i < 3; i++) {
		struct wan_record_operation operation = support_operation(recorder, i + 1);
		operation.start_ticks = begin_ticks + 1000000 * (uint64_t)i;
		operation.thread = 7;
		if (i == 1)
			wan_lane_detail(lane, operation.start_ticks, 7, 0xabcdef, 320, 200);
		wan_lane_append(lane, &operation);
	}
	wan_lane_detail(lane, begin_ticks + 2000000, 8, 1, 2,
			3); /* another thread's: nobody's here */
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	REQUIRE_EQ(process->operation_count, 3);
	CHECK_EQ(process->total_operations, 3); /* a detail is no operation */
	CHECK_EQ(process->event_count, 0);
	CHECK_EQ(process->damage_count, 0);
	CHECK(!wan_process_detail(process, &process->operations[0]));
	const struct wan_process_detail *detail =
		wan_process_detail(process, &process->operations[1]);
	if (CHECK(detail)) {
		CHECK_EQ(detail->identity, 0xabcdef);
		CHECK_EQ(detail->output_width_px, 320);
		CHECK_EQ(detail->output_height_px, 200);
	}
	CHECK(!wan_process_detail(process, &process->operations[2]));
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(details_that_find_no_room_are_no_lost_operations)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_lane *lane = wan_lane_get(recorder);
	REQUIRE(lane != NULL);
	for (uint64_t i = 1; i <= 5000; i++)
		wan_lane_detail(lane, i, 7, i, 0, 0);
	CHECK_EQ(wan_recorder_header(recorder)->dropped, 0);
	wan_recorder_destroy(recorder);
}

TEST(files_differ_by_place_time_size_and_offset)
{
	const char *path = support_path("identity");
	struct stat status, again;
	int fd = open(path, O_CREAT | O_RDWR, 0600);
	REQUIRE(fd >= 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	REQUIRE_EQ(fstat(fd, &status), 0);
	uint64_t mark = wan_identity_of_file(&status, 0);
	CHECK(mark != 0);
	CHECK_EQ(wan_identity_of_file(&status, 0), mark);
	CHECK(wan_identity_of_file(&status, 4096) != mark);
	again = status;
	again.st_mtim.tv_nsec++;
	CHECK(wan_identity_of_file(&again, 0) != mark);
	again = status;
	again.st_ino++;
	CHECK(wan_identity_of_file(&again, 0) != mark);
	again = status;
	again.st_size++;
	CHECK(wan_identity_of_file(&again, 0) != mark);
	again.st_mode = S_IFIFO;
	CHECK_EQ(wan_identity_of_file(&again, 0), 0);
	close(fd);
}

TEST(bytes_differ_by_length_and_by_both_ends)
{
	static char bytes[20000];
	memset(bytes, 1, sizeof(bytes));
	uint64_t mark = wan_identity_of_bytes(bytes, sizeof(bytes));
	CHECK(mark != 0);
	CHECK(wan_identity_of_bytes(bytes, sizeof(bytes) - 1) != mark);
	bytes[10000] = 2; /* what lies between is not looked at */
	CHECK_EQ(wan_identity_of_bytes(bytes, sizeof(bytes)), mark);
	bytes[4095] = 2;
	CHECK(wan_identity_of_bytes(bytes, sizeof(bytes)) != mark);
	bytes[4095] = 1;
	bytes[sizeof(bytes) - 4096] = 2;
	CHECK(wan_identity_of_bytes(bytes, sizeof(bytes)) != mark);
	CHECK_EQ(wan_identity_of_bytes(NULL, 0), 0);
	CHECK(wan_identity_of_bytes(bytes, 100) != wan_identity_of_bytes(bytes, 101));
}

TAP_MAIN
