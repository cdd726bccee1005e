/* SPDX-License-Identifier: MIT */
/* A process made by hand, the page of it, and two runs to compare. */
#ifndef WAN_TESTS_HTML_SUPPORT_H
#define WAN_TESTS_HTML_SUPPORT_H

#include "alloc.h"
#include "html.h"
#include "html_check.h"
#include "json_writer.h"
#include "support.h"
#include "tap.h"

static struct fake fake;
static struct wan_config config;
static struct wan_json_memory page;

static inline void fresh(void)
{
	fake_init(&fake);
	wan_config_defaults(&config);
}

static inline void add_event(uint32_t kind, double ms, const char *name, const char *text,
			     uint32_t code, const uint64_t values[4])
{
	uint64_t since_ns = (uint64_t)(ms * 1e6);
	fake.events[fake.process.event_count++] = (struct wan_process_event){
		.kind = kind,
		.time_ns = fake.process.start_ns + since_ns,
		.realtime_ns = fake.process.start_realtime_ns + since_ns,
		.name = name,
		.text = text,
		.code = code,
		.values = {values[0], values[1], values[2], values[3]},
	};
}

/* What `wanprof run` noted of the machine: its tier. */
static inline void of_tier(uint64_t tier)
{
	enum { KNOWN = 0, TIER = 13 };
	struct wan_process_counters *block = &fake.counters[fake.process.counters_count++];
	*block = (struct wan_process_counters){.kind = WAN_COUNTERS_HOST, .name = "host"};
	block->words[KNOWN] = 1;
	block->words[TIER] = tier;
	fake.process.header.role = WAN_ROLE_PARENT;
}

static inline void add_sized(const char *name, double ms, uint32_t width)
{
	struct wan_recording_operation operation = fake_operation(name, ms);
	operation.width_px = width;
	operation.height_px = width / 2 + 1;
	fake_add(&fake, operation);
}

/* What html_check() says of the page; the page itself is in the buffer until the next one. */
static inline const char *write_page(const struct html_options *options)
{
	struct fake *fakes[] = {&fake};
	struct wan_analysis analysis;
	wan_free(page.text);
	page = (struct wan_json_memory){0};
	if (fake_analyse(fakes, 1, &config, &analysis))
		return "no analysis";
	int rc = html_report_write(&analysis, options, wan_json_write_memory, &page);
	wan_analysis_finish(&analysis);
	return rc ? "not written" : html_check(page.text, page.bytes);
}

static inline const char *plain_page(void)
{
	static const struct html_options options = {.path = "a.wprof"};
	return write_page(&options);
}

static inline bool has(const char *text)
{
	return page.text && memmem(page.text, page.bytes, text, strlen(text)) != NULL;
}

/* In the row of a table that begins so; the first table that has one. */
static inline bool row_has(const char *from, const char *name, const char *text)
{
	char head[128];
	snprintf(head, sizeof(head), "<th scope=\"row\">%s</th>", name);
	const char *row = from ? strstr(from, head) : NULL,
		   *end = row ? strstr(row, "</tr>") : NULL;
	return end && memmem(row, (size_t)(end - row), text, strlen(text)) != NULL;
}

/* Copies of one process that are told apart by their processor. */
static inline void facts_of(struct run_facts *facts, const char *cpu, double ms)
{
	static struct run_operation operations[2][20];
	static struct run_kind kinds[2];
	static unsigned which;
	struct run_operation *mine = operations[which % 2];
	struct run_kind *kind = &kinds[which++ % 2];
	*kind = (struct run_kind){.name = "jpeg.decode",
				  .library = "libjpeg",
				  .count = 20,
				  .total_ms = 20 * ms,
				  .mean_ms = ms,
				  .median_ms = ms,
				  .p95_ms = ms,
				  .max_ms = ms,
				  .cpu_ms = ms,
				  .peak_mb = NAN};
	for (unsigned i = 0; i < 20; i++)
		mine[i] = (struct run_operation){.name = "jpeg.decode",
						 .library = "libjpeg",
						 .time_ms = ms + i * 0.01,
						 .cpu_ms = ms,
						 .memory_mb = NAN,
						 .peak_mb = NAN,
						 .width_px = 640,
						 .height_px = 480};
	*facts = (struct run_facts){.path = "monday.wprof",
				    .state = "exited",
				    .cold = -1,
				    .signal = -1,
				    .duration_ms = 30 * ms,
				    .estimate_s = NAN,
				    .rss_peak_mb = NAN,
				    .rss_average_mb = NAN,
				    .gpu_peak_mb = NAN,
				    .cpu_average_percent = NAN,
				    .cache_hit_rate = NAN,
				    .read_mb = NAN,
				    .machine = {.cpu_model = cpu,
						.cpus = 8,
						.memory_mb = 16384,
						.memory_limit_mb = NAN,
						.vram_mb = NAN},
				    .total_operations = 20,
				    .operations = mine,
				    .operation_count = 20,
				    .kinds = kind,
				    .kind_count = 1};
}

#endif
