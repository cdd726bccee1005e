/* SPDX-License-Identifier: MIT */
/*
 * What one thread keeps of one cache: pins, stamps of use, statistics. Only its thread writes to
 * it, without a lock and without a fence; others read it under the cache's lock, and may empty a
 * slot they were handed as a pin.
 *
 * A record belongs to its cache until that ends, and to its thread until that ends. One whose
 * thread is gone (owner 0) waits, pins, stamps and all, for the next thread that comes to the
 * cache. One whose cache is gone (cache NULL) waits for the next cache of its thread, or goes to
 * the pool that all caches share. Records are never unmapped.
 */
#ifndef WAN_CACHE_RECORD_H
#define WAN_CACHE_RECORD_H

#include <stdint.h>

#include "atomics.h"
#include "entry.h"
#include "lock.h"

enum {
	WAN_RECORD_BYTES = 1024, /* and aligned to as much: a slot's address gives its record */
	WAN_RECORD_SLOTS = 95,
};

/* A slot that was never needed: not free, and not worth looking at. */
#define WAN_SLOT_CLOSED ((uintptr_t)1)

/* Uses of entries that a policy has not been told yet: written by the thread, read and emptied
 * under the cache's lock. What does not fit is lost. */
enum { WAN_NOTES = 256 };
struct wan_notes {
	uint32_t written, read; /* atomic */
	uint32_t slots[WAN_NOTES];
};

struct wan_record {
	/* One line: what each hit reads and writes. */
	struct wan_cache *cache; /* atomic */
	uint64_t *stamps;        /* by number of the entry's slot: this thread's last use of it */
	uint32_t stamp_count;
	uint16_t hint; /* an open slot that is probably free */
	bool light;    /* atomic: no fence is needed, see barrier.h */
	uint64_t last; /* the largest stamp this thread has given */
	uint64_t hits; /* atomic, as the next one: read by others */
	uint64_t saved_ns;
	struct wan_cache_entry *newest; /* last used by this thread, while epoch_then holds */
	uint64_t epoch_then;

	uint64_t newest_at __attribute__((aligned(64))); /* second of newest's stamp; 0: none */
	uintptr_t owner;                                 /* atomic: names a thread; 0: none */
	uint32_t slots_used;     /* atomic: slots at and above this are closed */
	struct wan_notes *notes; /* NULL: strict LRU, or no memory for them */
	uint64_t second;         /* policies: the one that began at second_stamp for this thread */
	uint64_t second_stamp;
	struct wan_record *next;         /* of the same cache: its lock */
	struct wan_record *next_of_mine; /* of the same thread, or of the pool: the readers' lock */
	uint64_t told_hits, told_saved_ns; /* what the cache's counters know: its lock */
	uint64_t spare[6];

	/* The entries this thread has pinned, 0: free. The last one stays closed. */
	uintptr_t slots[WAN_RECORD_SLOTS + 1] __attribute__((aligned(64)));
} __attribute__((aligned(WAN_RECORD_BYTES)));

static_assert(sizeof(struct wan_record) == WAN_RECORD_BYTES, "as large as it is aligned");

/* The record this thread used last, of whatever cache. */
extern __thread struct wan_record *wan_record_current __attribute__((tls_model("initial-exec")));

/* This thread's record of the cache, NULL: it has none. Makes it the current one. */
struct wan_record *wan_record_mine(struct wan_cache *cache);
/* The same, or an orphan of the list, or a new one, which is put into *records. The caller holds
 * the cache's lock. NULL when memory is out: the thread does everything under the lock then. */
struct wan_record *wan_record_join(struct wan_cache *cache, struct wan_record **records);
/* The cache ends: no pin is left in any of them. */
void wan_record_release_all(struct wan_record *records);
/* Room for stamps of slots below count; the thread of the record, with the cache's lock. Returns 0,
 * -ENOMEM. */
int wan_record_reserve(struct wan_record *record, uint32_t count);

/* No entry is left: forgets all stamps and gives their memory back. The thread may go on writing.
 */
void wan_record_empty(struct wan_record *record);

/* Is there a thread that could use this record just now? */
static inline bool wan_record_is_live(const struct wan_record *record)
{
	return wan_load_acquire(&record->owner) != 0; /* pairs with the release at thread exit */
}

#endif
