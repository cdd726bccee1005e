/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "clock.h"
#include "fault.h"
#include "tap.h"

TEST(a_field_is_found_at_a_line_start_only)
{
	static const char text[] = "MemTotal:   100 kB\nMemAvailable:\t   42 kB\nactive_file_x 9\n"
				   "inactive_file 7\nactive_file 18446744073709551615\n";
	uint64_t value = 0;
	CHECK_EQ(wan_procfs_field(text, "MemAvailable:", &value), 0);
	CHECK_EQ(value, 42);
	CHECK_EQ(wan_procfs_field(text, "MemTotal:", &value), 0);
	CHECK_EQ(value, 100);
	CHECK_EQ(wan_procfs_field(text, "active_file", &value), 0);
	CHECK_EQ(value, UINT64_MAX);
	CHECK_EQ(wan_procfs_field(text, "file", &value), -ENOENT);
	CHECK_EQ(wan_procfs_field(text, "Available:", &value), -ENOENT);
	CHECK_EQ(wan_procfs_field("", "x", &value), -ENOENT);
}

TEST(a_field_without_a_number_is_told)
{
	uint64_t value = 5;
	CHECK_EQ(wan_procfs_field("max max\n", "max", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a \n", "a", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a -1\n", "a", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a 18446744073709551616\n", "a", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a 12x\n", "a", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a 1234567890123456789012345678901\n", "a", &value), -EBADMSG);
	CHECK_EQ(wan_procfs_field("a", "a", &value), -ENOENT);
	CHECK_EQ(value, 5);
}

TEST(small_files_are_read_whole_and_terminated)
{
	char text[64], tiny[5];
	CHECK(wan_procfs_read("/proc/self/comm", text, sizeof(text)) > 0);
	CHECK(strchr(text, '\n') != NULL);
	CHECK_EQ(wan_procfs_read("/proc/self/stat", tiny, sizeof(tiny)), 4);
	CHECK_EQ(strlen(tiny), 4);
	CHECK_EQ(wan_procfs_read("/proc/does-not-exist", text, sizeof(text)), -ENOENT);
	CHECK_EQ(wan_procfs_read("/proc/self", text, sizeof(text)), -EISDIR);
	CHECK_EQ(wan_procfs_read("/proc/self/comm", text, 0), -EINVAL);
}

TEST(an_open_descriptor_reads_again_from_the_start)
{
	char first[128], second[128];
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	CHECK(wan_procfs_pread(fd, first, sizeof(first)) > 0);
	CHECK(wan_procfs_pread(fd, second, sizeof(second)) > 0);
	CHECK_STR(second, first);
	close(fd);
}

TEST(this_process_has_memory_time_and_a_start)
{
	uint64_t rss = 0, start = 0, same = 1, cpu_ns = 0;
	CHECK_EQ(wan_procfs_rss_bytes(0, &rss), 0);
	CHECK(rss > 100 * 1024 && rss % 4096 == 0);
	CHECK_EQ(wan_procfs_start_time(0, &start), 0);
	CHECK_EQ(wan_procfs_start_time(getpid(), &same), 0);
	CHECK(start > 0);
	CHECK_EQ(start, same);
	uint64_t until_ns = wan_thread_cpu_ns() + 30000000; /* the kernel tells 10 ms at a time */
	while (wan_thread_cpu_ns() < until_ns)
		;
	CHECK_EQ(wan_procfs_cpu_ns(0, &cpu_ns), 0);
	CHECK(cpu_ns > 0 && cpu_ns < 600ull * 1000000000);
}

TEST(a_process_name_with_brackets_and_blanks_confuses_nothing)
{
	uint64_t before = 0, after = 1;
	CHECK_EQ(wan_procfs_start_time(0, &before), 0);
	prctl(PR_SET_NAME, "a) 9 (b ) 7");
	CHECK_EQ(wan_procfs_start_time(0, &after), 0);
	CHECK_EQ(after, before);
}

TEST(a_process_that_is_not_there_is_not_found)
{
	uint64_t value = 3;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	CHECK_EQ(wan_procfs_rss_bytes(child, &value), -ENOENT);
	CHECK_EQ(wan_procfs_start_time(child, &value), -ENOENT);
	CHECK_EQ(wan_procfs_cpu_ns(child, &value), -ENOENT);
	CHECK_EQ(wan_procfs_rss_bytes(-1, &value), -EINVAL);
	CHECK_EQ(value, 3);
}

static void read_all(void *context)
{
	uint64_t value;
	int error = wan_procfs_rss_bytes(0, &value);
	CHECK(error == 0 || error == -EIO || error == -EMFILE || error == -EACCES ||
	      error == -ENOENT);
	error = wan_procfs_cpu_ns(0, &value);
	CHECK(error <= 0);
}

TEST(every_call_may_fail)
{
	CHECK(wan_fault_sweep(read_all, NULL) > 10);
}

TAP_MAIN
