/* SPDX-License-Identifier: MIT */
#include "sof.h"

static unsigned big_endian(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* C0..CF but DHT, JPG and DAC. */
static bool is_frame(unsigned marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

bool wan_sof_find(const uint8_t *bytes, size_t count, struct wan_sof *ret_sof)
{
	if (!bytes || count < 4 || bytes[0] != 0xff || bytes[1] != 0xd8)
		return false;
	size_t at = 2;
	while (at + 4 <= count) {
		if (bytes[at] != 0xff || bytes[at + 1] == 0xff) {
			at++; /* fill bytes, or what decoders skip with a warning */
			continue;
		}
		unsigned marker = bytes[at + 1];
		if (marker == 0x00 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
			at += 2; /* stand alone */
			continue;
		}
		if (marker == 0xd9 || marker == 0xda)
			return false;
		if (is_frame(marker) && at + 10 <= count) {
			ret_sof->precision = bytes[at + 4];
			ret_sof->height_px = big_endian(bytes + at + 5);
			ret_sof->width_px = big_endian(bytes + at + 7);
			ret_sof->components = bytes[at + 9];
			ret_sof->progressive = (marker & 3) == 2;
			return true;
		}
		unsigned length = big_endian(bytes + at + 2);
		at += 2 + (length < 2 ? 2 : length);
	}
	return false;
}
