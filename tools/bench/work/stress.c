/* SPDX-License-Identifier: MIT */
/*
 * Threads that ask for images all the time while something is wrong: what they get must stay right.
 *
 *	stress FOLDER SCENARIO SOURCES THREADS MS PERCENT LIMIT_MB WIDTH HEIGHT
 *
 * SCENARIO: memory (this process takes memory until PERCENT of LIMIT_MB is reached: in a group of
 * that size, or, when it is called memory-cap, below memory.process_cap), disk (FOLDER/small is a
 * small file system, which is filled first), or anything else: the disturbance is made by who
 * starts us.
 *
 *	stress <tab> asked <tab> refused <tab> wrong <tab> failed <tab> level <tab> hundredths of
 *	       a per cent <tab> by <tab> actions <tab> cache limit before <tab> least since <tab>
 *	       bytes taken <tab> ns <tab> reason
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "stress.h"

enum { THREADS_MAX = 64 };
#define CACHE_LIMIT "96M"

struct stress_state stress;

static void path_of(unsigned number, char path[static WORK_PATH])
{
	struct work_source source = {.width_px = stress.width_px,
				     .height_px = stress.height_px,
				     .content = BENCH_CONTENT_COMPLEX,
				     .format = WAN_FORMAT_JPEG,
				     .seed = number};
	work_source_path(path, WORK_PATH, stress.folder, &source);
}

/* --- what the threads do --- */

/* What each request must give: computed while all is calm, without the cache. */
static bool learn(void)
{
	struct wan_error error = {0};
	char path[WORK_PATH];
	for (unsigned i = 0; i < stress.sources; i++) {
		struct wan_image *whole, *fitted;
		path_of(i, path);
		if (wan_image_decode(path, NULL, &whole, &error) < 0) {
			fprintf(stderr, "wanprof: %s: %s\n", error.object, error.reason);
			return false;
		}
		stress.sums[i][0] = work_sum(whole);
		int r = wan_image_fit(whole, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &fitted);
		wan_image_unref(whole);
		if (r < 0)
			return false;
		stress.sums[i][1] = work_sum(fitted);
		wan_image_unref(fitted);
	}
	return true;
}

static void add(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void request(unsigned number, bool fit)
{
	struct wan_error error = {0};
	struct wan_pin *pin;
	char path[WORK_PATH];
	path_of(number, path);
	int r = fit ? wan_fit(stress.runtime, path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
			      &pin, NULL, &error)
		    : wan_load(stress.runtime, path, NULL, &pin, NULL, &error);
	add(&stress.asked);
	if (r == -ENOMEM) {
		add(&stress.refused);
	} else if (r < 0) {
		add(&stress.failed);
	} else {
		if (work_sum(wan_pin_image(pin)) != stress.sums[number][fit])
			add(&stress.wrong);
		wan_pin_release(pin);
	}
}

static void *ask(void *context)
{
	uint64_t state = (uint64_t)(uintptr_t)context * 0x9e3779b97f4a7c15u;
	while (work_now_ns() < stress.end_ns) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		request((unsigned)(state >> 33) % stress.sources, state >> 62 & 1);
	}
	return NULL;
}

/* --- what the runtime makes of it --- */

void stress_look(void)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	struct wan_cache_stats cache = {.struct_size = sizeof(cache)};
	wan_memory_state(wan_runtime_memory(stress.runtime), &state);
	wan_cache_stats(wan_runtime_cache(stress.runtime), &cache);
	if (state.deciding_percent > stress.percent) {
		stress.percent = state.deciding_percent;
		memcpy(stress.deciding, state.deciding, sizeof(stress.deciding));
	}
	stress.level = state.level > stress.level ? state.level : stress.level;
	if (cache.limit_bytes < stress.least_limit)
		stress.least_limit = cache.limit_bytes;
}

/* Take memory until that much of the limit is needed. */
static bool press(double percent, uint64_t limit_bytes)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	struct wan_memory *memory = wan_runtime_memory(stress.runtime);
	for (unsigned i = 0; i < 1000; i++) {
		wan_memory_tick(memory);
		wan_memory_state(memory, &state);
		stress_look();
		if (state.deciding_percent >= percent + 0.3)
			return true;
		double missing = (percent + 0.5 - state.deciding_percent) / 100;
		size_t bytes = (size_t)(missing * (double)limit_bytes) + 65536;
		void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
		if (block == MAP_FAILED)
			return false;
		memset(block, 0x5a, bytes);
		stress.taken += bytes;
		if (stress.taken > limit_bytes)
			return false; /* it does not count against the limit */
	}
	return false;
}

static bool run_threads(unsigned threads)
{
	pthread_t ids[THREADS_MAX];
	const struct timespec pause = {.tv_nsec = 10000000};
	unsigned started = 0;
	while (started < threads &&
	       pthread_create(&ids[started], NULL, ask, (void *)(uintptr_t)(started + 1)) == 0)
		started++;
	while (work_now_ns() < stress.end_ns) {
		stress_look();
		nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	return started == threads;
}

static void say(void)
{
	struct wan_runtime_summary summary = {.struct_size = sizeof(summary)};
	wan_runtime_summary(stress.runtime, &summary);
	printf("stress\t%llu\t%llu\t%llu\t%llu\t%d\t%.0f\t%s\t%llu\t%llu\t%llu\t%llu\t%llu\t%s\n",
	       (unsigned long long)stress.asked, (unsigned long long)stress.refused,
	       (unsigned long long)stress.wrong, (unsigned long long)stress.failed, stress.level,
	       stress.percent * 100, stress.deciding[0] ? stress.deciding : "-",
	       (unsigned long long)summary.actions, (unsigned long long)stress.first_limit,
	       (unsigned long long)stress.least_limit, (unsigned long long)stress.taken,
	       (unsigned long long)stress.ns, stress.reason);
	fflush(stdout);
}

static bool disturb(const char *scenario, double percent, uint64_t limit_bytes)
{
	if (strncmp(scenario, "memory", 6) == 0 && !press(percent, limit_bytes)) {
		snprintf(stress.reason, sizeof(stress.reason),
			 "memory was taken, but the level was not reached");
		return false;
	}
	return strcmp(scenario, "disk") != 0 || stress_fill_disk();
}

static int run(const char *scenario, unsigned threads, uint64_t ms, double percent,
	       uint64_t limit_bytes)
{
	struct wan_cache_stats cache = {.struct_size = sizeof(cache)};
	wan_cache_stats(wan_runtime_cache(stress.runtime), &cache);
	stress.first_limit = stress.least_limit = cache.limit_bytes;
	if (!learn())
		return WORK_FAILED;
	if (!disturb(scenario, percent, limit_bytes)) {
		say();
		return WORK_OK;
	}
	uint64_t begin_ns = work_now_ns();
	stress.end_ns = begin_ns + ms * 1000000;
	if (!run_threads(threads))
		snprintf(stress.reason, sizeof(stress.reason), "no thread to be had");
	stress.ns = work_now_ns() - begin_ns;
	stress_look();
	if (strcmp(scenario, "disk") == 0)
		stress_judge_disk();
	say();
	return WORK_OK;
}

int work_stress(int count, char **words)
{
	char cap[32], recording[WORK_PATH];
	const char *settings[] = {"cache.limit", CACHE_LIMIT, NULL, NULL, NULL};
	if (count != 9)
		return WORK_USAGE;
	unsigned long sources = strtoul(words[2], NULL, 10), threads = strtoul(words[3], NULL, 10);
	uint64_t limit_bytes = strtoull(words[6], NULL, 10) << 20;
	if (!sources || sources > STRESS_SOURCES_MAX || !threads || threads > THREADS_MAX)
		return WORK_USAGE;
	stress.folder = words[0];
	stress.width_px = (uint32_t)strtoul(words[7], NULL, 10);
	stress.height_px = (uint32_t)strtoul(words[8], NULL, 10);
	stress.sources = (unsigned)sources;
	snprintf(cap, sizeof(cap), "%lluM", (unsigned long long)(limit_bytes >> 20));
	snprintf(recording, sizeof(recording), "%s/small/run.wprof", words[0]);
	if (strcmp(words[1], "memory-cap") == 0)
		settings[2] = "memory.process_cap", settings[3] = cap;
	if (strcmp(words[1], "disk") == 0)
		settings[2] = "record.path", settings[3] = recording;
	stress.runtime = work_runtime(settings);
	if (!stress.runtime)
		return WORK_FAILED;
	int status = run(words[1], (unsigned)threads, strtoull(words[4], NULL, 10),
			 strtod(words[5], NULL), limit_bytes);
	wan_runtime_unref(stress.runtime);
	return status;
}
