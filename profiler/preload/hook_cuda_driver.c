/* SPDX-License-Identifier: MIT */
/*
 * The CUDA driver. Each function of cuda_driver.def is hooked twice: by its exported name (audit),
 * and as the answer to cuGetProcAddress(), by which the runtime finds everything; a runtime linked
 * statically is seen by nothing else. What a dynamic runtime asks for is its own affair: its calls
 * are seen when the program makes them.
 */
#include <link.h>
#include <string.h>

#include "cuda_hook.h"

enum {
	PER_THREAD_STREAM = 2, /* CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM */
	OLDEST = 4000,         /* names meant other functions before */
	CONTEXTS = 32,
};

/* A handle is no address: it may not be mistaken for one. */
#define HANDLE(handle) ((handle) | (cu_address)1 << 63)

/* CUmemorytype: 1 host, 2 device, 3 array, 4 told by the address. As cudaMemcpyKind. */
static int wan_cu_direction(unsigned from, unsigned to)
{
	if (from < 1 || from > 3 || to < 1 || to > 3)
		return 4;
	return (from == 1 ? 0 : 2) + (to == 1 ? 0 : 1);
}

static struct {
	uintptr_t context;
	int32_t device;
} contexts[CONTEXTS];

static void note_context(void *context, int device)
{
	for (unsigned i = 0; i < CONTEXTS; i++) {
		uintptr_t seen = wan_load_relaxed(&contexts[i].context);
		if (seen == (uintptr_t)context)
			return;
		if (!seen && wan_cas_acq_rel(&contexts[i].context, &seen, (uintptr_t)context)) {
			wan_store_release(&contexts[i].device, device);
			return;
		}
	}
}

static void use_context(struct wan_cuda_call *call, void *context)
{
	for (unsigned i = 0; context && i < CONTEXTS; i++)
		if (wan_load_acquire(&contexts[i].context) == (uintptr_t)context)
			wan_cuda_device(call, wan_load_acquire(&contexts[i].device));
}

#define HOOK(name, params, args, enter, leave)                                                     \
	int name params;                                                                           \
	WAN_AUDITED int name params WAN_CUDA_BODY(                                                 \
		name, args,                                                                        \
		WAN_REAL_OF(wan_cuda_codec(WAN_FAMILY_CUDA_DRIVER, WAN_SYMBOL_##name, WAN_CALLER), \
			    name),                                                                 \
		enter, leave) static void *asked_##name;                                           \
	static int answer_##name params WAN_CUDA_BODY(                                             \
		name, args, (__typeof__(&name))wan_load_acquire(&asked_##name), enter, leave)

#define CUDA_CONTEXT(name, params, args, context, device)                                          \
	HOOK(name, params, args, call.thread = NULL, if (!error) note_context((context), (device)))
#define CUDA_CURRENT(name, params, args, context)                                                  \
	HOOK(name, params, args, call.thread = wan_cuda_enter(WAN_FRAME),                          \
	     if (call.thread) call.thread->frame = 0;                                              \
	     if (!error) use_context(&call, (context)))

#include "cuda_driver.def"

/* What cuGetProcAddress() answers with in place of what. */
static const struct answer {
	const char *name; /* exported: version and variant follow the name that is asked for */
	void **asked;     /* the real one; set before the answer is given */
	void *answer;
} answers[] = {
#define WAN_AUDIT(name, family, kind) {#name, &asked_##name, (void *)answer_##name},
#define CUDA_ANSWERS
#include "cuda_symbols.def"
#undef WAN_AUDIT
};

/* Is exported the name with a version at most, and the variant that is meant? */
static bool is_answer(const char *exported, const char *name, size_t length, bool per_thread)
{
	if (strncmp(exported, name, length) != 0)
		return false;
	const char *rest = exported + length;
	if (strncmp(rest, "_v2", 3) == 0)
		rest += 3;
	if (rest[0] == '\0')
		return !per_thread;
	return per_thread && (strcmp(rest, "_ptsz") == 0 || strcmp(rest, "_ptds") == 0);
}

static const struct answer *find(const char *name, bool per_thread)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < WAN_COUNT_OF(answers); i++)
		if (is_answer(answers[i].name, name, length, per_thread))
			return &answers[i];
	return NULL;
}

static bool is_runtime(const void *return_address)
{
	struct wan_module module;
	if (!wan_module_of(return_address, &module) || !module.map || !module.map->l_name)
		return false;
	return strstr(module.map->l_name, "libcudart") != NULL;
}

/* One real function for each answer: another one (a second driver, another version) stays. */
static void replace(const char *name, void **function, int version, uint64_t flags,
		    const void *return_address)
{
	if (!name || !function || !*function || version < OLDEST || is_runtime(return_address) ||
	    !wan_preload_recorder())
		return;
	const struct answer *answer = find(name, flags & PER_THREAD_STREAM);
	/* Functions without variant are the same for both kinds of program. */
	if (!answer && flags & PER_THREAD_STREAM)
		answer = find(name, false);
	void *none = NULL;
	if (!answer || *function == answer->answer)
		return;
	if (wan_cas_acq_rel(answer->asked, &none, *function) || none == *function)
		*function = answer->answer;
}

int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags);
WAN_AUDITED int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags)
{
	const struct wan_codec *codec =
		wan_cuda_codec(WAN_FAMILY_CUDA_DRIVER, WAN_SYMBOL_cuGetProcAddress, WAN_CALLER);
	__typeof__(&cuGetProcAddress) real = WAN_REAL_OF(codec, cuGetProcAddress);
	int error = real ? real(name, function, version, flags) : WAN_CUDA_UNRESOLVED;
	if (!error)
		replace(name, function, version, flags, WAN_CALLER);
	return error;
}

int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags,
			void *found);
static __typeof__(&cuGetProcAddress_v2) asked_cuGetProcAddress;

/* The runtime asks for cuGetProcAddress by itself, and goes on with that one. */
static int answer_cuGetProcAddress(const char *name, void **function, int version, uint64_t flags,
				   void *found)
{
	int error = asked_cuGetProcAddress(name, function, version, flags, found);
	if (!error)
		replace(name, function, version, flags, WAN_CALLER);
	return error;
}

WAN_AUDITED int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags,
				    void *found)
{
	const struct wan_codec *codec =
		wan_cuda_codec(WAN_FAMILY_CUDA_DRIVER, WAN_SYMBOL_cuGetProcAddress_v2, WAN_CALLER);
	__typeof__(&cuGetProcAddress_v2) real = WAN_REAL_OF(codec, cuGetProcAddress_v2);
	int error = real ? real(name, function, version, flags, found) : WAN_CUDA_UNRESOLVED;
	if (error || !name || !function || !*function)
		return error;
	if (strcmp(name, "cuGetProcAddress") == 0 && *function == (void *)real) {
		wan_store_release(&asked_cuGetProcAddress, real);
		*function = (void *)answer_cuGetProcAddress;
		return error;
	}
	replace(name, function, version, flags, WAN_CALLER);
	return error;
}
