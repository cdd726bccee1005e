/* SPDX-License-Identifier: MIT */
/*
 * bench-cuda-guest WHAT COUNT: so many calls of a runtime that does nothing; prints the best ns of
 * a call in 20 rounds, and of two reads of the processor's counter in the same rounds. cuda.py runs
 * it bare and recorded.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

struct dim3 {
	unsigned x, y, z;
};
int cudaLaunchKernel(const void *function, struct dim3 grid, struct dim3 block, void **arguments,
		     size_t shared_bytes, void *stream);
int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream);
int cudaStreamSynchronize(void *stream);
int cudaMalloc(void **to, size_t bytes);
int cudaFree(void *at);

static const struct dim3 one = {1, 1, 1};
static char page[4096];

static void launch(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cudaLaunchKernel(page, one, one, NULL, 0, page);
}

static void copy(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cudaMemcpyAsync(page, page, 100, 1, page);
}

static void wait(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cudaStreamSynchronize(page);
}

static void memory(unsigned count)
{
	void *at;
	for (unsigned i = 0; i < count; i++) {
		cudaMalloc(&at, 1000);
		cudaFree(at);
	}
}

static void clocks(unsigned count)
{
	static volatile uint64_t sink __attribute__((unused));
	for (unsigned i = 0; i < count; i++)
		sink = wan_ticks() + wan_ticks();
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double best_of(void (*run)(unsigned count), unsigned count, double best)
{
	uint64_t begin = now_ns();
	run(count);
	double each = (double)(now_ns() - begin) / count;
	return each < best ? each : best;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(unsigned count);
	} all[] = {{"launch", launch}, {"copy", copy}, {"wait", wait}, {"memory", memory}};
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 0, rounds = argc > 3 ? 1 : 20;
	wan_clock_init();
	for (size_t i = 0; argc > 2 && i < sizeof(all) / sizeof(all[0]); i++) {
		double best = 1e9, clock = 1e9;
		if (strcmp(all[i].name, argv[1]) != 0)
			continue;
		for (unsigned round = 0; round < rounds; round++) {
			best = best_of(all[i].run, count, best);
			clock = best_of(clocks, count, clock);
		}
		printf("%.3f %.3f\n", best, clock);
		return 0;
	}
	return 64;
}
