/* SPDX-License-Identifier: MIT */
/*
 * libpng, reading: row by row, whole image, high level, progressive. What is inside the structures
 * is asked of the library the object belongs to. Errors leave by longjmp and cannot be seen; the
 * destruction that follows finds a call that never came back.
 */
#include "hook.h"

#include <stdio.h>
#include <png.h>

#define FAMILY WAN_FAMILY_PNG

static void note_header(struct wan_object *object, png_structp png, png_infop info)
{
	const struct wan_codec *codec = object->codec;
	if (!png || !info || !WAN_REAL_OF(codec, png_get_image_width) ||
	    !WAN_REAL_OF(codec, png_get_image_height))
		return;
	uint32_t width = WAN_REAL_OF(codec, png_get_image_width)(png, info);
	uint32_t height = WAN_REAL_OF(codec, png_get_image_height)(png, info);
	unsigned channels = 0, depth = 0;
	if (WAN_REAL_OF(codec, png_get_channels) && WAN_REAL_OF(codec, png_get_bit_depth)) {
		channels = WAN_REAL_OF(codec, png_get_channels)(png, info);
		depth = WAN_REAL_OF(codec, png_get_bit_depth)(png, info);
	}
	if (WAN_REAL_OF(codec, png_get_interlace_type) &&
	    WAN_REAL_OF(codec, png_get_interlace_type)(png, info) != PNG_INTERLACE_NONE)
		object->flags |= WAN_FLAG_PROGRESSIVE;
	wan_operation_size(object, width, height, channels, depth);
}

/* All rows of all passes are through. */
static void note_rows(struct wan_object *object, png_structp png)
{
	const struct wan_codec *codec = object->codec;
	if (object->phase != WAN_PHASE_RUNNING || !object->height_px ||
	    !WAN_REAL_OF(codec, png_get_current_row_number) ||
	    !WAN_REAL_OF(codec, png_get_current_pass_number))
		return;
	uint32_t row = WAN_REAL_OF(codec, png_get_current_row_number)(png);
	if (object->flags & WAN_FLAG_PROGRESSIVE)
		object->complete = WAN_REAL_OF(codec, png_get_current_pass_number)(png) >= 7;
	else
		object->complete = row >= object->height_px;
	wan_operation_rows(object, row);
}

static png_structp create(const struct wan_codec *codec, bool inner, png_structp png)
{
	if (!png || inner)
		return png;
	wan_object_bind(png, WAN_OBJECT_PNG_READER, codec);
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	return png;
}

WAN_EXPORT png_structp png_create_read_struct(png_const_charp version, png_voidp error_ptr,
					      png_error_ptr error_fn, png_error_ptr warn_fn)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_png_create_read_struct, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, png_create_read_struct))
		return NULL;
	return create(
		codec, inner,
		WAN_REAL_OF(codec, png_create_read_struct)(version, error_ptr, error_fn, warn_fn));
}

WAN_EXPORT png_structp png_create_read_struct_2(png_const_charp version, png_voidp error_ptr,
						png_error_ptr error_fn, png_error_ptr warn_fn,
						png_voidp mem_ptr, png_malloc_ptr malloc_fn,
						png_free_ptr free_fn)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_png_create_read_struct_2, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, png_create_read_struct_2))
		return NULL;
	return create(codec, inner,
		      WAN_REAL_OF(codec, png_create_read_struct_2)(
			      version, error_ptr, error_fn, warn_fn, mem_ptr, malloc_fn, free_fn));
}

WAN_EXPORT void png_init_io(png_structrp png, png_FILE_p file)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_init_io);
	if (call.object)
		call.object->fd = file ? fileno_unlocked(file) : -1;
	if (wan_real(call, png_init_io))
		wan_real(call, png_init_io)(png, file);
}

WAN_EXPORT void png_read_info(png_structrp png, png_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_info);
	if (!wan_real(call, png_read_info))
		return;
	struct wan_object *object = call.object;
	if (object) {
		object->info = info;
		if (object->phase == WAN_PHASE_IDLE)
			wan_operation_prepare(object, WAN_NAME_PNG_DECODE);
	}
	wan_call_enter(&call);
	wan_real(call, png_read_info)(png, info);
	wan_call_leave(&call);
	if (object && object->phase == WAN_PHASE_HEADER) {
		note_header(object, png, info);
		wan_operation_rest(object);
	}
}

WAN_EXPORT void png_read_update_info(png_structrp png, png_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_update_info);
	if (!wan_real(call, png_read_update_info))
		return;
	wan_call_enter(&call);
	wan_real(call, png_read_update_info)(png, info);
	wan_call_leave(&call);
}

__attribute__((noinline)) static void long_read_row(png_structp png, png_bytep row,
						    png_bytep display, const void *caller,
						    uintptr_t frame)
{
	struct wan_object *object = wan_object_find(png);
	if (object && object->phase == WAN_PHASE_HEADER && object->codec->family == FAMILY)
		wan_operation_run(object, WAN_NAME_PNG_DECODE);
	struct wan_call call;
	wan_row_enter(&call, png, FAMILY, WAN_SYMBOL_png_read_row, caller, frame);
	if (!wan_real(call, png_read_row))
		return;
	wan_real(call, png_read_row)(png, row, display);
	wan_row_leave(&call, 0);
	if (call.object)
		note_rows(call.object, png);
}

WAN_EXPORT void png_read_row(png_structrp png, png_bytep row, png_bytep display_row)
{
	struct wan_object *object = wan_row_short(png);
	if (wan_unlikely(!object)) {
		long_read_row(png, row, display_row, WAN_CALLER, WAN_FRAME);
		return;
	}
	object->frame = WAN_FRAME_ROW;
	WAN_REAL_OF(object->codec, png_read_row)(png, row, display_row);
	object->frame = 0;
}

WAN_EXPORT void png_read_rows(png_structrp png, png_bytepp row, png_bytepp display_row,
			      png_uint_32 num_rows)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_rows);
	if (!wan_real(call, png_read_rows))
		return;
	if (call.object)
		wan_operation_run(call.object, WAN_NAME_PNG_DECODE);
	wan_call_enter(&call);
	wan_real(call, png_read_rows)(png, row, display_row, num_rows);
	wan_call_leave(&call);
	if (call.object)
		note_rows(call.object, png);
}

WAN_EXPORT void png_read_image(png_structrp png, png_bytepp image)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_image);
	if (!wan_real(call, png_read_image))
		return;
	if (call.object)
		wan_operation_run(call.object, WAN_NAME_PNG_DECODE);
	wan_call_enter(&call);
	wan_real(call, png_read_image)(png, image);
	wan_call_leave(&call);
	if (call.object)
		call.object->complete = true;
}

WAN_EXPORT void png_read_png(png_structrp png, png_inforp info, int transforms, png_voidp params)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_png);
	if (!wan_real(call, png_read_png))
		return;
	struct wan_object *object = call.object;
	if (object) {
		object->info = info;
		if (object->phase != WAN_PHASE_IDLE)
			wan_operation_close(object, WAN_END_STOPPED);
		wan_operation_run(object, WAN_NAME_PNG_DECODE);
	}
	wan_call_enter(&call);
	wan_real(call, png_read_png)(png, info, transforms, params);
	wan_call_leave(&call);
	if (object && object->phase == WAN_PHASE_RUNNING) {
		note_header(object, png, info);
		wan_operation_close(object, WAN_END_DONE);
	}
}

WAN_EXPORT void png_read_end(png_structrp png, png_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_read_end);
	if (!wan_real(call, png_read_end))
		return;
	if (call.object)
		note_rows(call.object, png); /* before the end: an error in it loses no row */
	wan_call_enter(&call);
	wan_real(call, png_read_end)(png, info);
	wan_call_leave(&call);
	if (call.object && call.object->phase == WAN_PHASE_RUNNING)
		wan_operation_close(call.object, WAN_END_DONE);
}

/* The guest pushes pieces of the file; rows come back through its own callbacks. */
WAN_EXPORT void png_process_data(png_structrp png, png_inforp info, png_bytep buffer, size_t size)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_process_data);
	if (!wan_real(call, png_process_data))
		return;
	struct wan_object *object = call.object;
	if (object) {
		object->info = info;
		if (object->phase == WAN_PHASE_IDLE) {
			wan_operation_run(object, WAN_NAME_PNG_DECODE);
			object->file_bytes = 0;
		}
		if (!object->complete)
			object->file_bytes += size;
	}
	wan_call_enter(&call);
	wan_real(call, png_process_data)(png, info, buffer, size);
	wan_call_leave(&call);
	if (object && object->phase == WAN_PHASE_RUNNING) {
		if (!object->width_px)
			note_header(object, png, info);
		note_rows(object, png);
	}
}

WAN_EXPORT void png_destroy_read_struct(png_structpp png_ptr, png_infopp info_ptr,
					png_infopp end_info_ptr)
{
	png_structp png = png_ptr ? *png_ptr : NULL;
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_destroy_read_struct);
	struct wan_object *object = call.object;
	if (object && object->phase != WAN_PHASE_IDLE) {
		if (!object->width_px && info_ptr && *info_ptr && *info_ptr == object->info)
			note_header(object, png, *info_ptr);
		if (!object->frame)
			note_rows(object, png);
		wan_operation_close(object, WAN_END_STOPPED);
	}
	if (wan_real(call, png_destroy_read_struct))
		wan_real(call, png_destroy_read_struct)(png_ptr, info_ptr, end_info_ptr);
	if (object)
		wan_object_release(object, png);
}
