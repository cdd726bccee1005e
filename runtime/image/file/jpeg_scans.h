/* SPDX-License-Identifier: MIT */
/*
 * Leaves out the scans of a progressive JPEG that a decoding at 1/8 does not look at: of a
 * component that becomes one sample a block only the mean is used, and its detail is most of the
 * file.
 */
#ifndef WAN_IMAGE_JPEG_SCANS_H
#define WAN_IMAGE_JPEG_SCANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

struct wan_jpeg_scans {
	bool active;
	enum {
		WAN_SCANS_ENTROPY, /* coded data: up to the next marker */
		WAN_SCANS_MARKER,  /* its code follows */
		WAN_SCANS_HEADER,  /* its length, and all of it when it begins a scan */
		WAN_SCANS_SEGMENT, /* what is left of another one */
		WAN_SCANS_END,
	} state;
	bool skips;        /* this scan */
	const uint8_t *at; /* what is left of the source's piece */
	size_t left;
	uint8_t held[32]; /* marker, length, header of a scan */
	size_t held_count, segment_left;
	int components;
	uint8_t ids[MAX_COMPONENTS];
	bool mean_only[MAX_COMPONENTS];
	int8_t precision[MAX_COMPONENTS][DCTSIZE2]; /* missing bits of each coefficient; -1: all */
};

/* Begin behind the header of the first scan, sizes of the output being set; the rest of the
 * source's piece is taken over. Does nothing when no component is used for its means only. */
void wan_jpeg_scans_begin(struct wan_jpeg_scans *scans, struct jpeg_decompress_struct *jpeg);
/* Take up to all of scans->at; false: nothing to hand on yet, more is needed. The piece is valid
 * until the next call. Pure. */
bool wan_jpeg_scans_next(struct wan_jpeg_scans *scans, const uint8_t **ret_piece,
			 size_t *ret_count);
/* Whether all of the picture was coded: where it was not, libjpeg smooths it, and looks at what was
 * left out. Pure. */
bool wan_jpeg_scans_complete(const struct wan_jpeg_scans *scans);

#endif
