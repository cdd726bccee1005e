/* SPDX-License-Identifier: MIT */
/* Any bytes: the header is read and priced without allocation and without contradiction. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "codec.h"
#include "exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct wan_source source;
	struct wan_header header;
	struct wan_error error;
	struct wan_decode_options options;
	uint64_t output, peak;

	(void)wan_exif_orientation(data, bytes);
	uint64_t directory;
	(void)wan_tiff_directory(data, bytes, &directory);
	struct wan_image_info foreign = {.format = WAN_FORMAT_UNKNOWN};
	if (wan_probe_foreign(data, bytes, &foreign) == 0 &&
	    (foreign.format <= WAN_FORMAT_JPEG || !wan_format_hint(foreign.format)[0]))
		abort(); /* recognised as nothing, or without a way out */
	if (wan_source_open_memory(&source, data, bytes, &error) < 0)
		return 0;
	int result = wan_probe_source(&source, &header, &error);
	if (result < 0) {
		if (error.code != result || !error.reason[0])
			abort(); /* an error without a sentence */
		return 0;
	}
	const struct wan_image_info *info = &header.info;
	wan_decode_options_init(&options);
	wan_price(&header, &options, &output, &peak);
	if (output != info->output_bytes || peak != info->peak_bytes || peak < output)
		abort();
	if (info->width_px == 0 || info->height_px == 0 || info->channels < 1 ||
	    info->channels > 4 || info->exif_orientation < 1 || info->exif_orientation > 8)
		abort();
	return 0;
}
