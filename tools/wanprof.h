/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of wanprof share. A verb is one file, wanprof_NAME.c, with one constant
 * wanprof_verb_NAME and one line in verbs.def; help, completions and the tests of the manual pages
 * come from these constants. Data goes to stdout, messages to stderr.
 */
#ifndef WAN_TOOLS_WANPROF_H
#define WAN_TOOLS_WANPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <limits.h>

#include "wan/status.h"

/* Exit statuses, after sysexits.h; `run` has its own (see wanprof-run(1)). */
enum wanprof_exit {
	WANPROF_OK = 0,
	WANPROF_USAGE = 64,
	WANPROF_DAMAGED = 65,
	WANPROF_NO_INPUT = 66,
	WANPROF_SOFTWARE = 70,
	WANPROF_NO_OUTPUT = 73,
	WANPROF_NO_MEMORY = 75,
	WANPROF_RUN_FAILED = 125,
	WANPROF_RUN_REFUSED = 126,
	WANPROF_RUN_MISSING = 127,
};

struct wanprof_option {
	const char *name;     /* "output" for --output */
	char letter;          /* 'o' for -o, or 0 */
	const char *argument; /* "FILE"; NULL: a switch */
	const char *help;     /* one line */
	const char *choices;  /* "json|csv" for completions; may be NULL */
};

struct wanprof_verb {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *usage;   /* "[options] [FILE...]", after "wanprof NAME " */
	const char *text;    /* paragraphs under the options in `wanprof help NAME`; may be NULL */
	const struct wanprof_option *options; /* ended by a NULL name; may be NULL */
	int (*run)(int argc, char **argv);    /* argv[0] is the verb; returns the exit status */
	int usage_exit;                       /* status of a usage error; 0 means WANPROF_USAGE */
	bool stops_at_operand;                /* what follows the first operand is not ours (run) */
};

#define WANPROF_VERB(name) extern const struct wanprof_verb wanprof_verb_##name;
#include "verbs.def"
#undef WANPROF_VERB

/* All verbs, count of them in *ret_count. */
const struct wanprof_verb *const *wanprof_verbs(size_t *ret_count);
const struct wanprof_verb *wanprof_verb_find(const char *name);

/*
 * Options of a verb, one at a time: "-o FILE", "-oFILE", "--output FILE", "--output=FILE",
 * switches in a row ("-qv"), "--" ends them. An abbreviation is not accepted. -h and --help are
 * answered by the dispatcher's convention: they print the verb's help and end the program.
 *
 *	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_dump, argc, argv);
 *	int option;
 *	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END)
 *		switch (option) {
 *		case OPTION_OUTPUT: path = args.value; break;	(index in .options)
 *		case WANPROF_ARGS_OPERAND: file = args.value; break;
 *		default: return args.status;			(message already printed)
 *		}
 */
enum {
	WANPROF_ARGS_END = -1,
	WANPROF_ARGS_OPERAND = -2, /* value is the operand */
	WANPROF_ARGS_USAGE = -3,   /* return status */
};
struct wanprof_args {
	const struct wanprof_verb *verb;
	int argc;
	char **argv;
	int next;          /* index of the next argument; at the end: of the first one not ours */
	const char *value; /* argument of the option, or the operand; borrowed from argv */
	int status;
	bool only_operands;
	const char *cluster; /* rest of "-qv" */
};
#define WANPROF_ARGS(verb_, argc_, argv_)                                                          \
	{                                                                                          \
		.verb = (verb_), .argc = (argc_), .argv = (argv_), .next = 1                       \
	}
int wanprof_args_next(struct wanprof_args *args);

/* "wanprof VERB: message" and where help is, on stderr. Returns the verb's usage status.
 * verb may be NULL. */
int wanprof_usage_error(const struct wanprof_verb *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "wanprof: message" on stderr; control bytes and invalid UTF-8 in it are shown as \xNN. */
void wanprof_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "wanprof: OBJECT: REASON; HINT" on stderr. */
void wanprof_say_error(const struct wan_error *error);
/* Help of one verb, or of the program (NULL). */
void wanprof_print_help(FILE *to, const struct wanprof_verb *verb);
/* Is value one of choices ("a|b|c")? option is named in the message ("--format"). Else a usage
 * error naming the nearest; 0 or the status. */
int wanprof_check_choice(const struct wanprof_verb *verb, const char *option, const char *choices,
			 const char *value);

/*
 * May this stream be coloured? --color=always|never decides; else NO_COLOR, CLICOLOR_FORCE,
 * TERM=dumb and whether it is a terminal.
 */
bool wanprof_colour(FILE *to);
/* "auto", "always", "never" from --color=; false: none of them. */
bool wanprof_colour_set(const char *when);
/* Columns of the terminal behind the stream; 80 when it is none. */
unsigned wanprof_columns(FILE *to);

/*
 * A file to be written whole or not at all: bytes go to a temporary name in the same folder, commit
 * renames it. path NULL or "-": stdout, unbuffered by us.
 */
struct wanprof_output {
	int fd;
	bool standard, force;
	char path[PATH_MAX], temporary[PATH_MAX];
};
/* An existing path is refused without force (-EEXIST). 0, negative errno. */
int wanprof_output_open(struct wanprof_output *output, const char *path, bool force,
			struct wan_error *reterr_error);
/* Give it its name; the output is closed on success and on failure (nothing is left then). */
int wanprof_output_commit(struct wanprof_output *output, struct wan_error *reterr_error);
/* Close and forget; nothing is left. For a committed output it does nothing. */
void wanprof_output_abandon(struct wanprof_output *output);

#endif
