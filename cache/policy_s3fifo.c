/* SPDX-License-Identifier: MIT */
/*
 * S3-FIFO (Yang and others, SOSP 2023): what is new waits in a small queue, a tenth of the bytes,
 * and goes from there unless it was used twice meanwhile; the rest stands in the main queue and
 * gets another round for each use, at most three; a key that left the small queue lately goes
 * straight to the main one.
 *
 * What counts as an entry and what does not have queues of their own, a lane each, so that either
 * limit finds its victim at once; the two share the memory of keys. Looking for victims moves
 * entries from the small and main queues to one of the doomed, in the order in which they go.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "policy_impl.h"

enum {
	USES_MAX = 3,
	USES_TO_STAY = 2,
	SMALL_SHARE = 10, /* of the bytes */
};

enum queue { SCAN, DOOMED, SMALL, MAIN, PIN, QUEUES };

struct s3_slot {
	uint64_t hash, bytes;
	uint32_t before, after; /* in its queue; before: goes sooner */
	uint32_t stamp;         /* of insertion: which lane is older */
	uint8_t queue, uses;
	bool counted;
};

struct s3_lane {
	uint32_t first[QUEUES], last[QUEUES];
	uint64_t small_bytes, main_bytes;
	enum queue walk; /* of a walk: where it stands */
	uint32_t next;   /* the slot it gives next, WAN_POLICY_NONE: to be found */
};

/* A key that left the small queue, and when. Later keys of the same place overwrite it. */
struct s3_key {
	uint32_t print, when;
};

struct s3 {
	struct wan_policy policy;
	struct s3_lane lanes[2]; /* 1: counted */
	struct s3_slot *slots;
	struct s3_key *keys;
	uint32_t capacity, entries, clock, left; /* left: keys remembered so far */
	bool counted_only;
};

static void unlink_slot(struct s3 *s3, uint32_t slot)
{
	struct s3_slot *entry = &s3->slots[slot];
	struct s3_lane *lane = &s3->lanes[entry->counted];
	if (entry->before != WAN_POLICY_NONE)
		s3->slots[entry->before].after = entry->after;
	else
		lane->first[entry->queue] = entry->after;
	if (entry->after != WAN_POLICY_NONE)
		s3->slots[entry->after].before = entry->before;
	else
		lane->last[entry->queue] = entry->before;
	if (entry->queue == SMALL)
		lane->small_bytes -= entry->bytes;
	if (entry->queue == MAIN)
		lane->main_bytes -= entry->bytes;
}

static void append(struct s3 *s3, uint32_t slot, enum queue queue)
{
	struct s3_slot *entry = &s3->slots[slot];
	struct s3_lane *lane = &s3->lanes[entry->counted];
	entry->queue = (uint8_t)queue;
	entry->before = lane->last[queue];
	entry->after = WAN_POLICY_NONE;
	if (entry->before != WAN_POLICY_NONE)
		s3->slots[entry->before].after = slot;
	else
		lane->first[queue] = slot;
	lane->last[queue] = slot;
	if (queue == SMALL)
		lane->small_bytes += entry->bytes;
	if (queue == MAIN)
		lane->main_bytes += entry->bytes;
}

static void move(struct s3 *s3, uint32_t slot, enum queue queue)
{
	unlink_slot(s3, slot);
	append(s3, slot, queue);
}

static uint32_t place_of(const struct s3 *s3, uint64_t hash)
{
	return (uint32_t)((hash & UINT32_MAX) * s3->capacity >> 32);
}

static void remember(struct s3 *s3, uint64_t hash)
{
	s3->keys[place_of(s3, hash)] = (struct s3_key){(uint32_t)(hash >> 32), ++s3->left};
}

/* Did it leave the small queue no longer ago than there are entries? */
static bool remembered(const struct s3 *s3, uint64_t hash)
{
	const struct s3_key *key = &s3->keys[place_of(s3, hash)];
	return key->when && key->print == (uint32_t)(hash >> 32) &&
	       s3->left - key->when <= s3->entries;
}

/* The next one to go joins the doomed: from the small queue when that is above its share. False:
 * both are empty. Each turn moves one entry or takes a use away, so it ends. */
static bool doom_next(struct s3 *s3, struct s3_lane *lane)
{
	for (;;) {
		uint32_t small = lane->first[SMALL], main = lane->first[MAIN];
		if (small == WAN_POLICY_NONE && main == WAN_POLICY_NONE)
			return false;
		bool from_small =
			main == WAN_POLICY_NONE ||
			(small != WAN_POLICY_NONE &&
			 lane->small_bytes >= (lane->small_bytes + lane->main_bytes) / SMALL_SHARE);
		struct s3_slot *entry = &s3->slots[from_small ? small : main];
		if (from_small && entry->uses >= USES_TO_STAY) {
			entry->uses = 0;
			move(s3, small, MAIN);
		} else if (!from_small && entry->uses) {
			entry->uses--;
			move(s3, main, MAIN);
		} else {
			if (from_small)
				remember(s3, entry->hash);
			move(s3, from_small ? small : main, DOOMED);
			return true;
		}
	}
}

static enum queue queue_for(const struct s3 *s3, const struct wan_policy_entry *entry,
			    uint64_t hash)
{
	switch (wan_policy_band(entry->flags)) {
	case WAN_BAND_SCAN:
		return SCAN;
	case WAN_BAND_PIN:
		return PIN;
	case WAN_BAND_ORDINARY:
		break;
	}
	return remembered(s3, hash) ? MAIN : SMALL;
}

static void s3_inserted(struct wan_policy *policy, uint32_t slot,
			const struct wan_policy_entry *entry)
{
	struct s3 *s3 = (struct s3 *)policy;
	uint64_t hash = wan_policy_hash(entry->key);
	s3->slots[slot] = (struct s3_slot){
		.hash = hash,
		.bytes = entry->charge_bytes,
		.stamp = s3->clock++,
		.counted = entry->counted,
	};
	append(s3, slot, queue_for(s3, entry, hash));
	s3->entries++;
}

static void s3_used(struct wan_policy *policy, uint32_t slot)
{
	struct s3 *s3 = (struct s3 *)policy;
	struct s3_slot *entry = &s3->slots[slot];
	entry->uses += entry->uses < USES_MAX ? 1 : 0;
	if (entry->queue == SCAN)
		move(s3, slot, SMALL);
	else if (entry->queue == DOOMED)
		move(s3, slot, MAIN);
}

static void s3_removed(struct wan_policy *policy, uint32_t slot, bool evicted)
{
	struct s3 *s3 = (struct s3 *)policy;
	unlink_slot(s3, slot);
	s3->entries--;
}

static void s3_begin(struct wan_policy *policy, bool counted_only)
{
	struct s3 *s3 = (struct s3 *)policy;
	s3->counted_only = counted_only;
	for (unsigned i = 0; i < 2; i++) {
		s3->lanes[i].walk = SCAN;
		s3->lanes[i].next = s3->lanes[i].first[SCAN];
	}
}

/* Where the lane's walk stands, once the queues before it have ended. */
static uint32_t candidate(struct s3 *s3, struct s3_lane *lane)
{
	while (lane->next == WAN_POLICY_NONE) {
		uint32_t last = lane->last[DOOMED];
		if (lane->walk == SCAN) {
			lane->walk = DOOMED;
			lane->next = lane->first[DOOMED];
		} else if (lane->walk == DOOMED && doom_next(s3, lane)) {
			lane->next = last != WAN_POLICY_NONE ? s3->slots[last].after
							     : lane->first[DOOMED];
		} else if (lane->walk == DOOMED) {
			lane->walk = PIN;
			lane->next = lane->first[PIN];
		} else {
			return WAN_POLICY_NONE;
		}
	}
	return lane->next;
}

/* Of two candidates the one whose band goes first, then the one inserted first. */
static bool goes_first(const struct s3 *s3, uint32_t a, uint32_t b)
{
	static const uint8_t band[QUEUES] = {[DOOMED] = 1, [SMALL] = 1, [MAIN] = 1, [PIN] = 2};
	const struct s3_slot *x = &s3->slots[a], *y = &s3->slots[b];
	if (band[x->queue] != band[y->queue])
		return band[x->queue] < band[y->queue];
	return (int32_t)(x->stamp - y->stamp) < 0;
}

static uint32_t s3_next(struct wan_policy *policy)
{
	struct s3 *s3 = (struct s3 *)policy;
	uint32_t slot = candidate(s3, &s3->lanes[1]);
	uint32_t other = s3->counted_only ? WAN_POLICY_NONE : candidate(s3, &s3->lanes[0]);
	if (slot == WAN_POLICY_NONE || (other != WAN_POLICY_NONE && goes_first(s3, other, slot)))
		slot = other;
	if (slot != WAN_POLICY_NONE)
		s3->lanes[s3->slots[slot].counted].next = s3->slots[slot].after;
	return slot;
}

static int s3_reserve(struct wan_policy *policy, uint32_t count)
{
	struct s3 *s3 = (struct s3 *)policy;
	if (count <= s3->capacity)
		return 0;
	count = wan_policy_grown(s3->capacity, count);
	struct s3_key *keys = wan_calloc(count, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	struct s3_slot *slots = wan_realloc_array(s3->slots, count, sizeof(*slots));
	if (!slots) {
		wan_free(keys);
		return -ENOMEM;
	}
	/* Keys remembered are lost: places depend on the capacity, which grows while nothing goes.
	 */
	wan_free(s3->keys);
	s3->slots = slots;
	s3->keys = keys;
	s3->capacity = count;
	return 0;
}

static uint64_t s3_bytes(const struct wan_policy *policy)
{
	const struct s3 *s3 = (const struct s3 *)policy;
	return sizeof(*s3) + s3->capacity * (sizeof(*s3->slots) + sizeof(*s3->keys));
}

static void s3_destroy(struct wan_policy *policy)
{
	struct s3 *s3 = (struct s3 *)policy;
	wan_free(s3->slots);
	wan_free(s3->keys);
	wan_free(s3);
}

int wan_policy_create_s3fifo(struct wan_policy **ret_policy)
{
	static const struct wan_policy_ops ops = {
		.destroy = s3_destroy,
		.reserve = s3_reserve,
		.inserted = s3_inserted,
		.used = s3_used,
		.removed = s3_removed,
		.begin = s3_begin,
		.next = s3_next,
		.bytes = s3_bytes,
	};
	struct s3 *s3 = wan_calloc(1, sizeof(*s3));
	if (!s3)
		return -ENOMEM;
	memset(s3->lanes[0].first, 0xff, sizeof(s3->lanes[0].first));
	memset(s3->lanes[0].last, 0xff, sizeof(s3->lanes[0].last));
	s3->lanes[1] = s3->lanes[0];
	s3->policy.ops = &ops;
	*ret_policy = &s3->policy;
	return 0;
}
