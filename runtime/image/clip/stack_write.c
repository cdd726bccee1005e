/* SPDX-License-Identifier: MIT */
/* Stacks and images as files: NumPy's .npy and safetensors. Ranges of zeros become holes. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "buffer.h"
#include "log.h"
#include "macros.h"
#include "npy.h"
#include "output.h"
#include "stack.h"
#include "str.h"

#define TENSORS_MAX    64
#define NAME_BYTES_MAX 64
/* {"NAME":{"dtype":"BF16","shape":[5 sides],"data_offsets":[2 numbers]}} */
#define TENSOR_TEXT_MAX  (NAME_BYTES_MAX + 224)
#define HEADER_BYTES_MAX (8 + 64 + TENSORS_MAX * TENSOR_TEXT_MAX)

static void stack_shape(const struct wan_stack_view *view, struct wan_tensor_shape *ret_shape)
{
	*ret_shape = (struct wan_tensor_shape){
		.kind = view->type == WAN_TENSOR_BF16 ? 'b' : 'f',
		.element_bytes = wan_tensor_type_bytes(view->type),
		.dimensions = view->dimensions,
	};
	memcpy(ret_shape->sides, view->shape, sizeof(ret_shape->sides));
}

/* What does not become a hole. */
static uint64_t data_bytes(const struct wan_stack_view *view)
{
	uint64_t bytes = 0;
	if (wan_tensor_element(view->type, view->constant) != 0)
		return view->bytes;
	for (uint32_t i = 0; i < view->range_count; i++)
		bytes += view->ranges[i].bytes;
	return bytes;
}

/* What is zero is skipped without being looked at: reading would map it. */
static void write_data(struct wan_output *output, const struct wan_stack_view *view)
{
	const char *data = view->data;
	size_t at = 0;
	if (wan_tensor_element(view->type, view->constant) != 0) {
		(void)wan_output_write(output, data, view->bytes);
		return;
	}
	for (uint32_t i = 0; i < view->range_count; i++) {
		const struct wan_stack_range *range = &view->ranges[i];
		if (range->offset_bytes > at)
			(void)wan_output_skip(output, range->offset_bytes - at);
		(void)wan_output_write(output, data + range->offset_bytes, range->bytes);
		at = range->offset_bytes + range->bytes;
	}
	if (view->bytes > at)
		(void)wan_output_skip(output, view->bytes - at);
}

int wan_stack_write_npy(const struct wan_stack *stack, const char *path, bool overwrite,
			struct wan_error *reterr_error)
{
	struct wan_output output;
	struct wan_tensor_shape shape;
	char header[WAN_NPY_HEADER_MAX];

	if (!stack)
		return wan_error_set(reterr_error, -EINVAL, "wan_stack_write_npy", "",
				     "there is no stack");
	int error = wan_output_open(&output, path, overwrite, reterr_error);
	if (error < 0)
		return error;
	stack_shape(&stack->view, &shape);
	(void)wan_output_expect(&output, data_bytes(&stack->view));
	(void)wan_output_write(&output, header, wan_npy_header(&shape, header));
	write_data(&output, &stack->view);
	return wan_output_commit(&output, reterr_error);
}

/* --- safetensors --- */

static const char *type_name(const struct wan_tensor_shape *shape)
{
	if (shape->kind == 'u')
		return shape->element_bytes == 1 ? "U8" : "U16";
	if (shape->kind == 'b')
		return "BF16";
	return shape->element_bytes == 4 ? "F32" : "F16";
}

/* Names go into the header unescaped, so they may hold nothing that JSON would escape. */
static bool name_is_plain(const char *name)
{
	size_t bytes = name ? strnlen(name, NAME_BYTES_MAX + 1) : 0;
	for (size_t i = 0; i < bytes; i++) {
		if (name[i] < 0x20 || name[i] > 0x7e || name[i] == '"' || name[i] == '\\')
			return false;
	}
	return bytes >= 1 && bytes <= NAME_BYTES_MAX && strcmp(name, "__metadata__") != 0;
}

static bool names_differ(const struct wan_named_tensor *tensors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(tensors[i].name, tensors[k].name) == 0)
				return false;
		}
	}
	return true;
}

static int check_tensors(const struct wan_named_tensor *tensors, size_t count,
			 struct wan_error *reterr_error)
{
	if (!tensors || count < 1 || count > TENSORS_MAX)
		return wan_error_set(reterr_error, -EINVAL, "safetensors", "",
				     "1 to %d tensors fit into a file", TENSORS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!tensors[i].stack && !tensors[i].image)
			return wan_error_set(reterr_error, -EINVAL, "safetensors", "",
					     "tensor %zu is neither a stack nor an image", i);
		if (!name_is_plain(tensors[i].name))
			return wan_error_set(reterr_error, -EINVAL, "safetensors",
					     "use letters, digits and dots",
					     "the name of tensor %zu cannot be used", i);
	}
	if (!names_differ(tensors, count))
		return wan_error_set(reterr_error, -EINVAL, "safetensors", "",
				     "two tensors have the same name");
	return 0;
}

static uint64_t describe(const struct wan_named_tensor *tensor, struct wan_tensor_shape *ret_shape)
{
	if (tensor->stack) {
		stack_shape(&tensor->stack->view, ret_shape);
		return tensor->stack->view.bytes;
	}
	wan_image_shape(&tensor->image->view, ret_shape);
	return tensor->image->view.pixels_bytes;
}

/* Eight bytes of length, then JSON padded by spaces so that the data is aligned to eight bytes.
 * Returns the bytes of both. */
static size_t make_header(const struct wan_named_tensor *tensors, size_t count, char *to)
{
	size_t used = 8;
	uint64_t offset = 0;
	to[used++] = '{';
	for (size_t i = 0; i < count; i++) {
		struct wan_tensor_shape shape;
		uint64_t bytes = describe(&tensors[i], &shape);
		used += wan_str_format(to + used, HEADER_BYTES_MAX - used,
				       "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "",
				       tensors[i].name, type_name(&shape));
		for (unsigned side = 0; side < shape.dimensions; side++)
			used += wan_str_format(to + used, HEADER_BYTES_MAX - used, "%s%llu",
					       side ? "," : "",
					       (unsigned long long)shape.sides[side]);
		used += wan_str_format(
			to + used, HEADER_BYTES_MAX - used, "],\"data_offsets\":[%llu,%llu]}",
			(unsigned long long)offset, (unsigned long long)(offset + bytes));
		offset += bytes;
	}
	to[used++] = '}';
	while (used % 8)
		to[used++] = ' ';
	uint64_t length = used - 8;
	for (unsigned i = 0; i < 8; i++)
		to[i] = (char)(length >> 8 * i);
	return used;
}

int wan_write_safetensors(const struct wan_named_tensor *tensors, size_t count, const char *path,
			  bool overwrite, struct wan_error *reterr_error)
{
	struct wan_output output;
	char header[HEADER_BYTES_MAX];

	int error = check_tensors(tensors, count, reterr_error);
	if (error == 0 && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		error = wan_error_set(reterr_error, -ENOTSUP, "safetensors", "",
				      "is a little-endian format, and this machine is not");
	if (error == 0)
		error = wan_output_open(&output, path, overwrite, reterr_error);
	if (error < 0)
		return error;
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += tensors[i].stack ? data_bytes(&tensors[i].stack->view)
					  : tensors[i].image->view.pixels_bytes;
	(void)wan_output_expect(&output, bytes);
	(void)wan_output_write(&output, header, make_header(tensors, count, header));
	for (size_t i = 0; i < count; i++) {
		if (tensors[i].stack)
			write_data(&output, &tensors[i].stack->view);
		else
			(void)wan_output_write(&output, tensors[i].image->view.pixels,
					       tensors[i].image->view.pixels_bytes);
	}
	return wan_output_commit(&output, reterr_error);
}
