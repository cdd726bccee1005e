/* SPDX-License-Identifier: MIT */
/* Scopes, checked forms and categories: the other ways to make an operation. */
#include <errno.h>

#include "op_support.h"

TEST(a_scope_ends_at_its_brace)
{
	begin(true);
	WAN_PROFILE_SCOPE(profile, "outer")
	{
		WAN_PROFILE_SCOPE(profile, "inner")
		{
		}
	}
	look();
	CHECK_EQ(process->total_operations, 2);
	end();
}

static int leaves_by_return(int value)
{
	WAN_PROFILE_SCOPE(profile, "scope.return")
	{
		if (value)
			return value;
	}
	return 0;
}

TEST(a_scope_ends_by_whatever_way_it_is_left)
{
	begin(true);
	CHECK_EQ(leaves_by_return(7), 7);
	CHECK_EQ(leaves_by_return(0), 0);
	for (int i = 0; i < 3; i++)
		WAN_PROFILE_SCOPE(profile, "scope.goto")
		{
			if (i == 2)
				goto out;
		}
out:
	WAN_PROFILE_SCOPE(profile, "scope.break")
	{
		break;
	}
	WAN_PROFILE_SCOPE(NULL, "scope.off")
	{
		wan_op_cancel(NULL);
	}
	look();
	CHECK_EQ(process->operation_count, 6);
	CHECK_EQ(process->inflight_count, 0);
	for (size_t i = 0; i < process->operation_count; i++)
		CHECK_EQ(process->operations[i].status, WAN_OP_OK);
	end();
}

TEST(checked_forms_and_functions_do_the_same)
{
	struct wan_op op;
	begin(false);
	memset(&op, 0xff, sizeof(op)); /* garbage, as on a stack */
	wan_op_begin(profile, &op, "idle.checked");
	wan_op_set_image(&op, 1, 1, 1, 8, 1);
	wan_op_end(&op, WAN_OP_OK);
	memset(&op, 0xff, sizeof(op));
	wan_op_begin_large(NULL, &op, "idle.checked");
	wan_op_end(&op, WAN_OP_OK);
	wan_op_end(NULL, WAN_OP_OK);
	wan_op_begin(profile, NULL, "idle.checked");
	CHECK_EQ(wan_profile_start(profile), 0);
	wan_op_begin(profile, &op, "on.checked");
	wan_op_end(&op, WAN_OP_OK);
	wan_op_end(&op, WAN_OP_OK);
#undef wan_op_begin
#undef wan_op_end
	wan_op_begin(profile, &op, "on.called");
	wan_op_end(&op, WAN_OP_OK);
	wan_op_end(&op, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 2);
	CHECK_STR(process->operations[0].name, "on.checked");
	CHECK_STR(process->operations[1].name, "on.called");
	end();
}

static void one(const char *name)
{
	struct wan_op op;
	wan_op_begin(profile, &op, name);
	wan_op_end(&op, WAN_OP_OK);
}

static unsigned recorded(const char *name)
{
	unsigned count = 0;
	for (size_t i = 0; i < process->operation_count; i++)
		count += strcmp(process->operations[i].name, name) == 0;
	return count;
}

TEST(categories_are_switched_while_it_runs)
{
	static const char *const names[] = {"io.read", "io.write", "decode.jpeg", "resize", "io"};
	static const struct {
		const char *list;
		unsigned counts[5]; /* of all so far */
	} steps[] = {
		{"", {1, 1, 1, 1, 1}},
		{"-io", {1, 1, 2, 2, 1}},
		{"io", {2, 2, 2, 2, 2}},
		{" decode , resize,", {2, 2, 3, 3, 2}},
		{"io,decode,-io", {2, 2, 4, 3, 2}},
		{"unheard.of", {2, 2, 4, 3, 2}},
		{NULL, {3, 3, 5, 4, 3}},
	};
	begin(true);
	for (unsigned i = 0; i < WAN_COUNT_OF(steps); i++) {
		CHECK_EQ(wan_profile_set_categories(profile, steps[i].list), 0);
		for (unsigned k = 0; k < WAN_COUNT_OF(names); k++)
			one(names[k]);
		look();
		for (unsigned k = 0; k < WAN_COUNT_OF(names); k++)
			CHECK_EQ(recorded(names[k]), steps[i].counts[k]);
	}
	CHECK_EQ(wan_profile_set_categories(NULL, "io"), -EINVAL);
	end();
}

TEST(an_operation_under_way_ends_though_its_category_was_switched_off)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "late.one");
	CHECK_EQ(wan_profile_set_categories(profile, "-late"), 0);
	wan_op_end(&op, WAN_OP_OK);
	one("late.two");
	look();
	CHECK_EQ(process->operation_count, 1);
	end();
}

TEST(too_many_categories_change_nothing)
{
	char list[512] = "";
	begin(true);
	for (int i = 0; i < 65; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "c%d,", i);
	CHECK_EQ(wan_profile_set_categories(profile, list), -EINVAL);
	one("other");
	look();
	CHECK_EQ(process->operation_count, 1);
	end();
}

TEST(the_configuration_names_the_first_categories)
{
	begin(true);
	end();
	CHECK_EQ(wan_config_set(&config, "profile.categories", "decode", NULL), 0);
	CHECK_EQ(wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_profile_options options = {.struct_size = sizeof(options),
					      .config = &config,
					      .recorder = recorder,
					      .active = true};
	REQUIRE_EQ(wan_profile_create(&options, &profile), 0);
	one("decode.png");
	one("encode.png");
	look();
	CHECK_EQ(recorded("decode.png"), 1);
	CHECK_EQ(recorded("encode.png"), 0);
	end();
}

TAP_MAIN
