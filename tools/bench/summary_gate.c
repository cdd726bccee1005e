/* SPDX-License-Identifier: MIT */
/* The verdict on a benchmark: that of the gate over its tests, and what the gate cannot know. */
#include <errno.h>

#include "alloc.h"
#include "bench_judge.h"
#include "gate_verdict.h"
#include "macros.h"
#include "str.h"

static void say(struct bench_summary *summary, const char *reason)
{
	if (summary->reason_count < BENCH_REASONS_MAX)
		wan_str_copy(summary->reasons[summary->reason_count++], BENCH_TEXT, reason);
}

static size_t measurements_of(const struct bench_report *report, struct gate_measurement *to)
{
	size_t count = 0;
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		if (test->status == BENCH_INCONCLUSIVE)
			continue;
		/* A test that has no time of its own (input is refused) keeps every target. */
		to[count++] = (struct gate_measurement){.name = test->name,
							.group = bench_group_names[test->group],
							.ms = test->threads > 1 ? test->most_ms
							      : test->images    ? 0
										: test->ms,
							.memory_mb = test->memory_mb,
							.ok = test->status == BENCH_PASSED,
							.concurrent = test->threads > 1,
							.batch = test->images > 0};
	}
	return count;
}

static void count(const struct bench_report *report, struct bench_summary *summary)
{
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		bool failed = test->status == BENCH_FAILED;
		summary->total++;
		summary->passed += test->status == BENCH_PASSED;
		summary->failed += failed;
		summary->inconclusive += test->status == BENCH_INCONCLUSIVE;
		/* Other tests that pass do not make these good. */
		summary->hard += failed && (test->group == BENCH_GROUP_STRESS ||
					    test->group == BENCH_GROUP_LEAK);
	}
}

static void add_own(const struct bench_report *report, struct bench_summary *summary)
{
	char text[BENCH_TEXT];
	if (summary->hard) {
		summary->exit_status = GATE_FAILED;
		wan_str_format(text, sizeof(text),
			       "%u failed that no other test makes good: a leak, or results under "
			       "stress",
			       summary->hard);
		say(summary, text);
	}
	if (summary->exit_status == GATE_MET &&
	    (!report->complete || summary->inconclusive || !(summary->passed + summary->failed)))
		summary->exit_status = GATE_INCONCLUSIVE;
	if (summary->inconclusive) {
		wan_str_format(text, sizeof(text), "%llu of %llu could not be tried here",
			       (unsigned long long)summary->inconclusive,
			       (unsigned long long)summary->total);
		say(summary, text);
	}
	if (!report->complete)
		say(summary, "not all of it was run");
}

int bench_summarise(const struct bench_report *report, struct bench_summary *ret_summary)
{
	struct bench_summary summary = {.success_rate = 100, .compliance_rate = 100};
	struct targets targets;
	struct gate_report gate;
	int r = targets_init(&targets);
	if (r < 0)
		return r;
	struct gate_measurement *measurements =
		wan_calloc(WAN_MAX(report->test_count, 1u), sizeof(*measurements));
	struct gate_input input = {.targets = &targets, .measurements = measurements};
	input.measurement_count = measurements ? measurements_of(report, measurements) : 0;
	count(report, &summary);
	r = measurements ? 0 : -ENOMEM;
	if (r == 0 && input.measurement_count && (r = gate_judge(&gate, &input)) == 0) {
		summary.success_rate = gate.success_rate;
		summary.compliance_rate = gate.compliance_rate;
		summary.exit_status = (int)gate.verdict;
		for (size_t i = 0; i < gate.reasons.count; i++)
			say(&summary, gate.reasons.items[i]);
		gate_report_finish(&gate);
	}
	wan_free(measurements);
	targets_finish(&targets);
	if (r < 0)
		return r;
	add_own(report, &summary);
	*ret_summary = summary;
	return 0;
}
