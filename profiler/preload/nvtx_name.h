/* SPDX-License-Identifier: MIT */
/*
 * Names of NVTX ranges. Programs write numbers, sizes and sequences into them, and a recording has
 * room for some thousand names: the tail that PyTorch appends goes, and once there are many names,
 * digits become '#'. Pure.
 */
#ifndef WAN_PRELOAD_NVTX_NAME_H
#define WAN_PRELOAD_NVTX_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#define WAN_NVTX_NAME_BYTES 128

/* "domain:message", cut to bytes; domain may be NULL or "". many: numbers do not matter. */
void wan_nvtx_name(char *to, size_t bytes, const char *domain, const char *message, bool many);
/* UTF-8 of a wide text, cut to bytes. */
void wan_nvtx_narrow(char *to, size_t bytes, const wchar_t *text);

#endif
