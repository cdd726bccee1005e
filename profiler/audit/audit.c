/* SPDX-License-Identifier: MIT */
/*
 * libwanrt-audit.so: asked by the dynamic loader about every binding, it sends those to hooked
 * functions to the hooks of the preload library, wherever they come from: libraries opened with
 * RTLD_DEEPBIND, other linker namespaces, pointers from dlsym(). Needs no library, not even libc:
 * an auditor has a namespace of its own, and a second libc in every process costs more than all the
 * rest. Holds no lock: the loader opens and closes under its own one, and bindings only read.
 */
#include <link.h>
#include <stddef.h>

#include "audit_link.h"
#include "elf_names.h"

#define EXPORT      __attribute__((visibility("default")))
#define VERSION_MIN 2 /* glibc 2.35: earlier ones miss bindings of BIND_NOW libraries */

/* Cookies; one above: index of the slot. */
enum { OTHER = 0, OURS = 1, SLOT = 2 };

/* Names by open addressing; filled once, at most a quarter full. */
enum { TABLE = 2048 };
_Static_assert(WAN_SYMBOL_COUNT * 4 <= TABLE, "make the table larger");
static uint16_t table[TABLE]; /* index into hooks + 1 */

static const char *const names[WAN_SYMBOL_COUNT] = {
#define WAN_HOOK(name, family, kind) [WAN_SYMBOL_##name] = #name,
#define WAN_REAL(name, family)       [WAN_SYMBOL_##name] = #name,
#include "symbols.def"
#undef WAN_HOOK
#undef WAN_REAL
};
static const bool hooked[WAN_SYMBOL_COUNT] = {
#define WAN_HOOK(name, family, kind) [WAN_SYMBOL_##name] = true,
#define WAN_REAL(name, family)
#include "symbols.def"
#undef WAN_HOOK
#undef WAN_REAL
};

static struct elf_wanted wanted[WAN_SYMBOL_COUNT];
static struct elf_wanted wanted_link, wanted_thunks;
static struct wan_audit_slot slots[WAN_AUDIT_SLOTS];
static uintptr_t thunks; /* 0: the preload library is not here (yet) */

static void prepare(void)
{
	for (unsigned i = 0; i < WAN_SYMBOL_COUNT; i++) {
		elf_wanted_init(&wanted[i], names[i]);
		uint32_t at = wanted[i].gnu_hash;
		while (table[at % TABLE])
			at++;
		table[at % TABLE] = (uint16_t)(i + 1);
	}
	elf_wanted_init(&wanted_link, WAN_AUDIT_LINK_SYMBOL);
	elf_wanted_init(&wanted_thunks, WAN_AUDIT_THUNKS_SYMBOL);
}

/* enum wan_symbol, or WAN_SYMBOL_COUNT. */
static unsigned symbol_of(const char *name)
{
	struct elf_wanted asked;
	elf_wanted_init(&asked, name);
	for (uint32_t at = asked.gnu_hash; table[at % TABLE]; at++) {
		unsigned symbol = table[at % TABLE] - 1u;
		if (wanted[symbol].gnu_hash == asked.gnu_hash && text_equal(names[symbol], name))
			return symbol;
	}
	return WAN_SYMBOL_COUNT;
}

/* The preload library of this build: tell it where the slots are. */
static bool is_ours(const struct elf_names *library)
{
	struct wan_audit_link *link = (void *)(uintptr_t)elf_names_find(library, &wanted_link);
	const void *first = link ? elf_names_find(library, &wanted_thunks) : NULL;
	if (!first)
		return false;
	if (!thunks && link->version == WAN_AUDIT_VERSION &&
	    link->names_bytes == WAN_AUDIT_NAMES_BYTES && link->symbols == WAN_SYMBOL_COUNT &&
	    link->slot_count == WAN_AUDIT_SLOTS) {
		link->slots = slots;
		thunks = (uintptr_t)first;
	}
	return true;
}

static bool defines_hooked(const struct elf_names *library)
{
	for (unsigned i = 0; i < WAN_SYMBOL_COUNT; i++)
		if (hooked[i] && elf_names_find(library, &wanted[i]))
			return true;
	return false;
}

/* Index of a slot that describes the library; WAN_AUDIT_SLOTS: all are taken, and it goes unseen.
 */
static unsigned take_slot(const struct elf_names *library, const struct link_map *map,
			  Lmid_t namespace_id)
{
	for (unsigned i = 0; i < WAN_AUDIT_SLOTS; i++) {
		struct wan_audit_slot *slot = &slots[i];
		if (slot->in_use)
			continue;
		slot->map = map;
		slot->namespace_id = namespace_id;
		slot->serial++;
		for (unsigned k = 0; k < WAN_SYMBOL_COUNT; k++)
			slot->functions[k] = elf_names_find(library, &wanted[k]);
		slot->in_use = 1;
		return i;
	}
	return WAN_AUDIT_SLOTS;
}

EXPORT unsigned int la_version(unsigned int version)
{
	if (version < VERSION_MIN)
		return 0; /* and we are not asked again */
	prepare();
	return VERSION_MIN;
}

EXPORT unsigned int la_objopen(struct link_map *map, Lmid_t namespace_id, uintptr_t *cookie)
{
	struct elf_names library;
	*cookie = OTHER;
	if (!elf_names_init(&library, map))
		return LA_FLG_BINDFROM;
	if (namespace_id == LM_ID_BASE && is_ours(&library)) {
		*cookie = OURS;
		return 0;
	}
	if (!defines_hooked(&library))
		return LA_FLG_BINDFROM;
	unsigned slot = take_slot(&library, map, namespace_id);
	if (slot == WAN_AUDIT_SLOTS)
		return LA_FLG_BINDFROM;
	*cookie = SLOT + slot;
	return LA_FLG_BINDFROM | LA_FLG_BINDTO;
}

EXPORT unsigned int la_objclose(uintptr_t *cookie)
{
	if (*cookie >= SLOT)
		slots[*cookie - SLOT].in_use = 0;
	*cookie = OTHER;
	return 0;
}

/*
 * Left alone: what the preload library asks for itself; a library that calls itself; one that
 * defines the same function, since it stands between (an interposer that asks for the next one
 * would get itself back); a function that another library defines in this one's place.
 */
EXPORT uintptr_t la_symbind64(ElfW(Sym) * symbol, unsigned int index, uintptr_t *from_cookie,
			      uintptr_t *to_cookie, unsigned int *flags, const char *name)
{
	uintptr_t address = symbol->st_value;
	if (*to_cookie < SLOT || *from_cookie == OURS || !thunks)
		return address;
	unsigned meant = symbol_of(name), slot = (unsigned)(*to_cookie - SLOT);
	if (meant == WAN_SYMBOL_COUNT || !hooked[meant] ||
	    (uintptr_t)slots[slot].functions[meant] != address)
		return address;
	if (*from_cookie >= SLOT && slots[*from_cookie - SLOT].functions[meant])
		return address;
	return thunks + ((uintptr_t)slot * WAN_SYMBOL_COUNT + meant) * WAN_THUNK_BYTES;
}
