/* SPDX-License-Identifier: MIT */
/* One picture through the operations of the runtime: with nothing cached, and asked for again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

enum { ROUNDS_MAX = 1000, CACHED_REPEATS = 200 };
#define ENOUGH_NS 150000000u /* of one operation; at least three rounds */

struct job {
	struct wan_runtime *runtime;
	const struct work_source *source;
	char path[WORK_PATH];
	bool hit;
};

static int load(struct job *job, struct wan_pin **ret_pin, struct wan_error *error)
{
	return wan_load(job->runtime, job->path, NULL, ret_pin, &job->hit, error);
}

static int thumbnail(struct job *job, struct wan_pin **ret_pin, struct wan_error *error)
{
	return wan_thumbnail(job->runtime, job->path, 256, 256, ret_pin, &job->hit, error);
}

static int fit(struct job *job, struct wan_pin **ret_pin, struct wan_error *error)
{
	return wan_fit(job->runtime, job->path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
		       ret_pin, &job->hit, error);
}

static int convert(struct job *job, struct wan_pin **ret_pin, struct wan_error *error)
{
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	options.jpeg_quality = 85;
	return wan_convert(job->runtime, job->path, &options, ret_pin, &job->hit, error);
}

static const struct operation {
	const char *name;
	int (*work)(struct job *job, struct wan_pin **ret_pin, struct wan_error *error);
	bool picture; /* the pin holds an image */
} operations[] = {{"decode", load, true},
		  {"thumbnail_256x256", thumbnail, true},
		  {"fit_832x480", fit, true},
		  {"conversion", convert, false}};

static uint64_t sum_of(const struct operation *operation, const struct wan_pin *pin)
{
	if (operation->picture)
		return work_sum(wan_pin_image(pin));
	const uint8_t *bytes = wan_pin_data(pin);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < wan_pin_bytes(pin); i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

/* Memory of one call that begins with nothing, and its result, which is to come again. */
static bool first(const struct operation *operation, struct job *job, struct work_test *test,
		  uint64_t *ret_sum)
{
	struct wan_error error = {0};
	struct wan_pin *pin;
	wan_cache_clear(wan_runtime_cache(job->runtime));
	wan_pool_trim(0);
	uint64_t before = work_resident();
	work_peak_reset();
	if (operation->work(job, &pin, &error) < 0) {
		work_failed(test, &error);
		return false;
	}
	uint64_t peak = work_peak();
	test->bytes = peak > before ? peak - before : 0;
	*ret_sum = sum_of(operation, pin);
	if (operation->work == load && !work_source_equals(job->source, wan_pin_image(pin))) {
		test->ok = false;
		snprintf(test->error, sizeof(test->error), "decoded pixels are not the source's");
	}
	wan_pin_release(pin);
	return test->ok;
}

/* One call, timed; false: it failed, gave other pixels, or was cached when it should not be. */
static bool timed(const struct operation *operation, struct job *job, uint64_t sum, bool cached,
		  struct work_test *test, uint64_t *ret_ns)
{
	struct wan_error error = {0};
	struct wan_pin *pin;
	uint64_t cpu_ns = cached ? 0 : work_cpu_ns(), begin_ns = work_now_ns();
	if (operation->work(job, &pin, &error) < 0) {
		work_failed(test, &error);
		return false;
	}
	*ret_ns = work_now_ns() - begin_ns;
	if (!cached) /* a hit takes less than to read that clock */
		test->cpu_ns += work_cpu_ns() - cpu_ns;
	if (job->hit != cached || (!cached && sum_of(operation, pin) != sum)) {
		test->ok = false;
		snprintf(test->error, sizeof(test->error),
			 job->hit != cached ? "the cache did not answer as it should"
					    : "another result than the first time");
	}
	wan_pin_release(pin);
	return test->ok;
}

static void measure(const struct operation *operation, struct job *job, uint64_t rounds)
{
	static uint64_t cold[ROUNDS_MAX], cached[CACHED_REPEATS];
	struct work_test test = {.name = operation->name, .ok = true};
	uint64_t sum, begin_ns = work_now_ns(), repeats = 0;
	bool fine = first(operation, job, &test, &sum);
	while (fine && test.times < rounds &&
	       (test.times < 3 || work_now_ns() - begin_ns < ENOUGH_NS)) {
		wan_cache_clear(wan_runtime_cache(job->runtime));
		fine = timed(operation, job, sum, false, &test, &cold[test.times]);
		test.times += fine;
	}
	test.cpu_ns = test.times ? test.cpu_ns / test.times : 0; /* a sum until now */
	while (fine && repeats < CACHED_REPEATS) {
		fine = timed(operation, job, sum, true, &test, &cached[repeats]);
		repeats += fine;
	}
	test.ns = work_median(cold, test.times);
	test.most_ns = test.times ? cold[test.times - 1] : 0;
	test.cached_ns = work_median(cached, repeats);
	work_say(&test);
}

int work_size(int count, char **words)
{
	static const char *const settings[] = {"cache.limit", "512M", NULL};
	struct work_source source;
	struct job job = {.source = &source};
	int rounds = count == 3 ? atoi(words[2]) : 0;
	if (rounds < 1 || rounds > ROUNDS_MAX || !work_source_parse(words[1], &source))
		return WORK_USAGE;
	work_source_path(job.path, sizeof(job.path), words[0], &source);
	job.runtime = work_runtime(settings);
	if (!job.runtime)
		return WORK_FAILED;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		measure(&operations[i], &job, (uint64_t)rounds);
		work_at(i + 1, sizeof(operations) / sizeof(operations[0]));
	}
	wan_runtime_unref(job.runtime);
	return WORK_OK;
}
