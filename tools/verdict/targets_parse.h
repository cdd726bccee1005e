/* SPDX-License-Identifier: MIT */
#ifndef WAN_TOOLS_TARGETS_PARSE_H
#define WAN_TOOLS_TARGETS_PARSE_H

#include "targets.h"

/* Index of "tier" and so on; -1: there is no such filter. */
int target_filter_find(const char *name);

#endif
