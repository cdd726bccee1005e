/* SPDX-License-Identifier: MIT */
/* Operations in C++: a guard for the block, exceptions included. */
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <wan/wan.h>

static int halve(wan_profile *profile, int value)
{
	WAN_PROFILE_SCOPE(profile, "halve.macro")
	{
		if (value % 2 == 0)
			return value / 2; /* ends the operation */
	}
	throw std::runtime_error("odd");
}

static int guarded(wan_profile *profile, int value)
{
	wan::operation operation(profile, "halve.guard");
	operation.set_image(1920, 1080, 3, 8);
	return halve(profile, value); /* an exception makes it a failed one */
}

int main()
{
	wan_profile *profile = wan_runtime_profile(wan_runtime_default());
	int caught = 0;
	for (int i = 0; i < 4; i++) {
		try {
			guarded(profile, i);
		} catch (const std::runtime_error &) {
			caught++;
		}
	}
	{
		wan::operation forgotten(profile, "forgotten");
		forgotten.cancel();
		wan::operation idle(nullptr, "idle");
	}
	struct wan_profile_results results;
	results.struct_size = sizeof(results);
	if (wan_profile_results(profile, &results) < 0)
		return 1;
	std::printf("%llu operations, %s\n", (unsigned long long)results.total_operations,
		    results.bottleneck_count ? results.bottlenecks[0] : "");
	/* Four guards; the macros inside are their children. Two guards failed. */
	bool told = false;
	for (unsigned i = 0; i < results.bottleneck_count; i++)
		told |= std::strstr(results.bottlenecks[i], "halve.guard") != nullptr;
	return results.total_operations == 4 && caught == 2 && told ? 0 : 1;
}
