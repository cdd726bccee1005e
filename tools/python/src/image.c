/* SPDX-License-Identifier: MIT */
/*
 * wanrt.Image: pixels in the cache, seen from Python. Holds a pin, so that the pixels stay where
 * they are, and stay charged, until the last view (numpy array, PIL image, memoryview) is gone:
 * every view holds a reference to this object by the buffer protocol.
 */
#include "wan_py.h"

#include <stddef.h>
#include <structmember.h>

struct image {
	PyObject head;
	struct wan_pin *pin;         /* NULL after a failed construction */
	struct wan_runtime *runtime; /* outlives its pins */
	struct wan_image_view view;
	PyObject *weak_references;
	uint64_t generation; /* of the process that pinned */
	struct wan_key digest;
	Py_ssize_t shape[3], strides[3];
	int dimensions;
	bool is_rgbx, is_hit, has_digest;
};

struct layout {
	const char *mode, *dtype, *typestr, *code; /* code: of the struct module */
	int sample_bytes;
	bool is_pil; /* mode is one of Pillow's */
};

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ORDER ">"
#else
#define ORDER "<"
#endif
#define U8(mode, pil)                                                                              \
	{                                                                                          \
		mode, "uint8", "|u1", "B", 1, pil                                                  \
	}
#define U16(mode, pil)                                                                             \
	{                                                                                          \
		mode, "uint16", ORDER "u2", "H", 2, pil                                            \
	}
static const struct layout layouts[] = {
	[WAN_PIXEL_GRAY8] = U8("L", true),
	[WAN_PIXEL_GRAYA8] = U8("LA", true),
	[WAN_PIXEL_RGB8] = U8("RGB", true),
	[WAN_PIXEL_RGBA8] = U8("RGBA", true),
	[WAN_PIXEL_CMYK8] = U8("CMYK", true),
	[WAN_PIXEL_GRAY16] = U16("I;16", true),
	[WAN_PIXEL_GRAYA16] = U16("LA;16", false),
	[WAN_PIXEL_RGB16] = U16("RGB;16", false),
	[WAN_PIXEL_RGBA16] = U16("RGBA;16", false),
	[WAN_PIXEL_RGBF32_PLANAR] = {"RGB;F32", "float32", ORDER "f4", "f", 4, false},
	[WAN_PIXEL_RGBF16_PLANAR] = {"RGB;F16", "float16", ORDER "f2", "e", 2, false},
	/* numpy has no name for it: it sees the bits */
	[WAN_PIXEL_RGBBF16_PLANAR] = {"RGB;BF16", "bfloat16", ORDER "u2", "H", 2, false},
};
static const struct layout rgbx = U8("RGBX", true);

static PyTypeObject *image_type;

static const struct layout *layout_of(const struct image *image)
{
	return image->is_rgbx ? &rgbx : &layouts[image->view.format];
}

static bool is_planar(const struct image *image)
{
	return image->view.format >= WAN_PIXEL_RGBF32_PLANAR;
}

static void set_shape(struct image *image)
{
	const struct wan_image_view *view = &image->view;
	Py_ssize_t height = view->height_px, width = view->width_px, channels = view->channels;
	Py_ssize_t sample = layout_of(image)->sample_bytes, stride = (Py_ssize_t)view->stride_bytes;
	if (is_planar(image)) {
		Py_ssize_t shape[3] = {channels, height, width};
		Py_ssize_t strides[3] = {stride * height, stride, sample};
		memcpy(image->shape, shape, sizeof(shape));
		memcpy(image->strides, strides, sizeof(strides));
		image->dimensions = 3;
		return;
	}
	Py_ssize_t shape[3] = {height, width, channels};
	Py_ssize_t strides[3] = {stride, sample * channels, sample};
	memcpy(image->shape, shape, sizeof(shape));
	memcpy(image->strides, strides, sizeof(strides));
	image->dimensions = channels == 1 ? 2 : 3;
}

PyObject *wan_py_image_new(struct wan_pin *pin, struct wan_runtime *runtime, bool is_rgbx,
			   bool is_hit)
{
	struct image *image = PyObject_New(struct image, image_type);
	if (!image) {
		wan_pin_release(pin);
		wan_py_runtime_unref(runtime);
		return NULL;
	}
	image->pin = pin;
	image->runtime = runtime;
	image->weak_references = NULL;
	image->generation = wan_py_generation();
	image->is_rgbx = is_rgbx;
	image->is_hit = is_hit;
	image->has_digest = false;
	wan_image_view(wan_pin_image(pin), &image->view);
	set_shape(image);
	return (PyObject *)image;
}

static void image_dealloc(PyObject *self)
{
	struct image *image = (struct image *)self;
	PyTypeObject *type = Py_TYPE(self);
	if (image->weak_references)
		PyObject_ClearWeakRefs(self);
	/* Pins of a parent belong to its cache, whose locks may be held for ever in this child. */
	if (image->generation == wan_py_generation()) {
		wan_pin_release(image->pin);
		wan_py_runtime_unref(image->runtime);
	}
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *image_refuse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyErr_SetString(PyExc_TypeError, "images come from wanrt.load() and its relatives");
	return NULL;
}

bool wan_py_image_check(PyObject *object)
{
	return Py_TYPE(object) == image_type;
}

int wan_py_image_add_to_key(PyObject *object, struct wan_key_builder *builder)
{
	struct image *image = (struct image *)object;
	if (!image->has_digest) {
		struct wan_key_builder own;
		struct wan_key digest;
		PyThreadState *state = PyEval_SaveThread();
		wan_key_begin(&own, layout_of(image)->mode);
		wan_key_add(&own, "pixels", image->view.pixels, image->view.pixels_bytes);
		digest = wan_key_end(&own);
		PyEval_RestoreThread(state);
		image->digest = digest;
		image->has_digest = true;
	}
	uint64_t sizes[2] = {image->view.width_px, image->view.height_px};
	wan_key_add(builder, "wanrt.Image", sizes, sizeof(sizes));
	wan_key_add(builder, "digest", &image->digest, sizeof(image->digest));
	return 0;
}

/* --- buffer protocol --- */

static bool is_packed(const struct image *image)
{
	int channels = is_planar(image) ? 1 : image->view.channels;
	return image->view.stride_bytes ==
	       (size_t)image->view.width_px * channels * layout_of(image)->sample_bytes;
}

static int image_getbuffer(PyObject *self, Py_buffer *buffer, int flags)
{
	struct image *image = (struct image *)self;
	bool wants_strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
	bool wants_fortran = (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS;
	buffer->obj = NULL;
	if (flags & PyBUF_WRITABLE) {
		PyErr_SetString(
			PyExc_BufferError,
			"wanrt images are read-only: others see the same pixels; copy them");
		return -1;
	}
	if (wants_fortran || (!is_packed(image) && !wants_strides)) {
		PyErr_SetString(PyExc_BufferError, "the pixels are not laid out that way");
		return -1;
	}
	const struct layout *layout = layout_of(image);
	buffer->buf = (void *)image->view.pixels;
	buffer->len = layout->sample_bytes;
	for (int i = 0; i < image->dimensions; i++)
		buffer->len *= image->shape[i];
	buffer->readonly = 1;
	buffer->itemsize = layout->sample_bytes;
	buffer->format = flags & PyBUF_FORMAT ? (char *)layout->code : NULL;
	buffer->ndim = image->dimensions;
	buffer->shape = flags & PyBUF_ND ? image->shape : NULL;
	buffer->strides = wants_strides ? image->strides : NULL;
	if (!buffer->shape)
		buffer->ndim = 1;
	buffer->suboffsets = NULL;
	buffer->internal = NULL;
	Py_INCREF(self);
	buffer->obj = self;
	return 0;
}

/* --- attributes --- */

static PyObject *sizes_tuple(const Py_ssize_t *sizes, int count)
{
	return count == 2 ? Py_BuildValue("(nn)", sizes[0], sizes[1])
			  : Py_BuildValue("(nnn)", sizes[0], sizes[1], sizes[2]);
}

static PyObject *get_array_interface(PyObject *self, void *unused)
{
	struct image *image = (struct image *)self;
	return Py_BuildValue("{s:i,s:N,s:s,s:(NO),s:N}", "version", 3, "shape",
			     sizes_tuple(image->shape, image->dimensions), "typestr",
			     layout_of(image)->typestr, "data",
			     PyLong_FromVoidPtr((void *)image->view.pixels), Py_True, "strides",
			     sizes_tuple(image->strides, image->dimensions));
}

enum { GET_WIDTH, GET_HEIGHT, GET_CHANNELS, GET_WARNINGS };

static PyObject *get_number(PyObject *self, void *which)
{
	const struct wan_image_view *view = &((struct image *)self)->view;
	const uint32_t numbers[] = {[GET_WIDTH] = view->width_px,
				    [GET_HEIGHT] = view->height_px,
				    [GET_CHANNELS] = view->channels,
				    [GET_WARNINGS] = view->warnings};
	return PyLong_FromUnsignedLong(numbers[(intptr_t)which]);
}

static PyObject *get_mode(PyObject *self, void *unused)
{
	return PyUnicode_FromString(layout_of((struct image *)self)->mode);
}

static PyObject *get_dtype(PyObject *self, void *unused)
{
	return PyUnicode_FromString(layout_of((struct image *)self)->dtype);
}

static PyObject *get_size(PyObject *self, void *unused)
{
	const struct wan_image_view *view = &((struct image *)self)->view;
	return Py_BuildValue("(II)", view->width_px, view->height_px);
}

static PyObject *get_shape(PyObject *self, void *unused)
{
	struct image *image = (struct image *)self;
	return sizes_tuple(image->shape, image->dimensions);
}

static PyObject *get_nbytes(PyObject *self, void *unused)
{
	struct image *image = (struct image *)self;
	return PyLong_FromSize_t(image->view.pixels_bytes);
}

static PyObject *get_hit(PyObject *self, void *unused)
{
	return PyBool_FromLong(((struct image *)self)->is_hit);
}

static PyObject *get_is_pil(PyObject *self, void *unused)
{
	return PyBool_FromLong(layout_of((struct image *)self)->is_pil);
}

static PyObject *get_stride(PyObject *self, void *unused)
{
	return PyLong_FromSize_t(((struct image *)self)->view.stride_bytes);
}

static PyObject *image_repr(PyObject *self)
{
	struct image *image = (struct image *)self;
	return PyUnicode_FromFormat("<wanrt.Image %s %ux%u>", layout_of(image)->mode,
				    image->view.width_px, image->view.height_px);
}

static PyObject *image_to_pil(PyObject *self, PyObject *unused)
{
	static PyObject *convert; /* wanrt._pil.from_image, which tells when Pillow is absent */
	if (!convert) {
		PyObject *module = PyImport_ImportModule("wanrt._pil");
		convert = module ? PyObject_GetAttrString(module, "from_image") : NULL;
		Py_XDECREF(module);
		if (!convert)
			return NULL;
	}
	return PyObject_CallFunctionObjArgs(convert, self, NULL);
}

static PyGetSetDef image_attributes[] = {
	{"width", get_number, NULL, "pixels in a row", (void *)GET_WIDTH},
	{"height", get_number, NULL, "rows", (void *)GET_HEIGHT},
	{"channels", get_number, NULL, "samples of a pixel", (void *)GET_CHANNELS},
	{"warnings", get_number, NULL, "what the decoder complained about; 0: clean",
	 (void *)GET_WARNINGS},
	{"size", get_size, NULL, "(width, height), as Pillow has it", NULL},
	{"shape", get_shape, NULL,
	 "as numpy has it: (height, width), (height, width, channels) or (3, height, width)", NULL},
	{"mode", get_mode, NULL,
	 "L, LA, RGB, RGBX, RGBA, CMYK, I;16, LA;16, RGB;16, RGBA;16, or of a tensor RGB;F32, "
	 "RGB;F16, RGB;BF16",
	 NULL},
	{"dtype", get_dtype, NULL,
	 "uint8, uint16, float32, float16 or bfloat16 (numpy sees its bits, as uint16)", NULL},
	{"nbytes", get_nbytes, NULL, "bytes of the pixels, as charged to the cache", NULL},
	{"from_cache", get_hit, NULL, "was it there already when it was asked for?", NULL},
	{"_is_pil", get_is_pil, NULL, NULL, NULL},
	{"_stride", get_stride, NULL, NULL, NULL},
	{"__array_interface__", get_array_interface, NULL, "numpy's array interface, version 3",
	 NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(
	to_pil_doc,
	"to_pil()\n--\n\n"
	"A PIL image of these pixels. Modes L, RGBX, RGBA, CMYK and I;16 show this memory, without "
	"a\n"
	"copy and read-only (Pillow copies when you draw on it). RGB and LA are copied, because\n"
	"Pillow keeps them in four bytes a pixel: ask for mode='RGBX' to avoid that.");

static PyMethodDef image_methods[] = {
	{"to_pil", image_to_pil, METH_NOARGS, to_pil_doc},
	{NULL, NULL, 0, NULL},
};

static PyMemberDef image_members[] = {
	{"__weaklistoffset__", T_PYSSIZET, offsetof(struct image, weak_references), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
	image_doc,
	"Pixels in the cache, read-only. numpy.asarray(image) and memoryview(image) show them "
	"without "
	"a copy;\nimage.to_pil() does for the modes it names. The pixels stay, and stay charged to "
	"the cache,\nuntil the last view is gone.");

static PyType_Slot image_slots[] = {
	{Py_tp_doc, (void *)image_doc},
	{Py_tp_new, image_refuse_new},
	{Py_tp_dealloc, image_dealloc},
	{Py_tp_repr, image_repr},
	{Py_tp_getset, image_attributes},
	{Py_tp_methods, image_methods},
	{Py_tp_members, image_members},
	{Py_bf_getbuffer, image_getbuffer},
	{0, NULL},
};

static PyType_Spec image_spec = {
	.name = "wanrt.Image",
	.basicsize = sizeof(struct image),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = image_slots,
};

int wan_py_image_init(PyObject *module)
{
	if (!image_type)
		image_type = (PyTypeObject *)PyType_FromSpec(&image_spec);
	if (!image_type)
		return -1;
	Py_INCREF((PyObject *)image_type);
	return PyModule_AddObject(module, "Image", (PyObject *)image_type);
}
