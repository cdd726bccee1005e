/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "check.h"

/* A recording of `operations`, closed, with an identity of our choice. */
static bool make_member(const char *path, uint64_t operations, uint32_t pid, uint32_t parent_pid,
			uint32_t role, uint32_t state)
{
	struct wan_recorder *recorder;
	struct wan_record_header header;
	unlink(path);
	if (wan_recorder_create(support_config(4096), role, path, &recorder) != 0)
		return false;
	support_append(recorder, 0, operations);
	wan_recorder_set_outcome(recorder, state == WAN_RUN_RUNNING ? WAN_RUN_EXITED : state, 3, 9);
	wan_recorder_destroy(recorder);
	int fd = open(path, O_RDWR);
	bool made = pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header);
	header.pid = pid;
	header.parent_pid = parent_pid;
	header.pid_start_ticks = 1;
	header.state = state;
	header.check = wan_record_header_check(&header);
	made &= pwrite(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header);
	close(fd);
	return made;
}

/* What wanprof run packs: used_bytes of each, one behind the other. */
static bool pack(const char *to, const char *const *members, unsigned count)
{
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool packed = out >= 0;
	for (unsigned i = 0; packed && i < count; i++) {
		struct wan_record_header header;
		int in = open(members[i], O_RDONLY);
		packed = pread(in, &header, sizeof(header), 0) == (ssize_t)sizeof(header);
		char *bytes = malloc(header.used_bytes);
		packed = packed &&
			 pread(in, bytes, header.used_bytes, 0) == (ssize_t)header.used_bytes;
		packed = packed &&
			 write(out, bytes, header.used_bytes) == (ssize_t)header.used_bytes;
		free(bytes);
		close(in);
	}
	close(out);
	return packed;
}

TEST(a_family_in_one_file_is_read_whole)
{
	const char *members[3] = {support_path("one"), support_path("two"), support_path("three")};
	const char *family = support_path("family.wprof");
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(make_member(members[i], 100 * (i + 1), 4000001 + i, 1, WAN_ROLE_PRELOADED,
				    WAN_RUN_EXITED));
	REQUIRE(pack(family, members, 3));
	struct wan_recording *recording = support_open(family);
	REQUIRE(recording != NULL);
	REQUIRE_EQ(wan_recording_process_count(recording), 3);
	CHECK(!wan_recording_is_damaged(recording));
	support_print_damage(recording);
	for (unsigned i = 0; i < 3; i++) {
		const struct wan_process *process = wan_recording_process(recording, i);
		CHECK_EQ(process->operation_count, 100 * (i + 1));
		CHECK_EQ(process->header.pid, 4000001 + i);
		CHECK_STR(process->source, family);
		CHECK_EQ(process->offset % WAN_RECORD_PAGE, 0);
	}
	struct wan_recording_operation operation;
	uint64_t count = 0, before_ns = 0;
	while (wan_recording_next(recording, &operation) == 1) {
		CHECK(operation.start_realtime_ns >= before_ns);
		before_ns = operation.start_realtime_ns;
		count++;
	}
	CHECK_EQ(count, 600);
	wan_recording_close(recording);
}

TEST(a_damaged_member_does_not_hide_the_ones_behind_it)
{
	const char *members[3] = {support_path("one"), support_path("two"), support_path("three")};
	const char *family = support_path("broken.wprof");
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(make_member(members[i], 10, 4000001 + i, 1, WAN_ROLE_PRELOADED,
				    WAN_RUN_EXITED));
	REQUIRE(pack(family, members, 3));
	struct wan_record_header header;
	int fd = open(family, O_RDWR);
	REQUIRE_EQ(pread(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	uint64_t second = header.used_bytes;
	header.used_bytes = 12345; /* the first one no longer says where it ends */
	REQUIRE_EQ(pwrite(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	struct wan_recording *recording = support_open(family);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 3);
	CHECK(wan_recording_is_damaged(recording));
	wan_recording_close(recording);

	header.used_bytes = second;
	REQUIRE_EQ(pwrite(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	REQUIRE_EQ(pwrite(fd, "????????", 8, (off_t)second), 8); /* the second is none */
	close(fd);
	recording = support_open(family);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 2);
	CHECK_EQ(wan_recording_process(recording, 1)->header.pid, 4000003);
	CHECK(wan_recording_is_damaged(recording));
	wan_recording_close(recording);
}

TEST(a_folder_is_a_family_and_odd_members_are_told)
{
	const char *folder = support_path("run.d");
	mkdir(folder, 0700);
	REQUIRE(make_member(support_path("run.d/a-1-1.wprof"), 5, 4000001, 1, WAN_ROLE_PRELOADED,
			    WAN_RUN_EXITED));
	REQUIRE(make_member(support_path("run.d/b-2-2.wprof"), 6, 4000002, 1, WAN_ROLE_PRELOADED,
			    WAN_RUN_EXITED));
	close(open(support_path("run.d/c-3-3.wprof"), O_CREAT | O_WRONLY, 0600)); /* being made */
	struct wan_recording *recording = support_open(folder);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 2);
	CHECK(!wan_recording_is_damaged(recording));
	wan_recording_close(recording);
	int fd = open(support_path("run.d/d.wprof"), O_CREAT | O_WRONLY, 0600);
	CHECK_EQ(write(fd, "notes", 5), 5);
	close(fd);
	recording = support_open(folder);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 2);
	CHECK(wan_recording_is_damaged(recording));
	wan_recording_close(recording);

	/* FILE and FILE.d belong together, also before FILE is there. */
	recording = support_open(support_path("run"));
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 2);
	wan_recording_close(recording);
	REQUIRE(make_member(support_path("run"), 7, 4000003, 1, WAN_ROLE_PARENT, WAN_RUN_EXITED));
	recording = support_open(support_path("run"));
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process_count(recording), 3);
	wan_recording_close(recording);
}

TEST(a_dead_process_is_not_running_and_its_parent_knows_how_it_ended)
{
	const char *members[2] = {support_path("parent"), support_path("child")};
	const char *family = support_path("outcome.wprof");
	REQUIRE(make_member(members[1], 3, 4190000, 4190001, WAN_ROLE_PRELOADED, WAN_RUN_RUNNING));
	struct wan_recording *recording = support_open(members[1]);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process(recording, 0)->state, WAN_RUN_UNKNOWN);
	CHECK(!wan_recording_process(recording, 0)->live);
	wan_recording_close(recording);
	REQUIRE(make_member(members[0], 0, 4190001, 1, WAN_ROLE_PARENT, WAN_RUN_SIGNALLED));
	REQUIRE(pack(family, members, 2));
	recording = support_open(family);
	REQUIRE(recording != NULL);
	REQUIRE_EQ(wan_recording_process_count(recording), 2);
	CHECK_EQ(wan_recording_process(recording, 1)->state, WAN_RUN_SIGNALLED);
	CHECK_EQ(wan_recording_process(recording, 1)->header.signal, 9);
	wan_recording_close(recording);
}

TAP_MAIN
