/* SPDX-License-Identifier: MIT */
/*
 * From calls to operations. An object is prepared when its header is asked for, runs when the image
 * is worked on, and is closed by the end, by an abort, by its destruction or by its address being
 * used again; only the last two are sure to come. All of it keeps errno.
 */
#ifndef WAN_PRELOAD_OPERATION_H
#define WAN_PRELOAD_OPERATION_H

#include "object_state.h"
#include "preload.h"

enum wan_end {
	WAN_END_DONE,    /* the library was told that the image is complete */
	WAN_END_STOPPED, /* aborted, destroyed, or used again */
	WAN_END_DROPPED, /* not known what became of it: nothing is recorded */
};

/* Images below this are done in 0.8 ms, of which two reads of the CPU clock would be 0.1 %. */
#define WAN_CPU_CLOCK_PX 131072u

/* The header is asked for: what is spent from here on counts if an operation comes of it. */
void wan_operation_prepare(struct wan_object *object, enum wan_operation_name name);
/* The header is read and nothing else asked: a probe must not show as in flight. */
void wan_operation_rest(struct wan_object *object);
/* The image is worked on; size is known if it ever will be before the rows. */
void wan_operation_run(struct wan_object *object, enum wan_operation_name name);
void wan_operation_close(struct wan_object *object, enum wan_end end);
void wan_operation_size(struct wan_object *object, uint32_t width_px, uint32_t height_px,
			unsigned channels, unsigned bit_depth);
/* What the bytes that this thread hands to a codec come from or go to, where the program gives the
 * codec no file but bytes; NULL. Set around such calls by who knows. */
extern __thread const struct wan_object *wan_operation_source
	__attribute__((tls_model("initial-exec")));
/* Name and size of the regular file behind a descriptor; encode: its size is not final. */
void wan_operation_file(struct wan_object *object, int fd, bool size_is_final);
/* Rows so far, for a reader of a process that never came back. */
void wan_operation_rows(struct wan_object *object, uint32_t rows_done);
/* Child of a fork. */
void wan_operation_after_fork(void);

/* A call on an object, from the entry of a hook to its return, if it does return. */
struct wan_call {
	const struct wan_codec *codec; /* NULL: unresolved */
	struct wan_object *object;     /* NULL: pass on only */
	uint64_t start_ticks;
	uintptr_t frame;
	bool outer; /* not inside another call on the same object */
};

/* object->frame during a row: no call of the program's comes from inside one but a failing one. */
#define WAN_FRAME_ROW ((uintptr_t)1)
#define WAN_CALLER    __builtin_return_address(0)
#define WAN_FRAME     ((uintptr_t)__builtin_frame_address(0))

/* Finds object and codec. Calls that the library makes on itself get no object. */
void wan_call_find(struct wan_call *call, const void *address, enum wan_family family,
		   enum wan_symbol symbol, const void *return_address, uintptr_t frame);
/* Around the real function. */
void wan_call_enter(struct wan_call *call);
void wan_call_leave(struct wan_call *call);

/* Around the real function of a row that cannot take the short way: the first, a timed one, one
 * inside another call, one of an unknown object. */
void wan_row_enter(struct wan_call *call, const void *address, enum wan_family family,
		   enum wan_symbol symbol, const void *return_address, uintptr_t frame);
/* rows_left: calls that can still come for this image; the last one is looked at. */
void wan_row_leave(struct wan_call *call, uint32_t rows_left);

/* The short way of a row hook: NULL when it has to be the long one. */
static inline struct wan_object *wan_row_short(const void *address)
{
	struct wan_object *object = wan_object_find_near(address);
	if (wan_unlikely(!object) || wan_unlikely(object->frame) ||
	    wan_unlikely(--object->row_wait < 0))
		return NULL;
	return object;
}

/* Creation: binds the object to the codec that the caller means. */
const struct wan_codec *wan_create_codec(enum wan_family family, enum wan_symbol symbol,
					 const void *return_address, bool *ret_inner);

#endif
