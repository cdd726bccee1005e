/* SPDX-License-Identifier: MIT */
/* load, thumbnail, fit, tensor: their arguments. */
#include "stage.h"

static const char *const mode_texts[] = {"natural", "L", "LA", "RGB", "RGBX", "RGBA", NULL};
static const char *const fit_texts[] = {"stretch", "cover", "contain", NULL};
static const char *const filter_texts[] = {"lanczos", "bicubic", "bilinear", "box", NULL};
static const char *const alpha_texts[] = {"keep", "drop", "white", "black", "refuse", NULL};

PyObject *wan_py_stage_raise(struct wan_py_stage *stage, int code)
{
	return wan_py_raise(code, &stage->error, stage->path);
}

PyObject *wan_py_stage_image(struct wan_py_stage *stage, PyObject *path)
{
	struct wan_pin *pin = NULL;
	bool is_hit = false;
	int r = 0;
	stage->runtime = wan_py_runtime_ref();
	stage->path = PyBytes_AsString(path);
	if (stage->runtime && stage->path) {
		PyThreadState *state = PyEval_SaveThread();
		r = wan_py_stage_run(stage, &pin, &is_hit);
		PyEval_RestoreThread(state);
	}
	PyObject *image = NULL;
	if (r < 0)
		image = wan_py_stage_raise(stage, r);
	else if (pin) {
		image = wan_py_image_new(pin, stage->runtime, stage->mode == MODE_RGBX, is_hit);
		stage->runtime = NULL; /* handed over */
	}
	wan_py_runtime_unref(stage->runtime);
	Py_DECREF(path);
	return image;
}

/* mode and alpha, and that they agree. */
/* "drop" and its like, or (red, green, blue) to composite over; -1 with an exception. */
static int read_alpha(PyObject *alpha)
{
	unsigned char rgb[3];
	if (!alpha || !PyTuple_Check(alpha))
		return wan_py_choice(alpha, "alpha", alpha_texts, WAN_ALPHA_KEEP);
	if (!PyArg_ParseTuple(alpha, "bbb", &rgb[0], &rgb[1], &rgb[2])) {
		PyErr_Clear();
		PyErr_Format(PyExc_ValueError, "alpha %R is no colour: three numbers of 0 to 255",
			     alpha);
		return -1;
	}
	return WAN_ALPHA_OVER(rgb[0], rgb[1], rgb[2]);
}

int wan_py_stage_format(struct wan_py_stage *stage, PyObject *mode, PyObject *alpha)
{
	int chosen = wan_py_choice(mode, "mode", mode_texts, MODE_NATURAL);
	int policy = read_alpha(alpha);
	if (chosen < 0 || policy < 0)
		return -1;
	if ((chosen == MODE_LA || chosen == MODE_RGBA) && policy != WAN_ALPHA_KEEP) {
		PyErr_Format(PyExc_ValueError, "mode %R keeps alpha: alpha=%R asks to lose it",
			     mode, alpha);
		return -1;
	}
	stage->mode = (enum wan_py_mode)chosen;
	stage->alpha = (enum wan_alpha_policy)policy;
	return 0;
}

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
	struct wan_py_stage stage;
	wan_py_stage_init(&stage, WAN_PY_LOAD);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    wan_py_stage_format(&stage, given[1], given[2]) < 0)
		return NULL;
	int exif = wan_py_flag(given[3], 1), truncated = wan_py_flag(given[4], 0);
	int strict = wan_py_flag(given[5], 0);
	if (exif < 0 || truncated < 0 || strict < 0)
		return NULL;
	stage.decode.apply_orientation = exif;
	stage.decode.allow_truncated = truncated;
	stage.decode.strict = strict;
	if (truncated) /* lies behind the limits, which are the library's own then */
		stage.decode.struct_size = sizeof(stage.decode);
	PyObject *path = wan_py_path(given[0]);
	return path ? wan_py_stage_image(&stage, path) : NULL;
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
	struct wan_py_stage stage;
	wan_py_stage_init(&stage, WAN_PY_THUMBNAIL);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    wan_py_stage_format(&stage, given[2], NULL) < 0 ||
	    wan_py_size(given[1], &stage.width_px, &stage.height_px) < 0)
		return NULL;
	PyObject *path = wan_py_path(given[0]);
	return path ? wan_py_stage_image(&stage, path) : NULL;
}

static int stage_framing(struct wan_py_stage *stage, PyObject *size, PyObject *how,
			 PyObject *filter)
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
	struct wan_py_stage stage;
	wan_py_stage_init(&stage, WAN_PY_FIT);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_framing(&stage, given[1], given[2], given[3]) < 0 ||
	    wan_py_stage_format(&stage, given[4], NULL) < 0)
		return NULL;
	PyObject *path = wan_py_path(given[0]);
	return path ? wan_py_stage_image(&stage, path) : NULL;
}

PyDoc_STRVAR(tensor_doc,
	     "tensor(path, size, how='cover', filter='lanczos', dtype='float32')\n--\n\n"
	     "fit(), normalised to [-1, 1]: of shape (3, height, width), equal to what the "
	     "official code,\n"
	     "diffusers and Wan2GP compute. dtype: 'float32', 'float16' or 'bfloat16' (which numpy "
	     "sees as\n"
	     "uint16 bits), rounded to nearest even. Cached; errors and threads as load().");

static PyObject *tensor(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"path", "size", "how", "filter", "dtype", NULL};
	static const char *const dtypes[] = {"float32", "float16", "bfloat16", NULL};
	static const enum wan_py_mode modes[] = {MODE_NATURAL, MODE_F16, MODE_BF16};
	static const struct wan_py_signature signature = {"tensor", list, 2, 5};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct wan_py_stage stage;
	wan_py_stage_init(&stage, WAN_PY_TENSOR);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    stage_framing(&stage, given[1], given[2], given[3]) < 0)
		return NULL;
	int dtype = wan_py_choice(given[4], "dtype", dtypes, 0);
	if (dtype < 0)
		return NULL;
	stage.mode = modes[dtype];
	if (dtype) /* of bytes, as the library does: not of rounded float32 */
		stage.kind = WAN_PY_FIT;
	PyObject *path = wan_py_path(given[0]);
	return path ? wan_py_stage_image(&stage, path) : NULL;
}

PyMethodDef wan_py_step_methods[] = {
	{"load", WAN_PY_FASTCALL(load), load_doc},
	{"thumbnail", WAN_PY_FASTCALL(thumbnail), thumbnail_doc},
	{"fit", WAN_PY_FASTCALL(fit), fit_doc},
	{"tensor", WAN_PY_FASTCALL(tensor), tensor_doc},
	{NULL, NULL, 0, NULL},
};
