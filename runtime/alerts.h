/* SPDX-License-Identifier: MIT */
/* What the progress monitor's alerts and samples lead to. context is the runtime. */
#ifndef WAN_RUNTIME_ALERTS_H
#define WAN_RUNTIME_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/progress.h"

struct wan_evidence;
struct wan_runtime;

void wan_alerts_record(void *context, const struct wan_alert *alert);
/* High memory lowers the cache limit, high latency the entry limit (both grow back), unless
 * runtime.auto_optimize is off; the alert then says so, or what the memory manager has done. */
void wan_alerts_act(void *context, struct wan_alert *alert);
/* What the recording and NVML know of devices. */
void wan_alerts_look_at_device(void *context, uint32_t thread, struct wan_evidence *evidence);
void wan_alerts_sampled(void *context, const struct wan_progress_sample *sample);
/* Whether the alert that lowered the cache limit, if any, is over. */
bool wan_alerts_let_grow(void *context);
/* One step of the entry limit back, when it is time. By the watching thread. */
void wan_alerts_recover(struct wan_runtime *runtime);

#endif
