/* SPDX-License-Identifier: MIT */
/* The verdict for machines: tools/schemas/gate.schema.json. */
#include <math.h>

#include "gate_verdict.h"

static double most(const struct gate_report *report, enum target_subject subject,
		   enum target_metric metric)
{
	const struct target *target =
		targets_find(report->input->targets, subject, metric, "*", NULL, NULL);
	return target ? target->high : NAN;
}

static void summary(const struct gate_report *report, struct wan_json *json)
{
	wan_json_key(json, "summary");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "total_tests", report->total_tests);
	wan_json_key_u64(json, "succeeded", report->ok);
	wan_json_key_u64(json, "complied", report->complied);
	wan_json_key_u64(json, "not_judged", report->unknown);
	wan_json_key_double(json, "success_rate", report->success_rate, 4);
	wan_json_key_double(json, "real_time_compliance_rate", report->compliance_rate, 4);
	wan_json_key_string(json, "verdict", gate_exit_name(report->verdict));
	wan_json_key_u64(json, "exit_status", report->verdict);
	wan_json_object_end(json);
	wan_json_key(json, "performance_targets");
	wan_json_object_begin(json);
	wan_json_key_double(json, "real_time_target_ms",
			    most(report, TARGET_OPERATION, TARGET_time_ms), 3);
	wan_json_key_double(json, "max_memory_per_inference_mb",
			    most(report, TARGET_OPERATION, TARGET_memory_mb), 3);
	wan_json_key_double(json, "max_memory_per_batch_mb",
			    most(report, TARGET_BATCH, TARGET_memory_mb), 3);
	wan_json_key_double(json, "concurrent_target_ms",
			    most(report, TARGET_CONCURRENT, TARGET_time_ms), 3);
	wan_json_key_double(json, "success_rate_percent", report->success_limit, 3);
	wan_json_key_double(json, "real_time_compliance_percent", report->compliance_limit, 3);
	wan_json_object_end(json);
}

static void results(struct wan_json *json, const char *key, const struct gate_result *items,
		    size_t count)
{
	wan_json_key(json, key);
	wan_json_object_begin(json);
	for (size_t i = 0; i < count; i++) {
		const struct gate_result *result = &items[i];
		double tests = (double)result->tests;
		wan_json_key(json, result->name);
		wan_json_object_begin(json);
		wan_json_key_u64(json, "tests", result->tests);
		wan_json_key_u64(json, "not_judged", result->unknown);
		wan_json_key_double(json, "success_rate", 100 * (double)result->ok / tests, 4);
		wan_json_key_double(json, "real_time_compliance_rate",
				    100 * (double)result->complied / tests, 4);
		wan_json_key_double(json, "average_time_ms", result->total_ms / tests, 6);
		wan_json_key_double(json, "max_time_ms", result->max_ms, 6);
		wan_json_key_double(json, "max_memory_mb", result->max_memory_mb, 6);
		wan_json_object_end(json);
	}
	wan_json_object_end(json);
}

static void rows(const struct gate_report *report, struct wan_json *json)
{
	char line[TARGET_LINE_BYTES];
	wan_json_key(json, "targets");
	wan_json_array_begin(json);
	for (size_t i = 0; i < report->row_count; i++) {
		const struct gate_row *row = &report->rows[i];
		const struct target *target = row->target;
		wan_json_object_begin(json);
		wan_json_key_string(json, "target", target_line(target, line));
		wan_json_key_string(json, "subject", target_subject_name(target->subject));
		wan_json_key_string(json, "name", target->name);
		wan_json_key_string(json, "metric", target_metric_name(target->metric));
		wan_json_key_string(json, "unit", target_metric_unit(target->metric));
		wan_json_key_double(json, "least", target->low, 6); /* infinite: null */
		wan_json_key_double(json, "most", target->high, 6);
		wan_json_key_bool(json, "hard", target->hard);
		wan_json_key_u64(json, "met", row->met);
		wan_json_key_u64(json, "above", row->above);
		wan_json_key_u64(json, "below", row->below);
		wan_json_key_u64(json, "not_known", row->unknown);
		wan_json_key_double(json, "worst", row->worst, 6);
		wan_json_key_string(json, "worst_name", row->worst_name);
		wan_json_key_string(json, "verdict", gate_exit_name(row->verdict));
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void compared_row(struct wan_json *json, const struct compare_row *row)
{
	wan_json_object_begin(json);
	wan_json_key_string(json, "operation_name", row->name);
	wan_json_key_string(json, "library", row->library && row->library[0] ? row->library : NULL);
	wan_json_key_double(json, "base_ms", row->base_ms, 6);
	wan_json_key_double(json, "now_ms", row->now_ms, 6);
	wan_json_key_double(json, "change_percent", 100 * (row->ratio.estimate - 1), 4);
	wan_json_key_double(json, "low_percent",
			    row->ratio.high < INFINITY ? 100 * (row->ratio.low - 1) : NAN, 4);
	wan_json_key_double(json, "high_percent", 100 * (row->ratio.high - 1), 4);
	wan_json_key_u64(json, "pairs", row->pairs);
	wan_json_key_u64(json, "more_pairs_wanted", row->wanted);
	wan_json_key_double(json, "share_percent", 100 * row->share, 3);
	wan_json_key_string(json, "verdict", compare_verdict_name(row->verdict));
	wan_json_key_double(json, "base_memory_mb", row->base_mb, 4);
	wan_json_key_double(json, "now_memory_mb", row->now_mb, 4);
	wan_json_key_double(json, "memory_change_percent", 100 * (row->now_mb / row->base_mb - 1),
			    4);
	wan_json_key_bool(json, "memory_grown", row->mb_verdict == COMPARE_SLOWER);
	wan_json_object_end(json);
}

static void comparison(const struct comparison *compared, struct wan_json *json)
{
	wan_json_key(json, "comparison");
	if (!compared) {
		wan_json_null(json);
		return;
	}
	wan_json_object_begin(json);
	wan_json_key_bool(json, "comparable", compared->comparable);
	wan_json_key_string(json, "reason", compared->reason[0] ? compared->reason : NULL);
	wan_json_key_u64(json, "base_runs", compared->base_runs);
	wan_json_key_u64(json, "now_runs", compared->now_runs);
	wan_json_key_string(json, "paired", compared->by_runs ? "runs" : "operations");
	wan_json_key_bool(json, "interleaved", compared->by_runs && compared->interleaved);
	wan_json_key_double(json, "limit_percent", compared->limit_percent, 3);
	wan_json_key_double(json, "confidence_percent", 100 * COMPARE_CONFIDENCE, 2);
	wan_json_key_u64(json, "kinds_without_partner", compared->unmatched);
	wan_json_key(json, "rows");
	wan_json_array_begin(json);
	for (size_t i = 0; i < compared->count; i++)
		compared_row(json, &compared->rows[i]);
	wan_json_array_end(json);
	wan_json_object_end(json);
}

static void regressions(const struct comparison *compared, struct wan_json *json)
{
	wan_json_key(json, "regressions");
	wan_json_array_begin(json);
	for (size_t i = 0; compared && compared->comparable && i < compared->count; i++)
		if (compared->rows[i].verdict == COMPARE_SLOWER ||
		    compared->rows[i].mb_verdict == COMPARE_SLOWER)
			compared_row(json, &compared->rows[i]);
	wan_json_array_end(json);
}

static void list(struct wan_json *json, const char *key, const struct gate_texts *texts)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (size_t i = 0; i < texts->count; i++)
		wan_json_string(json, texts->items[i]);
	wan_json_array_end(json);
}

void gate_report_json(const struct gate_report *report, struct wan_json *json)
{
	summary(report, json);
	results(json, "results_by_operation", report->operations, report->operation_count);
	results(json, "results_by_group", report->groups, report->group_count);
	rows(report, json);
	comparison(report->input->comparison, json);
	regressions(report->input->comparison, json);
	list(json, "reasons", &report->reasons);
	list(json, "recommendations", &report->recommendations);
}
