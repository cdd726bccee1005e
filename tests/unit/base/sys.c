/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>

#include "fault.h"
#include "tap.h"

static int scratch_file(void)
{
	char path[] = "/tmp/wan-test-XXXXXX";
	int fd = mkstemp(path);
	unlink(path);
	return fd;
}

TEST(transfers_are_whole_despite_short_ones_and_signals)
{
	static const char text[] = "forty-two bytes would be too many for this";
	char back[sizeof(text)] = "";
	int fd = scratch_file();
	REQUIRE(fd >= 0);
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_WRITE, 1, WAN_FAULT_SHORT, true);
	CHECK_EQ(wan_write_full(fd, text, sizeof(text)), 0);
	CHECK(wan_fault_injected() > 3);
	wan_fault_arm(WAN_FAULT_PWRITE, 1, EINTR, false);
	CHECK_EQ(wan_pwrite_full(fd, text, sizeof(text), 100), 0);
	wan_fault_arm(WAN_FAULT_PREAD, 1, WAN_FAULT_SHORT, true);
	CHECK_EQ(wan_pread_full(fd, back, sizeof(back), 100), sizeof(text));
	CHECK_STR(back, text);
	memset(back, 0, sizeof(back));
	lseek(fd, 0, SEEK_SET);
	wan_fault_arm(WAN_FAULT_READ, 1, EINTR, false);
	CHECK_EQ(wan_read_full(fd, back, sizeof(back)), sizeof(text));
	CHECK_STR(back, text);
	wan_fault_remove();
	close(fd);
}

TEST(the_end_of_a_file_is_no_error)
{
	char back[16];
	int fd = scratch_file();
	REQUIRE(fd >= 0);
	CHECK_EQ(wan_read_full(fd, back, sizeof(back)), 0);
	CHECK_EQ(wan_write_full(fd, "abc", 3), 0);
	CHECK_EQ(wan_pread_full(fd, back, sizeof(back), 1), 2);
	CHECK_EQ(wan_pread_full(fd, back, sizeof(back), 1000), 0);
	CHECK_EQ(wan_read_full(fd, back, 0), 0);
	close(fd);
}

TEST(errors_are_told_as_negative_numbers)
{
	char byte = 0;
	CHECK_EQ(wan_read_full(-1, &byte, 1), -EBADF);
	CHECK_EQ(wan_write_full(-1, &byte, 1), -EBADF);
	CHECK_EQ(wan_pread_full(-1, &byte, 1, 0), -EBADF);
	CHECK_EQ(wan_pwrite_full(-1, &byte, 1, 0), -EBADF);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (full < 0)
		SKIP("no /dev/full here");
	CHECK_EQ(wan_write_full(full, &byte, 1), -ENOSPC);
	close(full);
}

static void write_and_read(void *context)
{
	char back[64];
	int fd = wan_sys->open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	int error = wan_write_full(fd, "text", 4);
	if (!error)
		error = wan_pwrite_full(fd, "more", 4, 4);
	if (!error)
		error = wan_sys->fsync(fd) ? -errno : 0;
	ssize_t count = error ? error : wan_pread_full(fd, back, sizeof(back), 0);
	CHECK(count == 8 || count == -EIO || count == -ENOSPC);
	wan_sys->close(fd);
}

TEST(every_call_may_fail)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		SKIP("/tmp has no unnamed files: %s", strerror(errno));
	close(fd);
	CHECK(wan_fault_sweep(write_and_read, NULL) >= 20);
}

TAP_MAIN
