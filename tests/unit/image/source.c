/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/wait.h>

#include "fault.h"
#include "files.h"
#include "codec.h"
#include "tap.h"
#include "wan/image.h"

/* The error of probing and of decoding a path are the same. */
static void check_error(const char *path, int expected, const char *reason)
{
	struct wan_image_info info;
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	CHECK_EQ(wan_image_probe(path, &info, &error), expected);
	CHECK_EQ(error.code, expected);
	CHECK_STR(error.object, path);
	CHECK_STR(error.reason, reason);
	CHECK_EQ(wan_image_decode(path, NULL, &image, &error), expected);
	CHECK_STR(error.reason, reason);
	CHECK(image == NULL);
}

TEST(what_is_no_regular_file_is_named)
{
	const char *fifo = in_test_folder("fifo");
	REQUIRE_EQ(mkfifo(fifo, 0600), 0);
	check_error(fifo, -EINVAL, "is a pipe, not a regular file");
	check_error("/dev/null", -EINVAL, "is a device, not a regular file");
	check_error("/tmp", -EISDIR, "is a folder, not an image");
	check_error("/no/such/place/image.png", -ENOENT, "there is no such file");
	const char *empty = in_test_folder("empty.png");
	bytes_write(empty, "", 0);
	check_error(empty, -ENODATA, "is empty");
	check_error("/dev/null/x.png", -ENOTDIR, "there is no such file");
}

TEST(no_path_is_an_invalid_argument)
{
	struct wan_image_info info;
	struct wan_error error;
	CHECK_EQ(wan_image_probe(NULL, &info, &error), -EINVAL);
	CHECK_STR(error.reason, "no path was given");
	CHECK_EQ(wan_image_probe("", &info, &error), -EINVAL);
	CHECK_EQ(wan_image_probe_memory(NULL, 5, &info, &error), -EINVAL);
	CHECK_EQ(wan_image_probe_memory("x", 0, &info, &error), -ENODATA);
	CHECK_EQ(wan_image_probe("/tmp", NULL, &error), -EINVAL);
	CHECK_EQ(wan_image_probe_memory("x", 1, NULL, &error), -EINVAL);
}

TEST(an_unreadable_file_is_said_to_be_unreadable)
{
	const char *path = in_test_folder("secret.png");
	bytes_write(path, "x", 1);
	chmod(path, 0);
	chmod(test_folder, 0755);
	pid_t child = fork();
	if (child == 0) {
		/* Root reads everything: be somebody else. */
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		struct wan_image_info info;
		struct wan_error error;
		int result = wan_image_probe(path, &info, &error);
		_exit(result == -EACCES && strcmp(error.reason, "may not be read") == 0 ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
}

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static const char *pattern_file(size_t count)
{
	const char *path = in_test_folder("pattern");
	uint8_t *bytes = malloc(count);
	for (size_t i = 0; i < count; i++)
		bytes[i] = pattern(i);
	bytes_write(path, bytes, count);
	free(bytes);
	return path;
}

TEST(sequential_pieces_are_the_file_even_after_reads_elsewhere)
{
	struct wan_source source;
	uint8_t here[64];
	REQUIRE_EQ(wan_source_open_file(&source, pattern_file(200001), NULL), 0);
	CHECK_EQ(wan_source_read_at(&source, 0, here, 64), 64);
	CHECK_EQ(here[63], pattern(63));
	CHECK_EQ(wan_source_read_at(&source, 150000, here, 64), 64);
	CHECK_EQ(here[0], pattern(150000));
	CHECK_EQ(wan_source_read_at(&source, 199990, here, 64), 11);
	CHECK_EQ(wan_source_read_at(&source, 200001, here, 64), 0);
	CHECK_EQ(wan_source_read_at(&source, UINT64_MAX, here, 64), 0);

	uint64_t at = 0;
	const uint8_t *piece;
	size_t count;
	bool same = true;
	while (wan_source_next(&source, &piece, &count) == 0 && count > 0)
		for (size_t i = 0; i < count; i++)
			same = same && piece[i] == pattern(at++);
	CHECK(same);
	CHECK_EQ(at, 200001);
	wan_source_close(&source);
	wan_source_close(&source);
}

TEST(a_file_that_shrinks_while_it_is_read_just_ends)
{
	const char *path = pattern_file(200001);
	struct wan_source source;
	const uint8_t *piece;
	size_t count, total = 0;
	REQUIRE_EQ(wan_source_open_file(&source, path, NULL), 0);
	CHECK_EQ(wan_source_next(&source, &piece, &count), 0);
	total += count;
	REQUIRE_EQ(truncate(path, 70000), 0);
	while (wan_source_next(&source, &piece, &count) == 0 && count > 0)
		total += count;
	CHECK_EQ(total, 70000);
	wan_source_close(&source);
}

TEST(a_failed_read_is_remembered)
{
	struct wan_source source;
	const uint8_t *piece;
	size_t count;
	uint8_t byte;
	wan_fault_install();
	REQUIRE_EQ(wan_source_open_file(&source, pattern_file(1000), NULL), 0);
	wan_fault_arm(WAN_FAULT_PREAD, 1, EIO, false);
	CHECK_EQ(wan_source_next(&source, &piece, &count), -EIO);
	CHECK_EQ(source.error, -EIO);
	CHECK_EQ(wan_source_read_at(&source, 0, &byte, 1), 1);
	CHECK_EQ(source.error, -EIO);
	wan_source_close(&source);
	wan_fault_remove();
}

TAP_MAIN
