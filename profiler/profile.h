/* SPDX-License-Identifier: MIT */
/* Making a profiler (the wiring does), and what op.c and profile.c share. */
#ifndef WAN_PROFILER_PROFILE_H
#define WAN_PROFILER_PROFILE_H

#include "analysis.h"
#include "lock.h"
#include "wan/profile.h"
#include "writer.h"

#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WAN_OP_NAME_WIDE 1
#include <emmintrin.h>
#endif

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
	const void *pointer; /* release, last: text and id never change again; NULL: free */
	uint16_t id;         /* in the recording */
	uint16_t off;        /* atomic: its category is not recorded */
	uint32_t mask; /* a bit for each byte of the text and its end; 0: more than 32, or off */
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

/* Which categories are recorded. Fixed once made. */
struct wan_categories;

/* Name of the event that says where profiling was started: no action of the memory manager. */
#define WAN_PROFILE_MARKER "profile_start"

struct wan_profile {
	/* read at every operation */
	uint32_t active; /* atomic; first: wan/profile.h looks at it without a call */
	bool cpu;
	uint64_t large_ticks; /* spans at least this long are worth the CPU clock; cpu off: none */
	struct wan_recorder *recorder;
	const struct wan_record_share *share; /* preloaded library of this process, or NULL */
	const struct wan_config *config;
	struct wan_op_name names[WAN_OP_NAMES];
	const struct wan_categories *categories; /* atomic; NULL: all */

	struct wan_mutex lock;     /* rank WAN_RANK_PROFILE */
	bool started;              /* lock: by wan_profile_start() */
	struct wan_period *period; /* lock: the stretch that results are about */
};

/* Not an id: the category of the name is off. */
#define WAN_OP_NAME_OFF UINT16_MAX
/* Id in the recording; 0: no room; WAN_OP_NAME_OFF. */
uint16_t wan_op_name_id(struct wan_profile *profile, const char *name);
/* Ends them all; nobody uses the profile any more. */
void wan_categories_destroy(const struct wan_categories *categories);

static inline struct wan_op_name *wan_op_name_slot(struct wan_profile *profile, const char *name)
{
	uint64_t mixed = (uint64_t)(uintptr_t)name * 0x9e3779b97f4a7c15u;
	return &profile->names[(size_t)(mixed >> 57) & (WAN_OP_NAMES - 1)];
}

/*
 * Without a call: the id, or 0 when wan_op_name_id() has to look. A name of up to 31 bytes is
 * compared in two wide loads, which may read behind its end, but never into another page; bytes
 * behind the end do not count.
 */
static inline uint16_t wan_op_name_quick(struct wan_profile *profile, const char *name)
{
#ifdef WAN_OP_NAME_WIDE
	const struct wan_op_name *entry = wan_op_name_slot(profile, name);
	/* pairs with add() in names.c: id and text are whole */
	if (wan_load_acquire(&entry->pointer) != (const void *)name ||
	    ((uintptr_t)name & 4095) > 4096 - 32)
		return 0;
	const __m128i *given = (const void *)name, *text = (const void *)entry->text;
	uint32_t same = (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_loadu_si128(given), _mm_loadu_si128(text)));
	same |= (uint32_t)_mm_movemask_epi8(
			_mm_cmpeq_epi8(_mm_loadu_si128(given + 1), _mm_loadu_si128(text + 1)))
		<< 16;
	uint32_t mask = wan_load_relaxed(&entry->mask);
	return mask && (same & mask) == mask ? entry->id : 0;
#else
	return 0;
#endif
}

#endif
