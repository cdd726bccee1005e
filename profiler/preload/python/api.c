/* SPDX-License-Identifier: MIT */
#include "python/api.h"

#include <dlfcn.h>
#include <string.h>

#include "atomics.h"
#include "macros.h"

struct wan_py_api wan_py;

/* In the program or a library it was linked with; else (frozen programs load Python late and
 * privately) in the scope of the module that calls. */
static void *find(void *scope, const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	return found || !scope ? found : dlsym(scope, name);
}

static bool find_all(void *scope, struct wan_py_api *api)
{
	bool complete = true;
#define PY_FUNCTION(required, result, name, arguments)                                             \
	api->name = (__typeof__(api->name))find(scope, #name);                                     \
	if ((required) && !api->name)                                                              \
		complete = false;
	WAN_PY_FUNCTIONS
#undef PY_FUNCTION
	api->PyModuleDef_Type = find(scope, "PyModuleDef_Type");
	api->_Py_NoneStruct = find(scope, "_Py_NoneStruct");
	return complete && api->PyModuleDef_Type && api->_Py_NoneStruct;
}

/* tp_name: behind head and ob_size. With the module for classes written in C only. */
static const char *class_name(const struct wan_py_object *type)
{
	return *(const char *const *)((const char *)type + wan_py.object_bytes + sizeof(ssize_t));
}

static void learn_layout(void *scope)
{
	struct wan_py_object *base = find(scope, "PyBaseObject_Type"), *size = NULL;
	long bytes = 0;
	if (base)
		size = wan_py.PyObject_GetAttrString(base, "__basicsize__");
	if (size) {
		bytes = wan_py_number(size, 0);
		wan_py.Py_DecRef(size);
	}
	wan_py.PyErr_Clear();
	if (bytes < 16 || bytes > 64 || bytes % 8 != 0)
		return;
	wan_py.object_bytes = (size_t)bytes;
	if (strcmp(class_name(base), "object") != 0)
		wan_py.object_bytes = 0;
}

bool wan_py_load(const void *code)
{
	static bool loaded;
	Dl_info info;
	if (wan_load_acquire(&loaded))
		return wan_py.object_bytes != 0;
	void *scope = dladdr(code, &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
	if (find_all(scope, &wan_py))
		learn_layout(scope);
	if (scope)
		dlclose(scope);
	wan_store_release(&loaded, true);
	return wan_py.object_bytes != 0;
}

const char *wan_py_text(struct wan_py_object *object)
{
	ssize_t bytes;
	const char *text = object ? wan_py.PyUnicode_AsUTF8AndSize(object, &bytes) : NULL;
	if (!text)
		wan_py.PyErr_Clear();
	return text ? text : "";
}

long wan_py_number(struct wan_py_object *object, long fallback)
{
	long value = object ? wan_py.PyLong_AsLong(object) : fallback;
	if (value == -1 && wan_py.PyErr_Occurred()) {
		wan_py.PyErr_Clear();
		return fallback;
	}
	return value;
}

struct wan_py_object *wan_py_item(struct wan_py_object *tuple, ssize_t index)
{
	struct wan_py_object *item = tuple ? wan_py.PyTuple_GetItem(tuple, index) : NULL;
	if (!item)
		wan_py.PyErr_Clear();
	return item;
}

struct wan_py_object *wan_py_own(struct wan_py_object *object, const char *name)
{
	struct wan_py_object *value = NULL;
	struct wan_py_object *own = object ? wan_py.PyObject_GenericGetDict(object, NULL) : NULL;
	if (own) {
		value = wan_py.PyDict_GetItemString(own, name);
		wan_py.Py_DecRef(own); /* the object holds it */
	}
	wan_py.PyErr_Clear();
	return value;
}

struct wan_py_object *wan_py_local(const char *name)
{
	struct wan_py_object *value = NULL;
	struct wan_py_object *frame = wan_py.PyEval_GetFrame();
	if (frame && wan_py.PyFrame_GetVarString) {
		value = wan_py.PyFrame_GetVarString(frame, name);
	} else if (frame) {
		struct wan_py_object *locals = wan_py.PyEval_GetLocals();
		if (locals)
			value = wan_py.PyDict_GetItemString(locals, name);
		if (value)
			wan_py.Py_IncRef(value);
	}
	wan_py.PyErr_Clear();
	return value;
}

bool wan_py_is_exactly(struct wan_py_object *object, const char *name)
{
	struct wan_py_object *type = object ? wan_py.PyObject_Type(object) : NULL;
	bool same = type && strcmp(class_name(type), name) == 0;
	if (type)
		wan_py.Py_DecRef(type); /* the object holds it */
	return same;
}
