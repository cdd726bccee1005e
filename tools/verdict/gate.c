/* SPDX-License-Identifier: MIT */
/*
 * The rules, in the order of the exit status: 1 success below its limit, a hard target missed, a
 * regression; 2 compliance below its limit, of all tests or of what one target is for; 3 something
 * could not be judged and might have changed the verdict; 0.
 */
#include "gate_verdict.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "gate_parts.h"
#include "macros.h"
#include "str.h"

const char *gate_exit_name(enum gate_exit verdict)
{
	static const char *const names[] = {"met", "failed", "warning", "inconclusive"};
	return names[verdict];
}

static struct gate_row *row_of(struct gate_report *report, const struct target *target)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].target == target)
			return &report->rows[i];
	if (wan_array_reserve(&report->rows, &report->row_capacity, report->row_count + 1,
			      sizeof(report->rows[0])))
		return NULL;
	struct gate_row *row = &report->rows[report->row_count++];
	*row = (struct gate_row){.target = target, .worst = NAN};
	return row;
}

/* How far beyond (positive) or within (negative) the nearer end, in parts of it. */
static double excess(const struct target *target, double value)
{
	double above = target->high < INFINITY
			       ? (value - target->high) / fmax(fabs(target->high), 1)
			       : -INFINITY;
	double below = target->low > -INFINITY ? (target->low - value) / fmax(fabs(target->low), 1)
					       : -INFINITY;
	return fmax(above, below);
}

/* Count a value for its target. upper: the value is a bound from above of `count` values. */
static int count_value(struct gate_report *report, const struct target *target, double value,
		       bool upper, uint64_t count, const char *name,
		       enum target_verdict *ret_verdict)
{
	*ret_verdict = TARGET_MET;
	if (!target || (target->low == -INFINITY && target->high == INFINITY))
		return 0;
	struct gate_row *row = row_of(report, target);
	if (!row)
		return -ENOMEM;
	enum target_verdict verdict = target_judge(target, value);
	/* The largest of many misses: how many others do is not known. */
	if (upper && count > 1 && verdict != TARGET_MET)
		verdict = TARGET_UNKNOWN;
	row->met += verdict == TARGET_MET ? count : 0;
	row->above += verdict == TARGET_ABOVE ? count : 0;
	row->below += verdict == TARGET_BELOW ? count : 0;
	row->unknown += verdict == TARGET_UNKNOWN ? count : 0;
	if (!isnan(value) &&
	    (isnan(row->worst) || excess(target, value) > excess(target, row->worst))) {
		row->worst = value;
		row->worst_name = name;
	}
	*ret_verdict = verdict;
	return 0;
}

/* A file may name a million operations; beyond these they share one result. */
enum { RESULTS_MAX = 4096 };

static struct gate_result *result_of(struct gate_result **items, size_t *count, size_t *capacity,
				     const char *name)
{
	for (size_t i = *count; i-- > 0;)
		if ((*items)[i].name == name || strcmp((*items)[i].name, name) == 0)
			return &(*items)[i];
	if (*count == RESULTS_MAX)
		return &(*items)[RESULTS_MAX - 1];
	if (wan_array_reserve(items, capacity, *count + 1, sizeof(**items)))
		return NULL;
	if (*count == RESULTS_MAX - 1)
		name = "(others)";
	(*items)[*count] = (struct gate_result){.name = name, .max_ms = NAN, .max_memory_mb = NAN};
	return &(*items)[(*count)++];
}

struct outcome {
	uint64_t count;
	bool ok, complied, unknown;
};

static void add_result(struct gate_result *result, const struct gate_measurement *measurement,
		       const struct outcome *outcome)
{
	result->tests += outcome->count;
	result->ok += outcome->ok ? outcome->count : 0;
	result->complied += outcome->complied ? outcome->count : 0;
	result->unknown += outcome->unknown ? outcome->count : 0;
	result->total_ms += isnan(measurement->ms) ? 0 : measurement->ms * (double)outcome->count;
	result->max_ms = fmax(result->max_ms, measurement->ms);
	result->max_memory_mb = fmax(result->max_memory_mb, measurement->memory_mb);
}

static int add_results(struct gate_report *report, const struct gate_measurement *measurement,
		       const struct outcome *outcome)
{
	struct gate_result *result =
		result_of(&report->operations, &report->operation_count,
			  &report->operation_capacity, measurement->name ? measurement->name : "");
	if (!result)
		return -ENOMEM;
	add_result(result, measurement, outcome);
	if (!measurement->group)
		return 0;
	result = result_of(&report->groups, &report->group_count, &report->group_capacity,
			   measurement->group);
	if (!result)
		return -ENOMEM;
	add_result(result, measurement, outcome);
	return 0;
}

static enum target_subject subject_of(const struct gate_measurement *measurement)
{
	return measurement->batch        ? TARGET_BATCH
	       : measurement->concurrent ? TARGET_CONCURRENT
					 : TARGET_OPERATION;
}

static int judge_measurement(struct gate_report *report, const struct gate_measurement *measurement)
{
	const struct gate_input *input = report->input;
	struct target_run run = input->run;
	enum target_subject subject = measurement->batch        ? TARGET_BATCH
				      : measurement->concurrent ? TARGET_CONCURRENT
								: TARGET_OPERATION;
	struct outcome outcome = {.count = WAN_MAX(measurement->count, (uint64_t)1),
				  .ok = measurement->ok,
				  .complied = measurement->ok};
	static const enum target_metric metrics[] = {TARGET_time_ms, TARGET_memory_mb};
	double values[] = {measurement->ms, measurement->memory_mb};
	run.is[TARGET_FILTER_GROUP] =
		measurement->group ? measurement->group : run.is[TARGET_FILTER_GROUP];
	for (size_t i = 0; i < 2 && measurement->ok; i++) {
		enum target_verdict verdict;
		const struct target *target = targets_find(input->targets, subject, metrics[i],
							   measurement->name, &run, NULL);
		if (count_value(report, target, values[i], true, outcome.count, measurement->name,
				&verdict))
			return -ENOMEM;
		outcome.complied &= verdict == TARGET_MET;
		outcome.unknown |= verdict == TARGET_UNKNOWN;
	}
	report->total_tests += outcome.count;
	report->ok += outcome.ok ? outcome.count : 0;
	report->complied += outcome.complied ? outcome.count : 0;
	report->unknown += outcome.unknown ? outcome.count : 0;
	return add_results(report, measurement, &outcome);
}

static double least(const struct gate_report *report, enum target_metric metric)
{
	const struct target *target =
		targets_find(report->input->targets, TARGET_ALL, metric, "", NULL, NULL);
	return target ? target->low : -INFINITY;
}

static bool rate_missed(const struct gate_report *report, enum target_metric metric, double rate)
{
	const struct target *target =
		targets_find(report->input->targets, TARGET_ALL, metric, "", NULL, NULL);
	return target && target_judge(target, rate) == TARGET_BELOW;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : NAN;
}

static int judge_row(struct gate_report *report, struct gate_row *row)
{
	const struct target *target = row->target;
	uint64_t missed = row->above + row->below, all = row->met + missed + row->unknown;
	char line[TARGET_LINE_BYTES];
	const char *name = row->worst_name ? row->worst_name : "";
	const char *unit = target_metric_unit(target->metric);
	target_line(target, line);
	if (missed && (target->hard || rate_missed(report, TARGET_compliance_percent,
						   percent(row->met + row->unknown, all)))) {
		row->verdict = target->hard ? GATE_FAILED : GATE_WARNING;
		const char *how = !row->above               ? "below"
				  : row->below              ? "outside"
				  : target->low > -INFINITY ? "above"
							    : "not met by";
		return gate_say(&report->reasons, "%s: %s %llu of %llu, worst %.4g %s%s%.60s", line,
				how, (unsigned long long)missed, (unsigned long long)all,
				row->worst, unit, name[0] ? " of " : "", name);
	}
	if (row->unknown && (target->hard || rate_missed(report, TARGET_compliance_percent,
							 percent(row->met, all)))) {
		row->verdict = GATE_INCONCLUSIVE;
		return gate_say(&report->reasons, "%s: not known of %llu of %llu", line,
				(unsigned long long)row->unknown, (unsigned long long)all);
	}
	return 0;
}

/* Lines for a machine that is not known: nothing says whether they are for this one. */
static int judge_filters(struct gate_report *report)
{
	const struct gate_input *input = report->input;
	const char *unknown = NULL;
	for (size_t i = 0; i < input->targets->count; i++) {
		const struct target *target = &input->targets->items[i];
		for (size_t k = 0; k <= input->value_count && !unknown; k++) {
			const struct target_run *run =
				k < input->value_count ? &input->values[k].run : &input->run;
			if (k < input->value_count || !input->value_count)
				target_applies(target, run, &unknown);
		}
	}
	if (!unknown)
		return 0;
	gate_raise(report, GATE_INCONCLUSIVE);
	return gate_say(&report->reasons,
			"targets for a %s are not judged: it is not known of these runs", unknown);
}

/* Does what a target names exist in what was measured? One for "*" asks for nothing by name. */
static bool exists(const struct gate_input *input, const struct target *target)
{
	bool applies = false, found = false;
	for (size_t i = 0; i < input->value_count && !found; i++) {
		const struct gate_value *value = &input->values[i];
		if (!target_applies(target, &value->run, NULL))
			continue;
		applies = true;
		found = target->subject == value->subject &&
			wan_str_glob(target->name, value->name ? value->name : "");
	}
	if (!input->value_count)
		applies = target_applies(target, &input->run, NULL);
	for (size_t i = 0; applies && i < input->measurement_count && !found; i++)
		found = target->subject == subject_of(&input->measurements[i]) &&
			wan_str_glob(target->name, input->measurements[i].name);
	return found || !applies;
}

static int judge_absent(struct gate_report *report)
{
	const struct targets *targets = report->input->targets;
	int rc = 0;
	for (size_t i = 0; i < targets->count && !rc; i++) {
		const struct target *target = &targets->items[i];
		char line[TARGET_LINE_BYTES];
		if (target->subject > TARGET_PHASE || strcmp(target->name, "*") == 0 ||
		    exists(report->input, target))
			continue;
		gate_raise(report, GATE_INCONCLUSIVE);
		rc = gate_say(&report->reasons, "%s: nothing of that name was recorded",
			      target_line(target, line));
	}
	return rc;
}

static int judge_values(struct gate_report *report)
{
	const struct gate_input *input = report->input;
	for (size_t i = 0; i < input->value_count; i++) {
		const struct gate_value *value = &input->values[i];
		enum target_verdict verdict;
		const struct target *target =
			targets_find(input->targets, value->subject, value->metric, value->name,
				     &value->run, NULL);
		if (count_value(report, target, value->value, false, 1, value->name, &verdict))
			return -ENOMEM;
	}
	int rc = judge_filters(report);
	return rc ? rc : judge_absent(report);
}

static int judge_rates(struct gate_report *report)
{
	uint64_t total = report->total_tests;
	report->success_rate = percent(report->ok, total);
	report->compliance_rate = percent(report->complied, total);
	report->success_limit = least(report, TARGET_success_percent);
	report->compliance_limit = least(report, TARGET_compliance_percent);
	if (!total && !report->row_count) {
		gate_raise(report, GATE_INCONCLUSIVE);
		return gate_say(&report->reasons, "there is nothing to judge: no operation ended");
	}
	int rc = 0;
	if (rate_missed(report, TARGET_success_percent, report->success_rate)) {
		gate_raise(report, GATE_FAILED);
		rc = gate_say(
			&report->reasons,
			"success rate %.1f %%, at least %g %% wanted: %llu of %llu operations "
			"failed",
			report->success_rate, report->success_limit,
			(unsigned long long)(total - report->ok), (unsigned long long)total);
	}
	if (rc)
		return rc;
	double best = percent(report->complied + report->unknown, total);
	if (rate_missed(report, TARGET_compliance_percent, best)) {
		gate_raise(report, GATE_WARNING);
		return gate_say(
			&report->reasons,
			"compliance %.1f %%, at least %g %% wanted: %llu of %llu tests missed "
			"a target or failed",
			best, report->compliance_limit,
			(unsigned long long)(total - report->complied - report->unknown),
			(unsigned long long)total);
	}
	if (rate_missed(report, TARGET_compliance_percent, report->compliance_rate)) {
		gate_raise(report, GATE_INCONCLUSIVE);
		return gate_say(
			&report->reasons,
			"compliance between %.1f and %.1f %%: a value that decides is not known "
			"of %llu tests",
			report->compliance_rate, best, (unsigned long long)report->unknown);
	}
	return 0;
}

int gate_judge(struct gate_report *ret_report, const struct gate_input *input)
{
	struct gate_report report = {.input = input};
	int rc = 0;
	for (size_t i = 0; i < input->measurement_count && !rc; i++)
		rc = judge_measurement(&report, &input->measurements[i]);
	if (!rc)
		rc = judge_values(&report);
	if (!rc)
		rc = judge_rates(&report);
	for (size_t i = 0; i < report.row_count && !rc; i++) {
		rc = judge_row(&report, &report.rows[i]);
		gate_raise(&report, report.rows[i].verdict);
	}
	if (!rc)
		rc = gate_judge_comparison(&report);
	if (!rc && input->damaged) {
		gate_raise(&report, GATE_INCONCLUSIVE);
		rc = gate_say(&report.reasons,
			      "%.200s is damaged: only what could be read of it was judged",
			      input->damaged);
	}
	if (!rc)
		rc = gate_recommend(&report);
	if (rc)
		gate_report_finish(&report);
	else
		*ret_report = report;
	return rc;
}

void gate_report_finish(struct gate_report *report)
{
	wan_free(report->rows);
	wan_free(report->operations);
	wan_free(report->groups);
	wan_free(report->reasons.items);
	wan_free(report->recommendations.items);
	*report = (struct gate_report){0};
}
