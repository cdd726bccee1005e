/* SPDX-License-Identifier: MIT */
/* The leak test of linked programs: readings in the caller's own words, judged by the profiler. */
#include "wan/leak.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "heap_mark.h"
#include "instance.h"
#include "leak_judge.h"
#include "macros.h"
#include "str.h"
#include "wan/image.h"

#define LEAK_MAGIC 0x57414e4c45414b31u

/* What struct wan_leak really is. Readings are thinned out when there is no room for another. */
struct leak {
	uint64_t magic;
	struct wan_runtime *runtime; /* the caller's */
	uint32_t iterations_wanted, classic;
	uint64_t limit_bytes, each_bytes, settle_ns;
	uint64_t iterations;
	uint32_t books, stride, in_stride, count;
	char name[64];
	struct wan_leak_reading lowest; /* of the stretch under way */
	struct wan_leak_reading readings[WAN_LEAK_READINGS_MAX];
};
_Static_assert(sizeof(struct leak) <= sizeof(struct wan_leak), "private words");

void wan_leak_options_init(struct wan_leak_options *options)
{
	if (!options)
		return;
	*options = (struct wan_leak_options){.struct_size = sizeof(*options),
					     .iterations = WAN_LEAK_ITERATIONS,
					     .limit_bytes = WAN_LEAK_LIMIT_BYTES,
					     .each_bytes = WAN_LEAK_EACH_BYTES};
}

/* All that is held but by the cache and by nobody (idle buffers). */
static double held(const struct leak *leak)
{
	struct wan_cache_stats cache = {.struct_size = sizeof(cache)};
	struct wan_pool_stats pool;
	uint64_t bytes = 0;
	wan_pool_stats(&pool);
	if (leak->runtime)
		wan_cache_stats(leak->runtime->cache, &cache);
	if (leak->books == WAN_HEAP_BOOKS_NONE) {
		wan_heap_resident_bytes(&bytes);
		return (double)bytes - (double)cache.used_bytes - (double)pool.idle_bytes;
	}
	wan_heap_process_bytes(&bytes);
	return (double)bytes + (double)pool.mapped_bytes - (double)pool.idle_bytes -
	       (double)cache.used_bytes;
}

static void mark(const struct leak *leak)
{
	struct wan_recorder *recorder = leak->runtime ? leak->runtime->recorder : NULL;
	if (!wan_heap_marks_on || !recorder)
		return;
	wan_heap_mark(recorder, WAN_HEAP_MARK_ITERATION, wan_recorder_string(recorder, leak->name),
		      leak->iterations);
}

int wan_leak_begin(struct wan_leak *public_leak, struct wan_runtime *runtime,
		   const struct wan_leak_options *options, const char *name)
{
	struct wan_leak_options chosen;
	wan_leak_options_init(&chosen);
	if (options && options->struct_size != sizeof(chosen))
		return -EINVAL;
	if (options)
		chosen = *options;
	if (!public_leak || chosen.iterations < WAN_LEAK_LEAST)
		return -EINVAL;
	struct leak *leak = (struct leak *)public_leak;
	memset(leak, 0, sizeof(*leak));
	leak->magic = LEAK_MAGIC;
	leak->runtime = runtime;
	leak->iterations_wanted = chosen.iterations;
	leak->classic = chosen.classic;
	leak->limit_bytes = chosen.limit_bytes;
	leak->each_bytes = chosen.each_bytes;
	leak->settle_ns = chosen.settle_ns;
	leak->books = wan_heap_books();
	leak->stride = 1;
	wan_str_copy(leak->name, sizeof(leak->name), name && *name ? name : "iteration");
	mark(leak);
	leak->readings[leak->count++] = (struct wan_leak_reading){0, held(leak)};
	return 0;
}

static void settle(uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / 1000000000),
				.tv_nsec = (long)(ns % 1000000000)};
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* Two stretches become one: the lowest reading of both stays. */
static void make_room(struct leak *leak)
{
	uint32_t kept = 1;
	for (uint32_t i = 1; i < leak->count; i += 2) {
		const struct wan_leak_reading *one = &leak->readings[i];
		const struct wan_leak_reading *two = i + 1 < leak->count ? one + 1 : one;
		leak->readings[kept++] = two->bytes < one->bytes ? *two : *one;
	}
	leak->count = kept;
	leak->stride *= 2;
}

void wan_leak_iteration(struct wan_leak *public_leak)
{
	struct leak *leak = (struct leak *)public_leak;
	if (!leak || leak->magic != LEAK_MAGIC)
		return;
	int saved = errno;
	leak->iterations++;
	if (leak->settle_ns)
		settle(leak->settle_ns);
	mark(leak);
	struct wan_leak_reading now = {(double)leak->iterations, held(leak)};
	if (!leak->in_stride || now.bytes < leak->lowest.bytes)
		leak->lowest = now;
	if (++leak->in_stride >= leak->stride) {
		leak->in_stride = 0;
		if (leak->count == WAN_LEAK_READINGS_MAX)
			make_room(leak);
		leak->readings[leak->count++] = leak->lowest;
	}
	errno = saved;
}

int wan_leak_judge(const struct wan_leak *public_leak, struct wan_leak_result *result)
{
	const struct leak *leak = (const struct leak *)public_leak;
	if (!leak || leak->magic != LEAK_MAGIC || !result || !result->struct_size)
		return -EINVAL;
	struct wan_leak_rules rules = {.iterations = leak->iterations_wanted,
				       .limit_bytes = (double)leak->limit_bytes,
				       .each_bytes = (double)leak->each_bytes,
				       .classic = leak->classic};
	struct wan_leak_judgement judgement;
	/* In strides the last reading may be older than the last iteration. */
	if (leak->iterations >= rules.iterations && leak->stride > 1)
		rules.iterations = WAN_LEAK_LEAST;
	wan_leak_judge_readings(leak->readings, leak->count, &rules, &judgement);
	struct wan_leak_result now = {.struct_size = result->struct_size,
				      .verdict = judgement.verdict,
				      .iterations = leak->iterations,
				      .growth_bytes = judgement.growth_bytes,
				      .each_bytes = judgement.each,
				      .each_low_bytes = judgement.low,
				      .each_high_bytes = judgement.high};
	wan_str_copy(now.source, sizeof(now.source),
		     wan_heap_books_name((enum wan_heap_books)leak->books));
	rules.iterations = leak->iterations_wanted;
	wan_leak_explain(&judgement, &rules, now.reason, sizeof(now.reason));
	memcpy(result, &now, WAN_MIN(result->struct_size, sizeof(now)));
	return (int)now.verdict;
}
