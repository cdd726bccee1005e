/* SPDX-License-Identifier: MIT */
/*
 * Ask before allocating. A reservation stands for memory that is not in anybody's usage yet:
 *	need (read) + reserved + asked <= line (two points under the warning level)
 * at every level. Usage is read again after each MiB, so figures are never older than that.
 */
#include <errno.h>

#include "atomics.h"
#include "log.h"
#include "macros.h"
#include "state.h"
#include "str.h"
#include "units.h"

enum { ABOVE_LINE_SHARE = 4 }; /* others hold the memory: a quarter of the rest may be in flight */

/* Adds bytes to what is reserved while the sum stays within left_bytes. */
static bool take(struct wan_memory *memory, uint64_t bytes, int64_t left_bytes)
{
	uint64_t left = left_bytes > 0 ? (uint64_t)left_bytes : 0;
	uint64_t reserved = wan_load_relaxed(&memory->reserved_bytes);
	do {
		if (reserved > left || bytes > left - reserved)
			return false;
	} while (!wan_cas_acq_rel(&memory->reserved_bytes, &reserved, reserved + bytes));
	wan_add_relaxed(&memory->unread_bytes, bytes);
	return true;
}

static bool take_below_line(struct wan_memory *memory, uint64_t bytes)
{
	return take(memory, bytes, wan_load_relaxed(&memory->line_left_bytes));
}

static bool take_above_line(struct wan_memory *memory, uint64_t bytes)
{
	uint64_t share = wan_load_relaxed(&memory->headroom_bytes) / ABOVE_LINE_SHARE;
	return take(memory, bytes, (int64_t)share);
}

/* What reclaimers would have to give for bytes to stay within left_bytes. */
static uint64_t missing(struct wan_memory *memory, uint64_t bytes, int64_t left_bytes)
{
	uint64_t reserved = wan_load_relaxed(&memory->reserved_bytes);
	double short_of = (double)reserved + (double)bytes - (double)left_bytes;
	return short_of <= 0 ? 0 : short_of >= 0x1p63 ? INT64_MAX : (uint64_t)short_of;
}

/* Evicts for want_bytes and reads again. False: it cannot be ours to give, or nothing came. */
static bool evict(struct wan_memory *memory, uint64_t want_bytes)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	/* Others have more than all of it: emptying the cache would not help. */
	if (want_bytes > wan_memory_could_give(memory))
		return false;
	wan_mutex_lock(&memory->lock);
	enum wan_memory_level level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	if (!wan_memory_reclaim(memory, level, want_bytes, INT32_MAX))
		return false;
	wan_memory_refresh(memory, &look, &verdict);
	return true;
}

static int refuse(struct wan_memory *memory, uint64_t bytes, struct wan_error *reterr_error)
{
	char asked[32], free_now[32], left[32], name[WAN_LEVEL_NAME_MAX];
	wan_mutex_lock(&memory->lock);
	wan_str_copy(name, sizeof(name), memory->limiting);
	uint64_t headroom = memory->state.headroom_bytes;
	wan_mutex_unlock(&memory->lock);
	int64_t line_left = wan_load_relaxed(&memory->line_left_bytes);
	int64_t share = (int64_t)(headroom / ABOVE_LINE_SHARE);
	int64_t reserved = (int64_t)wan_load_relaxed(&memory->reserved_bytes);
	int64_t grantable = WAN_MAX(line_left, share) - reserved;
	wan_format_bytes(asked, sizeof(asked), bytes);
	wan_format_bytes(free_now, sizeof(free_now), (uint64_t)WAN_MAX(grantable, 0));
	wan_format_bytes(left, sizeof(left), headroom);
	return wan_error_set(reterr_error, -ENOMEM, name,
			     "free memory there, raise its limit, or decode a smaller size",
			     "%s do not fit: %s may be taken now, %s are left before the limit",
			     asked, free_now, left);
}

static int reserve_slowly(struct wan_memory *memory, uint64_t bytes, struct wan_error *reterr_error)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_refresh(memory, &look, &verdict);
	/* A step that was crossed is dealt with here: a watcher may be 100 ms away. */
	if (wan_memory_step(memory, &look, &verdict, false))
		wan_memory_refresh(memory, &look, &verdict);
	if (take_below_line(memory, bytes))
		return 0;
	int64_t line_left = wan_load_relaxed(&memory->line_left_bytes);
	bool nested = wan_memory_reclaiming(memory);
	if (!nested && evict(memory, missing(memory, bytes, line_left)) &&
	    take_below_line(memory, bytes))
		return 0;
	if (take_above_line(memory, bytes))
		return 0;
	uint64_t share = wan_load_relaxed(&memory->headroom_bytes) / ABOVE_LINE_SHARE;
	uint64_t want = missing(memory, bytes, (int64_t)share);
	if (!nested && want < INT64_MAX / ABOVE_LINE_SHARE &&
	    evict(memory, want * ABOVE_LINE_SHARE) && take_above_line(memory, bytes))
		return 0;
	return refuse(memory, bytes, reterr_error);
}

bool wan_memory_try(struct wan_memory *memory, uint64_t bytes)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	uint64_t unread = wan_load_relaxed(&memory->unread_bytes);
	if (bytes >= WAN_MIB || unread >= WAN_MIB - bytes)
		wan_memory_refresh(memory, &look, &verdict);
	return take_below_line(memory, bytes);
}

int wan_memory_reserve(struct wan_memory *memory, uint64_t bytes, struct wan_error *reterr_error)
{
	if (!memory)
		return wan_error_set(reterr_error, -EINVAL, "memory", "", "no manager was given");
	uint64_t unread = wan_load_relaxed(&memory->unread_bytes);
	if (bytes < WAN_MIB && unread < WAN_MIB - bytes && take_below_line(memory, bytes))
		return 0;
	return reserve_slowly(memory, bytes, reterr_error);
}

void wan_memory_unreserve(struct wan_memory *memory, uint64_t bytes)
{
	if (!memory)
		return;
	uint64_t reserved = wan_load_relaxed(&memory->reserved_bytes);
	while (!wan_cas_acq_rel(&memory->reserved_bytes, &reserved,
				reserved - WAN_MIN(bytes, reserved)))
		;
	if (bytes > reserved)
		wan_log(WAN_LOG_ERROR, "memory: more was given back than was reserved");
}
