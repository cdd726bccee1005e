/* SPDX-License-Identifier: MIT */
/* What the parts of wanprof-bench share. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t work_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t work_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t work_thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void work_say(const struct work_test *test)
{
	char error[sizeof(test->error)];
	snprintf(error, sizeof(error), "%s", test->error);
	for (char *at = error; *at; at++)
		*at = *at == '\t' || *at == '\n' ? ' ' : *at;
	printf("test\t%s\t%d\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%s\n", test->name, test->ok,
	       (unsigned long long)test->ns, (unsigned long long)test->most_ns,
	       (unsigned long long)test->cached_ns, (unsigned long long)test->cpu_ns,
	       (unsigned long long)test->bytes, (unsigned long long)test->times, error);
	fflush(stdout);
}

void work_at(uint64_t done, uint64_t total)
{
	printf("at\t%llu\t%llu\n", (unsigned long long)done, (unsigned long long)total);
	fflush(stdout);
}

void work_failed(struct work_test *test, const struct wan_error *error)
{
	test->ok = false;
	snprintf(test->error, sizeof(test->error), "%s: %s", error->object, error->reason);
}

uint64_t work_sum(const struct wan_image *image)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	const uint8_t *at = view.pixels;
	uint64_t sum = (uint64_t)view.width_px << 32 | view.height_px, word = 0;
	for (size_t left = view.pixels_bytes; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, 8);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 29;
	}
	memcpy(&word, at, view.pixels_bytes % 8);
	return (sum ^ word) * 0xd6e8feb86659fd93u;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

uint64_t work_median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), by_value);
	return count ? values[count / 2] : 0;
}

static uint64_t status_bytes(const char *name)
{
	char line[256];
	unsigned long long kilobytes = 0;
	FILE *status = fopen("/proc/self/status", "re");
	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), "%llu", &kilobytes);
	if (status)
		fclose(status);
	return (uint64_t)kilobytes * 1024;
}

uint64_t work_resident(void)
{
	return status_bytes("VmRSS:");
}

uint64_t work_peak(void)
{
	return status_bytes("VmHWM:");
}

void work_peak_reset(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "5", 1) != 1) {
		/* The peak is then that since the start: an upper bound. */
	}
	close(fd);
}

uint64_t work_allocated(void)
{
	struct wan_pool_stats pool;
	uint64_t epoch = 1;
	size_t heap = 0, bytes = sizeof(heap);
	wan_pool_stats(&pool);
	if (!mallctl)
		heap = mallinfo2().uordblks;
	else if (mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) != 0 ||
		 mallctl("stats.allocated", &heap, &bytes, NULL, 0) != 0)
		return 0;
	return heap + pool.in_use_bytes;
}

struct wan_runtime *work_runtime(const char *const *settings)
{
	struct wan_setting all[12] = {{"record.path", "off"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	struct wan_error error;
	wan_runtime_options_init(&options);
	options.settings = all;
	options.setting_count = 1;
	for (; settings && settings[0] && options.setting_count < 12; settings += 2)
		all[options.setting_count++] = (struct wan_setting){settings[0], settings[1]};
	options.ignore_files = options.ignore_environment = true;
	if (wan_runtime_create(&options, &runtime, &error) < 0) {
		fprintf(stderr, "%s: %s\n", error.object, error.reason);
		return NULL;
	}
	return runtime;
}
