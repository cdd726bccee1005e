/* SPDX-License-Identifier: MIT */
#include "jpeg_layout.h"

#include "macros.h"

static const struct wan_jpeg_layout *const layouts[] = {&wan_jpeg_layout_62, &wan_jpeg_layout_80,
							&wan_jpeg_layout_70};

static bool fits(size_t said, size_t known)
{
	return said == 0 || said == known;
}

unsigned wan_jpeg_layout_find(int version, size_t reader_bytes, size_t writer_bytes)
{
	for (unsigned i = 0; i < WAN_COUNT_OF(layouts); i++)
		if (layouts[i]->version == version &&
		    fits(reader_bytes, layouts[i]->reader_bytes) &&
		    fits(writer_bytes, layouts[i]->writer_bytes))
			return i + 1;
	return 0;
}

const struct wan_jpeg_layout *wan_jpeg_layout_at(unsigned number)
{
	return number && number <= WAN_COUNT_OF(layouts) ? layouts[number - 1] : NULL;
}
