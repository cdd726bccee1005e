/* SPDX-License-Identifier: MIT */
/*
 * TurboJPEG: one call is one operation, the outcome is its return value, and its calls of itself
 * are not counted again. Its objects never reach the exported functions of libjpeg. The size is
 * that of the image: width and height of tjDecompress2() are what the program wishes for.
 */
#include "turbojpeg_work.h"

WAN_AUDITED int tjDecompressHeader3(void *handle, const unsigned char *bytes, unsigned long count,
				    int *width, int *height, int *subsampling, int *colorspace)
{
	WAN_TJ_FIND(work, tjDecompressHeader3);
	wan_tj_probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader3)(handle, bytes, count, width, height,
							subsampling, colorspace);
}

WAN_AUDITED int tjDecompressHeader2(void *handle, unsigned char *bytes, unsigned long count,
				    int *width, int *height, int *subsampling)
{
	WAN_TJ_FIND(work, tjDecompressHeader2);
	wan_tj_probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader2)(handle, bytes, count, width, height,
							subsampling);
}

WAN_AUDITED int tjDecompressHeader(void *handle, unsigned char *bytes, unsigned long count,
				   int *width, int *height)
{
	WAN_TJ_FIND(work, tjDecompressHeader);
	wan_tj_probe(&work, WAN_CALLER);
	return wan_real(work.call, tjDecompressHeader)(handle, bytes, count, width, height);
}

WAN_AUDITED int tjDecompress2(void *handle, const unsigned char *bytes, unsigned long count,
			      unsigned char *to, int width, int pitch, int height, int format,
			      int flags)
{
	WAN_TJ_FIND(work, tjDecompress2);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	wan_tj_note_scaled(&work, width, height);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecompress2)(handle, bytes, count, to, width, pitch,
							     height, format, flags));
}

WAN_AUDITED int tjDecompress(void *handle, unsigned char *bytes, unsigned long count,
			     unsigned char *to, int width, int pitch, int height, int pixel_bytes,
			     int flags)
{
	WAN_TJ_FIND(work, tjDecompress);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	wan_tj_note_scaled(&work, width, height);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecompress)(handle, bytes, count, to, width, pitch,
							    height, pixel_bytes, flags));
}

WAN_AUDITED int tjDecompressToYUV(void *handle, unsigned char *bytes, unsigned long count,
				  unsigned char *to, int flags)
{
	WAN_TJ_FIND(work, tjDecompressToYUV);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecompressToYUV)(handle, bytes, count, to, flags));
}

WAN_AUDITED int tjDecompressToYUV2(void *handle, const unsigned char *bytes, unsigned long count,
				   unsigned char *to, int width, int align, int height, int flags)
{
	WAN_TJ_FIND(work, tjDecompressToYUV2);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	wan_tj_note_scaled(&work, width, height);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecompressToYUV2)(handle, bytes, count, to, width,
								  align, height, flags));
}

WAN_AUDITED int tjDecompressToYUVPlanes(void *handle, const unsigned char *bytes,
					unsigned long count, unsigned char **planes, int width,
					int *strides, int height, int flags)
{
	WAN_TJ_FIND(work, tjDecompressToYUVPlanes);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_DECODE);
	wan_tj_note_scaled(&work, width, height);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecompressToYUVPlanes)(
				  handle, bytes, count, planes, width, strides, height, flags));
}

WAN_AUDITED int tjTransform(void *handle, const unsigned char *bytes, unsigned long count, int n,
			    unsigned char **to, unsigned long *to_bytes, void *transforms,
			    int flags)
{
	WAN_TJ_FIND(work, tjTransform);
	wan_tj_begin_read(&work, WAN_CALLER, bytes, count, WAN_NAME_JPEG_TRANSFORM);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjTransform)(handle, bytes, count, n, to, to_bytes,
							   transforms, flags));
}

WAN_AUDITED int tjCompress2(void *handle, const unsigned char *from, int width, int pitch,
			    int height, int format, unsigned char **to, unsigned long *to_bytes,
			    int subsampling, int quality, int flags)
{
	WAN_TJ_FIND(work, tjCompress2);
	wan_tj_begin_write(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tjCompress2)(handle, from, width, pitch, height,
								 format, to, to_bytes, subsampling,
								 quality, flags));
}

WAN_AUDITED int tjCompress(void *handle, unsigned char *from, int width, int pitch, int height,
			   int pixel_bytes, unsigned char *to, unsigned long *to_bytes,
			   int subsampling, int quality, int flags)
{
	WAN_TJ_FIND(work, tjCompress);
	wan_tj_begin_write(&work, WAN_CALLER, width, height, pixel_bytes);
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tjCompress)(handle, from, width, pitch, height,
								pixel_bytes, to, to_bytes,
								subsampling, quality, flags));
}

WAN_AUDITED int tjCompressFromYUV(void *handle, const unsigned char *from, int width, int align,
				  int height, int subsampling, unsigned char **to,
				  unsigned long *to_bytes, int quality, int flags)
{
	WAN_TJ_FIND(work, tjCompressFromYUV);
	wan_tj_begin_write(&work, WAN_CALLER, width, height,
			   subsampling == WAN_TJ_SAMPLING_GRAY ? 1 : 3);
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tjCompressFromYUV)(handle, from, width, align,
								       height, subsampling, to,
								       to_bytes, quality, flags));
}

WAN_AUDITED int tjCompressFromYUVPlanes(void *handle, const unsigned char **planes, int width,
					const int *strides, int height, int subsampling,
					unsigned char **to, unsigned long *to_bytes, int quality,
					int flags)
{
	WAN_TJ_FIND(work, tjCompressFromYUVPlanes);
	wan_tj_begin_write(&work, WAN_CALLER, width, height,
			   subsampling == WAN_TJ_SAMPLING_GRAY ? 1 : 3);
	return wan_tj_end_write(&work, handle, to_bytes,
				wan_real(work.call, tjCompressFromYUVPlanes)(
					handle, planes, width, strides, height, subsampling, to,
					to_bytes, quality, flags));
}

WAN_AUDITED int tjEncodeYUV3(void *handle, const unsigned char *from, int width, int pitch,
			     int height, int format, unsigned char *to, int align, int subsampling,
			     int flags)
{
	WAN_TJ_FIND(work, tjEncodeYUV3);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjEncodeYUV3)(handle, from, width, pitch, height,
							    format, to, align, subsampling, flags));
}

WAN_AUDITED int tjEncodeYUV2(void *handle, unsigned char *from, int width, int pitch, int height,
			     int format, unsigned char *to, int subsampling, int flags)
{
	WAN_TJ_FIND(work, tjEncodeYUV2);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjEncodeYUV2)(handle, from, width, pitch, height,
							    format, to, subsampling, flags));
}

WAN_AUDITED int tjEncodeYUV(void *handle, unsigned char *from, int width, int pitch, int height,
			    int pixel_bytes, unsigned char *to, int subsampling, int flags)
{
	WAN_TJ_FIND(work, tjEncodeYUV);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, pixel_bytes);
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjEncodeYUV)(handle, from, width, pitch, height,
							   pixel_bytes, to, subsampling, flags));
}

WAN_AUDITED int tjEncodeYUVPlanes(void *handle, const unsigned char *from, int width, int pitch,
				  int height, int format, unsigned char **planes, int *strides,
				  int subsampling, int flags)
{
	WAN_TJ_FIND(work, tjEncodeYUVPlanes);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjEncodeYUVPlanes)(handle, from, width, pitch, height,
								 format, planes, strides,
								 subsampling, flags));
}

WAN_AUDITED int tjDecodeYUV(void *handle, const unsigned char *from, int align, int subsampling,
			    unsigned char *to, int width, int pitch, int height, int format,
			    int flags)
{
	WAN_TJ_FIND(work, tjDecodeYUV);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecodeYUV)(handle, from, align, subsampling, to,
							   width, pitch, height, format, flags));
}

WAN_AUDITED int tjDecodeYUVPlanes(void *handle, const unsigned char **planes, const int *strides,
				  int subsampling, unsigned char *to, int width, int pitch,
				  int height, int format, int flags)
{
	WAN_TJ_FIND(work, tjDecodeYUVPlanes);
	wan_tj_begin_convert(&work, WAN_CALLER, width, height, wan_tj_channels(format));
	return wan_tj_end(&work, handle,
			  wan_real(work.call, tjDecodeYUVPlanes)(handle, planes, strides,
								 subsampling, to, width, pitch,
								 height, format, flags));
}
