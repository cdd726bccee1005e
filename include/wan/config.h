/* SPDX-License-Identifier: MIT */
/** Configuration: keys as text, see wanprof-config(1) for the table. */
#ifndef WAN_CONFIG_H
#define WAN_CONFIG_H

#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One key set from code; wins over environment and files. */
struct wan_setting {
	const char *key;   /**< "cache.limit" */
	const char *value; /**< "256M" */
};

#ifdef __cplusplus
}
#endif
#endif
