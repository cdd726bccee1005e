/* SPDX-License-Identifier: MIT */
/* wanprof config: the configuration in force, and where each value came from. */
#include "wanprof.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_load.h"
#include "json_writer.h"
#include "macros.h"
#include "str.h"

enum { OPTION_SHOW_ORIGIN, OPTION_JSON, OPTION_HELP_KEYS };

static const struct wanprof_option options[] = {
	[OPTION_SHOW_ORIGIN] = {"show-origin", 0, NULL, "say where each value comes from", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "one JSON object", NULL},
	[OPTION_HELP_KEYS] = {"describe", 0, NULL, "say what each key means", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct view {
	bool origin, json, describe;
	struct wan_config config;
	enum wan_origin origins[WAN_CONFIG_KEY_COUNT];
	bool chosen[WAN_CONFIG_KEY_COUNT];
};

static const char *origin_name(enum wan_origin origin)
{
	static const char *const names[] = {
		[WAN_ORIGIN_DEFAULT] = "default",
		[WAN_ORIGIN_XDG_FILE] = "user file",
		[WAN_ORIGIN_PROJECT_FILE] = "project file",
		[WAN_ORIGIN_ENVIRONMENT] = "environment",
		[WAN_ORIGIN_OPTION] = "option",
	};
	return names[origin];
}

/* Mark the key of that name, or all of a section: "cache" means every "cache.*". */
static int choose(struct view *view, const char *name)
{
	bool found = false;
	size_t bytes = strlen(name);
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		const char *key = wan_key_info(i)->name;
		if (strncmp(key, name, bytes) == 0 && (!key[bytes] || key[bytes] == '.'))
			view->chosen[i] = found = true;
	}
	if (found)
		return 0;
	const char *nearest = NULL;
	wan_key_find(name, &nearest);
	if (nearest)
		return wanprof_usage_error(&wanprof_verb_config,
					   "no key \"%s\"; did you mean \"%s\"?", name, nearest);
	return wanprof_usage_error(&wanprof_verb_config, "no key \"%s\"", name);
}

static void print_text(const struct view *view)
{
	char value[4096];
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		const struct wan_key_info *key = wan_key_info(i);
		if (!view->chosen[i])
			continue;
		if (view->describe)
			printf("# %s\n", key->help);
		wan_config_format(&view->config, key, value, sizeof(value));
		if (view->origin)
			printf("%-14s", origin_name(view->origins[i]));
		printf("%s = %s\n", key->name, value);
	}
}

static void json_value(struct wan_json *json, const struct view *view, unsigned index)
{
	char value[4096];
	const struct wan_key_info *key = wan_key_info(index);
	const char *at = (const char *)&view->config + key->offset;
	wan_json_key(json, "value");
	switch (key->type) {
	case WAN_KEY_BOOL:
		wan_json_bool(json, *(const bool *)at);
		break;
	case WAN_KEY_U64:
	case WAN_KEY_BYTES:
	case WAN_KEY_NS:
		wan_json_u64(json, *(const uint64_t *)at);
		break;
	case WAN_KEY_PCT:
	case WAN_KEY_DOUBLE:
		wan_json_double(json, *(const double *)at, 6);
		break;
	case WAN_KEY_TEXT:
	case WAN_KEY_CHOICE:
		wan_json_string(json, at);
	}
	wan_config_format(&view->config, key, value, sizeof(value));
	wan_json_key_string(json, "text", value);
	wan_json_key_string(json, "origin", origin_name(view->origins[index]));
	if (view->describe)
		wan_json_key_string(json, "description", key->help);
}

static int print_json(const struct view *view)
{
	struct wan_json json;
	int out = 1;
	wan_json_init(&json, wan_json_write_fd, &out, true);
	wan_json_object_begin(&json);
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		if (!view->chosen[i])
			continue;
		wan_json_key(&json, wan_key_info(i)->name);
		wan_json_object_begin(&json);
		json_value(&json, view, i);
		wan_json_object_end(&json);
	}
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	if (wan_json_finish(&json) < 0) {
		wanprof_say("standard output: could not be written");
		return WANPROF_NO_OUTPUT;
	}
	return WANPROF_OK;
}

static int show(struct view *view)
{
	struct wan_config_sources sources = {0};
	struct wan_error error = {0};
	wan_config_defaults(&view->config);
	if (wan_config_load(&view->config, &sources, view->origins, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_DAMAGED;
	}
	if (view->json)
		return print_json(view);
	print_text(view);
	return WANPROF_OK;
}

static int run(int argc, char **argv)
{
	static struct view view; /* 20 KiB of texts */
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_config, argc, argv);
	bool any = false;
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		int status = 0;
		switch (option) {
		case OPTION_SHOW_ORIGIN:
			view.origin = true;
			break;
		case OPTION_JSON:
			view.json = true;
			break;
		case OPTION_HELP_KEYS:
			view.describe = true;
			break;
		case WANPROF_ARGS_OPERAND:
			any = true;
			status = choose(&view, args.value);
			break;
		default:
			status = args.status;
		}
		if (status)
			return status;
	}
	for (unsigned i = 0; !any && i < WAN_CONFIG_KEY_COUNT; i++)
		view.chosen[i] = true;
	return show(&view);
}

const struct wanprof_verb wanprof_verb_config = {
	.name = "config",
	.summary = "Show the configuration in force",
	.usage = "[--show-origin] [--describe] [--json] [KEY...]",
	.options = options,
	.text = "KEY is a key (cache.limit) or a section (cache). Later places win: default, user\n"
		"file ($XDG_CONFIG_HOME/wanrt/wanrt.conf), project file (./wanrt.conf), "
		"environment\n"
		"(WAN_CACHE_LIMIT=64M).\n",
	.run = run,
};
