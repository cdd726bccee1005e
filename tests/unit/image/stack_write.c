/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "files.h"
#include "sample.h"
#include "sys.h"
#include "tap.h"
#include "wan/stack.h"

static struct wan_stack *make_stack(enum wan_pipeline pipeline, enum wan_tensor_type type,
				    struct wan_stack_view *ret_view)
{
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, 256, 192);
	struct wan_stack_options options;
	struct wan_stack *stack = NULL;
	CHECK_EQ(wan_stack_options_init(&options, pipeline), 0);
	options.type = type;
	options.frames = 41;
	CHECK_EQ(wan_stack_create(start, start, &options, &stack, NULL), 0);
	wan_stack_view(stack, ret_view);
	wan_image_unref(start);
	return stack;
}

static void check_npy(enum wan_pipeline pipeline, enum wan_tensor_type type, const char *header)
{
	const char *path = in_test_folder("stack.npy");
	struct wan_stack_view view;
	struct wan_stack *stack = make_stack(pipeline, type, &view);
	CHECK_EQ(wan_stack_write_npy(stack, path, false, NULL), 0);
	struct bytes bytes = bytes_read(path);
	CHECK_EQ(bytes.count, 128 + view.bytes);
	CHECK_EQ(strncmp((char *)bytes.at + 10, header, strlen(header)), 0);
	CHECK_MEM(bytes.at + 128, view.data, view.bytes);
	bytes_free(&bytes);
	wan_stack_unref(stack);
	unlink(path);
}

TEST(npy_files_hold_header_and_elements)
{
	check_npy(WAN_PIPELINE_A14B, WAN_TENSOR_F32,
		  "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 41, 192, 256), }");
	check_npy(WAN_PIPELINE_DIFFUSERS, WAN_TENSOR_F16,
		  "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 3, 41, 192, 256), }");
	check_npy(WAN_PIPELINE_COMFYUI, WAN_TENSOR_BF16,
		  "{'descr': '<u2', 'fortran_order': False, 'shape': (41, 192, 256, 3), }");
}

TEST(zeros_take_no_place_on_the_disk)
{
	const char *path = in_test_folder("holes.npy");
	struct wan_stack_view view;
	struct wan_stack *stack = make_stack(WAN_PIPELINE_A14B, WAN_TENSOR_F32, &view);
	struct stat stat_of;
	REQUIRE_EQ(wan_stack_write_npy(stack, path, false, NULL), 0);
	REQUIRE_EQ(stat(path, &stat_of), 0);
	CHECK_EQ(stat_of.st_size, (off_t)(128 + view.bytes));
	CHECK((uint64_t)stat_of.st_blocks * 512 < view.known_bytes * 11 / 10 + 8 * 4096);
	wan_stack_unref(stack);
	unlink(path);
}

TEST(safetensors_files_have_the_layout_of_the_format)
{
	const char *path = in_test_folder("pair.safetensors");
	struct wan_stack_view view, mask_view;
	struct wan_stack *stack = make_stack(WAN_PIPELINE_DIFFUSERS, WAN_TENSOR_BF16, &view), *mask;
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 5, 3);
	struct wan_stack_options options;
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_DIFFUSERS), 0);
	options.frames = 41;
	REQUIRE_EQ(wan_stack_mask((struct wan_size){256, 192}, true, true, &options, &mask, NULL),
		   0);
	wan_stack_view(mask, &mask_view);
	struct wan_named_tensor tensors[] = {{.name = "stack", .stack = stack},
					     {.name = "mask", .stack = mask},
					     {.name = "thumbnail", .image = image}};
	REQUIRE_EQ(wan_write_safetensors(tensors, 3, path, false, NULL), 0);
	struct bytes bytes = bytes_read(path);
	uint64_t length = 0;
	for (unsigned i = 0; i < 8; i++)
		length |= (uint64_t)bytes.at[i] << 8 * i;
	CHECK_EQ(length % 8, 0);
	CHECK_EQ(bytes.count, 8 + length + view.bytes + mask_view.bytes + 45);
	char expected[512];
	snprintf(expected, sizeof(expected),
		 "{\"stack\":{\"dtype\":\"BF16\",\"shape\":[1,3,41,192,256],\"data_offsets\":[0,%"
		 "zu]},"
		 "\"mask\":{\"dtype\":\"F32\",\"shape\":[4,11,24,32],\"data_offsets\":[%zu,%zu]},"
		 "\"thumbnail\":{\"dtype\":\"U8\",\"shape\":[3,5,3],\"data_offsets\":[%zu,%zu]}}",
		 view.bytes, view.bytes, view.bytes + mask_view.bytes, view.bytes + mask_view.bytes,
		 view.bytes + mask_view.bytes + 45);
	CHECK_EQ(strncmp((char *)bytes.at + 8, expected, strlen(expected)), 0);
	CHECK_MEM(bytes.at + 8 + length, view.data, view.bytes);
	CHECK_MEM(bytes.at + 8 + length + view.bytes, mask_view.data, mask_view.bytes);
	CHECK_EQ(crc32_bytes(bytes.at + bytes.count - 45, 45), crc32_image(image));
	bytes_free(&bytes);
	wan_stack_unref(stack);
	wan_stack_unref(mask);
	wan_image_unref(image);
	unlink(path);
}

TEST(names_that_would_break_the_header_are_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 5, 3);
	const char *path = in_test_folder("bad.safetensors");
	char long_name[66];
	memset(long_name, 'a', 65);
	long_name[65] = 0;
	const char *names[] = {"",         "a\"b",    "a\\b", "a\nb",
			       "\xc3\xa9", long_name, NULL,   "__metadata__"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wan_named_tensor tensor = {.name = names[i], .image = image};
		CHECK_EQ(wan_write_safetensors(&tensor, 1, path, false, NULL), -EINVAL);
	}
	struct wan_named_tensor twins[] = {{.name = "a", .image = image},
					   {.name = "a", .image = image}};
	CHECK_EQ(wan_write_safetensors(twins, 2, path, false, NULL), -EINVAL);
	twins[1] = (struct wan_named_tensor){.name = "b"};
	CHECK_EQ(wan_write_safetensors(twins, 2, path, false, NULL), -EINVAL);
	CHECK_EQ(wan_write_safetensors(twins, 0, path, false, NULL), -EINVAL);
	CHECK_EQ(wan_stack_write_npy(NULL, path, false, NULL), -EINVAL);
	long_name[64] = 0;
	struct wan_named_tensor longest[64];
	for (size_t i = 0; i < 64; i++) {
		static char each[64][80];
		snprintf(each[i], sizeof(each[i]), "%02zu%.62s", i, long_name);
		longest[i] = (struct wan_named_tensor){.name = each[i], .image = image};
	}
	CHECK_EQ(wan_write_safetensors(longest, 64, path, false, NULL), 0);
	CHECK_EQ(files_in_test_folder(), 1);
	unlink(path);
	wan_image_unref(image);
}

TEST(a_place_that_cannot_be_written_is_said)
{
	struct wan_stack_view view;
	struct wan_stack *stack = make_stack(WAN_PIPELINE_A14B, WAN_TENSOR_F32, &view);
	struct wan_error error;
	CHECK_EQ(wan_stack_write_npy(stack, "/dev/full", true, &error), -EINVAL);
	CHECK_EQ(wan_stack_write_npy(stack, "/no/such/folder/x.npy", true, &error), -ENOENT);
	wan_stack_unref(stack);
}

static uint64_t blocks_free, bytes_written;

static int nearly_full(const char *path, struct statfs *ret)
{
	int rc = wan_sys_real.statfs(path, ret);
	ret->f_type = 0xef53; /* ext4 */
	ret->f_bsize = 4096;
	ret->f_bavail = blocks_free;
	return rc;
}

static ssize_t counting_pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	bytes_written += bytes;
	return wan_sys_real.pwrite(fd, from, bytes, offset);
}

/* Grey frames are data; those of zeros are holes and need no room. */
TEST(what_does_not_fit_on_the_disk_is_refused_before_it_is_filled)
{
	const char *path = in_test_folder("large.npy");
	struct wan_stack_view view, zeros_view;
	struct wan_stack *grey = make_stack(WAN_PIPELINE_COMFYUI, WAN_TENSOR_F32, &view);
	struct wan_stack *zeros = make_stack(WAN_PIPELINE_A14B, WAN_TENSOR_F32, &zeros_view);
	struct wan_sys small = wan_sys_real;
	small.statfs = nearly_full;
	small.pwrite = counting_pwrite;
	wan_sys = &small;
	blocks_free = view.bytes / 4096 - 1;
	CHECK_EQ(wan_stack_write_npy(grey, path, false, NULL), -ENOSPC);
	struct wan_named_tensor tensor = {.name = "stack", .stack = grey};
	CHECK_EQ(wan_write_safetensors(&tensor, 1, path, false, NULL), -ENOSPC);
	CHECK_EQ(bytes_written, 0);
	CHECK_EQ(files_in_test_folder(), 0);
	CHECK_EQ(wan_stack_write_npy(zeros, path, false, NULL), 0);
	CHECK(zeros_view.bytes / 4096 > blocks_free);
	blocks_free = view.bytes / 4096 + 1;
	CHECK_EQ(wan_stack_write_npy(grey, path, true, NULL), 0);
	wan_sys = &wan_sys_real;
	wan_stack_unref(grey);
	wan_stack_unref(zeros);
	unlink(path);
}

TAP_MAIN
