/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <stdbool.h>

#include <stdlib.h>
#include <string.h>

const char *const bench_content_names[BENCH_CONTENTS] = {"simple", "medium", "complex"};

int bench_content_find(const char *name)
{
	for (int i = 0; i < BENCH_CONTENTS; i++)
		if (strcmp(bench_content_names[i], name) == 0)
			return i;
	return -1;
}

static uint32_t mixed(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t value = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
	value = (value ^ value >> 15) * 0x2c1b3c6du;
	value = (value ^ value >> 12) * 0x297a2d39u;
	return value ^ value >> 15;
}

/* 0 to 255, smooth between the corners of cells of 2^shift pixels. */
static uint32_t noise(uint32_t x, uint32_t y, unsigned shift, uint32_t seed)
{
	uint32_t cell = 1u << shift, cx = x >> shift, cy = y >> shift;
	uint32_t fx = x & (cell - 1), fy = y & (cell - 1);
	uint32_t a = mixed(cx, cy, seed) & 255, b = mixed(cx + 1, cy, seed) & 255;
	uint32_t c = mixed(cx, cy + 1, seed) & 255, d = mixed(cx + 1, cy + 1, seed) & 255;
	uint32_t top = a * (cell - fx) + b * fx, bottom = c * (cell - fx) + d * fx;
	return (top * (cell - fy) + bottom * fy) >> (2 * shift);
}

static uint8_t within(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void simple(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t seed,
		   uint8_t *to)
{
	uint32_t band = (uint32_t)((uint64_t)x * 6 / width) + seed;
	to[0] = (uint8_t)(40 + (uint64_t)y * 160 / height);
	to[1] = (uint8_t)(60 + band * 29 % 140);
	to[2] = (uint8_t)(90 + band * 53 % 120);
}

static void medium(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t seed,
		   uint8_t *to)
{
	/* Discs, one in each cell, of a colour of its own. */
	uint32_t cell = width > 512 ? 96 : 24, cx = x / cell, cy = y / cell;
	uint32_t kind = mixed(cx, cy, seed);
	int dx = (int)(x % cell) - (int)(cell / 2), dy = (int)(y % cell) - (int)(cell / 2);
	int reach = (int)(cell / 5 + kind % (cell / 4));
	bool inside = dx * dx + dy * dy < reach * reach;
	int texture = (int)(noise(x, y, 3, seed) / 16);
	for (unsigned i = 0; i < 3; i++) {
		int slope = (int)(40 + (uint64_t)(i ? x : y) * 140 / (i ? width : height));
		to[i] = within((inside ? (int)(kind >> 8 * i & 255) : slope) + texture);
	}
}

static void complex_pixel(uint32_t x, uint32_t y, uint32_t seed, uint8_t *to)
{
	int light = (int)(noise(x, y, 7, seed) / 2 + noise(x, y, 4, seed + 1) / 3 +
			  noise(x, y, 2, seed + 2) / 4);
	uint32_t grain = mixed(x, y, seed + 3);
	int colour = (int)noise(x, y, 6, seed + 4) / 4;
	to[0] = within(light + (int)(grain & 31) - 16);
	to[1] = within(light + colour + (int)(grain >> 8 & 31) - 32);
	to[2] = within(light - colour + (int)(grain >> 16 & 31) - 8);
}

void bench_content_row(enum bench_content content, uint32_t width_px, uint32_t height_px,
		       uint32_t seed, uint32_t y, uint8_t *to)
{
	for (uint32_t x = 0; x < width_px; x++, to += 3) {
		if (content == BENCH_CONTENT_SIMPLE)
			simple(x, y, width_px, height_px, seed, to);
		else if (content == BENCH_CONTENT_MEDIUM)
			medium(x, y, width_px, height_px, seed, to);
		else
			complex_pixel(x, y, seed, to);
	}
}

double bench_content_detail(enum bench_content content, uint32_t width_px, uint32_t height_px)
{
	uint8_t row[3 * 1024];
	uint64_t sum = 0, count = 0;
	width_px = width_px > 1024 ? 1024 : width_px;
	for (uint32_t y = 0; y < height_px; y++) {
		bench_content_row(content, width_px, height_px, 0, y, row);
		for (uint32_t i = 3; i < 3 * width_px; i++, count++)
			sum += (uint64_t)abs(row[i] - row[i - 3]);
	}
	return count ? (double)sum / (double)count : 0;
}
