/* SPDX-License-Identifier: MIT */
/*
 * What an update costs the job that makes it: against the clock read in it, alone and in two
 * threads, and the histogram's part of it. Words and latencies lie in a recording, as in use.
 *
 *	bench-progress [FOLDER]        the recording is made there; default: the working folder
 */
#include "figures.h"

#include "progress.h"
#include "latency.h"
#include "writer.h"

enum { ROUNDS = 51, COUNT = 200000 };

static struct wan_progress *progress;
static struct wan_recorder *recorder;
static struct wan_tracker *trackers[2];
static uint32_t histogram[WAN_RECORD_LATENCY_BUCKETS];
static volatile uint64_t sink;

static uint64_t *counters(void *context, const char *name)
{
	return wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, name);
}

static uint32_t *latencies(void *context, uint64_t *words, uint32_t shift)
{
	return wan_recorder_latencies(recorder, words, shift);
}

static void read_clock(void *context, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sink = wan_ticks();
}

static void update(void *context, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		wan_progress_update(trackers[number], i);
}

/* Latencies of 1 us to 1 ms, as they come. */
static void record(void *context, unsigned number, unsigned count)
{
	uint64_t state = 1;
	for (unsigned i = 0; i < count; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		wan_latency_add(histogram, 1000 + (state >> 44));
	}
}

static void draw_numbers(void *context, unsigned number, unsigned count)
{
	uint64_t state = 1;
	for (unsigned i = 0; i < count; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		sink = 1000 + (state >> 44);
	}
}

static void merge_64(void *context, unsigned number, unsigned count)
{
	static struct wan_latency all;
	wan_latency_begin(&all, 16);
	for (unsigned i = 0; i < count; i++)
		wan_latency_merge(&all, histogram, 16);
}

static bool open_all(const char *folder)
{
	char path[4096];
	static struct wan_config config;
	wan_config_defaults(&config);
	snprintf(path, sizeof(path), "%s/bench-progress.wprof", folder);
	remove(path); /* of an earlier run */
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder) < 0)
		return false;
	struct wan_progress_options options = {
		.struct_size = sizeof(options), .counters = counters, .latencies = latencies};
	return wan_progress_create(&options, &progress) == 0 &&
	       wan_progress_begin(progress, "one", COUNT, "step", &trackers[0]) == 0 &&
	       wan_progress_begin(progress, "two", COUNT, "step", &trackers[1]) == 0;
}

int main(int argc, char **argv)
{
	if (!open_all(argc > 1 ? argv[1] : ".")) {
		fprintf(stderr, "no recording can be made\n");
		return 1;
	}
	struct figures_loop loops[] = {
		{.run = read_clock, .threads = 1, .count = COUNT},
		{.run = update, .threads = 1, .count = COUNT},
		{.run = update, .threads = 2, .count = COUNT},
		{.run = record, .threads = 1, .count = COUNT},
		{.run = draw_numbers, .threads = 1, .count = COUNT},
		{.run = merge_64, .threads = 1, .count = 64},
	};
	figures_measure(loops, sizeof(loops) / sizeof(loops[0]), ROUNDS);
	char text[64];
	figures_head();
	snprintf(text, sizeof(text), "%.1f ns", loops[0].ns);
	figures_line("clock read", "9.3 ns", "-", WANT_NOTHING, 0, 0, text);
	snprintf(text, sizeof(text), "%.1f ns", loops[1].ns);
	figures_line("update with clock and histogram", "14 ns", "15 ns", WANT_AT_MOST, 15,
		     loops[1].ns, text);
	double ratio = figures_ratio(&loops[1], &loops[0], ROUNDS);
	snprintf(text, sizeof(text), "%.2f", ratio);
	figures_line("  as a multiple of the clock read", "1.5", "1.6", WANT_AT_MOST, 1.6, ratio,
		     text);
	ratio = figures_ratio(&loops[2], &loops[1], ROUNDS);
	snprintf(text, sizeof(text), "%.3f", ratio);
	figures_line("  two threads, of one", "1.00", "1.05", WANT_AT_MOST, 1.05, ratio, text);
	double alone = loops[3].ns - loops[4].ns;
	snprintf(text, sizeof(text), "%.2f ns", alone);
	figures_line("record alone", "1.0 ns", "1.1 ns", WANT_AT_MOST, 1.1, alone, text);
	double merge_us = loops[5].ns * 64 / 1000;
	snprintf(text, sizeof(text), "%.0f us", merge_us);
	figures_line("64 histograms merged", "40 us", "100 us", WANT_AT_MOST, 100, merge_us, text);
	snprintf(text, sizeof(text), "%zu B", sizeof(histogram));
	figures_line("memory of a histogram", "8704 B", "16 KiB", WANT_AT_MOST, 16384,
		     sizeof(histogram), text);
	wan_progress_destroy(progress);
	wan_recorder_destroy(recorder);
	return 0;
}
