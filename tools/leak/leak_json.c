/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <math.h>
#include <string.h>

#include "heap.h"
#include "json_writer.h"
#include "macros.h"
#include "str.h"

static const double MB = 1024.0 * 1024;

static void number(struct wan_json *json, const char *name, double value, unsigned decimals)
{
	if (isfinite(value))
		wan_json_key_double(json, name, value, decimals);
	else
		wan_json_key_null(json, name);
}

static const char *shape_name(enum wan_leak_shape shape)
{
	static const char *const names[] = {[WAN_LEAK_FLAT] = "flat",
					    [WAN_LEAK_TOO_FEW] = "too_few",
					    [WAN_LEAK_STEADY] = "steady",
					    [WAN_LEAK_ENDED] = "ended",
					    [WAN_LEAK_DYING_AWAY] = "dying_away",
					    [WAN_LEAK_SLOW] = "slow",
					    [WAN_LEAK_UNEVEN] = "uneven",
					    [WAN_LEAK_NOISY] = "noisy",
					    [WAN_LEAK_UNSURE] = "unsure",
					    [WAN_LEAK_OVER_LIMIT] = "over_limit"};
	return (unsigned)shape < WAN_COUNT_OF(names) ? names[shape] : "uneven";
}

static void write_readings(struct wan_json *json, const struct leak_series *series)
{
	wan_json_key(json, "readings");
	wan_json_array_begin(json);
	for (size_t i = 0; series->known && i < series->count; i++) {
		wan_json_object_begin(json);
		wan_json_key_u64(json, "iteration", (uint64_t)series->readings[i].at);
		wan_json_key_double(json, "mb", series->readings[i].bytes / MB, 3);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	/* As the requirements list them; of thinned readings those between the ones above. */
	wan_json_key(json, "differences_mb");
	wan_json_array_begin(json);
	for (size_t i = 1; series->known && i < series->count; i++)
		wan_json_double(
			json, (series->readings[i].bytes - series->readings[i - 1].bytes) / MB, 3);
	wan_json_array_end(json);
}

static void write_series(struct wan_json *json, const struct leak_series *series,
			 const struct leak_options *options)
{
	const struct wan_leak_judgement *judgement = &series->judgement;
	char reason[192];
	wan_leak_explain(judgement, &options->rules, reason, sizeof(reason));
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", series->name);
	wan_json_key_bool(json, "known", series->known);
	wan_json_key_string(json, "verdict",
			    series->known ? leak_verdict_name(judgement->verdict) : NULL);
	wan_json_key_string(json, "shape", series->known ? shape_name(judgement->shape) : NULL);
	wan_json_key_string(json, "reason", series->known ? reason : NULL);
	number(json, "growth_mb", series->known ? judgement->growth_bytes / MB : NAN, 3);
	number(json, "per_iteration_bytes", series->known ? judgement->each : NAN, 1);
	number(json, "per_iteration_low_bytes", series->known ? judgement->low : NAN, 1);
	number(json, "per_iteration_high_bytes", series->known ? judgement->high : NAN, 1);
	number(json, "later_half_per_iteration_bytes", series->known ? judgement->late : NAN, 1);
	write_readings(json, series);
	wan_json_object_end(json);
}

static void write_keepers(struct wan_json *json, const struct leak_report *report)
{
	wan_json_key(json, "operations");
	wan_json_array_begin(json);
	for (size_t i = 0; i < report->keeper_count; i++) {
		const struct leak_keeper *keeper = &report->keepers[i];
		wan_json_object_begin(json);
		wan_json_key_string(json, "operation_name", keeper->name);
		wan_json_key_string(json, "library", keeper->library);
		wan_json_key_u64(json, "count", keeper->calls);
		wan_json_key_double(json, "kept_per_call_bytes", keeper->each_bytes, 1);
		wan_json_key_double(json, "kept_mb",
				    keeper->each_bytes * (double)keeper->calls / MB, 3);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

int leak_write_json(int fd, const struct leak_report *report, const struct leak_options *options,
		    const char *command)
{
	struct wan_json json;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanprof-leak");
	wan_json_key_u64(&json, "schema_version", 1);
	wan_json_key_string(&json, "command", command);
	wan_json_key_string(&json, "verdict", leak_verdict_name(report->verdict));
	wan_json_key_string(&json, "kind", report->kind);
	wan_json_key_string(&json, "iterations_from",
			    report->from == LEAK_FROM_AUTO ? NULL : leak_from_name(report->from));
	wan_json_key_string(&json, "iterations_of", report->unit[0] ? report->unit : NULL);
	wan_json_key_u64(&json, "iterations", report->seen);
	if (report->pid)
		wan_json_key_u64(&json, "process", report->pid);
	else
		wan_json_key_null(&json, "process");
	wan_json_key_string(&json, "source",
			    wan_heap_books_name((enum wan_heap_books)report->books));
	wan_json_key(&json, "limits");
	wan_json_object_begin(&json);
	wan_json_key_u64(&json, "iterations", options->rules.iterations);
	wan_json_key_double(&json, "growth_mb", options->rules.limit_bytes / MB, 3);
	wan_json_key_double(&json, "per_iteration_bytes", options->rules.each_bytes, 0);
	wan_json_key_string(&json, "rules", options->rules.classic ? "classic" : "default");
	wan_json_object_end(&json);
	wan_json_key(&json, "series");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < report->series_count; i++)
		write_series(&json, &report->series[i], options);
	wan_json_array_end(&json);
	write_keepers(&json, report);
	wan_json_key_i64(&json, "exit_status", report->status);
	wan_json_key_string(&json, "note", report->note[0] ? report->note : NULL);
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	return wan_json_finish(&json);
}
