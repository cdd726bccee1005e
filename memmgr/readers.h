/* SPDX-License-Identifier: MIT */
/* The readers of host and cgroups, for tools that see several layers: runtime/image/file has a
 * source.h too, and a quoted include finds the one beside this file. */
#ifndef WAN_MEMMGR_READERS_H
#define WAN_MEMMGR_READERS_H

#include "source.h"

#endif
