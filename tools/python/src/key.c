/* SPDX-License-Identifier: MIT */
/*
 * The key of a call: the function's identity and its arguments by content. Every value is written
 * with a mark of its kind and its length, so that no two lists of arguments look alike; large
 * contents are hashed where they lie, by XXH3-128 with a secret seed.
 */
#include "wan_py.h"

#include "key.h"

static int add_value(struct wan_py_keyer *keyer, PyObject *value);

void wan_py_keyer_flush(struct wan_py_keyer *keyer)
{
	if (keyer->used)
		wan_key_add(&keyer->builder, "plain", keyer->small, keyer->used);
	keyer->used = 0;
}

void wan_py_keyer_add(struct wan_py_keyer *keyer, char kind, const void *bytes, size_t count)
{
	size_t need = 1 + sizeof(count) + count;
	if (need > sizeof(keyer->small)) {
		uint64_t head[2] = {(uint64_t)kind, count};
		wan_py_keyer_flush(keyer);
		wan_key_add(&keyer->builder, "head", head, sizeof(head));
		wan_key_add(&keyer->builder, "bulk", bytes, count);
		return;
	}
	if (need > sizeof(keyer->small) - keyer->used)
		wan_py_keyer_flush(keyer);
	uint8_t *to = keyer->small + keyer->used;
	to[0] = (uint8_t)kind;
	memcpy(to + 1, &count, sizeof(count));
	memcpy(to + 1 + sizeof(count), bytes, count);
	keyer->used += need;
}

static int add_text(struct wan_py_keyer *keyer, char kind, PyObject *text)
{
	PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
	if (!bytes)
		return -1;
	wan_py_keyer_add(keyer, kind, PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
	Py_DECREF(bytes);
	return 0;
}

static int add_int(struct wan_py_keyer *keyer, PyObject *number)
{
	int overflow;
	long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
	if (!overflow) {
		wan_py_keyer_add(keyer, 'i', &value, sizeof(value));
		return 0;
	}
	PyObject *text = PyNumber_ToBase(number, 16);
	int r = text ? add_text(keyer, 'I', text) : -1;
	Py_XDECREF(text);
	return r;
}

static int add_float(struct wan_py_keyer *keyer, PyObject *number)
{
	double value = PyFloat_AsDouble(number);
	wan_py_keyer_add(keyer, 'f', &value, sizeof(value));
	return 0;
}

static int add_sequence(struct wan_py_keyer *keyer, char kind, PyObject *sequence)
{
	Py_ssize_t count = PySequence_Size(sequence);
	wan_py_keyer_add(keyer, kind, &count, sizeof(count));
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *item = PySequence_GetItem(sequence, i);
		int r = item ? add_value(keyer, item) : -1;
		Py_XDECREF(item);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* By sorted names when all are texts, else in the order they were put in. */
static int add_dict(struct wan_py_keyer *keyer, PyObject *dict)
{
	PyObject *keys = PyDict_Keys(dict);
	if (!keys)
		return -1;
	Py_ssize_t count = PyList_Size(keys);
	bool are_texts = true;
	for (Py_ssize_t i = 0; i < count; i++)
		are_texts = are_texts && PyUnicode_Check(PyList_GetItem(keys, i));
	int r = are_texts ? PyList_Sort(keys) : 0;
	wan_py_keyer_add(keyer, '{', &count, sizeof(count));
	for (Py_ssize_t i = 0; i < count && r == 0; i++) {
		PyObject *key = PyList_GetItem(keys, i);
		PyObject *value = PyDict_GetItemWithError(dict, key);
		r = value && add_value(keyer, key) == 0 && add_value(keyer, value) == 0 ? 0 : -1;
	}
	Py_DECREF(keys);
	return r;
}

static void keyer_begin(struct wan_py_keyer *keyer, const char *operation)
{
	wan_key_begin(&keyer->builder, operation);
	keyer->used = 0;
}

static struct wan_key keyer_end(struct wan_py_keyer *keyer)
{
	wan_py_keyer_flush(keyer);
	return wan_key_end(&keyer->builder);
}

/* Whatever order the elements come in: their own keys are added up. */
static int add_set(struct wan_py_keyer *keyer, char kind, PyObject *set)
{
	uint64_t sums[3] = {0, 0, (uint64_t)PySet_Size(set)};
	PyObject *iterator = PyObject_GetIter(set), *item;
	int r = iterator ? 0 : -1;
	while (r == 0 && (item = PyIter_Next(iterator))) {
		struct wan_py_keyer own;
		keyer_begin(&own, "element");
		r = add_value(&own, item);
		struct wan_key key = keyer_end(&own);
		sums[0] += key.words[0];
		sums[1] += key.words[1];
		Py_DECREF(item);
	}
	Py_XDECREF(iterator);
	wan_py_keyer_add(keyer, kind, sums, sizeof(sums));
	return r < 0 || PyErr_Occurred() ? -1 : 0;
}

int wan_py_key_add_type(struct wan_py_keyer *keyer, PyObject *type)
{
	PyObject *module = PyObject_GetAttrString(type, "__module__");
	PyObject *name = PyObject_GetAttrString(type, "__qualname__");
	PyObject *both = module && name ? PyUnicode_FromFormat("%S:%S", module, name) : NULL;
	int r = both ? add_text(keyer, 't', both) : -1;
	Py_XDECREF(module);
	Py_XDECREF(name);
	Py_XDECREF(both);
	return r;
}

/* A class of somebody's: wanrt._keys says what its value consists of, or that it cannot tell. */
static int add_other(struct wan_py_keyer *keyer, PyObject *value)
{
	static PyObject *parts_of;
	if (!parts_of) {
		PyObject *module = PyImport_ImportModule("wanrt._keys");
		parts_of = module ? PyObject_GetAttrString(module, "parts_of") : NULL;
		Py_XDECREF(module);
		if (!parts_of)
			return -1;
	}
	PyObject *parts = PyObject_CallFunctionObjArgs(parts_of, value, NULL);
	int r = parts ? wan_py_key_add_type(keyer, (PyObject *)Py_TYPE(value)) : -1;
	if (r == 0)
		r = add_value(keyer, parts);
	Py_XDECREF(parts);
	return r;
}

static int add_by_kind(struct wan_py_keyer *keyer, PyObject *value)
{
	if (value == Py_None || value == Py_True || value == Py_False || value == Py_Ellipsis) {
		char kind = value == Py_None ? 'N' : value == Py_True ? '1' : '0';
		wan_py_keyer_add(keyer, value == Py_Ellipsis ? '.' : kind, "", 0);
		return 0;
	}
	if (PyLong_CheckExact(value))
		return add_int(keyer, value);
	if (PyUnicode_CheckExact(value))
		return add_text(keyer, 's', value);
	if (PyFloat_CheckExact(value))
		return add_float(keyer, value);
	if (PyTuple_CheckExact(value))
		return add_sequence(keyer, '(', value);
	if (PyList_CheckExact(value))
		return add_sequence(keyer, '[', value);
	if (PyDict_CheckExact(value))
		return add_dict(keyer, value);
	if (Py_TYPE(value) == &PySet_Type)
		return add_set(keyer, 'S', value);
	if (PyFrozenSet_CheckExact(value))
		return add_set(keyer, 'Z', value);
	if (PyType_Check(value))
		return wan_py_key_add_type(keyer, value);
	int r = wan_py_key_add_pixels(keyer, value);
	return r == 0 ? add_other(keyer, value) : r < 0 ? -1 : 0;
}

static int add_value(struct wan_py_keyer *keyer, PyObject *value)
{
	if (Py_EnterRecursiveCall(" while an argument is made a key"))
		return -1;
	int r = add_by_kind(keyer, value);
	Py_LeaveRecursiveCall();
	return r;
}

/* Texts and numbers about an image; what cannot be a key is passed over. */
int wan_py_key_add_notes(struct wan_py_keyer *keyer, PyObject *dict)
{
	PyObject *names = PyDict_Check(dict) ? PyDict_Keys(dict) : NULL;
	int r = names ? PyList_Sort(names) : -1;
	for (Py_ssize_t i = 0; r == 0 && i < PyList_Size(names); i++) {
		PyObject *name = PyList_GetItem(names, i);
		PyObject *value = PyDict_GetItemWithError(dict, name);
		if (!value || add_value(keyer, name) < 0 || add_value(keyer, value) < 0)
			PyErr_Clear();
	}
	Py_XDECREF(names);
	PyErr_Clear();
	return 0;
}

/* --- a call --- */

/* The parameters that were not given by position, in order: by name, or by default. Returns how
 * many were found among the named ones, or -1. */
static Py_ssize_t add_named(struct wan_py_keyer *keyer, PyObject *names, Py_ssize_t from,
			    PyObject *defaults, PyObject *named)
{
	Py_ssize_t used = 0;
	for (Py_ssize_t i = from; i < PyTuple_Size(names); i++) {
		PyObject *name = PyTuple_GetItem(names, i);
		PyObject *value = named ? PyDict_GetItemWithError(named, name) : NULL;
		used += value != NULL;
		if (!value)
			value = PyDict_GetItemWithError(defaults, name);
		if (!value) { /* the call itself will complain */
			wan_py_keyer_add(keyer, '-', "", 0);
			continue;
		}
		if (add_value(keyer, value) < 0)
			return -1;
	}
	return used;
}

static int add_surplus(struct wan_py_keyer *keyer, PyObject *names, PyObject *named)
{
	PyObject *keys = PyDict_Keys(named);
	int r = keys ? PyList_Sort(keys) : -1;
	for (Py_ssize_t i = 0; r == 0 && i < PyList_Size(keys); i++) {
		PyObject *key = PyList_GetItem(keys, i);
		int is_known = PySequence_Contains(names, key);
		if (is_known == 0)
			r = add_value(keyer, key) < 0 ||
					    add_value(keyer, PyDict_GetItemWithError(named, key)) <
						    0
				    ? -1
				    : 0;
		else if (is_known < 0)
			r = -1;
	}
	Py_XDECREF(keys);
	return r;
}

PyDoc_STRVAR(call_key_doc,
	     "call_key(identity, names, positional, defaults, args, kwargs, /)\n--\n\n"
	     "16 bytes that stand for a call: names are the function's parameters, the first "
	     "`positional` "
	     "of\nwhich may be given by position.");

static PyObject *call_key(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	if (count != 6) {
		PyErr_SetString(PyExc_TypeError, "call_key() takes six arguments");
		return NULL;
	}
	PyObject *identity = args[0], *names = args[1], *defaults = args[3], *given = args[4];
	PyObject *named = args[5] == Py_None ? NULL : args[5];
	Py_ssize_t positional = PyLong_AsSsize_t(args[2]),
		   surplus = PyTuple_Size(given) - positional;
	Py_ssize_t from = surplus < 0 ? positional + surplus : positional;
	struct wan_py_keyer keyer;
	keyer_begin(&keyer, "python.call");
	if (PyErr_Occurred() || add_value(&keyer, identity) < 0)
		return NULL;
	for (Py_ssize_t i = 0; i < from; i++)
		if (add_value(&keyer, PyTuple_GetItem(given, i)) < 0)
			return NULL;
	Py_ssize_t used = add_named(&keyer, names, from, defaults, named);
	if (used < 0)
		return NULL;
	for (Py_ssize_t i = from; i < from + surplus; i++) {
		wan_py_keyer_add(&keyer, '*', "", 0);
		if (add_value(&keyer, PyTuple_GetItem(given, i)) < 0)
			return NULL;
	}
	if (named && used < PyDict_Size(named) && add_surplus(&keyer, names, named) < 0)
		return NULL;
	struct wan_key key = keyer_end(&keyer);
	return PyBytes_FromStringAndSize((const char *)&key, sizeof(key));
}

PyDoc_STRVAR(value_key_doc, "value_key(value, /)\n--\n\n16 bytes that stand for a value.");

static PyObject *value_key(PyObject *module, PyObject *value)
{
	struct wan_py_keyer keyer;
	keyer_begin(&keyer, "python.value");
	if (add_value(&keyer, value) < 0)
		return NULL;
	struct wan_key key = keyer_end(&keyer);
	return PyBytes_FromStringAndSize((const char *)&key, sizeof(key));
}

PyDoc_STRVAR(file_key_doc, "file_key(path, /)\n--\n\n16 bytes that stand for a file as it is now.");

static PyObject *file_key(PyObject *module, PyObject *object)
{
	PyObject *path = wan_py_path(object);
	if (!path)
		return NULL;
	struct wan_key_builder builder;
	wan_key_begin(&builder, "python.file");
	const char *name = PyBytes_AsString(path);
	struct wan_runtime *runtime = wan_py_runtime_ref();
	int r = -1;
	if (runtime) {
		PyThreadState *state = PyEval_SaveThread();
		r = wan_runtime_key_add_file(runtime, &builder, name);
		PyEval_RestoreThread(state);
		wan_py_runtime_unref(runtime);
		if (r < 0)
			wan_py_raise_code(r, name);
	}
	Py_DECREF(path);
	if (r < 0)
		return NULL;
	struct wan_key key = wan_key_end(&builder);
	return PyBytes_FromStringAndSize((const char *)&key, sizeof(key));
}

PyMethodDef wan_py_key_methods[] = {
	{"call_key", (PyCFunction)(void (*)(void))call_key, METH_FASTCALL, call_key_doc},
	{"value_key", value_key, METH_O, value_key_doc},
	{"file_key", file_key, METH_O, file_key_doc},
	{NULL, NULL, 0, NULL},
};
