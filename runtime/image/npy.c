/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "buffer.h"
#include "log.h"
#include "npy.h"
#include "output.h"
#include "str.h"

enum { MAGIC_BYTES = 10, ALIGNMENT = 64 };

static const char *type_of(enum wan_pixel_format format)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	switch (wan_pixel_sample_bytes(format)) {
	case 1:
		return "|u1";
	case 2:
		return little ? "<u2" : ">u2";
	default:
		return little ? "<f4" : ">f4";
	}
}

size_t wan_npy_header(const struct wan_image_view *view, char *to)
{
	uint32_t shape[3] = {view->height_px, view->width_px, view->channels};
	if (view->format == WAN_PIXEL_RGBF32_PLANAR) {
		shape[0] = view->channels;
		shape[1] = view->height_px;
		shape[2] = view->width_px;
	}
	size_t used = MAGIC_BYTES;
	used += wan_str_format(to + used, WAN_NPY_HEADER_MAX - used,
			       "{'descr': '%s', 'fortran_order': False, 'shape': (%u, %u, %u), }",
			       type_of(view->format), shape[0], shape[1], shape[2]);
	size_t total = (used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	memset(to + used, ' ', total - used - 1);
	to[total - 1] = '\n';
	memcpy(to, "\x93NUMPY\x01\x00", 8);
	to[8] = (char)((total - MAGIC_BYTES) & 0xff);
	to[9] = (char)((total - MAGIC_BYTES) >> 8);
	return total;
}

int wan_image_write_npy(const struct wan_image *image, const char *path, bool overwrite,
			struct wan_error *reterr_error)
{
	struct wan_output output;
	char header[WAN_NPY_HEADER_MAX];

	if (!image)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_write_npy", "",
				     "there is no image");
	int error = wan_output_open(&output, path, overwrite, reterr_error);
	if (error < 0)
		return error;
	size_t count = wan_npy_header(&image->view, header);
	(void)wan_output_write(&output, header, count);
	(void)wan_output_write(&output, image->view.pixels, image->view.pixels_bytes);
	return wan_output_commit(&output, reterr_error);
}
