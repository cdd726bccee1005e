/* SPDX-License-Identifier: MIT */
#include "object_state.h"

#include <string.h>

#include "clock.h"
#include "operation.h"

/* A slot that is being filled or taken away: no object lives at this address. */
#define BUSY ((uintptr_t)1)

uintptr_t wan_object_keys[WAN_OBJECTS] = {[0] = BUSY};
struct wan_object wan_objects[WAN_OBJECTS];

struct wan_object *wan_object_find_far(const void *address)
{
	unsigned home = wan_object_home(address);
	if (!address)
		return NULL;
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++) {
		unsigned at = (home + i) % WAN_OBJECTS;
		if (wan_load_acquire(&wan_object_keys[at]) == (uintptr_t)address)
			return &wan_objects[at];
	}
	return NULL;
}

static struct wan_object *claim_free(unsigned home)
{
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++) {
		unsigned at = (home + i) % WAN_OBJECTS;
		uintptr_t expected = 0;
		if (wan_load_relaxed(&wan_object_keys[at]) == 0 &&
		    wan_cas_acq_rel(&wan_object_keys[at], &expected, BUSY))
			return &wan_objects[at];
	}
	return NULL;
}

/*
 * Inside a call of another thread. One of this thread's was left by longjmp, or we are in a
 * callback of it: then its record says "failed", and its call still comes back to where it came
 * from.
 */
static bool is_busy(const struct wan_object *object)
{
	const struct wan_lane *lane = object->lane;
	return wan_load_relaxed(&object->frame) && lane && lane != wan_lane_current &&
	       lane->recorder;
}

/* The window is full of objects the guest never destroyed: take the one that rested longest. */
static struct wan_object *claim_oldest(unsigned home)
{
	struct wan_object *oldest = NULL;
	uintptr_t key = 0;
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++) {
		unsigned at = (home + i) % WAN_OBJECTS;
		struct wan_object *object = &wan_objects[at];
		uintptr_t seen = wan_load_acquire(&wan_object_keys[at]);
		if (seen == 0 || seen == BUSY || is_busy(object))
			continue;
		if (!oldest || object->used_ticks < oldest->used_ticks)
			oldest = object, key = seen;
	}
	if (!oldest || !wan_cas_acq_rel(&wan_object_keys[oldest - wan_objects], &key, BUSY))
		return NULL;
	/* It may still be waiting for its next rows; only what is over is recorded. */
	wan_operation_close(oldest,
			    oldest->frame || oldest->complete ? WAN_END_STOPPED : WAN_END_DROPPED);
	return oldest;
}

static void init(struct wan_object *object, enum wan_object_kind kind,
		 const struct wan_codec *codec)
{
	memset(object, 0, sizeof(*object));
	object->codec = codec;
	object->kind = (uint8_t)kind;
	object->fd = -1;
	object->file_bytes = UINT64_MAX;
}

void wan_object_init_call(struct wan_object *object, const struct wan_codec *codec)
{
	init(object, WAN_OBJECT_CALL, codec);
}

struct wan_object *wan_object_bind(const void *address, enum wan_object_kind kind,
				   const struct wan_codec *codec)
{
	unsigned home = wan_object_home(address);
	struct wan_object *object = wan_object_find(address);
	if (object) { /* never destroyed, and its memory serves the next one */
		wan_operation_close(object, WAN_END_STOPPED);
		wan_store_release(&wan_object_keys[object - wan_objects], BUSY);
	} else {
		object = claim_free(home);
	}
	if (!object)
		object = claim_oldest(home);
	if (!object)
		return NULL;
	uint32_t serial = object->serial;
	init(object, kind, codec);
	object->serial = serial;
	object->used_ticks = wan_ticks();
	wan_store_release(&wan_object_keys[object - wan_objects], (uintptr_t)address);
	return object;
}

void wan_object_release(struct wan_object *object, const void *address)
{
	uintptr_t expected = (uintptr_t)address;
	wan_cas_acq_rel(&wan_object_keys[object - wan_objects], &expected, 0);
}

const void *wan_object_address(const struct wan_object *object)
{
	return (const void *)wan_load_relaxed(&wan_object_keys[object - wan_objects]);
}

void wan_object_forget_all(void)
{
	for (unsigned i = 1; i < WAN_OBJECTS; i++) {
		if (wan_load_relaxed(&wan_object_keys[i]) == 0)
			continue;
		wan_objects[i].phase = WAN_PHASE_IDLE;
		wan_objects[i].lane = NULL;
		wan_objects[i].inflight = NULL;
		wan_objects[i].peer = NULL;
	}
}

unsigned wan_object_count(void)
{
	unsigned count = 0;
	for (unsigned i = 1; i < WAN_OBJECTS; i++)
		count += wan_load_relaxed(&wan_object_keys[i]) != 0;
	return count;
}
