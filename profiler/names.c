/* SPDX-License-Identifier: MIT */
/* Ids of operation names: found by the address of the text, checked by the text itself. */
#include <string.h>

#include "categories.h"
#include "heap_mark.h"
#include "profile.h"

#define BUSY ((uintptr_t)1) /* being filled; no text has this address */

void wan_op_name_judge(struct wan_op_name *entry, const struct wan_categories *categories)
{
	uintptr_t pointer = (uintptr_t)wan_load_acquire(&entry->pointer); /* pairs with add() */
	if (!pointer || pointer == BUSY)
		return;
	bool off = !wan_categories_record(categories, entry->text);
	size_t bytes = strlen(entry->text) + 1;
	uint32_t mask =
		bytes > 32 || off || wan_heap_marks_on ? 0 : (uint32_t)(((uint64_t)1 << bytes) - 1);
	wan_store_relaxed(&entry->off, off);
	wan_store_relaxed(&entry->mask, mask);
}

static __attribute__((noinline)) uint16_t add(struct wan_profile *profile, const char *name)
{
	char text[WAN_OP_NAME_BYTES];
	strncpy(text, name, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* acquires pair with wan_profile_set_categories(): the list is whole */
	const struct wan_categories *categories = wan_load_acquire(&profile->categories);
	if (!wan_categories_record(categories, text))
		return WAN_OP_NAME_OFF; /* not even its text takes a place in the recording */
	uint16_t id = wan_recorder_string(profile->recorder, text);
	struct wan_op_name *entry = wan_op_name_slot(profile, name);
	if (!id)
		return 0;
	/* One thread fills the entry, nobody ever waits (a fork may come at any moment). */
	const void *none = NULL;
	if (wan_cas_acq_rel(&entry->pointer, &none, (const void *)BUSY)) {
		entry->id = id;
		memcpy(entry->text, text, sizeof(text));
		wan_store_release(&entry->pointer, (const void *)name);
		do { /* a list that comes now is seen here, or comes to see the entry */
			wan_fence_seq_cst();
			categories = wan_load_acquire(&profile->categories);
			wan_op_name_judge(entry, categories);
			wan_fence_seq_cst();
		} while (wan_load_acquire(&profile->categories) != categories);
	}
	return id;
}

uint16_t wan_op_name_id(struct wan_profile *profile, const char *name)
{
	struct wan_op_name *entry = wan_op_name_slot(profile, name);
	/* pairs with add(): id and text are whole */
	if (wan_likely(wan_load_acquire(&entry->pointer) == (const void *)name &&
		       strncmp(entry->text, name, WAN_OP_NAME_BYTES - 1) == 0))
		return wan_load_relaxed(&entry->off) ? WAN_OP_NAME_OFF : entry->id;
	return add(profile, name);
}
