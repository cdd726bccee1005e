/* SPDX-License-Identifier: MIT */
/* Ask before allocating; a refusal names what is in the way. */
#include <stdio.h>
#include <wan/wan.h>

int main(void)
{
	struct wan_memory *memory = wan_runtime_memory(wan_runtime_default());
	struct wan_memory_state state;
	state.struct_size = sizeof(state);
	wan_memory_state(memory, &state);
	printf("%.0f MB free at level %d (%s)\n", (double)state.headroom_bytes / 1048576,
	       (int)state.level, state.tightest);

	struct wan_error error;
	if (wan_memory_reserve(memory, UINT64_C(1) << 50, &error) == 0)
		return 1; /* nobody has a petabyte */
	printf("refused: %s: %s\n", error.object, error.reason);
	return 0;
}
