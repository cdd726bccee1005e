/* SPDX-License-Identifier: MIT */
/* The same run through both doors: as an analysis and as the JSON that is dumped from it. */
#include "run_facts.h"

#include <errno.h>

#include "alloc.h"
#include "export.h"
#include "fault.h"
#include "json_input.h"
#include "json_price.h"
#include "macros.h"
#include "run_facts_json.h"
#include "support.h"
#include "tap.h"

static struct fake fake;
static struct wan_config config;
static struct wan_analysis analysis;
static struct wan_json_memory text;

static void analyse(void)
{
	struct wan_view_source source = {.process = &fake.process, .until_ns = UINT64_MAX};
	struct wan_view view;
	wan_config_defaults(&config);
	CHECK_EQ(wan_view_init(&view, &source, 1, NULL), 0);
	CHECK_EQ(wan_analysis_init(&analysis, &view, &config), 0);
}

static int from_text(struct run_facts *facts, const char *json, size_t bytes,
		     struct wan_error *error)
{
	struct json_input input;
	int rc = json_input_parse(&input, "test.json", json, bytes, error);
	if (rc)
		return rc;
	rc = run_facts_from_json(facts, "test.json", input.root, error);
	json_input_finish(&input);
	return rc;
}

static int through_json(struct run_facts *facts, bool no_metrics)
{
	const struct wan_export_options options = {.no_metrics = no_metrics};
	struct wan_error error = {0};
	wan_free(text.text);
	text = (struct wan_json_memory){0};
	CHECK_EQ(wan_format_write(wan_format_find("json"), &analysis, &options,
				  wan_json_write_memory, &text),
		 0);
	int rc = from_text(facts, text.text, text.bytes, &error);
	if (rc)
		printf("# %s: %s\n", error.object, error.reason);
	return rc;
}

/* Six samples of the machine: 75 C at most, 60 % in the mean, slowed down twice by heat. */
static void add_samples(struct fake *to)
{
	for (uint64_t i = 0; i < 6; i++) {
		uint64_t cpus = 5750 + 100 * i, gpu = 8850 + 100 * i, c = 3381 + 20 * i;
		struct wan_process_event sample = {
			.kind = WAN_RECORD_SAMPLE,
			.time_ns = to->process.start_ns + 1000000 * i,
			.realtime_ns = to->process.start_realtime_ns + 1000000 * i,
			.values = {(100 + i) * WAN_MIB, UINT64_MAX, 50 * WAN_MIB,
				   5000 | 12000u << 16 | gpu << 48},
		};
		struct wan_process_event sensors = sample;
		sensors.kind = WAN_RECORD_SENSORS;
		sensors.values[0] = c | (c - 50) << 16;
		sensors.values[1] = (61000 + 1000 * i) | (uint64_t)UINT32_MAX << 32;
		sensors.values[2] = i / 2 | (i == 3 ? UINT64_C(0x20) : 0) << 32;
		sensors.values[3] = 3000 | 3600 << 16 | UINT64_C(0xffff) << 32 | cpus << 48;
		to->events[2 * i] = sample;
		to->events[2 * i + 1] = sensors;
	}
	to->process.event_count = 12;
}

static void make_run(void)
{
	fake_init(&fake);
	for (int i = 0; i < 20; i++) {
		struct wan_recording_operation operation =
			fake_operation(i % 3 ? "jpeg.decode" : "png.decode", 3.25 + i / 7.0);
		operation.width_px = 1280;
		operation.height_px = 720;
		operation.cpu_ns = i == 7 ? UINT64_MAX : 1234567u;
		operation.memory_bytes = i == 8 ? INT64_MIN : -1000 * i;
		operation.peak_bytes = i == 8 ? UINT64_MAX : 12345678u + (uint64_t)i;
		operation.file = i % 2 ? "/data/in \"1\".jpg" : NULL;
		operation.status = i == 5   ? WAN_OP_FAILED
				   : i == 6 ? WAN_OP_WARNED
				   : i == 9 ? WAN_OP_ABORTED
					    : WAN_OP_OK;
		operation.child = i == 11;
		fake_add(&fake, operation);
	}
	strcpy(fake.process.header.job, "clip-720p");
	strcpy(fake.process.header.program, "/usr/bin/python3");
	strcpy(fake.process.header.command, "python3\x1fgenerate.py\x1f--count\x1f"
					    "2");
	strcpy(fake.process.header.cpu, "AMD Ryzen 5 3600 6-Core Processor");
	fake.process.header.run_id[0] = 0xab;
	fake.process.header.estimate_ns = 12500000000u;
	fake.process.header.exit_status = 3;
	fake.process.header.cpus = 12;
	fake.process.header.memory_bytes = (uint64_t)16 << 30;
	add_samples(&fake);
}

static bool same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : fabs(a - b) <= 1e-3 * WAN_MAX(1, fabs(a));
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_operations(const struct run_facts *a, const struct run_facts *b)
{
	REQUIRE_EQ(a->operation_count, b->operation_count);
	for (size_t i = 0; i < a->operation_count; i++) {
		const struct run_operation *x = &a->operations[i], *y = &b->operations[i];
		CHECK_STR(y->name, x->name);
		CHECK(same_text(x->library, y->library) && same_text(x->file, y->file));
		CHECK_EQ(y->start_ns, x->start_ns);
		CHECK_NEAR(y->time_ms, x->time_ms, 0);
		CHECK(isnan(x->cpu_ms) ? isnan(y->cpu_ms) : CHECK_NEAR(y->cpu_ms, x->cpu_ms, 0));
		CHECK(isnan(x->memory_mb) ? isnan(y->memory_mb)
					  : CHECK_NEAR(y->memory_mb, x->memory_mb, 0));
		CHECK(isnan(x->peak_mb) ? isnan(y->peak_mb)
					: CHECK_NEAR(y->peak_mb, x->peak_mb, 0));
		CHECK_NEAR(y->input_megapixels, x->input_megapixels, 0);
		CHECK(x->width_px == y->width_px && x->height_px == y->height_px);
		CHECK(x->thread == y->thread && x->process == y->process);
		CHECK_EQ(y->status, x->status);
	}
}

static void check_kinds(const struct run_facts *a, const struct run_facts *b, bool singles)
{
	REQUIRE_EQ(a->kind_count, b->kind_count);
	for (size_t i = 0; i < a->kind_count; i++) {
		const struct run_kind *x = &a->kinds[i], *y = &b->kinds[i];
		CHECK_STR(y->name, x->name);
		CHECK(same_text(x->library, y->library));
		CHECK(x->count == y->count && x->failed == y->failed);
		CHECK_NEAR(y->total_ms, x->total_ms, 1e-6);
		CHECK_NEAR(y->mean_ms, x->mean_ms, 1e-6);
		CHECK_NEAR(y->max_ms, x->max_ms, 0);
		CHECK(same_number(x->cpu_ms, y->cpu_ms) && same_number(x->peak_mb, y->peak_mb));
		if (singles)
			CHECK(same_number(x->median_ms, y->median_ms) &&
			      same_number(x->p95_ms, y->p95_ms));
		else
			CHECK(isnan(y->median_ms) && isnan(y->p95_ms));
	}
}

static void check_sensors(const struct run_sensors *a, const struct run_sensors *b)
{
	CHECK(same_number(a->cpu_celsius, b->cpu_celsius));
	CHECK(same_number(a->gpu_celsius, b->gpu_celsius));
	CHECK(same_number(a->cpus_percent, b->cpus_percent));
	CHECK(same_number(a->gpu_percent, b->gpu_percent));
	CHECK(same_number(a->cpu_watts, b->cpu_watts));
	CHECK(same_number(a->gpu_watts, b->gpu_watts));
	CHECK(same_number(a->cpu_throttled, b->cpu_throttled));
	CHECK(same_number(a->gpu_throttled, b->gpu_throttled));
}

static void check_run(const struct run_facts *a, const struct run_facts *b)
{
	CHECK_STR(b->job, a->job);
	CHECK_STR(b->command, a->command);
	CHECK_STR(b->run_id, a->run_id);
	CHECK_STR(b->state, a->state);
	CHECK_EQ(b->started_realtime_ns, a->started_realtime_ns);
	CHECK_NEAR(b->duration_ms, a->duration_ms, 0);
	CHECK_NEAR(b->estimate_s, a->estimate_s, 0);
	CHECK(a->exit_status == b->exit_status && a->signal == b->signal && a->cold == b->cold);
	CHECK(a->damaged == b->damaged);
	CHECK(same_text(a->machine.cpu_model, b->machine.cpu_model));
	CHECK(same_text(a->machine.gpu_model, b->machine.gpu_model));
	CHECK(same_text(a->machine.tier, b->machine.tier));
	CHECK_EQ(b->machine.cpus, a->machine.cpus);
	CHECK(same_number(a->machine.memory_mb, b->machine.memory_mb));
	CHECK(same_number(a->machine.memory_limit_mb, b->machine.memory_limit_mb));
	CHECK(same_number(a->machine.vram_mb, b->machine.vram_mb));
	CHECK(a->before.known == b->before.known);
	CHECK(same_number(a->rss_peak_mb, b->rss_peak_mb));
	CHECK(same_number(a->rss_average_mb, b->rss_average_mb));
	CHECK(same_number(a->cpu_average_percent, b->cpu_average_percent));
	CHECK(same_number(a->system_peak_percent, b->system_peak_percent));
	CHECK(same_number(a->gpu_peak_mb, b->gpu_peak_mb));
	CHECK(same_number(a->cache_hit_rate, b->cache_hit_rate));
	CHECK_EQ(b->total_operations, a->total_operations);
	CHECK_EQ(b->failed_operations, a->failed_operations);
	REQUIRE_EQ(b->finding_count, a->finding_count);
	for (size_t i = 0; i < a->finding_count; i++)
		CHECK(same_text(a->findings[i].id, b->findings[i].id) &&
		      same_number(a->findings[i].value, b->findings[i].value));
}

TEST(a_recording_and_its_json_give_the_same_facts)
{
	struct run_facts direct, dumped;
	if (!json_input_available())
		SKIP("this build has no JSON library");
	make_run();
	analyse();
	REQUIRE_EQ(run_facts_from_analysis(&direct, &analysis, NULL), 0);
	REQUIRE_EQ(through_json(&dumped, false), 0);
	CHECK(dumped.from_json && !direct.from_json);
	check_run(&direct, &dumped);
	check_sensors(&direct.sensors, &dumped.sensors);
	CHECK_NEAR(direct.sensors.cpu_celsius, 75, 1e-6);
	CHECK_NEAR(direct.sensors.gpu_celsius, 70, 1e-6);
	CHECK_NEAR(direct.sensors.cpus_percent, 60, 1e-6);
	CHECK_NEAR(direct.sensors.gpu_percent, 91, 1e-6);
	CHECK_NEAR(direct.sensors.cpu_watts, 63.5, 1e-6);
	CHECK(isnan(direct.sensors.gpu_watts));
	CHECK_NEAR(direct.sensors.cpu_throttled, 2, 0);
	CHECK_NEAR(direct.sensors.gpu_throttled, 1, 0);
	CHECK_NEAR(direct.rss_peak_mb, 105, 1e-9);
	check_operations(&direct, &dumped);
	check_kinds(&direct, &dumped, true);
	CHECK_EQ(direct.operation_count, 19); /* the nested one is none of them */
	CHECK_EQ(direct.failed_operations, 2);
	CHECK_STR(direct.command, "python3 generate.py --count 2");
	CHECK_EQ(direct.exit_status, 3);
	CHECK(!run_facts_succeeded(&direct));
	run_facts_finish(&dumped);
	REQUIRE_EQ(through_json(&dumped, true), 0);
	CHECK_EQ(dumped.operation_count, 0);
	CHECK_EQ(dumped.dropped_operations, 19);
	check_kinds(&direct, &dumped, false);
	run_facts_finish(&dumped);
	run_facts_finish(&direct);
	wan_analysis_finish(&analysis);
}

TEST(a_status_that_no_command_can_have_is_none)
{
	static const char wraps[] = "{\"schema\":\"wanrt-profile\",\"schema_version\":1,\"run\":"
				    "{\"duration_ns\":1,\"state\":\"exited\",\"exit_status\":"
				    "4294967296},\"metrics\":[],\"operations\":[]}";
	struct run_facts facts;
	struct wan_error error = {0};
	if (!json_input_available())
		SKIP("this build has no JSON library");
	REQUIRE_EQ(from_text(&facts, wraps, strlen(wraps), &error), 0);
	CHECK(facts.exit_status == -1 && !run_facts_succeeded(&facts));
	run_facts_finish(&facts);
}

TEST(kinds_have_exact_sums_and_percentiles_of_their_operations)
{
	struct run_facts facts;
	fake_init(&fake);
	for (int i = 1; i <= 4; i++)
		fake_add(&fake, fake_operation("png.decode", i));
	analyse();
	REQUIRE_EQ(run_facts_from_analysis(&facts, &analysis, NULL), 0);
	REQUIRE_EQ(facts.kind_count, 1);
	CHECK_NEAR(facts.kinds[0].median_ms, 2.5, 1e-9);
	CHECK_NEAR(facts.kinds[0].p95_ms, 3.85, 1e-9);
	CHECK_NEAR(facts.kinds[0].max_ms, 4, 1e-9);
	CHECK_NEAR(facts.kinds[0].mean_ms, 2.5, 1e-9);
	CHECK(isnan(facts.kinds[0].peak_mb) && isnan(facts.rss_peak_mb));
	run_facts_finish(&facts);
	wan_analysis_finish(&analysis);
}

static void refused(const char *json, int code, const char *reason)
{
	struct run_facts facts = {.exit_status = 77};
	struct wan_error error = {0};
	CHECK_EQ(from_text(&facts, json, strlen(json), &error), code);
	if (!CHECK(strstr(error.reason, reason) != NULL))
		printf("# %s\n", error.reason);
	CHECK_STR(error.object, "test.json");
	CHECK(error.hint[0] != '\0');
	CHECK_EQ(facts.exit_status, 77);
}

#define PROFILE "{\"schema\":\"wanrt-profile\",\"schema_version\":"
TEST(what_is_no_profile_is_refused_with_its_reason)
{
	if (!json_input_available())
		SKIP("this build has no JSON library");
	refused("{}", -EBADMSG, "not a profile");
	refused("[]", -EBADMSG, "not a profile");
	refused("{\"schema\":\"wanprof-gate\",\"schema_version\":1}", -EBADMSG, "not a profile");
	refused(PROFILE "2}", -ENOTSUP, "schema version 2");
	refused(PROFILE "\"1\"}", -EBADMSG, "parts of it are missing");
	refused(PROFILE "1,\"metrics\":[],\"operations\":{}}", -EBADMSG, "parts of it");
	refused(PROFILE "1,\"metrics\":[],\"operations\":[]}", -EBADMSG, "duration of run");
	refused(PROFILE "1,\"run\":{\"duration_ns\":1},\"metrics\":[{}],\"operations\":[]}",
		-EBADMSG, "operation 1 says what no run can");
	refused(PROFILE "1,\"run\":{\"duration_ns\":1},\"metrics\":[{\"operation_name\":\"a\","
			"\"execution_time_ns\":-5}],\"operations\":[]}",
		-EBADMSG, "operation 1");
	refused("{\"a\":1", -EBADMSG, "not JSON, or damaged");
	refused("{\"a\":1,\"a\":2}", -EBADMSG, "not JSON, or damaged");
	refused("{\"a\":\"\\u0000\"}", -EBADMSG, "not JSON, or damaged");
	refused("{\"a\":\"\xff\"}", -EBADMSG, "not JSON, or damaged");
	refused("{\"a\":1e999}", -EBADMSG, "not JSON, or damaged");
	refused("{\"a\":99999999999999999999}", -EBADMSG, "not JSON, or damaged");
}

TEST(depth_is_bounded_before_anything_is_built)
{
	char deep[256];
	if (!json_input_available())
		SKIP("this build has no JSON library");
	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	deep[130] = '\0';
	refused(deep, -EBADMSG, "nested 65 levels deep");
	CHECK_EQ(json_price("\"[[[\\\"[\"", 8).depth, 0);
	CHECK_EQ(json_price("[{\"}\":[]}]", 11).depth, 3);
}

/* The text of count units between two ends. */
static char *repeated(const char *first, const char *unit, const char *last, size_t count)
{
	size_t bytes = strlen(unit), room = strlen(first) + count * (bytes + 12) + 16;
	char *made = malloc(room);
	size_t used = (size_t)sprintf(made, "%s", first);
	for (size_t i = 0; i < count; i++)
		used += (size_t)sprintf(made + used, unit, (unsigned)i);
	sprintf(made + used, "%s", last);
	return made;
}

TEST(no_document_takes_more_memory_than_it_was_priced_at)
{
	static const struct {
		const char *first, *unit, *last;
	} shapes[] = {
		{"[", "{},", "0]"},
		{"[", "[],", "0]"},
		{"[", "\"\",", "0]"},
		{"[", "1.5,", "0]"},
		{"[", "\"%u0123456789abcde\",", "0]"},
		{"[", "\"\\u00e9\\ud83d\\ude00\",", "0]"},
		{"{", "\"%u\":1,", "\"\":0}"},
		{"{", "\"%u\":{},", "\"\":0}"},
		{"{", "\"a longer key than fits a few bytes %u\":\"and text\",", "\"\":0}"},
		{"[", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9},",
		 "0]"},
		{"[\"", "0123456789", "\"]"},
		{"[1", "0", ".5]"},
	};
	if (!json_input_available())
		SKIP("this build has no JSON library");
	for (size_t i = 0; i < WAN_COUNT_OF(shapes); i++)
		for (size_t count = 1; count < 40000; count = count * 3 + 1) {
			char *made = repeated(shapes[i].first, shapes[i].unit, shapes[i].last,
					      i == 11 ? WAN_MIN(count, 300) : count);
			struct json_input input;
			struct wan_error error = {0};
			size_t bytes = strlen(made);
			int rc = json_input_parse(&input, "shape", made, bytes, &error);
			if (!CHECK_EQ(rc, 0))
				printf("# shape %zu, %zu: %s\n", i, count, error.reason);
			if (!CHECK(json_input_used() <= json_price(made, bytes).bytes / 10 * 9))
				printf("# shape %zu, %zu: %zu of %zu\n", i, count,
				       json_input_used(), json_price(made, bytes).bytes);
			if (!rc)
				json_input_finish(&input);
			free(made);
		}
}

TEST(memory_is_bounded_before_anything_is_built)
{
	if (!json_input_available())
		SKIP("this build has no JSON library");
	char *many = repeated("[", "{},", "0]", 5000000);
	refused(many, -EFBIG, "would take up to");
	free(many);
}

static void load_json_once(void *context)
{
	static const char json[] =
		PROFILE "1,\"run\":{\"duration_ns\":1,\"state\":\"exited\"},\"metrics\":"
			"[{\"operation_name\":\"a\",\"library\":\"b\",\"execution_time_ns\":5}],"
			"\"operations\":[{\"operation_name\":\"a\",\"library\":\"b\","
			"\"count\":1,\"total_time_ns\":5,\"max_ns\":5}]}";
	struct run_facts facts;
	struct wan_error error = {0};
	int rc = from_text(&facts, json, sizeof(json) - 1, &error);
	CHECK(rc == 0 || rc == -ENOMEM);
	if (!rc)
		run_facts_finish(&facts);
}

TEST(memory_that_runs_out_leaves_nothing)
{
	if (!json_input_available())
		SKIP("this build has no JSON library");
	CHECK(wan_fault_sweep(load_json_once, NULL) > 0);
}

TEST(time_stamps_are_read_as_they_are_written)
{
	CHECK_EQ(run_facts_timestamp("2023-11-14T22:13:20.000000001Z"), 1700000000000000001u);
	CHECK_EQ(run_facts_timestamp("2023-11-14T22:13:20Z"), 0);
	CHECK_EQ(run_facts_timestamp("yesterday"), 0);
	CHECK_EQ(run_facts_timestamp(NULL), 0);
}

TAP_MAIN
