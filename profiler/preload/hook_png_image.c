/* SPDX-License-Identifier: MIT */
/*
 * libpng's simplified interface: no longjmp, the outcome is a return value, the image structure is
 * public. What it calls inside comes from the library and is not counted again.
 */
#include "hook.h"

#include <stdio.h>
#include <png.h>

#define FAMILY WAN_FAMILY_PNG

static void note_image(struct wan_object *object, const png_image *image)
{
	wan_operation_size(object, image->width, image->height,
			   PNG_IMAGE_SAMPLE_CHANNELS(image->format),
			   8 * PNG_IMAGE_SAMPLE_COMPONENT_SIZE(image->format));
	object->warnings = image->warning_or_error & PNG_IMAGE_WARNING ? 1 : 0;
}

/* Before the header is read; the object is bound here since the program makes it. */
static struct wan_object *begin_read(struct wan_call *call, png_imagep image,
				     const void *return_address)
{
	if (!call->codec || wan_codec_is_inner(call->codec, return_address))
		return NULL;
	call->object = wan_object_bind(image, WAN_OBJECT_PNG_IMAGE, call->codec);
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	return call->object;
}

static int header_read(struct wan_call *call, png_imagep image, int result)
{
	wan_call_leave(call);
	if (!call->object)
		return result;
	if (result)
		note_image(call->object, image);
	call->object->failed = !result;
	if (result)
		wan_operation_rest(call->object);
	else
		wan_operation_close(call->object, WAN_END_STOPPED);
	return result;
}

WAN_EXPORT int png_image_begin_read_from_file(png_imagep image, const char *file_name)
{
	struct wan_call call;
	WAN_FIND(call, image, FAMILY, png_image_begin_read_from_file);
	if (!wan_real(call, png_image_begin_read_from_file))
		return 0;
	if (begin_read(&call, image, WAN_CALLER))
		wan_operation_prepare(call.object, WAN_NAME_PNG_DECODE);
	wan_call_enter(&call);
	return header_read(&call, image,
			   wan_real(call, png_image_begin_read_from_file)(image, file_name));
}

WAN_EXPORT int png_image_begin_read_from_stdio(png_imagep image, FILE *file)
{
	struct wan_call call;
	WAN_FIND(call, image, FAMILY, png_image_begin_read_from_stdio);
	if (!wan_real(call, png_image_begin_read_from_stdio))
		return 0;
	if (begin_read(&call, image, WAN_CALLER)) {
		call.object->fd = file ? fileno_unlocked(file) : -1;
		wan_operation_prepare(call.object, WAN_NAME_PNG_DECODE);
	}
	wan_call_enter(&call);
	return header_read(&call, image,
			   wan_real(call, png_image_begin_read_from_stdio)(image, file));
}

WAN_EXPORT int png_image_begin_read_from_memory(png_imagep image, png_const_voidp memory,
						size_t size)
{
	struct wan_call call;
	WAN_FIND(call, image, FAMILY, png_image_begin_read_from_memory);
	if (!wan_real(call, png_image_begin_read_from_memory))
		return 0;
	if (begin_read(&call, image, WAN_CALLER)) {
		call.object->file_bytes = size;
		wan_operation_prepare(call.object, WAN_NAME_PNG_DECODE);
	}
	wan_call_enter(&call);
	return header_read(&call, image,
			   wan_real(call, png_image_begin_read_from_memory)(image, memory, size));
}

WAN_EXPORT int png_image_finish_read(png_imagep image, png_const_colorp background, void *buffer,
				     png_int_32 row_stride, void *colormap)
{
	struct wan_call call;
	WAN_FIND(call, image, FAMILY, png_image_finish_read);
	if (!wan_real(call, png_image_finish_read))
		return 0;
	if (call.object)
		wan_operation_run(call.object, WAN_NAME_PNG_DECODE);
	wan_call_enter(&call);
	int result = wan_real(call, png_image_finish_read)(image, background, buffer, row_stride,
							   colormap);
	wan_call_leave(&call);
	if (call.object) {
		call.object->failed = !result;
		if (image->warning_or_error & PNG_IMAGE_WARNING)
			call.object->warnings = 1;
		wan_operation_close(call.object, WAN_END_DONE);
	}
	return result;
}

WAN_EXPORT void png_image_free(png_imagep image)
{
	struct wan_call call;
	WAN_FIND(call, image, FAMILY, png_image_free);
	if (call.object)
		wan_operation_close(call.object, WAN_END_STOPPED);
	if (wan_real(call, png_image_free))
		wan_real(call, png_image_free)(image);
	if (call.object)
		wan_object_release(call.object, image);
}

/* Writing is one call, so its state lives here. */
struct write {
	struct wan_call call;
	struct wan_object object;
};

static void begin_write(struct write *write, png_imagep image, const void *return_address, int fd)
{
	write->call.object = NULL;
	if (!write->call.codec || wan_codec_is_inner(write->call.codec, return_address) || !image)
		return;
	wan_object_init_call(&write->object, write->call.codec);
	write->object.fd = fd;
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	wan_operation_prepare(&write->object, WAN_NAME_PNG_ENCODE);
	if (write->object.phase == WAN_PHASE_IDLE)
		return;
	write->call.object = &write->object;
	note_image(&write->object, image);
	wan_operation_run(&write->object, WAN_NAME_PNG_ENCODE);
	wan_call_enter(&write->call);
}

static int end_write(struct write *write, png_imagep image, int result)
{
	wan_call_leave(&write->call);
	if (write->call.object) {
		write->object.failed = !result;
		write->object.warnings = image->warning_or_error & PNG_IMAGE_WARNING ? 1 : 0;
		wan_operation_close(&write->object, WAN_END_DONE);
	}
	return result;
}

WAN_EXPORT int png_image_write_to_file(png_imagep image, const char *file, int convert_to_8bit,
				       const void *buffer, png_int_32 row_stride,
				       const void *colormap)
{
	struct write write;
	WAN_FIND(write.call, NULL, FAMILY, png_image_write_to_file);
	if (!wan_real(write.call, png_image_write_to_file))
		return 0;
	begin_write(&write, image, WAN_CALLER, -1);
	return end_write(&write, image,
			 wan_real(write.call, png_image_write_to_file)(
				 image, file, convert_to_8bit, buffer, row_stride, colormap));
}

WAN_EXPORT int png_image_write_to_stdio(png_imagep image, FILE *file, int convert_to_8_bit,
					const void *buffer, png_int_32 row_stride,
					const void *colormap)
{
	struct write write;
	WAN_FIND(write.call, NULL, FAMILY, png_image_write_to_stdio);
	if (!wan_real(write.call, png_image_write_to_stdio))
		return 0;
	begin_write(&write, image, WAN_CALLER, file ? fileno_unlocked(file) : -1);
	return end_write(&write, image,
			 wan_real(write.call, png_image_write_to_stdio)(
				 image, file, convert_to_8_bit, buffer, row_stride, colormap));
}

WAN_EXPORT int png_image_write_to_memory(png_imagep image, void *memory,
					 png_alloc_size_t *memory_bytes, int convert_to_8_bit,
					 const void *buffer, png_int_32 row_stride,
					 const void *colormap)
{
	struct write write;
	WAN_FIND(write.call, NULL, FAMILY, png_image_write_to_memory);
	if (!wan_real(write.call, png_image_write_to_memory))
		return 0;
	begin_write(&write, image, WAN_CALLER, -1);
	int result = wan_real(write.call, png_image_write_to_memory)(
		image, memory, memory_bytes, convert_to_8_bit, buffer, row_stride, colormap);
	if (write.call.object && result && memory_bytes)
		write.object.file_bytes = *memory_bytes;
	return end_write(&write, image, result);
}
