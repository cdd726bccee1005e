/* SPDX-License-Identifier: MIT */
/*
 * Events a second of every format, written into memory, beside two things a reader knows: printf of
 * the same event, and memcpy of the same number of bytes. Predicted for "trace": an event is about
 * 190 bytes: 12 ns for its nine numbers (eight digits at once), 8 for 24 short copies, 6 for the
 * look at the record and its track, 8 for the stores to be drained: 34 ns, 29 M events/s.
 *
 *	bench-export [EVENTS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "export.h"
#include "macros.h"

#define ROUNDS 9

static char memory[1 << 20]; /* what a file would hold, over and over */
static uint64_t written;

static int store(void *context, const void *bytes, size_t count)
{
	size_t at = written % (sizeof(memory) / 2);
	memcpy(memory + at, bytes, WAN_MIN(count, sizeof(memory) - at));
	written += count;
	return 0;
}

static struct wan_recording_operation *make(size_t count, bool files)
{
	static char names[64][32];
	static const char *const kinds[] = {"jpeg.decode", "thumbnail_256x256", "png.decode"};
	struct wan_recording_operation *all = calloc(count, sizeof(*all));
	for (size_t i = 0; i < 64; i++)
		snprintf(names[i], sizeof(names[i]), "/data/frames/%06zu.png", i);
	for (size_t i = 0; all && i < count; i++)
		all[i] = (struct wan_recording_operation){
			.name = kinds[i % 3],
			.library = "libjpeg",
			.file = files ? names[i % 64] : NULL,
			.start_ns = 1000000000u + i * 2345678,
			.start_realtime_ns = 1700000000000000000u + i * 2345678,
			.span_ns = 1234567 + i % 1000,
			.inside_ns = 1034567 + i % 1000,
			.cpu_ns = 1000 * (1033 + i % 100),
			.memory_bytes = (int64_t)(2764800 + i % 4096),
			.peak_bytes = 2864800 + i % 4096,
			.file_bytes = 123456 + i % 9999,
			.width_px = 1280,
			.height_px = 720,
			.thread = 4711 + i % 2,
			.process = 4711,
		};
	return all;
}

static uint64_t nanoseconds(const struct wan_format *format, const struct wan_analysis *analysis)
{
	static const struct wan_export_options options;
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < ROUNDS; i++) {
		written = 0;
		uint64_t start = wan_now_ns();
		if (wan_format_write(format, analysis, &options, store, NULL))
			abort();
		best = WAN_MIN(best, wan_now_ns() - start);
	}
	return best;
}

static double printf_ns(const struct wan_recording_operation *all, size_t count)
{
	char text[512];
	uint64_t best = UINT64_MAX, bytes = 0;
	for (int round = 0; round < 3; round++) {
		uint64_t start = wan_now_ns();
		for (size_t i = 0; i < count; i++) {
			const struct wan_recording_operation *one = &all[i];
			bytes += (uint64_t)snprintf(
				text, sizeof(text),
				",\n{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"%s\",\"pid\":%u,"
				"\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"status\":\"%s\","
				"\"width\":%u,\"height\":%u,\"inside_us\":%.3f,\"cpu_us\":%" PRIu64
				",\"memory_bytes\":%" PRId64 ",\"peak_bytes\":%" PRIu64
				",\"file_bytes\":%" PRIu64 "}}",
				one->name, one->library, one->process, one->thread,
				(double)one->start_ns / 1e3, (double)one->span_ns / 1e3, "ok",
				one->width_px, one->height_px, (double)one->inside_ns / 1e3,
				one->cpu_ns / 1000, one->memory_bytes, one->peak_bytes,
				one->file_bytes);
		}
		best = WAN_MIN(best, wan_now_ns() - start);
	}
	__asm__ volatile("" : : "r"(bytes));
	return (double)best / (double)count;
}

static double memcpy_ns(uint64_t bytes, size_t count)
{
	static char from[65536];
	uint64_t best = UINT64_MAX;
	for (int round = 0; round < ROUNDS; round++) {
		written = 0;
		uint64_t start = wan_now_ns();
		while (written < bytes)
			store(NULL, from, sizeof(from));
		best = WAN_MIN(best, wan_now_ns() - start);
	}
	return (double)best / (double)count;
}

static void table(size_t count, bool files)
{
	struct wan_recording_operation *all = make(count, files);
	struct wan_process process = {.operations = all,
				      .operation_count = count,
				      .total_operations = count,
				      .start_realtime_ns = 1700000000000000000u,
				      .start_ns = 1000000000u,
				      .source = "bench"};
	struct wan_view_source source = {.process = &process, .until_ns = UINT64_MAX};
	static struct wan_config config;
	struct wan_view view;
	struct wan_analysis analysis;
	wan_config_defaults(&config);
	if (!all || wan_view_init(&view, &source, 1, NULL) ||
	    wan_analysis_init(&analysis, &view, &config))
		abort();
	double formatted = printf_ns(all, count);
	size_t formats_count;
	const struct wan_format *formats = wan_formats(&formats_count);
	printf("%zu events, %s file names; printf of one event: %.0f ns\n", count,
	       files ? "64" : "no", formatted);
	printf("%-12s %8s %12s %8s %10s %10s\n", "format", "ns/event", "M events/s", "bytes",
	       "x memcpy", "x printf");
	for (size_t i = 0; i < formats_count; i++) {
		double ns = (double)nanoseconds(&formats[i], &analysis) / (double)count;
		uint64_t bytes = written;
		printf("%-12s %8.1f %12.1f %8.0f %10.1f %10.3f\n", formats[i].name, ns, 1e3 / ns,
		       (double)bytes / (double)count, ns / memcpy_ns(bytes, count), ns / formatted);
	}
	wan_analysis_finish(&analysis);
	free(all);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	table(count, false);
	table(count, true);
	return 0;
}
