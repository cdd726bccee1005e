/* SPDX-License-Identifier: MIT */
#include "python/init.h"

#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "hook_dlsym.h"
#include "macros.h"
#include "python/api.h"
#include "python/opencv.h"
#include "python/pillow.h"

typedef struct wan_py_object *init_function(void);

enum module { IMAGING, CV2, MODULES };
static const struct {
	const char *init;
	/* result: the module, or its definition when Python makes the module itself. */
	void (*take)(struct wan_py_object *result, const void *code);
} modules[MODULES] = {
	[IMAGING] = {"PyInit__imaging", wan_pillow_take},
	[CV2] = {"PyInit_cv2", wan_opencv_take},
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

void *wan_python_find_init(void *handle, const char *name)
{
	unsigned module = 0;
	while (module < MODULES && strcmp(modules[module].init, name) != 0)
		module++;
	init_function *real =
		module < MODULES ? (init_function *)wan_dlsym_next(handle, name) : NULL;
	for (unsigned i = 0; real && i < COPIES; i++) {
		init_function *seen = NULL;
		if (wan_cas_acq_rel(&reals[module][i], &seen, real) || seen == real)
			return (void *)stand_ins[module][i];
	}
	return NULL;
}
