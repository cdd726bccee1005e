/* SPDX-License-Identifier: MIT */
/*
 * What is known of each codec object of the guest, keyed by its address: rows of one object may
 * come from several threads, and most hostile files leave the library by longjmp, so nothing is
 * kept on the stack or per thread. A fixed table, no lock: an object is used by one thread at a
 * time, which is the guest's own duty towards the library.
 */
#ifndef WAN_PRELOAD_OBJECT_STATE_H
#define WAN_PRELOAD_OBJECT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"
#include "macros.h"
#include "resolve.h"
#include "writer.h"

enum wan_object_kind {
	WAN_OBJECT_JPEG_READER,
	WAN_OBJECT_JPEG_WRITER,
	WAN_OBJECT_PNG_READER,
	WAN_OBJECT_PNG_WRITER,
	WAN_OBJECT_PNG_IMAGE, /* simplified interface */
	WAN_OBJECT_PILLOW_READER,
	WAN_OBJECT_PILLOW_WRITER,
	WAN_OBJECT_AVCODEC_READER,
	WAN_OBJECT_AVCODEC_WRITER,
	WAN_OBJECT_PILLOW_FEED, /* knows the file of what libjpeg's hooks see */
	WAN_OBJECT_CALL,        /* one call is the operation; lives on the hook's stack */
};

enum wan_phase {
	WAN_PHASE_IDLE,
	WAN_PHASE_HEADER,  /* header asked for: a probe until more is asked */
	WAN_PHASE_RUNNING, /* an operation that will be recorded */
};

struct __attribute__((aligned(64))) wan_object {
	/* What a row hook needs, one cache line. */
	const struct wan_codec *codec;
	uintptr_t frame;    /* of the outermost call under way; left behind by a longjmp */
	int32_t row_wait;   /* row calls until the next timed one */
	uint32_t row_block; /* timed calls so far */
	uint32_t row_calls; /* up to the last timed one */
	uint32_t row_gap;   /* row_wait was set to this */
	bool row_begun;
	uint8_t row_rate;      /* 0, 1, 2: one call in 16, 8, 4 is timed */
	uint64_t row_ticks;    /* of the timed ones */
	uint64_t call_ticks;   /* of all other calls */
	struct wan_lane *lane; /* of the thread that began the operation */
	struct wan_record_inflight *inflight;

	uint8_t kind, phase;
	bool complete; /* all rows are through */
	bool failed;   /* a call never came back, or said so */
	bool asked;    /* for rows, or whatever the image is made of */
	bool cpu_known, memory_known, many_threads;
	uint8_t layout; /* of a libjpeg object, see jpeg_layout.h */
	uint8_t channels, bit_depth, library;
	bool threaded; /* worked on by threads that no hook sees */
	bool foreign;  /* began inside an operation of a linked runtime */
	uint16_t flags, name, file;
	int32_t fd;      /* SOURCE said so; -1: none */
	uint32_t thread; /* that began; its lane may have passed to another since */
	uint32_t serial; /* goes up with each operation of this slot */
	uint32_t width_px, height_px;
	uint32_t width_before; /* what the object said before the header was read */
	uint32_t peer_serial;
	uint32_t set_width_px, set_height_px; /* png_set_IHDR */
	uint16_t set_flags;
	uint8_t set_channels, set_depth;
	uint8_t picture;         /* enum wan_picture: libavcodec has one interface for all */
	uint16_t waiting;        /* pictures that went in and did not come out yet */
	struct wan_object *peer; /* transform: the reading side carries the operation */
	uint64_t start_ticks, cpu_ns;
	uint64_t file_bytes; /* UINT64_MAX: unknown */
	/* Absolute: bytes allocated minus freed by the thread that began; net: when it last left.
	 */
	int64_t memory_start, memory_peak, memory_net;
	uint64_t used_ticks;
	uint64_t entered_ticks; /* of the timed call under way */
	uint64_t warnings;
	const void *info;                           /* png_infop */
	const unsigned long *outsize;               /* jpeg_mem_dest */
	uint64_t identity;                          /* of the input; 0: not known */
	uint32_t output_width_px, output_height_px; /* what a scaled decode gives; 0: not scaled */
};

enum {
	WAN_OBJECTS = 2048,
	WAN_OBJECT_WINDOW = 16,
	WAN_OBJECT_SHIFT = 32 - 11,
};
_Static_assert(sizeof(struct wan_object) == 256, "an index is a shift");
/* 0: free. The slot of NULL is never free, so NULL is never found. */
extern uintptr_t wan_object_keys[WAN_OBJECTS];
extern struct wan_object wan_objects[WAN_OBJECTS];

/* The calling thread is the one that began the operation. */
static inline bool wan_object_is_ours(const struct wan_object *object)
{
	return object->lane && object->lane == wan_lane_current &&
	       object->lane->thread == object->thread;
}

struct wan_object *wan_object_find_far(const void *address);

static inline unsigned wan_object_home(const void *address)
{
	return (uint32_t)(uintptr_t)address * 0x9e3779b1u >> WAN_OBJECT_SHIFT;
}

/* The state of an object if it lies where it should, which is the rule; else NULL. */
static inline struct wan_object *wan_object_find_near(const void *address)
{
	unsigned home = wan_object_home(address);
	/* pairs with the release in wan_object_bind() */
	if (wan_likely(wan_load_acquire(&wan_object_keys[home]) == (uintptr_t)address))
		return &wan_objects[home];
	return NULL;
}

/* The state of an object, or NULL when it is not known. */
static inline struct wan_object *wan_object_find(const void *address)
{
	struct wan_object *object = wan_object_find_near(address);
	return wan_likely(object != NULL) ? object : wan_object_find_far(address);
}

/*
 * A fresh state for an object that comes into being at address; whatever was open there must have
 * been closed. NULL: the table is full of objects in use (the object then goes unrecorded).
 */
struct wan_object *wan_object_bind(const void *address, enum wan_object_kind kind,
				   const struct wan_codec *codec);
/* For an operation that is one call: lives on the hook's stack, not in the table. */
void wan_object_init_call(struct wan_object *object, const struct wan_codec *codec);
/* Forget it, if it is still about this address. */
void wan_object_release(struct wan_object *object, const void *address);
/* Address of the guest's object. */
const void *wan_object_address(const struct wan_object *object);
/* Child of a fork: operations under way belong to the parent. */
void wan_object_forget_all(void);
/* Slots in use; for tests. */
unsigned wan_object_count(void);

#endif
