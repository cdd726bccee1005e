/* SPDX-License-Identifier: MIT */
/*
 * Memory for tensors that are constant almost everywhere.
 *
 * Zeros: untouched anonymous pages. Reading them costs a page fault each 4 KiB (150 ms for 854 MB)
 * unless the kernel may use its huge zero page (17 ms), so all of the tensor but the pieces of
 * 2 MiB that a known frame shares is advised to huge pages; those pieces are not, or a frame would
 * hold up to 4 MiB more than it needs.
 *
 * Other constants: one small memory file, mapped privately again and again.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"
#include "atomics.h"
#include "dyn_cuda.h"
#include "half.h"
#include "macros.h"
#include "stack.h"
#include "sys.h"

#define PAGE         ((size_t)4096)
#define HUGE_PAGE    ((size_t)2 * 1024 * 1024)
#define PATTERN_MIN  ((size_t)64 * 1024)
#define PATTERN_MAX  ((size_t)1024 * 1024)
#define MAPPINGS_MAX 8192 /* of the 65530 a process may have */

static size_t round_up(size_t value, size_t step)
{
	return (value + step - 1) / step * step;
}

unsigned wan_tensor_type_bytes(enum wan_tensor_type type)
{
	switch (type) {
	case WAN_TENSOR_F32:
		return 4;
	case WAN_TENSOR_F16:
	case WAN_TENSOR_BF16:
		return 2;
	default:
		return 0;
	}
}

uint32_t wan_tensor_element(enum wan_tensor_type type, float value)
{
	uint16_t narrow;
	uint32_t element = 0;
	switch (type) {
	case WAN_TENSOR_F32:
		return wan_float_bits(value);
	case WAN_TENSOR_F16:
		narrow = wan_f16_from_float(value);
		break;
	default:
		narrow = wan_bf16_from_float(value);
		break;
	}
	memcpy(&element, &narrow, sizeof(narrow));
	return element;
}

int wan_stack_bytes(const struct wan_stack_view *view, size_t *ret_bytes)
{
	size_t bytes = wan_tensor_type_bytes(view->type);
	for (uint32_t i = 0; i < view->dimensions; i++) {
		if (__builtin_mul_overflow(bytes, view->shape[i], &bytes))
			return -EOVERFLOW;
	}
	if (bytes > SIZE_MAX / 4)
		return -EOVERFLOW;
	*ret_bytes = bytes;
	return 0;
}

/* --- constants other than zero --- */

static void fill(char *at, size_t bytes, uint32_t element, unsigned element_bytes)
{
	for (size_t i = 0; i < bytes; i += element_bytes)
		memcpy(at + i, &element, element_bytes);
}

/* Large enough to need few mappings, small beside what is known. */
static size_t pattern_bytes(const struct wan_stack_view *view)
{
	size_t bytes = WAN_MIN(WAN_MAX(view->known_bytes / 16, PATTERN_MIN), PATTERN_MAX);
	bytes = WAN_MAX(bytes, view->bytes / MAPPINGS_MAX);
	return round_up(bytes, PATTERN_MIN);
}

/* A memory file full of the constant. Returns the descriptor or a negative errno. */
static int make_pattern(uint32_t element, unsigned element_bytes, size_t bytes)
{
	int fd = wan_sys->memfd_create("wan-constant", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	void *at = MAP_FAILED;
	if (wan_sys->ftruncate(fd, (off_t)bytes) == 0)
		at = wan_sys->mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int error = at == MAP_FAILED ? -errno : 0;
	if (error == 0) {
		fill(at, bytes, element, element_bytes);
		(void)wan_sys->munmap(at, bytes);
		return fd;
	}
	(void)wan_sys->close(fd);
	return error;
}

static int repeat(char *from, char *to, int fd, size_t pattern)
{
	for (char *at = from; at < to; at += pattern) {
		size_t bytes = WAN_MIN(pattern, (size_t)(to - at));
		if (wan_sys->mmap(at, bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

/* Between two ranges: whole pages are mapped, the edges, which share a page with a range, written.
 */
static int fill_gap(struct wan_stack *stack, size_t from, size_t to, int fd, size_t pattern)
{
	char *data = stack->view.data;
	unsigned element_bytes = wan_tensor_type_bytes(stack->view.type);
	uint32_t element = wan_tensor_element(stack->view.type, stack->view.constant);
	size_t first = round_up(from, PAGE), last = to / PAGE * PAGE;
	if (first >= last) {
		fill(data + from, to - from, element, element_bytes);
		return 0;
	}
	fill(data + from, first - from, element, element_bytes);
	fill(data + last, to - last, element, element_bytes);
	return repeat(data + first, data + last, fd, pattern);
}

static int fill_gaps(struct wan_stack *stack)
{
	const struct wan_stack_view *view = &stack->view;
	size_t pattern = pattern_bytes(view);
	int fd = make_pattern(wan_tensor_element(view->type, view->constant),
			      wan_tensor_type_bytes(view->type), pattern);
	if (fd < 0)
		return fd;
	size_t at = 0;
	int error = 0;
	for (uint32_t i = 0; i <= view->range_count && error == 0; i++) {
		size_t end = i < view->range_count ? view->ranges[i].offset_bytes : view->bytes;
		error = fill_gap(stack, at, end, fd, pattern);
		if (i < view->range_count)
			at = end + view->ranges[i].bytes;
	}
	(void)wan_sys->close(fd);
	stack->view.held_bytes += pattern;
	return error;
}

/* --- ordinary pages: known frames and zeros --- */

static void advise_huge(char *data, size_t from, size_t to)
{
	from = round_up(from, HUGE_PAGE);
	to = to / HUGE_PAGE * HUGE_PAGE;
	if (from < to)
		(void)wan_sys->madvise(data + from, to - from, MADV_HUGEPAGE);
}

/* Advice is only that: a kernel without huge pages is slower, not wrong. */
static void advise(struct wan_stack *stack)
{
	const struct wan_stack_view *view = &stack->view;
	size_t at = 0;
	(void)wan_sys->madvise(view->data, round_up(view->bytes, PAGE), MADV_NOHUGEPAGE);
	for (uint32_t i = 0; i < view->range_count; i++) {
		const struct wan_stack_range *range = &view->ranges[i];
		advise_huge(view->data, at, range->offset_bytes);
		at = range->offset_bytes + range->bytes;
		advise_huge(view->data, range->offset_bytes, at);
	}
	advise_huge(view->data, at, view->bytes);
}

/* --- the whole --- */

static void join_ranges(struct wan_stack *stack, const struct wan_stack_range *ranges,
			uint32_t count)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct wan_stack_range *last = used ? &stack->ranges[used - 1] : NULL;
		if (last && last->offset_bytes + last->bytes == ranges[i].offset_bytes)
			last->bytes += ranges[i].bytes;
		else
			stack->ranges[used++] = ranges[i];
		stack->view.known_bytes += ranges[i].bytes;
	}
	stack->view.ranges = stack->ranges;
	stack->view.range_count = used;
}

/* Whole pages around each range, joined where they meet. Returns their bytes. */
static size_t page_ranges(struct wan_stack *stack)
{
	size_t bytes = 0;
	stack->locked_count = 0;
	for (uint32_t i = 0; i < stack->view.range_count; i++) {
		size_t from = stack->ranges[i].offset_bytes / PAGE * PAGE;
		size_t to = round_up(stack->ranges[i].offset_bytes + stack->ranges[i].bytes, PAGE);
		struct wan_stack_range *last = i ? &stack->locked[stack->locked_count - 1] : NULL;
		if (last && last->offset_bytes + last->bytes >= from) {
			bytes += to - (last->offset_bytes + last->bytes);
			last->bytes = to - last->offset_bytes;
		} else {
			stack->locked[stack->locked_count++] =
				(struct wan_stack_range){from, to - from};
			bytes += to - from;
		}
	}
	return bytes;
}

int wan_stack_map(const struct wan_stack_view *shape, const struct wan_stack_range *ranges,
		  uint32_t count, struct wan_stack **ret_stack)
{
	size_t bytes;
	int error = wan_stack_bytes(shape, &bytes);
	if (error < 0)
		return error;
	struct wan_stack *stack = wan_calloc(1, sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	stack->refs = 1;
	stack->view = *shape;
	stack->view.bytes = bytes;
	join_ranges(stack, ranges, count);
	stack->mapping_bytes = round_up(bytes, PAGE) + HUGE_PAGE;
	stack->mapping = wan_sys->mmap(NULL, stack->mapping_bytes, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack->mapping == MAP_FAILED) {
		wan_free(stack);
		return -ENOMEM;
	}
	stack->view.data = (void *)round_up((uintptr_t)stack->mapping, HUGE_PAGE);
	stack->view.held_bytes = sizeof(*stack) + page_ranges(stack);
	advise(stack);
	if (wan_tensor_element(shape->type, shape->constant) != 0)
		error = fill_gaps(stack);
	if (error < 0) {
		wan_stack_unref(stack);
		return error == -EMFILE || error == -ENFILE ? error : -ENOMEM;
	}
	*ret_stack = stack;
	return 0;
}

void wan_stack_lock(struct wan_stack *stack)
{
	const struct wan_cuda *cuda = wan_cuda(false);
	if (!cuda || !cuda->host_register || !cuda->host_unregister)
		return;
	for (uint32_t i = 0; i < stack->locked_count; i++) {
		char *at = (char *)stack->view.data + stack->locked[i].offset_bytes;
		if (cuda->host_register(at, stack->locked[i].bytes, 0) == 0)
			continue;
		while (i-- > 0)
			(void)cuda->host_unregister((char *)stack->view.data +
						    stack->locked[i].offset_bytes);
		return;
	}
	stack->view.pinned = true;
}

static void unlock(struct wan_stack *stack)
{
	const struct wan_cuda *cuda = wan_cuda(true);
	for (uint32_t i = 0; cuda && i < stack->locked_count; i++)
		(void)cuda->host_unregister((char *)stack->view.data +
					    stack->locked[i].offset_bytes);
}

struct wan_stack *wan_stack_ref(struct wan_stack *stack)
{
	if (stack)
		wan_add_relaxed(&stack->refs, 1);
	return stack;
}

void wan_stack_unref(struct wan_stack *stack)
{
	if (!stack || wan_sub_acq_rel(&stack->refs, 1) != 1)
		return;
	if (stack->view.pinned)
		unlock(stack);
	(void)wan_sys->munmap(stack->mapping, stack->mapping_bytes);
	wan_free(stack);
}

void wan_stack_view(const struct wan_stack *stack, struct wan_stack_view *ret_view)
{
	*ret_view = stack ? stack->view : (struct wan_stack_view){0};
}
