/* SPDX-License-Identifier: MIT */
/*
 * The binary interface of TurboJPEG that we hook, as libturbojpeg.so.0 has kept it since 1.0; in
 * our own words, because the const of its header's prototypes changes between versions.
 */
#ifndef WAN_PRELOAD_TURBOJPEG_ABI_H
#define WAN_PRELOAD_TURBOJPEG_ABI_H

enum {
	WAN_TJ_PIXEL_FORMATS = 12,
	WAN_TJ_SAMPLING_GRAY = 3,
	WAN_TJ_ERROR_WARNING = 0,
};

typedef unsigned char tj_byte;
typedef unsigned long tj_size;

int tjDecompressHeader(void *handle, tj_byte *bytes, tj_size count, int *width, int *height);
int tjDecompressHeader2(void *handle, tj_byte *bytes, tj_size count, int *width, int *height,
			int *subsampling);
int tjDecompressHeader3(void *handle, const tj_byte *bytes, tj_size count, int *width, int *height,
			int *subsampling, int *colorspace);
int tjDecompress(void *handle, tj_byte *bytes, tj_size count, tj_byte *to, int width, int pitch,
		 int height, int pixel_bytes, int flags);
int tjDecompress2(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int width,
		  int pitch, int height, int format, int flags);
int tjDecompressToYUV(void *handle, tj_byte *bytes, tj_size count, tj_byte *to, int flags);
int tjDecompressToYUV2(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int width,
		       int align, int height, int flags);
int tjDecompressToYUVPlanes(void *handle, const tj_byte *bytes, tj_size count, tj_byte **planes,
			    int width, int *strides, int height, int flags);
int tjTransform(void *handle, const tj_byte *bytes, tj_size count, int n, tj_byte **to,
		tj_size *to_bytes, void *transforms, int flags);
int tjCompress(void *handle, tj_byte *from, int width, int pitch, int height, int pixel_bytes,
	       tj_byte *to, tj_size *to_bytes, int subsampling, int quality, int flags);
int tjCompress2(void *handle, const tj_byte *from, int width, int pitch, int height, int format,
		tj_byte **to, tj_size *to_bytes, int subsampling, int quality, int flags);
int tjCompressFromYUV(void *handle, const tj_byte *from, int width, int align, int height,
		      int subsampling, tj_byte **to, tj_size *to_bytes, int quality, int flags);
int tjCompressFromYUVPlanes(void *handle, const tj_byte **planes, int width, const int *strides,
			    int height, int subsampling, tj_byte **to, tj_size *to_bytes,
			    int quality, int flags);
int tjGetErrorCode(void *handle);

#endif
