/* SPDX-License-Identifier: MIT */
/* Pipelines and how they frame images: as numbers, and as pictures. */
#include <errno.h>

#include "stage.h"

int wan_py_pipeline(PyObject *name, enum wan_pipeline *ret_pipeline)
{
	PyObject *bytes = PyUnicode_Check(name) ? PyUnicode_AsUTF8String(name) : NULL;
	if (!bytes) {
		if (!PyErr_Occurred())
			PyErr_Format(PyExc_TypeError, "a pipeline is named by a text, not %R",
				     name);
		return -1;
	}
	int r = wan_pipeline_find(PyBytes_AsString(bytes), ret_pipeline);
	Py_DECREF(bytes);
	if (r == 0)
		return 0;
	PyErr_Format(PyExc_ValueError, "pipeline %R is not known; wanrt.PIPELINES names them",
		     name);
	return -1;
}

static PyObject *size_pair(struct wan_size size)
{
	return Py_BuildValue("(II)", size.width_px, size.height_px);
}

static PyObject *rect_tuple(struct wan_rect rect)
{
	return Py_BuildValue("(IIII)", rect.x_px, rect.y_px, rect.width_px, rect.height_px);
}

static PyObject *sizes_list(const struct wan_pipeline_info *info)
{
	PyObject *sizes = PyTuple_New(info->size_count);
	for (uint32_t i = 0; sizes && i < info->size_count; i++)
		PyTuple_SetItem(sizes, i, size_pair(info->sizes[i]));
	return sizes;
}

static PyObject *pipeline_dict(const struct wan_pipeline_info *info)
{
	return Py_BuildValue("{s:s,s:I,s:N,s:N,s:N,s:s,s:N,s:N,s:I,s:I}", "title", info->title,
			     "step", info->step_px, "chooses_size",
			     PyBool_FromLong(info->chooses_size), "takes_end",
			     PyBool_FromLong(info->takes_end), "turns_upright",
			     PyBool_FromLong(info->turns_upright), "range",
			     info->range == WAN_RANGE_UNIT ? "unit" : "signed", "usual",
			     size_pair(info->usual), "sizes", sizes_list(info), "frames",
			     info->frames, "frames_per_s", info->frames_per_s);
}

static PyObject *pipelines(PyObject *module, PyObject *unused)
{
	PyObject *all = PyDict_New();
	for (int i = 0; all && wan_pipeline_info((enum wan_pipeline)i); i++) {
		const struct wan_pipeline_info *info = wan_pipeline_info((enum wan_pipeline)i);
		PyObject *one = pipeline_dict(info);
		if (!one || PyDict_SetItemString(all, info->name, one) < 0)
			Py_CLEAR(all);
		Py_XDECREF(one);
	}
	return all;
}

static const char *filter_text(enum wan_filter filter)
{
	static const char *const texts[] = {"lanczos", "bicubic",       "bilinear",
					    "box",     "torch-bicubic", "torch-bilinear"};
	return (size_t)filter < sizeof(texts) / sizeof(texts[0]) ? texts[filter] : "unknown";
}

static PyObject *framing_dict(const struct wan_framing *framing)
{
	return Py_BuildValue(
		"{s:N,s:N,s:N,s:N,s:N,s:(II),s:s,s:d,s:d,s:d}", "source",
		size_pair(framing->source), "output", size_pair(framing->output), "crop",
		rect_tuple(framing->crop), "scaled", size_pair(framing->scaled), "window",
		rect_tuple(framing->window), "place", framing->place_x_px, framing->place_y_px,
		"filter", filter_text(framing->filter), "squeeze_percent", framing->squeeze_pct,
		"lost_percent", framing->lost_pct, "padded_percent", framing->padded_pct);
}

PyDoc_STRVAR(framing_doc, "framing(pipeline, source, size, *, end=False)\n--\n\n"
			  "How a pipeline frames an image of source = (width, height) when asked "
			  "for size; no file is\n"
			  "read. A dict: output (size of the frames), crop and window (x, y, "
			  "width, height), scaled,\n"
			  "place, filter, squeeze_percent, lost_percent, padded_percent. end: as "
			  "the end image of a clip\n"
			  "whose frames have that size.");

static PyObject *framing(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"pipeline", "source", "size", "end", NULL};
	static const struct wan_py_signature signature = {"framing", list, 3, 3};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct wan_py_stage stage;
	struct wan_size source;
	struct wan_framing made;
	wan_py_stage_init(&stage, WAN_PY_FRAME);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    wan_py_pipeline(given[0], &stage.pipeline) < 0 ||
	    wan_py_size(given[1], &source.width_px, &source.height_px) < 0 ||
	    wan_py_size(given[2], &stage.width_px, &stage.height_px) < 0)
		return NULL;
	int end = wan_py_flag(given[3], 0);
	if (end < 0)
		return NULL;
	stage.is_end = end;
	int r = wan_py_stage_framing(&stage, source, &made);
	return r < 0 ? wan_py_raise_code(r, "framing") : framing_dict(&made);
}

PyDoc_STRVAR(frame_doc,
	     "frame(path, pipeline, size, *, end=False, mode='RGB', tensor=False)\n--\n\n"
	     "The picture as a pipeline frames it when asked for size: orientation, crop, filter "
	     "and size are\n"
	     "the pipeline's. end: as the end image of a clip whose frames have that size.\n"
	     "tensor: float32 (3, height, width) in [-1, 1] instead. Cached; errors and threads as "
	     "load().");

static PyObject *frame(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	static const char *const list[] = {"path", "pipeline", "size", "end",
					   "mode", "tensor",   NULL};
	static const struct wan_py_signature signature = {"frame", list, 3, 3};
	PyObject *given[WAN_PY_ARGUMENTS_MAX];
	struct wan_py_stage stage;
	wan_py_stage_init(&stage, WAN_PY_FRAME);
	if (wan_py_arguments(&signature, args, count, names, given) < 0 ||
	    wan_py_pipeline(given[1], &stage.pipeline) < 0 ||
	    wan_py_size(given[2], &stage.width_px, &stage.height_px) < 0 ||
	    wan_py_stage_format(&stage, given[4], NULL) < 0)
		return NULL;
	int end = wan_py_flag(given[3], 0), tensor = wan_py_flag(given[5], 0);
	if (end < 0 || tensor < 0)
		return NULL;
	if (tensor && stage.mode != MODE_NATURAL) {
		PyErr_SetString(PyExc_ValueError, "a tensor has no mode");
		return NULL;
	}
	stage.is_end = end;
	stage.kind = tensor ? WAN_PY_FRAME_TENSOR : WAN_PY_FRAME;
	stage.decode.apply_orientation = wan_pipeline_info(stage.pipeline)->turns_upright;
	PyObject *path = wan_py_path(given[0]);
	return path ? wan_py_stage_image(&stage, path) : NULL;
}

PyDoc_STRVAR(frame_count_doc, "frame_count(pipeline, asked)\n--\n\n"
			      "The number of frames a pipeline makes when asked for that many: "
			      "most make 4n+1. ValueError when\n"
			      "it would fail.");

static PyObject *frame_count(PyObject *module, PyObject *args)
{
	PyObject *name, *number;
	int beyond, r = -EINVAL;
	uint32_t frames;
	enum wan_pipeline pipeline;
	if (!PyArg_ParseTuple(args, "OO:frame_count", &name, &number) ||
	    wan_py_pipeline(name, &pipeline) < 0)
		return NULL;
	long long asked = PyLong_AsLongLongAndOverflow(number, &beyond);
	if (PyErr_Occurred())
		return NULL;
	if (!beyond && asked >= 0 && asked <= UINT32_MAX)
		r = wan_frame_count(pipeline, (uint32_t)asked, &frames);
	if (r >= 0 && r < 2)
		return PyLong_FromUnsignedLong(frames);
	PyErr_Format(PyExc_ValueError, "%U cannot make %S frames%s", name, number,
		     r < 0 ? "" : ": it takes 4n+1");
	return NULL;
}

PyMethodDef wan_py_frame_methods[] = {
	{"pipelines", pipelines, METH_NOARGS, "pipelines()\n--\n\nWhat is known of each, by name."},
	{"framing", WAN_PY_FASTCALL(framing), framing_doc},
	{"frame", WAN_PY_FASTCALL(frame), frame_doc},
	{"frame_count", frame_count, METH_VARARGS, frame_count_doc},
	{NULL, NULL, 0, NULL},
};
