/* SPDX-License-Identifier: MIT */
#include "python/file_source.h"

#include "identity_mark.h"
#include "python/api.h"

/* A method without arguments. NULL: it raised. */
static struct wan_py_object *ask(struct wan_py_object *object, const char *name)
{
	struct wan_py_object *answer = NULL;
	struct wan_py_object *method = wan_py.PyObject_GetAttrString(object, name);
	if (method) {
		answer = wan_py.PyObject_CallObject(method, NULL);
		wan_py.Py_DecRef(method);
	}
	if (!answer)
		wan_py.PyErr_Clear();
	return answer;
}

static void note_descriptor(struct wan_object *object, struct wan_py_object *raw)
{
	struct wan_py_object *number =
		wan_py_is_exactly(raw, "_io.FileIO") ? ask(raw, "fileno") : NULL;
	if (!number)
		return;
	object->fd = (int32_t)wan_py_number(number, -1);
	wan_py.Py_DecRef(number);
}

static void note_memory(struct wan_object *object, struct wan_py_object *file)
{
	struct wan_py_buffer buffer = {0};
	struct wan_py_object *view = ask(file, "getbuffer");
	if (!view)
		return;
	if (wan_py.PyObject_GetBuffer(view, &buffer, 0) == 0) {
		object->file_bytes = (uint64_t)buffer.count;
		object->identity = wan_identity_of_bytes(buffer.bytes, (size_t)buffer.count);
		wan_py.PyBuffer_Release(&buffer);
	} else {
		wan_py.PyErr_Clear();
	}
	wan_py.Py_DecRef(view);
}

void wan_py_source(struct wan_object *object, struct wan_py_object *file, bool writes)
{
	/* Borrowed references may go in another thread where there is no global lock. */
	if (!file || !wan_py_is_classic())
		return;
	if (wan_py_is_exactly(file, "_io.BufferedReader") ||
	    wan_py_is_exactly(file, "_io.BufferedWriter") ||
	    wan_py_is_exactly(file, "_io.BufferedRandom")) {
		struct wan_py_object *raw = wan_py.PyObject_GetAttrString(file, "raw");
		if (raw) {
			note_descriptor(object, raw);
			wan_py.Py_DecRef(raw);
		}
		wan_py.PyErr_Clear();
	} else if (wan_py_is_exactly(file, "_io.FileIO")) {
		note_descriptor(object, file);
	} else if (!writes && wan_py_is_exactly(file, "_io.BytesIO")) {
		note_memory(object, file);
	}
}
