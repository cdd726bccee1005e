/* SPDX-License-Identifier: MIT */
/* The manager's inside, shared by the files of this folder only. */
#ifndef WAN_MEMMGR_STATE_H
#define WAN_MEMMGR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "admission.h"
#include "batch.h"
#include "level.h"
#include "lock.h"
#include "look.h"
#include "memory.h"
#include "trend.h"

enum {
	WAN_RECLAIMERS_MAX = 32,
	WAN_EMERGENCY_CALLBACKS_MAX = 16,
	WAN_LEAVE_POINTS = 5, /* a level is left this far below its entry, and need brought there */
};

/* What was done since the level was entered. */
struct wan_memory_stay {
	uint32_t actions;
	uint64_t acted_ns;
	uint64_t need_bytes; /* of the deciding level when acted */
	bool fragmented; /* what was freed did not show: the next action goes one step further */
};

/* What is to be done, decided under the lock and done without it. */
struct wan_memory_decision {
	enum wan_memory_level level;
	bool act, repeated, recover, fragmented;
	bool ticking; /* false: by a reserving thread, which leaves the callbacks to the next tick
		       */
	uint64_t excess_bytes;
	char deciding[WAN_LEVEL_NAME_MAX];
	uint64_t need_bytes, rss_bytes; /* of that level and this process when decided */
	char reason[128];
};

/* Our lowering of somebody's cache limit, until it is grown back. */
struct wan_memory_lowering {
	uint64_t full_bytes; /* before we lowered it; 0: we did not */
	uint64_t ours_bytes; /* as we set it last; another value means that the owner changed it */
	uint64_t grown_ns;
};

/* What is told of a reclaimer, once each. */
enum wan_reclaimer_trouble { WAN_RECLAIMER_REENTERS, WAN_RECLAIMER_BLOCKS, WAN_RECLAIMER_EMPTY };

struct wan_reclaimer_slot {
	struct wan_reclaimer what;
	uint32_t serial; /* orders those of one priority */
	uint32_t thread; /* that is inside it; 0: nobody */
	uint64_t entered_ns, suspended_ns;
	uint32_t empty_times, told; /* told: bits of enum wan_reclaimer_trouble */
	bool removed;               /* goes when nobody is inside */
};

struct wan_emergency_callback {
	void (*function)(void *context);
	void *context;
};

/* A GPU that this program uses. */
struct wan_gpu {
	struct wan_gpu_state state; /* of the last look; struct_size and name unused */
	uint64_t reusable_bytes, mps_limit_bytes;
	uint64_t again_ns; /* not asked before, since it answered with errors */
	uint32_t errors;   /* in a row */
	bool told, lost;   /* reusable bytes were told; that it is lost was recorded */
};

struct wan_batch {
	struct wan_memory *memory;
	struct wan_batch *next;     /* memory->batch_lock */
	struct wan_batch_rule rule; /* memory->batch_lock */
	bool on_gpu;
	int device;
	uint64_t item_bytes;
	uint64_t (*release)(void *context, uint64_t want_bytes);
	void *context; /* of release */
	char name[32];
};

struct wan_memory {
	/* Set by create. */
	struct wan_level_rules rules;
	bool classic;
	double gpu_pct, line_pct;
	uint64_t process_cap_bytes, gpu_cap_bytes, pool_idle_bytes;
	uint64_t wait_ns; /* of a reserve */
	struct wan_memory_sources sources;
	struct wan_real_sources real;
	bool owns_real;
	uint64_t (*now_ns)(void);
	struct wan_memory_limits limits;
	uint64_t *counters;
	uint64_t (*string_id)(void *context, const char *name);
	void (*on_action)(void *context, const struct wan_memory_action *action);
	void (*wake)(void *context);
	void *context;

	struct wan_admission *admission; /* in admission_room, on a cache line of its own */
	char admission_room[2 * sizeof(struct wan_admission) + 64];
	/* Dropped for admissions, but still with the allocator of this process, which gives it to
	 * who allocates next; atomic. */
	uint64_t credit_bytes;
	uint64_t gpu_mask;        /* devices that batches use */
	uint64_t rss_bytes;       /* at the last look */
	uint64_t reaction_ns;     /* from a look to the end of what it led to: slow to fall */
	uint64_t calm_ns;         /* how long all stays below the steps at any rate; 0: not calm */
	uint32_t watched;         /* descriptors that tell */
	uint32_t callbacks_due;   /* a reserving thread has left them to the next tick */
	uint64_t holder_ns;       /* of who acts: when the largest holder was looked for */
	uint32_t acting;          /* thread id of who acts; 0: none */
	uint32_t fork_generation; /* of the process that acting and reclaiming_thread belong to */

	struct wan_mutex lock;                              /* rank WAN_RANK_MEMORY */
	struct wan_memory_state state;                      /* lock; struct_size and trend unused */
	char limiting[WAN_LEVEL_NAME_MAX];                  /* lock; what admission last went by */
	uint64_t deciding_need_bytes, deciding_limit_bytes; /* lock */
	struct wan_level_state level;                       /* lock */
	struct wan_memory_stay stay;                        /* lock */
	struct wan_memory_lowering lowering;                /* lock */
	struct wan_trend trend;                             /* lock */
	struct wan_trend level_trend;                       /* lock; need of trend_level */
	struct wan_trend others_trend;                      /* lock; that without this process */
	char trend_level[WAN_LEVEL_NAME_MAX];               /* lock; the deciding level */
	uint64_t early_ns;                 /* lock; the last early action; 0: none */
	uint64_t looked_ns, look_pause_ns; /* lock; the last tick, and the longest
					    * pause of late before one */
	uint64_t pressure_ns;              /* lock; when it was last read */
	uint64_t ticks;                    /* lock */
	struct wan_reclaimer_slot reclaimers[WAN_RECLAIMERS_MAX]; /* lock; sorted by priority */
	uint32_t reclaimer_count, reclaimer_serial;               /* lock */
	uint32_t reclaiming_thread; /* lock; id of the thread that reclaims, 0: none */
	struct wan_cond reclaim_done;
	struct wan_cond given_back; /* a reservation was, while somebody waited */
	struct wan_emergency_callback callbacks[WAN_EMERGENCY_CALLBACKS_MAX]; /* lock */
	uint32_t callback_count;                                              /* lock */

	struct wan_gpu gpus[WAN_GPU_DEVICES_MAX]; /* lock; in use: those of gpu_mask */

	struct wan_mutex batch_lock; /* rank WAN_RANK_BATCH */
	struct wan_batch *batches;   /* batch_lock */
};

/* Threads of a parent that acted, reclaimed or waited are not in the child. */
void wan_memory_forget_after_fork(struct wan_memory *memory);
/* The figures of admission begin; a child forgets what other threads of its parent had reserved. */
void wan_admission_begin(struct wan_memory *memory);
void wan_admission_forget(struct wan_memory *memory);
/* Read the sources and publish state and admission figures; no level is judged. */
void wan_memory_look(struct wan_memory *memory, struct wan_look *ret_look,
		     struct wan_look_verdict *ret_verdict);
/* As that, for who does it a thousand times a second: figures far from the line may be 20 ms old,
 * those of this process and the GPU as old as the last look. */
void wan_memory_refresh(struct wan_memory *memory, struct wan_look *ret_look,
			struct wan_look_verdict *ret_verdict);
/* Ask the reclaimers up to max_priority, cheapest first, until want_bytes are freed. Returns what
 * was freed; 0 when this thread is already reclaiming. */
uint64_t wan_memory_reclaim(struct wan_memory *memory, enum wan_memory_level level,
			    uint64_t want_bytes, int max_priority);
/* The same; *ret_others_did: another thread reclaimed meanwhile, so that looking again may do. */
uint64_t wan_memory_reclaim_or_wait(struct wan_memory *memory, enum wan_memory_level level,
				    uint64_t want_bytes, int max_priority, bool *ret_others_did);
/* In a child: nobody is inside a reclaimer any more. */
void wan_reclaim_forget(struct wan_memory *memory);
/* Most that reclaimers can give: what the cache has and nobody holds, what the pool keeps idle, and
 * batches that say what they hold; without an owner of the cache, what this process has resident.
 * UINT64_MAX: unknown. */
uint64_t wan_memory_could_give(struct wan_memory *memory);
/* Whether this thread is inside a reclaimer. */
bool wan_memory_reclaiming(struct wan_memory *memory);
/* Judge a look and act if that is due; ticking: as a tick does, with recovery, the callbacks and
 * what takes time. Returns whether somebody was asked to give memory back. */
bool wan_memory_step(struct wan_memory *memory, const struct wan_look *look,
		     const struct wan_look_verdict *verdict, bool ticking);
/* Carry out the action of a level. */
void wan_memory_act(struct wan_memory *memory, const struct wan_memory_decision *decision);
/* What allocators keep for themselves goes to the kernel. */
void wan_memory_give_pages_back(void);
/* A look joins the trend of its deciding level. */
void wan_memory_follow_locked(struct wan_memory *memory, const struct wan_look *look,
			      const struct wan_look_verdict *verdict) WAN_REQUIRES(&memory->lock);
/* When a step is nearer than four times the time it takes to give memory back: what will be missing
 * is asked for now. Ticks only. */
void wan_memory_act_early(struct wan_memory *memory, uint64_t now_ns);
/* Count an action and tell who listens. */
void wan_memory_record(struct wan_memory *memory, const struct wan_memory_action *action);
void wan_memory_call_emergency(struct wan_memory *memory);
/* Bring the words of the recording up to date. */
void wan_memory_publish(struct wan_memory *memory);
/* One step of the cache limit back to what it was, at most one a second. */
void wan_memory_recover(struct wan_memory *memory, uint64_t now_ns);
/* All batches x factor (0: minimum). Smallest size before and after; 0 when there is none. */
void wan_memory_scale_batches(struct wan_memory *memory, double factor, uint32_t *ret_before,
			      uint32_t *ret_after);
/* Halve the batches on a GPU that is above memory.gpu. */
void wan_memory_gpu_batches(struct wan_memory *memory, int device, double used_pct,
			    uint32_t *ret_before, uint32_t *ret_after);
/* What batches hold and could be asked for; 0 when they have not said what an item takes. */
uint64_t wan_memory_batch_bytes(struct wan_memory *memory);
/* Options of another version onto defaults: shorter ones are taken, longer ones when what is not
 * known here is zero. Both begin with struct_size. 0, -EINVAL. */
int wan_memory_overlay(void *defaults, size_t bytes, const void *given, size_t given_bytes);

#endif
