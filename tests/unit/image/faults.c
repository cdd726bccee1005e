/* SPDX-License-Identifier: MIT */
/*
 * Every allocation and system call of decoding, resampling, judging and encoding fails in turn:
 * each time the call says so or its result is right, and nothing is left held.
 */
#include <errno.h>

#include "fault.h"
#include "fault_malloc.h"
#include "files.h"
#include "sample.h"
#include "tap.h"
#include "wan/cache.h"
#include "wan/frame.h"

struct scenario {
	char in[256], out[256];
	struct wan_decode_options options;
	struct wan_image *image;
	uint32_t crc; /* of the result when nothing fails; 0: not known yet */
};

/* An injected fault is told with a sentence, or did not matter. */
static void check_result(struct scenario *s, int result, struct wan_image *image,
			 const struct wan_error *error)
{
	if (result < 0) {
		CHECK(image == NULL);
		CHECK(!error || (error->code == result && error->object[0] && error->reason[0]));
	} else {
		uint32_t crc = crc32_image(image);
		if (s->crc == 0)
			s->crc = crc;
		CHECK_EQ(crc, s->crc);
	}
	wan_image_unref(image);
	(void)wan_pool_trim(0);
}

static void decode(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	int result = wan_image_decode(s->in, &s->options, &image, &error);
	check_result(s, result, image, &error);
}

static void encode(void *context)
{
	struct scenario *s = context;
	struct wan_encode_options options;
	struct wan_error error = {.code = 0};
	wan_encode_options_init(&options);
	options.overwrite = true;
	options.format = strstr(s->out, ".jpg") ? WAN_FORMAT_JPEG : WAN_FORMAT_PNG;
	int result = strstr(s->out, ".npy") ? wan_image_write_npy(s->image, s->out, true, &error)
					    : wan_image_encode(s->image, s->out, &options, &error);
	CHECK(result == 0 || (error.code == result && error.reason[0]));
	(void)wan_pool_trim(0);
}

static void resize(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	int result = wan_image_resize(s->image, 30, 50, WAN_FILTER_LANCZOS, &image);
	check_result(s, result, image, NULL);
}

static void thumbnail(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	int result = wan_image_thumbnail(s->image, 16, 16, &image);
	check_result(s, result, image, NULL);
}

static void thumbnail_file(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	int result = wan_image_thumbnail_file(s->in, 5, 9, &s->options, &image, &error);
	check_result(s, result, image, &error);
}

static void fit_file(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	int result = wan_image_fit_file(s->in, 40, 24, WAN_FIT_CONTAIN, WAN_FILTER_LANCZOS,
					&s->options, &image, &error);
	check_result(s, result, image, &error);
}

static void resize_float(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	int result = wan_image_resize_float(s->image, 30, 50, WAN_FILTER_TORCH_BICUBIC, &image);
	check_result(s, result, image, NULL);
}

static void fit_and_normalise(void *context)
{
	struct scenario *s = context;
	struct wan_image *fitted = NULL, *image = NULL;
	int result = wan_image_fit(s->image, 64, 32, WAN_FIT_COVER, WAN_FILTER_BICUBIC, &fitted);
	if (result == 0)
		result = wan_image_normalise(fitted, &image);
	wan_image_unref(fitted);
	check_result(s, result, image, NULL);
}

static void validate(void *context)
{
	struct scenario *s = context;
	struct wan_verdict verdict = {.valid = false};
	int result = wan_image_validate(s->image, NULL, &verdict);
	CHECK(result == -ENOMEM || (result == 0 && verdict.issue_count > 0));
	(void)wan_pool_trim(0);
}

static void frame(void *context)
{
	struct scenario *s = context;
	struct wan_image *image = NULL;
	struct wan_image_view view;
	struct wan_framing framing;
	wan_image_view(s->image, &view);
	struct wan_size source = {view.width_px, view.height_px}, target = {64, 48};
	int result = wan_frame(WAN_PIPELINE_WAN2GP_CROP, source, target, &framing);
	if (result == 0)
		result = wan_image_frame(s->image, &framing, &image);
	check_result(s, result, image, NULL);
}

static void validate_file(void *context)
{
	struct scenario *s = context;
	struct wan_verdict verdict = {.valid = true};
	struct wan_error error = {.code = 0};
	int result = wan_image_validate_file(s->in, NULL, NULL, &verdict, &error);
	CHECK(result < 0 ? error.code == result && error.reason[0] != 0 : verdict.issue_count > 0);
	(void)wan_pool_trim(0);
}

static void key(void *context)
{
	struct scenario *s = context;
	struct wan_key_builder builder;
	wan_key_begin(&builder, "x");
	int result = wan_key_add_file(&builder, s->in);
	(void)wan_key_end(&builder);
	CHECK(result <= 0);
}

static unsigned sweep(void (*run)(void *), struct scenario *s)
{
	int faults = wan_fault_sweep(run, s);
	CHECK(faults > 0);
	int mallocs = 0;
	if (wan_fault_malloc_available()) {
		mallocs = wan_fault_malloc_sweep(run, s);
		CHECK(mallocs > 0);
	}
	return faults > 0 && mallocs >= 0 ? (unsigned)(faults + mallocs) : 0;
}

static struct scenario scenario(const char *in, const char *out)
{
	struct scenario s = {.crc = 0};
	wan_decode_options_init(&s.options);
	snprintf(s.in, sizeof(s.in), "%s", in_test_folder(in));
	snprintf(s.out, sizeof(s.out), "%s", in_test_folder(out));
	return s;
}

TEST(decoding_a_png_survives_every_fault)
{
	static const struct png_kind kinds[] = {
		{37, 29, 8, 2, false, false, 0},
		{37, 29, 16, 6, true, false, 0},
		{37, 29, 4, 3, true, true, 6},
	};
	unsigned faults = 0;
	for (int i = 0; i < 3; i++) {
		struct scenario s = scenario("in.png", "none");
		struct bytes file = make_png(&kinds[i]);
		bytes_write(s.in, file.at, file.count);
		s.options.want = i == 0 ? 0 : WAN_PIXEL_RGB8;
		faults += sweep(decode, &s);
		bytes_free(&file);
	}
	printf("# %u faults\n", faults);
}

TEST(decoding_a_jpeg_survives_every_fault)
{
	static const char *const names[] = {"ycc420", "progressive444", "cmyk", "turned6"};
	unsigned faults = 0;
	for (int i = 0; i < 4; i++) {
		struct scenario s = scenario("in.jpg", "none");
		struct bytes file = data_file(names[i]);
		bytes_write(s.in, file.at, file.count);
		s.options.want = i == 2 ? WAN_PIXEL_RGB8 : 0;
		faults += sweep(decode, &s);
		bytes_free(&file);
	}
	printf("# %u faults\n", faults);
}

TEST(files_made_small_row_by_row_survive_every_fault)
{
	static const char *const names[] = {"ycc420", "progressive444", "turned6"};
	static const struct png_kind kind = {137, 91, 16, 6, false, false, 8};
	unsigned faults = 0;
	for (int i = 0; i < 8; i++) {
		struct scenario s = scenario("in.jpg", "none");
		struct bytes file = i / 2 < 3 ? data_file(names[i / 2]) : make_png(&kind);
		bytes_write(s.in, file.at, file.count);
		faults += sweep(i % 2 ? fit_file : thumbnail_file, &s);
		bytes_free(&file);
	}
	printf("# %u faults\n", faults);
}

TEST(encoding_survives_every_fault_and_leaves_no_parts)
{
	static const char *const outs[] = {"out.png", "out.jpg", "out.npy"};
	unsigned faults = 0;
	for (int i = 0; i < 3; i++) {
		struct scenario s = scenario("none", outs[i]);
		s.image = sample_image(WAN_PIXEL_RGB8, 61, 43);
		faults += sweep(encode, &s);
		wan_image_unref(s.image);
		(void)wan_pool_trim(0);
	}
	printf("# %u faults\n", faults);
}

TEST(pixel_work_survives_every_fault)
{
	void (*const runs[])(void *) = {resize,   thumbnail,    fit_and_normalise,
					validate, resize_float, frame};
	unsigned faults = 0;
	for (int i = 0; i < 6; i++) {
		struct scenario s = scenario("none", "none");
		s.image = sample_image(i == 1 ? WAN_PIXEL_RGB16 : WAN_PIXEL_RGBA8, 97, 61);
		faults += sweep(runs[i], &s);
		wan_image_unref(s.image);
		(void)wan_pool_trim(0);
	}
	printf("# %u faults\n", faults);
}

TEST(judging_a_file_survives_every_fault)
{
	static const struct png_kind kind = {37, 29, 8, 6, false, false, 0};
	struct scenario s = scenario("judged.png", "none");
	struct bytes file = make_png(&kind);
	bytes_write(s.in, file.at, file.count);
	printf("# %u faults\n", sweep(validate_file, &s));
	bytes_free(&file);
}

TEST(keys_survive_every_fault)
{
	struct scenario s = scenario("key", "none");
	bytes_write(s.in, "content", 7);
	int faults = wan_fault_sweep(key, &s);
	CHECK(faults > 0);
}

TAP_MAIN
