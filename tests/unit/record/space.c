/* SPDX-License-Identifier: MIT */
/* The file's room: full disks, lost descriptors, file systems and limits that refuse. */
#include "support.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "fault.h"

/* Wraps or not, every operation is in the sums, and nothing is damaged. */
static bool complete(const char *path, uint64_t count)
{
	struct wan_recording *recording = support_open(path);
	if (!recording)
		return false;
	const struct wan_process *process = wan_recording_process(recording, 0);
	bool right = process->total_operations == count && !process->damage_count;
	if (!right)
		printf("# %llu of %llu operations\n", (unsigned long long)process->total_operations,
		       (unsigned long long)count);
	support_print_damage(recording);
	wan_recording_close(recording);
	return right;
}

TEST(a_file_grows_in_steps_and_only_as_needed)
{
	struct wan_recorder *recorder;
	struct stat status;
	const char *path = support_path("grow.wprof");
	REQUIRE_EQ(wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder), 0);
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_size, WAN_RECORD_INITIAL);
	CHECK_EQ(status.st_mode & 07777, 0600);
	CHECK(support_append(recorder, 0, 30000));
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_size, 3 * WAN_RECORD_STEP);
	CHECK(support_append(recorder, 30000, 170000));
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK(status.st_size <= 6 * (off_t)WAN_RECORD_STEP); /* 65536 records are 4 MiB */
	wan_recorder_destroy(recorder);
	CHECK(complete(path, 200000));
}

/* Child: the guest closes everything, then opens files of its own under our number. */
static int work_without_descriptors(const char *path)
{
	struct wan_recorder *recorder;
	if (wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder) != 0)
		return 1;
	support_append(recorder, 0, 100);
	char victim[256];
	snprintf(victim, sizeof(victim), "%s.victim", path);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	for (int fd = 0; fd >= 0 && fd < 520; fd = open(victim, O_RDWR | O_CREAT, 0600))
		;
	if (!support_append(recorder, 100, 99900))
		return 2;
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	struct stat status;
	if (stat(victim, &status) != 0 || status.st_size != 0)
		return 3; /* the guest's file was touched */
	return 0;
}

TEST(recording_goes_on_when_the_guest_closed_our_descriptor)
{
	const char *path = support_path("closed.wprof");
	pid_t child = fork();
	if (child == 0)
		_exit(work_without_descriptors(path));
	CHECK_EQ(support_wait(child), 0);
	CHECK(complete(path, 100000));
	struct stat status;
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_size, WAN_RECORD_INITIAL); /* no way to grow: it went round */
}

static int fill_disk(const char *folder)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/full.wprof", folder);
	struct wan_recorder *recorder;
	if (wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/filler", folder);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	static char block[65536];
	while (write(fd, block, sizeof(block)) > 0)
		;
	if (!support_append(recorder, 0, 100000)) /* a SIGBUS would end us here */
		return 2;
	snprintf(path, sizeof(path), "%s/full.wprof", folder);
	return complete(path, 100000) ? 0 : 3;
}

TEST(a_full_disk_makes_the_ring_go_round)
{
	const char *folder = support_path("small-disk");
	mkdir(folder, 0700);
	if (mount("none", folder, "tmpfs", 0, "size=3m") != 0)
		SKIP("mounting a small tmpfs: %s", strerror(errno));
	pid_t child = fork();
	if (child == 0)
		_exit(fill_disk(folder));
	CHECK_EQ(support_wait(child), 0);

	/* Nothing left at all: no file is made, and none is left behind. */
	struct wan_recorder *recorder;
	char path[256];
	snprintf(path, sizeof(path), "%s/none.wprof", folder);
	CHECK_EQ(wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder),
		 -ENOSPC);
	CHECK(access(path, F_OK) != 0);
	umount2(folder, MNT_DETACH);
}

static int work_under_a_limit(const char *path, uint64_t bytes)
{
	struct rlimit limit = {bytes, bytes};
	struct wan_recorder *recorder;
	setrlimit(RLIMIT_FSIZE, &limit); /* beyond it a write is a SIGXFSZ */
	int error = wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder);
	if (bytes < WAN_RECORD_INITIAL)
		return error == -EFBIG ? 0 : 1;
	return error == 0 && support_append(recorder, 0, 50000) && complete(path, 50000) ? 0 : 2;
}

TEST(a_file_size_limit_costs_the_guest_no_signal)
{
	const char *path = support_path("limit.wprof");
	pid_t child = fork();
	if (child == 0)
		_exit(work_under_a_limit(path, 2 * WAN_RECORD_STEP));
	CHECK_EQ(support_wait(child), 0);
	unlink(path);
	child = fork();
	if (child == 0)
		_exit(work_under_a_limit(path, 4096));
	CHECK_EQ(support_wait(child), 0);
	CHECK(access(path, F_OK) != 0);
}

TEST(zeros_are_written_where_fallocate_is_not_supported)
{
	struct wan_recorder *recorder;
	const char *path = support_path("zeros.wprof");
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_FALLOCATE, 1, EOPNOTSUPP, true);
	int error = wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder);
	CHECK_EQ(error, 0);
	if (!error) {
		CHECK(support_append(recorder, 0, 40000));
		wan_recorder_destroy(recorder);
	}
	CHECK(wan_fault_injected() > 0);
	wan_fault_remove();
	struct stat status;
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK(status.st_blocks * 512 >= status.st_size); /* no holes to fall into */
	CHECK(complete(path, 40000));
}

TEST(a_short_address_space_still_records)
{
	const char *path = support_path("short.wprof");
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit = {48 * 1024 * 1024, 48 * 1024 * 1024};
		struct wan_recorder *recorder;
		setrlimit(RLIMIT_AS, &limit);
		if (wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, path, &recorder))
			_exit(1);
		_exit(!support_append(recorder, 0, 200000));
	}
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	support_wait(child);
	SKIP("a sanitizer needs the address space itself");
#else
	CHECK_EQ(support_wait(child), 0);
	CHECK(complete(path, 200000));
#endif
}

TEST(a_refused_capacity_is_told_in_the_header)
{
	struct wan_recorder *recorder;
	REQUIRE_EQ(wan_recorder_create(support_config(16777216), WAN_ROLE_LINKED, NULL, &recorder),
		   0);
	uint64_t capacity = wan_recorder_header(recorder)->capacity;
	CHECK(capacity > 700000 && capacity < 1000000);
	wan_recorder_destroy(recorder);
	REQUIRE_EQ(wan_recorder_create(support_config(65536), WAN_ROLE_LINKED, NULL, &recorder), 0);
	CHECK_EQ(wan_recorder_header(recorder)->capacity, 65536);
	wan_recorder_destroy(recorder);
}

static void record_and_read(void *context)
{
	const char *path = context;
	struct wan_recorder *recorder;
	struct wan_recording *recording;
	struct wan_error error = {0};
	unlink(path);
	int result = wan_recorder_create(support_config(256), WAN_ROLE_LINKED, path, &recorder);
	CHECK(result <= 0);
	if (result)
		return;
	bool written = support_append(recorder, 0, 600);
	wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "cache");
	uint64_t dropped = wan_recorder_header(recorder)->dropped;
	wan_recorder_destroy(recorder);
	result = wan_recording_open(path, &recording, &error);
	if (result) {
		CHECK(error.reason[0] && error.code == result);
		return;
	}
	/* A fault may hide a part from the reader, and then it says so; it adds nothing. */
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK(process->total_operations + dropped <= 601);
	CHECK(process->total_operations + dropped >= (written ? 600 : 0) ||
	      wan_recording_is_damaged(recording));
	wan_recording_close(recording);
}

TEST(every_failing_call_is_an_ordinary_result)
{
	int runs = wan_fault_sweep(record_and_read, (void *)support_path("sweep.wprof"));
	printf("# %d faults\n", runs);
	CHECK(runs > 100);
}

TAP_MAIN
