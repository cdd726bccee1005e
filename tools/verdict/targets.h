/* SPDX-License-Identifier: MIT */
/*
 * What is expected of a run: a list of limits, from a text file of ours or of the user's. The last
 * line that matches decides, so a user's file overrides the defaults before it, and a name its
 * glob.
 */
#ifndef WAN_TOOLS_TARGETS_H
#define WAN_TOOLS_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "wan/status.h"

#define TARGETS_BYTES_MAX (1u << 20)
#define TARGETS_MAX       4096
#define TARGET_TEXT_BYTES 96

enum target_subject {
	TARGET_OPERATION,  /* each operation by itself */
	TARGET_CONCURRENT, /* one that ran beside others */
	TARGET_BATCH,      /* one over many images */
	TARGET_PHASE,
	TARGET_RUN,
	TARGET_ALL, /* rates over all tests */
};
enum target_metric {
#define TARGET_METRIC(name, subjects, unit, what) TARGET_##name,
#include "target_metrics.def"
#undef TARGET_METRIC
	TARGET_METRICS
};
/* Which runs a target is for: globs over what is known of a run; "" does not ask. */
enum target_filter {
	TARGET_FILTER_TIER,  /* "high-end" */
	TARGET_FILTER_GROUP, /* the job's name, or the group of a measurement */
	TARGET_FILTER_CPU,
	TARGET_FILTER_GPU,
	TARGET_FILTER_RAM_GB, /* nominal, "16" */
	TARGET_FILTERS
};

struct target {
	enum target_subject subject;
	enum target_metric metric;
	char name[TARGET_TEXT_BYTES]; /* glob over operations, phases, jobs */
	char filters[TARGET_FILTERS][TARGET_TEXT_BYTES];
	double low, high;         /* -INFINITY, INFINITY: no such end; both: no target */
	bool low_open, high_open; /* the end itself misses */
	bool hard;
	unsigned line, file; /* where it stands; file: 0 the defaults, then as added */
};

struct targets {
	struct target *items;
	size_t count, capacity;
	unsigned files;
};

/* The defaults of the requirements. 0, -ENOMEM. */
int targets_init(struct targets *targets);
/* Add the lines of a text; name stands in messages. On failure nothing is added and *reterr_error
 * names the line. 0, -EINVAL (contradiction), -EBADMSG (not a target), -EFBIG, -ENOMEM. */
int targets_parse(struct targets *targets, const char *name, const char *text, size_t bytes,
		  struct wan_error *reterr_error);
/* The same from a file, or a shipped one by its name ("tiers"). Also -ENOENT, -ENODATA and what the
 * system says. */
int targets_load(struct targets *targets, const char *path, struct wan_error *reterr_error);
void targets_finish(struct targets *targets);

/* What a run is, for filters; NULL: not known. */
struct target_run {
	const char *is[TARGET_FILTERS];
};
/* Which of them decides for this subject, metric and name? NULL: no target. A filter on what is not
 * known does not match; *ret_unknown then names the filter, where it may be NULL. */
const struct target *targets_find(const struct targets *targets, enum target_subject subject,
				  enum target_metric metric, const char *name,
				  const struct target_run *run, const char **ret_unknown);

/* Are all filters of the target true of the run? *ret_unknown (may be NULL): one that asks for what
 * is not known; untouched when there is none. */
bool target_applies(const struct target *target, const struct target_run *run,
		    const char **ret_unknown);

enum target_verdict {
	TARGET_MET,
	TARGET_ABOVE,
	TARGET_BELOW,
	TARGET_UNKNOWN, /* there is no value */
};
enum target_verdict target_judge(const struct target *target, double value);
/* "operation jpeg.* time_ms < 300 hard" */
#define TARGET_LINE_BYTES 400
const char *target_line(const struct target *target, char *to);
const char *target_metric_name(enum target_metric metric);
const char *target_metric_unit(enum target_metric metric);
const char *target_subject_name(enum target_subject subject);

#endif
