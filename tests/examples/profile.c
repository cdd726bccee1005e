/* SPDX-License-Identifier: MIT */
/* An operation of your own in the profile. */
#include <stdio.h>
#include <wan/wan.h>

int main(void)
{
	struct wan_runtime *runtime = wan_runtime_default();
	struct wan_profile *profile = wan_runtime_profile(runtime);
	WAN_PROFILE_SCOPE(profile, "my_blur")
	{
		/* work */
	}
	struct wan_op op;
	wan_op_begin(profile, &op, "my_resize");
	wan_op_set_image(&op, 1920, 1080, 3, 8, UINT64_MAX);
	wan_op_end(&op, WAN_OP_OK);

	struct wan_profile_results results;
	results.struct_size = sizeof(results);
	if (wan_profile_results(profile, &results) < 0)
		return 1;
	printf("%llu operations\n", (unsigned long long)results.total_operations);
	return results.total_operations == 2 ? 0 : 1;
}
