/* SPDX-License-Identifier: MIT */
/*
 * The benchmark table of the requirements, and what the reference implementation was measured to
 * take for the same rows on photograph-like pictures (2 cores, Python 3.11, Pillow 9.4; the sizes
 * in memory already, nothing is read from a file).
 */
#ifndef WAN_TOOLS_BENCH_REFERENCE_H
#define WAN_TOOLS_BENCH_REFERENCE_H

#include <stdint.h>

struct bench_reference {
	const char *name;
	uint32_t width_px, height_px;
	double required_ms, required_faster, required_mb;
	double measured_ms, measured_cached_ms;
	const char *here;  /* what the row does in this program */
	const char *there; /* and in the reference */
};

static const struct bench_reference bench_references[] = {
	{"validation", 512, 512, 18, 25, 0.2, 10.4, 1.03,
	 "JPEG file recognised, priced, decoded whole, every pixel judged",
	 "the required figure is three attribute reads and a sleep of 10 ms; the measured one the "
	 "checks on pixels in memory"},
	{"validation", 1920, 1080, 12, 20, 0.02, 17.0, 8.31, NULL, NULL},
	{"thumbnail_256x256", 512, 512, 5, 3, 0.4, 3.48, 1.09,
	 "JPEG file to a thumbnail equal to Pillow's open() and thumbnail()",
	 "copy and Lanczos thumbnail of pixels in memory"},
	{"thumbnail_256x256", 1920, 1080, 7, 2.5, 0.2, 3.95, 8.66, NULL, NULL},
	{"conversion", 2048, 2048, 9, 15, 0.2, 8.78, 17.2,
	 "PNG file decoded, encoded as JPEG of quality 85",
	 "JPEG of quality 85 from pixels in memory"},
};

#endif
