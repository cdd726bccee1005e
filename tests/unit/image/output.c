/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fault.h"
#include "files.h"
#include "output.h"
#include "tap.h"

static int write_text(const char *path, const char *text, bool overwrite, struct wan_error *error)
{
	struct wan_output output;
	int result = wan_output_open(&output, path, overwrite, error);
	if (result < 0)
		return result;
	(void)wan_output_write(&output, text, strlen(text));
	return wan_output_commit(&output, error);
}

static void check_text(const char *path, const char *expected)
{
	struct bytes bytes = bytes_read(path);
	bytes_add(&bytes, "", 1);
	CHECK_STR((const char *)bytes.at, expected);
	bytes_free(&bytes);
}

TEST(a_file_appears_when_it_is_whole)
{
	const char *path = in_test_folder("whole");
	struct wan_output output;
	REQUIRE_EQ(wan_output_open(&output, path, false, NULL), 0);
	CHECK_EQ(wan_output_write(&output, "one ", 4), 0);
	CHECK_EQ(access(path, F_OK), -1);
	CHECK_EQ(wan_output_write(&output, "two", 3), 0);
	CHECK_EQ(wan_output_commit(&output, NULL), 0);
	check_text(path, "one two");
	CHECK_EQ(files_in_test_folder(), 1);
	unlink(path);
}

TEST(large_pieces_come_out_in_order)
{
	const char *path = in_test_folder("large");
	struct wan_output output;
	static uint8_t piece[100000];
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (uint8_t)(i * 7 >> 3);
	REQUIRE_EQ(wan_output_open(&output, path, false, NULL), 0);
	for (size_t count = 1; count < sizeof(piece); count *= 5)
		CHECK_EQ(wan_output_write(&output, piece, count), 0);
	CHECK_EQ(wan_output_commit(&output, NULL), 0);
	struct bytes bytes = bytes_read(path);
	size_t at = 0;
	for (size_t count = 1; count < sizeof(piece); count *= 5, at += count / 5)
		CHECK_MEM(bytes.at + at, piece, count);
	CHECK_EQ(bytes.count, at);
	bytes_free(&bytes);
	unlink(path);
}

TEST(nothing_is_overwritten_unless_allowed)
{
	const char *path = in_test_folder("kept");
	struct wan_error error;
	bytes_write(path, "old", 3);
	CHECK_EQ(write_text(path, "new", false, &error), -EEXIST);
	CHECK_STR(error.reason, "exists already");
	check_text(path, "old");
	CHECK_EQ(write_text(path, "new", true, NULL), 0);
	check_text(path, "new");
	CHECK_EQ(files_in_test_folder(), 1);
	unlink(path);
}

TEST(a_file_made_meanwhile_by_another_is_kept)
{
	const char *path = in_test_folder("raced");
	struct wan_output output;
	struct wan_error error;
	REQUIRE_EQ(wan_output_open(&output, path, false, NULL), 0);
	bytes_write(path, "theirs", 6);
	CHECK_EQ(wan_output_commit(&output, &error), -EEXIST);
	check_text(path, "theirs");
	CHECK_EQ(files_in_test_folder(), 1);
	unlink(path);
}

TEST(an_abandoned_output_leaves_nothing)
{
	struct wan_output output;
	REQUIRE_EQ(wan_output_open(&output, in_test_folder("gone"), false, NULL), 0);
	(void)wan_output_write(&output, "text", 4);
	CHECK_EQ(files_in_test_folder(), 1);
	wan_output_abandon(&output);
	CHECK_EQ(files_in_test_folder(), 0);
	wan_output_abandon(&output);
}

TEST(places_that_cannot_be_written_are_named)
{
	struct wan_error error;
	CHECK_EQ(write_text("/no/such/folder/x", "t", true, &error), -ENOENT);
	CHECK_STR(error.reason, "its folder does not exist");
	CHECK_EQ(write_text("/tmp", "t", true, &error), -EISDIR);
	CHECK_EQ(write_text("/dev/full", "t", true, &error), -EINVAL);
	CHECK_STR(error.reason, "is a device or pipe, which cannot be written here");
	CHECK_EQ(access("/dev/full", F_OK), 0);
	CHECK_EQ(write_text("", "t", true, &error), -EINVAL);
	CHECK_EQ(write_text(NULL, "t", true, &error), -EINVAL);
}

TEST(a_folder_without_permission_is_named)
{
	const char *path = in_test_folder("x");
	chmod(test_folder, 0555);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		struct wan_error error;
		int result = write_text(path, "t", true, &error);
		_exit(result == -EACCES && strcmp(error.reason, "may not be written") == 0 ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	chmod(test_folder, 0700);
	CHECK_EQ(status, 0);
}

TEST(a_full_disk_leaves_nothing_behind)
{
	const char *folder = in_test_folder("full");
	char path[600];
	static char text[200000];
	struct wan_error error;
	mkdir(folder, 0700);
	if (mount("none", folder, "tmpfs", 0, "size=64k") != 0) {
		rmdir(folder);
		SKIP("no right to mount a small tmpfs");
	}
	snprintf(path, sizeof(path), "%s/x", folder);
	memset(text, 'x', sizeof(text) - 1);
	CHECK_EQ(write_text(path, text, false, &error), -ENOSPC);
	CHECK(strstr(error.reason, "the disk is full") != NULL);
	CHECK_EQ(rmdir(folder), -1); /* a mount point; */
	CHECK_EQ(errno, EBUSY);
	DIR *listing = opendir(folder);
	unsigned entries = 0;
	while (listing && readdir(listing))
		entries++;
	CHECK_EQ(entries, 2);
	if (listing)
		closedir(listing);
	umount(folder);
	rmdir(folder);
}

TEST(a_failed_write_close_or_move_leaves_nothing)
{
	static const struct {
		enum wan_fault_kind kind;
		int error;
	} faults[] = {{WAN_FAULT_PWRITE, EIO},
		      {WAN_FAULT_CLOSE, ENOSPC},
		      {WAN_FAULT_RENAME, EIO},
		      {WAN_FAULT_OPEN, EMFILE},
		      {WAN_FAULT_MALLOC, ENOMEM}};
	const char *path = in_test_folder("faulty");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct wan_error error;
		wan_fault_install();
		wan_fault_arm(faults[i].kind, 1, faults[i].error, false);
		CHECK_EQ(write_text(path, "text", true, &error), -faults[i].error);
		CHECK_EQ(wan_fault_injected(), 1);
		wan_fault_remove();
		CHECK_EQ(files_in_test_folder(), 0);
	}
}

TAP_MAIN
