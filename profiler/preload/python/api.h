/* SPDX-License-Identifier: MIT */
/*
 * The functions of CPython that the hooks need, found in the process at the first import of a
 * module of interest. No header of Python: all of these have kept their meaning from 3.8 to 3.14,
 * and what has no function (sizeof(PyObject), method tables) is checked before it is used.
 *
 * Every call needs the interpreter's lock, which a hook has: Python calls it.
 */
#ifndef WAN_PRELOAD_PYTHON_API_H
#define WAN_PRELOAD_PYTHON_API_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct wan_py_object;

/* The head of a Py_buffer, and more than all of it. */
struct wan_py_buffer {
	void *bytes;
	void *owner;
	ssize_t count;
	void *rest[13];
};

/* PY_FUNCTION(required, result, name, arguments) */
#define WAN_PY_FUNCTIONS                                                                           \
	PY_FUNCTION(true, void, Py_IncRef, (struct wan_py_object *))                               \
	PY_FUNCTION(true, void, Py_DecRef, (struct wan_py_object *))                               \
	PY_FUNCTION(true, void, PyErr_Clear, (void))                                               \
	PY_FUNCTION(true, struct wan_py_object *, PyErr_Occurred, (void))                          \
	PY_FUNCTION(true, struct wan_py_object *, PyObject_Type, (struct wan_py_object *))         \
	PY_FUNCTION(true, struct wan_py_object *, PyObject_GetAttrString,                          \
		    (struct wan_py_object *, const char *))                                        \
	PY_FUNCTION(true, struct wan_py_object *, PyObject_GenericGetDict,                         \
		    (struct wan_py_object *, void *))                                              \
	PY_FUNCTION(true, struct wan_py_object *, PyObject_CallObject,                             \
		    (struct wan_py_object *, struct wan_py_object *))                              \
	PY_FUNCTION(true, int, PyObject_IsTrue, (struct wan_py_object *))                          \
	PY_FUNCTION(true, int, PyObject_GetBuffer, (struct wan_py_object *, void *, int))          \
	PY_FUNCTION(true, void, PyBuffer_Release, (void *))                                        \
	PY_FUNCTION(true, ssize_t, PyTuple_Size, (struct wan_py_object *))                         \
	PY_FUNCTION(true, struct wan_py_object *, PyTuple_GetItem,                                 \
		    (struct wan_py_object *, ssize_t))                                             \
	PY_FUNCTION(true, struct wan_py_object *, PyDict_GetItemString,                            \
		    (struct wan_py_object *, const char *))                                        \
	PY_FUNCTION(true, long, PyLong_AsLong, (struct wan_py_object *))                           \
	PY_FUNCTION(true, const char *, PyUnicode_AsUTF8AndSize,                                   \
		    (struct wan_py_object *, ssize_t *))                                           \
	PY_FUNCTION(true, struct wan_py_object *, PyModule_GetDict, (struct wan_py_object *))      \
	PY_FUNCTION(true, void *, PyModule_GetDef, (struct wan_py_object *))                       \
	PY_FUNCTION(true, void *, PyCFunction_GetFunction, (struct wan_py_object *))               \
	PY_FUNCTION(true, struct wan_py_object *, PyEval_GetGlobals, (void))                       \
	PY_FUNCTION(true, struct wan_py_object *, PyEval_GetLocals, (void))                        \
	PY_FUNCTION(true, struct wan_py_object *, PyEval_GetFrame, (void))                         \
	PY_FUNCTION(false, struct wan_py_object *, PyFrame_GetVarString,                           \
		    (struct wan_py_object *, const char *))

struct wan_py_api {
#define PY_FUNCTION(required, result, name, arguments) result(*name) arguments;
	WAN_PY_FUNCTIONS
#undef PY_FUNCTION
	struct wan_py_object *PyModuleDef_Type, *_Py_NoneStruct;
	size_t object_bytes; /* sizeof(PyObject): 16; more where there is no global lock */
};

/* Filled by wan_py_load(). */
extern struct wan_py_api wan_py;

/* The API of the Python that the code at this address belongs to. False: not all of it is there. */
bool wan_py_load(const void *code);
/* A build with reference counts as we know them and the global lock: borrowed references last. */
static inline bool wan_py_is_classic(void)
{
	return wan_py.object_bytes == 2 * sizeof(void *);
}

/* "" when it is no text. Borrowed, as long as the object. */
const char *wan_py_text(struct wan_py_object *object);
/* fallback when it is no number that fits. */
long wan_py_number(struct wan_py_object *object, long fallback);
/* Borrowed, NULL. */
struct wan_py_object *wan_py_item(struct wan_py_object *tuple, ssize_t index);
/* The object's own attribute as its dictionary has it: no code of the program's runs. Borrowed. */
struct wan_py_object *wan_py_own(struct wan_py_object *object, const char *name);
/* A local variable of the Python function that called us; NULL. wan_py.Py_DecRef() it. */
struct wan_py_object *wan_py_local(const char *name);
/* Is it exactly of that class, no class derived from it? name: "_io.FileIO". */
bool wan_py_is_exactly(struct wan_py_object *object, const char *name);

#endif
