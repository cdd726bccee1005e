/* SPDX-License-Identifier: MIT */
#include "image_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_decode(data, bytes, WAN_FORMAT_PNG);
	return 0;
}
