/* SPDX-License-Identifier: MIT */
/* Linked to the stand-in: every function of TurboJPEG 3 that works on an image, once. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "turbojpeg_abi.h"

void *tj3Init(int type);
int tj3Set(void *handle, int parameter, int value);

/* A header of 640 x 480, three components, and a byte that says how it ends. */
static tj_byte image[] = {0xff, 0xd8, 0xff, 0xc0, 0,    17, 8, 1,    0xe0, 2,    0x80, 3,
			  1,    0x22, 0,    2,    0x11, 1,  3, 0x11, 1,    0xff, 0xd9, 'O'};

int main(void)
{
	static tj_byte pixels[16], *planes[3] = {pixels, pixels, pixels};
	static const tj_byte *const from[3] = {pixels, pixels, pixels};
	static short shorts[16];
	int strides[3] = {0, 0, 0}, results = 0;
	tj_byte *to = NULL;
	tj_size bytes = 0;
	void *handle = tj3Init(1);
	results += tj3DecompressHeader(handle, image, sizeof(image));
	results += tj3Decompress8(handle, image, sizeof(image), pixels, 0, 0);
	tj3SetScalingFactor(handle, (struct wan_tj_scale){1, 4});
	results += tj3Decompress8(handle, image, sizeof(image), pixels, 0, 0);
	tj3SetScalingFactor(handle, (struct wan_tj_scale){1, 1});
	results += tj3Decompress12(handle, image, sizeof(image), shorts, 0, 0);
	results += tj3Decompress16(handle, image, sizeof(image), (unsigned short *)shorts, 0, 0);
	results += tj3DecompressToYUV8(handle, image, sizeof(image), pixels, 1);
	results += tj3DecompressToYUVPlanes8(handle, image, sizeof(image), planes, strides);
	results += tj3Transform(handle, image, sizeof(image), 1, &to, &bytes, NULL);
	results += tjDecompress2(handle, image, sizeof(image), pixels, 640, 0, 480, 0, 0);
	results += tj3Compress8(handle, pixels, 100, 0, 50, 0, &to, &bytes);
	tj3Set(handle, WAN_TJ_PARAMETER_PRECISION, 12);
	results += tj3Compress12(handle, shorts, 100, 0, 50, 6, &to, &bytes);
	results += tj3Compress16(handle, (unsigned short *)shorts, 100, 0, 50, 0, &to, &bytes);
	results += tj3CompressFromYUV8(handle, pixels, 100, 1, 50, &to, &bytes);
	results += tj3CompressFromYUVPlanes8(handle, from, 100, strides, 50, &to, &bytes);
	results += tj3EncodeYUV8(handle, pixels, 30, 0, 20, 0, pixels, 1);
	results += tj3EncodeYUVPlanes8(handle, pixels, 30, 0, 20, 0, planes, strides);
	results += tj3DecodeYUV8(handle, pixels, 1, pixels, 30, 0, 20, 0);
	results += tj3DecodeYUVPlanes8(handle, from, strides, pixels, 30, 0, 20, 0);
	image[sizeof(image) - 1] = 'W';
	results += tj3Decompress8(handle, image, sizeof(image), pixels, 0, 0);
	image[sizeof(image) - 1] = 'X';
	results += tj3Decompress8(handle, image, sizeof(image), pixels, 0, 0);
	tj3Destroy(handle);
	printf("%d %zu %d\n", results, (size_t)bytes, pixels[0]);
	return 0;
}
