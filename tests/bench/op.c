/* SPDX-License-Identifier: MIT */
/*
 * What an operation costs: begin+end against two bare clock reads of the same run, off, and with
 * the thread CPU clock at every one. Medians of interleaved rounds, after the ring was filled once
 * (pages warm, as in a program that has been running). With byte counters:
 * LD_PRELOAD=libwanrt-count.so, or libjemalloc.so.2
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "heap.h"
#include "profile.h"

#define ROUNDS 61
#define BATCH  20000
#define LIMIT  1.60 /* begin+end with one record, in two bare clock reads */

static struct wan_profile *profile, *stopped;

static uint64_t two_clock_reads(void)
{
	uint64_t sum = 0, start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		uint64_t begin = wan_ticks();
		__asm__ volatile("" ::: "memory");
		sum += wan_ticks() - begin;
	}
	__asm__ volatile("" ::"r"(sum));
	return wan_now_ns() - start;
}

static uint64_t operations(void)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		wan_op_begin(profile, &op, "bench.small");
		wan_op_end(&op, WAN_OP_OK);
	}
	return wan_now_ns() - start;
}

static uint64_t operations_with_image(void)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		wan_op_begin(profile, &op, "bench.image");
		wan_op_set_image(&op, 1280, 720, 3, 8, 123456);
		wan_op_end(&op, WAN_OP_OK);
	}
	return wan_now_ns() - start;
}

static uint64_t large_operations(void)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		wan_op_begin_large(profile, &op, "bench.large");
		wan_op_end(&op, WAN_OP_OK);
	}
	return wan_now_ns() - start;
}

/* What the loop itself costs: it is taken off the rows that follow. */
static uint64_t nothing(void)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++)
		__asm__ volatile("" ::"r"(&op) : "memory");
	return wan_now_ns() - start;
}

/* given: not known to the compiler, as in a program that has it from elsewhere. */
static uint64_t switched_off(struct wan_profile *given)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		__asm__ volatile("" : "+r"(given)::"memory");
		wan_op_begin(given, &op, "bench.off");
		wan_op_end(&op, WAN_OP_OK);
	}
	return wan_now_ns() - start;
}

static uint64_t without_profile(void)
{
	return switched_off(NULL);
}

static uint64_t stopped_profile(void)
{
	return switched_off(stopped);
}

static uint64_t category_off(void)
{
	struct wan_op op;
	uint64_t start = wan_now_ns();
	for (unsigned i = 0; i < BATCH; i++) {
		wan_op_begin(profile, &op, "unwanted.one");
		wan_op_end(&op, WAN_OP_OK);
	}
	return wan_now_ns() - start;
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static double median_ns(uint64_t *rounds)
{
	qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
	return (double)rounds[ROUNDS / 2] / BATCH;
}

int main(void)
{
	static struct wan_config config;
	struct wan_recorder *recorder;
	wan_config_defaults(&config);
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder) < 0)
		return 1;
	struct wan_profile_options options = {.struct_size = sizeof(options),
					      .config = &config,
					      .recorder = recorder,
					      .active = true};
	if (wan_profile_create(&options, &profile) < 0 ||
	    wan_profile_set_categories(profile, "-unwanted") < 0)
		return 1;
	options.active = false;
	if (wan_profile_create(&options, &stopped) < 0)
		return 1;
	enum { KINDS = 8, FIRST_OFF = 5, EMPTY = 4 };
	uint64_t (*const kinds[KINDS])(void) = {
		two_clock_reads, operations,      operations_with_image, large_operations,
		nothing,         without_profile, stopped_profile,       category_off};
	static const char *const names[KINDS] = {"two bare clock reads",
						 "begin+end",
						 "begin+set_image+end",
						 "begin_large+end (CPU clock)",
						 "an empty loop",
						 "begin+end, no profile",
						 "begin+end, stopped profile",
						 "begin+end, category off"};
	static uint64_t times[KINDS][ROUNDS];
	for (uint64_t done = 0; done <= config.record_capacity; done += BATCH)
		operations();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned kind = 0; kind < KINDS; kind++)
			times[kind][round] = kinds[kind]();
	double bare = median_ns(times[0]), empty = median_ns(times[EMPTY]);
	printf("allocator: %s, byte counters %s, ring of %llu records filled before\n",
	       wan_heap_describe(), wan_heap_source() ? "on" : "off",
	       (unsigned long long)config.record_capacity);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		double ns = kind ? median_ns(times[kind]) : bare;
		if (kind >= FIRST_OFF)
			ns -= empty;
		printf("%-28s %8.2f ns  %6.2f x", names[kind], ns, ns / bare);
		if (kind == 1)
			printf("   (predicted: at most %.2f x)", LIMIT);
		if (kind == FIRST_OFF || kind == FIRST_OFF + 1)
			printf("   (above the empty loop; predicted: at most 0.50 ns)");
		printf("\n");
	}
	wan_profile_destroy(stopped);
	wan_profile_destroy(profile);
	wan_recorder_destroy(recorder);
	return 0;
}
