/* SPDX-License-Identifier: MIT */
/* Calls and blocks of the program as operations of the recording. */
#include "wan_py.h"

PyDoc_STRVAR(call_doc, "call(name, function, args, kwargs, /)\n--\n\n"
		       "function(*args, **kwargs), as an operation; failed when it raises.");

static PyObject *call(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	Py_ssize_t bytes;
	if (count != 4) {
		PyErr_SetString(PyExc_TypeError, "call() takes four arguments");
		return NULL;
	}
	const char *name = PyUnicode_AsUTF8AndSize(args[0], &bytes);
	struct wan_runtime *runtime = name ? wan_py_runtime_ref() : NULL;
	if (!runtime)
		return NULL;
	struct wan_op op;
	wan_op_begin(wan_runtime_profile(runtime), &op, name);
	PyObject *result = PyObject_Call(args[1], args[2], args[3]);
	wan_op_end(&op, result ? WAN_OP_OK : WAN_OP_FAILED);
	PyObject *type, *value, *trace;
	PyErr_Fetch(&type, &value, &trace);
	wan_py_runtime_unref(runtime);
	PyErr_Restore(type, value, trace);
	return result;
}

PyDoc_STRVAR(record_doc,
	     "record(name, span_ns, inside_ns, status, /)\n--\n\n"
	     "An operation that is over: began span_ns ago, was at work inside_ns of that.");

static PyObject *record(PyObject *module, PyObject *args)
{
	const char *name;
	long long span_ns, inside_ns;
	int status;
	if (!PyArg_ParseTuple(args, "sLLi", &name, &span_ns, &inside_ns, &status))
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	wan_op_record(wan_runtime_profile(runtime), name, span_ns > 0 ? (uint64_t)span_ns : 0,
		      inside_ns > 0 ? (uint64_t)inside_ns : 0, (enum wan_op_status)status);
	wan_py_runtime_unref(runtime);
	Py_RETURN_NONE;
}

/* --- a block: the operation lives in an object, and the block's end ends it --- */

struct operation {
	PyObject head;
	struct wan_runtime *runtime; /* NULL: ended */
	uint64_t generation;
	struct wan_op op;
};

static PyObject *operation_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	const char *name;
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	if (!PyArg_ParseTuple(args, "s", &name))
		return NULL;
	struct operation *operation = (struct operation *)allocate(type, 0);
	if (!operation)
		return NULL;
	operation->runtime = wan_py_runtime_ref();
	if (!operation->runtime) {
		Py_DECREF((PyObject *)operation);
		return NULL;
	}
	operation->generation = wan_py_generation();
	wan_op_begin(wan_runtime_profile(operation->runtime), &operation->op, name);
	return (PyObject *)operation;
}

static void end(struct operation *operation, enum wan_op_status status)
{
	struct wan_runtime *runtime = operation->runtime;
	operation->runtime = NULL;
	if (!runtime || operation->generation != wan_py_generation())
		return;
	wan_op_end(&operation->op, status);
	wan_py_runtime_unref(runtime);
}

static PyObject *operation_end(PyObject *self, PyObject *status)
{
	long told = PyLong_AsLong(status);
	if (told == -1 && PyErr_Occurred())
		return NULL;
	end((struct operation *)self, (enum wan_op_status)told);
	Py_RETURN_NONE;
}

static void operation_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	PyObject *kind, *value, *trace;
	PyErr_Fetch(&kind, &value, &trace);
	end((struct operation *)self, WAN_OP_ABORTED);
	PyErr_Restore(kind, value, trace);
	release(self);
	Py_DECREF((PyObject *)type);
}

static PyMethodDef operation_methods[] = {
	{"end", operation_end, METH_O, "end(status, /)\n--\n\nRecord it; later calls do nothing."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot operation_slots[] = {
	{Py_tp_doc, (void *)"An operation under way."},
	{Py_tp_new, operation_new},
	{Py_tp_dealloc, operation_dealloc},
	{Py_tp_methods, operation_methods},
	{0, NULL},
};

static PyType_Spec operation_spec = {
	.name = "wanrt._wanrt.Operation",
	.basicsize = sizeof(struct operation),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = operation_slots,
};

PyDoc_STRVAR(gpu_doc,
	     "gpu_reusable(device, bytes, /)\n--\n\n"
	     "So much of what this process holds of a device is free for its own use: no need.");

static PyObject *gpu_reusable(PyObject *module, PyObject *args)
{
	int device;
	unsigned long long bytes;
	if (!PyArg_ParseTuple(args, "iK", &device, &bytes))
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	int r = wan_memory_gpu_reusable(wan_runtime_memory(runtime), device, bytes);
	wan_py_runtime_unref(runtime);
	if (r < 0)
		return wan_py_raise_code(r, "device");
	Py_RETURN_NONE;
}

PyMethodDef wan_py_operation_methods[] = {
	{"call", (PyCFunction)(void (*)(void))call, METH_FASTCALL, call_doc},
	{"record", record, METH_VARARGS, record_doc},
	{"gpu_reusable", gpu_reusable, METH_VARARGS, gpu_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_operation_init(PyObject *module)
{
	static PyTypeObject *operation_type;
	if (!operation_type)
		operation_type = (PyTypeObject *)PyType_FromSpec(&operation_spec);
	if (!operation_type)
		return -1;
	Py_INCREF((PyObject *)operation_type);
	return PyModule_AddObject(module, "Operation", (PyObject *)operation_type);
}
