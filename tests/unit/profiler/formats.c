/* SPDX-License-Identifier: MIT */
/* What holds for every format: memory, faults, validity, damage at every place. */
#include "export.h"

#include <errno.h>
#include <stdlib.h>

#include "alloc.h"
#include "fault.h"
#include "format_check.h"
#include "macros.h"
#include "support.h"
#include "sys.h"
#include "tap.h"
#include "writer.h"

static struct wan_config config;
static struct wan_json_memory text;

static int drop(void *context, const void *bytes, size_t count)
{
	return 0;
}

/* A process with count operations of three threads; names and files are different texts. */
static struct wan_process *make_process(size_t count)
{
	static const char *const names[] = {"jpeg.decode", "png.decode", "thumbnail_256x256"};
	struct wan_process *process = calloc(1, sizeof(*process));
	if (process)
		process->operations = calloc(count + 1, sizeof(*process->operations));
	if (!process || !process->operations)
		abort();
	process->start_realtime_ns = 1700000000000000000u;
	process->source = "made";
	process->state = WAN_RUN_EXITED;
	for (size_t i = 0; i < count; i++) {
		struct wan_recording_operation *one = &process->operations[i];
		*one = fake_operation(names[i % 3], 3);
		one->thread = 100 + i % 3;
		one->file = names[i / 3 % 3];
		one->start_ns = i * 1000000;
		one->start_realtime_ns = process->start_realtime_ns + i * 1000000;
	}
	process->operation_count = process->total_operations = count;
	return process;
}

static int analyse(const struct wan_process *process, struct wan_analysis *ret_analysis)
{
	const struct wan_view_source source = {.process = process, .until_ns = UINT64_MAX};
	struct wan_view view;
	wan_config_defaults(&config);
	int rc = wan_view_init(&view, &source, 1, NULL);
	return rc ? rc : wan_analysis_init(ret_analysis, &view, &config);
}

static void free_process(struct wan_process *process)
{
	free(process->operations);
	free(process);
}

/* Bytes asked of the heap; nothing that grows is freed on the way, so a sum is an upper bound. */
static size_t asked;

static void *counting_malloc(size_t bytes)
{
	asked += bytes;
	return malloc(bytes);
}

static void *counting_calloc(size_t count, size_t bytes)
{
	asked += count * bytes;
	return calloc(count, bytes);
}

static void *counting_realloc(void *block, size_t bytes)
{
	asked += bytes;
	return realloc(block, bytes);
}

static size_t heap_of(const struct wan_format *format, size_t count)
{
	static const struct wan_export_options options;
	struct wan_process *process = make_process(count);
	struct wan_analysis analysis;
	if (analyse(process, &analysis))
		abort();
	struct wan_sys table = wan_sys_real;
	table.malloc = counting_malloc;
	table.calloc = counting_calloc;
	table.realloc = counting_realloc;
	wan_sys = &table;
	asked = 0;
	CHECK_EQ(wan_format_write(format, &analysis, &options, drop, NULL), 0);
	wan_sys = &wan_sys_real;
	wan_analysis_finish(&analysis);
	free_process(process);
	return asked;
}

TEST(ten_times_the_operations_take_no_more_memory)
{
	size_t count;
	const struct wan_format *formats = wan_formats(&count);
	for (size_t i = 0; i < count; i++) {
		size_t few = heap_of(&formats[i], 2000), many = heap_of(&formats[i], 20000);
		/* speedscope groups by track: a number of 4 bytes an operation */
		size_t allowed = strcmp(formats[i].name, "speedscope") == 0 ? 4 * 18000 : 0;
		CHECK_EQ(many, few + allowed);
		CHECK(few < 512 * 1024);
	}
}

static struct wan_analysis shared;

static void write_all(void *context)
{
	static const struct wan_export_options options;
	size_t count;
	const struct wan_format *formats = wan_formats(&count);
	for (size_t i = 0; i < count; i++) {
		int rc = wan_format_write(&formats[i], &shared, &options, drop, NULL);
		CHECK(rc == 0 || rc == -ENOMEM);
	}
}

TEST(memory_that_runs_out_is_an_error_of_the_format)
{
	struct wan_process *process = make_process(50);
	REQUIRE_EQ(analyse(process, &shared), 0);
	CHECK(wan_fault_sweep(write_all, NULL) > 5);
	wan_analysis_finish(&shared);
	free_process(process);
}

static void check_all(struct wan_recording *recording, const char *what, size_t at)
{
	const struct wan_export_options options = {.redact = at % 3 == 0, .redact_key = {1, 2}};
	struct wan_analysis analysis;
	struct wan_view view;
	size_t count;
	const struct wan_format *formats = wan_formats(&count);
	REQUIRE_EQ(wan_view_init_recordings(&view, &recording, 1, NULL), 0);
	view.hide_files = options.redact;
	REQUIRE_EQ(wan_analysis_init(&analysis, &view, &config), 0);
	for (size_t i = 0; i < count; i++) {
		text.bytes = 0;
		CHECK_EQ(wan_format_write(&formats[i], &analysis, &options, wan_json_write_memory,
					  &text),
			 0);
		if (!format_is_valid(formats[i].name, text.bytes ? text.text : "", text.bytes))
			tap_check(false, what, (int)at, formats[i].name);
	}
	wan_analysis_finish(&analysis);
}

static char *sound;
static size_t sound_bytes;

static void make_sound(void)
{
	struct wan_recorder *recorder;
	void *copy;
	wan_config_defaults(&config);
	config.record_capacity = 256;
	REQUIRE_EQ(wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder), 0);
	for (unsigned i = 0; i < 40; i++) {
		const struct wan_record_operation one = {
			.start_ticks = 1000000 + i * 1000,
			.span_ticks = i * 70,
			.thread = i % 2,
			.inside = UINT16_MAX,
			.width_px = 64,
			.height_px = i,
			.name = wan_recorder_string(recorder, i % 2 ? "png.decode" : "a \"b\""),
			.file = wan_recorder_string(recorder, "/a/picture;1.png"),
			.kind_status = WAN_RECORD_OPERATION << 4 | i % 4,
			.library = i % 8,
		};
		wan_lane_append(wan_lane_get(recorder), &one);
	}
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	REQUIRE_EQ(wan_recorder_snapshot(recorder, &copy, &sound_bytes), 0);
	sound = copy;
	wan_recorder_destroy(recorder);
}

static void try_bytes(const char *bytes, size_t count, const char *what, size_t at)
{
	struct wan_recording *recording;
	if (wan_recording_open_memory(bytes, count, &recording, NULL))
		return;
	check_all(recording, what, at);
	wan_recording_close(recording);
}

TEST(a_recording_cut_at_any_byte_gives_valid_output)
{
	make_sound();
	/* every byte of the header, then by odd steps through everything else */
	for (size_t at = 0; at < sound_bytes; at += at < 2100 ? 3 : 1499)
		try_bytes(sound, at, "cut at", at);
}

TEST(a_recording_flipped_at_every_fifth_byte_gives_valid_output)
{
	char *broken = malloc(sound_bytes);
	REQUIRE(broken != NULL);
	for (size_t at = 0; at < sound_bytes; at++) {
		if (!sound[at] || at % 5)
			continue; /* zeros are mostly room that nothing reads */
		memcpy(broken, sound, sound_bytes);
		broken[at] ^= 0xff;
		try_bytes(broken, sound_bytes, "flipped at", at);
	}
	free(broken);
	wan_free(sound);
	wan_free(text.text);
	text = (struct wan_json_memory){0};
}

TEST(the_checks_of_these_tests_can_fail)
{
	CHECK(format_is_valid("json", "{\"a\":1}", 7));
	CHECK(!format_is_valid("json", "{\"a\":1", 6));
	CHECK(!format_is_valid("jsonl", "{}\n{", 4));
	CHECK(!format_is_valid("csv", "a,b\n1\n", 6));
	CHECK(format_is_valid("csv", "a,b\n1,\"2,\n\"\n", 12));
	CHECK(!format_is_valid("collapsed", "a;;b 1\n", 7));
	CHECK(!format_is_valid("collapsed", "a b\n", 4));
	CHECK(!format_is_valid("prom", "wanrt_a{b=\"c\"d\"} 1\n", 19));
	CHECK(!format_is_valid("prom", "wanrt_a{b=\"c\\q\"} 1\n", 19));
	CHECK(!format_is_valid("trace", "{\"a\":\"\x1b\"}", 9));
	CHECK(!format_is_valid("perfetto",
			       "\x0a\x85\x80\x80\x00\x0a\x09"
			       "abc",
			       10));
	CHECK(format_is_valid("perfetto",
			      "\x0a\x85\x80\x80\x00\x0a\x03"
			      "abc",
			      10));
}

TAP_MAIN
