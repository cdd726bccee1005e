/* SPDX-License-Identifier: MIT */
/* wanprof top: a recorded run as it goes on, on one screen or as plain rows. */
#include "wanprof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "live.h"
#include "macros.h"
#include "recordings.h"
#include "str.h"
#include "summary.h"
#include "top.h"
#include "units.h"

enum { OPTION_PID, OPTION_ONCE, OPTION_DELAY };

static const struct wanprof_option options[] = {
	[OPTION_PID] = {"pid", 'p', "PID", "this process and its run; the newest if not given",
			NULL},
	[OPTION_ONCE] = {"once", '1', NULL, "print one screen and end", NULL},
	[OPTION_DELAY] = {"delay", 'd', "SECONDS", "time between plain rows; 1 if not given", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

#define POLL_NS       25000000ull  /* an update is noticed after this at the latest ... */
#define DRAW_NS       100000000ull /* ... and drawn ten times a second, on average */
#define CREDIT_NS     500000000ull /* what was not drawn may be drawn later, so none has to wait */
#define QUIET_DRAW_NS 250000000ull /* ages and totals go on without updates */
/* Of the time, at most this part goes into looks, however many processes there are. */
#define LOOK_SHARE 100

struct request {
	const char *pid;
	uint64_t delay_ns;
	bool once, screen, colour;
};

static struct live live;
static struct top_lines lines;

/* --- one screen, printed --- */

static int print_once(const struct top_choice *choice)
{
	enum { FILE_COLUMNS = 120 };
	unsigned columns = isatty(STDOUT_FILENO) ? wanprof_columns(stdout) : FILE_COLUMNS;
	top_compose(&lines, &live, choice, 0, columns);
	for (unsigned i = 0; i < lines.count; i++)
		printf("%s\n", lines.text[i]);
	return WANPROF_OK;
}

static int out_of_memory(void)
{
	wanprof_say("out of memory");
	return WANPROF_NO_MEMORY;
}

/* Of what has ended the recording says all there is to say. */
static int show_ended(const char *pid)
{
	static struct recordings recordings;
	const struct top_choice choice = {.all_jobs = true};
	int status = recordings_add_pid(&recordings, pid);
	if (status)
		return status;
	if (live_open_ended(&live, recordings.items, recordings.count) != 0)
		return out_of_memory();
	status = print_once(&choice);
	live_close(&live);
	if (recordings.damaged)
		status = WANPROF_DAMAGED;
	recordings_close(&recordings);
	return status;
}

/* --- the screen --- */

static void obey_key(struct top_choice *choice, int key)
{
	if (key == 's')
		choice->sort = (choice->sort + 1) % TOP_SORTS;
	else if (key == 't')
		choice->all_jobs = !choice->all_jobs;
	else if (key == TOP_KEY_UP)
		choice->first_row -= choice->first_row > 0;
	else if (key == TOP_KEY_DOWN)
		choice->first_row += choice->first_row + 1 < live.row_count;
	else if (key == TOP_KEY_PAGE_UP)
		choice->first_job -= choice->first_job > 0;
	else if (key == TOP_KEY_PAGE_DOWN)
		choice->first_job += choice->first_job + 1 < live.trackers.count;
}

static int draw(const struct top_choice *choice)
{
	unsigned rows, columns;
	top_terminal_size(&rows, &columns);
	top_compose(&lines, &live, choice, rows, columns);
	return top_terminal_draw(&lines, rows);
}

/* Asks whether a job moved until it is time to draw; then looks and draws. The key that was pressed
 * meanwhile. */
static int wait_for_news(uint64_t drawn_ns)
{
	static uint64_t credit_ns, credited_ns;
	uint64_t price_ns = WAN_MAX(DRAW_NS, LOOK_SHARE * live.glance_cost_ns);
	for (bool moved = false;;) {
		uint64_t now_ns = wan_now_ns(), since_ns = wan_elapsed(drawn_ns, now_ns);
		credit_ns += wan_elapsed(credited_ns, now_ns);
		credit_ns = WAN_MIN(credit_ns, WAN_MAX(CREDIT_NS, price_ns));
		credited_ns = now_ns;
		moved = moved || live_moved(&live);
		if ((moved && credit_ns >= price_ns) ||
		    since_ns >= WAN_MAX(QUIET_DRAW_NS, price_ns)) {
			credit_ns -= WAN_MIN(credit_ns, price_ns);
			return TOP_KEY_NONE;
		}
		uint64_t left_ns = moved ? price_ns - credit_ns : POLL_NS;
		int key = top_terminal_wait(WAN_MIN(left_ns, POLL_NS));
		if (key != TOP_KEY_NONE)
			return key;
	}
}

/* Until the run ends or the user does not want to see more of it. 0, -ENOMEM. */
static int show_screen(const struct request *request, bool *ret_ended)
{
	struct top_choice choice = {.keys = true};
	top_terminal_open(request->colour);
	for (;;) {
		int seen = live_look(&live);
		if (seen < 0)
			return seen;
		*ret_ended = !live_runs(&live);
		if (draw(&choice) < 0 || *ret_ended)
			return 0;
		int key = wait_for_news(wan_now_ns());
		if (key == 'q' || key == TOP_KEY_END || key == 4)
			return 0;
		obey_key(&choice, key);
	}
}

static int show_live_screen(const struct request *request)
{
	const struct top_choice all = {.all_jobs = true};
	bool ended = false;
	int error = show_screen(request, &ended);
	top_terminal_close();
	if (error == -ENOMEM)
		return out_of_memory();
	top_terminal_obey_signal();
	return ended ? print_once(&all) : WANPROF_OK;
}

/* --- plain rows --- */

static void print_row(uint32_t pid, const char *text)
{
	char shown[2 * TOP_JOB_BYTES], when[16] = "";
	time_t now = (time_t)(wan_realtime_ns() / 1000000000);
	struct tm tm;
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	wan_str_printable(shown, sizeof(shown), text);
	printf("%s  %" PRIu32 "  %s\n", when, pid, shown);
}

/* Where no job tells how far it is, the operations say that something goes on. */
static uint64_t print_operations(uint64_t before)
{
	char text[TOP_JOB_BYTES], now[160] = "";
	uint64_t count = 0;
	double rate = 0;
	for (size_t i = 0; i < live.row_count; i++) {
		const struct live_row *row = &live.rows[i];
		count += row->count;
		rate += WAN_MAX(row->per_second, 0.0);
		if (row->in_flight && !now[0])
			wan_str_format(now, sizeof(now), "; now %s", row->name);
	}
	if (count == before && !now[0])
		return count;
	wan_str_format(text, sizeof(text), "%" PRIu64 " operations, %.1f/s%s", count, rate, now);
	print_row(live.view.main ? live.view.main->header.pid : 0, text);
	return count;
}

enum { ROWS_MOST = 512 };

/* A job is told of when it moved, and a stall once. */
static bool differs(size_t place, const struct wan_tracker_row *row, bool stalled)
{
	static struct {
		uint64_t begin_ns, mark;
	} told[ROWS_MOST];
	uint64_t mark = row->updates * 8 + row->phase_steps + row->done * 16 + stalled +
			2 * row->active + (row->phase[0] ? (uint64_t)row->phase[0] << 32 : 0);
	if (told[place].begin_ns == row->begin_ns && told[place].mark == mark)
		return false;
	told[place].begin_ns = row->begin_ns;
	told[place].mark = mark;
	return true;
}

static void print_rows(uint64_t *operations)
{
	static size_t indices[ROWS_MOST];
	char text[TOP_JOB_BYTES];
	size_t count = top_sorted_jobs(&live, true, indices, ROWS_MOST);
	for (size_t i = 0; i < count; i++) {
		const struct wan_tracker_row *row = &live.trackers.items[indices[i]];
		const struct live_verdict *verdict = live_verdict(&live, row);
		if (!differs(indices[i] % ROWS_MOST, row, verdict->stalled || verdict->late))
			continue;
		top_job_text(&live, row, text, sizeof(text));
		print_row(row->process->header.pid, text);
	}
	if (!count)
		*operations = print_operations(*operations);
}

static int show_rows(const struct request *request)
{
	uint64_t operations = 0;
	struct timespec pause = {.tv_sec = (time_t)(request->delay_ns / 1000000000),
				 .tv_nsec = (long)(request->delay_ns % 1000000000)};
	for (;;) {
		if (live_look(&live) < 0)
			return out_of_memory();
		print_rows(&operations);
		if (!live_runs(&live)) {
			char end[64];
			wan_summary_outcome(end, sizeof(end), wan_view_outcome(&live.view));
			print_row(live.view.main ? live.view.main->header.pid : 0, end);
			return WANPROF_OK;
		}
		if (fflush(stdout) != 0)
			return WANPROF_NO_OUTPUT;
		nanosleep(&pause, NULL);
	}
}

/* --- which run --- */

/* 0, or an exit status + 1; WANPROF_OK + 1: the user wants none. */
static int choose(const struct request *request, const char **ret_path)
{
	static struct live_choice choices[64];
	size_t count = live_find(choices, WAN_COUNT_OF(choices));
	int chosen = 0;
	if (!count) {
		wanprof_say("nothing is being recorded now: start it with `wanprof run -- CMD`; "
			    "`wanprof report` tells of what has ended");
		return WANPROF_NO_INPUT + 1;
	}
	if (count > 1 && request->screen)
		chosen = top_choose(choices, count, request->colour);
	else if (count > 1)
		wanprof_say("%zu runs are being recorded; this is the newest, process %" PRIu32
			    "; -p PID chooses",
			    count, choices[0].identity.pid);
	if (chosen < 0) {
		top_terminal_close();
		top_terminal_obey_signal();
		return WANPROF_OK + 1;
	}
	*ret_path = choices[chosen].path;
	return 0;
}

static int watch(const struct request *request, const char *path)
{
	const struct top_choice choice = {.all_jobs = true};
	int error = live_open(&live, path);
	if (error) {
		top_terminal_close();
		wanprof_say("%s: cannot be read: %s", path, strerror(-error));
		return WANPROF_NO_INPUT;
	}
	int status;
	if (request->once)
		status = live_look(&live) < 0 ? out_of_memory() : print_once(&choice);
	else if (request->screen)
		status = show_live_screen(request);
	else
		status = show_rows(request);
	live_close(&live);
	return status;
}

static int parse(struct request *request, int argc, char **argv)
{
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_top, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option == OPTION_PID)
			request->pid = args.value;
		else if (option == OPTION_ONCE)
			request->once = true;
		else if (option == OPTION_DELAY &&
			 (wan_parse_duration_ns(args.value, 1000000000, &request->delay_ns) ||
			  request->delay_ns < 50000000 || request->delay_ns > 3600000000000ull))
			return wanprof_usage_error(
				args.verb, "--delay %s: is not 0.05 to 3600 seconds", args.value);
		else if (option == WANPROF_ARGS_OPERAND)
			return wanprof_usage_error(args.verb, "%s: a process is named by -p PID",
						   args.value);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	struct request request = {.delay_ns = 1000000000};
	static char path[PATH_MAX];
	const char *chosen = path;
	uint64_t pid;
	int status = parse(&request, argc, argv);
	if (status)
		return status;
	request.screen = !request.once && top_terminal_can();
	request.colour = wanprof_colour(stdout);
	if (!request.pid) {
		status = choose(&request, &chosen);
		return status ? status - 1 : watch(&request, chosen);
	}
	if (wan_parse_u64(request.pid, &pid) == 0 && pid && pid <= INT_MAX &&
	    live_find_pid((uint32_t)pid, path, sizeof(path)) == 0)
		return watch(&request, path);
	return show_ended(request.pid);
}

const struct wanprof_verb wanprof_verb_top = {
	.name = "top",
	.summary = "Watch a recorded run: progress, memory, cache, operations",
	.usage = "[-p PID] [--once] [--delay SECONDS]",
	.options = options,
	.text = "The recording is read from outside: nothing is stopped or slowed. Keys: q quits, "
		"s sorts\n"
		"operations, t shows all jobs, arrows and pages scroll. When stdout is no "
		"terminal, "
		"rows are\n"
		"printed as jobs move. Of a process that has ended, its last phase and step and "
		"how "
		"it ended.\n",
	.run = run,
};
