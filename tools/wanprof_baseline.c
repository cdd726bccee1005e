/* SPDX-License-Identifier: MIT */
/* wanprof baseline: runs kept to compare others with. */
#include "wanprof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "baseline_verb.h"
#include "history_collect.h"
#include "json_writer.h"
#include "machine.h"
#include "run_facts.h"
#include "str.h"

enum {
	OPTION_JOB,
	OPTION_LAST,
	OPTION_FORCE,
	OPTION_CANDIDATE,
	OPTION_TIER,
	OPTION_JSON,
};

#define TIERS "high-end|mid-range|budget|minimal|unknown"

static const struct wanprof_option options[] = {
	[OPTION_JOB] = {"job", 0, "NAME", "save: the recordings of this job", NULL},
	[OPTION_LAST] = {"last", 0, "N", "save: the latest N of them (default 5)", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "save: replace a candidate", NULL},
	[OPTION_CANDIDATE] = {"candidate", 0, NULL, "compare: with the candidate", NULL},
	[OPTION_TIER] = {"tier", 0, "TIER", "the baseline of this tier", TIERS},
	[OPTION_JSON] = {"json", 0, NULL, "list, compare: as JSON", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static int parse_last(struct baseline_request *request, const char *value)
{
	uint64_t number;
	if (wan_parse_u64(value, &number) || !number || number > BASELINE_FILES_MAX)
		return wanprof_usage_error(&wanprof_verb_baseline, "--last %s: is not 1 to %d",
					   value, BASELINE_FILES_MAX);
	request->last = (size_t)number;
	return 0;
}

static int set_option(struct baseline_request *request, int option, const char *value)
{
	switch (option) {
	case OPTION_JOB:
		request->job = value;
		return 0;
	case OPTION_LAST:
		return parse_last(request, value);
	case OPTION_TIER:
		request->tier = value;
		return wanprof_check_choice(&wanprof_verb_baseline, "--tier", TIERS, value);
	default:
		request->force |= option == OPTION_FORCE;
		request->candidate |= option == OPTION_CANDIDATE;
		request->json |= option == OPTION_JSON;
		return 0;
	}
}

static int add_operand(struct baseline_request *request, const char **action, const char *value)
{
	if (!*action)
		*action = value;
	else if (!request->name)
		request->name = value;
	else if (request->file_count < BASELINE_FILES_MAX)
		request->files[request->file_count++] = value;
	else
		return wanprof_usage_error(&wanprof_verb_baseline, "more than %d files",
					   BASELINE_FILES_MAX);
	return 0;
}

static const struct {
	const char *name;
	int (*act)(struct baseline_request *request);
	bool needs_name, takes_files;
} actions[] = {
	{"save", baseline_verb_save, true, true},
	{"list", baseline_verb_list, false, false},
	{"show", baseline_verb_show, true, false},
	{"compare", baseline_verb_compare, true, true},
	{"promote", baseline_verb_promote, true, false},
	{"remove", baseline_verb_remove, true, false},
};
#define ACTIONS "save|list|show|compare|promote|remove"

static int act(struct baseline_request *request, const char *action)
{
	const struct wanprof_verb *verb = &wanprof_verb_baseline;
	if (!action)
		return wanprof_usage_error(verb, "what? as in: wanprof baseline list");
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(action, actions[i].name) != 0)
			continue;
		if (actions[i].needs_name && !request->name)
			return wanprof_usage_error(verb, "%s: which? name a baseline", action);
		if (!actions[i].needs_name && request->name)
			return wanprof_usage_error(verb, "%s takes no name", action);
		if (!actions[i].takes_files && request->file_count)
			return wanprof_usage_error(verb, "%s takes no files", action);
		if (request->name && !baseline_name_is_safe(request->name))
			return wanprof_usage_error(verb,
						   "\"%s\" is no name for a baseline: letters, "
						   "digits, '.', '_' and '-'",
						   request->name);
		return actions[i].act(request);
	}
	return wanprof_check_choice(verb, "baseline", ACTIONS, action);
}

static int run(int argc, char **argv)
{
	static struct baseline_request request = {.last = 5};
	const char *action = NULL;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_baseline, argc, argv);
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		int status = option == WANPROF_ARGS_USAGE ? args.status
			     : option == WANPROF_ARGS_OPERAND
				     ? add_operand(&request, &action, args.value)
				     : set_option(&request, option, args.value);
		if (status)
			return status;
	}
	return act(&request, action);
}

const struct wanprof_verb wanprof_verb_baseline = {
	.name = "baseline",
	.summary = "Keep runs under a name, compare others with them, promote better ones",
	.usage = "save|list|show|compare|promote|remove [options] [NAME] [FILE...]",
	.options = options,
	.text = "save NAME FILE... or save NAME --job J keeps recordings; the first is the "
		"reference,\n"
		"later ones are candidates until promote NAME. compare NAME FILE... exits with 0\n"
		"(not slower), 1 (slower) or 3 (inconclusive). Each hardware tier has its own.\n",
	.run = run,
};
