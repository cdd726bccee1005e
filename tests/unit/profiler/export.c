/* SPDX-License-Identifier: MIT */
/* Documents of made-up processes: always well-formed, never more than was known. */
#include "export.h"

#include <errno.h>
#include <stdlib.h>

#include "alloc.h"
#include "json_check.h"
#include "macros.h"
#include "support.h"
#include "tap.h"

static struct fake fake;
static struct wan_config config;
static struct wan_json_memory text;

static void finish(void)
{
	wan_free(text.text);
	text = (struct wan_json_memory){0};
}

/* The document in text; finish() frees it. */
static const char *write_as(const char *format, const struct wan_export_options *options)
{
	struct wan_view_source source = {.process = &fake.process, .until_ns = UINT64_MAX};
	struct wan_analysis analysis;
	struct wan_view view;
	finish();
	wan_config_defaults(&config);
	if (!CHECK_EQ(wan_view_init(&view, &source, 1, NULL), 0))
		return "";
	view.hide_files = options->redact;
	if (!CHECK_EQ(wan_analysis_init(&analysis, &view, &config), 0))
		return "";
	CHECK_EQ(wan_format_write(wan_format_find(format), &analysis, options,
				  wan_json_write_memory, &text),
		 0);
	wan_analysis_finish(&analysis);
	return text.text ? text.text : "";
}

static const struct wan_export_options plain;

TEST(a_process_without_anything_is_a_whole_document)
{
	fake_init(&fake);
	const char *document = write_as("json", &plain);
	CHECK(json_is_valid(document, strlen(document)));
	CHECK(strstr(document, "\"total_operations\": 0"));
	CHECK(strstr(document, "\"peak_memory_mb\": null"));
	CHECK(strstr(document, "\"hit_rate\": null"));
	finish();
}

TEST(hostile_texts_are_escaped_everywhere)
{
	static char hostile[] = "</script>\x1b[2J\"\\\n\xff\xfe,\xe2\x80\xae=cmd|' /C calc'!A0";
	fake_init(&fake);
	struct wan_recording_operation operation = fake_operation(hostile, 700);
	operation.library = operation.file = hostile;
	operation.file_bytes = 1;
	operation.status = WAN_OP_FAILED;
	fake_add(&fake, operation);
	snprintf(fake.process.header.program, sizeof(fake.process.header.program), "%s", hostile);
	snprintf(fake.process.header.command, sizeof(fake.process.header.command), "a\x1f%s",
		 hostile);
	snprintf(fake.process.header.libraries, sizeof(fake.process.header.libraries), "%s",
		 hostile);
	fake.process.source = hostile;
	fake.events[0] = (struct wan_process_event){
		.kind = WAN_RECORD_ALERT, .name = hostile, .text = hostile, .code = 99};
	fake.events[1] = (struct wan_process_event){
		.kind = WAN_RECORD_ACTION, .name = hostile, .text = hostile, .code = 99};
	fake.process.event_count = 2;
	fake.counters[0] = (struct wan_process_counters){
		.kind = WAN_COUNTERS_TRACKER, .name = hostile, .words = {1, 2, 99, 99}};
	fake.counters[1] =
		(struct wan_process_counters){.kind = WAN_COUNTERS_COVERAGE, .name = hostile};
	fake.process.counters_count = 2;
	const char *document = write_as("json", &plain);
	CHECK(json_is_valid(document, strlen(document)));
	CHECK(!strchr(document, '\x1b'));
	document = write_as("jsonl", &plain);
	CHECK_EQ(strchr(document, '\n') - document, (long)strlen(document) - 1);
	document = write_as("csv", &plain);
	CHECK(!strchr(document, '\x1b'));
	CHECK(strstr(document, "libjpeg") == NULL);
	finish();
}

TEST(cells_that_would_be_formulas_are_quoted)
{
	fake_init(&fake);
	fake_add(&fake, fake_operation("=HYPERLINK(1)", 1));
	fake_add(&fake, fake_operation("a,\"b\"", 1));
	const char *document = write_as("csv", &plain);
	CHECK(strstr(document, ",'=HYPERLINK(1),"));
	CHECK(strstr(document, ",\"a,\"\"b\"\"\","));
	finish();
}

TEST(the_longest_texts_fit_a_line)
{
	static char name[4000];
	fake_init(&fake);
	memset(name, '"', sizeof(name) - 1);
	struct wan_recording_operation operation = fake_operation(name, 1);
	operation.library = operation.file = name;
	fake_add(&fake, operation);
	const char *document = write_as("csv", &plain);
	CHECK(strlen(document) > 3000);
	CHECK_EQ(document[strlen(document) - 1], '\n');
	finish();
}

TEST(redaction_leaves_no_path_and_no_argument)
{
	fake_init(&fake);
	struct wan_recording_operation operation = fake_operation("jpeg.decode", 700);
	operation.file = "/home/person/secret.jpg";
	operation.file_bytes = 5;
	operation.status = WAN_OP_FAILED;
	fake_add(&fake, operation);
	fake_add(&fake, operation);
	strcpy(fake.process.header.program, "/home/person/tool");
	strcpy(fake.process.header.command, "tool\x1fsecret.jpg");
	fake.process.source = "/home/person/x.wprof";
	const struct wan_export_options options = {.redact = true};
	static const char *const formats[] = {"json", "jsonl", "csv", "trace"};
	for (size_t i = 0; i < WAN_COUNT_OF(formats); i++) {
		const char *document = write_as(formats[i], &options);
		CHECK(!strstr(document, "secret"));
		CHECK(!strstr(document, "person"));
		CHECK(strstr(document, "redacted-"));
		CHECK(strstr(document, ".jpg"));
	}
	finish();
}

TEST(short_operations_and_all_of_them_can_be_left_out_but_stay_counted)
{
	fake_init(&fake);
	for (int i = 1; i <= 4; i++)
		fake_add(&fake, fake_operation("a", i));
	struct wan_export_options options = {.min_ns = 3000000};
	const char *document = write_as("json", &options);
	CHECK(strstr(document, "\"total_operations\": 4"));
	CHECK(strstr(document, "\"metrics_dropped\": 2"));
	options = (struct wan_export_options){.no_metrics = true};
	document = write_as("json", &options);
	CHECK(strstr(document, "\"metrics_dropped\": 4"));
	CHECK(strstr(document, "\"metrics\": []"));
	finish();
}

TEST(the_cache_of_a_linked_program_is_there)
{
	fake_init(&fake);
	fake.counters[0] = (struct wan_process_counters){
		.kind = WAN_COUNTERS_CACHE,
		.name = "cache",
		.words = {256 * WAN_MIB, 10 * WAN_MIB, 3, 50, 10, 7, 3}};
	fake.process.counters_count = 1;
	const char *document = write_as("json", &plain);
	CHECK(strstr(document, "\"limit_mb\": 256"));
	CHECK(strstr(document, "\"hit_rate\": 0.7"));
	CHECK(strstr(document, "\"total_requests\": 10"));
	finish();
}

TEST(samples_are_thinned_and_their_extremes_kept)
{
	static struct wan_process_event events[10000];
	struct wan_analysis analysis;
	struct wan_sample *samples = NULL;
	struct fake *one = &fake;
	size_t count = 0, total = 0;
	fake_init(&fake);
	for (size_t i = 0; i < 10000; i++) {
		events[i] = (struct wan_process_event){
			.kind = WAN_RECORD_SAMPLE,
			.time_ns = fake.process.start_ns + i,
			.realtime_ns = fake.process.start_realtime_ns + i,
			.values = {(i == 5001   ? 900
				    : i == 7003 ? 1
						: 100) *
					   WAN_MIB,
				   UINT64_MAX, UINT64_MAX,
				   5000 | UINT64_C(0xffffffff) << 16 | UINT64_C(0xffff) << 48}};
	}
	fake.process.events = events;
	fake.process.event_count = 10000;
	wan_config_defaults(&config);
	REQUIRE_EQ(fake_analyse(&one, 1, &config, &analysis), 0);
	REQUIRE_EQ(wan_export_collect_samples(&analysis, &samples, &count, &total), 0);
	CHECK_EQ(total, 10000);
	CHECK(count <= WAN_EXPORT_SAMPLES_MAX);
	double low = 1e9, high = 0;
	for (size_t i = 0; i < count; i++) {
		low = fmin(low, samples[i].rss_mb);
		high = fmax(high, samples[i].rss_mb);
		CHECK(i == 0 || samples[i].time_ns > samples[i - 1].time_ns);
	}
	CHECK_NEAR(low, 1, 0);
	CHECK_NEAR(high, 900, 0);
	CHECK_NEAR(samples[0].system_percent, 50, 1e-9);
	CHECK(samples[0].cpu_percent < 0 && samples[0].gpu_percent < 0);
	CHECK(samples[0].cgroup_need_mb < 0);
	wan_free(samples);
	wan_analysis_finish(&analysis);
}

TEST(processor_use_of_many_cores_fits_a_sample)
{
	struct wan_sample sample;
	struct wan_process_event event = {.values = {0, 0, 0, UINT64_C(655350) << 16}};
	wan_sample_from_event(&event, &sample);
	CHECK_NEAR(sample.cpu_percent, 6553.5, 1e-9);
	CHECK_NEAR(sample.system_percent, 0, 0);
}

TEST(timestamps_are_rfc_3339_in_utc)
{
	char stamp[WAN_TIMESTAMP_BYTES];
	CHECK_STR(wan_export_timestamp_text(stamp, 1700000000123456789u),
		  "2023-11-14T22:13:20.123456789Z");
	CHECK_STR(wan_export_timestamp_text(stamp, 951782400000000000u),
		  "2000-02-29T00:00:00.000000000Z");
}

static int full(void *context, const void *bytes, size_t count)
{
	(void)context, (void)bytes, (void)count;
	return -ENOSPC;
}

TEST(a_full_output_is_an_error_in_every_format)
{
	struct wan_analysis analysis;
	struct fake *one = &fake;
	size_t count;
	const struct wan_format *formats = wan_formats(&count);
	fake_init(&fake);
	fake_add(&fake, fake_operation("a", 1));
	wan_config_defaults(&config);
	REQUIRE_EQ(fake_analyse(&one, 1, &config, &analysis), 0);
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(wan_format_write(&formats[i], &analysis, &plain, full, NULL), -ENOSPC);
	wan_analysis_finish(&analysis);
}

static struct wan_process_event event_of(uint32_t kind, const char *name, const char *told,
					 uint32_t code, uint64_t a, uint64_t b, uint64_t c,
					 uint64_t d)
{
	return (struct wan_process_event){
		.kind = kind,
		.name = name,
		.text = told,
		.code = code,
		.realtime_ns = 1700000010000000000u,
		.values = {a, b, c, d},
	};
}

TEST(an_alert_says_since_when_what_is_usual_and_what_was_done)
{
	const uint64_t mib = 1 << 20;
	fake_init(&fake);
	fake.events[0] =
		event_of(WAN_RECORD_ACTION, "cache_limit", "", 0, 0, 0, 256 * mib, 204 * mib);
	fake.events[1] = event_of(WAN_RECORD_ALERT, "high_memory", "Process memory", 2, 600000,
				  500000, 7, 3);
	fake.events[2] = event_of(WAN_RECORD_SAMPLE, "", "", 0, 1, 2, 3, 4);
	fake.events[3] = event_of(WAN_RECORD_ALERT_DETAIL, "of another one", "", 9, 2, 0, 0, 0);
	fake.events[4] = event_of(WAN_RECORD_ALERT_DETAIL, "cache_limit", "sampling", 4, 3, 450000,
				  1500000000, 2000000000);
	fake.process.event_count = 5;
	const char *document = write_as("json", &plain);
	CHECK(json_is_valid(document, strlen(document)));
	CHECK(strstr(document, "\"id\": 3,"));
	CHECK(strstr(document, "\"unit\": \"MB\""));
	CHECK(strstr(document, "\"count\": 7,"));
	CHECK(strstr(document, "\"baseline\": 450,"));
	CHECK(strstr(document, "\"window_s\": 1.5,"));
	CHECK(strstr(document, "\"timestamp\": \"2023-11-14T22:13:30.000000000Z\""));
	CHECK(strstr(document, "\"since\": \"2023-11-14T22:13:28.000000000Z\""));
	CHECK(strstr(document, "\"tracker\": \"sampling\""));
	CHECK(strstr(document, "\"suppressed\": 4,"));
	CHECK(strstr(document, "\"code\": \"cache_limit\""));
	CHECK(strstr(document, "\"text\": \"from 268435456 to 213909504\""));
	CHECK(strstr(document, "\"applied\": true"));
	CHECK(strstr(document, "\"suggested_action\": \"Lower the cache limit"));
	CHECK(!strstr(document, "of another one"));
	finish();
}

TEST(an_alert_without_more_about_it_says_null)
{
	fake_init(&fake);
	fake.events[0] = event_of(WAN_RECORD_ALERT, "one of tomorrow", "x", 1, 1000, 500, 1, 5);
	fake.process.event_count = 1;
	const char *document = write_as("json", &plain);
	CHECK(json_is_valid(document, strlen(document)));
	static const char *const unknown[] = {"unit",   "baseline",        "window_s",
					      "since",  "tracker",         "suppressed",
					      "action", "suggested_action"};
	for (size_t i = 0; i < WAN_COUNT_OF(unknown); i++) {
		char null[64];
		snprintf(null, sizeof(null), "\"%s\": null", unknown[i]);
		CHECK(strstr(document, null));
	}
	finish();
}

TEST(the_monitors_own_time_stands_with_the_overhead)
{
	fake_init(&fake);
	fake.counters[0] = (struct wan_process_counters){
		.kind = WAN_COUNTERS_MONITOR, .name = "monitor", .words = {20, 10000000000u}};
	fake.counters[0].words[15] = 5000000;
	fake.process.counters_count = 1;
	const char *document = write_as("json", &plain);
	CHECK(strstr(document, "\"monitoring_ns\": 10000000000,"));
	CHECK(strstr(document, "\"monitoring_cpu_ns\": 5000000,"));
	CHECK(strstr(document, "\"monitoring_percent\": 0.05"));
	finish();
}

TEST(the_machine_is_named_only_when_it_is_given)
{
	struct wan_environment environment;
	wan_environment_read(&environment);
	CHECK(environment.memory_total_bytes > 0);
	CHECK(environment.cpus > 0);
	fake_init(&fake);
	const char *document = write_as("json", &plain);
	CHECK(strstr(document, "\"machine_read_at_export\": false"));
	CHECK(strstr(document, "\"model\": null"));
	const struct wan_export_options options = {.environment = &environment};
	document = write_as("json", &options);
	CHECK(json_is_valid(document, strlen(document)));
	CHECK(strstr(document, "\"machine_read_at_export\": true"));
	finish();
}

TEST(damage_is_listed)
{
	static struct wan_process_damage damage = {.offset = 4096, .reason = "bad seal"};
	fake_init(&fake);
	fake.process.damage = &damage;
	fake.process.damage_count = 1;
	const char *document = write_as("json", &plain);
	CHECK(strstr(document, "\"offset\": 4096"));
	CHECK(strstr(document, "\"reason\": \"bad seal\""));
	finish();
}

TAP_MAIN
