/* SPDX-License-Identifier: MIT */
/* Ask for memory and learn how it went; take a smaller image where the whole does not fit. */
#include <stdio.h>
#include <wan/wan.h>

int main(int argc, char **argv)
{
	struct wan_memory *memory = wan_runtime_memory(wan_runtime_default());
	struct wan_memory_request request = {sizeof(request), UINT64_C(1) << 50, 0, false};
	struct wan_memory_answer answer;
	answer.struct_size = sizeof(answer);
	if (wan_memory_ask(memory, &request, &answer, NULL) == 0)
		return 1; /* nobody has a petabyte */
	printf("outcome %d: %s, %.0f MB may be taken\n", (int)answer.outcome, answer.limiting,
	       (double)answer.grantable_bytes / 1048576);

	struct wan_load_offer offer;
	offer.struct_size = sizeof(offer);
	if (argc > 1 && wan_load_offer(NULL, argv[1], NULL, &offer, NULL) == 0)
		printf("1/%u of %s fits: %ux%u\n", offer.divisor, argv[1], offer.width_px,
		       offer.height_px);
	struct wan_gpu_state gpu;
	gpu.struct_size = sizeof(gpu);
	if (wan_memory_gpu_state(memory, 0, &gpu) < 0)
		printf("%s is not used by this program\n", gpu.name);
	return 0;
}
