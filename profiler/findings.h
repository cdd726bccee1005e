/* SPDX-License-Identifier: MIT */
/*
 * What the numbers mean. Two rule sets over the same rows: "classic" applies the requirements'
 * limits literally, the default adds minimum cost, confidence and identity of inputs. Limits are
 * strict: exactly at the limit is no finding. Pure.
 */
#ifndef WAN_PROFILER_FINDINGS_H
#define WAN_PROFILER_FINDINGS_H

#include "aggregate.h"
#include "config.h"

enum wan_advice_kind {
	WAN_ADVICE_FINDING,
	WAN_ADVICE_RECOMMENDATION,
};
enum wan_finding_severity {
	WAN_FINDING_NOTICE,
	WAN_FINDING_MEDIUM,
	WAN_FINDING_HIGH,
	WAN_FINDING_CRITICAL,
};
enum wan_advice_id {
#define WAN_ADVICE(name, id, kind, severity, title, action, key) WAN_ADVICE_##name,
#include "advice.def"
#undef WAN_ADVICE
	WAN_ADVICE_COUNT
};
struct wan_advice {
	const char *id;
	enum wan_advice_kind kind;
	enum wan_finding_severity severity;
	const char *title, *action, *key;
};
const struct wan_advice *wan_advice(enum wan_advice_id id);
const char *wan_finding_severity_name(enum wan_finding_severity severity);

struct wan_finding {
	const struct wan_advice *advice;
	enum wan_finding_severity severity;
	char operation[96]; /* "" when it is about many */
	char library[32];
	uint64_t count; /* operations concerned */
	double value, limit;
	const char *unit;       /* of value and limit: "ms", "MB", "%", "exponent", "operations" */
	const char *confidence; /* "measured", "95 %", "provisional" */
	char evidence[224];
	char text[320];   /* one line: title, number, limit */
	double saving_ms; /* negative: not estimated */
	double saving_mb; /* of the peak; negative: not estimated */
	double weight_ms; /* time concerned: order within a severity */
};

struct wan_findings {
	struct wan_finding *items; /* worst first */
	size_t count, capacity;
};

struct wan_finding_input {
	const struct wan_view *view;
	const struct wan_rows *rows;
	const struct wan_rows *kinds; /* options apart: what may be compared with itself */
	const struct wan_config *config;
	uint64_t run_cpu_ns; /* CPU time of the run; 0: not known, its duration stands in */
	uint64_t run_ns;
};

/* 0, -ENOMEM. Chooses the rule set by config->profile_rules. */
int wan_findings_init(struct wan_findings *findings, const struct wan_finding_input *input);
void wan_findings_finish(struct wan_findings *findings);

/* The rule sets, and what they share. add returns NULL when memory is out. */
int wan_findings_default(struct wan_findings *findings, const struct wan_finding_input *input);
int wan_findings_classic(struct wan_findings *findings, const struct wan_finding_input *input);
struct wan_finding *wan_findings_add(struct wan_findings *findings, enum wan_advice_id id);
/* What an operation took in memory: the larger of what stayed and the peak; 0 when not known. */
uint64_t wan_operation_memory(const struct wan_recording_operation *record);
/* Percent of one core over its span; negative when not known. */
double wan_operation_cpu_percent(const struct wan_recording_operation *record);

#endif
