/* SPDX-License-Identifier: MIT */
/* Making a profiler (the wiring does), and what op.c and profile.c share. */
#ifndef WAN_PROFILER_PROFILE_H
#define WAN_PROFILER_PROFILE_H

#include "analysis.h"
#include "lock.h"
#include "wan/profile.h"
#include "writer.h"

struct wan_profile_options {
	size_t struct_size;
	const struct wan_config *config; /* borrowed, outlives the profile */
	struct wan_recorder *recorder;   /* borrowed, outlives the profile */
	bool active;                     /* record from the beginning, without a start */
	bool no_cpu;                     /* never read the thread CPU clock */
};
/* 0, -ENOMEM, -EINVAL. */
int wan_profile_create(const struct wan_profile_options *options, struct wan_profile **ret_profile);
/* Operations still open are forgotten. NULL is fine. */
void wan_profile_destroy(struct wan_profile *profile);

/* Begin as a library: enum wan_record_library; what the runtime does is WAN_LIBRARY_WANRT. */
void wan_op_begin_as(struct wan_profile *profile, struct wan_op *op, const char *name,
		     uint8_t library, bool large);

/* Id of a name in the recording; most names are found without hashing. */
#define WAN_OP_NAMES      128 /* power of two */
#define WAN_OP_NAME_BYTES 64
struct wan_op_name {
	const void *pointer; /* release, last: the entry never changes again; NULL: free */
	uint16_t id;
	char text[WAN_OP_NAME_BYTES];
};

/* One stretch of the recording. Fixed once made; whoever reads it holds a reference. */
struct wan_period {
	uint32_t references;            /* atomic */
	struct wan_period *before;      /* stopped: the running one, which has the baseline */
	struct wan_recording *baseline; /* the recording at its start; NULL: from the beginning */
	struct wan_recording *final;    /* at its stop; NULL: still going on */
	uint64_t since_ns, marker;      /* start, and what marks it among the records */
};

struct wan_profile {
	/* read at every operation */
	uint32_t active; /* atomic */
	bool cpu;
	uint64_t large_ticks; /* spans at least this long are worth the CPU clock */
	struct wan_recorder *recorder;
	const struct wan_record_share *share; /* preloaded library of this process, or NULL */
	const struct wan_config *config;
	struct wan_op_name names[WAN_OP_NAMES];

	struct wan_mutex lock;     /* rank WAN_RANK_PROFILE */
	bool started;              /* lock: by wan_profile_start() */
	struct wan_period *period; /* lock: the stretch that results are about */
};

uint16_t wan_op_name_id(struct wan_profile *profile, const char *name);

#endif
