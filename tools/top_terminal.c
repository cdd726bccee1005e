/* SPDX-License-Identifier: MIT */
/*
 * The terminal while a screen is drawn on it. Signals that end or stop the program are noted and
 * obeyed between two drawings, when the terminal has been given back; all of it happens with calls
 * that are safe at any time, so that an exit from wherever gives it back too.
 */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "macros.h"
#include "screen.h"
#include "str.h"
#include "sys.h"
#include "wanprof.h"

/* Another screen, no cursor, no line wrap; and the way back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

static const int watched[] = {SIGINT,  SIGTERM, SIGHUP,   SIGQUIT,
			      SIGTSTP, SIGCONT, SIGWINCH, SIGPIPE};
enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static struct {
	volatile bool drawn; /* our screen is up */
	bool keys;           /* stdin is a terminal, its mode is ours */
	bool colour, whole;  /* whole: nothing is known of what it shows */
	struct termios before;
	sigset_t waiting; /* the mask while we wait: nothing of ours is blocked */
	struct sigaction was[WATCHED];
	bool set_up;
} terminal;
static volatile sig_atomic_t end_signal, stop_asked, continued, resized;
static struct top_lines shown;

bool top_terminal_can(void)
{
	const char *type = getenv("TERM");
	return isatty(STDOUT_FILENO) && type && type[0] && strcmp(type, "dumb") != 0;
}

/* Output that the user has halted (Ctrl-S) must not keep us from ending. */
static bool takes_output(int timeout_ms)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	return poll(&out, 1, timeout_ms) > 0;
}

static int say(const char *text, size_t bytes)
{
	if (!takes_output(200))
		return -EAGAIN;
	return wan_write_full(STDOUT_FILENO, text, bytes);
}

static void enter(void)
{
	terminal.keys = tcgetattr(STDIN_FILENO, &terminal.before) == 0;
	if (terminal.keys) {
		struct termios mode = terminal.before;
		mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		mode.c_cc[VMIN] = 0;
		mode.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &mode);
	}
	say(ENTER, sizeof(ENTER) - 1);
	terminal.drawn = terminal.whole = true;
}

static void leave(void)
{
	if (!terminal.drawn)
		return;
	terminal.drawn = false;
	say(LEAVE, sizeof(LEAVE) - 1);
	if (terminal.keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

static void note(int signal)
{
	if (signal == SIGTSTP)
		stop_asked = 1;
	else if (signal == SIGWINCH)
		resized = 1;
	else if (signal == SIGCONT)
		continued = 1;
	else
		end_signal = signal;
}

static void set_up(void)
{
	struct sigaction action = {.sa_handler = note};
	sigset_t ours;
	sigemptyset(&ours);
	for (unsigned i = 0; i < WATCHED; i++) {
		sigaction(watched[i], NULL, &terminal.was[i]);
		if (terminal.was[i].sa_handler == SIG_IGN && watched[i] != SIGPIPE)
			continue; /* nohup and the like */
		sigaction(watched[i], &action, NULL);
		sigaddset(&ours, watched[i]);
	}
	sigprocmask(SIG_BLOCK, &ours, &terminal.waiting);
	for (unsigned i = 0; i < WATCHED; i++)
		sigdelset(&terminal.waiting, watched[i]);
	atexit(leave);
	terminal.set_up = true;
}

void top_terminal_open(bool colour)
{
	if (!terminal.set_up)
		set_up();
	terminal.colour = colour;
	if (!terminal.drawn)
		enter();
}

void top_terminal_close(void)
{
	leave();
}

void top_terminal_size(unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize size;
	*ret_rows = 24;
	*ret_columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row || !size.ws_col)
		return;
	*ret_rows = WAN_CLAMP(size.ws_row, 1u, (unsigned)TOP_LINES);
	*ret_columns = WAN_CLAMP(size.ws_col, 1u, (unsigned)TOP_COLUMNS);
}

/* Stops as the user asked, on a terminal that is theirs again. */
static void stop(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
	sigset_t stopping, mask;
	stop_asked = 0;
	leave();
	sigaction(SIGTSTP, &usual, &ours);
	sigemptyset(&stopping);
	sigaddset(&stopping, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stopping, &mask); /* here it stops */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &ours, NULL);
	enter();
}

/* Keys that come as several bytes; what else begins with an escape is passed over. */
static int decode(const char *bytes, size_t count)
{
	static const struct {
		const char *bytes;
		enum top_key key;
	} keys[] = {
		{"\033[A", TOP_KEY_UP},       {"\033OA", TOP_KEY_UP},
		{"\033[B", TOP_KEY_DOWN},     {"\033OB", TOP_KEY_DOWN},
		{"\033[5~", TOP_KEY_PAGE_UP}, {"\033[6~", TOP_KEY_PAGE_DOWN},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(keys); i++)
		if (count >= strlen(keys[i].bytes) &&
		    memcmp(bytes, keys[i].bytes, strlen(keys[i].bytes)) == 0)
			return keys[i].key;
	return bytes[0] == '\033' ? TOP_KEY_NONE : (unsigned char)bytes[0];
}

static int read_key(short events)
{
	char bytes[64];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (got > 0)
		return decode(bytes, (size_t)got);
	/* No byte on a terminal that has some to give: it hung up. */
	bool gone =
		(events & (POLLHUP | POLLERR)) || (got < 0 && errno != EAGAIN && errno != EINTR);
	return gone ? TOP_KEY_END : TOP_KEY_NONE;
}

int top_terminal_wait(uint64_t timeout_ns)
{
	struct pollfd keys = {.fd = terminal.keys ? STDIN_FILENO : -1, .events = POLLIN};
	const struct timespec limit = {.tv_sec = (time_t)(timeout_ns / 1000000000),
				       .tv_nsec = (long)(timeout_ns % 1000000000)};
	int ready = ppoll(&keys, 1, &limit, &terminal.waiting);
	if (end_signal)
		return TOP_KEY_END;
	if (stop_asked) {
		stop();
		return TOP_KEY_REDRAW;
	}
	if (resized) {
		resized = 0;
		terminal.whole = true;
		return TOP_KEY_REDRAW;
	}
	if (continued) {
		continued = 0;
		leave(); /* after a stop that could not be caught the shell has its own mode */
		enter();
		return TOP_KEY_REDRAW;
	}
	return ready > 0 ? read_key(keys.revents) : TOP_KEY_NONE;
}

void top_terminal_obey_signal(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t one;
	int signal = end_signal;
	if (!signal || signal == SIGINT || signal == SIGPIPE)
		return;
	leave();
	sigaction(signal, &usual, NULL);
	raise(signal);
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static const char *style_text(uint8_t style)
{
	static const char *const texts[] = {
		[TOP_PLAIN] = "",      [TOP_TITLE] = "\033[1m", [TOP_HEAD] = "\033[36m",
		[TOP_DIM] = "\033[2m", [TOP_WARN] = "\033[33m", [TOP_BAD] = "\033[1;31m",
	};
	return terminal.colour ? texts[style] : "";
}

static bool is_shown(const struct top_lines *lines, unsigned row)
{
	const char *now = row < lines->count ? lines->text[row] : "";
	const char *before = row < shown.count ? shown.text[row] : "";
	uint8_t style = row < lines->count ? lines->style[row] : 0;
	uint8_t style_before = row < shown.count ? shown.style[row] : 0;
	return !terminal.whole && style == style_before && strcmp(now, before) == 0;
}

int top_terminal_draw(const struct top_lines *lines, unsigned rows)
{
	static char out[TOP_LINES * (TOP_BYTES + 32)];
	size_t used = 0;
	if (!takes_output(0))
		return 0;
	if (terminal.whole || lines->columns != shown.columns) {
		terminal.whole = true;
		used += wan_str_format(out, sizeof(out), "\033[2J");
	}
	for (unsigned row = 0; row < rows && row < TOP_LINES; row++) {
		if (is_shown(lines, row))
			continue;
		const char *text = row < lines->count ? lines->text[row] : "";
		const char *style = style_text(row < lines->count ? lines->style[row] : 0);
		used += wan_str_format(out + used, sizeof(out) - used, "\033[%u;1H\033[2K%s%s%s",
				       row + 1, style, text, style[0] ? "\033[0m" : "");
	}
	terminal.whole = false;
	memcpy(&shown, lines, sizeof(shown));
	return used ? say(out, used) : 0;
}
