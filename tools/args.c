/* SPDX-License-Identifier: MIT */
/* Options of a verb, from its table. */
#include "wanprof.h"

#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "str.h"

enum { NAMES_MAX = 40 };

static int usage(struct wanprof_args *args, int status)
{
	args->status = status;
	return WANPROF_ARGS_USAGE;
}

static void help_and_end(const struct wanprof_verb *verb)
{
	wanprof_print_help(stdout, verb);
	exit(fflush(stdout) == 0 ? WANPROF_OK : WANPROF_NO_OUTPUT);
}

static int unknown_option(struct wanprof_args *args, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	const struct wanprof_option *option = args->verb->options;
	for (; option && option->name && count < NAMES_MAX; option++)
		names[count++] = option->name;
	const char *nearest = wan_str_nearest(name, names, count);
	return usage(args, nearest ? wanprof_usage_error(args->verb,
							 "no option \"--%s\"; did you mean "
							 "\"--%s\"?",
							 name, nearest)
				   : wanprof_usage_error(args->verb, "no option \"--%s\"", name));
}

/* The argument of options[index], given after = or as the next word. */
static int with_argument(struct wanprof_args *args, int index, const char *given)
{
	const struct wanprof_option *option = &args->verb->options[index];
	if (!given && args->next < args->argc)
		given = args->argv[args->next++];
	if (!given)
		return usage(args, wanprof_usage_error(args->verb, "--%s needs %s", option->name,
						       option->argument));
	args->value = given;
	return index;
}

static int long_option(struct wanprof_args *args, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t bytes = equals ? (size_t)(equals - text) : strlen(text);
	const struct wanprof_option *options = args->verb->options;
	for (int i = 0; options && options[i].name; i++) {
		if (strncmp(options[i].name, text, bytes) != 0 || options[i].name[bytes])
			continue;
		if (options[i].argument)
			return with_argument(args, i, equals ? equals + 1 : NULL);
		if (equals)
			return usage(args, wanprof_usage_error(args->verb, "--%s takes no value",
							       options[i].name));
		return i;
	}
	if (strcmp(text, "help") == 0)
		help_and_end(args->verb);
	char name[128];
	wan_str_copy(name, WAN_MIN(sizeof(name), bytes + 1), text);
	return unknown_option(args, name);
}

static int short_option(struct wanprof_args *args)
{
	char letter = *args->cluster++;
	const char *rest = args->cluster;
	if (!*rest)
		args->cluster = NULL;
	const struct wanprof_option *options = args->verb->options;
	for (int i = 0; options && options[i].name; i++) {
		if (options[i].letter != letter)
			continue;
		if (!options[i].argument)
			return i;
		args->cluster = NULL;
		return with_argument(args, i, *rest ? rest : NULL);
	}
	if (letter == 'h')
		help_and_end(args->verb);
	args->cluster = NULL;
	return usage(args, wanprof_usage_error(args->verb, "no option \"-%c\"", letter));
}

int wanprof_args_next(struct wanprof_args *args)
{
	args->value = NULL;
	if (args->cluster)
		return short_option(args);
	if (args->next >= args->argc)
		return WANPROF_ARGS_END;
	char *word = args->argv[args->next];
	bool operand = args->only_operands || word[0] != '-' || !word[1];
	if (operand && args->verb->stops_at_operand)
		return WANPROF_ARGS_END;
	args->next++;
	if (operand) {
		args->value = word;
		return WANPROF_ARGS_OPERAND;
	}
	if (strcmp(word, "--") == 0) {
		args->only_operands = true;
		return wanprof_args_next(args);
	}
	if (word[1] == '-')
		return long_option(args, word + 2);
	args->cluster = word + 1;
	return short_option(args);
}

int wanprof_check_choice(const struct wanprof_verb *verb, const char *option, const char *choices,
			 const char *value)
{
	char copy[256];
	const char *names[NAMES_MAX];
	size_t count = 0;
	wan_str_copy(copy, sizeof(copy), choices);
	for (char *next = copy, *name; (name = strsep(&next, "|")) && count < NAMES_MAX;) {
		if (strcmp(name, value) == 0)
			return 0;
		names[count++] = name;
	}
	const char *nearest = wan_str_nearest(value, names, count);
	if (nearest)
		return wanprof_usage_error(verb, "%s: no choice \"%s\"; did you mean \"%s\"?",
					   option, value, nearest);
	return wanprof_usage_error(verb, "%s: no choice \"%s\"; there are %s", option, value,
				   choices);
}
