/* SPDX-License-Identifier: MIT */
/*
 * Progress bars as they are printed: one line of text to what it says. Known are tqdm (whose look
 * transformers, diffusers and huggingface_hub have too), rich and progressbar2; what is no bar for
 * sure is none. The text is without colours and cursor movements (bar_line.h). Pure; the work is
 * bounded by a small multiple of the bytes.
 */
#ifndef WAN_PRELOAD_BAR_PARSE_H
#define WAN_PRELOAD_BAR_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAN_BAR_UNIT_BYTES = 16 };

struct wan_bar_text {
	const char *name; /* description, in the text; may be empty */
	size_t name_bytes;
	uint64_t done, total; /* total 0: unknown */
	uint64_t elapsed_s;   /* since the bar began, by its own account; UINT64_MAX: not told */
	bool followed;        /* by text that is not the bar's: a line of a log, say */
	bool amount;          /* bytes or rounded numbers: not steps that could be counted */
	char unit[WAN_BAR_UNIT_BYTES];
};

/* False: no bar. */
bool wan_bar_parse(const char *text, size_t bytes, struct wan_bar_text *ret_bar);

/* What a bar with that description is about: enum wan_phase of wan/progress.h. */
unsigned wan_bar_phase(const char *name, size_t bytes);

#endif
