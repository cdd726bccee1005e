/* SPDX-License-Identifier: MIT */
/*
 * The CUDA runtime: every function of cuda.def, passed on unchanged, counted on the way back. In
 * the variants for a default stream per thread, stream 0 is the thread's own.
 */
#include "cuda_hook.h"

#define HOOK(name, params, args, enter, leave)                                                     \
	int name params;                                                                           \
	WAN_AUDITED int name params WAN_CUDA_BODY(                                                 \
		name, args,                                                                        \
		WAN_REAL_OF(wan_cuda_codec(WAN_FAMILY_CUDA, WAN_SYMBOL_##name, WAN_CALLER), name), \
		enter, leave)

#include "cuda.def"
