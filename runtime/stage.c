/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "instance.h"
#include "load.h"
#include "log.h"

void wan_stage_begin(struct wan_stage *stage, struct wan_runtime *runtime, const char *operation,
		     struct wan_error *reterr_error)
{
	stage->runtime = runtime;
	stage->error = reterr_error;
	stage->file_count = 0;
	stage->key = (struct wan_key){{0, 0}};
	wan_key_begin(&stage->builder, operation);
}

int wan_stage_add_file(struct wan_stage *stage, const char *path)
{
	struct wan_sight *sight = &stage->sights[stage->file_count];
	int r = wan_identity_look(stage->runtime->identity, path, sight);
	if (r < 0)
		return wan_error_set(stage->error, r, path, "check the path and its permissions",
				     "cannot be looked at: %s", wan_strerror(r));
	stage->paths[stage->file_count++] = path;
	wan_key_add(&stage->builder, "file", &sight->token, sizeof(sight->token));
	return 0;
}

int wan_runtime_key_add_file(struct wan_runtime *runtime, struct wan_key_builder *builder,
			     const char *path)
{
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !builder || !path)
		return -EINVAL;
	struct wan_sight sight;
	int r = wan_identity_look(runtime->identity, path, &sight);
	if (r == 0)
		wan_key_add(builder, "file", &sight.token, sizeof(sight.token));
	return r;
}

static void end_key(struct wan_stage *stage)
{
	if (stage->key.words[0] == 0 && stage->key.words[1] == 0)
		stage->key = wan_key_end(&stage->builder);
}

bool wan_stage_is_cached(struct wan_stage *stage)
{
	end_key(stage);
	return wan_cache_contains(stage->runtime->cache, stage->key);
}

static int make(void *context, struct wan_value *ret_value)
{
	struct wan_stage *stage = context;
	struct wan_identity *identity = stage->runtime->identity;
	wan_runtime_follow_memory(stage->runtime); /* without a watcher nobody else would */
	/* Noted first: a change that is seen meanwhile keeps the value out of the cache. */
	for (uint32_t i = 0; i < stage->file_count; i++)
		wan_identity_note(identity, &stage->sights[i], stage->key);
	int r = stage->make(stage->context, ret_value);
	for (uint32_t i = 0; r == 0 && i < stage->file_count; i++)
		if (!wan_identity_still(identity, stage->paths[i], &stage->sights[i]))
			wan_cache_remove(stage->runtime->cache, stage->key);
	return r;
}

int wan_stage_get(struct wan_stage *stage, uint64_t expected_bytes, wan_cache_compute maker,
		  void *context, struct wan_pin **ret_pin, bool *ret_hit)
{
	end_key(stage);
	stage->make = maker;
	stage->context = context;
	int r = wan_cache_get_or_compute(stage->runtime->cache, stage->key, expected_bytes, make,
					 stage, ret_pin, ret_hit);
	return wan_load_explain(r, stage->paths[0], stage->error);
}
