/* SPDX-License-Identifier: MIT */
#include "dyn.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *open_one(const char *name, bool only_if_loaded)
{
	void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	if (!handle && !only_if_loaded)
		handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	return handle;
}

static void *open_any(const struct wan_dyn_library *library, bool only_if_loaded)
{
	const char *path = NULL;
	if (library->override_environment)
		path = secure_getenv(library->override_environment);
	if (path && *path)
		return open_one(path, only_if_loaded); /* a stand-in replaces all names */
	for (const char *const *name = library->sonames; *name; name++) {
		void *handle = dlopen(*name, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
		if (handle)
			return handle;
	}
	for (const char *const *name = library->sonames; *name && !only_if_loaded; name++) {
		void *handle = dlopen(*name, RTLD_LAZY | RTLD_LOCAL);
		if (handle)
			return handle;
	}
	return NULL;
}

int wan_dyn_load(const struct wan_dyn_library *library, void *table, bool only_if_loaded,
		 void **ret_handle)
{
	void *handle = open_any(library, only_if_loaded);
	if (!handle)
		return -ENOENT;
	for (size_t i = 0; i < library->symbol_count; i++) {
		if (library->symbols[i].required && !dlsym(handle, library->symbols[i].name)) {
			dlclose(handle);
			return -ENOSYS;
		}
	}
	for (size_t i = 0; i < library->symbol_count; i++) {
		void *symbol = dlsym(handle, library->symbols[i].name);
		memcpy((char *)table + library->symbols[i].offset, &symbol, sizeof(symbol));
	}
	if (ret_handle)
		*ret_handle = handle;
	return 0;
}
