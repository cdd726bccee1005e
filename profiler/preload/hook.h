/* SPDX-License-Identifier: MIT */
/*
 * Shape of a hook: find, prepare, enter, real function, leave, conclude. Between enter and leave
 * the real function may never return. A hook whose real function is not known does the least harm
 * it can: it returns what the library returns on failure.
 */
#ifndef WAN_PRELOAD_HOOK_H
#define WAN_PRELOAD_HOOK_H

#include "operation.h"

/* Hooks of symbols.def by WAN_HOOK, and those by WAN_AUDIT, which no program finds by chance. */
#define WAN_EXPORT  __attribute__((visibility("default")))
#define WAN_AUDITED __attribute__((visibility("hidden")))

/* The typed real function, or NULL. */
#define wan_real(call, name) ((call).codec ? WAN_REAL_OF((call).codec, name) : NULL)

/* Fills a struct wan_call in a hook. */
#define WAN_FIND(call, address, family, name)                                                      \
	wan_call_find(&(call), (address), (family), WAN_SYMBOL_##name, WAN_CALLER, WAN_FRAME)

#endif
