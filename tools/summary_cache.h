/* SPDX-License-Identifier: MIT */
/* The lines of a summary about the cache of programs that link the library. */
#ifndef WAN_TOOLS_SUMMARY_CACHE_H
#define WAN_TOOLS_SUMMARY_CACHE_H

#include "view.h"

enum { WAN_SUMMARY_CACHE_LINES = 2, WAN_SUMMARY_CACHE_BYTES = 256 };

/* Returns the lines written: 0 when no program of the view used a cache. */
unsigned wan_summary_cache(const struct wan_view *view,
			   char lines[WAN_SUMMARY_CACHE_LINES][WAN_SUMMARY_CACHE_BYTES]);

#endif
