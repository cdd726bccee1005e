/* SPDX-License-Identifier: MIT */
/* The program: finds the verb and hands over. */
#include "wanprof.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "str.h"

static const struct wanprof_verb *const verbs[] = {
#define WANPROF_VERB(name) &wanprof_verb_##name,
#include "verbs.def"
#undef WANPROF_VERB
};

const struct wanprof_verb *const *wanprof_verbs(size_t *ret_count)
{
	*ret_count = WAN_COUNT_OF(verbs);
	return verbs;
}

const struct wanprof_verb *wanprof_verb_find(const char *name)
{
	for (size_t i = 0; i < WAN_COUNT_OF(verbs); i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static int unknown(const char *kind, const char *name, const char *const *names, size_t count)
{
	const char *nearest = wan_str_nearest(name, names, count);
	if (nearest)
		return wanprof_usage_error(NULL, "no %s \"%s\"; did you mean \"%s\"?", kind, name,
					   nearest);
	return wanprof_usage_error(NULL, "no %s \"%s\"", kind, name);
}

static int unknown_verb(const char *name)
{
	const char *names[WAN_COUNT_OF(verbs) + 1];
	size_t count = 0;
	for (; count < WAN_COUNT_OF(verbs); count++)
		names[count] = verbs[count]->name;
	names[count++] = "help";
	return unknown("verb", name, names, count);
}

static int help(int argc, char **argv)
{
	if (argc > 2)
		return wanprof_usage_error(NULL, "help takes one verb");
	const struct wanprof_verb *verb = argc > 1 ? wanprof_verb_find(argv[1]) : NULL;
	if (argc > 1 && !verb)
		return unknown_verb(argv[1]);
	wanprof_print_help(stdout, verb);
	return WANPROF_OK;
}

/* Options before the verb. Returns how many arguments they took, or a negative exit status - 1
 * when the program is done. */
static int global_options(int argc, char **argv)
{
	static const char *const names[] = {"--help", "--version", "--color=auto", "--color=always",
					    "--color=never"};
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			wanprof_print_help(stdout, NULL);
			return -WANPROF_OK - 1;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("wanprof %s\n", WAN_VERSION_TEXT);
			return -WANPROF_OK - 1;
		}
		if (!wan_str_starts(argv[i], "--color=") || !wanprof_colour_set(argv[i] + 8))
			return -unknown("option", argv[i], names, WAN_COUNT_OF(names)) - 1;
	}
	return i - 1;
}

/* What was printed must have arrived: a full disk behind stdout is a failure. */
static int flushed(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (status != WANPROF_NO_OUTPUT) /* else the verb has said so */
			wanprof_say("standard output: could not be written (disk full?)");
		return status ? status : WANPROF_NO_OUTPUT;
	}
	return status;
}

int main(int argc, char **argv)
{
	int taken = global_options(argc, argv);
	if (taken < 0)
		return flushed(-(taken + 1));
	argc -= taken;
	argv += taken;
	if (argc < 2) {
		wanprof_print_help(stderr, NULL);
		return WANPROF_USAGE;
	}
	if (strcmp(argv[1], "help") == 0)
		return flushed(help(argc - 1, argv + 1));
	const struct wanprof_verb *verb = wanprof_verb_find(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	return flushed(verb->run(argc - 1, argv + 1));
}
