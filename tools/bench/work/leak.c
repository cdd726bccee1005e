/* SPDX-License-Identifier: MIT */
/*
 * The same work over and over: what the allocator and the pool have handed out after each repeat.
 *
 *	sample <tab> bytes      after each repeat, those that warm up left out
 */
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

enum { WARMING = 5, REPEATS_MAX = 10000 };

static int work(struct wan_runtime *runtime, const char *path, struct wan_error *error)
{
	struct wan_verdict verdict;
	struct wan_pin *pin;
	int r = wan_validate(runtime, path, NULL, &verdict, NULL, error);
	if (r == 0 && (r = wan_thumbnail(runtime, path, 256, 256, &pin, NULL, error)) == 0)
		wan_pin_release(pin);
	if (r == 0 && (r = wan_fit(runtime, path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin,
				   NULL, error)) == 0)
		wan_pin_release(pin);
	wan_cache_clear(wan_runtime_cache(runtime));
	return r;
}

int work_leak(int count, char **words)
{
	struct work_source source;
	struct work_test test = {.name = "repeats", .ok = true};
	struct wan_error error = {0};
	char path[WORK_PATH];
	int repeats = count == 3 ? atoi(words[2]) : 0;
	if (repeats < 1 || repeats > REPEATS_MAX || !work_source_parse(words[1], &source))
		return WORK_USAGE;
	work_source_path(path, sizeof(path), words[0], &source);
	struct wan_runtime *runtime = work_runtime(NULL);
	if (!runtime)
		return WORK_FAILED;
	uint64_t begin_ns = work_now_ns(), cpu_ns = work_cpu_ns();
	for (int i = -WARMING; i < repeats && test.ok; i++) {
		if (work(runtime, path, &error) < 0) {
			work_failed(&test, &error);
		} else if (i >= 0) {
			printf("sample\t%llu\n", (unsigned long long)work_allocated());
			work_at((uint64_t)i + 1, (uint64_t)repeats);
			test.times++;
		}
	}
	test.ns = (work_now_ns() - begin_ns) / (test.times + WARMING);
	test.cpu_ns = (work_cpu_ns() - cpu_ns) / (test.times + WARMING);
	test.bytes = work_peak();
	work_say(&test);
	wan_runtime_unref(runtime);
	return WORK_OK;
}
