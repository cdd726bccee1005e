/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for libjpeg with the interface of version 8, as Ubuntu builds it: objects laid out in
 * its way, no images. Rows hold their number; the header of any source is 400 x 300, progressive.
 */
#include <stdio.h>
#include <string.h>

#define JCONFIG_INCLUDED
#include <jconfig.h>
#undef JPEG_LIB_VERSION
#define JPEG_LIB_VERSION 80
#include <jpeglib.h>

static void failed(j_common_ptr object)
{
	(void)object;
}

struct jpeg_error_mgr *jpeg_std_error(struct jpeg_error_mgr *manager)
{
	memset(manager, 0, sizeof(*manager));
	manager->error_exit = failed;
	return manager;
}

void jpeg_CreateDecompress(j_decompress_ptr object, int version, size_t bytes)
{
	struct jpeg_error_mgr *manager = object->err;
	if (version != JPEG_LIB_VERSION || bytes != sizeof(*object))
		manager->error_exit((j_common_ptr)object);
	memset(object, 0, sizeof(*object));
	object->err = manager;
	object->is_decompressor = TRUE;
}

int jpeg_read_header(j_decompress_ptr object, boolean require_image)
{
	object->image_width = 400;
	object->image_height = 300;
	object->num_components = 3;
	object->data_precision = 8;
	object->progressive_mode = TRUE;
	return JPEG_HEADER_OK;
}

boolean jpeg_start_decompress(j_decompress_ptr object)
{
	object->output_width = object->image_width;
	object->output_height = object->image_height;
	object->output_components = 3;
	return TRUE;
}

JDIMENSION jpeg_read_scanlines(j_decompress_ptr object, JSAMPARRAY rows, JDIMENSION most)
{
	memset(rows[0], (int)object->output_scanline++, object->output_width * 3);
	return 1;
}

boolean jpeg_finish_decompress(j_decompress_ptr object)
{
	return TRUE;
}

void jpeg_destroy_decompress(j_decompress_ptr object)
{
	object->global_state = 0;
}

void jpeg_CreateCompress(j_compress_ptr object, int version, size_t bytes)
{
	struct jpeg_error_mgr *manager = object->err;
	if (version != JPEG_LIB_VERSION || bytes != sizeof(*object))
		manager->error_exit((j_common_ptr)object);
	memset(object, 0, sizeof(*object));
	object->err = manager;
}

void jpeg_set_defaults(j_compress_ptr object)
{
	object->data_precision = 8;
	object->num_components = 1; /* gray, whatever the rows are */
	object->progressive_mode = TRUE;
}

void jpeg_start_compress(j_compress_ptr object, boolean all_tables)
{
	object->next_scanline = 0;
}

JDIMENSION jpeg_write_scanlines(j_compress_ptr object, JSAMPARRAY rows, JDIMENSION most)
{
	object->next_scanline += most;
	return most;
}

void jpeg_finish_compress(j_compress_ptr object)
{
	object->global_state = 0;
}

void jpeg_destroy_compress(j_compress_ptr object)
{
	object->global_state = 0;
}
