/* SPDX-License-Identifier: MIT */
#ifndef WAN_RECORD_HISTOGRAM_H
#define WAN_RECORD_HISTOGRAM_H

#include <stdint.h>

/* Bucket of an inside time; see reader.h for edges and percentiles. */
unsigned wan_histogram_bucket(uint64_t ns);

#endif
