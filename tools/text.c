/* SPDX-License-Identifier: MIT */
/* Messages, help texts and what the terminal can show. */
#include "wanprof.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "str.h"

static enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour_choice;

bool wanprof_colour_set(const char *when)
{
	if (strcmp(when, "always") == 0)
		colour_choice = COLOUR_ALWAYS;
	else if (strcmp(when, "never") == 0)
		colour_choice = COLOUR_NEVER;
	else if (strcmp(when, "auto") == 0)
		colour_choice = COLOUR_AUTO;
	else
		return false;
	return true;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && value[0];
}

bool wanprof_colour(FILE *to)
{
	if (colour_choice != COLOUR_AUTO)
		return colour_choice == COLOUR_ALWAYS;
	if (is_set("NO_COLOR"))
		return false;
	if (is_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
		return true;
	const char *terminal = getenv("TERM");
	return isatty(fileno(to)) && terminal && strcmp(terminal, "dumb") != 0;
}

unsigned wanprof_columns(FILE *to)
{
	struct winsize size;
	if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

/* One line of at most 2 KiB in one write, so that lines of several processes do not mix. */
static void say(const char *prefix, const char *format, va_list arguments)
{
	char text[1024], shown[2048], line[2304];
	vsnprintf(text, sizeof(text), format, arguments);
	wan_str_printable(shown, sizeof(shown), text);
	size_t bytes = wan_str_format(line, sizeof(line), "%s: %s\n", prefix, shown);
	while (write(STDERR_FILENO, line, bytes) < 0 && errno == EINTR)
		;
}

void wanprof_say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say("wanprof", format, arguments);
	va_end(arguments);
}

void wanprof_say_error(const struct wan_error *error)
{
	const char *reason = error->reason[0] ? error->reason : strerror(-error->code);
	if (error->object[0])
		wanprof_say("%s: %s%s%s", error->object, reason, error->hint[0] ? "; " : "",
			    error->hint);
	else
		wanprof_say("%s%s%s", reason, error->hint[0] ? "; " : "", error->hint);
}

int wanprof_usage_error(const struct wanprof_verb *verb, const char *format, ...)
{
	char prefix[64], text[900];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	wan_str_format(prefix, sizeof(prefix), verb ? " %s" : "%s", verb ? verb->name : "");
	wanprof_say("%s%s%s (see: wanprof help%s)", verb ? verb->name : "", verb ? ": " : "", text,
		    prefix);
	return verb && verb->usage_exit ? verb->usage_exit : WANPROF_USAGE;
}

static void print_option(FILE *to, const struct wanprof_option *option)
{
	char head[64];
	char letter[8] = "    ";
	if (option->letter)
		wan_str_format(letter, sizeof(letter), "-%c, ", option->letter);
	wan_str_format(head, sizeof(head), "%s--%s%s%s", letter, option->name,
		       option->argument ? " " : "", option->argument ? option->argument : "");
	if (strlen(head) > 26)
		fprintf(to, "  %s\n  %-26s  %s\n", head, "", option->help);
	else
		fprintf(to, "  %-26s  %s\n", head, option->help);
}

static void print_verb_help(FILE *to, const struct wanprof_verb *verb)
{
	fprintf(to, "Usage: wanprof %s %s\n\n%s.\n", verb->name, verb->usage, verb->summary);
	if (verb->options && verb->options->name)
		fprintf(to, "\nOptions:\n");
	for (const struct wanprof_option *option = verb->options; option && option->name; option++)
		print_option(to, option);
	if (verb->text)
		fprintf(to, "\n%s", verb->text);
	fprintf(to, "\nManual: man wanprof-%s\n", verb->name);
}

static void print_program_help(FILE *to)
{
	size_t count;
	const struct wanprof_verb *const *verbs = wanprof_verbs(&count);
	fprintf(to,
		"wanprof shows which image operations of a program are slow, memory-heavy or\n"
		"scale badly, without changing the program.\n\n"
		"  wanprof run -- python3 generate.py     record a program, end with a summary\n"
		"  wanprof run -o a.wprof -- djpeg in.jpg record into a file of that name\n\n"
		"Usage: wanprof [--color=auto|always|never] VERB [options]\n\nVerbs:\n");
	for (size_t i = 0; i < count; i++)
		fprintf(to, "  %-12s%s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(to, "  %-12s%s\n\n", "help VERB", "options of a verb");
	fprintf(to, "      --help                  this text\n"
		    "      --version               the version, on one line\n"
		    "      --color=WHEN            auto (default), always or never\n");
}

void wanprof_print_help(FILE *to, const struct wanprof_verb *verb)
{
	if (verb)
		print_verb_help(to, verb);
	else
		print_program_help(to);
}
