/* SPDX-License-Identifier: MIT */
/* libpng, writing. A file is complete when its end has been written; all rows are not enough. */
#include "hook.h"

#include <stdio.h>
#include <png.h>

#define FAMILY WAN_FAMILY_PNG

static png_structp create(const struct wan_codec *codec, bool inner, png_structp png)
{
	if (!png || inner)
		return png;
	wan_object_bind(png, WAN_OBJECT_PNG_WRITER, codec);
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	return png;
}

WAN_EXPORT png_structp png_create_write_struct(png_const_charp version, png_voidp error_ptr,
					       png_error_ptr error_fn, png_error_ptr warn_fn)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_png_create_write_struct, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, png_create_write_struct))
		return NULL;
	return create(
		codec, inner,
		WAN_REAL_OF(codec, png_create_write_struct)(version, error_ptr, error_fn, warn_fn));
}

WAN_EXPORT png_structp png_create_write_struct_2(png_const_charp version, png_voidp error_ptr,
						 png_error_ptr error_fn, png_error_ptr warn_fn,
						 png_voidp mem_ptr, png_malloc_ptr malloc_fn,
						 png_free_ptr free_fn)
{
	bool inner;
	const struct wan_codec *codec =
		wan_create_codec(FAMILY, WAN_SYMBOL_png_create_write_struct_2, WAN_CALLER, &inner);
	if (!codec || !WAN_REAL_OF(codec, png_create_write_struct_2))
		return NULL;
	return create(codec, inner,
		      WAN_REAL_OF(codec, png_create_write_struct_2)(
			      version, error_ptr, error_fn, warn_fn, mem_ptr, malloc_fn, free_fn));
}

static unsigned channels_of(int color_type)
{
	if (color_type & PNG_COLOR_MASK_PALETTE)
		return 1;
	return (color_type & PNG_COLOR_MASK_COLOR ? 3 : 1) +
	       (color_type & PNG_COLOR_MASK_ALPHA ? 1 : 0);
}

/* Readers come by here too, from inside the library. */
WAN_EXPORT void png_set_IHDR(png_const_structrp png, png_inforp info, png_uint_32 width,
			     png_uint_32 height, int bit_depth, int color_type,
			     int interlace_method, int compression_method, int filter_method)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_set_IHDR);
	if (!wan_real(call, png_set_IHDR))
		return;
	wan_real(call, png_set_IHDR)(png, info, width, height, bit_depth, color_type,
				     interlace_method, compression_method, filter_method);
	struct wan_object *object = call.object;
	if (!object || object->kind != WAN_OBJECT_PNG_WRITER || object->phase != WAN_PHASE_IDLE)
		return;
	object->set_width_px = width;
	object->set_height_px = height;
	object->set_channels = (uint8_t)channels_of(color_type);
	object->set_depth = (uint8_t)bit_depth;
	object->set_flags = interlace_method != PNG_INTERLACE_NONE ? WAN_FLAG_PROGRESSIVE : 0;
}

static void begin(struct wan_object *object)
{
	if (object->phase != WAN_PHASE_IDLE)
		return;
	wan_operation_prepare(object, WAN_NAME_PNG_ENCODE);
	if (object->phase == WAN_PHASE_IDLE)
		return;
	wan_operation_size(object, object->set_width_px, object->set_height_px,
			   object->set_channels, object->set_depth);
	object->flags |= object->set_flags;
	wan_operation_run(object, WAN_NAME_PNG_ENCODE);
}

WAN_EXPORT void png_write_info_before_PLTE(png_structrp png, png_const_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_info_before_PLTE);
	if (!wan_real(call, png_write_info_before_PLTE))
		return;
	if (call.object)
		begin(call.object);
	wan_call_enter(&call);
	wan_real(call, png_write_info_before_PLTE)(png, info);
	wan_call_leave(&call);
}

WAN_EXPORT void png_write_info(png_structrp png, png_const_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_info);
	if (!wan_real(call, png_write_info))
		return;
	if (call.object)
		begin(call.object);
	wan_call_enter(&call);
	wan_real(call, png_write_info)(png, info);
	wan_call_leave(&call);
}

__attribute__((noinline)) static void long_write_row(png_structp png, png_const_bytep row,
						     const void *caller, uintptr_t frame)
{
	struct wan_call call;
	wan_row_enter(&call, png, FAMILY, WAN_SYMBOL_png_write_row, caller, frame);
	if (!wan_real(call, png_write_row))
		return;
	wan_real(call, png_write_row)(png, row);
	wan_row_leave(&call, 0);
	if (call.object)
		wan_operation_rows(call.object, call.object->row_calls);
}

WAN_EXPORT void png_write_row(png_structrp png, png_const_bytep row)
{
	struct wan_object *object = wan_row_short(png);
	if (wan_unlikely(!object)) {
		long_write_row(png, row, WAN_CALLER, WAN_FRAME);
		return;
	}
	object->frame = WAN_FRAME_ROW;
	WAN_REAL_OF(object->codec, png_write_row)(png, row);
	object->frame = 0;
}

WAN_EXPORT void png_write_rows(png_structrp png, png_bytepp row, png_uint_32 num_rows)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_rows);
	if (!wan_real(call, png_write_rows))
		return;
	wan_call_enter(&call);
	wan_real(call, png_write_rows)(png, row, num_rows);
	wan_call_leave(&call);
}

WAN_EXPORT void png_write_image(png_structrp png, png_bytepp image)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_image);
	if (!wan_real(call, png_write_image))
		return;
	wan_call_enter(&call);
	wan_real(call, png_write_image)(png, image);
	wan_call_leave(&call);
}

WAN_EXPORT void png_write_png(png_structrp png, png_inforp info, int transforms, png_voidp params)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_png);
	if (!wan_real(call, png_write_png))
		return;
	if (call.object)
		begin(call.object);
	wan_call_enter(&call);
	wan_real(call, png_write_png)(png, info, transforms, params);
	wan_call_leave(&call);
	if (call.object)
		wan_operation_close(call.object, WAN_END_DONE);
}

WAN_EXPORT void png_write_end(png_structrp png, png_inforp info)
{
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_write_end);
	if (!wan_real(call, png_write_end))
		return;
	wan_call_enter(&call);
	wan_real(call, png_write_end)(png, info);
	wan_call_leave(&call);
	if (call.object)
		wan_operation_close(call.object, WAN_END_DONE);
}

WAN_EXPORT void png_destroy_write_struct(png_structpp png_ptr, png_infopp info_ptr)
{
	png_structp png = png_ptr ? *png_ptr : NULL;
	struct wan_call call;
	WAN_FIND(call, png, FAMILY, png_destroy_write_struct);
	if (call.object)
		wan_operation_close(call.object, WAN_END_STOPPED);
	if (wan_real(call, png_destroy_write_struct))
		wan_real(call, png_destroy_write_struct)(png_ptr, info_ptr);
	if (call.object)
		wan_object_release(call.object, png);
}
