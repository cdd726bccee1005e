/* SPDX-License-Identifier: MIT */
#include "dyn.h"

#include <dlfcn.h>
#include <errno.h>

#include "tap.h"

struct table {
	double (*cosine)(double x);
	void *optional;
	int (*count)(int *count);
};

static const char *const libm_names[] = {"libwan-does-not-exist.so", "libm.so.6", NULL};
static const char *const no_names[] = {"libwan-does-not-exist.so", NULL};

static const struct wan_dyn_symbol symbols[] = {
	{"cos", offsetof(struct table, cosine), true},
	{"wan_no_such_symbol", offsetof(struct table, optional), false},
};
static const struct wan_dyn_symbol unmet[] = {
	{"cos", offsetof(struct table, cosine), true},
	{"wan_no_such_symbol", offsetof(struct table, optional), true},
};

TEST(the_first_library_that_is_there_fills_the_table)
{
	const struct wan_dyn_library library = {libm_names, NULL, symbols, 2};
	struct table table = {.optional = &table};
	void *handle = NULL;
	REQUIRE_EQ(wan_dyn_load(&library, &table, false, &handle), 0);
	CHECK_NEAR(table.cosine(0), 1, 1e-12);
	CHECK(table.optional == NULL);
	CHECK(handle != NULL);
	dlclose(handle);
}

TEST(a_missing_required_symbol_leaves_the_table_alone)
{
	const struct wan_dyn_library library = {libm_names, NULL, unmet, 2};
	struct table table = {.optional = &table};
	CHECK_EQ(wan_dyn_load(&library, &table, false, NULL), -ENOSYS);
	CHECK(table.optional == &table && table.cosine == NULL);
}

TEST(a_library_that_is_nowhere_is_not_found)
{
	const struct wan_dyn_library library = {no_names, NULL, symbols, 2};
	struct table table;
	CHECK_EQ(wan_dyn_load(&library, &table, false, NULL), -ENOENT);
}

TEST(only_if_loaded_maps_nothing_new)
{
	static const struct wan_dyn_symbol count[] = {
		{"cudaGetDeviceCount", offsetof(struct table, count), true}};
	const struct wan_dyn_library library = {no_names, "WAN_CUDART", count, 1};
	struct table table;
	void *handle = NULL;
	if (!getenv("WAN_CUDART"))
		SKIP("WAN_CUDART is not set: run by meson");
	CHECK_EQ(wan_dyn_load(&library, &table, true, NULL), -ENOENT);
	REQUIRE_EQ(wan_dyn_load(&library, &table, false, &handle), 0);
	CHECK_EQ(wan_dyn_load(&library, &table, true, NULL), 0);
	dlclose(handle);
}

TEST(a_stand_in_that_is_not_there_is_not_replaced)
{
	const struct wan_dyn_library library = {libm_names, "WAN_TEST_STAND_IN", symbols, 2};
	struct table table;
	setenv("WAN_TEST_STAND_IN", "/nonexistent/lib.so", 1);
	CHECK_EQ(wan_dyn_load(&library, &table, false, NULL), -ENOENT);
	setenv("WAN_TEST_STAND_IN", "", 1);
	CHECK_EQ(wan_dyn_load(&library, &table, false, NULL), 0);
	unsetenv("WAN_TEST_STAND_IN");
}

TAP_MAIN
