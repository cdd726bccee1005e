/* SPDX-License-Identifier: MIT */
/*
 * The file of an image once more, for the cold forms that are made from it. libjpeg's errors come
 * back by longjmp: whoever calls setjmp(input->jump) keeps what it owns in a struct of its own.
 * Any warning is an error here, since only whole files have such a form.
 */
#ifndef WAN_IMAGE_COLD_JPEG_H
#define WAN_IMAGE_COLD_JPEG_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>

#include "buffer.h"
#include "codec.h"

struct wan_jpeg_input {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors; /* for a compressor beside it too */
	struct jpeg_source_mgr input;
	jmp_buf jump;
	struct wan_source *source; /* borrowed */
	bool no_memory;
};

/* Opens the file an image was decoded from. 0, -ESTALE (it is not that file any more, or gone),
 * -ENOMEM. */
int wan_origin_open(const struct wan_origin *origin, struct wan_source *source);
/* Is the file still the same, after it was read? */
bool wan_origin_unchanged(const struct wan_origin *origin, const struct wan_source *source);

/* Call setjmp() before; what is read comes from source. */
void wan_jpeg_input_begin(struct wan_jpeg_input *input, struct wan_source *source);
/* The error manager for before _begin(): errors jump from then on. */
void wan_jpeg_input_init(struct wan_jpeg_input *input);
/* Ends the work with an error, by longjmp. */
_Noreturn void wan_jpeg_input_stop(struct wan_jpeg_input *input);
/* -ENOMEM or -ENOTSUP, after a jump. */
int wan_jpeg_input_error(const struct wan_jpeg_input *input);
void wan_jpeg_input_finish(struct wan_jpeg_input *input);

/* Row y as the decoder delivered it, of an image turned upright afterwards; width_px and height_px
 * are those of the decoder. Borrowed from the image, or written to line. */
const uint8_t *wan_cold_unturned_row(const struct wan_image *image, uint8_t orientation,
				     uint32_t width_px, uint32_t height_px, uint32_t y,
				     uint8_t *line);

#endif
