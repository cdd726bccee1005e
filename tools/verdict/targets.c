/* SPDX-License-Identifier: MIT */
#include "targets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "str.h"
#include "targets_parse.h"

/* The figures of the requirements. "<" excludes the limit, the exit rule's 80 and 90 % include it.
 */
static const char defaults[] = "operation  * time_ms   < 2000\n"
			       "operation  * memory_mb < 1024\n"
			       "concurrent * time_ms   < 5000\n"
			       "concurrent * memory_mb < 1024\n"
			       "batch      * memory_mb < 4096\n"
			       "all        * success_percent    >= 80\n"
			       "all        * compliance_percent >= 90\n";

int targets_init(struct targets *targets)
{
	*targets = (struct targets){0};
	return targets_parse(targets, "defaults", defaults, sizeof(defaults) - 1, NULL);
}

void targets_finish(struct targets *targets)
{
	wan_free(targets->items);
	*targets = (struct targets){0};
}

const char *target_metric_name(enum target_metric metric)
{
	static const char *const names[] = {
#define TARGET_METRIC(name, subjects, unit, what) #name,
#include "target_metrics.def"
#undef TARGET_METRIC
	};
	return names[metric];
}

const char *target_metric_unit(enum target_metric metric)
{
	static const char *const units[] = {
#define TARGET_METRIC(name, subjects, unit, what) unit,
#include "target_metrics.def"
#undef TARGET_METRIC
	};
	return units[metric];
}

const char *target_subject_name(enum target_subject subject)
{
	static const char *const names[] = {"operation", "concurrent", "batch",
					    "phase",     "run",        "all"};
	return names[subject];
}

static const char *const filter_names[TARGET_FILTERS] = {"tier", "group", "cpu", "gpu", "ram_gb"};

int target_filter_find(const char *name)
{
	for (int i = 0; i < TARGET_FILTERS; i++)
		if (strcmp(filter_names[i], name) == 0)
			return i;
	return -1;
}

/* Are all its filters true of the run? One that asks for what is not known is named. */
bool target_applies(const struct target *target, const struct target_run *run,
		    const char **ret_unknown)
{
	const char *unknown = NULL;
	for (int i = 0; i < TARGET_FILTERS; i++) {
		if (!target->filters[i][0])
			continue;
		const char *is = run ? run->is[i] : NULL;
		if (!is)
			unknown = filter_names[i];
		else if (!wan_str_glob(target->filters[i], is))
			return false;
	}
	if (unknown && ret_unknown)
		*ret_unknown = unknown;
	return !unknown;
}

const struct target *targets_find(const struct targets *targets, enum target_subject subject,
				  enum target_metric metric, const char *name,
				  const struct target_run *run, const char **ret_unknown)
{
	if (ret_unknown)
		*ret_unknown = NULL;
	for (size_t i = targets->count; i-- > 0;) {
		const struct target *target = &targets->items[i];
		if (target->subject == subject && target->metric == metric &&
		    wan_str_glob(target->name, name ? name : "") &&
		    target_applies(target, run, ret_unknown))
			return target;
	}
	return NULL;
}

enum target_verdict target_judge(const struct target *target, double value)
{
	if (isnan(value))
		return TARGET_UNKNOWN;
	if (value > target->high || (target->high_open && value >= target->high))
		return TARGET_ABOVE;
	if (value < target->low || (target->low_open && value <= target->low))
		return TARGET_BELOW;
	return TARGET_MET;
}

static void condition(const struct target *target, char *to, size_t bytes)
{
	bool low = target->low > -INFINITY, high = target->high < INFINITY;
	if (low && high)
		wan_str_format(to, bytes, "%.10g..%.10g", target->low, target->high);
	else if (low)
		wan_str_format(to, bytes, "%s %.10g", target->low_open ? ">" : ">=", target->low);
	else if (high)
		wan_str_format(to, bytes, "%s %.10g", target->high_open ? "<" : "<=", target->high);
	else
		wan_str_copy(to, bytes, "any");
}

const char *target_line(const struct target *target, char *to)
{
	char limits[80];
	size_t used = 0;
	condition(target, limits, sizeof(limits));
	to[0] = '\0';
	for (int i = 0; i < TARGET_FILTERS; i++)
		if (target->filters[i][0])
			used += wan_str_format(to + used, TARGET_LINE_BYTES - used, "%s%s=%s",
					       used ? " " : "[", filter_names[i],
					       target->filters[i]);
	wan_str_format(to + used, TARGET_LINE_BYTES - used, "%s%s %s %s %s%s", used ? "] " : "",
		       target_subject_name(target->subject), target->name,
		       target_metric_name(target->metric), limits, target->hard ? " hard" : "");
	return to;
}
