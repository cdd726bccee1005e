/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "atomics.h"
#include "audit_link.h"
#include "preload.h"
#include "str.h"

enum {
	CODECS = 32,   /* copies of codec libraries in one process */
	CALLERS = 256, /* modules that call them, times families */
};

struct symbol_info {
	const char *name;
	enum wan_family family;
};
static const struct symbol_info symbols[] = {
#define WAN_HOOK(name, family, kind) {#name, WAN_FAMILY_##family},
#define WAN_REAL(name, family)       {#name, WAN_FAMILY_##family},
#include "symbols.def"
#undef WAN_HOOK
#undef WAN_REAL
};

/* Tried last, by name: for callers whose own scope says nothing. */
static const char *const sonames[WAN_FAMILY_COUNT][4] = {
#define WAN_FAMILY(id, name, library, ...) [WAN_FAMILY_##id] = {__VA_ARGS__},
#include "families.def"
#undef WAN_FAMILY
};

__thread const struct wan_codec *wan_codec_calling __attribute__((tls_model("initial-exec")));
uintptr_t wan_own_low, wan_own_high;

static struct wan_codec codecs[CODECS];
static unsigned codec_claimed, codec_ready[CODECS];

/* Insert only: codec is written before key. key 0: free, 1: being written. */
static struct {
	uint64_t key;
	const struct wan_codec *codec;
} callers[CALLERS];

/* glibc 2.35 and newer: no lock, safe in signal handlers. Older: dladdr. */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

bool wan_module_of(const void *address, struct wan_module *ret_module)
{
	if (wan_likely(_dl_find_object)) {
		struct dl_find_object found;
		if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
			return false;
		ret_module->low = (uintptr_t)found.dlfo_map_start;
		ret_module->high = (uintptr_t)found.dlfo_map_end;
		ret_module->map = found.dlfo_link_map;
		return true;
	}
	Dl_info info;
	struct link_map *map;
	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP))
		return false;
	ret_module->low = (uintptr_t)info.dli_fbase;
	ret_module->high = (uintptr_t)info.dli_fbase + (1u << 20); /* good enough: a codec's text */
	ret_module->map = map;
	return true;
}

static bool is_own(const void *address)
{
	return wan_within(wan_own_low, wan_own_high, address);
}

void wan_resolve_init(void)
{
	struct wan_module own;
	if (wan_own_high == 0 && wan_module_of((const void *)wan_resolve_init, &own)) {
		wan_own_low = own.low;
		wan_own_high = own.high;
	}
}

const char *wan_family_name(enum wan_family family)
{
	static const char *const names[] = {
#define WAN_FAMILY(id, name, library, ...) name,
#include "families.def"
#undef WAN_FAMILY
	};
	return names[family];
}

/* A handle of a module that is loaded already; dlclose() it. The program itself has no name. */
static void *handle_of(const struct link_map *map)
{
	const char *name = map->l_name && map->l_name[0] ? map->l_name : NULL;
	return dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
}

/* What the caller's scope means by name; never one of our own hooks. */
static void *find_symbol(void *caller, enum wan_family family, const char *name)
{
	void *found = caller ? dlsym(caller, name) : NULL;
	if (found && !is_own(found))
		return found;
	found = dlsym(RTLD_NEXT, name);
	if (found && !is_own(found))
		return found;
	for (const char *const *soname = sonames[family]; *soname; soname++) {
		void *handle = dlopen(*soname, RTLD_LAZY | RTLD_NOLOAD);
		if (!handle)
			continue;
		found = dlsym(handle, name);
		dlclose(handle);
		if (found && !is_own(found))
			return found;
	}
	return NULL;
}

/* "libjpeg.so.62.3.0": the file behind the link that was loaded, which carries the version. */
static void note_file(struct wan_codec *codec, const char *path)
{
	char target[512];
	ssize_t bytes = readlink(path, target, sizeof(target) - 1);
	if (bytes > 0) {
		target[bytes] = '\0';
		path = target;
	}
	const char *slash = strrchr(path, '/');
	wan_str_copy(codec->file, sizeof(codec->file), slash ? slash + 1 : path);
}

static void fill(struct wan_codec *codec, void *caller, const struct wan_module *home,
		 const void *const *functions)
{
	if (functions) {
		for (unsigned i = 0; i < WAN_SYMBOL_COUNT; i++)
			if (symbols[i].family == codec->family)
				codec->functions[i] = (void *)(uintptr_t)functions[i];
		note_file(codec, home->map->l_name);
		return;
	}
	/* Kept open: the library stays mapped, so these pointers stay true. */
	void *handle = handle_of(home->map);
	for (unsigned i = 0; i < WAN_SYMBOL_COUNT; i++) {
		if (symbols[i].family != codec->family)
			continue;
		void *found = handle ? dlsym(handle, symbols[i].name) : NULL;
		if (!found || !wan_within(home->low, home->high, found))
			found = caller ? dlsym(caller, symbols[i].name) : NULL;
		if (found && wan_within(home->low, home->high, found))
			codec->functions[i] = found;
	}
	note_file(codec, home->map->l_name);
}

const struct wan_codec *wan_codec_of_home(enum wan_family family, const struct wan_module *home,
					  void *caller, const void *const *functions,
					  bool other_heap)
{
	unsigned count = WAN_MIN(wan_load_acquire(&codec_claimed), (unsigned)CODECS);
	for (unsigned i = 0; i < count; i++)
		/* pairs with the release below */
		if (wan_load_acquire(&codec_ready[i]) && codecs[i].low == home->low &&
		    codecs[i].family == family)
			return &codecs[i];
	unsigned index = wan_add_acq_rel(&codec_claimed, 1);
	if (index >= CODECS) {
		wan_sub_acq_rel(&codec_claimed, 1);
		return NULL;
	}
	/* Two threads may describe the same library at once: both copies are true. */
	struct wan_codec *codec = &codecs[index];
	codec->family = family;
	codec->other_heap = other_heap;
	codec->low = home->low;
	codec->high = home->high;
	fill(codec, caller, home, functions);
	wan_store_release(&codec_ready[index], 1);
	wan_preload_note_codec(codec);
	return codec;
}

static const struct wan_codec *resolve(enum wan_family family, enum wan_symbol symbol,
				       const struct wan_module *module)
{
	void *caller = module ? handle_of(module->map) : NULL;
	void *found = find_symbol(caller, family, symbols[symbol].name);
	const struct wan_codec *codec = NULL;
	struct wan_module home;
	if (found && wan_module_of(found, &home))
		codec = wan_codec_of_home(family, &home, caller, NULL, false);
	if (caller)
		dlclose(caller);
	return codec;
}

/* Tells modules apart even when one is unloaded and another takes its place. */
static uint64_t caller_key(enum wan_family family, const struct wan_module *module)
{
	uint64_t key = 0x9e3779b97f4a7c15u + family;
	const uint64_t parts[] = {(uintptr_t)module->map, module->low, module->high};
	for (unsigned i = 0; i < WAN_COUNT_OF(parts); i++)
		key = (key ^ parts[i]) * 0xd6e8feb86659fd93u, key ^= key >> 32;
	for (const char *c = module->map->l_name; c && *c; c++)
		key = (key ^ (unsigned char)*c) * 0x100000001b3u;
	return key | 2;
}

struct wan_codec *wan_codec_at(unsigned index)
{
	if (index >= WAN_MIN(wan_load_acquire(&codec_claimed), (unsigned)CODECS))
		return NULL;
	return &codecs[index];
}

static const struct wan_codec *any_codec(enum wan_family family)
{
	const struct wan_codec *codec = NULL;
	for (unsigned i = 0; i < CODECS; i++)
		if (wan_load_acquire(&codec_ready[i]) && codecs[i].family == family)
			codec = &codecs[i];
	return codec;
}

static void remember(uint64_t key, const struct wan_codec *codec)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned at = (unsigned)(key >> 32) + i;
		uint64_t expected = 0;
		if (!wan_cas_acq_rel(&callers[at % CALLERS].key, &expected, 1))
			continue;
		callers[at % CALLERS].codec = codec;
		wan_store_release(&callers[at % CALLERS].key, key);
		return;
	}
}

const struct wan_codec *wan_codec_for(enum wan_family family, enum wan_symbol symbol,
				      const void *return_address)
{
	if (wan_unlikely(wan_own_high == 0))
		wan_resolve_init();
	if (wan_unlikely(wan_audited)) {
		const struct wan_codec *meant = wan_audit_codec(family, symbol);
		if (meant)
			return meant;
	}
	if (wan_unlikely(is_own(return_address))) {
		if (wan_codec_calling && wan_codec_calling->family == family)
			return wan_codec_calling;
		return any_codec(family);
	}
	struct wan_module module;
	bool known = wan_module_of(return_address, &module);
	uint64_t key = 0;
	if (wan_likely(known)) {
		key = caller_key(family, &module);
		for (unsigned i = 0; i < 16; i++) {
			unsigned at = ((unsigned)(key >> 32) + i) % CALLERS;
			/* pairs with the release in remember() */
			uint64_t seen = wan_load_acquire(&callers[at].key);
			if (seen == key)
				return callers[at].codec;
			if (seen == 0)
				break;
		}
	}
	const struct wan_codec *codec = resolve(family, symbol, known ? &module : NULL);
	if (!codec)
		codec = any_codec(family);
	if (!codec)
		wan_preload_count(family, WAN_COVER_UNRESOLVED);
	else if (known)
		remember(key, codec);
	return codec;
}
