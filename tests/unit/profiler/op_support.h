/* SPDX-License-Identifier: MIT */
/* Operations through a real recorder in memory, read back through the reader. */
#ifndef WAN_TESTS_OP_SUPPORT_H
#define WAN_TESTS_OP_SUPPORT_H

#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "profile.h"
#include "tap.h"

static struct wan_config config;
static struct wan_recorder *recorder;
static struct wan_profile *profile;
static struct wan_recording *recording;
static const struct wan_process *process;

static inline void begin(bool active)
{
	wan_config_defaults(&config);
	CHECK_EQ(wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_profile_options options = {.struct_size = sizeof(options),
					      .config = &config,
					      .recorder = recorder,
					      .active = active};
	CHECK_EQ(wan_profile_create(&options, &profile), 0);
}

static inline void look(void)
{
	void *copy = NULL;
	size_t bytes = 0;
	wan_recording_close(recording);
	recording = NULL;
	process = NULL;
	CHECK_EQ(wan_recorder_snapshot(recorder, &copy, &bytes), 0);
	CHECK_EQ(wan_recording_open_memory(copy, bytes, &recording, NULL), 0);
	wan_free(copy);
	process = wan_recording_process(recording, 0);
}

static inline void end(void)
{
	wan_recording_close(recording);
	recording = NULL;
	wan_profile_destroy(profile);
	wan_recorder_destroy(recorder);
}

static inline void spin_ms(double ms)
{
	uint64_t until = wan_now_ns() + (uint64_t)(ms * 1e6);
	while (wan_now_ns() < until)
		;
}

static inline void sleep_ms(long ms)
{
	struct timespec time = {.tv_nsec = ms * 1000000};
	nanosleep(&time, NULL);
}

#endif
