/* SPDX-License-Identifier: MIT */
/*
 * load = key > cache > probe (price) > reserve > decode > cache. Two callers of the same image cost
 * one decode, and nothing is allocated that was not priced and granted before.
 */
#include "load.h"

#include <errno.h>

#include "clock.h"
#include "codec.h"
#include "instance.h"
#include "log.h"
#include "options.h"
#include "profile.h"

/* What the compute callback needs. */
struct decoding {
	struct wan_runtime *runtime;
	const char *path;
	const struct wan_decode_options *options;
	const struct wan_image_info *info; /* NULL: not probed, since it was cached a moment ago */
	struct wan_error *error;
};

void wan_load_end_operation(struct wan_op *op, const char *path, int code,
			    const struct wan_image *made)
{
	wan_op_set_file(op, path);
	if (made) { /* pixels come from the pool, which no allocator counts */
		struct wan_image_view view;
		wan_image_view(made, &view);
		wan_op_add_memory(op, (int64_t)view.pixels_bytes, view.pixels_bytes);
	}
	wan_op_end(op, code < 0 ? WAN_OP_FAILED : WAN_OP_OK);
}

int wan_load_explain(int code, const char *path, struct wan_error *reterr_error)
{
	if (code < 0 && reterr_error && reterr_error->code == 0)
		wan_error_set(reterr_error, code, path, "", "%s", wan_strerror(code));
	return code;
}

/* What the decoded pixels depend on, beside the file. */
static void key_add_decode(struct wan_key_builder *builder, const struct wan_decode_options *decode)
{
	const uint32_t numbers[] = {
		decode->want,         decode->alpha,           decode->apply_orientation,
		decode->strict,       decode->allow_truncated, decode->min_width_px,
		decode->min_height_px};
	wan_key_add(builder, "decode", numbers, sizeof(numbers));
}

/* Decode what was probed, within what was granted for it: -EFBIG when the file has grown since. */
static int decode_granted(const struct decoding *decoding, const struct wan_image_info *info,
			  uint64_t price_bytes, struct wan_value *ret_value)
{
	struct wan_decode_options options = *decoding->options;
	options.max_bytes = WAN_MIN(options.max_bytes, WAN_MAX(price_bytes, info->file_bytes));
	struct wan_op op;
	wan_op_begin_as(decoding->runtime->profile, &op,
			info->format == WAN_FORMAT_PNG ? "png.decode" : "jpeg.decode",
			WAN_LIBRARY_WANRT, true);
	wan_op_set_image(&op, info->width_px, info->height_px, info->channels, info->bit_depth,
			 info->file_bytes);
	wan_op_set_flags(&op, info->interlaced ? WAN_OP_PROGRESSIVE : 0);
	struct wan_image *image = NULL;
	uint64_t started_ns = wan_now_ns();
	int r = wan_image_decode(decoding->path, &options, &image, decoding->error);
	if (r == 0)
		wan_load_image_value(image, 0, started_ns, ret_value);
	wan_load_end_operation(&op, decoding->path, r, image);
	return r;
}

static int compute_decode(void *context, struct wan_value *ret_value)
{
	struct decoding *decoding = context;
	struct wan_runtime *runtime = decoding->runtime;
	const struct wan_image_info *info = decoding->info;
	for (unsigned tries = 0;; tries++) {
		struct wan_image_info probed;
		uint64_t output_bytes, price_bytes;
		int r = 0;
		if (!info)
			r = wan_image_probe(decoding->path, &probed, decoding->error);
		if (r < 0)
			return r;
		info = info ? info : &probed;
		wan_price_of_info(info, decoding->options, &output_bytes, &price_bytes);
		struct wan_load_grant grant;
		r = wan_load_grant(runtime, decoding->path, output_bytes, price_bytes, &grant,
				   decoding->error);
		if (r == 0)
			r = decode_granted(decoding, info, price_bytes, ret_value);
		wan_load_grant_end(&grant);
		bool grown = r == -EFBIG && price_bytes < decoding->options->max_bytes;
		if (!grown || tries == 2)
			return r;
		if (decoding->error)
			decoding->error->code = 0;
		info = NULL;
	}
}

/* A limit that was left as wan_decode_options_init() makes it is the configured one. */
static void use_configured_limits(const struct wan_runtime *runtime,
				  struct wan_decode_options *options)
{
	struct wan_decode_options defaults;
	wan_decode_options_init(&defaults);
	if (options->max_pixels == defaults.max_pixels)
		options->max_pixels = runtime->config.image_max_pixels;
	if (options->max_bytes == defaults.max_bytes)
		options->max_bytes = runtime->config.image_max_bytes;
	if (options->max_scans == defaults.max_scans)
		options->max_scans = (uint32_t)runtime->config.image_max_scans;
	if (options->max_chunks == defaults.max_chunks)
		options->max_chunks = (uint32_t)runtime->config.image_max_chunks;
}

int wan_load_options(const struct wan_runtime *runtime, const struct wan_decode_options *given,
		     struct wan_decode_options *ret_options, struct wan_error *reterr_error)
{
	wan_decode_options_init(ret_options);
	if (given &&
	    wan_options_overlay(ret_options, sizeof(*ret_options), given, given->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_load",
				     "fill options with wan_decode_options_init()",
				     "options are made for another version");
	use_configured_limits(runtime, ret_options);
	return 0;
}

bool wan_load_is_cached(struct wan_runtime *runtime, const char *path)
{
	struct wan_decode_options decode;
	struct wan_stage stage;
	if (wan_load_options(runtime, NULL, &decode, NULL) < 0)
		return false;
	wan_stage_begin(&stage, runtime, "decode", NULL);
	if (wan_stage_add_file(&stage, path) < 0)
		return false;
	key_add_decode(&stage.builder, &decode);
	return wan_stage_is_cached(&stage);
}

/* One image with these very options. *ret_info is filled when it had to be looked at. */
static int load(struct wan_runtime *runtime, const char *path,
		const struct wan_decode_options *decode, struct wan_image_info *ret_info,
		struct wan_pin **ret_pin, bool *ret_hit, struct wan_error *reterr_error)
{
	struct wan_stage stage;
	wan_stage_begin(&stage, runtime, "decode", reterr_error);
	int r = wan_stage_add_file(&stage, path);
	if (r < 0)
		return r;
	key_add_decode(&stage.builder, decode);

	struct decoding decoding = {
		.runtime = runtime, .path = path, .options = decode, .error = reterr_error};
	uint64_t expected_bytes = 0;
	if (!wan_stage_is_cached(&stage)) {
		/* By the last look: what does not fit will be refused, or the decoder counts. */
		r = wan_probe_within(path, decode, wan_load_room(runtime), ret_info, reterr_error);
		if (r < 0)
			return r;
		uint64_t peak_bytes;
		decoding.info = ret_info;
		wan_load_price(ret_info, decode, &expected_bytes, &peak_bytes);
	}
	return wan_stage_get(&stage, expected_bytes, compute_decode, &decoding, ret_pin, ret_hit);
}

/* There was no room for the whole: a smaller scale, under a key of its own, or a hint at it. */
static int load_less(struct wan_runtime *runtime, const char *path,
		     const struct wan_decode_options *decode, const struct wan_image_info *info,
		     struct wan_pin **ret_pin, bool *ret_hit, struct wan_error *reterr_error)
{
	struct wan_load_offer offer = {.struct_size = sizeof(offer)};
	wan_load_offer_of(runtime, info, decode, &offer);
	int r = -ENOMEM;
	for (uint32_t divisor = WAN_MAX(offer.divisor, 2);
	     r == -ENOMEM && offer.divisor && divisor <= decode->accept_divisor; divisor *= 2) {
		struct wan_decode_options scaled;
		struct wan_image_info unused;
		wan_load_scaled_options(decode, info, divisor, &scaled);
		if (reterr_error)
			reterr_error->code = 0;
		r = load(runtime, path, &scaled, &unused, ret_pin, ret_hit, reterr_error);
	}
	if (r == -ENOMEM && reterr_error)
		wan_load_hint(&offer, reterr_error);
	return r;
}

int wan_load(struct wan_runtime *runtime, const char *path,
	     const struct wan_decode_options *options, struct wan_pin **ret_pin, bool *ret_hit,
	     struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !path || !ret_pin)
		return wan_error_set(reterr_error, -EINVAL, "wan_load", "",
				     "an argument is missing");
	struct wan_decode_options decode;
	int r = wan_load_options(runtime, options, &decode, reterr_error);
	if (r < 0)
		return r;
	struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
	r = load(runtime, path, &decode, &info, ret_pin, ret_hit, reterr_error);
	if (r != -ENOMEM || info.format == WAN_FORMAT_UNKNOWN)
		return r;
	return load_less(runtime, path, &decode, &info, ret_pin, ret_hit, reterr_error);
}

struct wan_image *wan_pin_image(const struct wan_pin *pin)
{
	return pin ? wan_pin_data(pin) : NULL;
}
