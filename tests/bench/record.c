/* SPDX-License-Identifier: MIT */
/*
 * What one record costs: two clock reads and the append, against two bare clock reads in the same
 * run. Printed for a ring that goes round (the steady state: sums are folded all the time), for a
 * file that still grows (page faults of fresh pages), and inside one chunk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "writer.h"

#define ROUNDS 41
#define BATCH  20000

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* ns each of two clock reads. */
static double bare(unsigned count)
{
	uint64_t sum = 0, begin = wan_now_ns();
	for (unsigned i = 0; i < count; i++) {
		uint64_t first = wan_ticks();
		sum += wan_ticks() - first;
	}
	uint64_t end = wan_now_ns();
	__asm__ volatile("" : : "r"(sum));
	return (double)(end - begin) / count;
}

static double recorded(struct wan_recorder *recorder, unsigned count, uint16_t name)
{
	uint64_t begin = wan_now_ns();
	for (unsigned i = 0; i < count; i++) {
		uint64_t first = wan_ticks();
		struct wan_lane *lane = wan_lane_get(recorder);
		struct wan_record_operation operation = {
			.start_ticks = first,
			.span_ticks = wan_ticks() - first,
			.cpu_us = WAN_CPU_UNKNOWN,
			.width_px = 640,
			.height_px = 480,
			.thread = lane->thread,
			.file_bytes = 30000,
			.memory_kib = 900,
			.peak_kib = 900,
			.inside = UINT16_MAX,
			.name = name,
			.channels = 3,
			.kind_status = WAN_RECORD_OPERATION << 4,
			.bit_depth = 8,
			.library = WAN_LIBRARY_LIBJPEG,
		};
		wan_lane_append(lane, &operation);
	}
	return (double)(wan_now_ns() - begin) / count;
}

static struct wan_recorder *make(const char *path, uint64_t capacity)
{
	static struct wan_config config;
	struct wan_recorder *recorder;
	wan_config_defaults(&config);
	config.record_capacity = capacity;
	unlink(path);
	int error = wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder);
	if (error) {
		fprintf(stderr, "%s: %s\n", path, wan_strerror(error));
		exit(1);
	}
	return recorder;
}

static void report(const char *what, const double *reference, const double *values)
{
	double ratios[ROUNDS], sorted[ROUNDS], clocks[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++)
		ratios[i] = values[i] / reference[i];
	memcpy(sorted, values, sizeof(sorted));
	memcpy(clocks, reference, sizeof(clocks));
	printf("%-28s %6.1f ns, two clock reads %5.1f ns, ratio %.2f\n", what,
	       median(sorted, ROUNDS), median(clocks, ROUNDS), median(ratios, ROUNDS));
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "bench-record.wprof";
	double reference[ROUNDS], values[ROUNDS];

	struct wan_recorder *recorder = make(path, 65536);
	uint16_t name = wan_recorder_string(recorder, "jpeg.decode");
	for (unsigned i = 0; i < ROUNDS; i++) {
		reference[i] = bare(BATCH);
		values[i] = recorded(recorder, 1500, name);
	}
	report("growing file", reference, values);
	recorded(recorder, 200000, name);
	for (unsigned i = 0; i < ROUNDS; i++) {
		reference[i] = bare(BATCH);
		values[i] = recorded(recorder, BATCH, name);
	}
	report("ring of 65536, going round", reference, values);
	wan_recorder_destroy(recorder);

	recorder = make(path, 256);
	recorded(recorder, 20000, name);
	for (unsigned i = 0; i < ROUNDS; i++) {
		reference[i] = bare(BATCH);
		values[i] = recorded(recorder, BATCH, name);
	}
	report("ring of 256, going round", reference, values);
	struct wan_lane *lane = wan_lane_get(recorder);
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (lane->end - lane->next < 250)
			recorded(recorder, 1, name);
		reference[i] = bare(200);
		values[i] = recorded(recorder, 200, name);
	}
	report("inside one chunk", reference, values);
	wan_recorder_destroy(recorder);

	for (unsigned i = 0; i < ROUNDS; i++) {
		unlink(path);
		uint64_t begin = wan_now_ns();
		recorder = make(path, 65536);
		values[i] = (double)(wan_now_ns() - begin) / 1000;
		wan_recorder_destroy(recorder);
	}
	printf("%-28s %6.0f us\n", "making the file", median(values, ROUNDS));
	unlink(path);
	return 0;
}
