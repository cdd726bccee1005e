/* SPDX-License-Identifier: MIT */
/*
 * The work of `wanprof bench --table`: makes the pictures of the table from photographs, does the
 * work of each row on them, and prints one line of tab-separated figures for each row and
 * photograph.
 *
 *	row <tab> name <tab> width <tab> height <tab> cold ns <tab> cached ns <tab> result bytes
 *<tab> kept bytes <tab> working bytes <tab> file bytes
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wan/wan.h>

#include "work.h"

enum { ROUNDS_MAX = 1000, REPEATS = 2000, PATH_BYTES = 4096 };

struct job {
	struct wan_runtime *runtime;
	const char *path;
	uint64_t result_bytes;
};

struct row {
	const char *name;
	uint32_t width_px, height_px;
	bool png; /* the source is a PNG */
	int (*work)(struct job *job, struct wan_error *error);
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int validate(struct job *job, struct wan_error *error)
{
	struct wan_verdict verdict;
	job->result_bytes = sizeof(verdict);
	return wan_validate(job->runtime, job->path, NULL, &verdict, NULL, error);
}

static int thumbnail(struct job *job, struct wan_error *error)
{
	struct wan_pin *pin;
	int r = wan_thumbnail(job->runtime, job->path, 256, 256, &pin, NULL, error);
	if (r < 0)
		return r;
	job->result_bytes = wan_pin_bytes(pin);
	wan_pin_release(pin);
	return 0;
}

static int convert(struct job *job, struct wan_error *error)
{
	struct wan_encode_options options;
	struct wan_pin *pin;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	options.jpeg_quality = 85;
	int r = wan_convert(job->runtime, job->path, &options, &pin, NULL, error);
	if (r < 0)
		return r;
	job->result_bytes = wan_pin_bytes(pin);
	wan_pin_release(pin);
	return 0;
}

static const struct row rows[] = {
	{"validation", 512, 512, false, validate},
	{"validation", 1920, 1080, false, validate},
	{"thumbnail_256x256", 512, 512, false, thumbnail},
	{"thumbnail_256x256", 1920, 1080, false, thumbnail},
	{"conversion", 2048, 2048, true, convert},
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int fail(const struct wan_error *error)
{
	fprintf(stderr, "wanprof: %s: %s%s%s\n", error->object, error->reason,
		error->hint[0] ? "; " : "", error->hint);
	return -1;
}

/* The picture of a row: the photograph, cut to the row's ratio, in its size. */
static int make_source(const char *photograph, const struct row *row, const char *to,
		       struct wan_error *error)
{
	struct wan_encode_options options;
	struct wan_image *decoded, *fitted = NULL;
	int r = wan_image_decode(photograph, NULL, &decoded, error);
	if (r < 0)
		return r;
	r = wan_image_fit(decoded, row->width_px, row->height_px, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
			  &fitted);
	wan_image_unref(decoded);
	if (r < 0) {
		snprintf(error->object, sizeof(error->object), "%s", photograph);
		snprintf(error->reason, sizeof(error->reason), "cannot be scaled: %s",
			 wan_strerror(r));
		error->hint[0] = '\0';
		return r;
	}
	wan_encode_options_init(&options);
	options.format = row->png ? WAN_FORMAT_PNG : WAN_FORMAT_JPEG;
	options.overwrite = true;
	r = wan_image_encode(fitted, to, &options, error);
	wan_image_unref(fitted);
	return r;
}

/* Everything forgotten before, buffers kept: what a program pays for each new picture. */
static uint64_t cold_ns(const struct row *row, struct job *job, struct wan_error *error)
{
	wan_cache_clear(wan_runtime_cache(job->runtime));
	uint64_t begin_ns = now_ns();
	if (row->work(job, error) < 0)
		return 0;
	return now_ns() - begin_ns;
}

static uint64_t cached_ns(const struct row *row, struct job *job, struct wan_error *error)
{
	uint64_t begin_ns = now_ns();
	for (int i = 0; i < REPEATS; i++) {
		if (row->work(job, error) < 0)
			return 0;
	}
	return (now_ns() - begin_ns) / REPEATS;
}

/* Memory of one operation that begins with nothing: what it leaves in the cache, and the most the
 * pool had mapped for it. */
static int measure_bytes(const struct row *row, struct job *job, uint64_t *ret_kept,
			 uint64_t *ret_working, struct wan_error *error)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_pool_stats pool;
	wan_cache_clear(wan_runtime_cache(job->runtime));
	wan_pool_trim(0);
	wan_cache_stats(wan_runtime_cache(job->runtime), &stats);
	uint64_t before = stats.used_bytes;
	int r = row->work(job, error);
	wan_cache_stats(wan_runtime_cache(job->runtime), &stats);
	wan_pool_stats(&pool);
	*ret_kept = stats.used_bytes > before ? stats.used_bytes - before : 0;
	*ret_working = pool.mapped_bytes;
	return r;
}

static int measure(const struct row *row, struct wan_runtime *runtime, const char *path, int rounds)
{
	static uint64_t cold[ROUNDS_MAX], cached[ROUNDS_MAX];
	struct job job = {.runtime = runtime, .path = path};
	struct wan_error error = {0};
	struct wan_image_info info = {0};
	uint64_t kept, working;
	if (measure_bytes(row, &job, &kept, &working, &error) < 0 ||
	    wan_image_probe(path, &info, &error) < 0)
		return fail(&error);
	for (int i = 0; i < rounds; i++) {
		cold[i] = cold_ns(row, &job, &error);
		cached[i] = cached_ns(row, &job, &error);
		if (!cold[i] || !cached[i])
			return fail(&error);
	}
	qsort(cold, (size_t)rounds, sizeof(cold[0]), by_value);
	qsort(cached, (size_t)rounds, sizeof(cached[0]), by_value);
	printf("row\t%s\t%u\t%u\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\n", row->name, row->width_px,
	       row->height_px, (unsigned long long)cold[rounds / 2],
	       (unsigned long long)cached[rounds / 2], (unsigned long long)job.result_bytes,
	       (unsigned long long)kept, (unsigned long long)working,
	       (unsigned long long)info.file_bytes);
	fflush(stdout);
	return 0;
}

int work_table(const char *folder, int rounds, int count, char **photographs)
{
	static const struct wan_setting settings[] = {{"cache.limit", "256M"},
						      {"record.path", "off"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime;
	struct wan_error error = {0};
	int status = 0;
	if (rounds > ROUNDS_MAX)
		return WORK_USAGE;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 2;
	options.ignore_files = true;
	if (wan_runtime_create(&options, &runtime, &error) < 0)
		return fail(&error), WORK_FAILED;
	for (int i = 0; i < count && status == 0; i++) {
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]) && status == 0; k++) {
			char path[PATH_BYTES];
			snprintf(path, sizeof(path), "%s/source.%s", folder,
				 rows[k].png ? "png" : "jpg");
			if (make_source(photographs[i], &rows[k], path, &error) < 0)
				status = fail(&error);
			else
				status = measure(&rows[k], runtime, path, rounds);
			(void)unlink(path);
		}
	}
	wan_runtime_unref(runtime);
	return status < 0 ? WORK_NO_INPUT : 0;
}
