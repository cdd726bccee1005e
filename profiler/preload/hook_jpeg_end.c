/* SPDX-License-Identifier: MIT */
/*
 * libjpeg, the ends that serve both directions. Destroying closes whatever is open, even when the
 * library itself calls it from inside a call that failed (its default error handler does). The
 * state is kept until the real function is back, which may call its sister through our hook.
 */
#include "hook.h"

#include <stdio.h>
#include <jpeglib.h>

#include "clock.h"
#include "transform.h"

#define FAMILY WAN_FAMILY_JPEG

bool wan_transform_join(struct wan_object *writer)
{
	struct wan_object *newest = NULL;
	for (unsigned i = 0; i < WAN_OBJECTS; i++) {
		struct wan_object *object = &wan_objects[i];
		if (wan_load_relaxed(&wan_object_keys[i]) == 0 || !wan_lane_current ||
		    object->lane != wan_lane_current || object->phase != WAN_PHASE_RUNNING ||
		    object->kind != WAN_OBJECT_JPEG_READER || !(object->flags & WAN_FLAG_LOSSLESS))
			continue;
		if (!newest || newest->start_ticks < object->start_ticks)
			newest = object;
	}
	if (!newest)
		return false;
	writer->peer = newest;
	writer->peer_serial = newest->serial;
	writer->call_ticks = 0;
	return true;
}

void wan_transform_give(struct wan_object *writer)
{
	struct wan_object *reader = writer->peer;
	if (reader && reader->phase == WAN_PHASE_RUNNING && reader->serial == writer->peer_serial) {
		reader->call_ticks += writer->call_ticks;
		writer->call_ticks = 0;
	}
}

/* A header that never came: its size counts only if this attempt has read it. */
static void note_failed_header(struct wan_object *object, j_common_ptr cinfo)
{
	if (object->kind != WAN_OBJECT_JPEG_READER || object->phase != WAN_PHASE_HEADER ||
	    !object->frame || object->width_before)
		return;
	j_decompress_ptr reader = (j_decompress_ptr)cinfo;
	wan_operation_size(object, reader->image_width, reader->image_height,
			   (unsigned)reader->num_components, (unsigned)reader->data_precision);
}

static void close_object(struct wan_call *call, j_common_ptr cinfo)
{
	/* Also when the library calls: call->object is NULL then. */
	struct wan_object *object = wan_object_find(cinfo);
	if (!object || object->codec->family != FAMILY)
		return;
	note_failed_header(object, cinfo);
	wan_operation_close(object, WAN_END_STOPPED);
	call->object = object;
}

/* An abort from inside the library is the tail of its finish, which concludes by itself. */
static void abort_object(struct wan_call *call, j_common_ptr cinfo)
{
	if (call->object)
		close_object(call, cinfo);
}

#define DESTROY_HOOK(name, type)                                                                   \
	WAN_EXPORT void name(type cinfo)                                                           \
	{                                                                                          \
		struct wan_call call;                                                              \
		WAN_FIND(call, cinfo, FAMILY, name);                                               \
		close_object(&call, (j_common_ptr)cinfo);                                          \
		if (wan_real(call, name))                                                          \
			wan_real(call, name)(cinfo);                                               \
		if (call.object)                                                                   \
			wan_object_release(call.object, cinfo);                                    \
	}

#define ABORT_HOOK(name, type)                                                                     \
	WAN_EXPORT void name(type cinfo)                                                           \
	{                                                                                          \
		struct wan_call call;                                                              \
		WAN_FIND(call, cinfo, FAMILY, name);                                               \
		abort_object(&call, (j_common_ptr)cinfo);                                          \
		if (wan_real(call, name))                                                          \
			wan_real(call, name)(cinfo);                                               \
	}

DESTROY_HOOK(jpeg_destroy_decompress, j_decompress_ptr)
DESTROY_HOOK(jpeg_destroy_compress, j_compress_ptr)
DESTROY_HOOK(jpeg_destroy, j_common_ptr)
ABORT_HOOK(jpeg_abort_decompress, j_decompress_ptr)
ABORT_HOOK(jpeg_abort_compress, j_compress_ptr)
ABORT_HOOK(jpeg_abort, j_common_ptr)
