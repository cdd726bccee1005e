/* SPDX-License-Identifier: MIT */
/*
 * The binary interface of TurboJPEG that we hook, as libturbojpeg.so.0 has kept it since 1.0, and
 * what 3.0 adds; in our own words, because the const of its header's prototypes changes between
 * versions.
 */
#ifndef WAN_PRELOAD_TURBOJPEG_ABI_H
#define WAN_PRELOAD_TURBOJPEG_ABI_H

enum {
	WAN_TJ_PIXEL_FORMATS = 12,
	WAN_TJ_SAMPLING_GRAY = 3,
	WAN_TJ_ERROR_WARNING = 0,
	WAN_TJ_PARAMETER_SUBSAMPLING = 4,
	WAN_TJ_PARAMETER_PRECISION = 7,
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
int tjEncodeYUV(void *handle, tj_byte *from, int width, int pitch, int height, int pixel_bytes,
		tj_byte *to, int subsampling, int flags);
int tjEncodeYUV2(void *handle, tj_byte *from, int width, int pitch, int height, int format,
		 tj_byte *to, int subsampling, int flags);
int tjEncodeYUV3(void *handle, const tj_byte *from, int width, int pitch, int height, int format,
		 tj_byte *to, int align, int subsampling, int flags);
int tjEncodeYUVPlanes(void *handle, const tj_byte *from, int width, int pitch, int height,
		      int format, tj_byte **planes, int *strides, int subsampling, int flags);
int tjDecodeYUV(void *handle, const tj_byte *from, int align, int subsampling, tj_byte *to,
		int width, int pitch, int height, int format, int flags);
int tjDecodeYUVPlanes(void *handle, const tj_byte **planes, const int *strides, int subsampling,
		      tj_byte *to, int width, int pitch, int height, int format, int flags);
int tjGetErrorCode(void *handle);

/* Since 3.0: what flags said is set beforehand by tj3Set(), and the sizes are size_t. */
struct wan_tj_scale {
	int num, denom;
};
int tj3SetScalingFactor(void *handle, struct wan_tj_scale scale);
void tj3Destroy(void *handle);
int tj3DecompressHeader(void *handle, const tj_byte *bytes, tj_size count);
int tj3Decompress8(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int pitch,
		   int format);
int tj3Decompress12(void *handle, const tj_byte *bytes, tj_size count, short *to, int pitch,
		    int format);
int tj3Decompress16(void *handle, const tj_byte *bytes, tj_size count, unsigned short *to,
		    int pitch, int format);
int tj3DecompressToYUV8(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int align);
int tj3DecompressToYUVPlanes8(void *handle, const tj_byte *bytes, tj_size count, tj_byte **planes,
			      int *strides);
int tj3Transform(void *handle, const tj_byte *bytes, tj_size count, int n, tj_byte **to,
		 tj_size *to_bytes, const void *transforms);
int tj3Compress8(void *handle, const tj_byte *from, int width, int pitch, int height, int format,
		 tj_byte **to, tj_size *to_bytes);
int tj3Compress12(void *handle, const short *from, int width, int pitch, int height, int format,
		  tj_byte **to, tj_size *to_bytes);
int tj3Compress16(void *handle, const unsigned short *from, int width, int pitch, int height,
		  int format, tj_byte **to, tj_size *to_bytes);
int tj3CompressFromYUV8(void *handle, const tj_byte *from, int width, int align, int height,
			tj_byte **to, tj_size *to_bytes);
int tj3CompressFromYUVPlanes8(void *handle, const tj_byte *const *planes, int width,
			      const int *strides, int height, tj_byte **to, tj_size *to_bytes);
int tj3EncodeYUV8(void *handle, const tj_byte *from, int width, int pitch, int height, int format,
		  tj_byte *to, int align);
int tj3EncodeYUVPlanes8(void *handle, const tj_byte *from, int width, int pitch, int height,
			int format, tj_byte **planes, int *strides);
int tj3DecodeYUV8(void *handle, const tj_byte *from, int align, tj_byte *to, int width, int pitch,
		  int height, int format);
int tj3DecodeYUVPlanes8(void *handle, const tj_byte *const *planes, const int *strides, tj_byte *to,
			int width, int pitch, int height, int format);
int tj3Get(void *handle, int parameter);
int tj3GetErrorCode(void *handle);

#endif
