/* SPDX-License-Identifier: MIT */
/*
 * TurboJPEG: one call is one operation, the outcome is its return value, and its calls of itself
 * are not counted again. Its objects never reach the exported functions of libjpeg. The size is
 * that of the image: width and height of tjDecompress2() are what the program wishes for.
 */
#include "hook.h"

#include "identity_mark.h"
#include "sof.h"
#include "turbojpeg_abi.h"

#define FAMILY WAN_FAMILY_TURBOJPEG

struct work {
	struct wan_call call;
	struct wan_object object;
};

static bool begin(struct work *work, const void *return_address, enum wan_operation_name name)
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

static void begin_read(struct work *work, const void *return_address, const unsigned char *bytes,
		       unsigned long count, enum wan_operation_name name)
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

static void begin_write(struct work *work, const void *return_address, int width, int height,
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
	return WAN_REAL_OF(codec, tjGetErrorCode) && handle &&
	       WAN_REAL_OF(codec, tjGetErrorCode)(handle) == WAN_TJ_ERROR_WARNING;
}

static int end(struct work *work, void *handle, int result)
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

static int end_write(struct work *work, void *handle, const unsigned long *bytes, int result)
{
	if (work->call.object && result == 0 && bytes)
		work->object.file_bytes = *bytes;
	return end(work, handle, result);
}

static void note_scaled(struct work *work, int width, int height)
{
	if (work->call.object && ((width > 0 && (uint32_t)width < work->object.width_px) ||
				  (height > 0 && (uint32_t)height < work->object.height_px))) {
		work->object.flags |= WAN_FLAG_SCALED;
		work->object.output_width_px = width > 0 ? (uint32_t)width : 0;
		work->object.output_height_px = height > 0 ? (uint32_t)height : 0;
	}
}

/* RGB BGR RGBX BGRX XBGR XRGB GRAY RGBA BGRA ABGR ARGB CMYK: of the file, so without padding. */
static int channels_of(int format)
{
	static const uint8_t channels[WAN_TJ_PIXEL_FORMATS] = {3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 4};
	return format >= 0 && format < WAN_TJ_PIXEL_FORMATS ? channels[format] : 0;
}

#define FIND(work, name)                                                                           \
	struct work work;                                                                          \
	WAN_FIND(work.call, NULL, FAMILY, name);                                                   \
	if (!wan_real(work.call, name))                                                            \
	return -1

/* Probes: forwarded and counted. */
static void probe(const struct work *work, const void *return_address)
{
	if (!wan_codec_is_inner(work->call.codec, return_address))
		wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
}

WAN_AUDITED int tjDecompressHeader3(void *handle, const unsigned char *bytes, unsigned long count,
				    int *width, int *height, int *subsampling, int *colorspace)
{
	FIND(work, tjDecompressHeader3);
	probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader3)(handle, bytes, count, width, height,
							subsampling, colorspace);
}

WAN_AUDITED int tjDecompressHeader2(void *handle, unsigned char *bytes, unsigned long count,
				    int *width, int *height, int *subsampling)
{
	FIND(work, tjDecompressHeader2);
	probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader2)(handle, bytes, count, width, height,
							subsampling);
}

WAN_AUDITED int tjDecompressHeader(void *handle, unsigned char *bytes, unsigned long count,
				   int *width, int *height)
{
	FIND(work, tjDecompressHeader);
	probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader)(handle, bytes, count, width, height);
}

WAN_AUDITED int tjDecompress2(void *handle, const unsigned char *bytes, unsigned long count,
			      unsigned char *to, int width, int pitch, int height, int format,
			      int flags)
{
	FIND(work, tjDecompress2);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	note_scaled(&work, width, height);
	return end(&work, handle,
		   wan_real(work.call, tjDecompress2)(handle, bytes, count, to, width, pitch,
						      height, format, flags));
}

WAN_AUDITED int tjDecompress(void *handle, unsigned char *bytes, unsigned long count,
			     unsigned char *to, int width, int pitch, int height, int pixel_bytes,
			     int flags)
{
	FIND(work, tjDecompress);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	note_scaled(&work, width, height);
	return end(&work, handle,
		   wan_real(work.call, tjDecompress)(handle, bytes, count, to, width, pitch, height,
						     pixel_bytes, flags));
}

WAN_AUDITED int tjDecompressToYUV(void *handle, unsigned char *bytes, unsigned long count,
				  unsigned char *to, int flags)
{
	FIND(work, tjDecompressToYUV);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	return end(&work, handle,
		   wan_real(work.call, tjDecompressToYUV)(handle, bytes, count, to, flags));
}

WAN_AUDITED int tjDecompressToYUV2(void *handle, const unsigned char *bytes, unsigned long count,
				   unsigned char *to, int width, int align, int height, int flags)
{
	FIND(work, tjDecompressToYUV2);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	note_scaled(&work, width, height);
	return end(&work, handle,
		   wan_real(work.call, tjDecompressToYUV2)(handle, bytes, count, to, width, align,
							   height, flags));
}

WAN_AUDITED int tjDecompressToYUVPlanes(void *handle, const unsigned char *bytes,
					unsigned long count, unsigned char **planes, int width,
					int *strides, int height, int flags)
{
	FIND(work, tjDecompressToYUVPlanes);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	note_scaled(&work, width, height);
	return end(&work, handle,
		   wan_real(work.call, tjDecompressToYUVPlanes)(handle, bytes, count, planes, width,
								strides, height, flags));
}

WAN_AUDITED int tjTransform(void *handle, const unsigned char *bytes, unsigned long count, int n,
			    unsigned char **to, unsigned long *to_bytes, void *transforms,
			    int flags)
{
	FIND(work, tjTransform);
	begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_TRANSFORM);
	return end(&work, handle,
		   wan_real(work.call, tjTransform)(handle, bytes, count, n, to, to_bytes,
						    transforms, flags));
}

WAN_AUDITED int tjCompress2(void *handle, const unsigned char *from, int width, int pitch,
			    int height, int format, unsigned char **to, unsigned long *to_bytes,
			    int subsampling, int quality, int flags)
{
	FIND(work, tjCompress2);
	begin_write(&work, WAN_CALLER, width, height, channels_of(format));
	return end_write(&work, handle, to_bytes,
			 wan_real(work.call, tjCompress2)(handle, from, width, pitch, height,
							  format, to, to_bytes, subsampling,
							  quality, flags));
}

WAN_AUDITED int tjCompress(void *handle, unsigned char *from, int width, int pitch, int height,
			   int pixel_bytes, unsigned char *to, unsigned long *to_bytes,
			   int subsampling, int quality, int flags)
{
	FIND(work, tjCompress);
	begin_write(&work, WAN_CALLER, width, height, pixel_bytes);
	return end_write(&work, handle, to_bytes,
			 wan_real(work.call, tjCompress)(handle, from, width, pitch, height,
							 pixel_bytes, to, to_bytes, subsampling,
							 quality, flags));
}

WAN_AUDITED int tjCompressFromYUV(void *handle, const unsigned char *from, int width, int align,
				  int height, int subsampling, unsigned char **to,
				  unsigned long *to_bytes, int quality, int flags)
{
	FIND(work, tjCompressFromYUV);
	begin_write(&work, WAN_CALLER, width, height, subsampling == WAN_TJ_SAMPLING_GRAY ? 1 : 3);
	return end_write(&work, handle, to_bytes,
			 wan_real(work.call, tjCompressFromYUV)(handle, from, width, align, height,
								subsampling, to, to_bytes, quality,
								flags));
}

WAN_AUDITED int tjCompressFromYUVPlanes(void *handle, const unsigned char **planes, int width,
					const int *strides, int height, int subsampling,
					unsigned char **to, unsigned long *to_bytes, int quality,
					int flags)
{
	FIND(work, tjCompressFromYUVPlanes);
	begin_write(&work, WAN_CALLER, width, height, subsampling == WAN_TJ_SAMPLING_GRAY ? 1 : 3);
	return end_write(&work, handle, to_bytes,
			 wan_real(work.call, tjCompressFromYUVPlanes)(
				 handle, planes, width, strides, height, subsampling, to, to_bytes,
				 quality, flags));
}
