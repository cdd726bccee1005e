/* SPDX-License-Identifier: MIT */
/* Random pictures, and whether Pillow makes the same of them. */
#ifndef WAN_TESTS_IMAGE_COMPARE_H
#define WAN_TESTS_IMAGE_COMPARE_H

#include "buffer.h"
#include "macros.h"
#include "oracle.h"
#include "sample.h"

static const enum wan_pixel_format formats[] = {WAN_PIXEL_GRAY8, WAN_PIXEL_GRAYA8, WAN_PIXEL_RGB8,
						WAN_PIXEL_RGBA8, WAN_PIXEL_CMYK8};

static inline uint32_t below(uint32_t limit)
{
	static uint64_t state = 20261120;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % limit);
}

static inline unsigned runs(unsigned quick, unsigned full)
{
	const char *tier = getenv("WAN_TEST_TIER");
	return tier && (strcmp(tier, "full") == 0 || strcmp(tier, "soak") == 0) ? full : quick;
}

/* Small ones often: edges are where rules differ. */
static inline uint32_t side(uint32_t most)
{
	static const uint32_t odd[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17};
	uint32_t kind = below(8);
	return kind == 0  ? odd[below(11)]
	       : kind < 5 ? 1 + below(WAN_MIN(most, 90u))
			  : 1 + below(most);
}

static inline struct wan_image *noise(enum wan_pixel_format format, uint32_t width, uint32_t height)
{
	struct wan_image *image = NULL;
	struct wan_image_view view;
	if (wan_image_create(format, width, height, &image) < 0)
		abort();
	wan_image_view(image, &view);
	uint8_t *bytes = wan_image_pixels_mut(image);
	uint32_t kind = below(3);
	for (size_t i = 0; i < view.pixels_bytes; i++)
		bytes[i] = kind == 0   ? (uint8_t)below(256)
			   : kind == 1 ? (uint8_t)(below(2) * 255) /* most overshoot */
				       : sample_byte((uint32_t)i % 97, (uint32_t)i / 97, 0);
	return image;
}

static inline bool ask(struct oracle *oracle, const char *question, const struct wan_image *image,
		       struct oracle_answer *ret_answer)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	*ret_answer = oracle_ask(oracle, question, view.pixels, view.pixels_bytes);
	return ret_answer->error[0] == '\0';
}

static inline bool equal(const struct wan_image *image, const struct oracle_answer *answer)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	return view.width_px == answer->width && view.height_px == answer->height &&
	       view.pixels_bytes == answer->count &&
	       memcmp(view.pixels, answer->bytes, answer->count) == 0;
}

/* Starts Pillow, or leaves a reason to skip. */
static inline bool start(struct oracle *oracle, char *ret_reason, size_t reason_bytes)
{
	static const uint8_t pixel = 0;
	if (!oracle_start(oracle)) {
		snprintf(ret_reason, reason_bytes, "no process can be made");
		return false;
	}
	struct oracle_answer answer = oracle_ask(oracle, "resize L 1 1 1 1 box", &pixel, 1);
	free(answer.bytes);
	snprintf(ret_reason, reason_bytes, "%s", answer.error);
	if (answer.error[0])
		oracle_stop(oracle);
	return !answer.error[0];
}

#endif
