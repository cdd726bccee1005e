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
	return wan_entry_is_indexed(entry) || entry->state == WAN_ENTRY_DETACHED;
}

int wan_cache_weak_lock(struct wan_cache *cache, struct wan_weak weak, struct wan_pin **ret_pin)
{
	if (!cache || !ret_pin)
		return -EINVAL;
	struct wan_victims victims = {0};
	struct wan_pin *pin = NULL;
	wan_mutex_lock(&cache->lock);
	struct wan_cache_entry *entry = NULL;
	if (weak.words[0])
		entry = wan_slots_find(&cache->slots, weak.words[0] - 1, weak.words[1]);
	if (entry && !alive(entry))
		entry = NULL;
	if (entry && wan_entry_is_indexed(entry)) /* a use, and it may have expired */
		entry = wan_cache_find_locked(cache, entry->key, &victims);
	if (entry)
		pin = wan_cache_pin_locked(cache, entry);
	wan_cache_leave(cache, &victims);
	if (!pin)
		return -ENOENT;
	*ret_pin = pin;
	return 0;
}
