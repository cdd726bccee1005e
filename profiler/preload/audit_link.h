/* SPDX-License-Identifier: MIT */
/*
 * Between the preload library and its audit companion, which live in one process but in two linker
 * namespaces. The companion finds wan_audit_link and wan_thunks in the preload library by name
 * before that is relocated, keeps one slot for each library that defines hooked functions, and
 * hands out the address of a thunk where the loader would hand out that of the function. A thunk
 * belongs to one slot and one symbol: it says which library is meant, and goes on to the hook.
 */
#ifndef WAN_PRELOAD_AUDIT_LINK_H
#define WAN_PRELOAD_AUDIT_LINK_H

#define WAN_AUDIT_VERSION 1
#define WAN_AUDIT_SLOTS   12 /* libraries with hooked functions loaded at a time */
#define WAN_THUNK_BYTES   32

#ifndef __ASSEMBLER__
#include <stdint.h>

#include "resolve.h"

struct link_map;

struct wan_audit_slot {
	const struct link_map *map;
	long namespace_id;
	uint32_t serial; /* goes up when the slot passes to another library */
	uint32_t in_use;
	const void
		*functions[WAN_SYMBOL_COUNT]; /* as the library defines them; NULL: it does not */
};

/* All names of symbols.def in a row: differs between builds that must not be mixed. */
#define WAN_HOOK(name, family, kind) #name
#define WAN_REAL(name, family)       #name
enum {
	WAN_AUDIT_NAMES_BYTES = sizeof(
#include "symbols.def"
		)
};
#undef WAN_HOOK
#undef WAN_REAL

/* Exported by the preload library; without relocations. slots is set by the companion. */
struct wan_audit_link {
	uint32_t version, names_bytes, symbols, slot_count;
	const struct wan_audit_slot *slots;
};
extern struct wan_audit_link wan_audit_link;
#define WAN_AUDIT_LINK_SYMBOL   "wan_audit_link"
#define WAN_AUDIT_THUNKS_SYMBOL "wan_thunks"

/* The thunk this thread came through last: slot * symbols + symbol + 1; 0: none since it was used.
 */
extern __thread uint32_t wan_audited __attribute__((tls_model("initial-exec")));
/* The codec meant by the thunk this call came through; NULL: it came through none. */
const struct wan_codec *wan_audit_codec(enum wan_family family, enum wan_symbol symbol);
#endif

#endif
