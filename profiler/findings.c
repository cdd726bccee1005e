/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "str.h"

static const struct wan_advice advices[] = {
#define WAN_ADVICE(name, id, kind, severity, title, action, key)                                   \
	{id, WAN_ADVICE_##kind, WAN_FINDING_##severity, title, action, key},
#include "advice.def"
#undef WAN_ADVICE
};

const struct wan_advice *wan_advice(enum wan_advice_id id)
{
	return &advices[id];
}

const char *wan_finding_severity_name(enum wan_finding_severity severity)
{
	static const char *const names[] = {"notice", "medium", "high", "critical"};
	return names[severity];
}

uint64_t wan_operation_memory(const struct wan_recording_operation *record)
{
	uint64_t stayed = record->memory_bytes > 0 ? (uint64_t)record->memory_bytes : 0;
	uint64_t peak = record->peak_bytes == UINT64_MAX ? 0 : record->peak_bytes;
	return stayed > peak ? stayed : peak;
}

double wan_operation_cpu_percent(const struct wan_recording_operation *record)
{
	if (record->cpu_ns == UINT64_MAX || !record->span_ns)
		return -1;
	return 100.0 * (double)record->cpu_ns / (double)record->span_ns;
}

struct wan_finding *wan_findings_add(struct wan_findings *findings, enum wan_advice_id id)
{
	if (wan_array_reserve(&findings->items, &findings->capacity, findings->count + 1,
			      sizeof(*findings->items)))
		return NULL;
	struct wan_finding *finding = &findings->items[findings->count++];
	*finding = (struct wan_finding){
		.advice = &advices[id],
		.severity = advices[id].severity,
		.unit = "operations",
		.confidence = "measured",
		.saving_ms = -1,
		.saving_mb = -1,
	};
	return finding;
}

static int worst_first(const void *left, const void *right)
{
	const struct wan_finding *a = left, *b = right;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->weight_ms != b->weight_ms)
		return a->weight_ms > b->weight_ms ? -1 : 1;
	if (a->advice != b->advice)
		return a->advice < b->advice ? -1 : 1;
	int order = strcmp(a->operation, b->operation);
	return order ? order : strcmp(a->text, b->text);
}

int wan_findings_init(struct wan_findings *findings, const struct wan_finding_input *input)
{
	*findings = (struct wan_findings){0};
	int rc = strcmp(input->config->profile_rules, "classic") == 0
			 ? wan_findings_classic(findings, input)
			 : wan_findings_default(findings, input);
	if (rc) {
		wan_findings_finish(findings);
		return rc;
	}
	if (findings->count)
		qsort(findings->items, findings->count, sizeof(*findings->items), worst_first);
	return 0;
}

void wan_findings_finish(struct wan_findings *findings)
{
	wan_free(findings->items);
	*findings = (struct wan_findings){0};
}
