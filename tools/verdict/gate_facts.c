/* SPDX-License-Identifier: MIT */
/* What there is to judge in recorded runs: their operations, their phases, their figures. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "gate_verdict.h"
#include "macros.h"
#include "str.h"

enum { LOOK_AHEAD = 64 };

static bool ended_well(uint8_t status)
{
	return status <= 1; /* ok, warned */
}

static double end_of(const struct run_operation *operation)
{
	return (double)operation->start_ns / 1e6 + operation->time_ms;
}

static bool other_thread(const struct run_operation *a, const struct run_operation *b)
{
	return a->thread != b->thread || a->process != b->process;
}

/* Was an operation of another thread under way when it began, or did one begin before it ended? */
static void mark_concurrent(struct gate_measurement *measurements, const struct run_facts *run)
{
	for (size_t i = 0; i < run->operation_count; i++) {
		const struct run_operation *a = &run->operations[i];
		size_t end = WAN_MIN(run->operation_count, i + LOOK_AHEAD);
		for (size_t k = i + 1; k < end; k++) {
			const struct run_operation *b = &run->operations[k];
			if ((double)b->start_ns / 1e6 >= end_of(a))
				break;
			if (other_thread(a, b))
				measurements[i].concurrent = measurements[k].concurrent = true;
		}
	}
}

/* "batch", "image_batch", "batch.decode" */
static bool names_batch(const char *name)
{
	size_t length = strlen("batch");
	for (const char *at = name; (at = strstr(at, "batch")); at += length) {
		bool begins = at == name || strchr("._- ", at[-1]);
		bool ends = !at[length] || strchr("._- ", at[length]);
		if (begins && ends)
			return true;
	}
	return false;
}

/* The larger of the peak and what stayed. */
static double memory_of(const struct run_operation *operation)
{
	return fmax(operation->peak_mb, operation->memory_mb);
}

static int add(struct gate_facts *facts, const struct gate_measurement *measurement)
{
	if (wan_array_reserve(&facts->measurements, &facts->measurement_capacity,
			      facts->measurement_count + 1, sizeof(*measurement)))
		return -ENOMEM;
	facts->measurements[facts->measurement_count++] = *measurement;
	return 0;
}

static int add_operations(struct gate_facts *facts, const struct run_facts *run)
{
	size_t first = facts->measurement_count;
	for (size_t i = 0; i < run->operation_count; i++) {
		const struct run_operation *operation = &run->operations[i];
		const char *name = operation->name ? operation->name : "";
		if (add(facts, &(struct gate_measurement){
				       .name = name,
				       .group = run->job,
				       .ms = operation->time_ms,
				       .memory_mb = memory_of(operation),
				       .count = 1,
				       .ok = ended_well(operation->status),
				       .batch = names_batch(name),
			       }))
			return -ENOMEM;
	}
	if (run->operation_count)
		mark_concurrent(facts->measurements + first, run);
	return 0;
}

struct listed {
	const struct run_kind *kind;
	uint64_t count, failed;
};

/* Texts of facts are kept once: equal ones have equal addresses. */
static int by_address(const void *left, const void *right)
{
	const struct run_kind *a = ((const struct listed *)left)->kind;
	const struct run_kind *b = ((const struct listed *)right)->kind;
	uintptr_t name[] = {(uintptr_t)a->name, (uintptr_t)b->name};
	uintptr_t library[] = {(uintptr_t)a->library, (uintptr_t)b->library};
	if (name[0] != name[1])
		return name[0] < name[1] ? -1 : 1;
	return (library[0] > library[1]) - (library[0] < library[1]);
}

/* Operations of a kind that are counted but not listed: all that is known of them is their kind's
 * maxima. */
static int add_rest(struct gate_facts *facts, const struct run_facts *run,
		    const struct listed *listed)
{
	const struct run_kind *kind = listed->kind;
	struct gate_measurement one = {
		.name = kind->name ? kind->name : "",
		.group = run->job,
		.ms = kind->max_ms,
		.memory_mb = kind->peak_mb,
		.ok = true,
		.batch = names_batch(kind->name ? kind->name : ""),
	};
	uint64_t missing = kind->count > listed->count ? kind->count - listed->count : 0;
	uint64_t missing_failed = kind->failed > listed->failed ? kind->failed - listed->failed : 0;
	one.count = missing > missing_failed ? missing - missing_failed : 0;
	if (one.count && add(facts, &one))
		return -ENOMEM;
	one.ok = false;
	one.count = WAN_MIN(missing, missing_failed);
	return one.count ? add(facts, &one) : 0;
}

static int add_missing(struct gate_facts *facts, const struct run_facts *run)
{
	if (!run->dropped_operations || !run->kind_count)
		return 0;
	wan_cleanup(wan_freep) struct listed *listed = wan_calloc(run->kind_count, sizeof(*listed));
	if (!listed)
		return -ENOMEM;
	for (size_t i = 0; i < run->kind_count; i++)
		listed[i].kind = &run->kinds[i];
	qsort(listed, run->kind_count, sizeof(*listed), by_address);
	for (size_t i = 0; i < run->operation_count; i++) {
		const struct run_operation *operation = &run->operations[i];
		const struct run_kind kind = {.name = operation->name,
					      .library = operation->library};
		const struct listed like = {.kind = &kind};
		struct listed *found =
			bsearch(&like, listed, run->kind_count, sizeof(*listed), by_address);
		if (!found)
			continue;
		found->count++;
		found->failed += !ended_well(operation->status);
	}
	int rc = 0;
	/* in the order of the facts, which is the same on every day */
	for (size_t i = 0; i < run->kind_count && !rc; i++) {
		const struct listed like = {.kind = &run->kinds[i]};
		rc = add_rest(facts, run,
			      bsearch(&like, listed, run->kind_count, sizeof(*listed), by_address));
	}
	return rc;
}

static int add_value(struct gate_facts *facts, const struct target_run *run,
		     enum target_subject subject, enum target_metric metric, const char *name,
		     double value)
{
	if (wan_array_reserve(&facts->values, &facts->value_capacity, facts->value_count + 1,
			      sizeof(facts->values[0])))
		return -ENOMEM;
	facts->values[facts->value_count++] = (struct gate_value){
		.subject = subject, .metric = metric, .name = name, .value = value, .run = *run};
	return 0;
}

static int add_phases(struct gate_facts *facts, const struct target_run *is,
		      const struct run_facts *run)
{
	int rc = 0;
	for (size_t i = 0; i < run->phase_count && !rc; i++) {
		const struct run_phase *phase = &run->phases[i];
		double seconds = phase->duration_ms / 1000;
		rc = add_value(facts, is, TARGET_PHASE, TARGET_time_s, phase->name, seconds);
		if (!rc)
			rc = add_value(facts, is, TARGET_PHASE, TARGET_s_per_step, phase->name,
				       phase->steps ? seconds / (double)phase->steps : NAN);
	}
	return rc;
}

static const struct run_phase *phase_named(const struct run_facts *run, const char *name)
{
	for (size_t i = 0; i < run->phase_count; i++)
		if (wan_str_equal(run->phases[i].name, name))
			return &run->phases[i];
	return NULL;
}

static int add_figures(struct gate_facts *facts, const struct target_run *is,
		       const struct run_facts *run)
{
	const struct run_phase *load = phase_named(run, "model_loading");
	const struct run_phase *generation = phase_named(run, "generation");
	double load_ms = load ? load->duration_ms : NAN;
	double values[TARGET_METRICS];
	for (size_t i = 0; i < TARGET_METRICS; i++)
		values[i] = NAN;
	values[TARGET_time_s] = run->duration_ms / 1000;
	values[TARGET_load_s] = load_ms / 1000;
	values[TARGET_load_ms] = load_ms;
	if (generation && generation->steps && generation->duration_ms > 0)
		values[TARGET_images_per_s] =
			(double)generation->steps / (generation->duration_ms / 1000);
	values[TARGET_rss_peak_mb] = run->rss_peak_mb;
	values[TARGET_gpu_peak_mb] = run->gpu_peak_mb;
	values[TARGET_memory_percent] = run->system_peak_percent;
	values[TARGET_vram_percent] = 100 * run->gpu_peak_mb / run->machine.vram_mb;
	values[TARGET_cpu_percent] = run->sensors.cpus_percent;
	if (isnan(run->sensors.cpus_percent) && run->machine.cpus)
		values[TARGET_cpu_percent] = run->cpu_average_percent / run->machine.cpus;
	values[TARGET_gpu_percent] = run->sensors.gpu_percent;
	values[TARGET_cpu_celsius] = run->sensors.cpu_celsius;
	values[TARGET_gpu_celsius] = run->sensors.gpu_celsius;
	values[TARGET_cache_hit_percent] = 100 * run->cache_hit_rate;
	values[TARGET_exit_status] = run->exit_status >= 0 ? run->exit_status
				     : run->signal > 0     ? 128 + run->signal
							   : NAN;
	int rc = 0;
	for (int metric = TARGET_time_s; metric < TARGET_success_percent && !rc; metric++)
		if (metric != TARGET_s_per_step)
			rc = add_value(facts, is, TARGET_RUN, metric, run->job, values[metric]);
	return rc;
}

/* 16 of a machine that shows 15.6. */
static const char *nominal_gb(char *to, size_t bytes, double mb)
{
	static const unsigned sold[] = {4,  6,   8,   12,  16,  24,  32,  48,  64,
					96, 128, 192, 256, 384, 512, 768, 1024};
	if (!(mb > 0))
		return NULL;
	for (size_t i = 0; i < WAN_COUNT_OF(sold); i++)
		if (mb <= sold[i] * 1024.0 && mb >= sold[i] * 1024.0 * 0.93) {
			wan_str_format(to, bytes, "%u", sold[i]);
			return to;
		}
	wan_str_format(to, bytes, "%.0f", mb / 1024);
	return to;
}

static int add_run(struct gate_facts *facts, size_t index, const struct run_facts *run)
{
	struct target_run *is = &facts->runs[index];
	*is = (struct target_run){
		{run->machine.tier, run->job, run->machine.cpu_model, run->machine.gpu_model,
		 nominal_gb(facts->ram[index], sizeof(facts->ram[index]), run->machine.memory_mb)}};
	int rc = add_operations(facts, run);
	if (!rc)
		rc = add_missing(facts, run);
	if (!rc)
		rc = add_figures(facts, is, run);
	return rc ? rc : add_phases(facts, is, run);
}

int gate_facts_init(struct gate_facts *ret_facts, const struct run_facts *runs, size_t count)
{
	struct gate_facts facts = {
		.runs = wan_calloc(count + 1, sizeof(facts.runs[0])),
		.ram = wan_calloc(count + 1, sizeof(facts.ram[0])),
	};
	int rc = facts.runs && facts.ram ? 0 : -ENOMEM;
	for (size_t i = 0; i < count && !rc; i++)
		rc = add_run(&facts, i, &runs[i]);
	if (rc)
		gate_facts_finish(&facts);
	else
		*ret_facts = facts;
	return rc;
}

void gate_facts_finish(struct gate_facts *facts)
{
	wan_free(facts->measurements);
	wan_free(facts->values);
	wan_free(facts->runs);
	wan_free(facts->ram);
	*facts = (struct gate_facts){0};
}
