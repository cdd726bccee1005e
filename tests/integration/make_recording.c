/* SPDX-License-Identifier: MIT */
/*
 * Recordings that no program at hand would make, for the tests of what is written from them.
 *
 *	make_recording rich FILE         everything there is, with texts that would break a writer
 *	make_recording empty FILE        nothing at all
 *	make_recording many FILE COUNT   so many operations on three threads
 *	make_recording tangle FILE SEED  operations that overlap as they like
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "check.h"
#include "clock.h"
#include "config.h"
#include "heap.h"
#include "sys.h"
#include "writer.h"

/* Everything that means something to a terminal, a shell, a parser or a page, and bad UTF-8. */
#define HOSTILE                                                                                    \
	"<script>alert(1)</script>\x1b[2J\x1b]0;x\x07\"'\\\n\r\t\x01\x7f;,=cmd|' /C calc'!A0"      \
	"\xff\xfe\xc3\x28 \xe2\x80\xae\xc2\x9b 31m {}[]%s%n \\x1b #"

static struct wan_recorder *recorder;
static uint64_t start;

static uint64_t at_ms(double ms)
{
	return start + (uint64_t)(ms * 1e6 / wan_clock_ns_per_tick());
}

static uint64_t ticks_of_ms(double ms)
{
	return at_ms(ms) - start;
}

static struct wan_record_operation operation(const char *name, uint32_t thread, double from_ms,
					     double ms)
{
	return (struct wan_record_operation){
		.start_ticks = at_ms(from_ms),
		.span_ticks = ticks_of_ms(ms),
		.cpu_us = (uint32_t)(ms * 900),
		.width_px = 1280,
		.height_px = 720,
		.thread = thread,
		.file_bytes = 12345,
		.memory_kib = 2700,
		.peak_kib = 2900,
		.inside = UINT16_MAX,
		.name = wan_recorder_string(recorder, name),
		.channels = 3,
		.bit_depth = 8,
		.kind_status = WAN_RECORD_OPERATION << 4,
		.library = WAN_LIBRARY_LIBJPEG,
	};
}

static void append(const void *record)
{
	wan_lane_append(wan_lane_get(recorder), record);
}

static void event(uint32_t kind, const char *name, const char *text, uint32_t code, double ms,
		  uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const struct wan_record_event one = {
		.ticks = at_ms(ms),
		.values = {a, b, c, d},
		.name = wan_recorder_string(recorder, name),
		.text = wan_recorder_string(recorder, text),
		.code = code,
		.kind_status = (uint8_t)(kind << 4),
		.thread = 7,
	};
	append(&one);
}

static void rich_operations(void)
{
	uint32_t pid = wan_recorder_header(recorder)->pid;
	/* two streaming decodes of one thread that take turns, one of them around a nested one */
	struct wan_record_operation one = operation("jpeg.decode", pid, 1, 10);
	one.file = wan_recorder_string(recorder, "/home/person/secret plan.png");
	append(&one);
	one = operation("png.decode", pid, 3, 12);
	one.inside = 20000;
	one.kind_status |= 1;
	append(&one);
	one = operation("thumbnail_256x256", pid, 4, 2);
	one.flags = WAN_FLAG_CHILD;
	append(&one);
	one = operation(HOSTILE, 4711, 5, 3);
	one.file = wan_recorder_string(recorder, HOSTILE);
	one.library = WAN_LIBRARY_PROGRAM;
	one.kind_status |= 2;
	append(&one);
	one = operation("/home/person/secret name", 4711, 9, 1);
	one.cpu_us = WAN_CPU_UNKNOWN;
	one.memory_kib = WAN_MEMORY_UNKNOWN;
	one.peak_kib = one.file_bytes = WAN_BYTES_UNKNOWN;
	one.width_px = one.height_px = 0;
	one.kind_status |= 3;
	append(&one);
	one = operation("jpeg.decode", UINT32_MAX, 2, 600); /* no thread id of any kernel */
	append(&one);
}

static void rich_events(void)
{
	const uint64_t unknown = UINT64_MAX, mb = 1 << 20;
	for (int i = 0; i < 20; i++)
		event(WAN_RECORD_SAMPLE, "", "", 0, 1 + i, (100 + (uint64_t)i) * mb,
		      i % 2 ? unknown : 50 * mb, i % 3 ? unknown : 900 * mb,
		      4200 | UINT64_C(9050) << 16 | UINT64_C(65535) << 48);
	event(WAN_RECORD_ALERT, "high_latency", "reading /home/person/secret.png took 150 ms", 2, 6,
	      150000, 100000, 1, 0);
	event(WAN_RECORD_ALERT, HOSTILE, HOSTILE, 99, 7, 1, 2, 3, 4);
	event(WAN_RECORD_ACTION, "cache_limit", "cgroup /user.slice/person at 76 %", 1, 8, 10 * mb,
	      5 * mb, 256 * mb, 204 * mb);
	event(WAN_RECORD_ACTION, "profile_start", "", 0, 8, 0, 0, 0, 0);
	event(WAN_RECORD_PHASE, "secret plan of a person", "", 4, 15, 0, 9000000, 40, 0);
	event(WAN_RECORD_PHASE, "secret plan of a person", "", 6, 18, 0, 3000000, 0, 0);
}

static void rich_counters(void)
{
	uint64_t *cache = wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "cache");
	const uint64_t words[] = {256 << 20, 10 << 20, 3, 50, 10, 7, 3};
	memcpy(cache, words, sizeof(words));
	uint64_t *memory = wan_recorder_counters(recorder, WAN_COUNTERS_MEMORY, "memory");
	memory[0] = 1;
	memory[1] = wan_recorder_string(recorder, "/user.slice/person");
	memory[3] = UINT64_C(8) << 30;
	wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, "secret plan of a person")[0] = 5;
	wan_recorder_counters(recorder, WAN_COUNTERS_MONITOR, "monitor")[9] = 2;
	wan_recorder_counters(recorder, WAN_COUNTERS_RUNTIME, "runtime")[0] = 1;
	wan_recorder_counters(recorder, WAN_COUNTERS_COVERAGE, HOSTILE)[1] = 1;
}

static void rich(void)
{
	struct wan_record_header *header = wan_recorder_header(recorder);
	snprintf(header->job, sizeof(header->job), "%s", HOSTILE);
	snprintf(header->program, sizeof(header->program), "/home/person/secret tool %s", HOSTILE);
	snprintf(header->command, sizeof(header->command),
		 "tool\x1f--in\x1f/home/person/secret\x1f%s", HOSTILE);
	snprintf(header->libraries, sizeof(header->libraries), "libjpeg-turbo 2.1.5;%s 1", HOSTILE);
	snprintf(header->allocator, sizeof(header->allocator), "%.40s", HOSTILE);
	header->allocator_active = WAN_HEAP_JEMALLOC;
	rich_operations();
	rich_events();
	rich_counters();
	struct wan_record_inflight *open = wan_lane_enter(wan_lane_get(recorder));
	open->name = wan_recorder_string(recorder, HOSTILE);
	open->thread = 12;
	open->file_bytes = UINT64_MAX;
	open->start_ticks = at_ms(30);
	wan_recorder_set_outcome(recorder, WAN_RUN_SIGNALLED, 0, 9);
}

static void many(unsigned long count)
{
	static const char *const names[] = {"jpeg.decode", "png.decode", "jpeg.encode"};
	for (unsigned long i = 0; i < count; i++) {
		struct wan_record_operation one =
			operation(names[i % 3], 100 + (uint32_t)(i % 3), (double)i * 0.01, 0.02);
		append(&one);
	}
}

static void tangle(unsigned seed)
{
	srandom(seed);
	for (int i = 0; i < 400; i++) {
		struct wan_record_operation one =
			operation(i % 7 ? "tangled" : "other", 100 + (uint32_t)(random() % 3),
				  (double)(random() % 200), (double)(random() % 60));
		one.flags = random() % 4 ? 0 : WAN_FLAG_CHILD;
		append(&one);
	}
}

static int write_file(const char *path)
{
	void *bytes;
	size_t count;
	if (wan_recorder_snapshot(recorder, &bytes, &count))
		return 1;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int rc = fd < 0 ? -errno : wan_write_full(fd, bytes, count);
	if (fd >= 0)
		close(fd);
	wan_free(bytes);
	return rc != 0;
}

int main(int argc, char **argv)
{
	static struct wan_config config;
	if (argc < 3)
		return 64;
	wan_config_defaults(&config);
	if (strcmp(argv[1], "many") == 0)
		config.record_capacity = strtoul(argv[3], NULL, 10) + 1024;
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder))
		return 1;
	start = wan_ticks();
	if (strcmp(argv[1], "rich") == 0)
		rich();
	else if (strcmp(argv[1], "many") == 0)
		many(strtoul(argv[3], NULL, 10));
	else if (strcmp(argv[1], "tangle") == 0)
		tangle((unsigned)strtoul(argv[3], NULL, 10));
	if (strcmp(argv[1], "rich") != 0)
		wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	return write_file(argv[2]);
}
