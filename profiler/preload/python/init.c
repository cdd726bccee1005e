/* SPDX-License-Identifier: MIT */
#include "python/init.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "atomics.h"
#include "hook_dlsym.h"
#include "macros.h"
#include "preload.h"
#include "python/api.h"
#include "python/opencv.h"
#include "python/pillow.h"

typedef struct wan_py_object *init_function(void);

enum module { IMAGING, CV2, MODULES };
static const struct {
	const char *init;
	/* result: the module, or its definition when Python makes the module itself. */
	void (*take)(struct wan_py_object *result, const void *code);
	enum wan_family family;
} modules[MODULES] = {
	[IMAGING] = {"PyInit__imaging", wan_pillow_take, WAN_FAMILY_PILLOW},
	[CV2] = {"PyInit_cv2", wan_opencv_take, WAN_FAMILY_OPENCV},
};

/* An init function has no argument: one stand-in for each copy of a module in the process. */
enum { COPIES = 3 };
static init_function *reals[MODULES][COPIES];

static struct wan_py_object *run(enum module module, unsigned copy, const void *caller)
{
	init_function *real = wan_load_acquire(&reals[module][copy]);
	struct wan_py_object *result = real();
	int saved = errno;
	if (result && wan_py_load(caller))
		modules[module].take(result, (const void *)real);
	else if (result) /* another Python than CPython */
		wan_preload_count(modules[module].family, WAN_COVER_UNRESOLVED);
	errno = saved;
	return result;
}

#define STAND_IN(module, copy)                                                                     \
	static struct wan_py_object *init_##module##_##copy(void)                                  \
	{                                                                                          \
		return run(module, copy, __builtin_return_address(0));                             \
	}
STAND_IN(IMAGING, 0)
STAND_IN(IMAGING, 1)
STAND_IN(IMAGING, 2)
STAND_IN(CV2, 0)
STAND_IN(CV2, 1)
STAND_IN(CV2, 2)
static init_function *const stand_ins[MODULES][COPIES] = {
	[IMAGING] = {init_IMAGING_0, init_IMAGING_1, init_IMAGING_2},
	[CV2] = {init_CV2_0, init_CV2_1, init_CV2_2},
};

/* Modules with JPEG and PNG codecs of their own inside, by a part of their path. */
static const struct {
	const char *path, *name;
} out_of_reach[] = {
	{"/imagecodecs/", "imagecodecs"}, {"/simplejpeg/", "simplejpeg"},
	{"/_libvips.", "pyvips"},         {"/pyspng/", "pyspng"},
	{"/nvidia/dali/", "DALI"},        {"/kornia_rs/", "kornia_rs"},
};

/* Said when such a module is really there, unless its codec is a library that hooks reach. */
static void note_out_of_reach(void *handle)
{
	static uint32_t noted[WAN_COUNT_OF(out_of_reach)];
	struct link_map *map;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map->l_name)
		return;
	for (unsigned i = 0; i < WAN_COUNT_OF(out_of_reach); i++)
		if (strstr(map->l_name, out_of_reach[i].path) &&
		    !wan_dlsym_next(handle, "jpeg_CreateDecompress") &&
		    wan_swap_acq_rel(&noted[i], 1) == 0)
			wan_preload_note_out_of_reach(out_of_reach[i].name);
}

void *wan_python_find_init(void *handle, const char *name)
{
	unsigned module = 0;
	while (module < MODULES && strcmp(modules[module].init, name) != 0)
		module++;
	if (module == MODULES)
		note_out_of_reach(handle);
	init_function *real =
		module < MODULES ? (init_function *)wan_dlsym_next(handle, name) : NULL;
	for (unsigned i = 0; real && i < COPIES; i++) {
		init_function *seen = NULL;
		if (wan_cas_acq_rel(&reals[module][i], &seen, real) || seen == real)
			return (void *)stand_ins[module][i];
	}
	return NULL;
}
