/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "buffer.h"
#include "log.h"
#include "npy.h"
#include "output.h"
#include "str.h"

enum { MAGIC_BYTES = 10, ALIGNMENT = 64 };

void wan_image_shape(const struct wan_image_view *view, struct wan_tensor_shape *ret_shape)
{
	bool planar = wan_pixel_is_planar(view->format);
	char kind = view->format == WAN_PIXEL_RGBBF16_PLANAR ? 'b' : planar ? 'f' : 'u';
	*ret_shape = (struct wan_tensor_shape){
		.kind = kind,
		.element_bytes = wan_pixel_sample_bytes(view->format),
		.dimensions = 3,
		.sides = {view->height_px, view->width_px, view->channels},
	};
	if (planar) {
		ret_shape->sides[0] = view->channels;
		ret_shape->sides[1] = view->height_px;
		ret_shape->sides[2] = view->width_px;
	}
}

size_t wan_npy_header(const struct wan_tensor_shape *shape, char *to)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	char order = shape->element_bytes == 1 ? '|' : little ? '<' : '>';
	size_t used = MAGIC_BYTES;
	used += wan_str_format(to + used, WAN_NPY_HEADER_MAX - used,
			       "{'descr': '%c%c%u', 'fortran_order': False, 'shape': (", order,
			       shape->kind == 'f' ? 'f' : 'u', shape->element_bytes);
	for (unsigned i = 0; i < shape->dimensions; i++)
		used += wan_str_format(to + used, WAN_NPY_HEADER_MAX - used, "%s%llu",
				       i ? ", " : "", (unsigned long long)shape->sides[i]);
	used += wan_str_format(to + used, WAN_NPY_HEADER_MAX - used, "), }");
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
	struct wan_tensor_shape shape;
	char header[WAN_NPY_HEADER_MAX];

	if (!image)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_write_npy", "",
				     "there is no image");
	int error = wan_output_open(&output, path, overwrite, reterr_error);
	if (error < 0)
		return error;
	wan_image_shape(&image->view, &shape);
	size_t count = wan_npy_header(&shape, header);
	(void)wan_output_write(&output, header, count);
	(void)wan_output_write(&output, image->view.pixels, image->view.pixels_bytes);
	return wan_output_commit(&output, reterr_error);
}
