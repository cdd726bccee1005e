/* SPDX-License-Identifier: MIT */
/* Runs against a baseline; what is compared and how sure it is, is that of gate and diff. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "baseline_verb.h"
#include "compare.h"
#include "gate_verdict.h"
#include "json_writer.h"
#include "run_facts.h"
#include "str.h"
#include "wanprof.h"

struct side {
	struct run_facts runs[BASELINE_FILES_MAX];
	size_t count;
	bool damaged;
};

static int load(struct side *side, const char *path)
{
	struct wan_error error = {0};
	int rc = run_facts_load(&side->runs[side->count], path, &error);
	if (rc)
		return baseline_unread(rc, &error);
	if (side->runs[side->count].damaged) {
		wanprof_say("%s: is damaged: only what could be read of it was compared", path);
		side->damaged = true;
	}
	side->count++;
	return 0;
}

static void finish(struct side *side)
{
	for (size_t i = 0; i < side->count; i++)
		run_facts_finish(&side->runs[i]);
}

/* As gate: something slower is a failure whatever else is unknown. */
static int verdict_of(const struct comparison *comparison, bool other_tier, bool damaged)
{
	bool slower = false, unknown = damaged || !comparison->count;
	for (size_t i = 0; i < comparison->count; i++) {
		enum compare_verdict verdict = comparison->rows[i].verdict;
		slower |= verdict == COMPARE_SLOWER ||
			  comparison->rows[i].mb_verdict == COMPARE_SLOWER;
		unknown |= verdict == COMPARE_INCONCLUSIVE || verdict == COMPARE_TOO_FEW;
	}
	if (other_tier || !comparison->comparable)
		return GATE_INCONCLUSIVE;
	return slower ? GATE_FAILED : unknown ? GATE_INCONCLUSIVE : GATE_MET;
}

static void print_row(const struct compare_row *row)
{
	char name[128];
	wan_str_printable(name, sizeof(name), row->name ? row->name : "all operations");
	printf("  %-28s %10.2f %10.2f %+8.1f %%", name, row->base_ms, row->now_ms,
	       100 * (row->ratio.estimate - 1));
	if (isfinite(row->ratio.high) && row->ratio.low > 0)
		printf("  (%+.1f to %+.1f)", 100 * (row->ratio.low - 1),
		       100 * (row->ratio.high - 1));
	printf("  %s", compare_verdict_name(row->verdict));
	if (row->wanted)
		printf("; %zu more pairs of runs may tell", row->wanted);
	putchar('\n');
	if (row->mb_verdict == COMPARE_SLOWER)
		printf("  %-28s %10.2f %10.2f %+8.1f %%  grown\n", "  its peak memory, MB",
		       row->base_mb, row->now_mb, 100 * (row->now_mb / row->base_mb - 1));
}

static void print(const struct baseline_request *request, const struct comparison *comparison,
		  const char *tier, const char *other, int verdict)
{
	printf("against %s (tier %s): %zu run%s, %zu of it%s\n", request->name, tier,
	       comparison->now_runs, comparison->now_runs == 1 ? "" : "s", comparison->base_runs,
	       comparison->interleaved ? "" : ", not recorded in turn");
	printf("  %-28s %10s %10s %10s\n", "operation", "base ms", "now ms", "change");
	for (size_t i = 0; i < comparison->count; i++)
		print_row(&comparison->rows[i]);
	if (other)
		printf("inconclusive: the runs are of tier %s, the baseline is of tier %s\n", other,
		       tier);
	else if (!comparison->comparable)
		printf("inconclusive: %s\n", comparison->reason);
	printf("verdict: %s\n", verdict == GATE_MET      ? "not slower"
				: verdict == GATE_FAILED ? "slower, or more memory"
							 : "inconclusive");
}

static void ratio(struct wan_json *json, const char *name, double value)
{
	if (isfinite(value) && value > 0)
		wan_json_key_double(json, name, value, 6);
	else
		wan_json_key_null(json, name);
}

static int print_json(const struct baseline_request *request, const struct comparison *comparison,
		      const char *tier, const char *other, int verdict)
{
	struct wan_json json;
	int fd = STDOUT_FILENO;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanrt-baseline-comparison");
	wan_json_key_i64(&json, "schema_version", 1);
	wan_json_key_string(&json, "baseline", request->name);
	wan_json_key_string(&json, "tier", tier);
	wan_json_key_string(&json, "runs_tier", other ? other : tier);
	wan_json_key_string(&json, "verdict",
			    verdict == GATE_MET      ? "not_slower"
			    : verdict == GATE_FAILED ? "slower"
						     : "inconclusive");
	wan_json_key_bool(&json, "comparable", comparison->comparable && !other);
	wan_json_key_string(&json, "reason", comparison->reason[0] ? comparison->reason : NULL);
	wan_json_key_bool(&json, "interleaved", comparison->interleaved);
	wan_json_key_u64(&json, "baseline_runs", comparison->base_runs);
	wan_json_key_u64(&json, "runs", comparison->now_runs);
	wan_json_key(&json, "operations");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < comparison->count; i++) {
		const struct compare_row *row = &comparison->rows[i];
		wan_json_object_begin(&json);
		wan_json_key_string(&json, "name", row->name);
		wan_json_key_string(&json, "library", row->library);
		wan_json_key_string(&json, "verdict", compare_verdict_name(row->verdict));
		ratio(&json, "ratio", row->ratio.estimate);
		ratio(&json, "ratio_low", row->ratio.low);
		ratio(&json, "ratio_high", row->ratio.high);
		wan_json_key_double(&json, "baseline_ms", row->base_ms, 6);
		wan_json_key_double(&json, "now_ms", row->now_ms, 6);
		wan_json_key_double(&json, "baseline_memory_mb", row->base_mb, 4);
		wan_json_key_double(&json, "now_memory_mb", row->now_mb, 4);
		wan_json_key_bool(&json, "memory_grown", row->mb_verdict == COMPARE_SLOWER);
		wan_json_object_end(&json);
	}
	wan_json_array_end(&json);
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	return wan_json_finish(&json);
}

static int compare(const struct baseline_request *request, const struct side *base,
		   const struct side *now, const char *tier)
{
	struct comparison comparison;
	int rc = compare_runs(&comparison, base->runs, base->count, now->runs, now->count, 0);
	if (rc) {
		wanprof_say("the comparison failed: %s", strerror(-rc));
		return rc == -ENOMEM ? WANPROF_NO_MEMORY : WANPROF_SOFTWARE;
	}
	const char *here = baseline_tier(now->runs[0].machine.tier);
	const char *other = strcmp(here, tier) != 0 ? here : NULL;
	int verdict = verdict_of(&comparison, other != NULL, base->damaged || now->damaged),
	    failed = 0;
	if (request->json)
		failed = print_json(request, &comparison, tier, other, verdict);
	else
		print(request, &comparison, tier, other, verdict);
	compare_finish(&comparison);
	if (!failed && !fflush(stdout) && !ferror(stdout))
		return verdict;
	wanprof_say("standard output: could not be written (disk full?)");
	return WANPROF_NO_OUTPUT;
}

int baseline_verb_compare(struct baseline_request *request)
{
	static struct baseline_files files;
	static struct side base, now;
	struct wan_error error = {0};
	int status = 0;
	if (!request->file_count)
		return wanprof_usage_error(&wanprof_verb_baseline,
					   "compare: which runs? name files");
	for (size_t i = 0; i < request->file_count && !status; i++)
		status = load(&now, request->files[i]);
	if (!status) {
		const char *tier =
			request->tier ? request->tier : baseline_tier(now.runs[0].machine.tier);
		int rc = baseline_find(&files, NULL, request->name, tier,
				       request->candidate ? BASELINE_CANDIDATE : BASELINE_REFERENCE,
				       &error);
		status = rc ? baseline_failed(rc, &error) : 0;
	}
	for (size_t i = 0; i < files.count && !status; i++)
		status = load(&base, files.paths[i]);
	if (!status)
		status = compare(request, &base, &now, files.tier);
	finish(&base);
	finish(&now);
	return status;
}
