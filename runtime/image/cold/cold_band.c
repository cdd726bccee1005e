/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <lz4.h>

#include "alloc.h"
#include "cold_band.h"
#include "cold_pack.h"
#include "macros.h"

/* A band fits the second-level cache of any processor beside the pixels it becomes. */
#define BAND_BYTES ((size_t)64 * 1024)
/* Bands not tried after one that gained nothing: its neighbours seldom do. */
#define PASSES 4
/* A squeezed band says so in the highest bit of its length. */
#define SQUEEZED  0x80000000u
#define BAND_HEAD 8u
/* No band is larger: rows are at most 4 x 2^28 samples, and LZ4 counts in int. */
#define BAND_MAX ((size_t)1 << 30)

static void put_word(uint8_t *at, uint32_t word)
{
	memcpy(at, &word, sizeof(word));
}

static uint32_t get_word(const uint8_t *at)
{
	uint32_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

int wan_band_writer_begin(struct wan_band_writer *writer, size_t head_bytes, size_t bytes_max,
			  size_t row_bytes)
{
	size_t rows_bytes = WAN_MAX(BAND_BYTES, row_bytes);
	if (head_bytes + WAN_PACK_SLACK > bytes_max)
		return -E2BIG;
	if (rows_bytes > BAND_MAX)
		return -E2BIG;
	*writer = (struct wan_band_writer){
		.used = head_bytes, .bytes_max = bytes_max, .rows_capacity = rows_bytes};
	/* Three times smaller is what most pictures become; it grows when this one does not. */
	writer->capacity = WAN_MAX(head_bytes + BAND_BYTES, bytes_max / 3);
	writer->block = wan_malloc(writer->capacity);
	writer->rows = wan_malloc(rows_bytes);
	writer->squeezed = wan_malloc(rows_bytes);
	if (writer->block && writer->rows && writer->squeezed) {
		memset(writer->block, 0, head_bytes);
		return 0;
	}
	wan_band_writer_finish(writer);
	return -ENOMEM;
}

static int grow(struct wan_band_writer *writer, size_t bytes)
{
	size_t wanted = writer->used + bytes + WAN_PACK_SLACK;
	if (wanted > writer->bytes_max)
		return -E2BIG;
	if (wanted <= writer->capacity)
		return 0;
	size_t capacity = WAN_MIN(wanted + wanted / 2, WAN_MAX(writer->bytes_max, wanted));
	uint8_t *block = wan_realloc_array(writer->block, capacity, 1);
	if (!block)
		return -ENOMEM;
	writer->block = block;
	writer->capacity = capacity;
	return 0;
}

static int flush(struct wan_band_writer *writer)
{
	size_t packed = writer->rows_used;
	if (packed == 0)
		return 0;
	int squeezed = 0;
	if (writer->passes > 0) {
		writer->passes--;
	} else {
		squeezed =
			LZ4_compress_default((const char *)writer->rows, (char *)writer->squeezed,
					     (int)packed, (int)(packed - packed / 8));
		writer->passes = squeezed > 0 ? 0 : PASSES;
	}
	size_t stored = squeezed > 0 ? (size_t)squeezed : packed;
	int error = grow(writer, BAND_HEAD + stored);
	if (error < 0)
		return error;
	uint8_t *at = writer->block + writer->used;
	put_word(at, (uint32_t)stored | (squeezed > 0 ? SQUEEZED : 0));
	put_word(at + 4, (uint32_t)packed);
	memcpy(at + BAND_HEAD, squeezed > 0 ? writer->squeezed : writer->rows, stored);
	writer->used += BAND_HEAD + stored;
	writer->rows_used = 0;
	return 0;
}

int wan_band_writer_room(struct wan_band_writer *writer, size_t row_bytes, uint8_t **ret_at)
{
	if (writer->rows_used + row_bytes > writer->rows_capacity) {
		int error = flush(writer);
		if (error < 0)
			return error;
	}
	*ret_at = writer->rows + writer->rows_used;
	return 0;
}

int wan_band_writer_take(struct wan_band_writer *writer, uint8_t **ret_block, size_t *ret_bytes)
{
	int error = flush(writer);
	if (error == 0)
		error = grow(writer, 0);
	if (error < 0)
		return error;
	memset(writer->block + writer->used, 0, WAN_PACK_SLACK);
	size_t bytes = writer->used + WAN_PACK_SLACK;
	uint8_t *block = wan_realloc_array(writer->block, bytes, 1);
	if (!block)
		return -ENOMEM;
	writer->block = NULL;
	*ret_block = block;
	*ret_bytes = bytes;
	return 0;
}

void wan_band_writer_finish(struct wan_band_writer *writer)
{
	wan_free(writer->block);
	wan_free(writer->rows);
	wan_free(writer->squeezed);
	*writer = (struct wan_band_writer){.block = NULL};
}

void wan_band_reader_begin(struct wan_band_reader *reader, const uint8_t *bytes, size_t count)
{
	*reader = (struct wan_band_reader){.at = bytes,
					   .end = bytes + WAN_MAX(count, (size_t)WAN_PACK_SLACK) -
						  WAN_PACK_SLACK};
}

static int unsqueeze(struct wan_band_reader *reader, const uint8_t *from, size_t stored,
		     size_t packed)
{
	/* LZ4 makes at most 255 bytes of one: more is a lie, and must not be allocated. */
	if (packed > BAND_MAX || packed / 255 > stored)
		return -EBADMSG;
	if (packed > reader->scratch_bytes) {
		wan_free(reader->scratch);
		reader->scratch_bytes = 0;
		reader->scratch = wan_malloc(packed + WAN_PACK_SLACK);
		if (!reader->scratch)
			return -ENOMEM;
		reader->scratch_bytes = packed;
	}
	int got = LZ4_decompress_safe((const char *)from, (char *)reader->scratch, (int)stored,
				      (int)packed);
	if (got < 0 || (size_t)got != packed)
		return -EBADMSG;
	memset(reader->scratch + packed, 0, WAN_PACK_SLACK);
	reader->row = reader->scratch;
	return 0;
}

int wan_band_reader_fill(struct wan_band_reader *reader)
{
	if ((size_t)(reader->end - reader->at) < BAND_HEAD)
		return -EBADMSG;
	uint32_t stored = get_word(reader->at), packed = get_word(reader->at + 4);
	const uint8_t *from = reader->at + BAND_HEAD;
	uint32_t bytes = stored & ~SQUEEZED;
	if (bytes > (size_t)(reader->end - from))
		return -EBADMSG;
	if (stored & SQUEEZED) {
		int error = unsqueeze(reader, from, bytes, packed);
		if (error < 0)
			return error;
	} else {
		if (packed != bytes)
			return -EBADMSG;
		reader->row = from;
	}
	reader->last = reader->row + packed;
	reader->at = from + bytes;
	return 0;
}

void wan_band_reader_finish(struct wan_band_reader *reader)
{
	wan_free(reader->scratch);
	reader->scratch = NULL;
}
