/* SPDX-License-Identifier: MIT */
/*
 * Python objects in the cache. A value is one reference to an object; it goes back on whatever
 * thread the cache lets go of it, with the GIL. Once the interpreter goes, such references are
 * left alone: the process ends.
 */
#include <time.h>

#include "wan_py.h"

static struct {
	uint32_t closing; /* set once, by the main thread */
	uint32_t busy;    /* threads between a look at closing and their last use of Python */
} life;                   /* both seq_cst */

static void destroy_object(void *data)
{
	uint64_t generation = wan_py_generation();
	__atomic_fetch_add(&life.busy, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&life.closing, __ATOMIC_SEQ_CST)) {
		PyGILState_STATE state = PyGILState_Ensure();
		Py_DECREF((PyObject *)data);
		PyGILState_Release(state);
	}
	if (generation == wan_py_generation()) /* the object's destructor may have forked */
		__atomic_fetch_sub(&life.busy, 1, __ATOMIC_SEQ_CST);
}

void wan_py_object_forked(void)
{
	life.busy = 0; /* the others stayed behind */
}

void wan_py_object_close(void)
{
	__atomic_store_n(&life.closing, 1, __ATOMIC_SEQ_CST);
	/* A thread that waits for the GIL gets it here, not from an interpreter that is gone. One
	 * that is this thread (a destructor ends the program) is not waited for. */
	for (int i = 0; i < 1000 && __atomic_load_n(&life.busy, __ATOMIC_SEQ_CST); i++) {
		PyThreadState *state = PyEval_SaveThread();
		struct timespec pause = {.tv_nsec = 1000000};
		nanosleep(&pause, NULL);
		PyEval_RestoreThread(state);
	}
}

/* --- keys and values --- */

static int read_key(PyObject *object, struct wan_key *ret_key)
{
	char *bytes;
	Py_ssize_t count;
	if (PyBytes_AsStringAndSize(object, &bytes, &count) < 0)
		return -1;
	if (count != sizeof(*ret_key)) {
		PyErr_SetString(PyExc_ValueError, "a key is 16 bytes");
		return -1;
	}
	memcpy(ret_key, bytes, sizeof(*ret_key));
	return 0;
}

/* The caller gives the pin and the runtime back. 1 found, 0 not there, -1 with an exception. The
 * GIL is kept: a hit costs less than giving it away. */
static int find(PyObject *key_bytes, struct wan_pin **ret_pin, struct wan_runtime **ret_runtime)
{
	struct wan_key key;
	if (read_key(key_bytes, &key) < 0)
		return -1;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return -1;
	if (wan_cache_pin(wan_runtime_cache(runtime), key, ret_pin) < 0) {
		wan_py_runtime_unref(runtime);
		return 0;
	}
	*ret_runtime = runtime;
	return 1;
}

PyDoc_STRVAR(get_doc, "cache_get(key, missing, /)\n--\n\nThe object itself, or missing.");

static PyObject *cache_get(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct wan_pin *pin;
	struct wan_runtime *runtime;
	if (count != 2) {
		PyErr_SetString(PyExc_TypeError, "cache_get(key, missing)");
		return NULL;
	}
	int found = find(args[0], &pin, &runtime);
	if (found < 0)
		return NULL;
	PyObject *object = args[1];
	if (found)
		object = wan_pin_data(pin);
	Py_INCREF(object);
	if (found) {
		wan_pin_release(pin);
		wan_py_runtime_unref(runtime);
	}
	return object;
}

PyDoc_STRVAR(put_doc, "cache_put(key, object, nbytes, cost_ns, /)\n--\n\n"
		      "Keep an object; False when there is no room for it.");

static PyObject *cache_put(PyObject *module, PyObject *args)
{
	PyObject *key_bytes, *object;
	unsigned long long bytes, cost_ns;
	struct wan_key key;
	if (!PyArg_ParseTuple(args, "OOKK", &key_bytes, &object, &bytes, &cost_ns) ||
	    read_key(key_bytes, &key) < 0)
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	struct wan_value value = {
		.data = object, .bytes = bytes, .destroy = destroy_object, .cost_ns = cost_ns};
	Py_INCREF(object);
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_cache_put(wan_runtime_cache(runtime), key, &value);
	PyEval_RestoreThread(state);
	if (r < 0)
		Py_DECREF(object);
	wan_py_runtime_unref(runtime);
	return PyBool_FromLong(r == 0);
}

static PyObject *with_key(PyObject *key_bytes, bool removes)
{
	struct wan_key key;
	if (read_key(key_bytes, &key) < 0)
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	bool is_there;
	PyThreadState *state = PyEval_SaveThread();
	is_there = removes ? wan_cache_remove(wan_runtime_cache(runtime), key) == 0
			   : wan_cache_contains(wan_runtime_cache(runtime), key);
	PyEval_RestoreThread(state);
	wan_py_runtime_unref(runtime);
	return PyBool_FromLong(is_there);
}

static PyObject *cache_remove(PyObject *module, PyObject *key_bytes)
{
	return with_key(key_bytes, true);
}

static PyObject *cache_contains(PyObject *module, PyObject *key_bytes)
{
	return with_key(key_bytes, false);
}

/* --- an entry that stays charged while it is looked at --- */

struct held {
	PyObject head;
	struct wan_pin *pin;
	struct wan_runtime *runtime;
	uint64_t generation;
};

static PyTypeObject *held_type;

PyDoc_STRVAR(hold_doc, "cache_hold(key, /)\n--\n\nAn entry, pinned; None when it is not there.");

static PyObject *cache_hold(PyObject *module, PyObject *key_bytes)
{
	struct wan_pin *pin;
	struct wan_runtime *runtime;
	int found = find(key_bytes, &pin, &runtime);
	if (found < 0)
		return NULL;
	if (!found)
		Py_RETURN_NONE;
	struct held *held = PyObject_New(struct held, held_type);
	if (!held) {
		wan_pin_release(pin);
		wan_py_runtime_unref(runtime);
		return NULL;
	}
	held->pin = pin;
	held->runtime = runtime;
	held->generation = wan_py_generation();
	return (PyObject *)held;
}

static void held_dealloc(PyObject *self)
{
	struct held *held = (struct held *)self;
	PyTypeObject *type = Py_TYPE(self);
	if (held->generation == wan_py_generation()) {
		wan_pin_release(held->pin);
		wan_py_runtime_unref(held->runtime);
	}
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *held_refuse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyErr_SetString(PyExc_TypeError, "entries come from the cache");
	return NULL;
}

static PyObject *held_object(PyObject *self, void *unused)
{
	PyObject *object = wan_pin_data(((struct held *)self)->pin);
	Py_INCREF(object);
	return object;
}

/* An entry is (how to hand it out, value): the bytes of an array, read-only. */
static int held_getbuffer(PyObject *self, Py_buffer *buffer, int flags)
{
	buffer->obj = NULL;
	if (flags & PyBUF_WRITABLE) {
		PyErr_SetString(PyExc_BufferError, "cached results are read-only; copy them");
		return -1;
	}
	Py_buffer *inner = PyMem_Malloc(sizeof(*inner));
	if (!inner) {
		PyErr_NoMemory();
		return -1;
	}
	PyObject *array = PyTuple_GetItem(wan_pin_data(((struct held *)self)->pin), 1);
	if (!array || PyObject_GetBuffer(array, inner, flags) < 0) {
		PyMem_Free(inner);
		return -1;
	}
	*buffer = *inner;
	buffer->readonly = 1;
	buffer->internal = inner;
	Py_INCREF(self);
	buffer->obj = self;
	return 0;
}

static void held_releasebuffer(PyObject *self, Py_buffer *buffer)
{
	PyBuffer_Release(buffer->internal);
	PyMem_Free(buffer->internal);
}

static PyGetSetDef held_attributes[] = {
	{"object", held_object, NULL, "what is kept", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot held_slots[] = {
	{Py_tp_doc, (void *)"An entry of the cache, pinned."},
	{Py_tp_new, held_refuse_new},
	{Py_tp_dealloc, held_dealloc},
	{Py_tp_getset, held_attributes},
	{Py_bf_getbuffer, held_getbuffer},
	{Py_bf_releasebuffer, held_releasebuffer},
	{0, NULL},
};

static PyType_Spec held_spec = {
	.name = "wanrt._wanrt.Held",
	.basicsize = sizeof(struct held),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = held_slots,
};

/* --- operations --- */

PyDoc_STRVAR(
	profiled_doc,
	"profiled(name, function, args, kwargs, describe, /)\n--\n\n"
	"function(*args, **kwargs), recorded; describe(args, kwargs, result) says (width, height,\n"
	"channels, bits).");

static PyObject *profiled(PyObject *module, PyObject *args)
{
	const char *name;
	PyObject *function, *positional, *named, *describe;
	if (!PyArg_ParseTuple(args, "sOOOO", &name, &function, &positional, &named, &describe))
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	struct wan_op op;
	wan_op_begin_large(wan_runtime_profile(runtime), &op, name);
	PyObject *result = PyObject_Call(function, positional, named);
	PyObject *type = NULL, *value = NULL, *trace = NULL;
	PyErr_Fetch(&type, &value, &trace);
	PyObject *sizes = PyObject_CallFunctionObjArgs(describe, positional, named,
						       result ? result : Py_None, NULL);
	unsigned width = 0, height = 0, channels = 0, bits = 0;
	if (sizes && PyArg_ParseTuple(sizes, "IIII", &width, &height, &channels, &bits))
		wan_op_set_image(&op, width, height, channels, bits, UINT64_MAX);
	PyErr_Clear(); /* an object that cannot tell its size is no reason to fail */
	Py_XDECREF(sizes);
	wan_op_end(&op, result ? WAN_OP_OK : WAN_OP_FAILED);
	PyErr_Restore(type, value, trace);
	wan_py_runtime_unref(runtime);
	return result;
}

PyMethodDef wan_py_object_methods[] = {
	{"cache_get", (PyCFunction)(void (*)(void))cache_get, METH_FASTCALL, get_doc},
	{"cache_put", cache_put, METH_VARARGS, put_doc},
	{"cache_hold", cache_hold, METH_O, hold_doc},
	{"cache_remove", cache_remove, METH_O, "cache_remove(key, /)\n--\n\nForget one entry."},
	{"cache_contains", cache_contains, METH_O, "cache_contains(key, /)\n--\n\nIs it there?"},
	{"profiled", profiled, METH_VARARGS, profiled_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_object_init(PyObject *module)
{
	if (!held_type)
		held_type = (PyTypeObject *)PyType_FromSpec(&held_spec);
	return held_type ? 0 : -1;
}
