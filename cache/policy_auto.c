/* SPDX-License-Identifier: MIT */
/*
 * The entry goes whose loss costs least: its expected uses for each access it would stay (learn.h),
 * times what a use saves, for each byte. A guard compares with what strict LRU would have saved,
 * over the same accesses and the same limits: when LRU got ahead by more than chance, LRU's order
 * is taken, and a shadow of our own order, keys only, tells when to come back.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "history.h"
#include "policy_impl.h"
#include "ranking.h"

enum {
	RECORDS_MIN = 8192,    /* below, rare but dear things are forgotten between their uses */
	RECORDS_EACH = 4,      /* for each entry, of many small ones */
	RECORDS_SHARE = 64,    /* but records take at most this part of the limit ... */
	RECORDS_FLOOR = 64,    /* ... and an entry has one in any case */
	REFRESH = 8,           /* entries ranked anew at each access */
	REFRESH_SWITCHED = 64, /* the same while the order changes */
	LEAD_MIN = 64,         /* accesses of mean cost, for caches of few entries */
};

#define FILL_SHARE 0.001 /* of the latest access in the mean of room put for each access */
#define COST_SHARE 0.01  /* of the latest access in the mean cost */
/* One order has to be ahead of the other by so many accesses of mean cost for each entry. */
#define LEAD_EACH      1.5
#define CAUTION_FIRST  0.005 /* of that, until our own order has been ahead once */
#define CAUTION_SECOND 0.3
#define CAUTION_GROWS  4    /* with each change after the first */
#define CALM           32.0 /* above 1 it fades over that many times as many accesses */

struct auto_slot {
	uint32_t record;
	uint8_t band;
	bool counted;
};

struct wan_policy_auto {
	struct wan_policy policy;
	struct wan_learn learn;
	struct wan_history history;
	struct wan_ranking ranking; /* by slot */
	struct wan_ranking shadow; /* by record: what our own order would hold, while LRU's rules */
	struct auto_slot *slots;
	uint32_t capacity;
	uint64_t limit_bytes, entry_limit;
	struct wan_policy_costs costs;
	double fill;      /* mean room put for each access */
	double mean_cost; /* of an access */
	double lead;      /* by which the one that does not rule is ahead, never below 0 */
	double caution;   /* from 1: doubles with each change of order, fades */
	double shadow_bytes;
	bool lru; /* LRU's order rules */
	uint32_t epoch, unconverted, cursor;
	uint32_t entries;
};

static struct wan_policy_auto *auto_of(struct wan_policy *policy)
{
	return (struct wan_policy_auto *)policy;
}

static double payload_limit(const struct wan_policy_auto *self)
{
	uint64_t own = wan_policy_bytes(&self->policy);
	return self->limit_bytes > own ? (double)(self->limit_bytes - own) : 0;
}

/* Room an entry takes: of the bytes, and at least its share when the number of entries is limited,
 * for then something small keeps as much from others as something larger. */
static double room_of(const struct wan_policy_auto *self, const struct wan_seen *record)
{
	double share = record->counted ? (double)self->limit_bytes / (double)self->entry_limit : 0;
	return record->bytes > share ? record->bytes : share;
}

/* Floats from 0 up are ordered as the integers of their bits. */
static uint32_t worth_of(struct wan_policy_auto *self, const struct wan_seen *record)
{
	double room = room_of(self, record);
	double fill = self->fill > 0 ? room / self->fill : 1;
	float worth =
		wan_learn_worth(&self->learn, record->group, record->age, wan_learn_level(fill)) *
		(float)((double)record->cost / room);
	uint32_t bits;
	memcpy(&bits, &worth, sizeof(bits));
	return bits;
}

/* What was not ranked since the order changed goes first, in the old order. */
static void rank_slot(struct wan_policy_auto *self, uint32_t slot)
{
	const struct auto_slot *entry = &self->slots[slot];
	const struct wan_seen *record = &self->history.records[entry->record];
	uint64_t rank = (uint64_t)entry->band << 62 | (uint64_t)self->epoch << 32;
	if (!self->lru)
		rank |= worth_of(self, record);
	wan_ranking_put(&self->ranking, slot, entry->counted, rank, record->last);
}

static void shadow_drop(struct wan_policy_auto *self, uint32_t record)
{
	if (!wan_ranking_has(&self->shadow, record))
		return;
	self->shadow_bytes -= self->history.records[record].bytes;
	wan_ranking_remove(&self->shadow, record);
	if (!self->shadow.counts[0] && !self->shadow.counts[1])
		self->shadow_bytes = 0;
}

static void shadow_rank(struct wan_policy_auto *self, uint32_t record)
{
	const struct wan_seen *entry = &self->history.records[record];
	wan_ranking_put(&self->shadow, record, entry->counted, worth_of(self, entry), entry->last);
}

static void shadow_admit(struct wan_policy_auto *self, uint32_t record)
{
	const struct wan_seen *entry = &self->history.records[record];
	double limit_bytes = payload_limit(self);
	uint32_t victim;
	if (wan_ranking_has(&self->shadow, record) || entry->bytes > limit_bytes)
		return;
	while (self->shadow_bytes + entry->bytes > limit_bytes &&
	       (victim = wan_ranking_first(&self->shadow, false)) != WAN_RANKING_NONE)
		shadow_drop(self, victim);
	while (entry->counted && self->shadow.counts[1] &&
	       self->shadow.counts[1] >= self->entry_limit)
		shadow_drop(self, wan_ranking_first(&self->shadow, true));
	self->shadow_bytes += entry->bytes;
	shadow_rank(self, record);
}

/* Ranks a few anew whose worth changed with what was learnt. */
static void refresh(struct wan_policy_auto *self, struct wan_ranking *ranking, uint32_t count)
{
	uint32_t all = ranking->counts[0] + ranking->counts[1];
	for (uint32_t i = 0; i < count && i < all; i++) {
		if (++self->cursor >= all)
			self->cursor = 0;
		bool counted = self->cursor >= ranking->counts[0];
		uint32_t at = self->cursor - (counted ? ranking->counts[0] : 0);
		uint32_t id = ranking->heaps[counted][at];
		if (ranking == &self->ranking)
			rank_slot(self, id);
		else
			shadow_rank(self, id);
	}
}

/* After a change of order: by slot, so that none is left out. */
static void convert(struct wan_policy_auto *self)
{
	for (uint32_t i = 0; i < REFRESH_SWITCHED && self->unconverted; i++) {
		uint32_t slot = --self->unconverted;
		if (wan_ranking_has(&self->ranking, slot))
			rank_slot(self, slot);
	}
	for (uint32_t i = 0; i < REFRESH_SWITCHED && !self->lru; i++) {
		bool counted = self->shadow.counts[0] == 0;
		if (!self->shadow.counts[counted])
			break;
		shadow_drop(self, self->shadow.heaps[counted][self->shadow.counts[counted] - 1]);
	}
}

/* LRU rules at first, and our own order as soon as it would have been better. Two orders that take
 * turns in being better, each for as long as what it holds lasts, must not be followed to and fro:
 * each change demands more of the next, until it takes more than what a full cache saves. */
static void judge(struct wan_policy_auto *self, double ours, double lru)
{
	self->lead += self->lru ? ours - lru : lru - ours;
	if (self->lead < 0)
		self->lead = 0;
	double enough = LEAD_EACH * self->entries;
	if (enough < LEAD_MIN)
		enough = LEAD_MIN;
	if (self->caution > 1)
		self->caution -= (self->caution - 1) / (CALM * enough);
	if (self->lead <= enough * self->caution * self->mean_cost || self->unconverted)
		return;
	self->lru = !self->lru;
	self->lead = 0;
	self->caution =
		self->caution < CAUTION_SECOND ? CAUTION_SECOND : CAUTION_GROWS * self->caution;
	self->epoch = (self->epoch + 1) & ((1u << 30) - 1);
	self->unconverted = self->capacity;
}

/* Time goes on by one access: what gets older changes its rank. */
static void tick(struct wan_policy_auto *self)
{
	uint32_t record;
	wan_history_tick(&self->history);
	while ((record = wan_history_next_aged(&self->history)) != WAN_SEEN_NONE) {
		const struct wan_seen *entry = &self->history.records[record];
		wan_learn_reach(&self->learn, entry->group, entry->age);
		if (entry->slot != WAN_SEEN_NONE && !self->lru)
			rank_slot(self, entry->slot);
		if (self->lru && wan_ranking_has(&self->shadow, record))
			shadow_rank(self, record);
	}
	wan_learn_step(&self->learn);
	refresh(self, self->lru ? &self->shadow : &self->ranking, REFRESH);
	convert(self);
	self->fill *= 1 - FILL_SHARE;
}

/* A known key was asked for. */
static void access_record(struct wan_policy_auto *self, uint32_t record)
{
	struct wan_seen *entry = &self->history.records[record];
	tick(self);
	bool ours =
		self->lru ? wan_ranking_has(&self->shadow, record) : entry->slot != WAN_SEEN_NONE;
	double cost = (double)entry->cost;
	self->mean_cost += (cost - self->mean_cost) * COST_SHARE;
	judge(self, ours ? cost : 0, entry->in_lru ? cost : 0);
	wan_learn_use(&self->learn, entry->group, entry->age);
	wan_history_touch(&self->history, record);
	wan_learn_reach(&self->learn, entry->group, 0);
}

/* After access_record() or a new record: both ghosts hold it now. */
static void admit(struct wan_policy_auto *self, uint32_t record)
{
	wan_history_lru_admit(&self->history, record, payload_limit(self), self->entry_limit);
	if (!self->lru)
		return;
	shadow_admit(self, record);
	if (wan_ranking_has(&self->shadow, record))
		shadow_rank(self, record);
}

static void auto_missed(struct wan_policy *policy, struct wan_key key)
{
	struct wan_policy_auto *self = auto_of(policy);
	if (!self->history.capacity)
		return;
	uint32_t record = wan_history_find(&self->history, wan_policy_hash(key));
	if (record == WAN_SEEN_NONE || self->history.records[record].slot != WAN_SEEN_NONE)
		return;
	access_record(self, record);
	self->history.records[record].missed = true;
}

static uint32_t record_for(struct wan_policy_auto *self, const struct wan_policy_entry *entry)
{
	uint64_t hash = wan_policy_hash(entry->key);
	uint32_t record = wan_history_find(&self->history, hash), forgotten;
	if (record != WAN_SEEN_NONE) {
		if (!self->history.records[record].missed)
			access_record(self, record);
		return record;
	}
	tick(self);
	record = wan_history_add(&self->history, hash, &forgotten);
	if (forgotten != WAN_SEEN_NONE)
		shadow_drop(self, forgotten);
	wan_learn_reach(&self->learn, 0, 0);
	return record;
}

static void auto_inserted(struct wan_policy *policy, uint32_t slot,
			  const struct wan_policy_entry *entry)
{
	struct wan_policy_auto *self = auto_of(policy);
	uint32_t number = record_for(self, entry);
	struct wan_seen *record = &self->history.records[number];
	double bytes = entry->charge_bytes ? (double)entry->charge_bytes : 1;
	if (record->bytes != bytes || record->counted != entry->counted) {
		wan_history_lru_drop(&self->history, number);
		shadow_drop(self, number);
	}
	record->missed = false;
	record->bytes = bytes;
	record->counted = entry->counted;
	record->cost = wan_policy_cost(&self->costs, entry->cost_ns);
	if (self->mean_cost <= 0)
		self->mean_cost = (double)record->cost;
	self->fill += room_of(self, record) * (self->fill > 0 ? FILL_SHARE : 1);
	/* Two keys of one hash: the later one has the record, the other is never refreshed. */
	if (record->slot == WAN_SEEN_NONE)
		wan_history_cached(&self->history, number, slot);
	record->slot = slot;
	self->slots[slot] = (struct auto_slot){
		.record = number,
		.band = (uint8_t)wan_policy_band(entry->flags),
		.counted = entry->counted,
	};
	self->entries++;
	admit(self, number);
	rank_slot(self, slot);
}

static void auto_used(struct wan_policy *policy, uint32_t slot)
{
	struct wan_policy_auto *self = auto_of(policy);
	struct auto_slot *entry = &self->slots[slot];
	if (entry->band == WAN_BAND_SCAN)
		entry->band = WAN_BAND_ORDINARY;
	access_record(self, entry->record);
	admit(self, entry->record);
	rank_slot(self, slot);
}

static void auto_removed(struct wan_policy *policy, uint32_t slot, bool evicted)
{
	struct wan_policy_auto *self = auto_of(policy);
	uint32_t record = self->slots[slot].record;
	wan_ranking_remove(&self->ranking, slot);
	self->entries--;
	if (!evicted) {
		wan_history_lru_drop(&self->history, record);
		shadow_drop(self, record);
	}
	if (self->history.records[record].slot == slot)
		wan_history_gone(&self->history, record);
}

static void auto_begin(struct wan_policy *policy, bool counted_only)
{
	wan_ranking_begin(&auto_of(policy)->ranking, counted_only);
}

static uint32_t auto_next(struct wan_policy *policy)
{
	return wan_ranking_next(&auto_of(policy)->ranking);
}

static void auto_set_limits(struct wan_policy *policy, uint64_t limit_bytes, uint64_t entry_limit)
{
	auto_of(policy)->limit_bytes = limit_bytes;
	auto_of(policy)->entry_limit = entry_limit;
}

static uint32_t records_for(const struct wan_policy_auto *self, uint32_t count)
{
	uint64_t each = WAN_HISTORY_SEEN_BYTES + WAN_RANKING_ID_BYTES;
	uint64_t most = self->limit_bytes / RECORDS_SHARE / each;
	uint64_t want = (uint64_t)count * RECORDS_EACH;
	if (want < RECORDS_MIN)
		want = RECORDS_MIN;
	if (want > most)
		want = most;
	if (want < (uint64_t)count + RECORDS_FLOOR)
		want = (uint64_t)count + RECORDS_FLOOR;
	return want < INT32_MAX ? (uint32_t)want : INT32_MAX;
}

static int auto_reserve(struct wan_policy *policy, uint32_t count)
{
	struct wan_policy_auto *self = auto_of(policy);
	if (count <= self->capacity)
		return 0;
	count = wan_policy_grown(self->capacity, count);
	uint32_t records = records_for(self, count);
	int rc = wan_ranking_reserve(&self->ranking, count);
	if (rc == 0)
		rc = wan_ranking_reserve(&self->shadow, records);
	if (rc == 0)
		rc = wan_history_reserve(&self->history, records);
	if (rc < 0)
		return rc;
	struct auto_slot *slots = wan_realloc_array(self->slots, count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	self->slots = slots;
	self->capacity = count;
	return 0;
}

static uint64_t auto_bytes(const struct wan_policy *policy)
{
	const struct wan_policy_auto *self = (const struct wan_policy_auto *)policy;
	return sizeof(*self) + self->capacity * sizeof(*self->slots) +
	       (uint64_t)self->ranking.capacity * WAN_RANKING_ID_BYTES +
	       (uint64_t)self->shadow.capacity * WAN_RANKING_ID_BYTES +
	       self->history.capacity * sizeof(struct wan_seen) +
	       (self->history.table_mask + (uint64_t)1) * sizeof(uint32_t);
}

static void auto_destroy(struct wan_policy *policy)
{
	struct wan_policy_auto *self = auto_of(policy);
	wan_ranking_finish(&self->ranking);
	wan_ranking_finish(&self->shadow);
	wan_history_finish(&self->history);
	wan_free(self->slots);
	wan_free(self);
}

int wan_policy_create_auto(uint64_t limit_bytes, uint64_t entry_limit,
			   struct wan_policy **ret_policy)
{
	static const struct wan_policy_ops ops = {
		.destroy = auto_destroy,
		.reserve = auto_reserve,
		.set_limits = auto_set_limits,
		.missed = auto_missed,
		.inserted = auto_inserted,
		.used = auto_used,
		.removed = auto_removed,
		.begin = auto_begin,
		.next = auto_next,
		.bytes = auto_bytes,
	};
	struct wan_policy_auto *self = wan_calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->policy.ops = &ops;
	self->limit_bytes = limit_bytes;
	self->entry_limit = entry_limit;
	self->lru = true; /* until our own order has proved itself */
	self->caution = CAUTION_FIRST;
	wan_learn_init(&self->learn);
	*ret_policy = &self->policy;
	return 0;
}
