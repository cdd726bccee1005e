/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for TurboJPEG 3, which distributions do not have yet: its names and versions, results
 * that a test can tell, no images. A decode of a buffer that begins with 'X' fails; with 'W' it
 * warns. tjDecompress2() goes through tj3Decompress8() by the exported name, as the real one's
 * calls of itself may.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "turbojpeg_abi.h"

struct handle {
	int error;
	int precision;
	struct wan_tj_scale scale;
};

void *tj3Init(int type);
int tj3Set(void *handle, int parameter, int value);
void *tjInitDecompress(void);

void *tj3Init(int type)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	handle->error = -1;
	handle->precision = 8;
	handle->scale = (struct wan_tj_scale){1, 1};
	return handle;
}

void *tjInitDecompress(void)
{
	return tj3Init(1);
}

int tj3Set(void *handle, int parameter, int value)
{
	if (parameter == WAN_TJ_PARAMETER_PRECISION)
		((struct handle *)handle)->precision = value;
	return 0;
}

int tj3Get(void *handle, int parameter)
{
	return parameter == WAN_TJ_PARAMETER_PRECISION ? ((struct handle *)handle)->precision : -1;
}

void tj3Destroy(void *handle)
{
	free(handle);
}

int tj3GetErrorCode(void *handle)
{
	return ((struct handle *)handle)->error;
}

int tj3SetScalingFactor(void *handle, struct wan_tj_scale scale)
{
	((struct handle *)handle)->scale = scale;
	return 0;
}

/* 0, 1 (warned), 2 (failed), as the first byte of what comes after the header says. */
static int outcome(struct handle *handle, const tj_byte *bytes, tj_size count)
{
	tj_byte last = count ? bytes[count - 1] : 'X';
	handle->error = last == 'W' ? 0 : last == 'X' ? 1 : -1;
	return handle->error >= 0 ? -1 : 0;
}

int tj3DecompressHeader(void *handle, const tj_byte *bytes, tj_size count)
{
	return outcome(handle, bytes, count);
}

#define DECODE(name, sample)                                                                       \
	int name(void *handle, const tj_byte *bytes, tj_size count, sample *to, int pitch,         \
		 int format)                                                                       \
	{                                                                                          \
		to[0] = 42;                                                                        \
		return outcome(handle, bytes, count);                                              \
	}
DECODE(tj3Decompress8, tj_byte)
DECODE(tj3Decompress12, short)
DECODE(tj3Decompress16, unsigned short)

int tjDecompress2(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int width,
		  int pitch, int height, int format, int flags)
{
	return tj3Decompress8(handle, bytes, count, to, pitch, format);
}

int tj3DecompressToYUV8(void *handle, const tj_byte *bytes, tj_size count, tj_byte *to, int align)
{
	return outcome(handle, bytes, count);
}

int tj3DecompressToYUVPlanes8(void *handle, const tj_byte *bytes, tj_size count, tj_byte **planes,
			      int *strides)
{
	return outcome(handle, bytes, count);
}

int tj3Transform(void *handle, const tj_byte *bytes, tj_size count, int n, tj_byte **to,
		 tj_size *to_bytes, const void *transforms)
{
	return outcome(handle, bytes, count);
}

#define ENCODE(name, sample, bytes)                                                                \
	int name(void *handle, const sample *from, int width, int pitch, int height, int format,   \
		 tj_byte **to, tj_size *to_bytes)                                                  \
	{                                                                                          \
		*to_bytes = bytes;                                                                 \
		return 0;                                                                          \
	}
ENCODE(tj3Compress8, tj_byte, 1008)
ENCODE(tj3Compress12, short, 1012)
ENCODE(tj3Compress16, unsigned short, 1016)

int tj3CompressFromYUV8(void *handle, const tj_byte *from, int width, int align, int height,
			tj_byte **to, tj_size *to_bytes)
{
	*to_bytes = 1001;
	return 0;
}

int tj3CompressFromYUVPlanes8(void *handle, const tj_byte *const *planes, int width,
			      const int *strides, int height, tj_byte **to, tj_size *to_bytes)
{
	*to_bytes = 1002;
	return 0;
}

int tj3EncodeYUV8(void *handle, const tj_byte *from, int width, int pitch, int height, int format,
		  tj_byte *to, int align)
{
	return 0;
}

int tj3EncodeYUVPlanes8(void *handle, const tj_byte *from, int width, int pitch, int height,
			int format, tj_byte **planes, int *strides)
{
	return 0;
}

int tj3DecodeYUV8(void *handle, const tj_byte *from, int align, tj_byte *to, int width, int pitch,
		  int height, int format)
{
	return 0;
}

int tj3DecodeYUVPlanes8(void *handle, const tj_byte *const *planes, const int *strides, tj_byte *to,
			int width, int pitch, int height, int format)
{
	return 0;
}
