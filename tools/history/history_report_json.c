/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "export.h"
#include "history_report.h"

static void number(struct wan_json *json, const char *name, double value)
{
	wan_json_key(json, name);
	if (isfinite(value))
		wan_json_double(json, value, 6);
	else
		wan_json_null(json);
}

static void flags(struct wan_json *json, unsigned bits)
{
	static const char *const names[] = {"phases_exceed_total", "parts_exceed_phase",
					    "shares_not_100", "shares_not_of_times",
					    "stamps_beyond_total"};
	wan_json_key(json, "flags");
	wan_json_array_begin(json);
	for (unsigned i = 0; i < 5; i++)
		if (bits >> i & 1)
			wan_json_string(json, names[i]);
	wan_json_array_end(json);
}

static void cold(struct wan_json *json, const char *name, const struct stat_summary *total,
		 const struct stat_summary *load)
{
	wan_json_key(json, name);
	wan_json_object_begin(json);
	wan_json_key_u64(json, "runs", total->count);
	number(json, "mean_s", total->mean);
	number(json, "mean_load_s", load->mean);
	wan_json_object_end(json);
}

static void fit(struct wan_json *json, const char *name, const struct stat_line *line)
{
	wan_json_key(json, name);
	if (isnan(line->each)) {
		wan_json_null(json);
		return;
	}
	wan_json_object_begin(json);
	number(json, "fixed_s", line->fixed);
	number(json, "each_s", line->each);
	number(json, "r2", line->r2);
	wan_json_object_end(json);
}

static void run(struct wan_json *json, const struct history_run *run)
{
	struct history_breakdown found;
	history_break_down(run, &found);
	wan_json_object_begin(json);
	wan_json_key_string(json, "key", run->key);
	wan_json_key_string(json, "label", run->label);
	wan_json_key_string(json, "file", run->file);
	wan_json_key_bool(json, "file_gone", run->gone);
	wan_export_timestamp(json, "started", run->started_ns);
	wan_json_key_string(json, "status",
			    run->succeeded > 0    ? "ok"
			    : run->succeeded == 0 ? "failed"
			    : run->unfinished     ? "unfinished"
						  : "unknown");
	number(json, "total_s", run->total_s);
	number(json, "load_s", history_load_s(run));
	number(json, "s_per_step", history_step_s(run));
	number(json, "fixed_s", history_fixed_s(run));
	number(json, "output_mb", run->output_mb);
	number(json, "read_mb", run->read_mb);
	number(json, "unattributed_s", found.unattributed_s);
	flags(json, found.flags);
	wan_json_key_string(json, "unclean", run->unclean);
	wan_json_key_string(json, "verdict", run->verdict);
	wan_json_key(json, "phases");
	wan_json_array_begin(json);
	for (size_t i = 0; i < run->phase_count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", run->phases[i].name);
		number(json, "seconds", run->phases[i].seconds);
		number(json, "told_share_percent", run->phases[i].share);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_json_object_end(json);
}

static void phases(struct wan_json *json, const struct history_job *job)
{
	wan_json_key(json, "phases");
	wan_json_array_begin(json);
	for (size_t i = 0; i < job->phase_count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", job->phases[i].name);
		number(json, "mean_s", job->phases[i].mean_s);
		number(json, "share_percent", job->phases[i].share);
		wan_json_key_u64(json, "runs", job->phases[i].runs);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_json_key_u64(json, "phase_runs", job->phase_runs);
	number(json, "unattributed_s", job->unattributed_s);
	number(json, "unattributed_percent", job->unattributed_share);
	wan_json_key_u64(json, "flagged_runs", job->flagged);
}

static void counts(struct wan_json *json, const struct history_job *job)
{
	wan_json_key_u64(json, "runs", job->runs);
	wan_json_key_u64(json, "completed", job->completed);
	wan_json_key_u64(json, "failed", job->failed);
	wan_json_key_u64(json, "unfinished", job->unfinished);
	wan_json_key_u64(json, "unknown", job->unknown);
	number(json, "success_percent", job->success_percent);
	number(json, "mean_s", job->total_s.mean);
	number(json, "median_s", job->total_s.median);
	number(json, "min_s", job->total_s.min);
	number(json, "max_s", job->total_s.max);
	number(json, "deviation_s", job->total_s.deviation);
	wan_json_key_string(json, "best", job->best ? job->best->key : NULL);
	wan_json_key_string(json, "worst", job->worst ? job->worst->key : NULL);
}

static void steps_and_items(struct wan_json *json, const struct history_job *job)
{
	number(json, "s_per_step", job->step_s.mean);
	number(json, "fixed_s", job->fixed_s.mean);
	fit(json, "steps_fit", &job->steps_fit);
	cold(json, "cold", &job->cold_total_s, &job->cold_load_s);
	cold(json, "warm", &job->warm_total_s, &job->warm_load_s);
	number(json, "items", job->items);
	number(json, "item_s", job->item_s);
	number(json, "item_generation_s", job->item_generation_s);
	number(json, "estimate_s", job->estimate_s);
	number(json, "variance_percent", job->variance_percent);
	wan_json_key(json, "trend");
	wan_json_object_begin(json);
	wan_json_key_string(json, "direction",
			    !job->trend.known          ? "unknown"
			    : job->trend.direction > 0 ? "slower"
			    : job->trend.direction < 0 ? "faster"
						       : "none");
	number(json, "percent", job->trend.direction ? job->trend.percent : NAN);
	number(json, "confidence", job->trend.direction ? job->trend.confidence : NAN);
	wan_json_key_u64(json, "needs_runs", job->trend.needs);
	wan_json_object_end(json);
}

static void one_job(struct wan_json *json, const struct history_job *job,
		    const struct history_runs *runs)
{
	wan_json_object_begin(json);
	wan_json_key_string(json, "job", job->name);
	wan_json_key_string(json, "machine", job->machine);
	wan_json_key_string(json, "tier", job->tier);
	counts(json, job);
	phases(json, job);
	steps_and_items(json, job);
	wan_json_key(json, "history");
	wan_json_array_begin(json);
	for (size_t i = 0; i < runs->count; i++)
		if (history_job_has(job, &runs->items[i]))
			run(json, &runs->items[i]);
	wan_json_array_end(json);
	wan_json_object_end(json);
}

void history_print_json(struct wan_json *json, const struct history_jobs *jobs,
			const struct history_runs *runs, const struct history_told *told)
{
	wan_json_object_begin(json);
	wan_json_key_string(json, "schema", HISTORY_SCHEMA);
	wan_json_key_i64(json, "schema_version", HISTORY_SCHEMA_VERSION);
	wan_json_key_u64(json, "recordings", told->recordings);
	wan_json_key_u64(json, "recordings_read", told->read);
	wan_json_key_u64(json, "runs_without_file", told->gone);
	wan_json_key_string(json, "index_remark", told->remark[0] ? told->remark : NULL);
	wan_json_key(json, "jobs");
	wan_json_array_begin(json);
	for (size_t i = 0; i < jobs->count; i++)
		one_job(json, &jobs->items[i], runs);
	wan_json_array_end(json);
	fit(json, "steps_fit", &jobs->steps_fit);
	wan_json_key(json, "jobs_without_runs");
	wan_json_array_begin(json);
	for (size_t i = 0; i < jobs->declared_count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "job", jobs->declared[i]->job);
		number(json, "estimate_s", jobs->declared[i]->estimate_s);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_json_object_end(json);
}
