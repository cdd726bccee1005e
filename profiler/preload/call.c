/* SPDX-License-Identifier: MIT */
/* One call of a hook on an object: who calls, what is nested, which rows are timed. */
#include "operation.h"

#include "audit_link.h"
#include "clock.h"
#include "touch.h"

/* Deeper on the stack by less than this: the library calls the guest back, who calls us. */
#define CALLBACK_STACK_BYTES (256u * 1024)

/*
 * Untimed row calls between two timed ones: one in every 16, 8 or 4 is timed, each time at another
 * place, so that a decoder that does its work in every 8th or 16th row is timed at all of them
 * equally often. Position of the n-th: step * n + (n / (16 / step)) * 5 mod step.
 */
#define POSITION(step, n) ((step) * (n) + (n) / (16 / (step)) * 5 % (step))
#define GAP(step, n)      (POSITION(step, (n) + 1) - POSITION(step, n) - 1)
#define GAPS_4(step, n)   GAP(step, n), GAP(step, n + 1), GAP(step, n + 2), GAP(step, n + 3)
#define GAPS(step)                                                                                 \
	{                                                                                          \
		GAPS_4(step, 0), GAPS_4(step, 4), GAPS_4(step, 8), GAPS_4(step, 12)                \
	}
static const uint8_t gaps[3][16] = {GAPS(16), GAPS(8), GAPS(4)};

/*
 * An outer call that never came back leaves its frame behind. Calls of the library on itself are
 * told by their return address before; a guest's call from below the frame is a callback's.
 */
static bool enter_frame(struct wan_object *object, uintptr_t frame)
{
	uintptr_t outer = object->frame;
	if (outer) {
		if (frame < outer && outer - frame < CALLBACK_STACK_BYTES &&
		    (!object->lane || wan_object_is_ours(object)))
			return false;
		object->failed = true;
	}
	object->frame = frame;
	return true;
}

void wan_call_find(struct wan_call *call, const void *address, enum wan_family family,
		   enum wan_symbol symbol, const void *return_address, uintptr_t frame)
{
	struct wan_object *object = wan_object_find(address);
	call->object = NULL;
	call->outer = false;
	call->frame = frame;
	if (object && object->codec->family == family) {
		call->codec = object->codec;
		wan_audited = 0; /* the object knows better */
		if (!wan_codec_is_inner(call->codec, return_address))
			call->object = object;
	} else {
		call->codec = wan_codec_for(family, symbol, return_address);
	}
	wan_codec_calling = call->codec;
}

void wan_call_enter(struct wan_call *call)
{
	struct wan_object *object = call->object;
	if (!object)
		return;
	if (object->lane && !wan_object_is_ours(object))
		wan_touch_enter(object);
	call->outer = enter_frame(object, call->frame);
	call->start_ticks = wan_ticks();
	if (call->outer)
		object->entered_ticks = call->start_ticks;
}

void wan_call_leave(struct wan_call *call)
{
	struct wan_object *object = call->object;
	if (!object || !call->outer)
		return;
	object->used_ticks = wan_ticks();
	object->call_ticks += object->used_ticks - call->start_ticks;
	object->frame = 0;
	object->entered_ticks = 0;
	wan_touch_leave(object);
}

/* The first row, one that cannot be judged at a glance, one of an unknown object. */
__attribute__((noinline)) static void row_enter_far(struct wan_call *call, const void *address,
						    enum wan_family family, enum wan_symbol symbol,
						    const void *return_address, uintptr_t frame)
{
	wan_call_find(call, address, family, symbol, return_address, frame);
	struct wan_object *object = call->object;
	if (!object)
		return;
	if (object->phase == WAN_PHASE_IDLE) {
		object->row_wait = INT32_MAX;
		call->object = NULL;
		return;
	}
	/* The short way does not look for objects that had to give way to another. */
	bool displaced = object != wan_object_find_near(address);
	if (displaced && !object->frame && --object->row_wait >= 0) {
		call->object = NULL;
		return;
	}
	wan_call_enter(call);
}

void wan_row_enter(struct wan_call *call, const void *address, enum wan_family family,
		   enum wan_symbol symbol, const void *return_address, uintptr_t frame)
{
	struct wan_object *object = wan_object_find_near(address);
	if (wan_unlikely(!object) || wan_unlikely(object->frame) ||
	    wan_unlikely(!object->row_begun) || wan_unlikely(object->lane != wan_lane_current)) {
		row_enter_far(call, address, family, symbol, return_address, frame);
		return;
	}
	call->codec = object->codec;
	call->object = object;
	call->outer = true;
	object->frame = frame;
	call->start_ticks = object->entered_ticks = wan_ticks();
}

/* This call counts as timed. */
static void row_timed(struct wan_object *object, uint64_t ticks)
{
	if (!object->row_begun) {
		/* The first row may set the decoder up: priced by itself. */
		object->row_begun = true;
		object->call_ticks += ticks;
		object->row_gap = 0;
		return;
	}
	object->row_ticks += ticks;
	object->row_calls += object->row_gap + 1;
	object->row_gap = gaps[object->row_rate][object->row_block++ & 15];
}

void wan_row_leave(struct wan_call *call, uint32_t rows_left)
{
	struct wan_object *object = call->object;
	if (!object || !call->outer)
		return;
	uint64_t now = wan_ticks();
	object->used_ticks = now;
	object->frame = 0;
	object->entered_ticks = 0;
	if (wan_unlikely(object->many_threads))
		wan_touch_leave(object);
	if (object->row_wait >= 0)
		return; /* came the long way for another reason */
	row_timed(object, now - call->start_ticks);
	if (rows_left && object->row_gap >= rows_left)
		object->row_gap = rows_left - 1;
	object->row_wait = (int32_t)object->row_gap;
}

const struct wan_codec *wan_create_codec(enum wan_family family, enum wan_symbol symbol,
					 const void *return_address, bool *ret_inner)
{
	const struct wan_codec *codec = wan_codec_for(family, symbol, return_address);
	*ret_inner = codec && wan_codec_is_inner(codec, return_address);
	wan_codec_calling = codec;
	return codec;
}
