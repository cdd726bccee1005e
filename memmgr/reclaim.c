/* SPDX-License-Identifier: MIT */
/*
 * Who gives memory back, in which order. One thread reclaims at a time; another that arrives waits
 * for it and looks again instead of evicting twice; the same thread arriving again gets nothing.
 * What blocks is left behind, what has nothing to give is told once: nobody hangs on a reclaimer.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "macros.h"
#include "state.h"
#include "str.h"
#include "thread.h"

enum {
	BLOCKED_NS = 50000000,     /* a reclaimer that takes longer is left behind */
	SUSPENDED_NS = 1000000000, /* and not asked again for this long after it came back */
	EMPTY_TIMES = 32,          /* nothing so often in a row is told once */
};

int wan_memory_add_reclaimer(struct wan_memory *memory, const struct wan_reclaimer *reclaimer)
{
	if (!memory || !reclaimer || !reclaimer->reclaim)
		return -EINVAL;
	int status = 0;
	wan_mutex_lock(&memory->lock);
	struct wan_reclaimer_slot *slots = memory->reclaimers;
	uint32_t at = memory->reclaimer_count;
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (!slots[i].removed && slots[i].what.reclaim == reclaimer->reclaim &&
		    slots[i].what.context == reclaimer->context)
			status = -EEXIST;
	if (!status && memory->reclaimer_count == WAN_RECLAIMERS_MAX)
		status = -ENOSPC;
	if (!status) {
		for (; at && slots[at - 1].what.priority > reclaimer->priority; at--)
			slots[at] = slots[at - 1];
		slots[at] = (struct wan_reclaimer_slot){.what = *reclaimer,
							.serial = ++memory->reclaimer_serial};
		memory->reclaimer_count++;
	}
	wan_mutex_unlock(&memory->lock);
	return status;
}

/* Removed ones go as soon as nobody is inside them. */
static void sweep_locked(struct wan_memory *memory) WAN_REQUIRES(&memory->lock)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (!memory->reclaimers[i].removed || memory->reclaimers[i].thread)
			memory->reclaimers[kept++] = memory->reclaimers[i];
	memory->reclaimer_count = kept;
}

static bool another_is_inside_locked(struct wan_memory *memory, const void *context)
	WAN_REQUIRES(&memory->lock)
{
	for (uint32_t i = 0; i < memory->reclaimer_count; i++) {
		const struct wan_reclaimer_slot *slot = &memory->reclaimers[i];
		if (slot->what.context == context && slot->thread &&
		    slot->thread != wan_thread_id())
			return true;
	}
	return false;
}

void wan_memory_remove_reclaimer(struct wan_memory *memory, void *context)
{
	if (!memory)
		return;
	wan_mutex_lock(&memory->lock);
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (memory->reclaimers[i].what.context == context)
			memory->reclaimers[i].removed = true;
	/* One may be running: it must be over before its owner frees the context. */
	while (another_is_inside_locked(memory, context))
		wan_cond_wait(&memory->reclaim_done, &memory->lock, UINT64_MAX);
	sweep_locked(memory);
	wan_mutex_unlock(&memory->lock);
}

void wan_reclaim_forget(struct wan_memory *memory)
{
	wan_mutex_lock(&memory->lock);
	memory->reclaiming_thread = 0;
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		memory->reclaimers[i].thread = 0;
	wan_cond_init(&memory->reclaim_done);
	sweep_locked(memory);
	wan_mutex_unlock(&memory->lock);
}

uint64_t wan_memory_could_give(struct wan_memory *memory)
{
	struct wan_memory_limits *limits = &memory->limits;
	wan_mutex_lock(&memory->lock);
	uint64_t rss = memory->state.process_rss_bytes;
	wan_mutex_unlock(&memory->lock);
	uint64_t most = rss ? rss : UINT64_MAX;
	if (!limits->cache_used)
		return most;
	uint64_t used = limits->cache_used(limits->context);
	uint64_t pinned = limits->cache_pinned ? limits->cache_pinned(limits->context) : 0;
	uint64_t idle =
		limits->idle_bytes ? limits->idle_bytes(limits->context) : memory->pool_idle_bytes;
	used -= WAN_MIN(used, pinned);
	return WAN_MIN(most, used + idle + wan_memory_batch_bytes(memory));
}

static struct wan_reclaimer_slot *running_locked(struct wan_memory *memory, uint32_t thread)
	WAN_REQUIRES(&memory->lock)
{
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (memory->reclaimers[i].thread == thread)
			return &memory->reclaimers[i];
	return NULL;
}

bool wan_memory_reclaiming(struct wan_memory *memory)
{
	wan_mutex_lock(&memory->lock);
	bool own = memory->reclaiming_thread == wan_thread_id() ||
		   running_locked(memory, wan_thread_id());
	wan_mutex_unlock(&memory->lock);
	return own;
}

/* Once for each reclaimer and reason; what it is about is copied, since it may go meanwhile. */
static void tell(struct wan_memory *memory, enum wan_log_level level, const char *name,
		 const char *reason)
{
	struct wan_memory_action action = {.what = "degraded", .time_ns = memory->now_ns()};
	wan_str_format(action.reason, sizeof(action.reason), "reclaimer %.60s: %s", name, reason);
	wan_log(level, "memory: %s", action.reason);
	wan_memory_record(memory, &action);
}

/* The reclaimer that thread is inside, if that was not told; its name is copied. */
static bool first_time_locked(struct wan_memory *memory, uint32_t thread,
			      enum wan_reclaimer_trouble trouble, char name[64])
	WAN_REQUIRES(&memory->lock)
{
	struct wan_reclaimer_slot *slot = running_locked(memory, thread);
	if (!slot || slot->told & 1u << trouble)
		return false;
	slot->told |= 1u << trouble;
	wan_str_copy(name, 64, slot->what.name ? slot->what.name : "without name");
	return true;
}

enum claim { CLAIMED, OTHERS_DID, NESTED };

/* Becomes the reclaiming thread; whoever was it while this one waited has made room as well. One
 * that hangs in a reclaimer is left there. */
static enum claim claim(struct wan_memory *memory)
{
	uint32_t self = wan_thread_id();
	enum wan_reclaimer_trouble trouble = WAN_RECLAIMER_REENTERS;
	enum claim claimed = CLAIMED;
	char name[64] = "";
	wan_mutex_lock(&memory->lock);
	uint32_t holder = memory->reclaiming_thread;
	if (holder == self || running_locked(memory, self)) {
		claimed = NESTED;
		(void)first_time_locked(memory, self, trouble, name);
	} else if (holder) {
		uint64_t deadline = wan_now_ns() + BLOCKED_NS;
		int waited = 0;
		while (memory->reclaiming_thread && waited == 0)
			waited = wan_cond_wait(&memory->reclaim_done, &memory->lock, deadline);
		claimed = OTHERS_DID;
		if (waited < 0 && memory->reclaiming_thread == holder) {
			trouble = WAN_RECLAIMER_BLOCKS;
			(void)first_time_locked(memory, holder, trouble, name);
			claimed = CLAIMED;
		}
	}
	if (claimed == CLAIMED)
		memory->reclaiming_thread = self;
	wan_mutex_unlock(&memory->lock);
	if (name[0])
		tell(memory, WAN_LOG_WARNING, name,
		     trouble == WAN_RECLAIMER_BLOCKS
			     ? "has not come back for 50 ms; the others go on without it"
			     : "asks for memory itself; it gets what is there and evicts nothing");
	return claimed;
}

/* Where a pass through the reclaimers is; the list may change between two of them. */
struct pass {
	int priority, max_priority;
	uint32_t serial;
};

/* The next one, marked as entered; removed and hanging ones are passed over. */
static bool enter_next(struct wan_memory *memory, struct pass *pass,
		       struct wan_reclaimer *ret_reclaimer)
{
	bool found = false;
	uint64_t now_ns = wan_now_ns();
	wan_mutex_lock(&memory->lock);
	bool ours = memory->reclaiming_thread == wan_thread_id();
	for (uint32_t i = 0; ours && i < memory->reclaimer_count && !found; i++) {
		struct wan_reclaimer_slot *slot = &memory->reclaimers[i];
		int priority = slot->what.priority;
		bool later = priority > pass->priority ||
			     (priority == pass->priority && slot->serial > pass->serial);
		if (!later || priority > pass->max_priority || slot->removed || slot->thread ||
		    now_ns < slot->suspended_ns)
			continue;
		found = true;
		pass->priority = priority;
		pass->serial = slot->serial;
		slot->thread = wan_thread_id();
		slot->entered_ns = now_ns;
		*ret_reclaimer = slot->what;
	}
	wan_mutex_unlock(&memory->lock);
	return found;
}

/* Back from a reclaimer: what it did is judged. */
static void leave(struct wan_memory *memory, uint64_t freed)
{
	char name[64] = "";
	uint64_t now_ns = wan_now_ns();
	wan_mutex_lock(&memory->lock);
	struct wan_reclaimer_slot *slot = running_locked(memory, wan_thread_id());
	if (slot) {
		slot->empty_times = freed ? 0 : slot->empty_times + 1;
		if (slot->empty_times == EMPTY_TIMES)
			(void)first_time_locked(memory, slot->thread, WAN_RECLAIMER_EMPTY, name);
		if (wan_elapsed(slot->entered_ns, now_ns) >= BLOCKED_NS)
			slot->suspended_ns = now_ns + SUSPENDED_NS;
		slot->thread = 0;
		if (slot->removed)
			sweep_locked(memory);
	}
	wan_cond_wake_all(&memory->reclaim_done);
	wan_mutex_unlock(&memory->lock);
	if (name[0])
		tell(memory, WAN_LOG_INFO, name, "gave nothing 32 times in a row");
}

uint64_t wan_memory_reclaim_or_wait(struct wan_memory *memory, enum wan_memory_level level,
				    uint64_t want_bytes, int max_priority, bool *ret_others_did)
{
	*ret_others_did = false;
	if (!want_bytes)
		return 0;
	enum claim claimed = claim(memory);
	*ret_others_did = claimed == OTHERS_DID;
	if (claimed != CLAIMED)
		return 0;
	struct wan_reclaimer reclaimer;
	struct pass pass = {.priority = INT32_MIN, .max_priority = max_priority};
	uint64_t freed = 0;
	while (freed < want_bytes && enter_next(memory, &pass, &reclaimer)) {
		uint64_t got = reclaimer.reclaim(reclaimer.context, level, want_bytes - freed);
		leave(memory, got);
		freed += WAN_MIN(got, UINT64_MAX - freed);
	}
	wan_mutex_lock(&memory->lock);
	if (memory->reclaiming_thread == wan_thread_id())
		memory->reclaiming_thread = 0;
	wan_cond_wake_all(&memory->reclaim_done);
	wan_mutex_unlock(&memory->lock);
	return freed;
}

uint64_t wan_memory_reclaim(struct wan_memory *memory, enum wan_memory_level level,
			    uint64_t want_bytes, int max_priority)
{
	bool others_did;
	return wan_memory_reclaim_or_wait(memory, level, want_bytes, max_priority, &others_did);
}
