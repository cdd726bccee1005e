/* SPDX-License-Identifier: MIT */
/* wanrt.Stack: the conditioning stack of a clip, or its mask, as writable memory. */
#include "stage.h"

struct stack {
	PyObject head;
	struct wan_stack *stack; /* a reference of its own, */
	struct wan_pin *pin;     /* or inside of this, shared with others: read-only */
	struct wan_runtime *runtime;
	uint64_t generation;
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

static struct wan_stack *stack_of(const struct stack *stack)
{
	return stack->pin ? wan_pin_data(stack->pin) : stack->stack;
}

/* Takes all three over, also on failure; pin and runtime are NULL for a stack of its own. */
static PyObject *stack_new(struct wan_stack *made, struct wan_pin *pin, struct wan_runtime *runtime)
{
	struct stack *stack = PyObject_New(struct stack, stack_type);
	if (!stack) {
		wan_stack_unref(made);
		wan_pin_release(pin);
		wan_py_runtime_unref(runtime);
		return NULL;
	}
	stack->stack = made;
	stack->pin = pin;
	stack->runtime = runtime;
	stack->generation = wan_py_generation();
	wan_stack_view(stack_of(stack), &stack->view);
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
	struct stack *stack = (struct stack *)self;
	PyTypeObject *type = Py_TYPE(self);
	wan_stack_unref(stack->stack);
	if (stack->generation == wan_py_generation()) {
		wan_pin_release(stack->pin);
		wan_py_runtime_unref(stack->runtime);
	}
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
	if ((flags & PyBUF_WRITABLE) && stack->pin) {
		PyErr_SetString(PyExc_BufferError,
				"this stack is shared by all who ask for it: ask for stack='own'");
		return -1;
	}
	if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS) {
		PyErr_SetString(PyExc_BufferError, "the numbers are not laid out that way");
		return -1;
	}
	buffer->buf = stack->view.data;
	buffer->len = (Py_ssize_t)stack->view.bytes;
	buffer->readonly = stack->pin != NULL;
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

PyDoc_STRVAR(
	save_doc,
	"save(path, *, overwrite=False)\n--\n\n"
	"Write the stack as it was made (not what was written to it since) to a .npy file, whole "
	"or not\n"
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
	struct stack *stack = (struct stack *)self;
	struct wan_error error = {0};
	const char *name = PyBytes_AsString(path);
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_stack_write_npy(stack_of(stack), name, overwrite, &error);
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

struct recipe {
	struct wan_runtime *runtime;
	struct wan_py_stage sides[2]; /* start; end, without a path when there is none */
	struct wan_stack_options options;
	bool is_own;
	/* results */
	struct wan_pin *pin, *mask_pin;
	struct wan_stack *stack, *mask;
	struct wan_error error;
};

/* Both framings: the end's follows from the start's output. */
static int picture_both(struct recipe *recipe, struct wan_framing framings[2],
			struct wan_picture pictures[2])
{
	for (int i = 0; i < 2 && recipe->sides[i].path; i++) {
		struct wan_py_stage *side = &recipe->sides[i];
		if (i == 1) {
			side->width_px = framings[0].output.width_px;
			side->height_px = framings[0].output.height_px;
		}
		int r = wan_py_stage_picture(side, &framings[i], &pictures[i]);
		if (r < 0) {
			recipe->error = side->error;
			return r;
		}
	}
	return 0;
}

/* A stack that nobody else has. */
static int build(struct recipe *recipe, const struct wan_picture pictures[2])
{
	struct wan_pin *pins[2] = {NULL, NULL};
	int r = 0;
	for (int i = 0; i < 2 && r == 0 && pictures[i].path; i++)
		r = wan_framed(recipe->runtime, &pictures[i], true, &pins[i], NULL, &recipe->error);
	if (r == 0) {
		struct wan_size size = pictures[0].framing->output;
		struct wan_op op;
		wan_op_begin_large(wan_runtime_profile(recipe->runtime), &op, "stack");
		wan_op_set_image(&op, size.width_px, size.height_px, 3, 32, UINT64_MAX);
		r = wan_stack_create(wan_pin_image(pins[0]), wan_pin_image(pins[1]),
				     &recipe->options, &recipe->stack, &recipe->error);
		wan_op_end(&op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	}
	wan_pin_release(pins[0]);
	wan_pin_release(pins[1]);
	return r;
}

/* --- masks --- */

struct mask {
	struct wan_size size;
	bool has_end;
	const struct wan_stack_options *options;
	struct wan_error *error;
};

static void destroy_mask(void *data)
{
	wan_stack_unref(data);
}

static int compute_mask(void *context, struct wan_value *ret_value)
{
	const struct mask *mask = context;
	struct wan_stack *made = NULL;
	int r = wan_stack_mask(mask->size, true, mask->has_end, mask->options, &made, mask->error);
	if (r < 0)
		return r;
	struct wan_stack_view view;
	wan_stack_view(made, &view);
	*ret_value = (struct wan_value){.data = made,
					.bytes = view.held_bytes,
					.destroy = destroy_mask,
					.flags = WAN_CACHE_DERIVED};
	return 0;
}

/* It depends on no file: one for all clips of that size. */
static int pin_mask(struct recipe *recipe, struct mask *mask)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, "python.mask");
	wan_key_add(&builder, "size", &mask->size, sizeof(mask->size));
	wan_key_add_u64(&builder, "has_end", mask->has_end);
	wan_key_add_u64(&builder, "pipeline", recipe->sides[0].pipeline);
	wan_key_add_u64(&builder, "frames", recipe->options.frames);
	wan_key_add_u64(&builder, "type", recipe->options.type);
	return wan_cache_get_or_compute(wan_runtime_cache(recipe->runtime), wan_key_end(&builder),
					0, compute_mask, mask, &recipe->mask_pin, NULL);
}

static int make_mask(struct recipe *recipe, struct wan_size size, bool has_end)
{
	struct mask mask = {size, has_end, &recipe->options, &recipe->error};
	if (recipe->options.frames % 4 != 1) /* a part of a clip, as speech-to-video makes it */
		return 0;
	if (!recipe->is_own)
		return pin_mask(recipe, &mask);
	return wan_stack_mask(size, true, has_end, &recipe->options, &recipe->mask, &recipe->error);
}

/* Without the GIL. */
static int cook(struct recipe *recipe)
{
	struct wan_framing framings[2];
	struct wan_picture pictures[2] = {{.path = NULL}};
	int r = picture_both(recipe, framings, pictures);
	const struct wan_picture *end = pictures[1].path ? &pictures[1] : NULL;
	if (r == 0 && recipe->is_own)
		r = build(recipe, pictures);
	else if (r == 0)
		r = wan_conditioning(recipe->runtime, &pictures[0], end, &recipe->options,
				     &recipe->pin, NULL, &recipe->error);
	return r < 0 ? r : make_mask(recipe, framings[0].output, end != NULL);
}

/* What was made, as (stack, mask). */
static PyObject *serve(struct recipe *recipe)
{
	PyObject *stack = stack_new(recipe->stack, recipe->pin,
				    recipe->pin ? wan_runtime_ref(recipe->runtime) : NULL);
	PyObject *mask = Py_None;
	if (recipe->mask || recipe->mask_pin)
		mask = stack_new(recipe->mask, recipe->mask_pin,
				 recipe->mask_pin ? wan_runtime_ref(recipe->runtime) : NULL);
	else
		Py_INCREF(Py_None);
	if (stack && mask)
		return Py_BuildValue("(NN)", stack, mask);
	Py_XDECREF(stack);
	Py_XDECREF(mask);
	return NULL;
}

/* Arguments of make_stack(); 0, or -1 with an exception. paths keeps the bytes. */
static int read_recipe(struct recipe *recipe, PyObject *args, PyObject *paths[2])
{
	static const char *const dtypes[] = {"float32", "float16", "bfloat16", NULL};
	PyObject *given[2], *name, *size, *dtype;
	unsigned frames;
	int own;
	if (!PyArg_ParseTuple(args, "OOOOIOp", &given[0], &given[1], &name, &size, &frames, &dtype,
			      &own))
		return -1;
	int type = wan_py_choice(dtype, "dtype", dtypes, WAN_TENSOR_F32);
	for (int i = 0; i < 2; i++) {
		struct wan_py_stage *side = &recipe->sides[i];
		wan_py_stage_init(side, WAN_PY_FRAME_TENSOR);
		if (type < 0 || wan_py_pipeline(name, &side->pipeline) < 0 ||
		    wan_py_size(size, &side->width_px, &side->height_px) < 0)
			return -1;
		side->is_end = i == 1;
		side->decode.apply_orientation = wan_pipeline_info(side->pipeline)->turns_upright;
		if (i == 1 && given[1] == Py_None)
			break;
		paths[i] = wan_py_path(given[i]);
		if (!paths[i])
			return -1;
		side->path = PyBytes_AsString(paths[i]);
	}
	int r = wan_stack_options_init(&recipe->options, recipe->sides[0].pipeline);
	recipe->options.type = (enum wan_tensor_type)type;
	recipe->options.frames = frames;
	recipe->is_own = own;
	return r;
}

PyDoc_STRVAR(make_doc, "make_stack(start, end, pipeline, size, frames, dtype, own, /)\n--\n\n"
		       "(stack, mask) of files; mask is None where the pipeline has none.");

static PyObject *make(PyObject *module, PyObject *args)
{
	struct recipe recipe = {.is_own = false};
	PyObject *paths[2] = {NULL, NULL}, *answer = NULL;
	if (read_recipe(&recipe, args, paths) == 0)
		recipe.runtime = wan_py_runtime_ref();
	if (recipe.runtime) {
		recipe.sides[0].runtime = recipe.sides[1].runtime = recipe.runtime;
		PyThreadState *state = PyEval_SaveThread();
		int r = cook(&recipe);
		PyEval_RestoreThread(state);
		if (r == 0)
			answer = serve(&recipe);
		else {
			wan_stack_unref(recipe.stack);
			wan_pin_release(recipe.pin);
			wan_py_raise(r, &recipe.error, NULL);
		}
		wan_py_runtime_unref(recipe.runtime);
	}
	Py_XDECREF(paths[0]);
	Py_XDECREF(paths[1]);
	return answer;
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
