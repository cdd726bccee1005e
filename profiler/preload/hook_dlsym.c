/* SPDX-License-Identifier: MIT */
/*
 * dlsym(): how CPython reaches the modules that it loads. A stub hands every call on by a jump, so
 * that the real dlsym() sees the program's own return address, which RTLD_NEXT and RTLD_DEFAULT
 * need. Only a name that is ours to see (PyInit_...), asked of an explicit handle, is answered
 * here.
 */
#include "hook_dlsym.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdbool.h>

#include "atomics.h"
#include "macros.h"
#include "preload.h"
#include "python/init.h"

wan_dlsym_function *wan_dlsym_next;

/*
 * The first caller may be a sanitizer's runtime that is just starting, and has put itself in the
 * place of strncmp() and the like: here nothing is instrumented, and nothing of the C library is
 * called but what finds the real function.
 */
#define BARE __attribute__((no_sanitize("address", "thread", "undefined")))

BARE static void *no_dlsym(void *handle, const char *name)
{
	return NULL;
}

BARE static unsigned number(const char **text)
{
	unsigned value = 0;
	for (; **text >= '0' && **text <= '9'; ++*text)
		value = value * 10 + (unsigned)(**text - '0');
	return value;
}

/*
 * Asks for the version that the C library has: a question that fails allocates its message, and
 * the first call may come from an allocator that is just starting.
 */
BARE static wan_dlsym_function *find_next(void)
{
#if defined(__x86_64__)
	const char *old = "GLIBC_2.2.5";
#else
	const char *old = "GLIBC_2.17";
#endif
	const char *text = gnu_get_libc_version();
	unsigned major = number(&text);
	text += *text == '.';
	bool merged = major > 2 || number(&text) >= 34;
	void *found = dlvsym(RTLD_NEXT, "dlsym", merged ? "GLIBC_2.34" : old);
	return found ? (wan_dlsym_function *)found : no_dlsym;
}

BARE static bool names_a_module(const char *name)
{
	const char *prefix = "PyInit_";
	while (*prefix && *name == *prefix)
		name++, prefix++;
	return *prefix == '\0';
}

void *wan_dlsym_answer(void *handle, const char *name);

/* NULL: the call is none of ours and goes on to wan_dlsym_next. */
BARE __attribute__((visibility("hidden"), used)) void *wan_dlsym_answer(void *handle,
									const char *name)
{
	if (wan_unlikely(!wan_load_acquire(&wan_dlsym_next)))
		wan_store_release(&wan_dlsym_next, find_next());
	if (wan_likely(!name || !names_a_module(name)) || handle == RTLD_NEXT ||
	    handle == RTLD_DEFAULT || !wan_preload_sees_python())
		return NULL;
	int saved = errno;
	void *answer = wan_python_find_init(handle, name);
	errno = saved;
	return answer;
}

#if defined(__x86_64__)
__asm__(".text\n"
	".globl dlsym\n"
	".type dlsym, @function\n"
	"dlsym:\n"
	".cfi_startproc\n"
	"endbr64\n"
	"pushq %rdi\n"
	".cfi_adjust_cfa_offset 8\n"
	"pushq %rsi\n"
	".cfi_adjust_cfa_offset 8\n"
	"subq $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"call wan_dlsym_answer\n"
	"addq $8, %rsp\n"
	".cfi_adjust_cfa_offset -8\n"
	"popq %rsi\n"
	".cfi_adjust_cfa_offset -8\n"
	"popq %rdi\n"
	".cfi_adjust_cfa_offset -8\n"
	"testq %rax, %rax\n"
	"jz 1f\n"
	"ret\n"
	"1: jmp *wan_dlsym_next(%rip)\n"
	".cfi_endproc\n"
	".size dlsym, . - dlsym\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl dlsym\n"
	".type dlsym, %function\n"
	"dlsym:\n"
	".cfi_startproc\n"
	"hint #34\n" /* bti c */
	"stp x29, x30, [sp, #-32]!\n"
	".cfi_adjust_cfa_offset 32\n"
	".cfi_rel_offset x29, 0\n"
	".cfi_rel_offset x30, 8\n"
	"stp x0, x1, [sp, #16]\n"
	"bl wan_dlsym_answer\n"
	"mov x9, x0\n"
	"ldp x0, x1, [sp, #16]\n"
	"ldp x29, x30, [sp], #32\n"
	".cfi_adjust_cfa_offset -32\n"
	".cfi_restore x29\n"
	".cfi_restore x30\n"
	"cbz x9, 1f\n"
	"mov x0, x9\n"
	"ret\n"
	"1: adrp x9, wan_dlsym_next\n"
	"ldr x16, [x9, #:lo12:wan_dlsym_next]\n"
	"br x16\n"
	".cfi_endproc\n"
	".size dlsym, . - dlsym\n");
#else
#error "no dlsym() stub for this processor"
#endif
