/* SPDX-License-Identifier: MIT */
/* libjpeg, writing. See hook_jpeg_read.c for which fields may be read. */
#include "hook.h"

#include <stdio.h>
#include <jpeglib.h>

#include "jpeg_layout.h"

#include "transform.h"

#define FAMILY WAN_FAMILY_JPEG

WAN_EXPORT void jpeg_CreateCompress(j_compress_ptr cinfo, int version, size_t structsize)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_jpeg_CreateCompress, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, jpeg_CreateCompress)) {
		cinfo->err->error_exit((j_common_ptr)cinfo);
		return;
	}
	if (!inner) {
		struct wan_object *object = wan_object_bind(cinfo, WAN_OBJECT_JPEG_WRITER, codec);
		wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
		if (object)
			object->layout = (uint8_t)wan_jpeg_layout_find(version, 0, structsize);
	}
	WAN_REAL_OF(codec, jpeg_CreateCompress)(cinfo, version, structsize);
}

WAN_EXPORT void jpeg_stdio_dest(j_compress_ptr cinfo, FILE *outfile)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_stdio_dest);
	if (call.object) {
		call.object->fd = outfile ? fileno_unlocked(outfile) : -1;
		call.object->outsize = NULL;
	}
	if (wan_real(call, jpeg_stdio_dest))
		wan_real(call, jpeg_stdio_dest)(cinfo, outfile);
}

WAN_EXPORT void jpeg_mem_dest(j_compress_ptr cinfo, unsigned char **outbuffer,
			      unsigned long *outsize)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_mem_dest);
	if (call.object) {
		call.object->fd = -1;
		call.object->outsize = outsize;
	}
	if (wan_real(call, jpeg_mem_dest))
		wan_real(call, jpeg_mem_dest)(cinfo, outbuffer, outsize);
}

/* Fields behind the leading ones. */
static void note_settings(struct wan_object *object, j_compress_ptr cinfo)
{
	const struct wan_jpeg_layout *layout = wan_jpeg_layout_at(object->layout);
	if (!layout)
		return;
	object->channels = (uint8_t)layout->writer_components(cinfo);
	object->bit_depth = (uint8_t)layout->writer_precision(cinfo);
	if (layout->writer_is_progressive(cinfo))
		object->flags |= WAN_FLAG_PROGRESSIVE;
}

static void begin(struct wan_object *object, j_compress_ptr cinfo, enum wan_operation_name name)
{
	if (object->frame || object->phase != WAN_PHASE_IDLE)
		wan_operation_close(object, WAN_END_STOPPED);
	wan_operation_prepare(object, name);
	if (object->phase == WAN_PHASE_IDLE)
		return;
	wan_operation_size(object, cinfo->image_width, cinfo->image_height,
			   (unsigned)cinfo->input_components, 8);
	wan_operation_run(object, name);
}

WAN_EXPORT void jpeg_start_compress(j_compress_ptr cinfo, boolean write_all_tables)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_start_compress);
	if (!wan_real(call, jpeg_start_compress))
		return;
	if (call.object)
		begin(call.object, cinfo, WAN_NAME_JPEG_ENCODE);
	wan_call_enter(&call);
	wan_real(call, jpeg_start_compress)(cinfo, write_all_tables);
	wan_call_leave(&call);
	if (call.object)
		note_settings(call.object, cinfo);
}

/*
 * The writing half of a lossless transform. It belongs to the operation whose coefficients were
 * read on this thread; alone it is an operation of its own.
 */
WAN_EXPORT void jpeg_write_coefficients(j_compress_ptr cinfo, jvirt_barray_ptr *coef_arrays)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_write_coefficients);
	if (!wan_real(call, jpeg_write_coefficients))
		return;
	struct wan_object *object = call.object;
	if (object && !wan_transform_join(object)) {
		begin(object, cinfo, WAN_NAME_JPEG_TRANSFORM);
		object->channels = 0; /* input_components is not set for coefficients */
		object->flags |= WAN_FLAG_LOSSLESS;
		note_settings(object, cinfo);
	}
	wan_call_enter(&call);
	wan_real(call, jpeg_write_coefficients)(cinfo, coef_arrays);
	wan_call_leave(&call);
	if (object)
		wan_transform_give(object);
}

__attribute__((noinline)) static JDIMENSION long_write_scanlines(j_compress_ptr cinfo,
								 JSAMPARRAY scanlines,
								 JDIMENSION num_lines,
								 const void *caller,
								 uintptr_t frame)
{
	struct wan_call call;
	wan_row_enter(&call, cinfo, FAMILY, WAN_SYMBOL_jpeg_write_scanlines, caller, frame);
	if (!wan_real(call, jpeg_write_scanlines))
		return 0;
	JDIMENSION lines = wan_real(call, jpeg_write_scanlines)(cinfo, scanlines, num_lines);
	wan_row_leave(&call, 0);
	if (call.object)
		wan_operation_rows(call.object, call.object->row_calls);
	return lines;
}

WAN_EXPORT JDIMENSION jpeg_write_scanlines(j_compress_ptr cinfo, JSAMPARRAY scanlines,
					   JDIMENSION num_lines)
{
	struct wan_object *object = wan_row_short(cinfo);
	if (wan_unlikely(!object))
		return long_write_scanlines(cinfo, scanlines, num_lines, WAN_CALLER, WAN_FRAME);
	object->frame = WAN_FRAME_ROW;
	JDIMENSION lines =
		WAN_REAL_OF(object->codec, jpeg_write_scanlines)(cinfo, scanlines, num_lines);
	object->frame = 0;
	return lines;
}

WAN_EXPORT JDIMENSION jpeg_write_raw_data(j_compress_ptr cinfo, JSAMPIMAGE data,
					  JDIMENSION num_lines)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_write_raw_data);
	if (!wan_real(call, jpeg_write_raw_data))
		return 0;
	wan_call_enter(&call);
	JDIMENSION lines = wan_real(call, jpeg_write_raw_data)(cinfo, data, num_lines);
	wan_call_leave(&call);
	return lines;
}

WAN_EXPORT void jpeg_finish_compress(j_compress_ptr cinfo)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_finish_compress);
	if (!wan_real(call, jpeg_finish_compress))
		return;
	struct wan_object *object = call.object;
	wan_call_enter(&call);
	wan_real(call, jpeg_finish_compress)(cinfo);
	wan_call_leave(&call);
	if (!object)
		return;
	wan_transform_give(object);
	if (object->outsize && object->phase == WAN_PHASE_RUNNING)
		object->file_bytes = *object->outsize; /* the library has just stored it */
	wan_operation_close(object, WAN_END_DONE);
}
