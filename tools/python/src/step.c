/* SPDX-License-Identifier: MIT */
/*
 * load, thumbnail, fit, tensor, frame: the cached stages of the library, each in the pixel format
 * that is asked for. What the library does not keep in that format is converted here, as one more
 * cached and profiled stage. Nothing in "stage" touches a Python object: it runs without the GIL.
 */
#include <errno.h>

#include "wan_py.h"

enum stage_kind { STAGE_LOAD, STAGE_THUMBNAIL, STAGE_FIT, STAGE_TENSOR };
enum mode { MODE_NATURAL, MODE_L, MODE_LA, MODE_RGB, MODE_RGBX, MODE_RGBA };

static const char *const mode_texts[] = {"", "L", "LA", "RGB", "RGBX", "RGBA", NULL};
static const char *const fit_texts[] = {"stretch", "cover", "contain", NULL};
static const char *const filter_texts[] = {"lanczos", "bicubic", "bilinear", "box", NULL};
static const char *const alpha_texts[] = {"keep", "drop", "white", "black", "refuse", NULL};

struct stage {
	struct wan_runtime *runtime;
	const char *path;
	enum stage_kind kind;
	uint32_t width_px, height_px;
	enum wan_fit fit;
	enum wan_filter filter;
	struct wan_decode_options decode;
	enum mode mode;
	enum wan_alpha_policy alpha;
	struct wan_error error;
};

/* As the library keeps it. */
static int stage_pin(struct stage *stage, struct wan_pin **ret_pin, bool *ret_hit)
{
	switch (stage->kind) {
	case STAGE_THUMBNAIL:
		return wan_thumbnail(stage->runtime, stage->path, stage->width_px, stage->height_px,
				     ret_pin, ret_hit, &stage->error);
	case STAGE_FIT:
		return wan_fit(stage->runtime, stage->path, stage->width_px, stage->height_px,
			       stage->fit, stage->filter, ret_pin, ret_hit, &stage->error);
	case STAGE_TENSOR:
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
static enum wan_pixel_format wanted_format(const struct stage *stage, enum wan_pixel_format natural)
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
	default:
		break;
	}
	if (!has_alpha(natural) || stage->alpha == WAN_ALPHA_KEEP)
		return natural;
	return natural == WAN_PIXEL_GRAYA8 || natural == WAN_PIXEL_GRAYA16 ? WAN_PIXEL_GRAY8
									   : WAN_PIXEL_RGB8;
}

static struct wan_image_view look(const struct wan_pin *pin)
{
	struct wan_image_view view;
	wan_image_view(wan_pin_image(pin), &view);
	return view;
}

/* RGBX is RGBA without alpha: the fourth byte is 255, as Pillow fills it. */
static int convert(const struct stage *stage, struct wan_image *source, struct wan_image **ret)
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

static void destroy_image(void *data)
{
	wan_image_unref(data);
}

static uint64_t converted_bytes(const struct stage *stage, const struct wan_image_view *view)
{
	static const uint8_t samples[] = {0, 1, 2, 3, 4, 4};
	return (uint64_t)view->width_px * view->height_px *
	       (stage->mode ? samples[stage->mode] : view->channels);
}

static int compute_converted(void *context, struct wan_value *ret_value)
{
	struct stage *stage = context;
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
	wan_op_set_file(&op, stage->path);
	r = convert(stage, wan_pin_image(pin), &image);
	wan_memory_unreserve(memory, bytes);
	wan_pin_release(pin);
	if (r == 0) {
		wan_image_view(image, &view);
		wan_op_add_memory(&op, (int64_t)view.pixels_bytes, view.pixels_bytes);
		*ret_value = (struct wan_value){
			.data = image, .bytes = view.pixels_bytes, .destroy = destroy_image};
	}
	wan_op_end(&op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	return r;
}

/* Everything that changes the pixels; the file is its identity. */
static int converted_key(struct stage *stage, struct wan_key *ret_key)
{
	const struct wan_decode_options *decode = &stage->decode;
	const uint32_t words[] = {stage->kind,      stage->width_px,
				  stage->height_px, stage->fit,
				  stage->filter,    decode->apply_orientation,
				  decode->strict,   decode->allow_truncated,
				  stage->mode,      stage->alpha};
	struct wan_key_builder builder;
	wan_key_begin(&builder, "python.convert");
	int r = wan_key_add_file(&builder, stage->path);
	if (r < 0) {
		stage->error.code = r;
		PyOS_snprintf(stage->error.object, sizeof(stage->error.object), "%s", stage->path);
		PyOS_snprintf(stage->error.reason, sizeof(stage->error.reason), "%s",
			      wan_strerror(r));
		return r;
	}
	wan_key_add(&builder, "stage", words, sizeof(words));
	*ret_key = wan_key_end(&builder);
	return 0;
}

/* Without the GIL. */
static int stage_run(struct stage *stage, struct wan_pin **ret_pin, bool *ret_hit)
{
	if (stage->mode == MODE_NATURAL && stage->alpha == WAN_ALPHA_KEEP)
		return stage_pin(stage, ret_pin, ret_hit);
	struct wan_cache *cache = wan_runtime_cache(stage->runtime);
	struct wan_key key;
	int r = converted_key(stage, &key);
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

static PyObject *raise_stage(struct stage *stage, int code)
{
	return stage->error.code < 0 ? wan_py_raise(&stage->error)
				     : wan_py_raise_code(code, stage->path);
}

/* path is a new reference to bytes, which is given back. */
static PyObject *stage_image(struct stage *stage, PyObject *path)
{
	struct wan_pin *pin = NULL;
	bool is_hit = false;
	int r = 0;
	stage->runtime = wan_py_runtime_ref();
	stage->path = PyBytes_AsString(path);
	if (stage->runtime && stage->path) {
		Py_BEGIN_ALLOW_THREADS r = stage_run(stage, &pin, &is_hit);
		Py_END_ALLOW_THREADS
	}
	PyObject *image = NULL;
	if (r < 0)
		image = raise_stage(stage, r);
	else if (pin) {
		image = wan_py_image_new(pin, stage->runtime, stage->mode == MODE_RGBX, is_hit);
		stage->runtime = NULL; /* handed over */
	}
	wan_py_runtime_unref(stage->runtime);
	Py_DECREF(path);
	return image;
}

static void stage_init(struct stage *stage, enum stage_kind kind)
{
	*stage = (struct stage){.kind = kind};
	wan_decode_options_init(&stage->decode);
}

/* mode and alpha, and that they agree. */
static int stage_format(struct stage *stage, PyObject *mode, PyObject *alpha)
{
	int chosen = wan_py_choice(mode, "mode", mode_texts, MODE_NATURAL);
	int policy = wan_py_choice(alpha, "alpha", alpha_texts, WAN_ALPHA_KEEP);
	if (chosen < 0 || policy < 0)
		return -1;
	if ((chosen == MODE_LA || chosen == MODE_RGBA) && policy != WAN_ALPHA_KEEP) {
		PyErr_Format(PyExc_ValueError, "mode %R keeps alpha: alpha=%R asks to lose it",
			     mode, alpha);
		return -1;
	}
	stage->mode = (enum mode)chosen;
	stage->alpha = (enum wan_alpha_policy)policy;
	return 0;
}

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

PyDoc_STRVAR(
	load_doc,
	"load(path, mode=None, *, alpha=None, exif=True, truncated=False, strict=False)\n--\n\n"
	"The pixels of a PNG or JPEG file as a wanrt.Image, from the cache when the file is as it "
	"was.\n\n"
	"mode: None (what the file holds: nothing is lost), 'L', 'LA', 'RGB', 'RGBX' (RGB in four "
	"bytes,\n"
	"    which PIL shows without a copy) or 'RGBA'. 16 bits become 8 by their high byte.\n"
	"alpha: 'keep', 'drop' (hidden colours appear), 'white', 'black' (composited over it) or "
	"'refuse'.\n"
	"    None: kept if the mode has alpha, else dropped. With mode None, all but 'keep' give a "
	"picture\n"
	"    without alpha.\n"
	"exif: turn upright as the file says.\n"
	"truncated: take the rows that are there of a file that is cut off; else that is an "
	"error.\n"
	"strict: what the decoder can repair is an error too.\n\n"
	"Raises wanrt.Error; FileNotFoundError, PermissionError, IsADirectoryError, MemoryError "
	"and\n"
	"OSError catch what they name. Any thread; the GIL is released; one decode for all who ask "
	"at once.");

static PyObject *load(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"path",      "mode",   "alpha", "exif",
					   "truncated", "strict", NULL};
	static const struct wan_py_signature signature = {"load", list, 1, 2};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct stage stage;
	stage_init(&stage, STAGE_LOAD);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_format(&stage, given[1], given[2]) < 0)
		return NULL;
	int exif = wan_py_flag(given[3], 1), truncated = wan_py_flag(given[4], 0);
	int strict = wan_py_flag(given[5], 0);
	if (exif < 0 || truncated < 0 || strict < 0)
		return NULL;
	stage.decode.apply_orientation = exif;
	stage.decode.allow_truncated = truncated;
	stage.decode.strict = strict;
	PyObject *path = wan_py_path(given[0]);
	return path ? stage_image(&stage, path) : NULL;
}

PyDoc_STRVAR(
	thumbnail_doc,
	"thumbnail(path, size, mode='RGB')\n--\n\n"
	"The picture within size, which is (width, height) or one number for both: ratio kept, "
	"never\n"
	"enlarged, upright, RGB with alpha dropped; equal to Pillow's thumbnail() bit for bit.\n"
	"mode 'RGBX' for PIL without a copy, or 'L', 'RGBA'. Cached; errors and threads as "
	"load().");

static PyObject *thumbnail(PyObject *module, PyObject *const *args, Py_ssize_t count,
			   PyObject *names)
{
	static const char *const list[] = {"path", "size", "mode", NULL};
	static const struct wan_py_signature signature = {"thumbnail", list, 2, 3};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct stage stage;
	stage_init(&stage, STAGE_THUMBNAIL);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_format(&stage, given[2], NULL) < 0 ||
	    wan_py_size(given[1], &stage.width_px, &stage.height_px) < 0)
		return NULL;
	PyObject *path = wan_py_path(given[0]);
	return path ? stage_image(&stage, path) : NULL;
}

static int stage_framing(struct stage *stage, PyObject *size, PyObject *how, PyObject *filter)
{
	if (wan_py_size(size, &stage->width_px, &stage->height_px) < 0)
		return -1;
	int fit = wan_py_choice(how, "how", fit_texts, WAN_FIT_COVER);
	int chosen = wan_py_choice(filter, "filter", filter_texts, WAN_FILTER_LANCZOS);
	if (fit < 0 || chosen < 0)
		return -1;
	stage->fit = (enum wan_fit)fit;
	stage->filter = (enum wan_filter)chosen;
	return 0;
}

PyDoc_STRVAR(fit_doc,
	     "fit(path, size, how='cover', filter='lanczos', mode='RGB')\n--\n\n"
	     "The picture at exactly size = (width, height), upright, alpha dropped.\n\n"
	     "how: 'cover' (scaled to cover, centre cropped), 'contain' (scaled to fit, centred on "
	     "black) or\n"
	     "    'stretch' (the ratio is lost).\n"
	     "filter: 'lanczos', 'bicubic', 'bilinear' or 'box', each Pillow's bit for bit.\n"
	     "mode: 'RGB', 'RGBX', 'RGBA' or 'L'. Cached; errors and threads as load().");

static PyObject *fit(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"path", "size", "how", "filter", "mode", NULL};
	static const struct wan_py_signature signature = {"fit", list, 2, 5};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct stage stage;
	stage_init(&stage, STAGE_FIT);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_framing(&stage, given[1], given[2], given[3]) < 0 ||
	    stage_format(&stage, given[4], NULL) < 0)
		return NULL;
	PyObject *path = wan_py_path(given[0]);
	return path ? stage_image(&stage, path) : NULL;
}

PyDoc_STRVAR(tensor_doc,
	     "tensor(path, size, how='cover', filter='lanczos')\n--\n\n"
	     "fit(), normalised to [-1, 1]: float32 of shape (3, height, width), equal to what the "
	     "official\n"
	     "code, diffusers and Wan2GP compute. Cached; errors and threads as load().");

static PyObject *tensor(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"path", "size", "how", "filter", NULL};
	static const struct wan_py_signature signature = {"tensor", list, 2, 4};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct stage stage;
	stage_init(&stage, STAGE_TENSOR);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_framing(&stage, given[1], given[2], given[3]) < 0)
		return NULL;
	PyObject *path = wan_py_path(given[0]);
	return path ? stage_image(&stage, path) : NULL;
}

PyMethodDef wan_py_step_methods[] = {
	{"load", FASTCALL(load), load_doc},
	{"thumbnail", FASTCALL(thumbnail), thumbnail_doc},
	{"fit", FASTCALL(fit), fit_doc},
	{"tensor", FASTCALL(tensor), tensor_doc},
	{NULL, NULL, 0, NULL},
};
