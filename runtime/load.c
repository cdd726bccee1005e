/* SPDX-License-Identifier: MIT */
/*
 * load = key > cache > probe (price) > reserve > decode > cache. Two callers of the same image cost
 * one decode, and nothing is allocated that was not priced and granted before.
 */
#include "load.h"

#include <errno.h>

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

static void destroy_image(void *data)
{
	wan_image_unref(data);
}

void wan_load_image_value(struct wan_image *image, uint32_t flags, struct wan_value *ret_value)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	*ret_value = (struct wan_value){.data = image,
					.bytes = view.pixels_bytes,
					.destroy = destroy_image,
					.flags = flags};
}

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

/* Which level refused is in the reason; the object is the image, as in any other error. */
int wan_load_reserve(struct wan_runtime *runtime, const char *path, uint64_t bytes,
		     struct wan_error *reterr_error)
{
	struct wan_error refused = {0};
	int r = wan_memory_reserve(runtime->memory, bytes, &refused);
	if (r == -ENOMEM)
		return wan_error_set(reterr_error, r, path, refused.hint,
				     "is not processed: memory of %s: %s", refused.object,
				     refused.reason);
	if (r < 0 && reterr_error)
		*reterr_error = refused;
	return r;
}

int wan_load_explain(int code, const char *path, struct wan_error *reterr_error)
{
	if (code < 0 && reterr_error && reterr_error->code == 0)
		wan_error_set(reterr_error, code, path, "", "%s", wan_strerror(code));
	return code;
}

int wan_load_key_begin(struct wan_key_builder *builder, const char *operation, const char *path,
		       struct wan_error *reterr_error)
{
	wan_key_begin(builder, operation);
	int r = wan_key_add_file(builder, path);
	if (r < 0)
		return wan_error_set(reterr_error, r, path, "check the path and its permissions",
				     "cannot be looked at: %s", wan_strerror(r));
	return 0;
}

static void key_add_decode(struct wan_key_builder *builder, const struct wan_decode_options *decode)
{
	wan_key_add_u64(builder, "want", decode->want);
	wan_key_add_u64(builder, "alpha", decode->alpha);
	wan_key_add_u64(builder, "orientation", decode->apply_orientation);
	wan_key_add_u64(builder, "strict", decode->strict);
	wan_key_add_u64(builder, "allow_truncated", decode->allow_truncated);
	wan_key_add_u64(builder, "min_width", decode->min_width_px);
	wan_key_add_u64(builder, "min_height", decode->min_height_px);
}

static int compute_decode(void *context, struct wan_value *ret_value)
{
	struct decoding *decoding = context;
	struct wan_runtime *runtime = decoding->runtime;
	struct wan_image_info probed;
	if (!decoding->info) {
		int r = wan_image_probe(decoding->path, &probed, decoding->error);
		if (r < 0)
			return r;
		decoding->info = &probed;
	}
	const struct wan_image_info *info = decoding->info;
	int r = wan_load_reserve(runtime, decoding->path, info->peak_bytes, decoding->error);
	if (r < 0)
		return r;

	struct wan_op op;
	wan_op_begin_as(runtime->profile, &op,
			info->format == WAN_FORMAT_PNG ? "png.decode" : "jpeg.decode",
			WAN_LIBRARY_WANRT, true);
	wan_op_set_image(&op, info->width_px, info->height_px, info->channels, info->bit_depth,
			 info->file_bytes);
	wan_op_set_flags(&op, info->interlaced ? WAN_OP_PROGRESSIVE : 0);
	struct wan_image *image = NULL;
	r = wan_image_decode(decoding->path, decoding->options, &image, decoding->error);
	wan_load_end_operation(&op, decoding->path, r, image);
	wan_memory_unreserve(runtime->memory, info->peak_bytes);
	if (r < 0)
		return r;
	wan_load_image_value(image, 0, ret_value);
	return 0;
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
	wan_decode_options_init(&decode);
	decode.max_pixels = runtime->config.image_max_pixels;
	decode.max_bytes = runtime->config.image_max_bytes;
	decode.max_scans = (uint32_t)runtime->config.image_max_scans;
	decode.max_chunks = (uint32_t)runtime->config.image_max_chunks;
	if (options &&
	    wan_options_overlay(&decode, sizeof(decode), options, options->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_load",
				     "fill options with wan_decode_options_init()",
				     "options are made for another version");

	struct wan_key_builder builder;
	int r = wan_load_key_begin(&builder, "decode", path, reterr_error);
	if (r < 0)
		return r;
	key_add_decode(&builder, &decode);
	struct wan_key key = wan_key_end(&builder);

	struct decoding decoding = {
		.runtime = runtime, .path = path, .options = &decode, .error = reterr_error};
	struct wan_image_info info;
	uint64_t expected_bytes = 0;
	if (!wan_cache_contains(runtime->cache, key)) {
		r = wan_image_probe(path, &info, reterr_error);
		if (r < 0)
			return r;
		decoding.info = &info;
		expected_bytes = info.output_bytes;
	}
	r = wan_cache_get_or_compute(runtime->cache, key, expected_bytes, compute_decode, &decoding,
				     ret_pin, ret_hit);
	return wan_load_explain(r, path, reterr_error);
}

struct wan_image *wan_pin_image(const struct wan_pin *pin)
{
	return pin ? wan_pin_data(pin) : NULL;
}
