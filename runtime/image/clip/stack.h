/* SPDX-License-Identifier: MIT */
/* What stacks are made of, for stack.c (conditioning), stack_mask.c and stack_write.c. */
#ifndef WAN_IMAGE_STACK_H
#define WAN_IMAGE_STACK_H

#include "wan/stack.h"

/* At most: start and end of each of four mask channels, or three colour channels. */
#define WAN_STACK_RANGES_MAX 16

struct wan_stack {
	uint32_t refs; /* atomic; the last release pairs with the fence in unref */
	struct wan_stack_view view;
	struct wan_stack_range ranges[WAN_STACK_RANGES_MAX];
	void *mapping; /* starts before view.data, which is aligned to a huge page */
	size_t mapping_bytes;
	/* Page-locked: whole pages around the ranges, without overlap. */
	struct wan_stack_range locked[WAN_STACK_RANGES_MAX];
	uint32_t locked_count;
};

/* Bytes of one element; 0: no such type. Pure. */
unsigned wan_tensor_type_bytes(enum wan_tensor_type type);
/* A value as an element of that type, in the first bytes of the result. Pure. */
uint32_t wan_tensor_element(enum wan_tensor_type type, float value);

/* The element count of a shape in bytes. 0, -EOVERFLOW (more than half of the address space). */
int wan_stack_bytes(const struct wan_stack_view *view, size_t *ret_bytes);

/* Map a tensor of that type, shape and constant; ranges[0..count) are those whose contents the
 * caller writes next, ascending; neighbours are joined. -ENOMEM, -EOVERFLOW. */
int wan_stack_map(const struct wan_stack_view *shape, const struct wan_stack_range *ranges,
		  uint32_t count, struct wan_stack **ret_stack);
/* Lock the pages of the ranges when there is a CUDA runtime; tells by view.pinned. */
void wan_stack_lock(struct wan_stack *stack);

/* Checks struct_size and values, and takes over what the caller's version knows.
 * 0, -EINVAL with a reason. */
int wan_stack_read_options(const struct wan_stack_options *given,
			   struct wan_stack_options *ret_options, struct wan_error *reterr_error);

#endif
