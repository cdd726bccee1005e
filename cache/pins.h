/* SPDX-License-Identifier: MIT */
/*
 * Who holds what. A pin is a slot of the record of the thread that took it, which holds the entry's
 * address; when that has no room, or the thread no record, a count in the entry. A pin's handle is
 * the address of the slot, or the entry's address with the lowest bit set.
 *
 * To pin without the lock: announce (the slot), then look whether the entry is still INDEXED; else
 * take it back. To let an entry go: mark it (any other state), make the announcements of all
 * threads visible, then look at all slots. Either the pinner sees the mark, or the one who marks
 * sees the pin. Releasing is the same the other way round: empty the slot, then look at the state;
 * either the one who marks sees the slot empty, or the releaser sees the mark and takes the lock.
 */
#ifndef WAN_CACHE_PINS_H
#define WAN_CACHE_PINS_H

#include "record.h"

#define WAN_PIN_COUNTED ((uintptr_t)1)

static inline uintptr_t *wan_pin_slot(const struct wan_pin *pin)
{
	return (uintptr_t *)pin;
}

static inline bool wan_pin_is_counted(const struct wan_pin *pin)
{
	return (uintptr_t)pin & WAN_PIN_COUNTED;
}

static inline struct wan_pin *wan_pin_counted(struct wan_cache_entry *entry)
{
	return (struct wan_pin *)((uintptr_t)entry | WAN_PIN_COUNTED);
}

static inline struct wan_cache_entry *wan_entry_from_pin(const struct wan_pin *pin)
{
	uintptr_t address = wan_pin_is_counted(pin) ? (uintptr_t)pin & ~WAN_PIN_COUNTED
						    : wan_load_relaxed(wan_pin_slot(pin));
	return (struct wan_cache_entry *)address;
}

static inline struct wan_record *wan_record_of_slot(const uintptr_t *slot)
{
	return (struct wan_record *)((uintptr_t)slot & ~(uintptr_t)(WAN_RECORD_BYTES - 1));
}

/* A free slot of this thread's own record, NULL: all are taken. */
uintptr_t *wan_pins_search(struct wan_record *record);

static inline uintptr_t *wan_pins_free_slot(struct wan_record *record)
{
	uintptr_t *slot = &record->slots[record->hint];
	return __builtin_expect(wan_load_relaxed(slot) == 0, 1) ? slot : wan_pins_search(record);
}

/* Announces a pin. Light: who marks entries pays for the fence. */
static inline void wan_pins_announce(uintptr_t *slot, const struct wan_cache_entry *entry,
				     bool light)
{
	if (__builtin_expect(light, 1))
		wan_store_light(slot, (uintptr_t)entry);
	else
		wan_store_seq_cst(slot, (uintptr_t)entry);
}

#endif
