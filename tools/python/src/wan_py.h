/* SPDX-License-Identifier: MIT */
/*
 * What the files of the extension share. Rules: libwanrt is called without the GIL wherever it may
 * wait, allocate pixels or touch a file; a pin is released with the GIL held (its destructors take
 * it again, which nests). Everything is in the limited API of Python 3.11; older headers
 * (3.9, 3.10) build the same sources for their one version.
 */
#ifndef WAN_PY_H
#define WAN_PY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wan/wan.h"

#ifndef Py_TPFLAGS_IMMUTABLETYPE
#define Py_TPFLAGS_IMMUTABLETYPE 0
#endif

/* --- errors (error.c) --- */

/* Raise what the library said of a file (NULL: of what error->object names), as a wanrt.Error;
 * where it said nothing, what code means. Returns NULL. */
PyObject *wan_py_raise(int code, const struct wan_error *error, const char *path);
/* The same for a bare negative errno. Returns NULL. */
PyObject *wan_py_raise_code(int code, const char *object);
/* wanrt._errors, which makes the exceptions; 0 or -1 with an exception. */
int wan_py_error_init(void);

/* --- the runtime in use (instance.c) --- */

/* A reference to the runtime in use: the process's default one, or the one of configure(). NULL
 * with an exception. The caller gives it back with wan_py_runtime_unref(). */
struct wan_runtime *wan_py_runtime_ref(void);
/* With the GIL held; gives it away while a runtime is taken apart. */
void wan_py_runtime_unref(struct wan_runtime *runtime);
/* Counts forks: what was pinned before one belongs to the parent's cache. */
uint64_t wan_py_generation(void);
extern uint64_t wan_py_forks; /* the same, for paths of nanoseconds */
int wan_py_instance_init(PyObject *module);

/* --- arguments (arguments.c) --- */

/* What a function takes: names in order, the first `required` must be given, those from
 * `positional` on by name only. */
struct wan_py_signature {
	const char *function;
	const char *const *names; /* NULL at the end */
	int required, positional;
};
#define WAN_PY_ARGUMENTS_MAX 12
/* Borrowed references, NULL where nothing was given. Returns 0, or -1 with TypeError. */
int wan_py_arguments(const struct wan_py_signature *signature, PyObject *const *args,
		     Py_ssize_t count, PyObject *names, PyObject **ret);
/* bytes of str, bytes or os.PathLike; a new reference. NULL with an exception. */
PyObject *wan_py_path(PyObject *object);
/* One of the texts; -1 with ValueError naming all of them. None or NULL: fallback. */
int wan_py_choice(PyObject *object, const char *what, const char *const *texts, int fallback);
/* int or (width, height). 0, or -1 with an exception. */
int wan_py_size(PyObject *object, uint32_t *ret_width, uint32_t *ret_height);
/* A pipeline by its name; 0, or -1 with ValueError. */
int wan_py_pipeline(PyObject *name, enum wan_pipeline *ret_pipeline);
/* Truth of object; fallback for NULL. -1 with an exception. */
int wan_py_flag(PyObject *object, int fallback);

/* --- images (image.c) --- */

/* A view of the pixels in a pin; takes pin and one reference to runtime over, also on failure. */
PyObject *wan_py_image_new(struct wan_pin *pin, struct wan_runtime *runtime, bool is_rgbx,
			   bool is_hit);
bool wan_py_image_check(PyObject *object);
/* Identity of the pixels, computed once. */
int wan_py_image_add_to_key(PyObject *object, struct wan_key_builder *builder);
int wan_py_image_init(PyObject *module);

/* --- the rest: each adds its functions and types to the module --- */

extern PyMethodDef wan_py_step_methods[], wan_py_verdict_methods[], wan_py_instance_methods[],
	wan_py_key_methods[], wan_py_object_methods[], wan_py_frame_methods[],
	wan_py_stack_methods[], wan_py_track_methods[], wan_py_operation_methods[];
int wan_py_verdict_init(PyObject *module);
int wan_py_stack_init(PyObject *module);
int wan_py_track_init(PyObject *module);
int wan_py_operation_init(PyObject *module);
int wan_py_object_init(PyObject *module);
/* The interpreter goes: from now on objects in the cache stay where they are. */
void wan_py_object_close(void);
/* In the child of a fork. */
void wan_py_object_forked(void);

#endif
