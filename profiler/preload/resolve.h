/* SPDX-License-Identifier: MIT */
/*
 * Where the real functions are. A codec is one loaded library (libjpeg, libpng, TurboJPEG) with all
 * its functions of symbols.def. It is found through the module that called the hook, because
 * RTLD_NEXT sees nothing of a module that was loaded RTLD_LOCAL, and because two libraries of the
 * same family can live in one process. A codec stays mapped once it is known, so its pointers never
 * go stale.
 */
#ifndef WAN_PRELOAD_RESOLVE_H
#define WAN_PRELOAD_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "macros.h"

enum wan_family {
#define WAN_FAMILY(id, name, library, ...) WAN_FAMILY_##id,
#include "families.def"
#undef WAN_FAMILY
	WAN_FAMILY_COUNT
};

enum wan_symbol {
#define WAN_HOOK(name, family, kind) WAN_SYMBOL_##name,
#define WAN_REAL(name, family)       WAN_SYMBOL_##name,
#include "symbols.def"
#undef WAN_HOOK
#undef WAN_REAL
	WAN_SYMBOL_COUNT
};

struct wan_codec {
	enum wan_family family;
	uintptr_t low, high; /* where its code and data are mapped */
	bool other_heap;     /* in another linker namespace: it allocates where nobody counts */
	uint32_t noted;      /* 1 + fork generation in which its version was written down */
	char file[128];      /* "libjpeg.so.62.3.0" */
	void *functions[WAN_SYMBOL_COUNT];
};

/* Codec whose hook this thread entered last: serves calls that arrive by a tail call of the real
 * library, where the return address is in this library and says nothing. */
extern __thread const struct wan_codec *wan_codec_calling
	__attribute__((tls_model("initial-exec")));

/* This library's own mapping; set by wan_resolve_init(), found late if a hook comes first. */
extern uintptr_t wan_own_low, wan_own_high;
void wan_resolve_init(void);

/*
 * The codec that the code at return_address means by this symbol. NULL: not found anywhere, counted
 * as unresolved. Takes no lock of ours; the first call from a module asks the dynamic loader.
 */
const struct wan_codec *wan_codec_for(enum wan_family family, enum wan_symbol symbol,
				      const void *return_address);
/* Known codecs, for the list of libraries in the recording; NULL past the end. */
struct wan_codec *wan_codec_at(unsigned index);

struct link_map;
/* A loaded library: where it is mapped, and the loader's entry for it. */
struct wan_module {
	uintptr_t low, high;
	const struct link_map *map;
};
bool wan_module_of(const void *address, struct wan_module *ret_module);
/*
 * The codec that lives in that module, made when it is new. functions: by enum wan_symbol; NULL:
 * asked of the loader, through caller (a handle) where home's own is not enough. NULL: no room.
 */
const struct wan_codec *wan_codec_of_home(enum wan_family family, const struct wan_module *home,
					  void *caller, const void *const *functions,
					  bool other_heap);
/* Names as in the coverage block. */
const char *wan_family_name(enum wan_family family);

static inline bool wan_within(uintptr_t low, uintptr_t high, const void *address)
{
	return (uintptr_t)address - low < high - low;
}

/* The call comes from the library itself (or from us, by a tail call of the library). */
static inline bool wan_codec_is_inner(const struct wan_codec *codec, const void *return_address)
{
	return wan_within(codec->low, codec->high, return_address) ||
	       wan_within(wan_own_low, wan_own_high, return_address);
}

/* The real function of a codec, typed like the hook. */
#define WAN_REAL_OF(codec, name) ((__typeof__(&(name)))(codec)->functions[WAN_SYMBOL_##name])

#endif
