/* SPDX-License-Identifier: MIT */
/* A unit test that fails when what it runs keeps memory from one iteration to the next. */
#include <stdio.h>
#include <wan/wan.h>

int main(int argc, char **argv)
{
	struct wan_leak leak;
	struct wan_leak_result result;
	result.struct_size = sizeof(result);
	const char *path = argc > 1 ? argv[1] : "start.png";
	if (wan_leak_begin(&leak, wan_runtime_default(), NULL, "decode") < 0)
		return 1;
	for (int i = 0; i < 20; i++) {
		struct wan_pin *pin = NULL;
		if (wan_load(NULL, path, NULL, &pin, NULL, NULL) < 0)
			return 1;
		wan_pin_release(pin); /* without this: 20 images kept */
		wan_leak_iteration(&leak);
	}
	int verdict = wan_leak_judge(&leak, &result);
	printf("%s (by %s)\n", result.reason, result.source);
	return verdict == WAN_LEAK_NONE ? 0 : 1;
}
