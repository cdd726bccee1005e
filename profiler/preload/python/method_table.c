/* SPDX-License-Identifier: MIT */
#include "python/method_table.h"

#include <link.h>
#include <string.h>

#include "python/api.h"
#include "atomics.h"
#include "macros.h"
#include "str.h"

enum {
	TABLE_MOST = 4096, /* entries; OpenCV has some 700 */
	WORD = sizeof(void *),
};

struct question {
	uintptr_t address;
	struct wan_py_image *image;
	bool found;
};

/* The writable parts that stay writable, told apart from those protected after relocation. */
static void note_writable(const struct dl_phdr_info *info, struct wan_py_image *image)
{
	uintptr_t from = 0, to = 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
			from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			to = from + info->dlpi_phdr[i].p_memsz;
		}
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
			continue;
		uintptr_t low = info->dlpi_addr + header->p_vaddr;
		uintptr_t high = low + header->p_memsz;
		if (from <= low && low < to)
			low = to;
		if (low >= high || image->data_count == WAN_PY_SEGMENTS)
			continue;
		image->data[image->data_count].low = low;
		image->data[image->data_count++].high = high;
	}
}

static int look(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct question *question = data;
	uintptr_t low = UINTPTR_MAX, high = 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD)
			continue;
		low = WAN_MIN(low, info->dlpi_addr + header->p_vaddr);
		high = WAN_MAX(high, info->dlpi_addr + header->p_vaddr + header->p_memsz);
	}
	if (question->address < low || question->address >= high)
		return 0;
	struct wan_py_image *image = question->image;
	const char *slash = strrchr(info->dlpi_name, '/');
	memset(image, 0, sizeof(*image));
	image->low = low;
	image->high = high;
	wan_str_copy(image->file, sizeof(image->file), slash ? slash + 1 : info->dlpi_name);
	note_writable(info, image);
	question->found = true;
	return 1;
}

bool wan_py_image_of(const void *code, struct wan_py_image *image)
{
	struct question question = {.address = (uintptr_t)code, .image = image};
	dl_iterate_phdr(look, &question);
	return question.found && image->data_count > 0;
}

static bool is_ours(const struct wan_py_image *image, const void *from, size_t bytes)
{
	return from && (uintptr_t)from % WORD == 0 && wan_py_image_holds(image, from) &&
	       wan_py_image_holds(image, (const char *)from + bytes - 1);
}

/* A pointer in a Python object, at an offset behind its head. */
static void *field(const void *object, size_t words)
{
	return *(void *const *)((const char *)object + wan_py.object_bytes + words * WORD);
}

struct wan_py_method *wan_py_method_in(struct wan_py_method *table, const char *name,
				       const struct wan_py_image *image)
{
	for (unsigned i = 0; i < TABLE_MOST; i++) {
		struct wan_py_method *method = &table[i];
		if (!is_ours(image, method, sizeof(*method)) || !method->name ||
		    !wan_py_image_holds(image, method->name))
			return NULL;
		if (strcmp(method->name, name) == 0)
			return method;
	}
	return NULL;
}

struct wan_py_method *wan_py_module_methods(struct wan_py_object *module,
					    const struct wan_py_image *image)
{
	/* PyModuleDef: head, m_init, m_index, m_copy, m_name, m_doc, m_size, m_methods */
	enum { NAME = 3, METHODS = 6 };
	struct wan_py_object *type = wan_py.PyObject_Type(module);
	void *definition =
		type == wan_py.PyModuleDef_Type ? module : wan_py.PyModule_GetDef(module);
	if (type)
		wan_py.Py_DecRef(type);
	wan_py.PyErr_Clear();
	if (!is_ours(image, definition, wan_py.object_bytes + (METHODS + 1) * WORD) ||
	    !wan_py_image_holds(image, field(definition, NAME)))
		return NULL;
	return field(definition, METHODS);
}

struct wan_py_method *wan_py_method_of_function(struct wan_py_object *function, const char *name,
						const struct wan_py_image *image)
{
	void *code = function ? wan_py.PyCFunction_GetFunction(function) : NULL;
	if (!code) {
		wan_py.PyErr_Clear();
		return NULL;
	}
	struct wan_py_method *method = field(function, 0);
	if (!is_ours(image, method, sizeof(*method)) || method->function != code ||
	    !wan_py_image_holds(image, method->name) || strcmp(method->name, name) != 0)
		return NULL;
	return method;
}

struct wan_py_method *wan_py_method_of_class(struct wan_py_object *type, const char *name,
					     const struct wan_py_image *image)
{
	/* PyMethodDescrObject: head, d_type, d_name, d_qualname, d_method */
	struct wan_py_object *descriptor = wan_py.PyObject_GetAttrString(type, name);
	if (!descriptor) {
		wan_py.PyErr_Clear();
		return NULL;
	}
	struct wan_py_method *method = field(descriptor, 3);
	bool right = field(descriptor, 0) == type && is_ours(image, method, sizeof(*method)) &&
		     wan_py_image_holds(image, method->name) && strcmp(method->name, name) == 0;
	wan_py.Py_DecRef(descriptor); /* the class holds it */
	return right ? method : NULL;
}

void **wan_py_dealloc_of_class(struct wan_py_object *type, const struct wan_py_image *image)
{
	/* PyTypeObject: head, ob_size, tp_name, tp_basicsize, tp_itemsize, tp_dealloc */
	enum { BASIC_SIZE = 2, DEALLOC = 4 };
	if (!is_ours(image, type, wan_py.object_bytes + (DEALLOC + 1) * WORD))
		return NULL;
	struct wan_py_object *size = wan_py.PyObject_GetAttrString(type, "__basicsize__");
	long bytes = wan_py_number(size, -1);
	if (size)
		wan_py.Py_DecRef(size);
	wan_py.PyErr_Clear();
	if (bytes <= 0 || (uintptr_t)field(type, BASIC_SIZE) != (uintptr_t)bytes)
		return NULL;
	return (void **)((char *)type + wan_py.object_bytes + DEALLOC * WORD);
}

static bool is_writable(const struct wan_py_image *image, uintptr_t at)
{
	for (unsigned i = 0; i < image->data_count; i++)
		if (at >= image->data[i].low && at + WORD <= image->data[i].high)
			return true;
	return false;
}

bool wan_py_exchange(void **slot, void *ours, void **real, const struct wan_py_image *image)
{
	void *seen = slot ? wan_load_acquire(slot) : NULL;
	if (seen == ours && seen)
		return true;
	if (!seen || !wan_py_image_holds(image, seen) || !is_writable(image, (uintptr_t)slot))
		return false;
	wan_store_release(real, seen);
	return wan_cas_acq_rel(slot, &seen, ours);
}
