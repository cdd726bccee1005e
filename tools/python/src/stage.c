/* SPDX-License-Identifier: MIT */
/*
 * The cached stages of the library, each in the pixel format that is asked for. What the library
 * does not keep in that format is converted here, as one more cached and profiled stage. Nothing
 * here touches a Python object: it runs without the GIL.
 */
#include "stage.h"

#include <errno.h>
#include <stddef.h>

void wan_py_stage_init(struct wan_py_stage *stage, enum wan_py_stage_kind kind)
{
	*stage = (struct wan_py_stage){.kind = kind};
	wan_decode_options_init(&stage->decode);
	/* An older, shorter struct: the limits behind it stay those of the configuration. */
	stage->decode.struct_size = offsetof(struct wan_decode_options, max_pixels);
}

static void destroy_image(void *data)
{
	wan_image_unref(data);
}

static void set_value(struct wan_image *image, struct wan_value *ret_value)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	*ret_value = (struct wan_value){.data = image,
					.bytes = view.pixels_bytes,
					.destroy = destroy_image,
					.flags = WAN_CACHE_DERIVED};
}

/* What an operation says of its result: pixels come from the pool, which no allocator counts. */
static void end_operation(struct wan_op *op, const char *path, const struct wan_image *made)
{
	wan_op_set_file(op, path);
	if (made) {
		struct wan_image_view view;
		wan_image_view(made, &view);
		wan_op_add_memory(op, (int64_t)view.pixels_bytes, view.pixels_bytes);
	}
	wan_op_end(op, made ? WAN_OP_OK : WAN_OP_FAILED);
}

static struct wan_image_view look(const struct wan_pin *pin)
{
	struct wan_image_view view;
	wan_image_view(wan_pin_image(pin), &view);
	return view;
}

/* Everything that changes the pixels; the file is its identity. */
static int stage_key(struct wan_py_stage *stage, const char *operation, struct wan_key *ret_key)
{
	const struct wan_decode_options *decode = &stage->decode;
	const uint32_t words[] = {stage->kind,      stage->width_px,
				  stage->height_px, stage->fit,
				  stage->filter,    stage->pipeline,
				  stage->is_end,    decode->apply_orientation,
				  decode->strict,   decode->allow_truncated,
				  stage->mode,      stage->alpha};
	struct wan_key_builder builder;
	wan_key_begin(&builder, operation);
	int r = wan_runtime_key_add_file(stage->runtime, &builder, stage->path);
	if (r < 0)
		return r;
	wan_key_add(&builder, "stage", words, sizeof(words));
	*ret_key = wan_key_end(&builder);
	return 0;
}

/* --- framing --- */

int wan_py_stage_framing(const struct wan_py_stage *stage, struct wan_size source,
			 struct wan_framing *ret_framing)
{
	struct wan_size size = {stage->width_px, stage->height_px};
	return stage->is_end ? wan_frame_end(stage->pipeline, source, size, ret_framing)
			     : wan_frame(stage->pipeline, source, size, ret_framing);
}

/* The size as the pipeline reads the file; its verdict is cached, so a hit opens nothing. */
static int source_size(struct wan_py_stage *stage, struct wan_size *ret_size)
{
	struct wan_image_info info;
	int r = wan_validate(stage->runtime, stage->path, &info, NULL, NULL, &stage->error);
	if (r < 0)
		return r;
	bool is_turned = stage->decode.apply_orientation && info.exif_orientation >= 5;
	ret_size->width_px = is_turned ? info.height_px : info.width_px;
	ret_size->height_px = is_turned ? info.width_px : info.height_px;
	return 0;
}

int wan_py_stage_picture(struct wan_py_stage *stage, struct wan_framing *framing,
			 struct wan_picture *ret_picture)
{
	struct wan_size source;
	int r = source_size(stage, &source);
	if (r == 0)
		r = wan_py_stage_framing(stage, source, framing);
	if (r < 0)
		return r;
	*ret_picture = (struct wan_picture){.path = stage->path,
					    .framing = framing,
					    .as_stored = !stage->decode.apply_orientation};
	return 0;
}

static int pin_frame(struct wan_py_stage *stage, struct wan_pin **ret_pin, bool *ret_hit)
{
	struct wan_framing framing;
	struct wan_picture picture;
	int r = wan_py_stage_picture(stage, &framing, &picture);
	if (r < 0)
		return r;
	return wan_framed(stage->runtime, &picture, stage->kind == WAN_PY_FRAME_TENSOR, ret_pin,
			  ret_hit, &stage->error);
}

/* --- formats --- */

/* As the library keeps it. */
static int stage_pin(struct wan_py_stage *stage, struct wan_pin **ret_pin, bool *ret_hit)
{
	switch (stage->kind) {
	case WAN_PY_THUMBNAIL:
		return wan_thumbnail(stage->runtime, stage->path, stage->width_px, stage->height_px,
				     ret_pin, ret_hit, &stage->error);
	case WAN_PY_FIT:
		return wan_fit(stage->runtime, stage->path, stage->width_px, stage->height_px,
			       stage->fit, stage->filter, ret_pin, ret_hit, &stage->error);
	case WAN_PY_FRAME:
	case WAN_PY_FRAME_TENSOR:
		return pin_frame(stage, ret_pin, ret_hit);
	case WAN_PY_TENSOR:
		return wan_tensor(stage->runtime, stage->path, stage->width_px, stage->height_px,
				  stage->fit, stage->filter, ret_pin, ret_hit, &stage->error);
	default:
		return wan_load(stage->runtime, stage->path, &stage->decode, ret_pin, ret_hit,
				&stage->error);
	}
}

static bool has_alpha(enum wan_pixel_format format)
{
	return format == WAN_PIXEL_GRAYA8 || format == WAN_PIXEL_RGBA8 ||
	       format == WAN_PIXEL_GRAYA16 || format == WAN_PIXEL_RGBA16;
}

/* What the pixels of that format become; the same format: nothing has to be done. */
static enum wan_pixel_format wanted_format(const struct wan_py_stage *stage,
					   enum wan_pixel_format natural)
{
	switch (stage->mode) {
	case MODE_L:
		return WAN_PIXEL_GRAY8;
	case MODE_LA:
		return WAN_PIXEL_GRAYA8;
	case MODE_RGB:
		return WAN_PIXEL_RGB8;
	case MODE_RGBX:
	case MODE_RGBA:
		return WAN_PIXEL_RGBA8;
	case MODE_F16:
		return WAN_PIXEL_RGBF16_PLANAR;
	case MODE_BF16:
		return WAN_PIXEL_RGBBF16_PLANAR;
	default:
		break;
	}
	if (stage->alpha == WAN_ALPHA_KEEP)
		return natural;
	static const enum wan_pixel_format opaque[] = {
		[WAN_PIXEL_GRAYA8] = WAN_PIXEL_GRAY8,
		[WAN_PIXEL_RGBA8] = WAN_PIXEL_RGB8,
		[WAN_PIXEL_GRAYA16] = WAN_PIXEL_GRAY16,
		[WAN_PIXEL_RGBA16] = WAN_PIXEL_RGB16,
	};
	return has_alpha(natural) ? opaque[natural] : natural;
}

/* RGBX is RGBA without alpha: the fourth byte is 255, as Pillow fills it. */
static int convert(const struct wan_py_stage *stage, struct wan_image *source,
		   struct wan_image **ret)
{
	struct wan_image_view view;
	wan_image_view(source, &view);
	enum wan_pixel_format want = wanted_format(stage, view.format);
	if (stage->mode != MODE_RGBX || !has_alpha(view.format))
		return wan_image_convert(source, want, stage->alpha, ret);
	struct wan_image *opaque = NULL;
	int r = wan_image_convert(source, WAN_PIXEL_RGB8, stage->alpha, &opaque);
	if (r < 0)
		return r;
	r = wan_image_convert(opaque, want, WAN_ALPHA_KEEP, ret);
	wan_image_unref(opaque);
	return r;
}

static uint64_t converted_bytes(const struct wan_py_stage *stage, const struct wan_image_view *view)
{
	static const uint8_t pixel_bytes[] = {
		[MODE_L] = 1,    [MODE_LA] = 2,  [MODE_RGB] = 3, [MODE_RGBX] = 4,
		[MODE_RGBA] = 4, [MODE_F16] = 6, [MODE_BF16] = 6};
	uint64_t pixels = (uint64_t)view->width_px * view->height_px;
	return stage->mode ? pixels * pixel_bytes[stage->mode] : view->pixels_bytes;
}

static int compute_converted(void *context, struct wan_value *ret_value)
{
	struct wan_py_stage *stage = context;
	struct wan_pin *pin = NULL;
	int r = stage_pin(stage, &pin, NULL);
	if (r < 0)
		return r;
	struct wan_image_view view = look(pin);
	struct wan_memory *memory = wan_runtime_memory(stage->runtime);
	uint64_t bytes = converted_bytes(stage, &view);
	r = wan_memory_reserve(memory, bytes, &stage->error);
	if (r < 0) {
		wan_pin_release(pin);
		return r;
	}
	struct wan_op op;
	struct wan_image *image = NULL;
	wan_op_begin_large(wan_runtime_profile(stage->runtime), &op, "convert");
	wan_op_set_image(&op, view.width_px, view.height_px, view.channels, 8, UINT64_MAX);
	r = convert(stage, wan_pin_image(pin), &image);
	wan_memory_unreserve(memory, bytes);
	wan_pin_release(pin);
	end_operation(&op, stage->path, image);
	if (r == 0)
		set_value(image, ret_value);
	return r;
}

/* Without the GIL. */
int wan_py_stage_run(struct wan_py_stage *stage, struct wan_pin **ret_pin, bool *ret_hit)
{
	if (stage->mode == MODE_NATURAL && stage->alpha == WAN_ALPHA_KEEP)
		return stage_pin(stage, ret_pin, ret_hit);
	struct wan_cache *cache = wan_runtime_cache(stage->runtime);
	struct wan_key key;
	int r = stage_key(stage, "python.convert", &key);
	if (r < 0)
		return r;
	uint64_t expected_bytes = 0;
	if (!wan_cache_contains(cache, key)) { /* perhaps the library's own format will do */
		struct wan_pin *pin = NULL;
		r = stage_pin(stage, &pin, ret_hit);
		if (r < 0)
			return r;
		struct wan_image_view view = look(pin);
		if (view.format == wanted_format(stage, view.format)) {
			if (stage->mode != MODE_RGBX) {
				*ret_pin = pin;
				return 0;
			}
		}
		expected_bytes = converted_bytes(stage, &view);
		wan_pin_release(pin); /* nobody waits for others while holding a pin */
	}
	return wan_cache_get_or_compute(cache, key, expected_bytes, compute_converted, stage,
					ret_pin, ret_hit);
}
