/* SPDX-License-Identifier: MIT */
/*
 * The page of `wanprof report --html`. First byte even: the rest are texts, ended by zero bytes,
 * for every place of a recording that has one. Odd: a changed recording. Either way the page is
 * sound.
 */
#include "recording_changes.h"

#include <stdio.h>

#include "alloc.h"
#include "html.h"
#include "html_check.h"
#include "json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_page(struct wan_analysis *analysis, const char *path)
{
	const struct html_options options = {.path = path};
	struct wan_json_memory text = {0};
	if (html_report_write(analysis, &options, wan_json_write_memory, &text))
		abort();
	const char *wrong = html_check(text.text, text.bytes);
	if (wrong) {
		fprintf(stderr, "the page is not sound: %s\n", wrong);
		abort();
	}
	wan_free(text.text);
}

static void analyse(struct wan_view *view, const char *path)
{
	static struct wan_config config;
	struct wan_analysis analysis;
	wan_config_defaults(&config);
	if (wan_analysis_init(&analysis, view, &config))
		abort();
	check_page(&analysis, path);
	wan_analysis_finish(&analysis);
}

#define TEXTS 8

/* All of them in the places of texts[], the last ones empty. */
static void take_texts(char *input, size_t bytes, const char *texts[TEXTS])
{
	size_t at = 0;
	for (unsigned i = 0; i < TEXTS; i++) {
		texts[i] = at < bytes ? input + at : "";
		at += strlen(texts[i]) + 1;
	}
}

static void check_texts(const char *const texts[TEXTS])
{
	struct wan_recording_operation operations[4];
	struct wan_process_event events[4];
	struct wan_process_counters counters[3] = {
		{.kind = WAN_COUNTERS_TRACKER, .name = texts[2]},
		{.kind = WAN_COUNTERS_COVERAGE, .name = texts[3]},
		{.kind = WAN_COUNTERS_CUDA, .name = texts[4]},
	};
	struct wan_process process = {.operations = operations,
				      .operation_count = 4,
				      .events = events,
				      .event_count = 4,
				      .counters = counters,
				      .counters_count = 3,
				      .state = WAN_RUN_EXITED,
				      .total_operations = 4,
				      .start_ns = 1000,
				      .start_realtime_ns = 1700000000000000000u,
				      .end_ns = 9000000000u,
				      .ns_per_tick = 1,
				      .source = texts[5]};
	static const uint32_t kinds[] = {WAN_RECORD_PHASE, WAN_RECORD_ACTION, WAN_RECORD_ALERT,
					 WAN_RECORD_VRAM};
	for (unsigned i = 0; i < 4; i++) {
		operations[i] = (struct wan_recording_operation){
			.name = texts[i % 2],
			.library = "libjpeg",
			.file = texts[6],
			.start_ns = 2000 + i * 700000000u,
			.start_realtime_ns = 1700000000000001000u + i * 700000000u,
			.span_ns = 650000000,
			.inside_ns = 650000000,
			.cpu_ns = UINT64_MAX,
			.memory_bytes = INT64_MIN,
			.peak_bytes = UINT64_MAX,
			.file_bytes = UINT64_MAX,
			.width_px = 100 << i,
			.height_px = 100,
			.status = i == 3 ? 2 : 0,
		};
		events[i] = (struct wan_process_event){.kind = kinds[i],
						       .time_ns = 3000000 + i,
						       .realtime_ns = 1700000000003000000u + i,
						       .name = texts[2],
						       .text = texts[7],
						       .values = {3000, 4000000000u, 3, 4}};
	}
	wan_str_copy(process.header.command, sizeof(process.header.command), texts[6]);
	wan_str_copy(process.header.job, sizeof(process.header.job), texts[2]);
	wan_str_copy(process.header.program, sizeof(process.header.program), texts[5]);
	wan_str_copy(process.header.cpu, sizeof(process.header.cpu), texts[4]);
	counters[0].words[WAN_TRACKER_DONE] = 7;
	struct wan_view_source source = {.process = &process, .until_ns = UINT64_MAX};
	struct wan_view view;
	if (wan_view_init(&view, &source, 1, NULL))
		abort();
	analyse(&view, texts[5]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!bytes)
		return 0;
	if (data[0] % 2 == 0) {
		const char *texts[TEXTS];
		char *copy = calloc(1, bytes + 1);
		if (!copy)
			return 0;
		memcpy(copy, data + 1, bytes - 1);
		take_texts(copy, bytes - 1, texts);
		check_texts(texts);
		free(copy);
		return 0;
	}
	struct wan_recording *recording;
	struct wan_view view;
	size_t count;
	bool file;
	char *copy = changed_recording(data + 1, bytes - 1, &count, &file);
	if (copy && wan_recording_open_memory(copy, count, &recording, NULL) == 0) {
		if (wan_view_init_recordings(&view, &recording, 1, NULL))
			abort();
		analyse(&view, "a.wprof");
		wan_recording_close(recording);
	}
	free(copy);
	return 0;
}
