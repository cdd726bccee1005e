/* SPDX-License-Identifier: MIT */
/* Weak handles: number and generation of a slot. */
#include <errno.h>

#include "core.h"

/* Slot numbers are stored plus one, so that a zeroed handle is empty. */
struct wan_weak wan_cache_weak_from_pin(const struct wan_pin *pin)
{
	if (!pin)
		return (struct wan_weak){{0, 0}};
	const struct wan_cache_entry *entry = wan_entry_from_pin(pin);
	return (struct wan_weak){{(uint64_t)entry->slot + 1, entry->generation}};
}

static bool alive(const struct wan_cache_entry *entry)
{
	return entry->state == WAN_ENTRY_INDEXED || entry->state == WAN_ENTRY_DETACHED;
}

int wan_cache_weak_lock(struct wan_cache *cache, struct wan_weak weak, struct wan_pin **ret_pin)
{
	if (!cache || !ret_pin)
		return -EINVAL;
	uint64_t now_ns = wan_cache_now_ns(cache);
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	struct wan_cache_entry *entry = NULL;
	if (weak.words[0])
		entry = wan_slots_find(&cache->slots, weak.words[0] - 1, weak.words[1]);
	if (entry && !alive(entry))
		entry = NULL;
	if (entry && entry->state == WAN_ENTRY_INDEXED) /* a use, and it may have expired */
		entry = wan_cache_find_locked(cache, entry->key, now_ns, &victims);
	if (entry)
		wan_cache_pin_locked(cache, entry, 1);
	wan_cache_leave(cache, &victims);
	if (!entry)
		return -ENOENT;
	*ret_pin = wan_pin_from_entry(entry);
	return 0;
}
