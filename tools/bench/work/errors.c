/* SPDX-License-Identifier: MIT */
/* What must fail, and how: input that is none, memory that is short, work that never ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "work.h"

static const uint8_t png_of_65535[] = {
	0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0,   0, 0, 13, 'I', 'H',  'D',  'R',
	0,    0,   255, 255, 0,    0,    255,  255,  8,   2, 0, 0,  0,   0x45, 0xb1, 0x38,
	0xbd, 0,   0,   0,   1,    'I',  'D',  'A',  'T', 0, 0, 0,  0,   0};

static const struct bad_input {
	const char *name, *file; /* below the folder */
	const char *bytes;
	size_t count;
	int code;
} bad_inputs[] = {
	{"no such file", "missing.png", NULL, 0, -ENOENT},
	{"a folder", ".", NULL, 0, -EISDIR},
	{"an empty file", "empty.png", "", 0, -ENODATA},
	{"text", "text.png", "this is no picture, though its name says so\n", 44, -EBADMSG},
	{"a format not decoded here", "photo.webp", "RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0", 20,
	 -ENOTSUP},
	{"a header of 4 gigapixels", "bomb.png", (const char *)png_of_65535, sizeof(png_of_65535),
	 0},
};

static int write_file(const char *path, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, bytes, count);
	close(fd);
	return written == (ssize_t)count ? 0 : -EIO;
}

static void refuse(struct wan_runtime *runtime, const char *path, const char *name, int code)
{
	struct work_test test = {.name = name, .ok = true, .times = 1};
	struct wan_error error = {0};
	struct wan_pin *pin;
	uint64_t before = work_resident(), begin_ns = work_now_ns();
	work_peak_reset();
	int r = wan_load(runtime, path, NULL, &pin, NULL, &error);
	test.ns = test.most_ns = work_now_ns() - begin_ns;
	uint64_t peak = work_peak();
	test.bytes = peak > before ? peak - before : 0;
	if (r == 0) {
		wan_pin_release(pin);
		test.ok = false;
		snprintf(test.error, sizeof(test.error), "was decoded");
	} else if ((code && r != code) || !error.object[0] || !error.reason[0]) {
		test.ok = false;
		snprintf(test.error, sizeof(test.error), "another error: %s: %s (%s)", error.object,
			 error.reason, wan_strerror(r));
	}
	work_say(&test);
}

/* A real file that ends half way. */
static void refuse_half(struct wan_runtime *runtime, const char *folder, const char *words)
{
	struct work_source source;
	char path[WORK_PATH], half[WORK_PATH];
	static uint8_t bytes[1 << 20];
	if (!work_source_parse(words, &source))
		return;
	work_source_path(path, sizeof(path), folder, &source);
	snprintf(half, sizeof(half), "%s/half.jpg", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	if (fd >= 0)
		close(fd);
	if (count > 1 && write_file(half, bytes, (size_t)count / 2) == 0)
		refuse(runtime, half, "a file that ends half way", -EBADMSG);
	(void)unlink(half);
}

int work_errors(int count, char **words)
{
	char path[WORK_PATH];
	if (count != 2)
		return WORK_USAGE;
	struct wan_runtime *runtime = work_runtime(NULL);
	if (!runtime)
		return WORK_FAILED;
	for (size_t i = 0; i < sizeof(bad_inputs) / sizeof(bad_inputs[0]); i++) {
		const struct bad_input *bad = &bad_inputs[i];
		snprintf(path, sizeof(path), "%s/%s", words[0], bad->file);
		if (bad->bytes && write_file(path, bad->bytes, bad->count) < 0) {
			fprintf(stderr, "wanprof: %s: cannot be written\n", path);
			return WORK_FAILED;
		}
		refuse(runtime, path, bad->name, bad->code);
		if (bad->bytes)
			(void)unlink(path);
	}
	refuse_half(runtime, words[0], words[1]);
	wan_runtime_unref(runtime);
	return WORK_OK;
}

/* A cap that the process has already reached: what is asked for must be refused, by name; without
 * it the same image loads. */
int work_short(int count, char **words)
{
	struct work_test test = {.name = "memory short", .ok = true, .times = 1};
	struct wan_error error = {0};
	struct work_source source;
	struct wan_pin *pin;
	char path[WORK_PATH], cap[32];
	if (count != 2 || !work_source_parse(words[1], &source))
		return WORK_USAGE;
	work_source_path(path, sizeof(path), words[0], &source);
	snprintf(cap, sizeof(cap), "%llu", (unsigned long long)work_resident() * 10 / 9);
	const char *settings[] = {"memory.process_cap", cap, "memory.wait", "0", NULL};
	struct wan_runtime *runtime = work_runtime(settings);
	uint64_t begin_ns = work_now_ns();
	int r = runtime ? wan_load(runtime, path, NULL, &pin, NULL, &error) : -EINVAL;
	test.ns = test.most_ns = work_now_ns() - begin_ns;
	if (r == 0)
		wan_pin_release(pin);
	wan_runtime_unref(runtime);
	if (r != -ENOMEM || !error.reason[0]) {
		test.ok = false;
		snprintf(test.error, sizeof(test.error), "was not refused: %s",
			 r ? wan_strerror(r) : "loaded");
	}
	runtime = test.ok ? work_runtime(NULL) : NULL;
	if (runtime && wan_load(runtime, path, NULL, &pin, NULL, &error) < 0)
		work_failed(&test, &error);
	else if (runtime)
		wan_pin_release(pin);
	wan_runtime_unref(runtime);
	work_say(&test);
	return WORK_OK;
}

int work_hang(int count, char **words)
{
	for (;;)
		pause();
}
