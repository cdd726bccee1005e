/* SPDX-License-Identifier: MIT */
/*
 * libjpeg, reading. The leading fields of the object, which have not moved between the 6.2, 7 and 8
 * interfaces, are read as they are, the others by the layout that the program has named.
 */
#include "hook.h"

#include <stdio.h>
#include <jpeglib.h>

#include "jpeg_layout.h"

#include "identity_mark.h"

#define FAMILY WAN_FAMILY_JPEG

/* Precision is the last field that all interfaces have at one place; progressive_mode follows an
 * insertion of version 8. */
static void note_header(struct wan_object *object, j_decompress_ptr cinfo)
{
	wan_operation_size(object, cinfo->image_width, cinfo->image_height,
			   (unsigned)cinfo->num_components, (unsigned)cinfo->data_precision);
	const struct wan_jpeg_layout *layout = wan_jpeg_layout_at(object->layout);
	if (layout && layout->reader_is_progressive(cinfo))
		object->flags |= WAN_FLAG_PROGRESSIVE;
}

/* The error manager is the guest's and may be gone when the object is destroyed: looked at here. */
static void note_warnings(struct wan_object *object, j_decompress_ptr cinfo)
{
	object->warnings = (uint64_t)cinfo->err->num_warnings;
}

static void note_rows(struct wan_object *object, j_decompress_ptr cinfo)
{
	if (cinfo->output_scanline >= cinfo->output_height && cinfo->output_height) {
		object->complete = true;
		note_warnings(object, cinfo);
	}
}

static void begin(struct wan_object *object, j_decompress_ptr cinfo, enum wan_operation_name name)
{
	if (object->phase == WAN_PHASE_RUNNING)
		return;
	wan_operation_run(object, name);
	if (object->phase == WAN_PHASE_RUNNING && !object->width_px)
		note_header(object, cinfo);
}

WAN_EXPORT void jpeg_CreateDecompress(j_decompress_ptr cinfo, int version, size_t structsize)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_jpeg_CreateDecompress, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, jpeg_CreateDecompress)) {
		/* Nothing can be created: tell the program as the library would. */
		cinfo->err->error_exit((j_common_ptr)cinfo);
		return;
	}
	if (!inner) {
		struct wan_object *object = wan_object_bind(cinfo, WAN_OBJECT_JPEG_READER, codec);
		wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
		if (object)
			object->layout = (uint8_t)wan_jpeg_layout_find(version, structsize, 0);
	}
	WAN_REAL_OF(codec, jpeg_CreateDecompress)(cinfo, version, structsize);
}

WAN_EXPORT void jpeg_stdio_src(j_decompress_ptr cinfo, FILE *infile)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_stdio_src);
	if (call.object) {
		call.object->fd = infile ? fileno_unlocked(infile) : -1;
		call.object->file = 0;
		call.object->file_bytes = UINT64_MAX;
		call.object->identity = 0;
	}
	if (wan_real(call, jpeg_stdio_src))
		wan_real(call, jpeg_stdio_src)(cinfo, infile);
}

WAN_EXPORT void jpeg_mem_src(j_decompress_ptr cinfo, const unsigned char *inbuffer,
			     unsigned long insize)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_mem_src);
	if (call.object) {
		call.object->fd = -1;
		call.object->file = 0;
		call.object->file_bytes = insize;
		call.object->identity = wan_identity_of_bytes(inbuffer, insize);
	}
	if (wan_real(call, jpeg_mem_src))
		wan_real(call, jpeg_mem_src)(cinfo, inbuffer, insize);
}

WAN_EXPORT int jpeg_read_header(j_decompress_ptr cinfo, boolean require_image)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_read_header);
	if (!wan_real(call, jpeg_read_header))
		return JPEG_SUSPENDED;
	struct wan_object *object = call.object;
	if (object) {
		/* A call before never came back, and the object was used again without abort. */
		if (object->frame || object->phase == WAN_PHASE_RUNNING)
			wan_operation_close(object, WAN_END_STOPPED);
		if (object->phase == WAN_PHASE_IDLE) {
			object->width_before = cinfo->image_width;
			wan_operation_prepare(object, WAN_NAME_JPEG_DECODE);
		}
	}
	wan_call_enter(&call);
	int result = wan_real(call, jpeg_read_header)(cinfo, require_image);
	wan_call_leave(&call);
	if (object && object->phase == WAN_PHASE_HEADER && result == JPEG_HEADER_OK) {
		note_header(object, cinfo);
		note_warnings(object, cinfo);
		wan_operation_rest(object);
	}
	return result;
}

WAN_EXPORT boolean jpeg_start_decompress(j_decompress_ptr cinfo)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_start_decompress);
	if (!wan_real(call, jpeg_start_decompress))
		return FALSE;
	if (call.object)
		begin(call.object, cinfo, WAN_NAME_JPEG_DECODE);
	wan_call_enter(&call);
	boolean started = wan_real(call, jpeg_start_decompress)(cinfo);
	wan_call_leave(&call);
	if (call.object && started && cinfo->output_width != cinfo->image_width) {
		call.object->flags |= WAN_FLAG_SCALED;
		call.object->output_width_px = cinfo->output_width;
		call.object->output_height_px = cinfo->output_height;
	}
	return started;
}

WAN_EXPORT jvirt_barray_ptr *jpeg_read_coefficients(j_decompress_ptr cinfo)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_read_coefficients);
	if (!wan_real(call, jpeg_read_coefficients))
		return NULL;
	if (call.object) {
		begin(call.object, cinfo, WAN_NAME_JPEG_TRANSFORM);
		call.object->flags |= WAN_FLAG_LOSSLESS;
	}
	wan_call_enter(&call);
	jvirt_barray_ptr *coefficients = wan_real(call, jpeg_read_coefficients)(cinfo);
	wan_call_leave(&call);
	if (call.object && coefficients) {
		call.object->complete = true;
		note_warnings(call.object, cinfo);
	}
	return coefficients;
}

/* At least so many more calls until the last row, which has to be looked at: it says that all are
 * through, and with what warnings. */
static uint32_t calls_left(j_decompress_ptr cinfo, JDIMENSION lines)
{
	uint32_t left = cinfo->output_height - cinfo->output_scanline;
	if (cinfo->output_scanline >= cinfo->output_height)
		return 0;
	return lines <= 1 ? left : (left + lines - 1) / lines;
}

/* Out of line: the short way stays a few instructions. */
__attribute__((noinline)) static JDIMENSION long_read_scanlines(j_decompress_ptr cinfo,
								JSAMPARRAY scanlines,
								JDIMENSION max_lines,
								const void *caller, uintptr_t frame)
{
	struct wan_call call;
	wan_row_enter(&call, cinfo, FAMILY, WAN_SYMBOL_jpeg_read_scanlines, caller, frame);
	if (!wan_real(call, jpeg_read_scanlines))
		return 0;
	if (call.object)
		call.object->asked = true;
	JDIMENSION lines = wan_real(call, jpeg_read_scanlines)(cinfo, scanlines, max_lines);
	wan_row_leave(&call, calls_left(cinfo, lines));
	if (call.object) {
		wan_operation_rows(call.object, cinfo->output_scanline);
		note_rows(call.object, cinfo);
	}
	return lines;
}

WAN_EXPORT JDIMENSION jpeg_read_scanlines(j_decompress_ptr cinfo, JSAMPARRAY scanlines,
					  JDIMENSION max_lines)
{
	struct wan_object *object = wan_row_short(cinfo);
	if (wan_unlikely(!object))
		return long_read_scanlines(cinfo, scanlines, max_lines, WAN_CALLER, WAN_FRAME);
	object->frame = WAN_FRAME_ROW;
	JDIMENSION lines =
		WAN_REAL_OF(object->codec, jpeg_read_scanlines)(cinfo, scanlines, max_lines);
	object->frame = 0;
	return lines;
}

/* A call is a row of blocks here, so there are few: each is timed. */
WAN_EXPORT JDIMENSION jpeg_read_raw_data(j_decompress_ptr cinfo, JSAMPIMAGE data,
					 JDIMENSION max_lines)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_read_raw_data);
	if (!wan_real(call, jpeg_read_raw_data))
		return 0;
	if (call.object)
		call.object->asked = true;
	wan_call_enter(&call);
	JDIMENSION lines = wan_real(call, jpeg_read_raw_data)(cinfo, data, max_lines);
	wan_call_leave(&call);
	if (call.object)
		note_rows(call.object, cinfo);
	return lines;
}

WAN_EXPORT JDIMENSION jpeg_skip_scanlines(j_decompress_ptr cinfo, JDIMENSION num_lines)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_skip_scanlines);
	if (!wan_real(call, jpeg_skip_scanlines))
		return 0;
	if (call.object)
		call.object->asked = true;
	wan_call_enter(&call);
	JDIMENSION lines = wan_real(call, jpeg_skip_scanlines)(cinfo, num_lines);
	wan_call_leave(&call);
	if (call.object)
		note_rows(call.object, cinfo);
	return lines;
}

WAN_EXPORT void jpeg_crop_scanline(j_decompress_ptr cinfo, JDIMENSION *xoffset, JDIMENSION *width)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_crop_scanline);
	if (!wan_real(call, jpeg_crop_scanline))
		return;
	wan_call_enter(&call);
	wan_real(call, jpeg_crop_scanline)(cinfo, xoffset, width);
	wan_call_leave(&call);
}

WAN_EXPORT boolean jpeg_finish_decompress(j_decompress_ptr cinfo)
{
	struct wan_call call;
	WAN_FIND(call, cinfo, FAMILY, jpeg_finish_decompress);
	if (!wan_real(call, jpeg_finish_decompress))
		return FALSE;
	wan_call_enter(&call);
	boolean finished = wan_real(call, jpeg_finish_decompress)(cinfo);
	wan_call_leave(&call);
	if (call.object && finished) { /* else suspended: it will be called again */
		if (call.object->phase == WAN_PHASE_RUNNING)
			note_warnings(call.object, cinfo);
		wan_operation_close(call.object, WAN_END_DONE);
	}
	return finished;
}
