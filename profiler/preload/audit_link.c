/* SPDX-License-Identifier: MIT */
#include "audit_link.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "atomics.h"
#include "hook.h"

__thread uint32_t wan_audited __attribute__((tls_model("initial-exec")));

/* The companion reads it before relocation: constants only. */
WAN_EXPORT struct wan_audit_link wan_audit_link = {
	.version = WAN_AUDIT_VERSION,
	.names_bytes = WAN_AUDIT_NAMES_BYTES,
	.symbols = WAN_SYMBOL_COUNT,
	.slot_count = WAN_AUDIT_SLOTS,
};

/* Codecs of the slots, once used; serial says for which library. */
static struct {
	const struct wan_codec *codec;
	uint32_t serial;
} known[WAN_AUDIT_SLOTS][WAN_FAMILY_COUNT];

/* It may be unloaded as soon as its user is: our pointers must stay true. */
static void keep_mapped(const struct wan_audit_slot *slot)
{
	const char *name = slot->map->l_name;
	dlmopen(slot->namespace_id, name && name[0] ? name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

const struct wan_codec *wan_audit_codec(enum wan_family family, enum wan_symbol symbol)
{
	uint32_t index = wan_audited - 1;
	uint32_t at = index / WAN_SYMBOL_COUNT;
	wan_audited = 0;
	if (index % WAN_SYMBOL_COUNT != symbol || at >= WAN_AUDIT_SLOTS || !wan_audit_link.slots)
		return NULL;
	const struct wan_audit_slot *slot = &wan_audit_link.slots[at];
	const struct wan_codec *codec = wan_load_acquire(&known[at][family].codec);
	struct wan_module home;
	if (codec && wan_load_relaxed(&known[at][family].serial) == slot->serial)
		return codec;
	if (!slot->in_use || !wan_module_of(slot->functions[symbol], &home))
		return NULL;
	codec = wan_codec_of_home(family, &home, NULL, slot->functions,
				  slot->namespace_id != LM_ID_BASE);
	if (!codec)
		return NULL;
	keep_mapped(slot);
	wan_store_relaxed(&known[at][family].serial, slot->serial);
	wan_store_release(&known[at][family].codec, codec);
	return codec;
}
