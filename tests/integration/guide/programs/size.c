/* SPDX-License-Identifier: MIT */
/* Decodes a JPEG; linked with libjpeg.a it has a codec of its own. */
#include <stdio.h>

#include <jpeglib.h>

int main(int argc, char **argv)
{
	struct jpeg_decompress_struct image;
	struct jpeg_error_mgr errors;
	static unsigned char row[3 * 65536], *rows = row;
	FILE *file = fopen(argc > 1 ? argv[1] : "start.jpg", "rb");
	if (!file)
		return 1;
	image.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&image);
	jpeg_stdio_src(&image, file);
	jpeg_read_header(&image, TRUE);
	jpeg_start_decompress(&image);
	while (image.output_scanline < image.output_height)
		jpeg_read_scanlines(&image, &rows, 1);
	printf("%ux%u\n", image.output_width, image.output_height);
	jpeg_finish_decompress(&image);
	jpeg_destroy_decompress(&image);
	return fclose(file);
}
