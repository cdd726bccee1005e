/* SPDX-License-Identifier: MIT */
/* Dumped JSON that somebody else wrote, through facts, verdict and comparison. */
#include <stdint.h>
#include <stdlib.h>

#include "diff.h"
#include "gate_verdict.h"
#include "json_price.h"
#include "run_facts_json.h"

static int drop(void *context, const void *bytes, size_t count)
{
	return 0;
}

static void judge(const struct run_facts *facts)
{
	struct targets targets;
	struct gate_facts measured;
	struct gate_report report;
	struct comparison comparison;
	struct diff diff;
	struct wan_json json;
	if (targets_init(&targets) || gate_facts_init(&measured, facts, 1) ||
	    compare_runs(&comparison, facts, 1, facts, 1, 0) ||
	    diff_runs(&diff, facts, 1, facts, 1))
		abort();
	struct gate_input input = {.targets = &targets,
				   .measurements = measured.measurements,
				   .measurement_count = measured.measurement_count,
				   .values = measured.values,
				   .value_count = measured.value_count,
				   .comparison = &comparison};
	if (gate_judge(&report, &input))
		abort();
	for (size_t i = 0; i < comparison.count; i++)
		if (comparison.rows[i].verdict == COMPARE_SLOWER)
			abort(); /* than itself */
	wan_json_init(&json, drop, NULL, false);
	wan_json_object_begin(&json);
	gate_report_json(&report, &json);
	diff_json(&diff, &json);
	wan_json_object_end(&json);
	if (wan_json_finish(&json))
		abort();
	diff_finish(&diff);
	gate_report_finish(&report);
	compare_finish(&comparison);
	gate_facts_finish(&measured);
	targets_finish(&targets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_input input;
	struct run_facts facts;
	struct wan_error error = {0};
	if (json_input_parse(&input, "fuzz", (const char *)data, size, &error)) {
		if (!error.reason[0])
			abort();
		return 0;
	}
	if (json_input_used() > json_price((const char *)data, size).bytes)
		abort();
	if (run_facts_from_json(&facts, "fuzz", input.root, &error) == 0) {
		judge(&facts);
		run_facts_finish(&facts);
	}
	json_input_finish(&input);
	return 0;
}
