/* SPDX-License-Identifier: MIT */
/*
 * Packed rows in bands of some 64 KB, each squeezed by LZ4 where that gains an eighth or more: of
 * flat pictures and patterns it does, of photographs it does not, and then costs nothing to read.
 */
#ifndef WAN_IMAGE_COLD_BAND_H
#define WAN_IMAGE_COLD_BAND_H

#include <stddef.h>
#include <stdint.h>

/* A growing block that becomes the cold form. */
struct wan_band_writer {
	uint8_t *block; /* ours until taken; the first head_bytes are the caller's */
	size_t used, capacity, bytes_max;
	uint8_t *rows; /* the band under way */
	uint8_t *squeezed;
	size_t rows_used, rows_capacity;
	unsigned passes; /* bands to go before LZ4 is tried again */
};

struct wan_band_reader {
	const uint8_t *at, *end;   /* bands not begun yet */
	const uint8_t *row, *last; /* packed rows of this band */
	uint8_t *scratch;          /* of a squeezed band; NULL before the first one */
	size_t scratch_bytes;
};

/* The block grows to at most bytes_max; row_bytes is the most that is written between two calls of
 * _room(). 0, -E2BIG (bytes_max is below head_bytes), -ENOMEM. */
int wan_band_writer_begin(struct wan_band_writer *writer, size_t head_bytes, size_t bytes_max,
			  size_t row_bytes);
/* Where to write row_bytes; say how many it were by adding them to rows_used. 0, -E2BIG, -ENOMEM.
 */
int wan_band_writer_room(struct wan_band_writer *writer, size_t row_bytes, uint8_t **ret_at);
/* The whole block, cut to size, now the caller's (wan_free). 0, -E2BIG, -ENOMEM. */
int wan_band_writer_take(struct wan_band_writer *writer, uint8_t **ret_block, size_t *ret_bytes);
/* Frees what was not taken. Also valid on a zeroed writer. */
void wan_band_writer_finish(struct wan_band_writer *writer);

void wan_band_reader_begin(struct wan_band_reader *reader, const uint8_t *bytes, size_t count);
/* Makes reader->row point at the next packed rows. 0, -EBADMSG (there are none, or they are
 * damaged), -ENOMEM. */
int wan_band_reader_fill(struct wan_band_reader *reader);
void wan_band_reader_finish(struct wan_band_reader *reader);

#endif
