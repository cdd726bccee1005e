/* SPDX-License-Identifier: MIT */
/* Arguments of a call, without building tuples: a cached load is about as long as PyArg_Parse. */
#include "wan_py.h"

static int find_name(const struct wan_py_signature *signature, PyObject *name)
{
	for (int i = 0; signature->names[i]; i++)
		if (PyUnicode_CompareWithASCIIString(name, signature->names[i]) == 0)
			return i;
	return -1;
}

static int complain_missing(const struct wan_py_signature *signature, int index)
{
	PyErr_Format(PyExc_TypeError, "%s() needs the argument '%s'", signature->function,
		     signature->names[index]);
	return -1;
}

int wan_py_arguments(const struct wan_py_signature *signature, PyObject *const *args,
		     Py_ssize_t count, PyObject *names, PyObject **ret)
{
	for (int i = 0; signature->names[i]; i++)
		ret[i] = NULL;
	if (count > signature->positional) {
		PyErr_Format(PyExc_TypeError,
			     "%s() takes at most %d arguments by position (%zd given)",
			     signature->function, signature->positional, count);
		return -1;
	}
	for (Py_ssize_t i = 0; i < count; i++)
		ret[i] = args[i];
	Py_ssize_t named = names ? PyTuple_Size(names) : 0;
	for (Py_ssize_t i = 0; i < named; i++) {
		PyObject *name = PyTuple_GetItem(names, i);
		int index = find_name(signature, name);
		if (index < 0) {
			PyErr_Format(PyExc_TypeError, "%s() has no argument %R",
				     signature->function, name);
			return -1;
		}
		if (ret[index]) {
			PyErr_Format(PyExc_TypeError, "%s() was given the argument %R twice",
				     signature->function, name);
			return -1;
		}
		ret[index] = args[count + i];
	}
	for (int i = 0; i < signature->required; i++)
		if (!ret[i])
			return complain_missing(signature, i);
	return 0;
}

PyObject *wan_py_path(PyObject *object)
{
	PyObject *bytes = NULL;
	return PyUnicode_FSConverter(object, &bytes) ? bytes : NULL;
}

int wan_py_choice(PyObject *object, const char *what, const char *const *texts, int fallback)
{
	if (!object || object == Py_None)
		return fallback;
	if (!PyUnicode_Check(object)) {
		PyErr_Format(PyExc_TypeError, "%s is a text, not %R", what, object);
		return -1;
	}
	for (int i = 0; texts[i]; i++)
		if (PyUnicode_CompareWithASCIIString(object, texts[i]) == 0)
			return i;
	PyObject *list = PyUnicode_FromString(texts[0]);
	for (int i = 1; list && texts[i]; i++) {
		PyObject *longer = PyUnicode_FromFormat("%U, %s", list, texts[i]);
		Py_DECREF(list);
		list = longer;
	}
	if (list)
		PyErr_Format(PyExc_ValueError, "%s %R is not one of %U", what, object, list);
	Py_XDECREF(list);
	return -1;
}

static int side(PyObject *object, uint32_t *ret)
{
	PyObject *number = PyNumber_Index(object);
	if (!number)
		return -1;
	long long value = PyLong_AsLongLong(number);
	Py_DECREF(number);
	if (value == -1 && PyErr_Occurred())
		PyErr_Clear();
	if (value < 1 || value > UINT32_MAX) {
		PyErr_Format(PyExc_ValueError, "a side of %R pixels: sides are 1 to 4294967295",
			     object);
		return -1;
	}
	*ret = (uint32_t)value;
	return 0;
}

int wan_py_size(PyObject *object, uint32_t *ret_width, uint32_t *ret_height)
{
	if (PyLong_Check(object)) {
		if (side(object, ret_width) < 0)
			return -1;
		*ret_height = *ret_width;
		return 0;
	}
	PyObject *pair = PySequence_Tuple(object);
	if (!pair || PyTuple_Size(pair) != 2) {
		Py_XDECREF(pair);
		PyErr_Format(PyExc_TypeError, "a size is (width, height) or one number, not %R",
			     object);
		return -1;
	}
	int r = side(PyTuple_GetItem(pair, 0), ret_width);
	r = r < 0 ? r : side(PyTuple_GetItem(pair, 1), ret_height);
	Py_DECREF(pair);
	return r;
}

int wan_py_flag(PyObject *object, int fallback)
{
	return object ? PyObject_IsTrue(object) : fallback;
}
