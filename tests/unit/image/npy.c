/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "files.h"
#include "npy.h"
#include "sample.h"
#include "tap.h"

static void check_header(enum wan_pixel_format format, const char *expected)
{
	struct wan_image *image = NULL;
	struct wan_image_view view;
	char header[WAN_NPY_HEADER_MAX];
	REQUIRE_EQ(wan_image_create(format, 832, 480, &image), 0);
	wan_image_view(image, &view);
	struct wan_tensor_shape shape;
	wan_image_shape(&view, &shape);
	size_t count = wan_npy_header(&shape, header);
	CHECK_EQ(count % 64, 0);
	CHECK_MEM(header, "\x93NUMPY\x01\x00", 8);
	CHECK_EQ((uint8_t)header[8] + 256 * (uint8_t)header[9], count - 10);
	CHECK_EQ(header[count - 1], '\n');
	CHECK_EQ(strncmp(header + 10, expected, strlen(expected)), 0);
	wan_image_unref(image);
}

TEST(headers_are_those_of_numpy)
{
	check_header(WAN_PIXEL_RGBF32_PLANAR,
		     "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 480, 832), }  ");
	check_header(WAN_PIXEL_RGBF16_PLANAR,
		     "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 480, 832), }  ");
	/* Numpy knows no bfloat16: its bits. */
	check_header(WAN_PIXEL_RGBBF16_PLANAR,
		     "{'descr': '<u2', 'fortran_order': False, 'shape': (3, 480, 832), }  ");
	check_header(WAN_PIXEL_RGB8,
		     "{'descr': '|u1', 'fortran_order': False, 'shape': (480, 832, 3), }  ");
	check_header(WAN_PIXEL_GRAY16,
		     "{'descr': '<u2', 'fortran_order': False, 'shape': (480, 832, 1), }  ");
}

TEST(the_largest_numbers_fit)
{
	struct wan_tensor_shape shape = {.kind = 'f', .element_bytes = 4, .dimensions = 5};
	for (unsigned i = 0; i < 5; i++)
		shape.sides[i] = UINT64_MAX;
	char header[WAN_NPY_HEADER_MAX];
	CHECK(wan_npy_header(&shape, header) <= WAN_NPY_HEADER_MAX);
	CHECK(strstr(header + 10, ", 18446744073709551615), }") != NULL);
}

TEST(the_file_is_header_and_pixels)
{
	const char *path = in_test_folder("x.npy");
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 61, 43), *planar = NULL;
	struct wan_image_view view;
	struct wan_error error;
	REQUIRE_EQ(wan_image_normalise(image, &planar), 0);
	wan_image_view(planar, &view);
	CHECK_EQ(wan_image_write_npy(planar, path, false, NULL), 0);
	struct bytes bytes = bytes_read(path);
	CHECK_EQ(bytes.count, 128 + view.pixels_bytes);
	CHECK_MEM(bytes.at + 128, view.pixels, view.pixels_bytes);
	CHECK_EQ(wan_image_write_npy(planar, path, false, &error), -EEXIST);
	CHECK_EQ(wan_image_write_npy(planar, path, true, NULL), 0);
	CHECK_EQ(wan_image_write_npy(NULL, path, true, NULL), -EINVAL);
	CHECK_EQ(files_in_test_folder(), 1);
	bytes_free(&bytes);
	wan_image_unref(planar);
	wan_image_unref(image);
}

TAP_MAIN
