/* SPDX-License-Identifier: MIT */
/* What the verdict says beside its number: the comparison, and what to do. */
#include <errno.h>
#include <stdarg.h>

#include "alloc.h"
#include "gate_parts.h"
#include "macros.h"

int gate_say(struct gate_texts *texts, const char *format, ...)
{
	va_list arguments;
	if (wan_array_reserve(&texts->items, &texts->capacity, texts->count + 1,
			      sizeof(texts->items[0])))
		return -ENOMEM;
	va_start(arguments, format);
	vsnprintf(texts->items[texts->count++], GATE_TEXT_BYTES, format, arguments);
	va_end(arguments);
	return 0;
}

void gate_raise(struct gate_report *report, enum gate_exit verdict)
{
	static const int weight[] = {0, 3, 2, 1}; /* 1 before 2 before 3 */
	if (weight[verdict] > weight[report->verdict])
		report->verdict = verdict;
}

int gate_judge_comparison(struct gate_report *report)
{
	const struct comparison *comparison = report->input->comparison;
	int rc = 0;
	if (!comparison)
		return 0;
	if (!comparison->comparable || !comparison->count) {
		gate_raise(report, GATE_INCONCLUSIVE);
		return gate_say(
			&report->reasons, "%s",
			comparison->comparable
				? "nothing to compare: the baseline has no operation of a name, "
				  "library and image size that these runs have"
				: comparison->reason);
	}
	for (size_t i = 0; i < comparison->count && !rc; i++) {
		const struct compare_row *row = &comparison->rows[i];
		const char *name = row->name ? row->name : "the total";
		double slower = 100 * (row->ratio.estimate - 1);
		if (row->verdict == COMPARE_SLOWER) {
			gate_raise(report, GATE_FAILED);
			rc = gate_say(
				&report->reasons,
				"%.80s is %.1f %% slower than the baseline (%.1f to %.1f %%, %zu "
				"pairs)",
				name, slower, 100 * (row->ratio.low - 1),
				100 * (row->ratio.high - 1), row->pairs);
		} else if (row->verdict == COMPARE_TOO_FEW) {
			gate_raise(report, GATE_INCONCLUSIVE);
			rc = gate_say(
				&report->reasons,
				"%.80s: %zu pairs are too few to compare; %zu more are needed",
				name, row->pairs, row->wanted);
		} else if (row->verdict == COMPARE_INCONCLUSIVE) {
			gate_raise(report, GATE_INCONCLUSIVE);
			rc = gate_say(&report->reasons,
				      "%.80s: between %.1f and %+.1f %%, a slow-down of %g %% is "
				      "neither shown nor excluded",
				      name, 100 * (row->ratio.low - 1), 100 * (row->ratio.high - 1),
				      comparison->limit_percent);
		}
		if (!rc && row->mb_verdict == COMPARE_SLOWER) {
			gate_raise(report, GATE_FAILED);
			rc = gate_say(&report->reasons,
				      "%.80s takes %.0f %% more memory than the baseline (%.4g MB, "
				      "was %.4g MB, %zu pairs)",
				      row->name ? name : "the run",
				      100 * (row->now_mb / row->base_mb - 1), row->now_mb,
				      row->base_mb, row->mb_pairs);
		}
	}
	return rc;
}

int gate_recommend(struct gate_report *report)
{
	const struct comparison *comparison = report->input->comparison;
	int rc = 0;
	for (size_t i = 0; i < report->row_count && !rc; i++) {
		const struct gate_row *row = &report->rows[i];
		if (row->verdict == GATE_INCONCLUSIVE && row->target->metric == TARGET_memory_mb)
			rc = gate_say(
				&report->recommendations,
				"record with `wanprof run`: its allocator counts memory for each "
				"operation");
		else if ((row->verdict == GATE_FAILED || row->verdict == GATE_WARNING) &&
			 row->target->subject <= TARGET_BATCH)
			rc = gate_say(&report->recommendations,
				      "see what made %.80s miss its target: wanprof report",
				      row->worst_name ? row->worst_name : "operations");
	}
	size_t wanted = 0;
	for (size_t i = 0; comparison && comparison->comparable && i < comparison->count; i++)
		wanted = WAN_MAX(wanted, comparison->rows[i].wanted);
	if (!rc && comparison && comparison->comparable && !comparison->by_runs &&
	    report->verdict == GATE_INCONCLUSIVE)
		rc = gate_say(&report->recommendations,
			      "one run of each side shows large changes only: record 10 of each, "
			      "interleaved (base, now, base, now), and give all of them");
	else if (!rc && wanted)
		rc = gate_say(&report->recommendations,
			      "record %zu more pairs of runs, interleaved (base, now, base, now)",
			      wanted);
	if (!rc && comparison && !comparison->comparable)
		rc = gate_say(&report->recommendations,
			      "record a baseline on this machine, in the same state of its caches");
	return rc;
}
