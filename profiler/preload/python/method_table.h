/* SPDX-License-Identifier: MIT */
/*
 * A module's own tables of functions, in its writable data. Python reads the function's address
 * from there at every call, so an exchange changes what is called and nothing that Python can see:
 * the same objects, the same names, the same tracebacks.
 */
#ifndef WAN_PRELOAD_PYTHON_METHOD_TABLE_H
#define WAN_PRELOAD_PYTHON_METHOD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct wan_py_object;

/* PyMethodDef. */
struct wan_py_method {
	const char *name;
	void *function;
	int flags;
	const char *doc;
};
enum { WAN_PY_VARARGS = 1, WAN_PY_KEYWORDS = 2 };

enum { WAN_PY_SEGMENTS = 6 };

/* Where a loaded module lies; found by wan_py_image_of(). */
struct wan_py_image {
	uintptr_t low, high; /* all of it */
	struct {
		uintptr_t low, high; /* stays writable after relocation */
	} data[WAN_PY_SEGMENTS];
	unsigned data_count;
	char file[128]; /* base name */
};

/* The module that holds this code. */
bool wan_py_image_of(const void *code, struct wan_py_image *ret_image);
static inline bool wan_py_image_holds(const struct wan_py_image *image, const void *address)
{
	return (uintptr_t)address - image->low < image->high - image->low;
}

/* The table of a module just made (or of its definition), or NULL. */
struct wan_py_method *wan_py_module_methods(struct wan_py_object *module,
					    const struct wan_py_image *image);
/* An entry of a table by its name, or NULL. */
struct wan_py_method *wan_py_method_in(struct wan_py_method *table, const char *name,
				       const struct wan_py_image *image);
/* The entry behind a built-in function of the module, or NULL. */
struct wan_py_method *wan_py_method_of_function(struct wan_py_object *function, const char *name,
						const struct wan_py_image *image);
/* The entry behind a method of a class of the module, or NULL. */
struct wan_py_method *wan_py_method_of_class(struct wan_py_object *type, const char *name,
					     const struct wan_py_image *image);
/* What the class calls to free an object, or NULL. */
void **wan_py_dealloc_of_class(struct wan_py_object *type, const struct wan_py_image *image);

/*
 * Put ours in the place of *slot, whose value goes to *real. False: it cannot be written, or holds
 * what is not the module's own. True when ours is there already.
 */
bool wan_py_exchange(void **slot, void *ours, void **real, const struct wan_py_image *image);

#endif
