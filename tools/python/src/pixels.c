/* SPDX-License-Identifier: MIT */
/*
 * Contents of images and arrays as parts of a key. PIL images are read where Pillow keeps them
 * (rows of 1, 2 or 4 bytes a pixel): tobytes() would copy, at several times the price of hashing.
 * Bytes of a pixel that mean nothing (the fourth of RGB) are masked, so that equal images are
 * equal.
 */
#include "wan_py.h"

#include "key.h"

#define PIECE         ((size_t)64 * 1024) /* stays in the first-level caches while it is masked */
#define GIVE_GIL_AWAY ((size_t)256 * 1024)

/* --- PIL --- */

struct pil_mode {
	const char *name;
	int pixel_bytes;
	uint32_t mask; /* of a pixel of four bytes in memory order; 0: all bytes count */
};

static const struct pil_mode pil_modes[] = {
	{"RGB", 4, 0x00ffffff},
	{"RGBA", 4, 0},
	{"RGBX", 4, 0},
	{"L", 1, 0},
	{"LA", 4, 0xff0000ff},
	{"P", 1, 0},
	{"PA", 4, 0xff0000ff},
	{"1", 1, 0},
	{"I", 4, 0},
	{"F", 4, 0},
	{"CMYK", 4, 0},
	{"YCbCr", 4, 0x00ffffff},
	{"HSV", 4, 0x00ffffff},
	{"LAB", 4, 0x00ffffff},
	{"RGBa", 4, 0},
	{"La", 4, 0xff0000ff},
	{"I;16", 2, 0},
	{"I;16B", 2, 0},
	{"I;16L", 2, 0},
	{NULL, 0, 0},
};

/* The addresses of the rows, or NULL where this Pillow does not tell. */
static const uint8_t *const *pil_rows(PyObject *core)
{
	PyObject *pointers = PyObject_GetAttrString(core, "unsafe_ptrs");
	const char *name;
	unsigned long long first, second, third = 0;
	const char *name_second, *name_third = "";
	if (!pointers ||
	    !PyArg_ParseTuple(pointers, "(sK)(sK)(sK)", &name, &first, &name_second, &second,
			      &name_third, &third) ||
	    strcmp(name_third, "image") != 0)
		third = 0;
	PyErr_Clear();
	Py_XDECREF(pointers);
	return (const uint8_t *const *)(uintptr_t)third;
}

static void mask_pixels(uint8_t *to, const uint8_t *from, size_t count, uint32_t mask)
{
	if (!mask) {
		memcpy(to, from, count);
		return;
	}
	const uint8_t bytes[4] = {(uint8_t)mask, (uint8_t)(mask >> 8), (uint8_t)(mask >> 16),
				  (uint8_t)(mask >> 24)};
	uint32_t in_memory;
	memcpy(&in_memory, bytes, sizeof(in_memory));
	for (size_t i = 0; i < count; i += 4) {
		uint32_t pixel;
		memcpy(&pixel, from + i, sizeof(pixel));
		pixel &= in_memory;
		memcpy(to + i, &pixel, sizeof(pixel));
	}
}

/* Groups of whole rows of about PIECE bytes: the key must not depend on how Pillow laid them out.
 */
struct rows {
	const uint8_t *const *rows;
	size_t row_bytes, height, group;
	uint32_t mask;
	uint8_t *scratch; /* of group rows */
};

static void add_rows(struct wan_key_builder *builder, const struct rows *from)
{
	for (size_t y = 0; y < from->height; y += from->group) {
		size_t left = from->height - y, count = left < from->group ? left : from->group;
		for (size_t i = 0; i < count; i++)
			mask_pixels(from->scratch + i * from->row_bytes, from->rows[y + i],
				    from->row_bytes, from->mask);
		wan_key_add(builder, "rows", from->scratch, count * from->row_bytes);
	}
}

static const struct pil_mode *find_mode(PyObject *name)
{
	for (const struct pil_mode *mode = pil_modes; mode->name; mode++)
		if (PyUnicode_CompareWithASCIIString(name, mode->name) == 0)
			return mode;
	return NULL;
}

static int add_pil_bytes(struct wan_py_keyer *keyer, PyObject *image)
{
	PyObject *bytes = PyObject_CallMethod(image, "tobytes", NULL);
	if (!bytes)
		return -1;
	wan_py_keyer_add(keyer, 'p', PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
	Py_DECREF(bytes);
	return 0;
}

static int add_pil_pixels(struct wan_py_keyer *keyer, PyObject *image, PyObject *core,
			  PyObject *mode_name, unsigned width, unsigned height)
{
	const struct pil_mode *mode = find_mode(mode_name);
	const uint8_t *const *rows = mode ? pil_rows(core) : NULL;
	if (width == 0 || height == 0)
		return 0;
	if (!rows)
		return add_pil_bytes(keyer, image);
	struct rows from = {.rows = rows,
			    .row_bytes = (size_t)width * mode->pixel_bytes,
			    .height = height,
			    .mask = mode->mask};
	from.group = from.row_bytes >= PIECE ? 1 : PIECE / from.row_bytes;
	from.scratch = PyMem_Malloc(from.group * from.row_bytes);
	if (!from.scratch) {
		PyErr_NoMemory();
		return -1;
	}
	wan_py_keyer_flush(keyer);
	if (from.row_bytes * height < GIVE_GIL_AWAY)
		add_rows(&keyer->builder, &from);
	else {
		PyThreadState *state = PyEval_SaveThread();
		add_rows(&keyer->builder, &from);
		PyEval_RestoreThread(state);
	}
	PyMem_Free(from.scratch);
	return 0;
}

static int add_pil_palette(struct wan_py_keyer *keyer, PyObject *core, PyObject *mode_name)
{
	if (PyUnicode_CompareWithASCIIString(mode_name, "P") != 0 &&
	    PyUnicode_CompareWithASCIIString(mode_name, "PA") != 0)
		return 0;
	PyObject *palette = PyObject_CallMethod(core, "getpalette", "ss", "RGBA", "RGBA");
	if (!palette)
		return -1;
	char *bytes;
	Py_ssize_t count;
	int r = PyBytes_AsStringAndSize(palette, &bytes, &count);
	if (r == 0)
		wan_py_keyer_add(keyer, 'c', bytes, (size_t)count);
	Py_DECREF(palette);
	return r;
}

static int add_pil(struct wan_py_keyer *keyer, PyObject *image)
{
	PyObject *loaded = PyObject_CallMethod(image, "load", NULL);
	if (!loaded)
		return -1;
	Py_DECREF(loaded);
	PyObject *core = PyObject_GetAttrString(image, "im");
	PyObject *mode = PyObject_GetAttrString(image, "mode");
	PyObject *size = PyObject_GetAttrString(image, "size");
	PyObject *info = PyObject_GetAttrString(image, "info");
	unsigned sides[2];
	int r = -1;
	if (core && mode && size && info && PyArg_ParseTuple(size, "II", &sides[0], &sides[1])) {
		PyObject *name = PyUnicode_AsUTF8String(mode);
		if (name) {
			wan_py_keyer_add(keyer, 'P', PyBytes_AsString(name),
					 (size_t)PyBytes_Size(name));
			wan_py_keyer_add(keyer, 'Z', sides, sizeof(sides));
			r = add_pil_pixels(keyer, image, core, mode, sides[0], sides[1]);
			Py_DECREF(name);
		}
		if (r == 0)
			r = add_pil_palette(keyer, core, mode);
		if (r == 0)
			r = wan_py_key_add_notes(keyer, info);
	}
	Py_XDECREF(core);
	Py_XDECREF(mode);
	Py_XDECREF(size);
	Py_XDECREF(info);
	return r;
}

/* PIL.Image.Image once somebody has imported it; a borrowed reference, or NULL. */
static PyObject *pil_class(void)
{
	static PyObject *found;
	if (!found) {
		PyObject *modules = PyImport_GetModuleDict();
		PyObject *module = PyDict_GetItemString(modules, "PIL.Image");
		found = module ? PyObject_GetAttrString(module, "Image") : NULL;
		PyErr_Clear();
	}
	return found;
}

/* --- memory --- */

static int add_contiguous(struct wan_py_keyer *keyer, const void *bytes, size_t count)
{
	if (count < GIVE_GIL_AWAY) {
		wan_py_keyer_add(keyer, 'm', bytes, count);
		return 0;
	}
	PyThreadState *state = PyEval_SaveThread();
	wan_py_keyer_add(keyer, 'm', bytes, count);
	PyEval_RestoreThread(state);
	return 0;
}

static int add_strided(struct wan_py_keyer *keyer, Py_buffer *buffer)
{
	void *packed = PyMem_Malloc(buffer->len ? (size_t)buffer->len : 1);
	if (!packed) {
		PyErr_NoMemory();
		return -1;
	}
	int r = PyBuffer_ToContiguous(packed, buffer, buffer->len, 'C');
	if (r == 0)
		r = add_contiguous(keyer, packed, (size_t)buffer->len);
	PyMem_Free(packed);
	return r;
}

/* 1 added, 0 holds pointers or cannot be looked at, -1 with an exception. */
static int add_memory(struct wan_py_keyer *keyer, PyObject *value)
{
	Py_buffer buffer;
	if (PyObject_GetBuffer(value, &buffer, PyBUF_FULL_RO) < 0) {
		PyErr_Clear();
		return 0;
	}
	const char *format = buffer.format ? buffer.format : "B";
	if (strchr(format, 'O') || strchr(format, 'P')) {
		PyBuffer_Release(&buffer);
		return 0;
	}
	int r = wan_py_key_add_type(keyer, (PyObject *)Py_TYPE(value));
	wan_py_keyer_add(keyer, 'M', format, strlen(format));
	wan_py_keyer_add(keyer, 'Z', buffer.shape, sizeof(Py_ssize_t) * (size_t)buffer.ndim);
	if (r == 0 && PyBuffer_IsContiguous(&buffer, 'C'))
		r = add_contiguous(keyer, buffer.buf, (size_t)buffer.len);
	else if (r == 0)
		r = add_strided(keyer, &buffer);
	PyBuffer_Release(&buffer);
	return r < 0 ? -1 : 1;
}

int wan_py_key_add_pixels(struct wan_py_keyer *keyer, PyObject *value)
{
	if (wan_py_image_check(value)) {
		wan_py_keyer_flush(keyer);
		return wan_py_image_add_to_key(value, &keyer->builder) < 0 ? -1 : 1;
	}
	PyObject *pil = pil_class();
	if (pil) {
		int is_pil = PyObject_IsInstance(value, pil);
		if (is_pil)
			return is_pil < 0 || add_pil(keyer, value) < 0 ? -1 : 1;
	}
	/* A masked array has more to it than its memory. */
	if (!PyObject_CheckBuffer(value) || PyObject_HasAttrString(value, "mask"))
		return 0;
	return add_memory(keyer, value);
}
