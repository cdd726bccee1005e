/* SPDX-License-Identifier: MIT */
/*
 * The verdict: a pure function of measurements, values of runs, targets and a comparison. Nothing
 * here reads a clock, a file or the machine.
 */
#ifndef WAN_TOOLS_GATE_VERDICT_H
#define WAN_TOOLS_GATE_VERDICT_H

#include <stdio.h>

#include "compare.h"
#include "json_writer.h"
#include "run_facts.h"
#include "targets.h"

/* One test: an operation, or many that share what is known of them. Text is borrowed until the
 * report is finished. */
struct gate_measurement {
	const char *name;  /* "jpeg.decode", "1280x720 medium thumbnail" */
	const char *group; /* variant, configuration or job: results_by_group; NULL: none */
	double ms;         /* NAN: not known */
	double memory_mb;  /* NAN: not known */
	uint64_t count;    /* 0 and 1: one; more: all are at most ms and memory_mb */
	bool ok, concurrent, batch;
};

/* A figure of a whole run or phase. */
struct gate_value {
	enum target_subject subject; /* TARGET_RUN or TARGET_PHASE */
	enum target_metric metric;
	const char *name; /* job or phase */
	double value;     /* NAN: not known */
	struct target_run run;
};

struct gate_input {
	const struct targets *targets;
	const struct gate_measurement *measurements;
	size_t measurement_count;
	struct target_run
		run; /* of the measurements; group is that of each measurement if it has one */
	const struct gate_value *values;
	size_t value_count;
	const struct comparison *comparison; /* NULL: none was asked for */
	const char *damaged; /* a file of which parts could not be read: no pass rests on it */
};

enum gate_exit {
	GATE_MET = 0,
	GATE_FAILED = 1,
	GATE_WARNING = 2,
	GATE_INCONCLUSIVE = 3,
};

/* How one target fared. */
struct gate_row {
	const struct target *target;
	uint64_t met, above, below, unknown;
	double worst; /* the value farthest beyond, or nearest to, the limit */
	const char *worst_name;
	enum gate_exit verdict;
};

/* Tests of one name, or of one group. */
struct gate_result {
	const char *name;
	uint64_t tests, ok, complied, unknown;
	double total_ms, max_ms, max_memory_mb; /* of those known; NAN: none */
};

enum { GATE_TEXT_BYTES = 320 };
struct gate_texts {
	char (*items)[GATE_TEXT_BYTES];
	size_t count, capacity;
};

struct gate_report {
	uint64_t total_tests, ok, complied,
		unknown; /* unknown: those whose values decide and are missing */
	double success_rate, compliance_rate; /* percent; NAN without tests */
	double success_limit, compliance_limit;
	enum gate_exit verdict;
	struct gate_row *rows;
	struct gate_result *operations, *groups;
	size_t row_count, operation_count, group_count;
	size_t row_capacity, operation_capacity, group_capacity;
	struct gate_texts reasons;         /* why the verdict is not 0, worst first */
	struct gate_texts recommendations; /* what to do about it */
	const struct gate_input *input;    /* borrowed */
};

/* 0, -ENOMEM (nothing is left). */
int gate_judge(struct gate_report *ret_report, const struct gate_input *input);
void gate_report_finish(struct gate_report *report);

/* Measurements and values of recorded runs. Text is borrowed from the facts. */
struct gate_facts {
	struct gate_measurement *measurements;
	struct gate_value *values;
	size_t measurement_count, value_count, measurement_capacity, value_capacity;
	struct target_run *runs;
	char (*ram)[24];
};
int gate_facts_init(struct gate_facts *ret_facts, const struct run_facts *runs, size_t count);
void gate_facts_finish(struct gate_facts *facts);

/* The report as text for people, and as the members of an open JSON object (summary,
 * performance_targets, results_by_operation, results_by_group, targets, regressions, comparison,
 * reasons, recommendations). */
void gate_report_text(const struct gate_report *report, FILE *to);
void gate_report_json(const struct gate_report *report, struct wan_json *json);
const char *gate_exit_name(enum gate_exit verdict); /* "met", "failed", "warning", "inconclusive" */

#endif
