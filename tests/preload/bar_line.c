/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "bar_line.h"
#include "bar_parse.h"
#include "tap.h"

#define BAR(percent, n) "\rdesc:  " #percent "%|##        | " #n "/20 [00:01<00:09,  2.1it/s]"

/* What was told, as "draw 0 3/20;left 0;", repeated drawings once. */
struct told {
	char text[4096];
	size_t used;
	char last[128];
};

static bool note(void *context, enum wan_bar_event event, int64_t row, const char *text,
		 size_t bytes)
{
	static const char *const names[] = {"draw", "clear", "left", "back"};
	struct told *told = context;
	struct wan_bar_text bar;
	char line[128];
	if (event == WAN_BAR_DRAWN && !wan_bar_parse(text, bytes, &bar))
		return false;
	snprintf(line, sizeof(line), "%s %d", names[event], (int)row);
	if (event == WAN_BAR_DRAWN)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %d/%d", (int)bar.done,
			 (int)bar.total);
	if (strcmp(line, told->last) != 0)
		told->used += (size_t)snprintf(told->text + told->used,
					       sizeof(told->text) - told->used, "%s;", line);
	strcpy(told->last, line);
	return event == WAN_BAR_DRAWN;
}

static struct wan_bar_line line;

static void begin(struct told *told)
{
	memset(told, 0, sizeof(*told));
	wan_bar_line_begin(&line);
}

static void feed(struct told *told, const char *text)
{
	size_t bytes = strlen(text);
	char *copy = malloc(bytes ? bytes : 1); /* of its exact size */
	memcpy(copy, text, bytes);
	wan_bar_line_feed(&line, copy, bytes, note, told);
	free(copy);
}

/* tqdm: two bars, a line of text between, as captured. */
static const char *const nested[] = {
	BAR(0, 0),  "\n",
	BAR(5, 1),  "\x1b[A",
	"\n",       BAR(10, 2),
	"\x1b[A",   BAR(15, 3),
	"\n",       "\r                              ",
	"\x1b[A",   "\r                    ",
	"\r",       "hello\n",
	BAR(20, 4), "\n",
};
static const char nested_told[] =
	"draw 0 0/20;left 0;draw 1 1/20;back 0;draw 1 2/20;back 0;draw 0 3/20;left 0;clear 1;"
	"back 0;clear 0;draw 1 4/20;left 1;";

TEST(nested_bars_have_rows)
{
	struct told told;
	begin(&told);
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++)
		feed(&told, nested[i]);
	CHECK_STR(told.text, nested_told);
}

TEST(writes_may_be_cut_anywhere)
{
	char all[4096] = "";
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++)
		strcat(all, nested[i]);
	size_t bytes = strlen(all);
	for (size_t step = 1; step <= 64; step++) {
		struct told told;
		begin(&told);
		for (size_t at = 0; at < bytes; at += step)
			wan_bar_line_feed(&line, all + at, bytes - at < step ? bytes - at : step,
					  note, &told);
		/* A row of spaces that goes on is not known to be a cleared one, or not, before. */
		CHECK(strstr(told.text, "draw 0 0/20;left 0;") == told.text);
		CHECK(strstr(told.text, "draw 1 2/20;") != NULL);
		CHECK(strstr(told.text, "draw 0 3/20;left 0;") != NULL);
		CHECK_STR(told.text + strlen(told.text) - 19, "draw 1 4/20;left 1;");
	}
}

TEST(one_write_may_hold_all)
{
	struct told told;
	char all[4096] = "";
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++)
		strcat(all, nested[i]);
	begin(&told);
	feed(&told, all);
	CHECK_STR(told.text, nested_told);
}

TEST(colours_are_no_text)
{
	struct told told;
	begin(&told);
	feed(&told, "\rdesc:  10%|\x1b[32m##\x1b[0m        | 2/20 [00:01<00:09,  2.1it/s]");
	feed(&told, "\x1b[38;5;197m\x1b[?25l");
	CHECK_STR(told.text, "draw 0 2/20;");
}

TEST(rich_draws_all_rows_at_once)
{
#define GLYPHS                                                                                     \
	"\x1b[38;5;237m\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81"               \
	"\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\x1b[0m "
	struct told told;
	begin(&told);
	feed(&told, "alpha " GLYPHS "\x1b[32m1/4\x1b[0m\nbeta  " GLYPHS "\x1b[32m2/8\x1b[0m");
	feed(&told, "\r\x1b[2K\x1b[1A\x1b[2Kalpha " GLYPHS "\x1b[32m2/4\x1b[0m\nbeta  " GLYPHS
		    "\x1b[32m4/8\x1b[0m");
	feed(&told, "\n\x1b[?25h");
	CHECK_STR(told.text, "draw 0 1/4;left 0;draw 1 2/8;back 0;draw 0 2/4;left 0;draw 1 4/8;"
			     "left 1;");
}

TEST(rows_that_are_too_long_are_skipped_whole)
{
	static char big[3000];
	struct told told;
	begin(&told);
	memset(big, 'x', sizeof(big) - 1);
	feed(&told, big);
	feed(&told, "  10%|##   | 2/20 [00:01<00:09,  2.1it/s]");
	CHECK_STR(told.text, "");
	feed(&told, BAR(10, 2));
	CHECK_STR(told.text, "draw 0 2/20;");
}

TEST(of_a_large_write_the_end_is_looked_at)
{
	static char big[100000];
	struct told told;
	begin(&told);
	memset(big, '\n', sizeof(big) - 1);
	strcpy(big + sizeof(big) - 1 - strlen(BAR(10, 2)), BAR(10, 2));
	feed(&told, big);
	CHECK(strstr(told.text, "2/20;") != NULL);
}

TEST(after_a_miss_a_line_begins_with_the_next_return)
{
	struct told told;
	begin(&told);
	feed(&told, "\rdesc:  10%|##        |");
	wan_bar_line_miss(&line);
	feed(&told, " 2/20 [00:01<00:09,  2.1it/s]");
	CHECK_STR(told.text, "");
	feed(&told, BAR(15, 3));
	CHECK_STR(told.text, "draw 0 3/20;");
}

TEST(only_what_can_begin_a_bar_is_followed)
{
	static const struct {
		const char *bytes;
		bool may;
	} writes[] = {
		{"\r  0%|", true},          {"text\r  0%|", true}, {"\r", true},
		{"plain text\n", false},    {"a\r\nb\r\n", false}, {"a: 1\r\n\r\nbody", false},
		{"\r\x1b[2KWorking", true}, {"\r\x01\x02", false}, {"\n\n\n", false},
		{"a\r\nb\r\n\r 5%|", true},
	};
	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		CHECK_EQ(wan_bar_may_begin(writes[i].bytes, strlen(writes[i].bytes)),
			 writes[i].may);
}

TAP_MAIN
