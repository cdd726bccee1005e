/* SPDX-License-Identifier: MIT */
/*
 * The rest of the fake runtime: every hooked function that cudart.c does not define, doing nothing
 * but counting and answering like it.
 */

int wan_fake_cuda_answer(int error);

#define FAKE(name)                                                                                 \
	__attribute__((weak, visibility("default"))) int name(void);                               \
	__attribute__((weak, visibility("default"))) int name(void)                                \
	{                                                                                          \
		return wan_fake_cuda_answer(0);                                                    \
	}
#define FAKE_CUDA(name)               FAKE(name)
#define FAKE_CUDA_DRIVER(name)        /* of another library */
#define WAN_AUDIT(name, family, kind) FAKE_##family(name)
#include "cuda_symbols.def"
