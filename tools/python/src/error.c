/* SPDX-License-Identifier: MIT */
/* Exceptions are made by wanrt._errors: classes are Python's business. */
#include "wan_py.h"

static PyObject *make_error; /* wanrt._errors.make(code, object, reason, hint) */

int wan_py_error_init(void)
{
	PyObject *module = PyImport_ImportModule("wanrt._errors");
	if (!module)
		return -1;
	Py_XDECREF(make_error);
	make_error = PyObject_GetAttrString(module, "make");
	Py_DECREF(module);
	return make_error ? 0 : -1;
}

/* Paths are bytes; what is no text survives as Python's file names do. */
static PyObject *text(const char *bytes)
{
	return PyUnicode_DecodeFSDefault(bytes);
}

PyObject *wan_py_raise(int code, const struct wan_error *error, const char *path)
{
	if (!error->code)
		return wan_py_raise_code(code, path ? path : error->object);
	/* The library's object is for reading: cut and made printable. The path is the file. */
	PyObject *object = text(error->object), *reason = text(error->reason);
	PyObject *hint = text(error->hint), *number = PyLong_FromLong(error->code);
	PyObject *file = text(path ? path : error->object), *made = NULL;
	if (object && reason && hint && number && file)
		made = PyObject_CallFunctionObjArgs(make_error, number, object, reason, hint, file,
						    NULL);
	Py_XDECREF(object);
	Py_XDECREF(reason);
	Py_XDECREF(hint);
	Py_XDECREF(number);
	Py_XDECREF(file);
	if (made)
		PyErr_SetObject((PyObject *)Py_TYPE(made), made);
	Py_XDECREF(made);
	return NULL;
}

PyObject *wan_py_raise_code(int code, const char *object)
{
	struct wan_error error = {.code = code};
	PyOS_snprintf(error.object, sizeof(error.object), "%s", object);
	PyOS_snprintf(error.reason, sizeof(error.reason), "%s", wan_strerror(code));
	return wan_py_raise(code, &error, object);
}
