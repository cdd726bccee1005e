/* SPDX-License-Identifier: MIT */
/* libwanrt.so is the layers linked whole; the linker wants one source of its own. */
typedef int wan_library_is_not_empty;
