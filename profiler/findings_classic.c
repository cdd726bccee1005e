/* SPDX-License-Identifier: MIT */
/*
 * The requirements, literally: every outermost operation counts, limits are strict, all kinds of
 * operations are mixed, an operation without a size is small, repetition is the same name, size and
 * file size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "findings.h"
#include "macros.h"
#include "str.h"

struct tally {
	uint64_t slow, memory, cpu, validations, streaming, thumbnails, repeated;
	double worst_ms, worst_mb, worst_cpu;
	uint64_t slow_ns, thumbnail_ns, repeated_ns;
	uint64_t large, small;
	double large_ns, small_ns;
};

static double mb(uint64_t bytes)
{
	return (double)bytes / (double)WAN_MIB;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void count_one(struct tally *tally, const struct wan_recording_operation *record,
		      const struct wan_config *config)
{
	uint64_t memory = wan_operation_memory(record);
	double cpu = wan_operation_cpu_percent(record);
	uint64_t pixels = (uint64_t)record->width_px * record->height_px;
	if (record->inside_ns > config->profile_slow_ns) {
		tally->slow++;
		tally->slow_ns += record->inside_ns;
		tally->worst_ms = WAN_MAX(tally->worst_ms, ms(record->inside_ns));
	}
	if (memory > config->profile_memory_bytes) {
		tally->memory++;
		tally->worst_mb = WAN_MAX(tally->worst_mb, mb(memory));
	}
	if (cpu > config->profile_cpu_pct) {
		tally->cpu++;
		tally->worst_cpu = WAN_MAX(tally->worst_cpu, cpu);
	}
	if (memory > config->profile_streaming_bytes)
		tally->streaming++;
	if (pixels > config->profile_large_px) {
		tally->large++;
		tally->large_ns += (double)record->inside_ns;
	} else {
		tally->small++;
		tally->small_ns += (double)record->inside_ns;
	}
	if (strstr(wan_operation_name(record), "validation"))
		tally->validations++;
	if (strstr(wan_operation_name(record), "thumbnail")) {
		tally->thumbnails++;
		tally->thumbnail_ns += record->inside_ns;
	}
}

static int by_work(const void *left, const void *right)
{
	const struct wan_recording_operation *a =
		(*(const struct wan_view_operation *const *)left)->record;
	const struct wan_recording_operation *b =
		(*(const struct wan_view_operation *const *)right)->record;
	int order = strcmp(wan_operation_name(a), wan_operation_name(b));
	if (order)
		return order;
	if (a->width_px != b->width_px)
		return a->width_px < b->width_px ? -1 : 1;
	if (a->height_px != b->height_px)
		return a->height_px < b->height_px ? -1 : 1;
	return (a->file_bytes > b->file_bytes) - (a->file_bytes < b->file_bytes);
}

static int count_repeated(struct tally *tally, const struct wan_view *view)
{
	const struct wan_view_operation **order =
		wan_calloc(view->operation_count + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < view->operation_count; i++)
		if (!wan_view_nested(&view->operations[i]))
			order[count++] = &view->operations[i];
	qsort(order, count, sizeof(*order), by_work);
	for (size_t i = 1; i < count; i++)
		if (by_work(&order[i - 1], &order[i]) == 0) {
			tally->repeated++;
			tally->repeated_ns += order[i]->record->inside_ns;
		}
	wan_free(order);
	return 0;
}

static int say(struct wan_findings *findings, enum wan_advice_id id, uint64_t count, double value,
	       double limit, const char *unit, const char *evidence)
{
	struct wan_finding *finding = wan_findings_add(findings, id);
	if (!finding)
		return -ENOMEM;
	finding->count = count;
	finding->value = value;
	finding->limit = limit;
	finding->unit = unit;
	wan_str_copy(finding->evidence, sizeof(finding->evidence), evidence);
	if (finding->advice->kind == WAN_ADVICE_FINDING)
		wan_str_format(finding->text, sizeof(finding->text), "%s: %s",
			       finding->advice->title, evidence);
	else
		wan_str_format(finding->text, sizeof(finding->text), "%s (%s)",
			       finding->advice->action, evidence);
	return 0;
}

static int say_bottlenecks(struct wan_findings *findings, const struct tally *t,
			   const struct wan_config *config)
{
	char text[160];
	int rc = 0;
	if (t->slow) {
		wan_str_format(text, sizeof(text), "%llu above %g ms, worst %.1f ms",
			       (unsigned long long)t->slow, ms(config->profile_slow_ns),
			       t->worst_ms);
		rc = say(findings, WAN_ADVICE_SLOW, t->slow, t->worst_ms,
			 ms(config->profile_slow_ns), "ms", text);
	}
	if (t->memory && !rc) {
		wan_str_format(text, sizeof(text), "%llu above %g MB, most %.1f MB",
			       (unsigned long long)t->memory, mb(config->profile_memory_bytes),
			       t->worst_mb);
		rc = say(findings, WAN_ADVICE_MEMORY, t->memory, t->worst_mb,
			 mb(config->profile_memory_bytes), "MB", text);
	}
	if (t->cpu && !rc) {
		wan_str_format(text, sizeof(text), "%llu above %g %% of one core, most %.0f %%",
			       (unsigned long long)t->cpu, config->profile_cpu_pct, t->worst_cpu);
		rc = say(findings, WAN_ADVICE_CPU, t->cpu, t->worst_cpu, config->profile_cpu_pct,
			 "%", text);
	}
	if (t->large && t->small && t->small_ns > 0 && !rc) {
		double ratio = t->large_ns / (double)t->large / (t->small_ns / (double)t->small);
		wan_str_format(text, sizeof(text),
			       "large images take %.1f times as long as small ones (limit %g)",
			       ratio, config->profile_scaling_ratio);
		if (ratio > config->profile_scaling_ratio)
			rc = say(findings, WAN_ADVICE_SCALING, t->large, ratio,
				 config->profile_scaling_ratio, "ratio", text);
	}
	return rc;
}

static int say_recommendations(struct wan_findings *findings, const struct tally *t,
			       const struct wan_config *config)
{
	char text[160];
	int rc = 0;
	if (t->validations > 1) {
		wan_str_format(text, sizeof(text), "%llu validations",
			       (unsigned long long)t->validations);
		rc = say(findings, WAN_ADVICE_VALIDATION, t->validations, (double)t->validations, 1,
			 "operations", text);
	}
	double mean_ms = t->thumbnails ? ms(t->thumbnail_ns) / (double)t->thumbnails : 0;
	if (mean_ms > ms(config->profile_thumbnail_ns) && !rc) {
		wan_str_format(text, sizeof(text), "mean %.1f ms, limit %g ms", mean_ms,
			       ms(config->profile_thumbnail_ns));
		rc = say(findings, WAN_ADVICE_THUMBNAIL, t->thumbnails, mean_ms,
			 ms(config->profile_thumbnail_ns), "ms", text);
	}
	if (t->streaming && !rc) {
		wan_str_format(text, sizeof(text), "%llu above %g MB",
			       (unsigned long long)t->streaming,
			       mb(config->profile_streaming_bytes));
		rc = say(findings, WAN_ADVICE_STREAMING, t->streaming, (double)t->streaming,
			 mb(config->profile_streaming_bytes), "MB", text);
	}
	if (t->repeated && !rc) {
		wan_str_format(text, sizeof(text), "%llu with the same name, size and file size",
			       (unsigned long long)t->repeated);
		rc = say(findings, WAN_ADVICE_REPEATED, t->repeated, (double)t->repeated, 0,
			 "operations", text);
	}
	return rc;
}

int wan_findings_classic(struct wan_findings *findings, const struct wan_finding_input *input)
{
	struct tally tally = {0};
	const struct wan_view *view = input->view;
	for (size_t i = 0; i < view->operation_count; i++)
		if (!wan_view_nested(&view->operations[i]))
			count_one(&tally, view->operations[i].record, input->config);
	int rc = count_repeated(&tally, view);
	if (!rc)
		rc = say_bottlenecks(findings, &tally, input->config);
	return rc ? rc : say_recommendations(findings, &tally, input->config);
}
