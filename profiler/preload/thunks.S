/* SPDX-License-Identifier: MIT */
/*
 * Two kinds of small code, both made from symbols.def:
 * - thunks: one for each slot and symbol, at wan_thunks + (slot * symbols + symbol) * 32. A thunk
 *   notes slot and symbol in the thread-local wan_audited and goes on to the hook, which sees the
 *   caller's return address and arguments as if it had been called itself;
 * - the versioned names of hooks that are not exported by their plain ones (see versions.def).
 */
#include "audit_link.h"
#include "versions.def"

#if defined(__x86_64__)
	.macro goto_hook name
	endbr64
	jmp	\name
	.endm
	.macro thunk name
	.balign WAN_THUNK_BYTES
	endbr64
	movq	wan_audited@gottpoff(%rip), %r11
	movl	$wan_thunk_index, %fs:(%r11)
	jmp	\name
	.set	wan_thunk_index, wan_thunk_index + 1
	.endm
#elif defined(__aarch64__)
	.macro goto_hook name
	hint	34
	b	\name
	.endm
	.macro thunk name
	.balign WAN_THUNK_BYTES
	hint	34
	adrp	x16, :gottprel:wan_audited
	ldr	x16, [x16, :gottprel_lo12:wan_audited]
	mrs	x17, tpidr_el0
	add	x16, x16, x17
	movz	w17, #wan_thunk_index
	str	w17, [x16]
	b	\name
	.set	wan_thunk_index, wan_thunk_index + 1
	.endm
#else
#error "x86-64 and aarch64 only"
#endif
	/* Only called, never hooked: has a place, and no code. */
	.macro no_thunk
	.balign WAN_THUNK_BYTES
	.zero	WAN_THUNK_BYTES
	.set	wan_thunk_index, wan_thunk_index + 1
	.endm

	.text
	.globl	wan_thunks
	.type	wan_thunks, %function
	.balign WAN_THUNK_BYTES
wan_thunks:
	.set	wan_thunk_index, 1 /* 0: not audited */
	.rept	WAN_AUDIT_SLOTS
#define WAN_HOOK(name, family, kind) thunk name;
#define WAN_REAL(name, family) no_thunk;
#include "symbols.def"
#undef WAN_HOOK
#undef WAN_REAL
	.endr
	.balign WAN_THUNK_BYTES
	.size	wan_thunks, . - wan_thunks

	.macro versioned name version
	.globl	wan_versioned_\@
	.type	wan_versioned_\@, %function
wan_versioned_\@:
	goto_hook \name
	.size	wan_versioned_\@, . - wan_versioned_\@
	.symver	wan_versioned_\@, \name@\version
	.endm

#define VERSIONED(name, version) versioned name, version;
#define WAN_HOOK(name, family, kind)
#define WAN_AUDIT(name, family, kind) WAN_VERSIONS_##family(VERSIONED, name)
#define WAN_REAL(name, family)
#include "symbols.def"

	.section .note.GNU-stack, "", %progbits
