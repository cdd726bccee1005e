/* SPDX-License-Identifier: MIT */
/*
 * Libraries that are loaded late and never required: one table of required and optional symbols
 * each. Loading happens on first wan_dyn_load(), never in a hook.
 */
#ifndef WAN_BASE_DYN_H
#define WAN_BASE_DYN_H

#include <stdbool.h>
#include <stddef.h>

struct wan_dyn_symbol {
	const char *name;
	size_t offset; /* of the function pointer in the caller's table */
	bool required;
};

struct wan_dyn_library {
	const char *const *sonames;       /* tried in turn, NULL-terminated */
	const char *override_environment; /* path of a stand-in, e.g. "WAN_CUDART"; may be NULL */
	const struct wan_dyn_symbol *symbols;
	size_t symbol_count;
};

/* Fill table from the library. Already loaded copies are preferred (RTLD_NOLOAD first); with
 * only_if_loaded nothing new is mapped. Returns 0, -ENOENT (not there), -ENOSYS (a required symbol
 * is missing). */
int wan_dyn_load(const struct wan_dyn_library *library, void *table, bool only_if_loaded,
		 void **ret_handle);

#endif
