/* SPDX-License-Identifier: MIT */
/* Facts from dumped JSON. Whatever is read here is in the recording as well: run_facts_analysis.c.
 * Absent and null mean unknown; a value that no run can have makes the document a damaged one. */
#include "run_facts_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "export.h"
#include "log.h"
#include "macros.h"
#include "run_facts_build.h"
#include "str.h"
#include "wan/profile.h"

struct reading {
	struct facts_build build;
	const char *name; /* of the document */
	struct wan_error *error;
};

typedef const struct json_value json_value;

static int damaged(struct reading *reading, const char *what, size_t index)
{
	if (!reading->build.error)
		reading->build.error = wan_error_set(
			reading->error, -EBADMSG, reading->name, "dump the recording again",
			"damaged: %s %zu says what no run can", what, index + 1);
	return reading->build.error;
}

static const char *text_of(json_value *object, const char *key)
{
	return json_value_text(json_value_member(object, key));
}

static double number_of(json_value *object, const char *key)
{
	return json_value_number(json_value_member(object, key));
}

static uint64_t count_of(json_value *object, const char *key)
{
	return json_value_unsigned(json_value_member(object, key), 0);
}

static uint32_t count32_of(json_value *object, const char *key)
{
	return (uint32_t)WAN_MIN(count_of(object, key), (uint64_t)UINT32_MAX);
}

/* Of statuses and signals; -1: none, or one that is none. */
static int small_of(json_value *object, const char *key)
{
	int64_t value = json_value_integer(json_value_member(object, key), -1);
	return value >= 0 && value <= 255 ? (int)value : -1;
}

/* From the whole number where there is one: then it is what the recording gives, to the last bit.
 */
static double time_of(json_value *object, const char *whole, const char *fraction)
{
	int64_t ns = json_value_integer(json_value_member(object, whole), INT64_MIN);
	return ns != INT64_MIN ? (double)ns / 1e6 : number_of(object, fraction);
}

static double size_of(json_value *object, const char *whole, const char *fraction)
{
	int64_t bytes = json_value_integer(json_value_member(object, whole), INT64_MIN);
	return bytes != INT64_MIN ? (double)bytes / (double)WAN_MIB : number_of(object, fraction);
}

/* Negative sizes and times where none can be. */
static double positive(double value)
{
	return value >= 0 ? value : NAN;
}

uint64_t run_facts_timestamp(const char *text)
{
	struct tm tm = {0};
	unsigned nanoseconds;
	int read = 0;
	if (!text ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9uZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &nanoseconds, &read) != 7 ||
	    strlen(text) != 30 || read != 30)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * 1000000000u + nanoseconds;
}

/* Arguments, with blanks between. */
static const char *command_of(struct facts_build *build, json_value *list)
{
	char text[sizeof(((struct wan_record_header *)0)->command)] = "";
	size_t used = 0;
	for (size_t i = 0; i < json_value_count(list); i++) {
		const char *word = json_value_text(json_value_at(list, i));
		used += wan_str_format(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
				       word ? word : "");
	}
	return facts_text(build, text);
}

static void read_run(struct reading *reading, json_value *document)
{
	struct facts_build *build = &reading->build;
	struct run_facts *facts = &build->facts;
	json_value *run = json_value_member(document, "run");
	json_value *program = json_value_member(document, "program");
	const char *job = text_of(run, "job"), *id = text_of(run, "run_id");
	facts->job = facts_text(build,
				job && job[0] ? job : facts_program_name(text_of(program, "path")));
	facts->command = command_of(build, json_value_member(program, "command"));
	wan_str_copy(facts->run_id, sizeof(facts->run_id), id ? id : "");
	facts->started_realtime_ns = run_facts_timestamp(text_of(run, "started"));
	facts->duration_ms = positive(time_of(run, "duration_ns", "duration_ms"));
	facts->estimate_s = positive(number_of(run, "estimate_s"));
	facts->state = facts_text(build, text_of(run, "state"));
	facts->exit_status = small_of(run, "exit_status");
	facts->signal = small_of(run, "signal");
	facts->damaged = json_value_count(json_value_member(document, "damage")) > 0;
	if (isnan(facts->duration_ms))
		damaged(reading, "the duration of run", 0);
}

static double mb_or_unknown(json_value *object, const char *whole, const char *fraction)
{
	double mb = size_of(object, whole, fraction);
	return mb > 0 ? mb : NAN;
}

static void read_machine(struct reading *reading, json_value *environment)
{
	struct run_machine *machine = &reading->build.facts.machine;
	json_value *cpu = json_value_member(environment, "cpu");
	json_value *cgroups = json_value_member(environment, "cgroups");
	machine->cpu_model = facts_text(&reading->build, text_of(cpu, "model"));
	machine->cpus = count32_of(cpu, "count");
	machine->memory_mb =
		mb_or_unknown(json_value_member(environment, "memory"), "total_bytes", "total_mb");
	for (size_t i = 0; i < json_value_count(cgroups); i++)
		machine->memory_limit_mb = fmin(
			machine->memory_limit_mb,
			positive(size_of(json_value_at(cgroups, i), "limit_bytes", "limit_mb")));
	machine->vram_mb =
		mb_or_unknown(json_value_member(environment, "gpu"), "total_bytes", "total_mb");
	machine->tier = facts_text(&reading->build, text_of(environment, "tier"));
	machine->gpu_model = facts_text(&reading->build,
					text_of(json_value_member(environment, "gpu"), "model"));
	machine->physical_cores = count32_of(cpu, "physical_cores");
	double limit =
		mb_or_unknown(json_value_member(environment, "memory"), "limit_bytes", "limit_mb");
	if (!isnan(limit))
		machine->memory_limit_mb = limit;
}

static void read_before(struct reading *reading, json_value *run)
{
	struct run_preconditions *before = &reading->build.facts.before;
	json_value *told = json_value_member(run, "preconditions");
	json_value *storage = json_value_member(run, "storage");
	reading->build.facts.read_mb = positive(size_of(storage, "read_bytes", "read_mb"));
	if (isnan(positive(size_of(told, "memory_available_bytes", "memory_available_mb"))) &&
	    !json_value_member(told, "unclean"))
		return; /* null, or an older document */
	before->known = true;
	before->gpu_used_mb = positive(size_of(told, "gpu_used_bytes", "gpu_used_mb"));
	before->load_per_cpu = positive(number_of(told, "load_per_cpu"));
	before->free_disk_mb =
		fmin(positive(size_of(told, "recording_disk_free_bytes", "recording_disk_free_mb")),
		     positive(size_of(told, "working_disk_free_bytes", "working_disk_free_mb")));
	before->memory_available_mb =
		positive(size_of(told, "memory_available_bytes", "memory_available_mb"));
	before->unclean = facts_text(&reading->build, text_of(told, "unclean"));
}

static uint8_t status_of(const char *text)
{
	for (unsigned status = 0; status < 4; status++)
		if (wan_str_equal(text, wan_op_status_name(status)))
			return (uint8_t)status;
	return WAN_OP_FAILED; /* one that we do not know is none that we may count as success */
}

static void read_operation(struct reading *reading, json_value *metric, size_t index)
{
	json_value *size = json_value_member(metric, "image_size");
	uint64_t started = run_facts_timestamp(text_of(metric, "timestamp"));
	struct run_operation operation = {
		.name = text_of(metric, "operation_name"),
		.library = text_of(metric, "library"),
		.file = text_of(metric, "file"),
		.start_ns = wan_elapsed(reading->build.facts.started_realtime_ns, started),
		.time_ms = positive(time_of(metric, "execution_time_ns", "execution_time_ms")),
		.cpu_ms = positive(time_of(metric, "cpu_time_ns", "cpu_time_ms")),
		.memory_mb = size_of(metric, "memory_usage_bytes", "memory_usage_mb"),
		.peak_mb = positive(size_of(metric, "peak_memory_bytes", "peak_memory_mb")),
		.thread = count32_of(metric, "thread"),
		.process = count32_of(metric, "process"),
		.status = status_of(text_of(metric, "status")),
	};
	operation.width_px = (uint32_t)json_value_unsigned(json_value_at(size, 0), 0);
	operation.height_px = (uint32_t)json_value_unsigned(json_value_at(size, 1), 0);
	operation.input_megapixels = (double)operation.width_px * operation.height_px / 1e6;
	if (!operation.name || isnan(operation.time_ms)) {
		damaged(reading, "operation", index);
		return;
	}
	facts_add_operation(&reading->build, &operation);
}

static void read_row(struct reading *reading, json_value *row, size_t index)
{
	if (json_value_is_true(json_value_member(row, "nested")))
		return;
	uint8_t status = status_of(text_of(row, "status"));
	uint64_t count = count_of(row, "count");
	struct facts_row added = {
		.name = text_of(row, "operation_name"),
		.library = text_of(row, "library"),
		.failed = status == WAN_OP_FAILED || status == WAN_OP_ABORTED,
		.count = count,
		.total_ms = positive(time_of(row, "total_time_ns", "total_time_ms")),
		.max_ms = positive(time_of(row, "max_ns", "max_ms")),
		.cpu_ms = count_of(row, "cpu_time_known_for") == count
				  ? positive(time_of(row, "cpu_time_ns", "cpu_time_ms"))
				  : NAN,
		.peak_mb = mb_or_unknown(row, "peak_memory_bytes", "peak_memory_mb"),
	};
	if (!added.name || isnan(added.total_ms)) {
		damaged(reading, "kind of operation", index);
		return;
	}
	facts_add_row(&reading->build, &added);
}

static void read_phase(struct reading *reading, json_value *phase, size_t index)
{
	json_value *cold = json_value_member(phase, "cold");
	struct run_phase added = {
		.name = text_of(phase, "name"),
		.duration_ms = positive(time_of(phase, "duration_ns", "duration_ms")),
		.steps = count_of(phase, "steps"),
		.cold = json_value_is_true(cold)    ? 1
			: json_value_is_false(cold) ? 0
						    : -1,
	};
	if (!added.name || isnan(added.duration_ms)) {
		damaged(reading, "phase", index);
		return;
	}
	facts_add_phase(&reading->build, &added);
}

static void read_finding(struct reading *reading, json_value *finding, bool recommendation)
{
	facts_add_finding(&reading->build, &(struct run_finding){
						   .id = text_of(finding, "id"),
						   .severity = text_of(finding, "severity"),
						   .title = text_of(finding, "title"),
						   .operation = text_of(finding, "operation_name"),
						   .unit = text_of(finding, "unit"),
						   .value = number_of(finding, "value"),
						   .limit = number_of(finding, "limit"),
						   .recommendation = recommendation,
					   });
}

static void read_lists(struct reading *reading, json_value *document)
{
	json_value *metrics = json_value_member(document, "metrics");
	json_value *rows = json_value_member(document, "operations");
	json_value *phases = json_value_member(json_value_member(document, "progress"), "phases");
	for (size_t i = 0; i < json_value_count(metrics) && !reading->build.error; i++)
		read_operation(reading, json_value_at(metrics, i), i);
	for (size_t i = 0; i < json_value_count(rows) && !reading->build.error; i++)
		read_row(reading, json_value_at(rows, i), i);
	for (size_t i = 0; i < json_value_count(phases) && !reading->build.error; i++)
		read_phase(reading, json_value_at(phases, i), i);
	static const char *const lists[] = {"findings", "recommendations"};
	for (size_t list = 0; list < 2; list++) {
		json_value *findings = json_value_member(document, lists[list]);
		for (size_t i = 0; i < json_value_count(findings); i++)
			read_finding(reading, json_value_at(findings, i), list == 1);
	}
}

static void read_sensors(struct run_sensors *sensors, json_value *summary)
{
	const struct {
		const char *name;
		double *value;
	} read[] = {
		{"cpu_temperature", &sensors->cpu_celsius},
		{"gpu_temperature", &sensors->gpu_celsius},
		{"cpu_throttled", &sensors->cpu_throttled},
		{"gpu_throttled", &sensors->gpu_throttled},
		{"cpu_use", &sensors->cpus_percent},
		{"gpu_use", &sensors->gpu_percent},
	};
	json_value *targets = json_value_member(summary, "targets");
	json_value *average = json_value_member(summary, "average");
	for (size_t i = 0; i < json_value_count(targets); i++)
		for (size_t k = 0; k < WAN_COUNT_OF(read); k++) {
			json_value *target = json_value_at(targets, i);
			if (wan_str_equal(text_of(target, "name"), read[k].name))
				*read[k].value = positive(number_of(target, "value"));
		}
	sensors->cpu_watts = positive(number_of(average, "cpu_power_w"));
	sensors->gpu_watts = positive(number_of(average, "gpu_power_w"));
}

static void read_figures(struct run_facts *facts, json_value *document)
{
	json_value *samples = json_value_member(document, "samples_summary");
	json_value *peak = json_value_member(samples, "peak");
	json_value *average = json_value_member(samples, "average");
	json_value *cache = json_value_member(document, "cache");
	facts->rss_peak_mb = positive(number_of(peak, "rss_mb"));
	facts->gpu_peak_mb = positive(number_of(peak, "gpu_used_mb"));
	facts->system_peak_percent = positive(number_of(peak, "system_used_percent"));
	facts->rss_average_mb = positive(number_of(average, "rss_mb"));
	facts->cpu_average_percent = positive(number_of(average, "cpu_percent"));
	read_sensors(&facts->sensors, samples);
	double requests = (double)count_of(cache, "total_requests");
	facts->cache_hit_rate = requests > 0 ? (double)count_of(cache, "hits") / requests : NAN;
	facts->total_operations =
		count_of(json_value_member(document, "summary"), "total_operations");
}

/* Is it our document, and one that we understand? */
static int check_schema(const char *name, json_value *document, struct wan_error *error)
{
	const char *schema = text_of(document, "schema");
	int64_t version = json_value_integer(json_value_member(document, "schema_version"), 0);
	if (!wan_str_equal(schema, WAN_PROFILE_SCHEMA))
		return wan_error_set(
			error, -EBADMSG, name,
			"give a recording, or what `wanprof dump` writes (format json)",
			"JSON, but not a profile of wanprof");
	if (version > WAN_PROFILE_SCHEMA_VERSION)
		return wan_error_set(error, -ENOTSUP, name,
				     "read it with the wanprof that wrote it, or a newer one",
				     "schema version %lld, this wanprof reads up to %d",
				     (long long)version, WAN_PROFILE_SCHEMA_VERSION);
	if (version < 1 || !json_value_is_list(json_value_member(document, "metrics")) ||
	    !json_value_is_list(json_value_member(document, "operations")))
		return wan_error_set(error, -EBADMSG, name, "dump the recording again",
				     "a profile of wanprof, but parts of it are missing");
	return 0;
}

int run_facts_from_json(struct run_facts *ret_facts, const char *name,
			const struct json_value *document, struct wan_error *reterr_error)
{
	struct reading reading = {.name = name, .error = reterr_error};
	int rc = check_schema(name, document, reterr_error);
	if (rc)
		return rc;
	rc = facts_build_begin(&reading.build);
	if (!rc) {
		reading.build.facts.from_json = true;
		read_run(&reading, document);
		read_machine(&reading, json_value_member(document, "environment"));
		read_before(&reading, json_value_member(document, "run"));
		read_lists(&reading, document);
		read_figures(&reading.build.facts, document);
		rc = facts_build_end(&reading.build, ret_facts);
	}
	if (rc == -ENOMEM)
		wan_error_set(reterr_error, rc, name, "judge fewer or smaller files at a time",
			      "memory ran out while it was read");
	return rc;
}
