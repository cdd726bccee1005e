/* SPDX-License-Identifier: MIT */
/* Batches that fit: halved when memory runs short, growing back later. */
#include <stdio.h>
#include <wan/wan.h>

int main(void)
{
	struct wan_batch_options options;
	wan_batch_options_init(&options);
	options.name = "frames";
	options.minimum = 1;
	options.maximum = 16;
	struct wan_batch *batch;
	if (wan_batch_create(wan_runtime_memory(wan_runtime_default()), &options, &batch) < 0)
		return 1;
	uint32_t first = wan_batch_next(batch);
	wan_batch_report(batch, first, true); /* it did not fit */
	uint32_t second = wan_batch_next(batch);
	printf("%u, then %u\n", first, second);
	wan_batch_destroy(batch);
	return second < first ? 0 : 1;
}
