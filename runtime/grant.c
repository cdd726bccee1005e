/* SPDX-License-Identifier: MIT */
/* What a step may take is asked for before it takes it; buffers are used again where they can be.
 */
#include <errno.h>

#include "instance.h"
#include "load.h"
#include "log.h"
#include "macros.h"
#include "memory.h"
#include "pool.h"

/* Which level refused is in the reason; the object is the image, as in any other error. */
int wan_load_reserve(struct wan_runtime *runtime, const char *path, uint64_t bytes,
		     struct wan_error *reterr_error)
{
	struct wan_error refused = {0};
	int r = wan_memory_reserve(runtime->memory, bytes, &refused);
	if (r == -ENOMEM)
		return wan_error_set(reterr_error, r, path, refused.hint,
				     "is not processed: memory of %s: %s", refused.object,
				     refused.reason);
	if (r < 0 && reterr_error)
		*reterr_error = refused;
	return r;
}

/* The oldest of the cache for one image; what its buffer was stays mapped. */
static void evict_for(struct wan_cache *cache, uint64_t bytes)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(cache, &stats);
	wan_cache_trim(cache, stats.used_bytes > bytes ? stats.used_bytes - bytes : 0);
}

int wan_load_grant(struct wan_runtime *runtime, const char *path, uint64_t output_bytes,
		   uint64_t peak_bytes, struct wan_load_grant *ret_grant,
		   struct wan_error *reterr_error)
{
	*ret_grant = (struct wan_load_grant){.runtime = runtime};
	uint64_t held_bytes = wan_pool_hold(output_bytes);
	if (!held_bytes && wan_memory_try(runtime->memory, peak_bytes)) {
		ret_grant->reserved_bytes = peak_bytes;
		return 0;
	}
	if (!held_bytes && wan_load_could_fit(runtime, peak_bytes)) {
		evict_for(runtime->cache, wan_load_image_charge(output_bytes));
		held_bytes = wan_pool_hold(output_bytes);
	}
	uint64_t ask_bytes = peak_bytes - WAN_MIN(held_bytes, peak_bytes);
	int r = wan_load_reserve(runtime, path, ask_bytes, reterr_error);
	ret_grant->reserved_bytes = r == 0 ? ask_bytes : 0;
	return r;
}

void wan_load_grant_end(struct wan_load_grant *grant)
{
	wan_pool_unhold();
	wan_memory_unreserve(grant->runtime->memory, grant->reserved_bytes);
}
