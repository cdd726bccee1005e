/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "mode.h"
#include "str.h"

enum { FIELDS_MAX = 16 };

/* Words between tabs, in place. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
	size_t count = 0;
	for (char *at = line; at && count < FIELDS_MAX; count++) {
		fields[count] = at;
		at = strchr(at, '\t');
		if (at)
			*at++ = '\0';
	}
	return count;
}

static uint64_t number(const char *text)
{
	uint64_t value;
	return wan_parse_u64(text, &value) == 0 ? value : 0;
}

static double ms(const char *text)
{
	return (double)number(text) / 1e6;
}

static double mb(const char *text)
{
	return (double)number(text) / (1024 * 1024);
}

/* --- tests --- */

static struct bench_test *add_test(struct bench_said *said, const char *operation)
{
	struct bench_report *report = said->report;
	const struct bench_case *of = said->of;
	static struct bench_test spare;
	struct bench_test *test = report->test_count < BENCH_TESTS_MAX
					  ? &report->tests[report->test_count++]
					  : &spare;
	*test = (struct bench_test){.group = of->group,
				    .content = of->content,
				    .format = of->format,
				    .threads = of->threads,
				    .images = of->images};
	test->megapixels = (double)of->size.width_px * of->size.height_px / 1e6;
	wan_str_copy(test->operation, sizeof(test->operation), operation);
	if (of->size.width_px)
		wan_str_format(test->size, sizeof(test->size), "%ux%u", of->size.width_px,
			       of->size.height_px);
	if (of->group == BENCH_GROUP_SIZE || of->group == BENCH_GROUP_ASPECT)
		wan_str_format(test->name, sizeof(test->name), "%s %.60s", operation, of->name);
	else if (of->group == BENCH_GROUP_ERRORS)
		wan_str_copy(test->name, sizeof(test->name), operation);
	else
		wan_str_copy(test->name, sizeof(test->name), of->name);
	return test;
}

static void take_test(struct bench_said *said, char **fields)
{
	struct bench_test *test = add_test(said, fields[1]);
	test->status = strcmp(fields[2], "1") == 0 ? BENCH_PASSED : BENCH_FAILED;
	test->ms = ms(fields[3]);
	test->most_ms = ms(fields[4]);
	test->cached_ms = ms(fields[5]);
	test->cpu_ms = ms(fields[6]);
	test->memory_mb = mb(fields[7]);
	test->times = number(fields[8]);
	wan_str_copy(test->reason, sizeof(test->reason), fields[9]);
	if (test->images) /* the largest chunk stands there; nobody shows it */
		test->most_ms = test->ms;
}

static void take_source(struct bench_said *said, char **fields)
{
	struct bench_report *report = said->report;
	unsigned width, height;
	for (size_t i = 0; i < report->source_count; i++)
		if (strcmp(report->sources[i].words, fields[1]) == 0)
			return;
	if (report->source_count == BENCH_SOURCES_MAX ||
	    sscanf(fields[1], "%ux%u:", &width, &height) != 2)
		return;
	struct bench_source *source = &report->sources[report->source_count++];
	double pixels = (double)width * height;
	wan_str_copy(source->words, sizeof(source->words), fields[1]);
	source->megapixels = pixels / 1e6;
	source->bits_per_pixel = pixels > 0 ? (double)number(fields[2]) * 8 / pixels : 0;
}

/* --- disturbances and configurations --- */

static void take_stress(struct bench_said *said, char **fields)
{
	struct bench_stress *stress = &said->stress;
	stress->asked = number(fields[1]);
	stress->refused = number(fields[2]);
	stress->wrong = number(fields[3]);
	stress->failed = number(fields[4]);
	stress->level = (int)number(fields[5]);
	stress->percent = (double)number(fields[6]) / 100;
	wan_str_copy(stress->deciding, sizeof(stress->deciding),
		     strcmp(fields[7], "-") == 0 ? "" : fields[7]);
	stress->actions = number(fields[8]);
	stress->cache_limit_mb = mb(fields[9]);
	stress->cache_least_mb = mb(fields[10]);
	stress->taken_mb = mb(fields[11]);
	double seconds = ms(fields[12]) / 1000;
	stress->per_second = seconds > 0 ? (double)stress->asked / seconds : 0;
	wan_str_copy(stress->reason, sizeof(stress->reason), fields[13]);
	said->told = true;
}

static void take_frames(struct bench_said *said, char **fields)
{
	struct bench_row *row = &said->row;
	row->success = strcmp(fields[1], "1") == 0;
	row->seconds = ms(fields[2]) / 1000;
	row->cpu_seconds = ms(fields[3]) / 1000;
	row->memory_mb = mb(fields[4]);
	row->frames = number(fields[5]);
	row->psnr_db = (double)number(fields[6]) / 100;
	row->most_apart = (unsigned)number(fields[7]);
	row->file_kb = (double)number(fields[8]) / 1024;
	row->fps = row->seconds > 0 ? (double)row->frames / row->seconds : 0;
	wan_str_copy(row->error, sizeof(row->error), fields[9]);
	said->told = true;
}

static void take_sample(struct bench_said *said, char **fields)
{
	size_t at = said->reading_count;
	if (at < WAN_COUNT_OF(said->readings)) {
		said->readings[at] =
			(struct wan_leak_reading){(double)at, (double)number(fields[1])};
		said->reading_count++;
	}
}

void bench_take_line(struct bench_said *said, char *line)
{
	char *fields[FIELDS_MAX] = {line};
	size_t count = split(line, fields);
	if (strcmp(fields[0], "test") == 0 && count == 10)
		take_test(said, fields);
	else if (strcmp(fields[0], "at") == 0 && count == 3)
		said->done = number(fields[1]), said->total = number(fields[2]);
	else if (strcmp(fields[0], "source") == 0 && count == 3)
		take_source(said, fields);
	else if (strcmp(fields[0], "sample") == 0 && count == 2)
		take_sample(said, fields);
	else if (strcmp(fields[0], "stress") == 0 && count == 14)
		take_stress(said, fields);
	else if (strcmp(fields[0], "frames") == 0 && count == 10)
		take_frames(said, fields);
}

/* --- the end of a case --- */

/* Why it ended before it was done; "": it did not. */
static void explain(const struct bench_said *said, const struct session_end *end, char *to,
		    size_t bytes)
{
	if (end->timed_out)
		wan_str_format(to, bytes, "did not end within %.1f s and was ended",
			       (double)said->of->timeout_ms / 1000);
	else if (end->signal)
		wan_str_format(to, bytes, "the process that worked was ended by signal %d (%s)",
			       end->signal, strsignal(end->signal));
	else if (end->status == SESSION_NOT_INJECTED)
		wan_str_format(to, bytes, "cannot be injected here: %s",
			       *end->said ? end->said : "the memory group cannot be joined");
	else if (end->status)
		wan_str_format(to, bytes, "ended with status %d%s%s", end->status,
			       *end->said ? ": " : "", end->said);
	else
		wan_str_copy(to, bytes, "");
}

static void judge_leak(struct bench_said *said)
{
	const struct wan_leak_rules rules = {.iterations = WAN_LEAK_ITERATIONS,
					     .limit_bytes = WAN_LEAK_LIMIT_BYTES,
					     .each_bytes = WAN_LEAK_EACH_BYTES};
	struct bench_report *report = said->report;
	struct bench_test *test = &report->tests[report->test_count - 1];
	size_t count = wan_leak_thin(said->readings, said->reading_count);
	wan_leak_judge_readings(said->readings, count, &rules, &report->leak);
	wan_leak_explain(&report->leak, &rules, report->leak_text, sizeof(report->leak_text));
	report->leak_known = true;
	if (test->status != BENCH_PASSED || report->leak.verdict == WAN_LEAK_NONE)
		return;
	test->status = report->leak.verdict == WAN_LEAK_FOUND ? BENCH_FAILED : BENCH_INCONCLUSIVE;
	wan_str_copy(test->reason, sizeof(test->reason), report->leak_text);
}

static struct bench_row *find_row(struct bench_report *report, const char *name)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (strcmp(report->rows[i].config.name, name) == 0)
			return &report->rows[i];
	return NULL;
}

/* Of the passes of a configuration the fastest stands, for what slows one down is not its own; one
 * that failed stands in any case. */
static void end_row(struct bench_said *said, const char *reason)
{
	struct bench_report *report = said->report;
	struct bench_row *row = &said->row;
	row->config = said->of->config;
	row->mode = row->config.threads > 1 ? "cpu_parallel" : "cpu_only";
	row->timestamp_ns = wan_realtime_ns();
	if (!said->told || *reason) {
		row->success = false;
		wan_str_copy(row->error, sizeof(row->error), *reason ? reason : "said nothing");
	}
	struct bench_row *earlier = find_row(report, row->config.name);
	if (!earlier && report->row_count < BENCH_ROWS_MAX)
		report->rows[report->row_count++] = *row;
	else if (earlier && earlier->success && (!row->success || row->fps > earlier->fps))
		*earlier = *row;
}

void bench_take_rows(struct bench_report *report)
{
	const struct bench_case of = {.group = BENCH_GROUP_MATRIX};
	struct bench_said said = {.of = &of, .report = report};
	for (size_t i = 0; i < report->row_count; i++) {
		const struct bench_row *row = &report->rows[i];
		struct bench_test *test = add_test(&said, "frame");
		wan_str_copy(test->name, sizeof(test->name), row->config.name);
		test->status = row->success ? BENCH_PASSED : BENCH_FAILED;
		wan_str_copy(test->reason, sizeof(test->reason), row->success ? "" : row->error);
		test->ms = row->fps > 0 ? 1000 / row->fps : 0;
		test->memory_mb = row->memory_mb;
		test->times = row->frames;
	}
}

static void describe_injection(const struct bench_said *said, char *to, size_t bytes)
{
	const struct bench_injection *injection = &said->of->injection;
	if (injection->memory_percent > 0)
		wan_str_format(to, bytes, "%.0f MB taken, %.0f %% of %s of %llu MB",
			       said->stress.taken_mb, injection->memory_percent,
			       said->by_cap ? "a cap of the process (memory.process_cap)"
					    : "a memory cgroup",
			       (unsigned long long)injection->memory_limit_mb);
	else if (injection->small_disk)
		wan_str_copy(to, bytes, "a file system of 4 MB, full; the recording is on it too");
	else if (injection->busy)
		wan_str_format(to, bytes, "%u processes that only compute", injection->busy);
	else if (injection->share)
		wan_str_format(to, bytes, "halted for %u %% of the time", 100 - injection->share);
	else
		wan_str_copy(to, bytes, "nothing");
}

static void end_stress(struct bench_said *said, const struct session_end *end, const char *reason)
{
	struct bench_report *report = said->report;
	struct bench_stress *stress = &said->stress;
	wan_str_copy(stress->name, sizeof(stress->name), said->of->name);
	bool tried = said->told && stress->per_second > 0;
	stress->survived = said->told && !*reason;
	stress->right = tried && stress->wrong == 0 && stress->failed == 0;
	if (*reason)
		wan_str_copy(stress->reason, sizeof(stress->reason), reason);
	if (tried && stress->survived)
		stress->status = stress->right && !*stress->reason ? BENCH_PASSED : BENCH_FAILED;
	else
		stress->status = end->status == SESSION_NOT_INJECTED || stress->survived
					 ? BENCH_INCONCLUSIVE
					 : BENCH_FAILED;
	if (stress->status == BENCH_INCONCLUSIVE)
		wan_str_copy(stress->injected, sizeof(stress->injected), "nothing");
	else
		describe_injection(said, stress->injected, sizeof(stress->injected));
	if (report->stress_count && report->stress[0].per_second > 0 && tried)
		stress->share = stress->per_second / report->stress[0].per_second;
	if (report->stress_count < BENCH_STRESS_MAX)
		report->stress[report->stress_count++] = *stress;
	struct bench_test *test = add_test(said, "stress");
	test->status = stress->status;
	wan_str_copy(test->reason, sizeof(test->reason), stress->reason);
}

void bench_take_end(struct bench_said *said, const struct session_end *end)
{
	struct bench_report *report = said->report;
	char reason[BENCH_TEXT];
	explain(said, end, reason, sizeof(reason));
	if (end->interrupted)
		return; /* what was whole is there, the rest was not tried */
	if (said->of->group == BENCH_GROUP_STRESS) {
		end_stress(said, end, reason);
	} else if (said->of->group == BENCH_GROUP_MATRIX) {
		end_row(said, reason);
	} else if (said->of->must_time_out) {
		struct bench_test *test = add_test(said, said->of->name);
		test->status = end->timed_out ? BENCH_PASSED : BENCH_FAILED;
		if (!end->timed_out)
			wan_str_copy(test->reason, sizeof(test->reason), reason);
	} else if (*reason || report->test_count == said->first_test) {
		struct bench_test *test = add_test(said, said->of->name);
		wan_str_copy(test->name, sizeof(test->name), said->of->name);
		test->status = BENCH_FAILED;
		wan_str_copy(test->reason, sizeof(test->reason), *reason ? reason : "said nothing");
	} else if (said->of->group == BENCH_GROUP_LEAK && said->reading_count) {
		judge_leak(said);
	}
}
