/* SPDX-License-Identifier: MIT */
/* wanrt.Stack: the conditioning stack of a clip, or its mask, as writable memory. */
#include "stage.h"

struct stack {
	PyObject_HEAD struct wan_stack *stack;
	struct wan_stack_view view;
	Py_ssize_t shape[5], strides[5];
};

static PyTypeObject *stack_type;

static const struct {
	const char *dtype, *code, *typestr;
	int bytes;
} types[] = {
	[WAN_TENSOR_F32] = {"float32", "f", "f4", 4},
	[WAN_TENSOR_F16] = {"float16", "e", "f2", 2},
	[WAN_TENSOR_BF16] = {"bfloat16", "H", "u2", 2}, /* numpy has no name for it */
};

static PyObject *stack_new(struct wan_stack *made)
{
	struct stack *stack = PyObject_New(struct stack, stack_type);
	if (!stack) {
		wan_stack_unref(made);
		return NULL;
	}
	stack->stack = made;
	wan_stack_view(made, &stack->view);
	Py_ssize_t stride = types[stack->view.type].bytes;
	for (int i = (int)stack->view.dimensions - 1; i >= 0; i--) {
		stack->shape[i] = (Py_ssize_t)stack->view.shape[i];
		stack->strides[i] = stride;
		stride *= stack->shape[i];
	}
	return (PyObject *)stack;
}

static void stack_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	wan_stack_unref(((struct stack *)self)->stack);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *stack_refuse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyErr_SetString(PyExc_TypeError, "stacks come from wanrt.stack()");
	return NULL;
}

static int stack_getbuffer(PyObject *self, Py_buffer *buffer, int flags)
{
	struct stack *stack = (struct stack *)self;
	buffer->obj = NULL;
	if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS) {
		PyErr_SetString(PyExc_BufferError, "the numbers are not laid out that way");
		return -1;
	}
	buffer->buf = stack->view.data;
	buffer->len = (Py_ssize_t)stack->view.bytes;
	buffer->readonly = 0;
	buffer->itemsize = types[stack->view.type].bytes;
	buffer->format = flags & PyBUF_FORMAT ? (char *)types[stack->view.type].code : NULL;
	buffer->ndim = flags & PyBUF_ND ? (int)stack->view.dimensions : 1;
	buffer->shape = flags & PyBUF_ND ? stack->shape : NULL;
	buffer->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? stack->strides : NULL;
	buffer->suboffsets = NULL;
	buffer->internal = NULL;
	Py_INCREF(self);
	buffer->obj = self;
	return 0;
}

static PyObject *get_shape(PyObject *self, void *unused)
{
	const struct stack *stack = (const struct stack *)self;
	PyObject *shape = PyTuple_New(stack->view.dimensions);
	for (uint32_t i = 0; shape && i < stack->view.dimensions; i++)
		PyTuple_SetItem(shape, i, PyLong_FromSsize_t(stack->shape[i]));
	return shape;
}

static PyObject *get_dtype(PyObject *self, void *unused)
{
	return PyUnicode_FromString(types[((struct stack *)self)->view.type].dtype);
}

static PyObject *get_nbytes(PyObject *self, void *unused)
{
	return PyLong_FromSize_t(((struct stack *)self)->view.bytes);
}

static PyObject *get_held(PyObject *self, void *unused)
{
	return PyLong_FromSize_t(((struct stack *)self)->view.held_bytes);
}

static PyObject *get_constant(PyObject *self, void *unused)
{
	return PyFloat_FromDouble((double)((struct stack *)self)->view.constant);
}

static PyObject *stack_repr(PyObject *self)
{
	PyObject *shape = get_shape(self, NULL);
	if (!shape)
		return NULL;
	PyObject *text = PyUnicode_FromFormat("<wanrt.Stack %R %s>", shape,
					      types[((struct stack *)self)->view.type].dtype);
	Py_DECREF(shape);
	return text;
}

PyDoc_STRVAR(save_doc,
	     "save(path, *, overwrite=False)\n--\n\n"
	     "Write the stack as it was made (not what was written to it since) to a .npy file, whole or not\n"
	     "at all; what is zero becomes a hole of the file. bfloat16 is written as uint16 bits.");

static PyObject *stack_save(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char path_name[] = "path", overwrite_name[] = "overwrite";
	static char *names[] = {path_name, overwrite_name, NULL};
	PyObject *path = NULL;
	int overwrite = 0;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$p:save", names, PyUnicode_FSConverter,
					 &path, &overwrite))
		return NULL;
	struct wan_error error = {0};
	const char *name = PyBytes_AsString(path);
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_stack_write_npy(((struct stack *)self)->stack, name, overwrite, &error);
	PyEval_RestoreThread(state);
	if (r < 0)
		wan_py_raise(r, &error, name);
	Py_DECREF(path);
	if (r < 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyGetSetDef stack_attributes[] = {
	{"shape", get_shape, NULL, "as the pipeline orders its axes", NULL},
	{"dtype", get_dtype, NULL, "float32, float16 or bfloat16 (numpy sees its bits, as uint16)",
	 NULL},
	{"nbytes", get_nbytes, NULL, "bytes of addresses", NULL},
	{"held_bytes", get_held, NULL, "bytes of memory: the known frames", NULL},
	{"constant", get_constant, NULL, "the value of all other frames", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef stack_own_methods[] = {
	{"save", (PyCFunction)(void (*)(void))stack_save, METH_VARARGS | METH_KEYWORDS, save_doc},
	{NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(stack_doc, "A tensor of mostly constant frames. numpy.asarray(stack) shows it without "
			"a copy, and may write\n"
			"to it: what is written to becomes ordinary memory of its own.");

static PyType_Slot stack_slots[] = {
	{Py_tp_doc, (void *)stack_doc},     {Py_tp_new, stack_refuse_new},
	{Py_tp_dealloc, stack_dealloc},     {Py_tp_repr, stack_repr},
	{Py_tp_getset, stack_attributes},   {Py_tp_methods, stack_own_methods},
	{Py_bf_getbuffer, stack_getbuffer}, {0, NULL},
};

static PyType_Spec stack_spec = {
	.name = "wanrt.Stack",
	.basicsize = sizeof(struct stack),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = stack_slots,
};

/* --- making one --- */

/* The image of a wanrt.Image, or NULL for None; -1 with TypeError. */
static int image_of(PyObject *object, struct wan_image **ret_image)
{
	*ret_image = NULL;
	if (object == Py_None)
		return 0;
	*ret_image = wan_py_image_borrow(object);
	if (*ret_image)
		return 0;
	PyErr_Format(PyExc_TypeError, "a wanrt.Image or None is needed, not %R", object);
	return -1;
}

static PyObject *finish(int r, struct wan_stack *made, const struct wan_error *error)
{
	if (r < 0)
		return wan_py_raise(r, error, NULL);
	return stack_new(made);
}

static PyObject *make_stack(struct wan_image *const images[2],
			    const struct wan_stack_options *options)
{
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	struct wan_stack *made = NULL;
	struct wan_error error = {0};
	struct wan_image_view view;
	int r;
	wan_image_view(images[0] ? images[0] : images[1], &view);
	PyThreadState *state = PyEval_SaveThread();
	struct wan_op op;
	wan_op_begin_large(wan_runtime_profile(runtime), &op, "stack");
	wan_op_set_image(&op, view.width_px, view.height_px, view.channels, 32, UINT64_MAX);
	r = wan_stack_create(images[0], images[1], options, &made, &error);
	wan_op_end(&op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	PyEval_RestoreThread(state);
	wan_py_runtime_unref(runtime);
	return finish(r, made, &error);
}

static PyObject *make_mask(struct wan_image *const images[2],
			   const struct wan_stack_options *options)
{
	struct wan_stack *made = NULL;
	struct wan_error error = {0};
	struct wan_image_view view;
	wan_image_view(images[0] ? images[0] : images[1], &view);
	struct wan_size size = {view.width_px, view.height_px};
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_stack_mask(size, images[0] != NULL, images[1] != NULL, options, &made, &error);
	PyEval_RestoreThread(state);
	return finish(r, made, &error);
}

PyDoc_STRVAR(make_doc, "make_stack(start, end, pipeline, frames, dtype, /)\n--\n\n"
		       "(stack, mask) of framed images; mask is None where the pipeline has none.");

static PyObject *make(PyObject *module, PyObject *args)
{
	static const char *const dtypes[] = {"float32", "float16", "bfloat16", NULL};
	PyObject *start, *end, *name, *dtype;
	unsigned frames;
	struct wan_image *images[2];
	struct wan_stack_options options;
	enum wan_pipeline pipeline;
	if (!PyArg_ParseTuple(args, "OOOIO", &start, &end, &name, &frames, &dtype) ||
	    image_of(start, &images[0]) < 0 || image_of(end, &images[1]) < 0 ||
	    wan_py_pipeline(name, &pipeline) < 0)
		return NULL;
	int type = wan_py_choice(dtype, "dtype", dtypes, WAN_TENSOR_F32);
	if (type < 0)
		return NULL;
	if (!images[0] && !images[1]) {
		PyErr_SetString(PyExc_ValueError, "a stack needs an image");
		return NULL;
	}
	int r = wan_stack_options_init(&options, pipeline);
	if (r < 0)
		return wan_py_raise_code(r, "stack");
	options.type = (enum wan_tensor_type)type;
	options.frames = frames;
	PyObject *stack = make_stack(images, &options);
	PyObject *mask = NULL;
	if (stack && frames % 4 == 1)
		mask = make_mask(images, &options);
	else if (stack) {
		Py_INCREF(Py_None); /* a part of a clip, as speech-to-video makes it */
		mask = Py_None;
	}
	return mask ? Py_BuildValue("(NN)", stack, mask) : (Py_XDECREF(stack), NULL);
}

PyMethodDef wan_py_stack_methods[] = {
	{"make_stack", make, METH_VARARGS, make_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_stack_init(PyObject *module)
{
	if (!stack_type)
		stack_type = (PyTypeObject *)PyType_FromSpec(&stack_spec);
	if (!stack_type)
		return -1;
	Py_INCREF((PyObject *)stack_type);
	return PyModule_AddObject(module, "Stack", (PyObject *)stack_type);
}
