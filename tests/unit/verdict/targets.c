/* SPDX-License-Identifier: MIT */
#include "targets.h"

#include <errno.h>

#include "macros.h"
#include "tap.h"

static struct targets targets;
static struct wan_error error;

/* The defaults and these lines. */
static int parse(const char *text)
{
	targets_finish(&targets);
	error = (struct wan_error){0};
	if (!CHECK_EQ(targets_init(&targets), 0))
		return -1;
	return targets_parse(&targets, "limits", text, strlen(text), &error);
}

static const struct target *find(enum target_subject subject, enum target_metric metric,
				 const char *name, const char *tier, const char *group)
{
	struct target_run run = {{tier, group}};
	return targets_find(&targets, subject, metric, name, &run, NULL);
}

static bool refused(const char *text, int code, const char *line, const char *reason)
{
	size_t before;
	int rc = parse(text);
	before = targets.count;
	bool right = CHECK_EQ(rc, code) & CHECK_STR(error.object, line) &
		     CHECK(strstr(error.reason, reason) != NULL) & CHECK(error.hint[0] != '\0') &
		     CHECK_EQ(before, 7);
	if (!right)
		printf("# %s -> %s: %s\n", text, error.object, error.reason);
	targets_finish(&targets);
	return right;
}

TEST(the_defaults_are_those_of_the_requirements)
{
	REQUIRE_EQ(parse(""), 0);
	const struct target *target = find(TARGET_OPERATION, TARGET_time_ms, "x", NULL, NULL);
	REQUIRE(target);
	CHECK_EQ(target_judge(target, 1999.9), TARGET_MET);
	CHECK_EQ(target_judge(target, 2000), TARGET_ABOVE);
	CHECK_EQ(target_judge(target, NAN), TARGET_UNKNOWN);
	CHECK(!target->hard);
	CHECK_NEAR(find(TARGET_OPERATION, TARGET_memory_mb, "x", NULL, NULL)->high, 1024, 0);
	CHECK_NEAR(find(TARGET_BATCH, TARGET_memory_mb, "x", NULL, NULL)->high, 4096, 0);
	CHECK_NEAR(find(TARGET_CONCURRENT, TARGET_time_ms, "x", NULL, NULL)->high, 5000, 0);
	target = find(TARGET_ALL, TARGET_success_percent, "", NULL, NULL);
	CHECK_EQ(target_judge(target, 80), TARGET_MET);
	CHECK_EQ(target_judge(target, 79.99), TARGET_BELOW);
	target = find(TARGET_ALL, TARGET_compliance_percent, "", NULL, NULL);
	CHECK_EQ(target_judge(target, 90), TARGET_MET);
	CHECK_EQ(target_judge(target, 89.99), TARGET_BELOW);
	CHECK(!find(TARGET_BATCH, TARGET_time_ms, "x", NULL, NULL));
	targets_finish(&targets);
}

TEST(a_name_takes_the_place_of_its_glob_and_the_last_line_decides)
{
	char line[TARGET_LINE_BYTES];
	REQUIRE_EQ(parse("# ours\n\n  operation jpeg.* time_ms <= 300 hard # strict\r\n"
			 "operation png.* memory_mb any\n"),
		   0);
	const struct target *target =
		find(TARGET_OPERATION, TARGET_time_ms, "jpeg.decode", NULL, NULL);
	CHECK(target->hard);
	CHECK_EQ(target->line, 3);
	CHECK_EQ(target_judge(target, 300), TARGET_MET);
	CHECK_EQ(target_judge(target, 300.1), TARGET_ABOVE);
	CHECK_STR(target_line(target, line), "operation jpeg.* time_ms <= 300 hard");
	CHECK_NEAR(find(TARGET_OPERATION, TARGET_time_ms, "png.decode", NULL, NULL)->high, 2000, 0);
	target = find(TARGET_OPERATION, TARGET_memory_mb, "png.decode", NULL, NULL);
	CHECK_EQ(target_judge(target, 1e9), TARGET_MET);
	targets_finish(&targets);
}

TEST(a_range_says_on_which_side_it_was_missed)
{
	REQUIRE_EQ(parse("run * cpu_percent 70..85"), 0);
	const struct target *target = find(TARGET_RUN, TARGET_cpu_percent, "job", NULL, NULL);
	CHECK_EQ(target_judge(target, 70), TARGET_MET);
	CHECK_EQ(target_judge(target, 85), TARGET_MET);
	CHECK_EQ(target_judge(target, 69.9), TARGET_BELOW);
	CHECK_EQ(target_judge(target, 85.1), TARGET_ABOVE);
	targets_finish(&targets);
}

TEST(lines_in_a_section_are_for_its_runs)
{
	const char *unknown = NULL;
	REQUIRE_EQ(parse("[tier=high-end group=clip-720p*]\nrun * time_s <= 60\n"
			 "[]\nrun * time_s <= 9000\n[tier=budget]\nrun * time_s <= 300\n"),
		   0);
	CHECK_NEAR(find(TARGET_RUN, TARGET_time_s, "x", "budget", "clip")->high, 300, 0);
	CHECK_NEAR(find(TARGET_RUN, TARGET_time_s, "x", "minimal", "clip")->high, 9000, 0);
	/* the line for all comes later than the one for high-end */
	CHECK_NEAR(find(TARGET_RUN, TARGET_time_s, "x", "high-end", "clip-720p-2")->high, 9000, 0);
	struct target_run nobody = {{NULL}};
	const struct target *target =
		targets_find(&targets, TARGET_RUN, TARGET_time_s, "x", &nobody, &unknown);
	CHECK_NEAR(target->high, 9000, 0);
	CHECK_STR(unknown, "tier");
	targets_finish(&targets);
}

TEST(a_blank_in_a_filter_is_written_as_an_underscore)
{
	REQUIRE_EQ(parse("[cpu=*Ryzen_5_3600*]\nrun * cpu_percent 85..95\n"), 0);
	struct target_run run = {{NULL, NULL, "AMD Ryzen 5 3600 6-Core Processor"}};
	CHECK(targets_find(&targets, TARGET_RUN, TARGET_cpu_percent, "x", &run, NULL));
	run.is[TARGET_FILTER_CPU] = "AMD Ryzen 5 5600";
	CHECK(!targets_find(&targets, TARGET_RUN, TARGET_cpu_percent, "x", &run, NULL));
	targets_finish(&targets);
}

TEST(contradictions_are_refused_with_their_line)
{
	refused("\nrun * cpu_percent 85..70", -EINVAL, "limits, line 2", "above the greatest");
	refused("operation a time_ms < 5\n\noperation a time_ms < 6", -EINVAL, "limits, line 3",
		"contradicts line 1, which gives the same target another value");
	refused("operation a time_ms < 5\noperation a time_ms <= 5", -EINVAL, "limits, line 2",
		"another value");
	refused("operation a time_ms < 5\noperation a time_ms < 6 hard", -EINVAL, "limits, line 2",
		"the hard target is weaker than the soft one");
	refused("operation a time_ms < 6 hard\noperation a time_ms < 5", -EINVAL, "limits, line 2",
		"the hard target is weaker than the soft one");
	refused("run * time_s >= 9\nrun * time_s <= 3", -EINVAL, "limits, line 2", "another value");
	REQUIRE_EQ(parse("operation a time_ms < 5\noperation a time_ms < 5\n"
			 "[tier=budget]\noperation a time_ms < 9\n"),
		   0);
	targets_finish(&targets);
}

TEST(words_that_mean_nothing_are_refused_with_their_line)
{
	refused("operation a time_ms", -EBADMSG, "limits, line 1", "words are missing");
	refused("operations a time_ms < 5", -EBADMSG, "limits, line 1", "\"operations\" is no");
	CHECK(strstr(error.hint, "did you mean \"operation\"?"));
	refused("operation a time_m < 5", -EBADMSG, "limits, line 1", "is no figure");
	refused("operation a time_s < 5", -EBADMSG, "limits, line 1", "is a figure of: phase run");
	refused("operation a time_ms < five", -EBADMSG, "limits, line 1", "is no number");
	refused("operation a time_ms < 1e999", -EBADMSG, "limits, line 1", "is no number");
	refused("operation a time_ms <5", -EBADMSG, "limits, line 1", "a number is missing");
	refused("operation a time_ms <", -EBADMSG, "limits, line 1", "a number is missing");
	refused("operation a time_ms 5", -EBADMSG, "limits, line 1", "is no condition");
	refused("operation a time_ms < 5 soft", -EBADMSG, "limits, line 1", "only \"hard\"");
	refused("operation a time_ms < 5 hard hard", -EBADMSG, "limits, line 1", "only \"hard\"");
	refused("[tier=x", -EBADMSG, "limits, line 1", "ends with ]");
	refused("[colour=red]", -EBADMSG, "limits, line 1", "is no filter");
	refused("[tier=]", -EBADMSG, "limits, line 1", "is no filter");
	refused("all jpeg success_percent >= 80", -EBADMSG, "limits, line 1", "the name *");
	refused("all * success_percent < 80", -EBADMSG, "limits, line 1", "least value");
	CHECK_EQ(targets_parse(&targets, "limits", "a\0b", 3, &error), -EBADMSG);
	CHECK(strstr(error.reason, "NUL"));
}

TEST(long_and_many_lines_are_refused)
{
	static char text[TARGETS_BYTES_MAX + 2];
	memset(text, 'a', 2000);
	refused(text, -EBADMSG, "limits, line 1", "longer than");
	size_t used = 0;
	for (int i = 0; i < TARGETS_MAX; i++)
		used += (size_t)sprintf(text + used, "operation a%d time_ms < 5\n", i);
	refused(text, -EFBIG, "limits, line 4090", "more than 4096");
	memset(text, '\n', sizeof(text) - 1);
	CHECK_EQ(parse(text), -EFBIG);
	targets_finish(&targets);
}

TEST(every_shipped_row_is_met_and_missed_at_its_bound)
{
	static const struct {
		const char *list;
		struct target_run run;
		enum target_subject subject;
		const char *name;
		enum target_metric metric;
		double meets, misses;
	} rows[] = {
#define R(list, tier, group, cpu, gpu, ram, subject, name, metric, meets, misses)                  \
	{#list, {{tier, group, cpu, gpu, ram}}, TARGET_##subject, name, TARGET_##metric, meets,    \
	 misses},
#include "shipped_rows.def"
#undef R
	};
	const char *list = "";
	size_t lines = 0, tested = 0;
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++) {
		if (strcmp(list, rows[i].list) != 0) {
			list = rows[i].list;
			targets_finish(&targets);
			REQUIRE_EQ(targets_init(&targets), 0);
			size_t defaults = targets.count;
			if (!CHECK_EQ(targets_load(&targets, list, &error), 0)) {
				printf("# %s: %s\n", error.object, error.reason);
				continue;
			}
			lines += targets.count - defaults;
		}
		const struct target *target =
			targets_find(&targets, rows[i].subject, rows[i].metric, rows[i].name,
				     &rows[i].run, NULL);
		if (!CHECK(target != NULL))
			continue;
		bool right = CHECK_EQ(target_judge(target, rows[i].meets), TARGET_MET) &
			     CHECK(target_judge(target, rows[i].misses) != TARGET_MET);
		if (!right)
			printf("# row %zu of %s\n", i + 1, list);
		tested++;
	}
	targets_finish(&targets);
	CHECK_EQ(tested, WAN_COUNT_OF(rows));
	CHECK(lines > 0 && tested >= lines); /* every line has at least one row */
}

TEST(a_list_that_is_not_there_is_named)
{
	REQUIRE_EQ(targets_init(&targets), 0);
	CHECK_EQ(targets_load(&targets, "tears", &error), -ENOENT);
	CHECK_STR(error.object, "tears");
	CHECK(strstr(error.hint, "tiers"));
	CHECK_EQ(targets_load(&targets, "./tiers", &error), -ENOENT);
	CHECK_EQ(targets_load(&targets, "/", &error), -EISDIR);
	CHECK_EQ(targets_load(&targets, "/dev/null", &error), -ENODATA);
	targets_finish(&targets);
}

TAP_MAIN
