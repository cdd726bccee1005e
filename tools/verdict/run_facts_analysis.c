/* SPDX-License-Identifier: MIT */
/* Facts from a recording. Whatever is read here is in the JSON as well: run_facts_json.c. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "counters.h"
#include "export.h"
#include "host.h"
#include "macros.h"
#include "run_facts_build.h"
#include "sensors.h"
#include "str.h"
#include "trackers.h"
#include "wan/profile.h"

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static double mb(uint64_t bytes)
{
	return (double)bytes / (double)WAN_MIB;
}

static double mb_or_unknown(uint64_t bytes)
{
	return bytes && bytes != UINT64_MAX ? mb(bytes) : NAN;
}

static double known(double value)
{
	return value >= 0 ? value : NAN;
}

/* Arguments are separated by \x1f in the recording; here by blanks. */
static const char *command_of(struct facts_build *build, const struct wan_process *process)
{
	char text[sizeof(process->header.command)];
	wan_str_copy(text, sizeof(text), process->header.command);
	for (char *at = text; *at; at++)
		if (*at == '\x1f')
			*at = at[1] ? ' ' : '\0';
	return facts_text(build, text);
}

static void add_run(struct facts_build *build, const struct wan_analysis *analysis)
{
	struct run_facts *facts = &build->facts;
	const struct wan_view *view = &analysis->view;
	const struct wan_process *process = wan_view_outcome(view);
	const struct wan_process *named = view->parent ? view->parent : view->main;
	static const struct wan_process none;
	process = process ? process : &none;
	named = named ? named : &none;
	facts->job = facts_text(build, process->header.job[0]
					       ? process->header.job
					       : facts_program_name(named->header.program));
	facts->command = command_of(build, named);
	for (size_t i = 0; i < 16; i++)
		snprintf(facts->run_id + 2 * i, 3, "%02x", process->header.run_id[i]);
	facts->started_realtime_ns = analysis->start_ns;
	facts->duration_ms = ms(analysis->run_ns);
	if (process->header.estimate_ns)
		facts->estimate_s = (double)process->header.estimate_ns / 1e9;
	facts->state = facts_text(build, wan_run_state_name(process->state));
	if (process->state == WAN_RUN_EXITED)
		facts->exit_status = (int)process->header.exit_status;
	if (process->state == WAN_RUN_SIGNALLED || process->state == WAN_RUN_KILLED_FOR_MEMORY)
		facts->signal = (int)process->header.signal;
	facts->damaged = analysis->damaged;
}

static double tightest_limit(const struct wan_environment *here)
{
	double limit = NAN;
	for (size_t i = 0; here && i < here->cgroup_count; i++)
		if (here->cgroups[i].limit_bytes != UINT64_MAX)
			limit = fmin(limit, mb(here->cgroups[i].limit_bytes));
	return limit;
}

static void add_machine(struct facts_build *build, const struct wan_analysis *analysis,
			const struct wan_environment *here)
{
	struct run_machine *machine = &build->facts.machine;
	static const struct wan_record_header nothing;
	const struct wan_process *main = analysis->view.main;
	const struct wan_record_header *recorded = main ? &main->header : &nothing;
	struct wan_counter_sum memory;
	wan_counters_sum(&analysis->view, WAN_COUNTERS_MEMORY, &memory);
	bool one = memory.blocks == 1;
	machine->cpu_model = facts_text(build, recorded->cpu[0] ? recorded->cpu
					       : here           ? here->cpu
								: NULL);
	machine->cpus = recorded->cpus ? recorded->cpus : here ? here->cpus : 0;
	machine->memory_mb = mb_or_unknown(one    ? wan_counters_word(&memory, "host_total")
					   : here ? here->memory_total_bytes
						  : recorded->memory_bytes);
	machine->memory_limit_mb = tightest_limit(here);
	machine->vram_mb = mb_or_unknown(one ? wan_counters_word(&memory, "gpu_total") : 0);
}

/* What `wanprof run` noted of the machine is of the run itself: it comes before what is read now.
 */
static void add_host(struct facts_build *build, const struct wan_analysis *analysis)
{
	struct run_machine *machine = &build->facts.machine;
	struct run_preconditions *before = &build->facts.before;
	struct wan_host host;
	char unclean[256];
	wan_host_of(&analysis->view, &host);
	if (host.ended)
		build->facts.read_mb = mb(host.read_bytes);
	if (!host.known)
		return;
	uint64_t disk = WAN_MIN(host.record_free_bytes, host.work_free_bytes);
	before->known = true;
	before->gpu_used_mb = host.gpu_used_bytes == UINT64_MAX ? NAN : mb(host.gpu_used_bytes);
	before->load_per_cpu = known(host.load_per_cpu);
	before->free_disk_mb = disk == UINT64_MAX ? NAN : mb(disk);
	before->memory_available_mb =
		host.available_bytes == UINT64_MAX ? NAN : mb(host.available_bytes);
	if (wan_host_unclean(&host, unclean, sizeof(unclean)))
		before->unclean = facts_text(build, unclean);
	machine->tier = facts_text(build, host.tier);
	machine->gpu_model = facts_text(build, host.gpu_model);
	if (host.physical_cores != UINT64_MAX)
		machine->physical_cores = (unsigned)host.physical_cores;
	if (host.limit_bytes != UINT64_MAX)
		machine->memory_limit_mb = mb(host.limit_bytes);
	if (isnan(machine->vram_mb))
		machine->vram_mb = mb_or_unknown(host.gpu_largest_bytes);
}

static void add_operations(struct facts_build *build, const struct wan_analysis *analysis)
{
	const struct wan_view *view = &analysis->view;
	for (size_t i = 0; i < view->operation_count; i++) {
		const struct wan_view_operation *operation = &view->operations[i];
		const struct wan_recording_operation *record = operation->record;
		if (wan_view_nested(operation))
			continue;
		facts_add_operation(
			build,
			&(struct run_operation){
				.name = wan_operation_name(record),
				.library = wan_operation_library(record),
				.file = record->file,
				.start_ns =
					wan_elapsed(analysis->start_ns, record->start_realtime_ns),
				.time_ms = ms(record->inside_ns),
				.cpu_ms = record->cpu_ns == UINT64_MAX ? NAN : ms(record->cpu_ns),
				.memory_mb =
					record->memory_bytes == INT64_MIN
						? NAN
						: (double)record->memory_bytes / (double)WAN_MIB,
				.peak_mb = record->peak_bytes == UINT64_MAX
						   ? NAN
						   : mb(record->peak_bytes),
				.input_megapixels =
					(double)record->width_px * record->height_px / 1e6,
				.width_px = record->width_px,
				.height_px = record->height_px,
				.thread = record->thread,
				.process = record->process,
				.status = operation->status,
			});
	}
	build->facts.total_operations = analysis->rows.total_operations;
}

static void add_kinds(struct facts_build *build, const struct wan_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		if (row->flags & WAN_FLAG_CHILD)
			continue;
		facts_add_row(
			build,
			&(struct facts_row){
				.name = row->name,
				.library = row->library,
				.failed = row->status == WAN_OP_FAILED ||
					  row->status == WAN_OP_ABORTED,
				.count = row->count,
				.total_ms = ms(row->inside_ns),
				.max_ms = ms(row->max_ns),
				.cpu_ms = row->cpu_known == row->count ? ms(row->cpu_ns) : NAN,
				.peak_mb = mb_or_unknown(row->peak_bytes),
			});
	}
}

/* Nothing can have been there when a phase began where a cache answered nothing all the time. */
static bool never_hit(const struct wan_view *view, double *ret_hit_rate)
{
	struct wan_counter_sum cache;
	wan_counters_sum(view, WAN_COUNTERS_CACHE, &cache);
	double requests = (double)wan_counters_word(&cache, "total_requests");
	double hits = (double)wan_counters_word(&cache, "hits");
	*ret_hit_rate = requests > 0 ? hits / requests : NAN;
	return requests > 0 && hits <= 0;
}

static int add_phases(struct facts_build *build, const struct wan_view *view)
{
	struct wan_trackers trackers;
	struct wan_phases phases;
	bool cold = never_hit(view, &build->facts.cache_hit_rate);
	if (wan_trackers_init(&trackers, view))
		return -ENOMEM;
	int rc = wan_phases_init(&phases, view, &trackers);
	for (size_t i = 0; !rc && i < phases.count; i++)
		facts_add_phase(build, &(struct run_phase){
					       .name = phases.items[i].name,
					       .duration_ms = ms(phases.items[i].duration_ns),
					       .steps = phases.items[i].steps,
					       .cold = cold ? 1 : -1,
				       });
	if (!rc)
		wan_phases_finish(&phases);
	wan_trackers_finish(&trackers);
	return rc;
}

static void add_finding(struct facts_build *build, const struct wan_finding *finding)
{
	facts_add_finding(
		build, &(struct run_finding){
			       .id = finding->advice->id,
			       .severity = wan_finding_severity_name(finding->severity),
			       .title = finding->advice->title,
			       .operation = finding->operation,
			       .unit = finding->unit,
			       .value = finding->value,
			       .limit = finding->limit,
			       .recommendation = finding->advice->kind == WAN_ADVICE_RECOMMENDATION,
		       });
}

/* In the order of the JSON, which has recommendations in a list of their own. */
static void add_findings(struct facts_build *build, const struct wan_findings *findings)
{
	for (int recommendation = 0; recommendation < 2; recommendation++)
		for (size_t i = 0; i < findings->count; i++)
			if ((findings->items[i].advice->kind == WAN_ADVICE_RECOMMENDATION) ==
			    recommendation)
				add_finding(build, &findings->items[i]);
}

/* The values that the JSON has as samples_summary.targets: of all samples, means of enough. */
static void add_sensors(struct run_sensors *sensors, const struct wan_view *view)
{
	struct wan_sensors seen;
	struct wan_sensors_judged judged[WAN_TARGETS];
	wan_sensors_of(view, &seen);
	wan_sensors_judge(&seen, NULL, judged);
	sensors->cpu_celsius = judged[WAN_TARGET_CPU_HEAT].value;
	sensors->gpu_celsius = judged[WAN_TARGET_GPU_HEAT].value;
	sensors->cpu_throttled = judged[WAN_TARGET_CPU_THROTTLED].value;
	sensors->gpu_throttled = judged[WAN_TARGET_GPU_THROTTLED].value;
	sensors->cpus_percent = judged[WAN_TARGET_CPU_USE].value;
	sensors->gpu_percent = judged[WAN_TARGET_GPU_USE].value;
}

struct mean {
	double sum;
	size_t count;
};

static void take(struct mean *mean, double value)
{
	if (!(value >= 0))
		return;
	mean->sum += value;
	mean->count++;
}

static double mean_of(const struct mean *mean)
{
	return mean->count ? mean->sum / (double)mean->count : NAN;
}

static int add_samples(struct facts_build *build, const struct wan_analysis *analysis)
{
	struct run_facts *facts = &build->facts;
	struct wan_sample *samples;
	struct mean rss = {0}, cpu = {0}, cpu_watts = {0}, gpu_watts = {0};
	size_t count, total;
	if (wan_export_collect_samples(analysis, &samples, &count, &total))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		take(&rss, samples[i].rss_mb);
		take(&cpu, samples[i].cpu_percent);
		take(&cpu_watts, samples[i].cpu_watts);
		take(&gpu_watts, samples[i].gpu_watts);
		facts->rss_peak_mb = fmax(facts->rss_peak_mb, known(samples[i].rss_mb));
		facts->gpu_peak_mb = fmax(facts->gpu_peak_mb, known(samples[i].gpu_used_mb));
		facts->system_peak_percent =
			fmax(facts->system_peak_percent, known(samples[i].system_percent));
	}
	facts->rss_average_mb = mean_of(&rss);
	facts->cpu_average_percent = mean_of(&cpu);
	facts->sensors.cpu_watts = mean_of(&cpu_watts);
	facts->sensors.gpu_watts = mean_of(&gpu_watts);
	add_sensors(&facts->sensors, &analysis->view);
	wan_free(samples);
	return 0;
}

int run_facts_from_analysis(struct run_facts *ret_facts, const struct wan_analysis *analysis,
			    const struct wan_environment *environment)
{
	struct facts_build build;
	int rc = facts_build_begin(&build);
	if (rc)
		return rc;
	add_run(&build, analysis);
	add_machine(&build, analysis, environment);
	add_host(&build, analysis);
	add_operations(&build, analysis);
	add_kinds(&build, &analysis->kinds);
	add_findings(&build, &analysis->findings);
	rc = add_phases(&build, &analysis->view);
	if (!rc)
		rc = add_samples(&build, analysis);
	build.error = build.error ? build.error : rc;
	return facts_build_end(&build, ret_facts);
}
