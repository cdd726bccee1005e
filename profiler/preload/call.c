/* SPDX-License-Identifier: MIT */
/* One call of a hook on an object: who calls, what is nested, which rows are timed. */
#include "operation.h"

#include "clock.h"

/* Deeper on the stack by less than this: the library calls the guest back, who calls us. */
#define CALLBACK_STACK_BYTES (256u * 1024)

/* Positions of timed row calls: one in every `step`, each time at another place, so that a decoder
 * that does its work in every 8th or 16th row is timed at all of them equally often. */
static uint32_t row_position(uint32_t block, uint32_t step)
{
	uint32_t round = block / (16 / step);
	return block * step + round * 5 % step;
}

/*
 * An outer call that never came back leaves its frame behind. Calls of the library on itself are
 * told by their return address before; a guest's call from below the frame is a callback's.
 */
static bool enter_frame(struct wan_object *object, uintptr_t frame)
{
	uintptr_t outer = object->frame;
	if (outer) {
		if (frame < outer && outer - frame < CALLBACK_STACK_BYTES &&
		    wan_lane_current == object->lane)
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
	if (object->lane && wan_lane_current != object->lane)
		object->many_threads = true;
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
}

void wan_row_enter(struct wan_call *call, const void *address, enum wan_family family,
		   enum wan_symbol symbol, const void *return_address, uintptr_t frame)
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
	wan_call_enter(call);
}

void wan_row_leave(struct wan_call *call)
{
	struct wan_object *object = call->object;
	if (!object || !call->outer)
		return;
	uint64_t now = wan_ticks(), ticks = now - call->start_ticks;
	object->used_ticks = now;
	object->frame = 0;
	object->entered_ticks = 0;
	if (object->row_wait >= 0)
		return; /* came the long way for another reason */
	if (!object->row_begun) {
		/* The first row may set the decoder up: priced by itself. */
		object->row_begun = true;
		object->call_ticks += ticks;
		object->row_gap = row_position(0, object->row_step);
	} else {
		uint32_t block = object->row_block++;
		object->row_ticks += ticks;
		object->row_calls += object->row_gap + 1;
		object->row_gap = row_position(block + 1, object->row_step) -
				  row_position(block, object->row_step) - 1;
	}
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
