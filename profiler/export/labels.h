/* SPDX-License-Identifier: MIT */
/*
 * Ready-made pieces of output for texts that come again and again (names, files): made once, then
 * copied. A fixed number of places, found by the address of the text, so that a million names take
 * no more memory than a hundred; a piece too long for its place is made anew each time.
 */
#ifndef WAN_PROFILER_LABELS_H
#define WAN_PROFILER_LABELS_H

#include "sink.h"

#define WAN_LABELS      256u
#define WAN_LABEL_BYTES 232u /* multiple of 8 */

struct wan_label {
	const void *first, *second; /* what it was made from */
	uint32_t bytes;             /* 0: not made */
	uint32_t reserved;
	char text[WAN_LABEL_BYTES];
};

struct wan_labels {
	struct wan_label places[WAN_LABELS];
};

static inline struct wan_label *wan_label_at(struct wan_labels *labels, const void *first,
					     const void *second)
{
	uint64_t mixed = ((uint64_t)(uintptr_t)first ^ (uint64_t)(uintptr_t)second << 7) *
			 UINT64_C(0x9e3779b97f4a7c15);
	return &labels->places[mixed >> 56 & (WAN_LABELS - 1)];
}

/* Is the piece there? Else it is to be made, and kept with wan_label_keep(). */
static inline bool wan_label_ready(const struct wan_label *label, const void *first,
				   const void *second)
{
	return label->bytes && label->first == first && label->second == second;
}

/* Pieces are copied 32 bytes at a time: what is stored behind the end is overwritten later. The
 * caller has room for WAN_LABEL_BYTES + 32. */
static inline char *wan_put_label(char *to, const struct wan_label *label)
{
	memcpy(to, label->text, 32);
	memcpy(to + 32, label->text + 32, 32);
	for (uint32_t at = 64; wan_unlikely(at < label->bytes); at += 8)
		memcpy(to + at, label->text + at, 8);
	return to + label->bytes;
}

/* Keep what was written into the sink since `from` (no flush in between) as this label. */
static inline void wan_label_keep(struct wan_label *label, const void *first, const void *second,
				  const char *from, size_t bytes)
{
	label->bytes = 0;
	if (bytes > WAN_LABEL_BYTES)
		return;
	memcpy(label->text, from, bytes);
	label->first = first;
	label->second = second;
	label->bytes = (uint32_t)bytes;
}

#endif
