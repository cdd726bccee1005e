/* SPDX-License-Identifier: MIT */
/* Percentages, remaining time. Pure. */
#ifndef WAN_PROGRESS_ETA_H
#define WAN_PROGRESS_ETA_H

#include <stdint.h>

/* done of total, 0 to 100; 0 when total is unknown (0). */
double wan_eta_percent(uint64_t done, uint64_t total);
/* elapsed * (total - done) / done; UINT64_MAX: unknown (no total, or nothing done yet). */
uint64_t wan_eta_ns(uint64_t elapsed_ns, uint64_t done, uint64_t total);

#endif
