/* SPDX-License-Identifier: MIT */
#include "jpeg_scans.h"

#include <string.h>

#include "bytes.h"
#include "macros.h"

enum { MARK = 0xff, RESTART = 0xd0, RESTART_LAST = 0xd7, END = 0xd9, SCAN = 0xda };

/* Not a marker but part of the coded data. */
static bool is_data(uint8_t code)
{
	return code == 0 || (code >= RESTART && code <= RESTART_LAST);
}

static void note_precision(struct wan_jpeg_scans *s, int component, int first, int last, int low)
{
	for (int k = first; k <= last && k < DCTSIZE2; k++)
		s->precision[component][k] = (int8_t)low;
}

void wan_jpeg_scans_begin(struct wan_jpeg_scans *scans, struct jpeg_decompress_struct *jpeg)
{
	bool any = false;
	*scans = (struct wan_jpeg_scans){.components = jpeg->num_components};
	memset(scans->precision, -1, sizeof(scans->precision));
	jpeg_calc_output_dimensions(jpeg);
	for (int c = 0; c < jpeg->num_components; c++) {
		scans->ids[c] = (uint8_t)jpeg->comp_info[c].component_id;
		scans->mean_only[c] = jpeg->comp_info[c].DCT_scaled_size == 1;
		any |= scans->mean_only[c];
	}
	for (int i = 0; i < jpeg->comps_in_scan; i++)
		note_precision(scans, jpeg->cur_comp_info[i]->component_index, jpeg->Ss, jpeg->Se,
			       jpeg->Al);
	scans->at = jpeg->src->next_input_byte;
	scans->left = jpeg->src->bytes_in_buffer;
	if (any) {
		scans->active = true;
		jpeg->src->bytes_in_buffer = 0;
		/* What is not read must not be taken for something to be guessed. */
		jpeg->do_block_smoothing = FALSE;
	}
}

bool wan_jpeg_scans_complete(const struct wan_jpeg_scans *scans)
{
	for (int c = 0; c < scans->components; c++)
		for (int k = 0; k < DCTSIZE2; k++)
			if (scans->precision[c][k] != 0)
				return false;
	return true;
}

static int index_of(const struct wan_jpeg_scans *s, uint8_t id)
{
	for (int c = 0; c < s->components; c++)
		if (s->ids[c] == id)
			return c;
	return -1;
}

/* The held header of a scan: 2 marker, 2 length, 1 count, count * 2, first, last, bits. */
static bool wanted(struct wan_jpeg_scans *s)
{
	const uint8_t *header = s->held;
	int count = header[4];
	if (s->held_count != (size_t)count * 2 + 8 || count < 1)
		return true; /* the decoder will say what it thinks of it */
	const uint8_t *range = header + 5 + 2 * count;
	bool used = range[0] == 0 || count > 1;
	for (int i = 0; i < count; i++) {
		int component = index_of(s, header[5 + 2 * i]);
		if (component < 0)
			return true;
		note_precision(s, component, range[0], range[1], range[2] & 15);
		used |= !s->mean_only[component];
	}
	return used;
}

static void take(struct wan_jpeg_scans *s, size_t count)
{
	s->at += count;
	s->left -= count;
}

static void hold(struct wan_jpeg_scans *s, size_t want)
{
	while (s->left > 0 && s->held_count < want) {
		s->held[s->held_count++] = *s->at;
		take(s, 1);
	}
}

/* Coded data up to the mark of a marker, or all there is. Returns how much. */
static size_t pass_data(struct wan_jpeg_scans *s)
{
	const uint8_t *begin = s->at;
	while (s->left > 0) {
		const uint8_t *mark = memchr(s->at, MARK, s->left);
		take(s, mark ? (size_t)(mark - s->at) : s->left);
		if (s->left >= 2 && is_data(s->at[1])) {
			take(s, 2);
		} else if (s->left > 0) {
			size_t count = (size_t)(s->at - begin);
			take(s, 1);
			s->held[0] = MARK;
			s->held_count = 1;
			s->state = WAN_SCANS_MARKER;
			return count;
		}
	}
	return (size_t)(s->at - begin);
}

/* The code of a marker; true when what is held goes on. */
static bool take_code(struct wan_jpeg_scans *s)
{
	uint8_t code = *s->at;
	take(s, 1);
	if (code == MARK) /* a fill byte */
		return false;
	s->held[s->held_count++] = code;
	if (is_data(code)) { /* it was cut in two by the end of a piece */
		s->state = WAN_SCANS_ENTROPY;
		return !s->skips;
	}
	s->state = code == END ? WAN_SCANS_END : WAN_SCANS_HEADER;
	return code == END;
}

/* Length, and of a scan the whole header; true when what is held goes on. */
static bool take_header(struct wan_jpeg_scans *s)
{
	hold(s, 4);
	if (s->held_count < 4)
		return false;
	size_t length = wan_be16(s->held + 2);
	if (s->held[1] != SCAN || length < 3 || length + 2 > sizeof(s->held)) {
		s->segment_left = length > 2 ? length - 2 : 0;
		s->state = WAN_SCANS_SEGMENT;
		return true;
	}
	hold(s, length + 2);
	if (s->held_count < length + 2)
		return false;
	s->state = WAN_SCANS_ENTROPY;
	s->skips = !wanted(s);
	return !s->skips;
}

/* One step; what it hands on, if anything. */
static size_t step(struct wan_jpeg_scans *s, const uint8_t **ret_piece)
{
	const uint8_t *begin = s->at;
	size_t count = 0;

	*ret_piece = s->held;
	switch (s->state) {
	case WAN_SCANS_ENTROPY:
		*ret_piece = begin;
		count = pass_data(s);
		return s->skips ? 0 : count;
	case WAN_SCANS_MARKER:
		return take_code(s) ? s->held_count : 0;
	case WAN_SCANS_HEADER:
		return take_header(s) ? s->held_count : 0;
	case WAN_SCANS_SEGMENT:
		*ret_piece = begin;
		count = WAN_MIN(s->left, s->segment_left);
		take(s, count);
		s->segment_left -= count;
		if (s->segment_left == 0) /* the next marker follows like one behind data */
			s->state = WAN_SCANS_ENTROPY, s->skips = false;
		return count;
	default:
		*ret_piece = begin;
		count = s->left;
		take(s, count);
		return count;
	}
}

bool wan_jpeg_scans_next(struct wan_jpeg_scans *scans, const uint8_t **ret_piece, size_t *ret_count)
{
	while (scans->left > 0) {
		*ret_count = step(scans, ret_piece);
		if (*ret_count > 0)
			return true;
	}
	return false;
}
