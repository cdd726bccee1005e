/* SPDX-License-Identifier: MIT */
/*
 * The manager as its wiring sees it. It has no thread of its own and knows no cache: whoever owns
 * the limits and the clock hands them in.
 */
#ifndef WAN_MEMMGR_MEMORY_H
#define WAN_MEMMGR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "source.h"
#include "wan/memory.h"

/* The owner of the cache limit. All optional; called without locks, from any ticking thread. */
struct wan_memory_limits {
	void *context;
	uint64_t (*get_cache_limit)(void *context); /* bytes; 0: there is no cache */
	/* Applies at once. Returns the bytes dropped by it. */
	uint64_t (*set_cache_limit)(void *context, uint64_t limit_bytes);
	uint64_t (*clear_cache)(void *context);  /* returns the bytes dropped */
	uint64_t (*cache_used)(void *context);   /* bytes held now, for the advice */
	uint64_t (*cache_pinned)(void *context); /* of those, what is held or on its way */
	uint64_t (*idle_bytes)(void *context);   /* buffers kept for reuse; for planning */
	/* Whether a lowered limit may grow back as far as its owner is concerned. NULL: yes. */
	bool (*may_grow)(void *context);
	/* Make compressed copies of what will leave the cache next, so that dropping it loses
	 * less; called by ticks only, before limits are lowered. */
	void (*compress)(void *context, uint64_t want_bytes);
};

/* One thing that was done, for the recording. Borrowed for the call. */
struct wan_memory_action {
	/* "cache_limit", "cache_clear", "reclaim", "early", "batch", "cache_regrow", "degraded" */
	const char *what;
	char reason[192]; /* "warning: host at 76.2 % (limit 75 %)" */
	enum wan_memory_level level;
	uint64_t asked_bytes, freed_bytes;
	uint64_t limit_before_bytes, limit_after_bytes; /* cache; equal: unchanged */
	uint32_t batch_before, batch_after;             /* smallest batch; 0: there is none */
	bool not_ours;   /* all that could be freed is under 1 % of what is missing */
	bool fragmented; /* usage did not fall, not even after the allocators were purged */
	uint64_t time_ns;
};

struct wan_memory_options {
	size_t struct_size;
	const struct wan_config *config;          /* NULL: defaults; read during create only */
	const struct wan_memory_sources *sources; /* NULL: the real ones; copied */
	uint64_t (*now_ns)(void);                 /* NULL: wan_now_ns() */
	struct wan_memory_limits limits;
	/* 64 words of the recording (schema: MEMORY) kept up to date; NULL: none. */
	uint64_t *counters;
	/* Id of a level's name in the recording's string table, for the word "deciding"; NULL: 0.
	 */
	uint64_t (*string_id)(void *context, const char *name);
	/* Called after each action, without locks. NULL: nobody listens. */
	void (*on_action)(void *context, const struct wan_memory_action *action);
	/* Called when a tick is wanted before its time; from a reserving thread. NULL: nobody. */
	void (*wake)(void *context);
	void *context; /* of string_id, on_action and wake */
};

/* On success *ret_memory belongs to the caller. 0, -ENOMEM. Threads: any. */
int wan_memory_create(const struct wan_memory_options *options, struct wan_memory **ret_memory);
/* As wan_memory_reserve(), but nobody is asked to give: true when it fits as it is. */
bool wan_memory_try(struct wan_memory *memory, uint64_t bytes);
/* What could be granted now without anybody giving, and by which level; nothing is read. */
uint64_t wan_memory_grantable(struct wan_memory *memory, char limiting[WAN_LEVEL_NAME_MAX]);
/* NULL is fine. Batches must have been destroyed; nobody may be in a call. */
void wan_memory_destroy(struct wan_memory *memory);

/* For a thread that ticks: descriptors that become readable when a tick is wanted before its time
 * (renewed by each call; they stay ours), what calms them down afterwards, and how long it may wait
 * if none of them does: interval_ns, or up to a second when all is calm and the kernel would tell.
 * One thread at a time. */
uint32_t wan_memory_watch(struct wan_memory *memory, int *fds, uint32_t capacity);
void wan_memory_woken(struct wan_memory *memory);
uint64_t wan_memory_pause_ns(struct wan_memory *memory, uint64_t interval_ns);

/* The owner of the cache has itself lowered the limit for want of memory (an alert): it grows back
 * as if a step had done it. Threads: any. */
void wan_memory_note_lowering(struct wan_memory *memory, uint64_t before_bytes,
			      uint64_t after_bytes);

#endif
