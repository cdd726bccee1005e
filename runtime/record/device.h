/* SPDX-License-Identifier: MIT */
/* What the recording that this process writes knows of devices: a wait under way, work done. */
#ifndef WAN_RECORD_DEVICE_H
#define WAN_RECORD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "writer.h"

/* Names of the operations in which a thread waits for a device begin so. */
#define WAN_DEVICE_WAIT "cuda.synchronize"

struct wan_device_look {
	uint64_t wait_ns;    /* that thread is in one wait so long; 0: in none */
	uint64_t known_done; /* by all devices; valid if known */
	bool known;          /* a device was used, and its calls are seen */
};

/* thread 0: of any. Threads: any; others go on recording. Cost: a few microseconds, no lock. */
void wan_recorder_look_at_device(struct wan_recorder *recorder, uint32_t thread,
				 struct wan_device_look *ret_look);

#endif
