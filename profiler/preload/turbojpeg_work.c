/* SPDX-License-Identifier: MIT */
#include "turbojpeg_work.h"

#include "identity_mark.h"
#include "sof.h"

#define FAMILY WAN_FAMILY_TURBOJPEG

static bool begin(struct wan_tj_work *work, const void *return_address,
		  enum wan_operation_name name)
{
	work->call.object = NULL;
	if (!work->call.codec || wan_codec_is_inner(work->call.codec, return_address))
		return false;
	wan_object_init_call(&work->object, work->call.codec);
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	wan_operation_prepare(&work->object, name);
	if (work->object.phase == WAN_PHASE_IDLE)
		return false;
	work->call.object = &work->object;
	return true;
}

void wan_tj_begin_read(struct wan_tj_work *work, const void *return_address,
		       const unsigned char *bytes, unsigned long count,
		       enum wan_operation_name name)
{
	if (!begin(work, return_address, name))
		return;
	struct wan_sof sof;
	work->object.file_bytes = count;
	work->object.identity = wan_identity_of_bytes(bytes, count);
	if (wan_sof_find(bytes, count, &sof)) {
		wan_operation_size(&work->object, sof.width_px, sof.height_px, sof.components,
				   sof.precision);
		if (sof.progressive)
			work->object.flags |= WAN_FLAG_PROGRESSIVE;
	}
	if (name == WAN_NAME_JPEG_TRANSFORM)
		work->object.flags |= WAN_FLAG_LOSSLESS;
	wan_operation_run(&work->object, name);
	wan_call_enter(&work->call);
}

void wan_tj_begin_write(struct wan_tj_work *work, const void *return_address, int width, int height,
			int channels)
{
	if (!begin(work, return_address, WAN_NAME_JPEG_ENCODE))
		return;
	wan_operation_size(&work->object, width > 0 ? (uint32_t)width : 0,
			   height > 0 ? (uint32_t)height : 0, (unsigned)channels, 8);
	wan_operation_run(&work->object, WAN_NAME_JPEG_ENCODE);
	wan_call_enter(&work->call);
}

/* A warning comes back as an error with a milder code, where the library tells (from 2.0 on). */
static bool is_warning(const struct wan_codec *codec, void *handle)
{
	if (!handle)
		return false;
	if (WAN_REAL_OF(codec, tj3GetErrorCode))
		return WAN_REAL_OF(codec, tj3GetErrorCode)(handle) == WAN_TJ_ERROR_WARNING;
	return WAN_REAL_OF(codec, tjGetErrorCode) &&
	       WAN_REAL_OF(codec, tjGetErrorCode)(handle) == WAN_TJ_ERROR_WARNING;
}

int wan_tj_end(struct wan_tj_work *work, void *handle, int result)
{
	wan_call_leave(&work->call);
	if (!work->call.object)
		return result;
	if (result != 0 && is_warning(work->call.codec, handle))
		work->object.warnings = 1;
	else
		work->object.failed = result != 0;
	wan_operation_close(&work->object, WAN_END_DONE);
	return result;
}

int wan_tj_end_write(struct wan_tj_work *work, void *handle, const unsigned long *bytes, int result)
{
	if (work->call.object && result == 0 && bytes)
		work->object.file_bytes = *bytes;
	return wan_tj_end(work, handle, result);
}

void wan_tj_note_scaled(struct wan_tj_work *work, int width, int height)
{
	if (work->call.object && ((width > 0 && (uint32_t)width < work->object.width_px) ||
				  (height > 0 && (uint32_t)height < work->object.height_px))) {
		work->object.flags |= WAN_FLAG_SCALED;
		work->object.output_width_px = width > 0 ? (uint32_t)width : 0;
		work->object.output_height_px = height > 0 ? (uint32_t)height : 0;
	}
}

/* RGB BGR RGBX BGRX XBGR XRGB GRAY RGBA BGRA ABGR ARGB CMYK: of the file, so without padding. */
int wan_tj_channels(int format)
{
	static const uint8_t channels[WAN_TJ_PIXEL_FORMATS] = {3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 4};
	return format >= 0 && format < WAN_TJ_PIXEL_FORMATS ? channels[format] : 0;
}

/* Probes: forwarded and counted. */
void wan_tj_probe(const struct wan_tj_work *work, const void *return_address)
{
	if (!wan_codec_is_inner(work->call.codec, return_address))
		wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
}

void wan_tj_begin_convert(struct wan_tj_work *work, const void *return_address, int width,
			  int height, int channels)
{
	if (!begin(work, return_address, WAN_NAME_YUV_CONVERT))
		return;
	wan_operation_size(&work->object, width > 0 ? (uint32_t)width : 0,
			   height > 0 ? (uint32_t)height : 0, (unsigned)channels, 8);
	wan_operation_run(&work->object, WAN_NAME_YUV_CONVERT);
	wan_call_enter(&work->call);
}
