/* SPDX-License-Identifier: MIT */
#include "history_runs.h"

#include <errno.h>
#include <math.h>

#include "alloc.h"
#include "tap.h"

static int parse(struct history_runs *runs, const char *line)
{
	char reason[160] = "";
	int rc = history_parse_line(runs, line, reason, sizeof(reason));
	if (rc == -EBADMSG)
		CHECK(reason[0]);
	return rc;
}

TEST(a_line_survives_being_written_and_read)
{
	struct history_runs runs = {0};
	REQUIRE_EQ(parse(&runs, "run \"a \\\"b\\\" \\\\ \\x1b[31m\" total=1.25 status=ok steps=25 "
				"items=6 estimate=2 s_per_step=0.5 label=\"# 1\" tier=budget "
				"date=2025-07-06T20:50:30Z phase=load:0.25 phase=steps:1:25 "
				"share=load:20 verdict=\"not bad\" # and a comment"),
		   0);
	REQUIRE_EQ(runs.count, 1);
	CHECK_STR(runs.items[0].job, "a \"b\" \\ \x1b[31m");
	CHECK_EQ(runs.items[0].started_ns, 1751835030000000000ull);
	char *line = history_format_line(&runs.items[0], false);
	REQUIRE(line != NULL);
	CHECK(!strchr(line, '\x1b'));
	REQUIRE_EQ(parse(&runs, line), 0);
	char *again = history_format_line(&runs.items[1], false);
	CHECK_STR(again, line);
	CHECK_EQ(runs.items[1].phases[1].steps, 25);
	CHECK_NEAR(runs.items[1].phases[0].share, 20, 0);
	wan_free(line);
	wan_free(again);
	history_runs_finish(&runs);
}

TEST(a_line_that_says_nothing_sound_is_refused)
{
	static const char *const lines[] = {
		"run",
		"walk a total=1",
		"run a",
		"run a total",
		"run a total=x",
		"run a total=-1",
		"run a total=1e400",
		"run a total=nan",
		"run a total=1 colour=red",
		"run a total=1 status=fine",
		"run a total=1 date=2025",
		"run a total=1 date=2025-13-01",
		"run a total=1 date=2025-07-06T25:00",
		"run a total=1 date=2025-07-06Zx",
		"run a total=1 phase=load",
		"run a total=1 phase=:3",
		"run a total=1 phase=a:3:x",
		"run a total=1 stamp=a@25:00:00",
		"run a total=1 share=a",
		"run \"a total=1",
		"run a total=1 steps=99999999999999999999",
	};
	struct history_runs runs = {0};
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!CHECK_EQ(parse(&runs, lines[i]), -EBADMSG))
			printf("# %s\n", lines[i]);
	CHECK_EQ(runs.count, 0);
	CHECK_EQ(parse(&runs, ""), 0);
	CHECK_EQ(parse(&runs, "  # only a comment"), 0);
	CHECK_EQ(runs.count, 0);
	history_runs_finish(&runs);
}

TEST(more_than_there_is_room_for_is_refused)
{
	static char line[2 * HISTORY_LINE_MOST];
	struct history_runs runs = {0};
	strcpy(line, "run a total=1");
	for (unsigned i = 0; i <= HISTORY_PHASES_MAX; i++)
		sprintf(line + strlen(line), " phase=p%u:1", i);
	CHECK_EQ(parse(&runs, line), -EBADMSG);
	memset(line, 'a', sizeof(line) - 1);
	CHECK_EQ(parse(&runs, line), -EBADMSG);
	history_runs_finish(&runs);
}

TEST(a_list_says_in_which_line_it_is_wrong)
{
	struct history_runs runs = {0};
	struct wan_error error = {0};
	static const char bad[] = "wanrt-runs 1\nrun a total=1 status=ok\nrun b total=\n";
	CHECK_EQ(history_parse_list(&runs, "x", bad, sizeof(bad) - 1, &error), -EBADMSG);
	CHECK_STR(error.object, "x, line 3");
	CHECK_EQ(history_parse_list(&runs, "x", "wanrt-runs 2\n", 13, &error), -ENOTSUP);
	CHECK_EQ(history_parse_list(&runs, "x", "hello\n", 6, &error), -EBADMSG);
	CHECK_EQ(history_parse_list(&runs, "x", "", 0, &error), -EBADMSG);
	CHECK_EQ(history_parse_list(&runs, "x", "wanrt-runs 1\n\0\n", 15, &error), -EBADMSG);
	CHECK_EQ(history_parse_list(&runs, "x", "wanrt-runs 1\r\njob a\r\n", 21, &error), 0);
	CHECK_EQ(runs.declared_count, 1);
	history_runs_finish(&runs);
}

TEST(stamps_may_pass_midnight)
{
	struct history_runs runs = {0};
	REQUIRE_EQ(parse(&runs, "run a total=60 stamp=a@23:59:30 stamp=b@00:00:40"), 0);
	CHECK_NEAR(runs.items[0].span_s, 70, 0);
	history_runs_finish(&runs);
}

TEST(a_huge_run_is_written_with_the_phases_that_fit)
{
	struct history_run run;
	struct history_runs back = {0};
	char name[600];
	history_run_init(&run);
	run.total_s = 1;
	run.succeeded = 1;
	REQUIRE_EQ(history_set_text(&run.job, "a"), 0);
	memset(name, 'p', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (unsigned i = 0; i < HISTORY_PHASES_MAX; i++)
		REQUIRE_EQ(history_add_phase(&run, name, i, 0), 0);
	CHECK_EQ(history_add_phase(&run, name, 1, 0), -E2BIG);
	char *line = history_format_line(&run, false);
	REQUIRE(line != NULL);
	CHECK_EQ(parse(&back, line), 0);
	wan_free(line);
	history_run_finish(&run);
	history_runs_finish(&back);
}
TAP_MAIN
