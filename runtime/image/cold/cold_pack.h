/* SPDX-License-Identifier: MIT */
/*
 * One row of bytes as its difference to the row above, in groups of 16 that take as many bits a
 * sample as their largest difference needs. Photographs differ by noise, in which LZ4 finds little:
 * this keeps 1.4 times as much in the same space and is unpacked several times faster.
 *
 * A packed row: 4 bits for the width (0 to 8) of each group, then the groups. A group of width w is
 * 2w bytes: sample i is the signed number in bits iw to iw + w - 1, lowest bit first.
 */
#ifndef WAN_IMAGE_COLD_PACK_H
#define WAN_IMAGE_COLD_PACK_H

#include <stddef.h>
#include <stdint.h>

enum {
	WAN_PACK_GROUP = 16,
	/* Lines are as long as whole pairs of groups: what lies behind a row is read and written.
	 */
	WAN_PACK_LINE = 32,
	/* Bytes that must be readable behind the end given to wan_unpack_row(). */
	WAN_PACK_SLACK = 32,
};

/* The length of a line for count samples. */
static inline size_t wan_pack_line_bytes(size_t count)
{
	return (count + WAN_PACK_LINE - 1) / WAN_PACK_LINE * WAN_PACK_LINE;
}

/* The most a packed row takes, and what wan_pack_row() may write. */
static inline size_t wan_pack_bound(size_t count)
{
	size_t groups = wan_pack_line_bytes(count) / WAN_PACK_GROUP;
	return groups / 2 + groups * WAN_PACK_GROUP + WAN_PACK_SLACK;
}

/* Packs row and makes it the row above: above becomes row. What is behind count in both lines must
 * be equal. Returns the bytes of the packed row. */
size_t wan_pack_row(const uint8_t *row, uint8_t *above, size_t count, uint8_t *out);
/* Turns the row above into the row. Returns the bytes taken, 0 when they are not there: line may
 * hold anything then. Bytes of any kind are safe. */
size_t wan_unpack_row(const uint8_t *in, const uint8_t *end, uint8_t *line, size_t count);

#endif
