/* SPDX-License-Identifier: MIT */
/* Life of the runtime object: made of its parts in one order, taken apart in the other. */
#include "wan/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "clock.h"
#include "config_load.h"
#include "fork.h"
#include "instance.h"
#include "log.h"
#include "profile.h"
#include "stats.h"
#include "str.h"

static struct wan_runtime *default_runtime; /* atomic */

void wan_runtime_options_init(struct wan_runtime_options *options)
{
	*options = (struct wan_runtime_options){.struct_size = sizeof(*options)};
}

/* An older caller gives a shorter struct, a newer one a longer tail that must be zero. */
static int read_options(const struct wan_runtime_options *given, struct wan_runtime_options *ret)
{
	wan_runtime_options_init(ret);
	if (!given)
		return 0;
	size_t size = given->struct_size;
	if (size < sizeof(size))
		return -EINVAL;
	memcpy(ret, given, WAN_MIN(size, sizeof(*ret)));
	for (size_t i = sizeof(*ret); i < size; i++)
		if (((const unsigned char *)given)[i])
			return -EINVAL;
	return 0;
}

static int configure(struct wan_runtime *runtime, const struct wan_runtime_options *options,
		     struct wan_error *reterr_error)
{
	struct wan_config_sources sources = {.ignore_files = options->ignore_files,
					     .ignore_environment = options->ignore_environment};
	int r = wan_config_load(&runtime->config, &sources, NULL, reterr_error);
	for (uint32_t i = 0; r == 0 && i < options->setting_count; i++)
		r = wan_config_set(&runtime->config, options->settings[i].key,
				   options->settings[i].value, reterr_error);
	return r;
}

/* The orderly end of the process, for the reader; nothing depends on it. */
static void note_exit(int status, void *unused)
{
	struct wan_runtime *runtime = wan_load_acquire(&default_runtime);
	struct wan_recorder *recorder = runtime ? runtime->recorder : unused;
	if (runtime)
		wan_cache_tell(runtime->cache);
	if (recorder && wan_recorder_header(recorder)->role == WAN_ROLE_LINKED)
		wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, status, 0);
}

static void note_exit_once(struct wan_recorder *recorder)
{
	static uint32_t registered;
	uint32_t no = 0;
	if (wan_cas_acq_rel(&registered, &no, 1))
		on_exit(note_exit, recorder);
}

/* In the child of a fork the watcher is gone and locks may be held for ever: begin anew. */
static void forget_after_fork(void)
{
	wan_store_relaxed(&default_runtime, NULL);
}

void wan_runtime_follow_memory(struct wan_runtime *runtime)
{
	uint64_t before, after;
	if (!wan_auto_limit_due(&runtime->follow, wan_now_ns()) ||
	    !wan_auto_limit_follow(&runtime->follow, runtime->cache, runtime->memory, &before,
				   &after))
		return;
	uint64_t values[4] = {before > after ? before - after : 0, 0, before, after};
	wan_runtime_record_action(runtime, "cache_limit", "cache.auto: share of available memory",
				  0, values);
}

static void destroy(struct wan_runtime *runtime)
{
	wan_runtime_stop_watching(runtime);
	wan_wire_disconnect(runtime);
	wan_cond_finish(&runtime->wake);
	wan_mutex_finish(&runtime->lock);
	for (size_t i = 0; i < WAN_RUNTIME_NAMES; i++)
		wan_free(runtime->names[i]);
	wan_free(runtime);
}

int wan_runtime_create(const struct wan_runtime_options *given, struct wan_runtime **ret_runtime,
		       struct wan_error *reterr_error)
{
	struct wan_runtime_options options;
	if (!ret_runtime || read_options(given, &options) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_runtime_create",
				     "fill options with wan_runtime_options_init()",
				     "an argument is missing or made for another version");
	struct wan_runtime *runtime = wan_calloc(1, sizeof(*runtime));
	if (!runtime)
		return wan_error_set(reterr_error, -ENOMEM, "runtime", "", "out of memory");
	runtime->refs = 1;
	wan_mutex_init(&runtime->lock, WAN_RANK_RUNTIME);
	wan_cond_init(&runtime->wake);

	int r = configure(runtime, &options, reterr_error);
	runtime->follow.on = runtime->config.cache_auto;
	runtime->follow.percent = runtime->config.cache_auto_percent;
	if (r == 0)
		r = wan_wire_connect(runtime, reterr_error);
	if (r == 0)
		wan_runtime_follow_memory(runtime);
	if (r == 0 && !options.no_thread) {
		r = wan_runtime_watch(runtime);
		if (r < 0)
			wan_error_set(reterr_error, r, "watcher thread",
				      "raise the limit of threads, or set no_thread",
				      "cannot be started: %s", wan_strerror(r));
	}
	if (r < 0) {
		destroy(runtime);
		return r;
	}
	note_exit_once(runtime->recorder);
	*ret_runtime = runtime;
	return 0;
}

struct wan_runtime *wan_runtime_ref(struct wan_runtime *runtime)
{
	if (runtime)
		wan_add_relaxed(&runtime->refs, 1);
	return runtime;
}

void wan_runtime_unref(struct wan_runtime *runtime)
{
	if (runtime && wan_sub_acq_rel(&runtime->refs, 1) == 1)
		destroy(runtime);
}

/* A wrong file or variable must not take the runtime from a program that did not ask for it: the
 * log says so, and the next weaker source is used. */
static struct wan_runtime *create_default(void)
{
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	struct wan_runtime *runtime = NULL;
	struct wan_error error = {0};
	if (wan_runtime_create(&options, &runtime, &error) == 0)
		return runtime;
	wan_log(WAN_LOG_WARNING, "%s: %s; configuration files are ignored", error.object,
		error.reason);
	options.ignore_files = true;
	if (wan_runtime_create(&options, &runtime, &error) == 0)
		return runtime;
	options.no_thread = true;
	return wan_runtime_create(&options, &runtime, &error) == 0 ? runtime : NULL;
}

struct wan_runtime *wan_runtime_default(void)
{
	/* pairs with the compare-and-swap below */
	struct wan_runtime *runtime = wan_load_acquire(&default_runtime);
	if (wan_likely(runtime != NULL))
		return runtime;
	static uint32_t hooked;
	uint32_t no = 0;
	if (wan_cas_acq_rel(&hooked, &no, 1))
		wan_fork_on_child(forget_after_fork);
	struct wan_runtime *made = create_default();
	if (!made)
		return NULL;
	if (wan_cas_acq_rel(&default_runtime, &runtime, made))
		return made;
	wan_runtime_unref(made); /* another thread was first */
	return runtime;
}

struct wan_cache *wan_runtime_cache(struct wan_runtime *runtime)
{
	return runtime ? runtime->cache : NULL;
}

struct wan_memory *wan_runtime_memory(struct wan_runtime *runtime)
{
	return runtime ? runtime->memory : NULL;
}

struct wan_progress *wan_runtime_progress(struct wan_runtime *runtime)
{
	return runtime ? runtime->progress : NULL;
}

struct wan_profile *wan_runtime_profile(struct wan_runtime *runtime)
{
	return runtime ? runtime->profile : NULL;
}

const char *wan_runtime_dump_path(struct wan_runtime *runtime)
{
	return runtime ? wan_recorder_path(runtime->recorder) : NULL;
}

const char *wan_runtime_name(struct wan_runtime *runtime, const char *text, const char *fallback)
{
	const char *found = NULL;
	wan_mutex_lock(&runtime->lock);
	for (size_t i = 0; i < WAN_RUNTIME_NAMES && !found; i++) {
		if (!runtime->names[i]) {
			runtime->names[i] = wan_strdup(text);
			found = runtime->names[i];
			break;
		}
		if (strcmp(runtime->names[i], text) == 0)
			found = runtime->names[i];
	}
	wan_mutex_unlock(&runtime->lock);
	return found ? found : fallback;
}
