/* SPDX-License-Identifier: MIT */
/* guest_allocator FILE: decodes a JPEG with an allocator of its own, which comes before any hook.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { POOL_BYTES = 64 << 20 };

static char pool[POOL_BYTES] __attribute__((aligned(16)));
static size_t used;

void *malloc(size_t bytes)
{
	size_t at = used + 16;
	if (bytes > POOL_BYTES - 16 || at > POOL_BYTES - bytes)
		return NULL;
	used = at + ((bytes + 15) & ~(size_t)15);
	memcpy(pool + at - 16, &bytes, sizeof(bytes));
	return pool + at;
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t bytes)
{
	return malloc(count * bytes); /* never used before: zeros */
}

void *realloc(void *block, size_t bytes)
{
	void *fresh = malloc(bytes);
	size_t before = 0;
	if (block)
		memcpy(&before, (char *)block - 16, sizeof(before));
	if (fresh && block)
		memcpy(fresh, block, before < bytes ? before : bytes);
	return fresh;
}

int main(int argc, char **argv)
{
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
	if (!file)
		return 64;
	object.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&object);
	jpeg_stdio_src(&object, file);
	jpeg_read_header(&object, TRUE);
	jpeg_start_decompress(&object);
	JSAMPROW row = malloc(object.output_width * 3);
	while (object.output_scanline < object.output_height)
		jpeg_read_scanlines(&object, &row, 1);
	jpeg_finish_decompress(&object);
	jpeg_destroy_decompress(&object);
	printf("done\n");
	return 0;
}
