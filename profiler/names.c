/* SPDX-License-Identifier: MIT */
/* Ids of operation names: found by the address of the text, checked by the text itself. */
#include <string.h>

#include "profile.h"

#define BUSY ((uintptr_t)1) /* being filled; no text has this address */

static __attribute__((noinline)) uint16_t add(struct wan_profile *profile, const char *name)
{
	char text[WAN_OP_NAME_BYTES];
	strncpy(text, name, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	uint16_t id = wan_recorder_string(profile->recorder, text);
	struct wan_op_name *entry = wan_op_name_slot(profile, name);
	if (!id)
		return 0;
	/* One thread fills the entry, nobody ever waits (a fork may come at any moment). */
	const void *none = NULL;
	if (wan_cas_acq_rel(&entry->pointer, &none, (const void *)BUSY)) {
		entry->id = id;
		memcpy(entry->text, text, sizeof(text));
		size_t bytes = strlen(text) + 1;
		entry->mask = bytes > 32 ? 0 : (uint32_t)(((uint64_t)1 << bytes) - 1);
		wan_store_release(&entry->pointer, (const void *)name);
	}
	return id;
}

uint16_t wan_op_name_id(struct wan_profile *profile, const char *name)
{
	struct wan_op_name *entry = wan_op_name_slot(profile, name);
	/* pairs with add(): id and text are whole */
	if (wan_likely(wan_load_acquire(&entry->pointer) == (const void *)name &&
		       strncmp(entry->text, name, WAN_OP_NAME_BYTES - 1) == 0))
		return entry->id;
	return add(profile, name);
}
