/* SPDX-License-Identifier: MIT */
#ifndef WAN_PRELOAD_HOOK_DLSYM_H
#define WAN_PRELOAD_HOOK_DLSYM_H

typedef void *wan_dlsym_function(void *handle, const char *name);

/* The C library's; set from the first call of ours on. */
extern wan_dlsym_function *wan_dlsym_next;

#endif
