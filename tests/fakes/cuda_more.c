/* SPDX-License-Identifier: MIT */
/* The rest of the fake driver: every hooked function that cuda.c does not define. */
int wan_fake_cuda_driver_answer(void);

#define FAKE(name)                                                                                 \
	__attribute__((weak, visibility("default"))) int name(void);                               \
	__attribute__((weak, visibility("default"))) int name(void)                                \
	{                                                                                          \
		return wan_fake_cuda_driver_answer();                                              \
	}
#define FAKE_CUDA(name)               /* of another library */
#define FAKE_CUDA_DRIVER(name)        FAKE(name)
#define WAN_AUDIT(name, family, kind) FAKE_##family(name)
#include "cuda_symbols.def"
