/* SPDX-License-Identifier: MIT */
/* Built for the interface of version 8: one decode and one encode. */
#include <stdio.h>

#define JCONFIG_INCLUDED
#include <jconfig.h>
#undef JPEG_LIB_VERSION
#define JPEG_LIB_VERSION 80
#include <jpeglib.h>

int main(void)
{
	static struct jpeg_decompress_struct reader;
	static struct jpeg_compress_struct writer;
	static JSAMPLE pixels[1280];
	JSAMPROW row = pixels;
	struct jpeg_error_mgr manager;
	unsigned sum = 0;
	reader.err = writer.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&reader);
	jpeg_read_header(&reader, TRUE);
	jpeg_start_decompress(&reader);
	while (reader.output_scanline < reader.output_height) {
		jpeg_read_scanlines(&reader, &row, 1);
		sum = sum * 31 + pixels[7];
	}
	jpeg_finish_decompress(&reader);
	jpeg_destroy_decompress(&reader);
	jpeg_create_compress(&writer);
	writer.image_width = 200;
	writer.image_height = 100;
	writer.input_components = 3;
	jpeg_set_defaults(&writer);
	jpeg_start_compress(&writer, TRUE);
	while (writer.next_scanline < writer.image_height)
		jpeg_write_scanlines(&writer, &row, 1);
	jpeg_finish_compress(&writer);
	jpeg_destroy_compress(&writer);
	printf("%08x\n", sum);
	return 0;
}
