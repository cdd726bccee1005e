/* SPDX-License-Identifier: MIT */
/*
 * The pictures that are measured: made by rule, so that they are the same on every machine, and
 * what was decoded can be held against what was meant. Pure.
 */
#ifndef WAN_TOOLS_BENCH_CONTENT_H
#define WAN_TOOLS_BENCH_CONTENT_H

#include <stdint.h>

/* By how much a codec has to do. */
enum bench_content {
	BENCH_CONTENT_SIMPLE,  /* areas of one colour and slow gradients, as a drawing */
	BENCH_CONTENT_MEDIUM,  /* shapes with edges over gradients, light texture */
	BENCH_CONTENT_COMPLEX, /* structure at every scale and grain, as a photograph of leaves */
};
#define BENCH_CONTENTS 3

extern const char *const bench_content_names[BENCH_CONTENTS];
/* Number of a name, -1: none has it. */
int bench_content_find(const char *name);

/* Row y of a picture of width_px x height_px, three bytes a pixel; seed tells pictures apart. */
void bench_content_row(enum bench_content content, uint32_t width_px, uint32_t height_px,
		       uint32_t seed, uint32_t y, uint8_t *to);
/* What a picture has of detail: mean difference of neighbours in a row, 0 to 255. */
double bench_content_detail(enum bench_content content, uint32_t width_px, uint32_t height_px);

#endif
