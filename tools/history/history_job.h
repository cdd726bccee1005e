/* SPDX-License-Identifier: MIT */
/*
 * What the runs of one job type say together. Pure: takes runs, gives figures. Times are those of
 * runs that succeeded; NAN is a figure that does not exist.
 */
#ifndef WAN_TOOLS_HISTORY_JOB_H
#define WAN_TOOLS_HISTORY_JOB_H

#include "history_runs.h"
#include "statistics.h"

/* --- phases of one run --- */

enum history_flag {
	HISTORY_SUM_EXCEEDS_TOTAL = 1,  /* by more than 1 % */
	HISTORY_PARTS_EXCEED_PHASE = 2, /* the same inside a phase */
	HISTORY_SHARES_NOT_100 = 4,     /* as told: more than 2 points away */
	HISTORY_SHARES_WRONG = 8,       /* as told: more than 2 points from the recomputed ones */
	HISTORY_STAMPS_BEYOND = 16,     /* time stamps span more than the total */
};
/* Phases of the first level; those told by their parts only stand with the sum of them. */
struct history_breakdown {
	struct {
		const char *name; /* borrowed; up to name_bytes */
		size_t name_bytes;
		double seconds, share, told_share; /* share: percent of the total */
		double parts_s;                    /* NAN: it has none */
	} phases[HISTORY_PHASES_MAX];
	size_t count;
	double sum_s, unattributed_s; /* negative: the phases exceed the total; NAN: no phases */
	double told_sum;              /* of the shares; NAN: none were told */
	unsigned flags;
};
void history_break_down(const struct history_run *run, struct history_breakdown *ret);

/* Is it such a phase by its name, and not a part of one? */
bool history_phase_loads(const char *name);
/* Seconds in phases that load: those, and parts of others, with "load" in their own name. NAN:
 * none. */
double history_load_s(const struct history_run *run);
/* The phase that steps: the one with steps, else "generation", "sampling", "denoising", with its
 * part that is called making, sampling or denoising counted as it. NAN: there is none. */
double history_generation_s(const struct history_run *run);
/* Seconds of each step: told, else those of the phase with steps. NAN: not known. */
double history_step_s(const struct history_run *run);
/* Of the generation, what is no step: needs the time of a step told apart. NAN: not known. */
double history_fixed_s(const struct history_run *run);

/* --- cold and warm --- */

/*
 * Loads that differ at least twofold are cold above the widest gap (as a ratio) and warm below;
 * alike ones, and those of which the longest is under half a second, say nothing. ret_cold gets 1,
 * 0 or -1 for each. True when they were told apart.
 */
bool history_split_cold(const double *load_s, size_t count, int *ret_cold);
/* By the measured time of each loading phase, and by what was read from disk where there is no such
 * phase: 1 when one of them was cold, 0 when none was and one was warm, -1 not known. */
void history_tell_cold(const struct history_run *const *runs, size_t count, int *ret_cold);

/* --- a job type --- */

struct history_trend {
	bool known;        /* there are runs enough */
	int direction;     /* 1 slower, -1 faster, 0 none beyond the spread */
	double confidence; /* 0.95 or 0.99 */
	double percent;    /* median of the latest three against that of the runs before */
	size_t needs;      /* runs */
};
#define HISTORY_TREND_RUNS 6
/* Times in order of start. A trend is a slope that is sure at 95 % and a median of the latest three
 * that lies outside of everything before: one best run is none. */
struct history_trend history_trend(const double *seconds, size_t count);

#define HISTORY_JOB_PHASES 32
struct history_job {
	const char *name, *machine, *tier; /* borrowed from a run; NULL: not known */
	size_t runs, completed, failed, unknown, unfinished;
	double success_percent; /* of those whose end is known */
	struct stat_summary total_s;
	const struct history_run *best, *worst, *latest; /* of the completed; NULL: none */
	struct {
		char name[64];
		double mean_s,
			share; /* share: percent of the totals of the runs that tell phases */
		size_t runs;
	} phases[HISTORY_JOB_PHASES];
	size_t phase_count, phase_runs;
	double unattributed_share, unattributed_s;
	size_t flagged; /* runs with a flag */
	struct stat_summary step_s, fixed_s;
	struct stat_line
		steps_fit; /* generation = fixed + each x steps; NAN: one number of steps */
	size_t cold, warm;
	struct stat_summary cold_total_s, warm_total_s, cold_load_s, warm_load_s;
	double items; /* of a job: mean; NAN: none told */
	double item_s, item_generation_s;
	double estimate_s;       /* the latest; NAN: none */
	double variance_percent; /* mean / estimate - 1, of runs that had the estimate */
	size_t variance_runs;
	struct history_trend trend;
};

struct history_jobs {
	struct history_job *items;
	size_t count;
	const struct history_run **declared; /* job types that have no run */
	size_t declared_count;
	size_t types, types_with_runs; /* distinct names, of runs and declarations */
	struct stat_line steps_fit;    /* over all runs of all jobs; NAN as above */
	size_t steps_fit_runs;
};
/* Groups by name and machine, most recent first; borrows from runs, which must be in order of start
 * (history_runs_sort). 0, -ENOMEM. */
void history_runs_sort(struct history_runs *runs);
int history_jobs_init(struct history_jobs *jobs, const struct history_runs *runs);
void history_jobs_finish(struct history_jobs *jobs);

#endif
