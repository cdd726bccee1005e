/* SPDX-License-Identifier: MIT */
/*
 * Key to entry, and the order of use. Intrusive: the index owns no entry and never fails for want
 * of memory; when the table cannot grow its chains get longer.
 *
 * Two lists, one of entries under the entry limit and one of the others, each in order of stamps.
 * The oldest of all is the older of the two ends, so both limits find their victim without a
 * search.
 */
#ifndef WAN_CACHE_INDEX_H
#define WAN_CACHE_INDEX_H

#include <stddef.h>

#include "entry.h"

enum wan_use_class {
	WAN_USE_COUNTED,
	WAN_USE_DERIVED,
	WAN_USE_CLASSES,
};

struct wan_use_list {
	struct wan_cache_entry *newest, *oldest;
};

struct wan_index {
	struct wan_cache_entry **buckets; /* a power of two of them */
	size_t bucket_count;
	size_t count;
	uint64_t seed; /* secret of this cache: keys chosen to collide do not */
	uint64_t next_stamp;
	struct wan_use_list uses[WAN_USE_CLASSES];
};

/* 0, -ENOMEM. */
int wan_index_init(struct wan_index *index, uint64_t seed);
/* The entries are not touched. */
void wan_index_finish(struct wan_index *index);

struct wan_cache_entry *wan_index_find(const struct wan_index *index, struct wan_key key);
/* As the newest; no entry of that key may be there. */
void wan_index_insert(struct wan_index *index, struct wan_cache_entry *entry);
void wan_index_remove(struct wan_index *index, struct wan_cache_entry *entry);
/* Makes it the newest. */
void wan_index_touch(struct wan_index *index, struct wan_cache_entry *entry);

/* The oldest entry without a pin: of one class, of all. NULL: none. */
struct wan_cache_entry *wan_index_oldest_of(const struct wan_index *index,
					    enum wan_use_class which);
struct wan_cache_entry *wan_index_oldest(const struct wan_index *index);

static inline bool wan_key_equal(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

#endif
