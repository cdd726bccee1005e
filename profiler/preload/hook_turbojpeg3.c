/* SPDX-License-Identifier: MIT */
/*
 * TurboJPEG 3: one call is one operation. The scale of a decode is set beforehand on the handle and
 * cannot be asked back, so it is kept with the handle's address until that is destroyed.
 */
#include "turbojpeg_work.h"

#define FAMILY WAN_FAMILY_TURBOJPEG

WAN_AUDITED int tj3SetScalingFactor(void *handle, struct wan_tj_scale scale)
{
	struct wan_call call;
	WAN_FIND(call, NULL, FAMILY, tj3SetScalingFactor);
	if (!wan_real(call, tj3SetScalingFactor))
		return -1;
	int result = wan_real(call, tj3SetScalingFactor)(handle, scale);
	if (result != 0 || !handle || wan_codec_is_inner(call.codec, WAN_CALLER))
		return result;
	struct wan_object *object = wan_object_find(handle);
	if (!object && scale.num < scale.denom)
		object = wan_object_bind(handle, WAN_OBJECT_CALL, call.codec);
	if (object && object->kind == WAN_OBJECT_CALL) {
		object->set_width_px = (uint32_t)scale.num;
		object->set_height_px = (uint32_t)scale.denom;
	}
	return result;
}

WAN_AUDITED void tj3Destroy(void *handle)
{
	struct wan_call call;
	WAN_FIND(call, NULL, FAMILY, tj3Destroy);
	struct wan_object *object = wan_object_find(handle);
	if (object && object->kind == WAN_OBJECT_CALL)
		wan_object_release(object, handle);
	if (wan_real(call, tj3Destroy))
		wan_real(call, tj3Destroy)(handle);
}

/* The scaled size is rounded up, like the library does. */
static void begin_decode(struct wan_tj_work *work, const void *return_address, void *handle,
			 const unsigned char *bytes, size_t count)
{
	wan_tj_begin_read(work, return_address, bytes, count, WAN_NAME_JPEG_DECODE);
	const struct wan_object *set = wan_object_find(handle);
	if (!work->call.object || !set || set->kind != WAN_OBJECT_CALL || !set->set_height_px)
		return;
	uint64_t num = set->set_width_px, denom = set->set_height_px;
	wan_tj_note_scaled(work, (int)((work->object.width_px * num + denom - 1) / denom),
			   (int)((work->object.height_px * num + denom - 1) / denom));
}

/* Of the file: gray when the program has asked for that. */
static int file_channels(const struct wan_tj_work *work, void *handle, int channels)
{
	const struct wan_codec *codec = work->call.codec;
	if (handle && WAN_REAL_OF(codec, tj3Get) &&
	    WAN_REAL_OF(codec, tj3Get)(handle, WAN_TJ_PARAMETER_SUBSAMPLING) ==
		    WAN_TJ_SAMPLING_GRAY)
		return 1;
	return channels;
}

/* Lossless files carry the precision that was set; 12 and 16 are the least of their functions. */
static void note_depth(struct wan_tj_work *work, void *handle, unsigned most)
{
	const struct wan_codec *codec = work->call.codec;
	int precision = 0;
	if (!work->call.object)
		return;
	if (most != 8 && handle && WAN_REAL_OF(codec, tj3Get))
		precision = WAN_REAL_OF(codec, tj3Get)(handle, WAN_TJ_PARAMETER_PRECISION);
	work->object.bit_depth =
		precision > 8 && precision <= 16 ? (uint8_t)precision : (uint8_t)most;
}

WAN_AUDITED int tj3DecompressHeader(void *handle, const unsigned char *bytes, size_t count)
{
	WAN_TJ_FIND(work, tj3DecompressHeader);
	wan_tj_probe(&work, WAN_CALLER);
	return wan_real(work.call, tj3DecompressHeader)(handle, bytes, count);
}

#define DECOMPRESS(name, sample)                                                                   \
	WAN_AUDITED int name(void *handle, const unsigned char *bytes, size_t count, sample *to,   \
			     int pitch, int format)                                                \
	{                                                                                          \
		WAN_TJ_FIND(work, name);                                                           \
		begin_decode(&work, WAN_CALLER, handle, bytes, count);                             \
		return wan_tj_end(                                                                 \
			&work, handle,                                                             \
			wan_real(work.call, name)(handle, bytes, count, to, pitch, format));       \
	}

DECOMPRESS(tj3Decompress8, unsigned char)
DECOMPRESS(tj3Decompress12, short)
DECOMPRESS(tj3Decompress16, unsigned short)

WAN_AUDITED int tj3DecompressToYUV8(void *handle, const unsigned char *bytes, size_t count,
				    unsigned char *to, int align)
{
	WAN_TJ_FIND(work, tj3DecompressToYUV8);
	begin_decode(&work, WAN_CALLER, handle, bytes, count);
	return wan_tj_end(
		&work, handle,
		wan_real(work.call, tj3DecompressToYUV8)(handle, bytes, count, to, align));
}

WAN_AUDITED int tj3DecompressToYUVPlanes8(void *handle, const unsigned char *bytes, size_t count,
					  unsigned char **planes, int *strides)
{
	WAN_TJ_FIND(work, tj3DecompressToYUVPlanes8);
	begin_decode(&work, WAN_CALLER, handle, bytes, count);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3DecompressToYUVPlanes8)(handle, bytes, count,
									 planes, strides));
}

WAN_AUDITED int tj3Transform(void *handle, const unsigned char *bytes, size_t count, int n,
			     unsigned char **to, size_t *to_bytes, const void *transforms)
{
	WAN_TJ_FIND(work, tj3Transform);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_TRANSFORM);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3Transform)(handle, bytes, count, n, to, to_bytes,
							    transforms));
}

#define COMPRESS(name, sample, depth)                                                              \
	WAN_AUDITED int name(void *handle, const sample *from, int width, int pitch, int height,   \
			     int format, unsigned char **to, size_t *to_bytes)                     \
	{                                                                                          \
		WAN_TJ_FIND(work, name);                                                           \
		wan_tj_begin_write(&work, WAN_CALLER, width, height,                               \
				   file_channels(&work, handle, wan_tj_channels(format)));         \
		note_depth(&work, handle, depth);                                                  \
		return wan_tj_end_write(&work, handle, to_bytes,                                   \
					wan_real(work.call, name)(handle, from, width, pitch,      \
								  height, format, to, to_bytes));  \
	}

COMPRESS(tj3Compress8, unsigned char, 8)
COMPRESS(tj3Compress12, short, 12)
COMPRESS(tj3Compress16, unsigned short, 16)

WAN_AUDITED int tj3CompressFromYUV8(void *handle, const unsigned char *from, int width, int align,
				    int height, unsigned char **to, size_t *to_bytes)
{
	WAN_TJ_FIND(work, tj3CompressFromYUV8);
	wan_tj_begin_write(&work, WAN_CALLER, width, height, file_channels(&work, handle, 3));
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tj3CompressFromYUV8)(handle, from, width, align,
									 height, to, to_bytes));
}

WAN_AUDITED int tj3CompressFromYUVPlanes8(void *handle, const unsigned char *const *planes,
					  int width, const int *strides, int height,
					  unsigned char **to, size_t *to_bytes)
{
	WAN_TJ_FIND(work, tj3CompressFromYUVPlanes8);
	wan_tj_begin_write(&work, WAN_CALLER, width, height, file_channels(&work, handle, 3));
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tj3CompressFromYUVPlanes8)(
					handle, planes, width, strides, height, to, to_bytes));
}

WAN_AUDITED int tj3EncodeYUV8(void *handle, const unsigned char *from, int width, int pitch,
			      int height, int format, unsigned char *to, int align)
{
	WAN_TJ_FIND(work, tj3EncodeYUV8);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3EncodeYUV8)(handle, from, width, pitch, height,
							     format, to, align));
}

WAN_AUDITED int tj3EncodeYUVPlanes8(void *handle, const unsigned char *from, int width, int pitch,
				    int height, int format, unsigned char **planes, int *strides)
{
	WAN_TJ_FIND(work, tj3EncodeYUVPlanes8);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3EncodeYUVPlanes8)(
				  handle, from, width, pitch, height, format, planes, strides));
}

WAN_AUDITED int tj3DecodeYUV8(void *handle, const unsigned char *from, int align, unsigned char *to,
			      int width, int pitch, int height, int format)
{
	WAN_TJ_FIND(work, tj3DecodeYUV8);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3DecodeYUV8)(handle, from, align, to, width, pitch,
							     height, format));
}

WAN_AUDITED int tj3DecodeYUVPlanes8(void *handle, const unsigned char *const *planes,
				    const int *strides, unsigned char *to, int width, int pitch,
				    int height, int format)
{
	WAN_TJ_FIND(work, tj3DecodeYUVPlanes8);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tj3DecodeYUVPlanes8)(handle, planes, strides, to,
								   width, pitch, height, format));
}
