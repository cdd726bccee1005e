/* SPDX-License-Identifier: MIT */
/*
 * Random sizes, formats, filters and boxes, compared with what the Pillow of this machine makes of
 * the same bytes, at every level of vector code; and floats with those of its torch. A few hundred
 * in the quick tier, thousands with WAN_TEST_TIER=full.
 */
#include "compare.h"
#include "cpu.h"
#include "resize.h"
#include "tap.h"

static const char *const filter_names[] = {"lanczos", "bicubic", "bilinear", "box"};

struct resizing {
	enum wan_pixel_format format;
	uint32_t width, height, to_width, to_height;
	int filter;
	bool boxed;
	float box[4];
};

static struct resizing random_resizing(void)
{
	struct resizing r = {.format = formats[below(5)],
			     .width = side(300),
			     .height = side(200),
			     .to_width = side(300),
			     .to_height = side(200),
			     .filter = (int)below(4),
			     .boxed = below(3) == 0};
	if (below(10) == 0)
		r.to_width = r.width;
	if (below(10) == 0)
		r.to_height = r.height;
	/* Quarters and thirds of pixels, at least one pixel large. */
	float x = (float)below(r.width) / 4 + (float)below(3) / 3, y = (float)below(r.height) / 4;
	r.box[0] = WAN_MIN(x, (float)(r.width - 1));
	r.box[1] = WAN_MIN(y, (float)(r.height - 1));
	r.box[2] = (float)r.width - (float)below((uint32_t)((float)r.width - r.box[0])) / 2;
	r.box[3] = (float)r.height - (float)below((uint32_t)((float)r.height - r.box[1])) / 3;
	return r;
}

static int resize(const struct wan_image *image, const struct resizing *r,
		  struct wan_image **ret_image)
{
	if (!r->boxed)
		return wan_image_resize(image, r->to_width, r->to_height,
					(enum wan_filter)r->filter, ret_image);
	struct wan_resample what =
		wan_resample_whole(image, r->to_width, r->to_height, (enum wan_filter)r->filter);
	what.left = r->box[0];
	what.top = r->box[1];
	what.right = r->box[2];
	what.bottom = r->box[3];
	int error = wan_image_create(r->format, r->to_width, r->to_height, ret_image);
	return error < 0 ? error : wan_resample(image, &what, *ret_image, 0, 0);
}

static bool resizing_equals(struct oracle *oracle, const struct resizing *r, char *question,
			    size_t question_bytes)
{
	struct wan_image *image = noise(r->format, r->width, r->height), *made = NULL;
	struct oracle_answer answer;
	bool good = true;
	int used = snprintf(question, question_bytes, "resize %s %u %u %u %u %s",
			    oracle_mode(r->format), r->width, r->height, r->to_width, r->to_height,
			    filter_names[r->filter]);
	if (r->boxed)
		snprintf(question + used, question_bytes - (size_t)used, " %.9g %.9g %.9g %.9g",
			 (double)r->box[0], (double)r->box[1], (double)r->box[2],
			 (double)r->box[3]);
	good = ask(oracle, question, image, &answer);
	if (!good)
		printf("# %s\n", answer.error);
	for (int level = WAN_CPU_AVX512; good && level >= WAN_CPU_BASE; level--) {
		wan_cpu_limit((enum wan_cpu_level)level);
		good = resize(image, r, &made) == 0 && equal(made, &answer);
		wan_image_unref(made);
		made = NULL;
	}
	wan_cpu_limit(WAN_CPU_AVX512);
	free(answer.bytes);
	wan_image_unref(image);
	return good;
}

TEST(random_resizes_equal_pillow_at_every_level)
{
	struct oracle oracle;
	char reason[256], question[256];
	unsigned count = runs(400, 6000);
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (unsigned i = 0; i < count; i++) {
		struct resizing r = random_resizing();
		if (!CHECK(resizing_equals(&oracle, &r, question, sizeof(question)))) {
			printf("# %s\n", question);
			break;
		}
	}
	printf("# %u resizes, up to three levels each\n", count);
	oracle_stop(&oracle);
}

TEST(large_and_extreme_resizes_equal_pillow)
{
	static const struct resizing cases[] = {
		{WAN_PIXEL_RGB8, 1920, 1080, 832, 480, WAN_FILTER_LANCZOS, false, {0}},
		{WAN_PIXEL_RGBA8, 1280, 720, 832, 480, WAN_FILTER_LANCZOS, false, {0}},
		{WAN_PIXEL_GRAY8, 1001, 777, 640, 1281, WAN_FILTER_BICUBIC, false, {0}},
		{WAN_PIXEL_RGB8, 65535, 1, 7, 3, WAN_FILTER_LANCZOS, false, {0}},
		{WAN_PIXEL_RGB8, 65535, 1, 65534, 1, WAN_FILTER_BICUBIC, false, {0}},
		{WAN_PIXEL_RGBA8, 1, 65535, 2, 300, WAN_FILTER_BOX, false, {0}},
		{WAN_PIXEL_GRAY8, 1, 1, 4000, 3, WAN_FILTER_LANCZOS, false, {0}},
		{WAN_PIXEL_CMYK8, 3, 2, 1, 1, WAN_FILTER_LANCZOS, false, {0}},
		{WAN_PIXEL_RGB8, 4000, 3000, 1, 1, WAN_FILTER_LANCZOS, false, {0}},
	};
	struct oracle oracle;
	char reason[256], question[256];
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!CHECK(resizing_equals(&oracle, &cases[i], question, sizeof(question))))
			printf("# %s\n", question);
	oracle_stop(&oracle);
}

TEST(random_thumbnails_equal_pillow)
{
	struct oracle oracle;
	char reason[256], question[256];
	unsigned count = runs(200, 3000);
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (unsigned i = 0; i < count; i++) {
		enum wan_pixel_format format = formats[below(5)];
		uint32_t width = side(1500), height = side(700);
		uint32_t most_width = side(200), most_height = side(200);
		struct wan_image *image = noise(format, width, height), *made = NULL;
		struct oracle_answer answer;
		snprintf(question, sizeof(question), "thumbnail %s %u %u %u %u",
			 oracle_mode(format), width, height, most_width, most_height);
		CHECK(ask(&oracle, question, image, &answer));
		CHECK_EQ(wan_image_thumbnail(image, most_width, most_height, &made), 0);
		bool good = CHECK(equal(made, &answer));
		wan_image_unref(made);
		wan_image_unref(image);
		free(answer.bytes);
		if (!good) {
			printf("# %s\n", question);
			break;
		}
	}
	printf("# %u thumbnails\n", count);
	oracle_stop(&oracle);
}

static double largest_difference(const struct wan_image *image, const struct oracle_answer *answer)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	const float *ours = view.pixels;
	double most = view.pixels_bytes == answer->count ? 0 : INFINITY;
	for (size_t i = 0; i < view.pixels_bytes / sizeof(float) && most < 10; i++) {
		float theirs;
		memcpy(&theirs, answer->bytes + i * sizeof(theirs), sizeof(theirs));
		most = fmax(most, fabs((double)ours[i] - (double)theirs));
	}
	return most;
}

TEST(floats_are_within_a_ten_thousandth_of_those_of_torch)
{
	struct oracle oracle;
	char reason[256], question[256];
	unsigned count = runs(60, 1500);
	double most = 0;
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (unsigned i = 0; i < count; i++) {
		bool cubic = below(2) == 0;
		uint32_t width = i ? side(400) : 1920, height = i ? side(300) : 1080;
		uint32_t to_width = i ? side(400) : 832, to_height = i ? side(300) : 464;
		struct wan_image *image = noise(WAN_PIXEL_RGB8, width, height), *made = NULL;
		struct oracle_answer answer;
		snprintf(question, sizeof(question), "torch %u %u %u %u %s", width, height,
			 to_width, to_height, cubic ? "bicubic" : "bilinear");
		bool asked = ask(&oracle, question, image, &answer);
		if (asked) {
			CHECK_EQ(wan_image_resize_float(image, to_width, to_height,
							cubic ? WAN_FILTER_TORCH_BICUBIC
							      : WAN_FILTER_TORCH_BILINEAR,
							&made),
				 0);
			double difference = largest_difference(made, &answer);
			if (!CHECK(difference <= 1e-4))
				printf("# %s: %g\n", question, difference);
			most = fmax(most, difference);
		}
		wan_image_unref(made);
		wan_image_unref(image);
		free(answer.bytes);
		if (!asked) {
			oracle_stop(&oracle);
			SKIP("torch: %.200s", answer.error);
		}
	}
	printf("# %u resizes, largest difference %.3g\n", count, most);
	oracle_stop(&oracle);
}

TAP_MAIN
