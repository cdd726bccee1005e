/* SPDX-License-Identifier: MIT */
/* profile.schema.json, made a C array at build time by embed.c. */
#ifndef WAN_TOOLS_PROFILE_SCHEMA_H
#define WAN_TOOLS_PROFILE_SCHEMA_H

#include <stddef.h>

extern const char wan_profile_schema[];
extern const size_t wan_profile_schema_bytes;

#endif
