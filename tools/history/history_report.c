/* SPDX-License-Identifier: MIT */
#include "history_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "str.h"

#define TEXT_MOST 1024

/* Text of files goes to the terminal through this only. */
static const char *safe(char *to, size_t bytes, const char *text)
{
	wan_str_printable(to, bytes, text ? text : "");
	return to;
}

/* Four digits that say something: "241.5 s", "44.05 s", "1.25 s", "12.3 ms". */
static const char *seconds(char *to, double value)
{
	double size = fabs(value);
	if (isnan(value))
		wan_str_copy(to, 32, "-");
	else if (size < 1e-6)
		wan_str_copy(to, 32, "0 s");
	else if (size < 0.1)
		wan_str_format(to, 32, "%.3g ms", value * 1000);
	else
		wan_str_format(to, 32, size < 100 ? "%.2f s" : "%.1f s", value);
	return to;
}

static const char *date(char *to, size_t bytes, uint64_t realtime_ns)
{
	time_t at = (time_t)(realtime_ns / 1000000000u);
	struct tm tm;
	if (!realtime_ns || !gmtime_r(&at, &tm) || !strftime(to, bytes, "%Y-%m-%d", &tm))
		wan_str_copy(to, bytes, "");
	return to;
}

const char *history_run_text(char *to, size_t bytes, const struct history_run *run)
{
	char when[32], name[160];
	const char *slash = run->file ? strrchr(run->file, '/') : NULL;
	safe(name, sizeof(name), run->label ? run->label : slash ? slash + 1 : run->file);
	date(when, sizeof(when), run->started_ns);
	wan_str_format(to, bytes, "%s%s%s%s", name, name[0] && when[0] ? ", " : "", when,
		       !name[0] && !when[0] ? "?" : "");
	return to;
}

const char *history_flags_text(char *to, size_t bytes, const struct history_run *run)
{
	struct history_breakdown found;
	char one[32];
	size_t used = 0;
	to[0] = '\0';
	history_break_down(run, &found);
	if (found.flags & HISTORY_SUM_EXCEEDS_TOTAL)
		used += wan_str_format(to + used, bytes - used, "; phases exceed the total by %s",
				       seconds(one, -found.unattributed_s));
	if (found.flags & HISTORY_PARTS_EXCEED_PHASE)
		used += wan_str_format(to + used, bytes - used, "; parts exceed their phase");
	if (found.flags & HISTORY_SHARES_NOT_100)
		used += wan_str_format(to + used, bytes - used, "; the shares told add to %.0f %%",
				       found.told_sum);
	if (found.flags & HISTORY_SHARES_WRONG)
		used += wan_str_format(to + used, bytes - used,
				       "; the shares told are not those of the times");
	if (found.flags & HISTORY_STAMPS_BEYOND)
		wan_str_format(to + used, bytes - used, "; time stamps span %s of %.1f s",
			       seconds(one, run->span_s), run->total_s);
	if (to[0])
		memmove(to, to + 2, strlen(to) - 1);
	return to;
}

bool history_job_has(const struct history_job *job, const struct history_run *run)
{
	return strcmp(job->name, run->job) == 0 &&
	       strcmp(job->machine ? job->machine : "", run->machine ? run->machine : "") == 0;
}

__attribute__((format(printf, 3, 4))) static void row(FILE *to, const char *name,
						      const char *format, ...)
{
	char text[TEXT_MOST];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(to, "  %-10s  %s\n", name, text);
}

static void print_counts(FILE *to, const struct history_job *job)
{
	char text[TEXT_MOST];
	size_t used = wan_str_format(text, sizeof(text), "%zu completed of %zu", job->completed,
				     job->runs);
	const struct {
		size_t count;
		const char *name;
	} others[] = {{job->failed, "failed"},
		      {job->unfinished, "unfinished"},
		      {job->unknown, "ended unseen"}};
	for (unsigned i = 0; i < 3; i++)
		if (others[i].count)
			used += wan_str_format(text + used, sizeof(text) - used, ", %zu %s",
					       others[i].count, others[i].name);
	if (!isnan(job->success_percent))
		wan_str_format(text + used, sizeof(text) - used, "; success %.3g %% (%zu/%zu)",
			       job->success_percent, job->completed, job->completed + job->failed);
	row(to, "runs", "%s", text);
}

static void print_times(FILE *to, const struct history_job *job)
{
	char a[32], b[32], c[32], d[32], e[32], best[256], worst[256];
	if (!job->completed)
		return;
	if (job->completed == 1) {
		row(to, "time", "%s (one run: no spread is known)", seconds(a, job->total_s.mean));
		row(to, "best", "%s (%s)", seconds(a, job->best->total_s),
		    history_run_text(best, sizeof(best), job->best));
		return;
	}
	row(to, "time", "mean %s, median %s, range %s to %s, s.d. %s (%zu runs)",
	    seconds(a, job->total_s.mean), seconds(b, job->total_s.median),
	    seconds(c, job->total_s.min), seconds(d, job->total_s.max),
	    seconds(e, job->total_s.deviation), job->completed);
	row(to, "best", "%s (%s); worst %s (%s)", seconds(a, job->best->total_s),
	    history_run_text(best, sizeof(best), job->best), seconds(b, job->worst->total_s),
	    history_run_text(worst, sizeof(worst), job->worst));
}

static void print_phases(FILE *to, const struct history_job *job)
{
	char text[TEXT_MOST], time[32], name[128];
	size_t used = 0;
	if (!job->phase_runs)
		return;
	for (size_t i = 0; i < job->phase_count; i++)
		used += wan_str_format(text + used, sizeof(text) - used, "%s %s (%.1f %%), ",
				       safe(name, sizeof(name), job->phases[i].name),
				       seconds(time, job->phases[i].mean_s), job->phases[i].share);
	wan_str_format(text + used, sizeof(text) - used, "unattributed %s (%.1f %%)",
		       seconds(time, job->unattributed_s), job->unattributed_share);
	row(to, "phases", "%s of %zu run%s", text, job->phase_runs,
	    job->phase_runs == 1 ? "" : "s");
}

static void print_flags(FILE *to, const struct history_job *job, const struct history_runs *runs)
{
	char text[512], name[256];
	size_t shown = 0;
	for (size_t i = 0; i < runs->count && job->flagged; i++) {
		if (!history_job_has(job, &runs->items[i]) ||
		    !history_flags_text(text, sizeof(text), &runs->items[i])[0])
			continue;
		if (++shown > 5) {
			row(to, "", "... and %zu more runs", job->flagged - 5);
			return;
		}
		row(to, "check", "%s: %s", history_run_text(name, sizeof(name), &runs->items[i]),
		    text);
	}
}

static void print_fit(FILE *to, const struct stat_line *fit)
{
	char a[32], b[32];
	if (!isnan(fit->each))
		row(to, "fit", "generation = %s + %s for each step (r2 %.3f)",
		    seconds(a, fit->fixed), seconds(b, fit->each), fit->r2);
}

static void print_steps(FILE *to, const struct history_job *job)
{
	char a[32], b[32];
	if (job->step_s.count && job->fixed_s.count)
		row(to, "steps", "%s each; %s of the generation is no step (%zu run%s)",
		    seconds(a, job->step_s.mean), seconds(b, job->fixed_s.mean), job->step_s.count,
		    job->step_s.count == 1 ? "" : "s");
	else if (job->step_s.count)
		row(to, "steps", "%s each (%zu run%s)", seconds(a, job->step_s.mean),
		    job->step_s.count, job->step_s.count == 1 ? "" : "s");
	print_fit(to, &job->steps_fit);
}

static void print_cold(FILE *to, const struct history_job *job)
{
	char a[32], b[32], c[32], d[32];
	if (!job->cold && !job->warm)
		return;
	bool loads = job->cold_load_s.count || job->warm_load_s.count;
	if (loads)
		row(to, "cold/warm",
		    "cold %s with load %s (%zu), warm %s with load %s (%zu), by %s",
		    seconds(a, job->cold_total_s.mean), seconds(b, job->cold_load_s.mean),
		    job->cold, seconds(c, job->warm_total_s.mean),
		    seconds(d, job->warm_load_s.mean), job->warm, "measured load");
	else
		row(to, "cold/warm", "cold %s (%zu), warm %s (%zu), by what was read from disk",
		    seconds(a, job->cold_total_s.mean), job->cold,
		    seconds(c, job->warm_total_s.mean), job->warm);
}

static void print_rest(FILE *to, const struct history_job *job)
{
	char a[32], b[32];
	if (!isnan(job->item_s) && !isnan(job->item_generation_s))
		row(to, "items", "%.3g a job: %s each, %s of it generation", job->items,
		    seconds(a, job->item_s), seconds(b, job->item_generation_s));
	else if (!isnan(job->item_s))
		row(to, "items", "%.3g a job: %s each", job->items, seconds(a, job->item_s));
	if (!isnan(job->variance_percent))
		row(to, "estimate", "%s; the mean is %+.0f %% from it (%zu run%s)",
		    seconds(a, job->estimate_s), job->variance_percent, job->variance_runs,
		    job->variance_runs == 1 ? "" : "s");
	const struct history_trend *trend = &job->trend;
	if (!job->completed)
		return;
	if (!trend->known)
		row(to, "trend", "too few runs to tell (%zu of %zu)", job->completed, trend->needs);
	else if (!trend->direction)
		row(to, "trend", "none beyond the spread of the earlier runs (%zu runs)",
		    job->completed);
	else
		row(to, "trend", "%s: the latest three by %+.1f %% (confidence %.0f %%, %zu runs)",
		    trend->direction > 0 ? "slower" : "faster", trend->percent,
		    100 * trend->confidence, job->completed);
}

static void print_run(FILE *to, const struct history_run *run)
{
	char a[32], text[256], verdict[256], unclean[256];
	history_run_text(text, sizeof(text), run);
	fprintf(to, "    %9s  %-10s %s", seconds(a, run->total_s),
		run->succeeded > 0    ? "ok"
		: run->succeeded == 0 ? "failed"
		: run->unfinished     ? "unfinished"
				      : "unknown",
		text);
	if (run->gone)
		fputs(" (file gone)", to);
	if (run->verdict)
		fprintf(to, "; %s", safe(verdict, sizeof(verdict), run->verdict));
	if (run->unclean)
		fprintf(to, "; at the start: %s", safe(unclean, sizeof(unclean), run->unclean));
	if (run->key)
		fprintf(to, "  [%s]", safe(verdict, sizeof(verdict), run->key));
	fputc('\n', to);
}

static void print_unclean(FILE *to, const struct history_job *job, const struct history_runs *runs)
{
	size_t unclean = 0;
	for (size_t i = 0; i < runs->count; i++)
		unclean += runs->items[i].unclean && history_job_has(job, &runs->items[i]);
	if (unclean)
		row(to, "machine", "%zu run%s found it in use or full (see --runs)", unclean,
		    unclean == 1 ? "" : "s");
}

static void print_job(FILE *to, const struct history_job *job, const struct history_runs *runs,
		      bool with_runs)
{
	char name[256], machine[512];
	safe(name, sizeof(name), job->name);
	safe(machine, sizeof(machine), job->machine);
	fprintf(to, "%s%s%s%s%s%s\n", name, machine[0] || job->tier ? "  (" : "", machine,
		machine[0] && job->tier ? "; " : "", job->tier ? job->tier : "",
		machine[0] || job->tier ? ")" : "");
	print_counts(to, job);
	print_times(to, job);
	print_phases(to, job);
	print_flags(to, job, runs);
	print_steps(to, job);
	print_cold(to, job);
	print_rest(to, job);
	print_unclean(to, job, runs);
	for (size_t i = 0; with_runs && i < runs->count; i++)
		if (history_job_has(job, &runs->items[i]))
			print_run(to, &runs->items[i]);
}

void history_print(FILE *to, const struct history_jobs *jobs, const struct history_runs *runs,
		   bool with_runs, bool together)
{
	char name[256], a[32];
	for (size_t i = 0; i < jobs->count; i++) {
		print_job(to, &jobs->items[i], runs, with_runs);
		fputc('\n', to);
	}
	if (together && jobs->steps_fit_runs && jobs->count > 1) {
		fprintf(to, "all of these\n");
		print_fit(to, &jobs->steps_fit);
		fputc('\n', to);
	}
	if (!jobs->declared_count)
		return;
	fprintf(to, "%zu of %zu job types have runs; none of:", jobs->types_with_runs, jobs->types);
	for (size_t i = 0; i < jobs->declared_count; i++) {
		fprintf(to, "%s %s", i ? "," : "",
			safe(name, sizeof(name), jobs->declared[i]->job));
		if (!isnan(jobs->declared[i]->estimate_s))
			fprintf(to, " (estimate %s)", seconds(a, jobs->declared[i]->estimate_s));
	}
	fputc('\n', to);
}
