/* SPDX-License-Identifier: MIT */
/* A thousand frames, as many at a time as memory takes. */
#include <errno.h>
#include <stdio.h>
#include <wan/wan.h>

int main(void)
{
	struct wan_chunks_options options;
	wan_chunks_options_init(&options);
	options.frames = 1000;
	options.frame_bytes = UINT64_C(1280) * 720 * 3 * 5; /* bytes and float32 of each */
	options.always_one = true; /* a full machine works, frame by frame */
	struct wan_chunks *plan;
	if (wan_chunks_create(wan_runtime_memory(wan_runtime_default()), &options, &plan) < 0)
		return 1;
	uint64_t first, done = 0;
	uint32_t count;
	int r;
	while ((r = wan_chunks_next(plan, &first, &count)) > 0) {
		bool all = first != 0 || count < 2; /* work on first .. first + count - 1 here */
		uint32_t finished = all ? count : count / 2;
		wan_chunks_report(plan, finished, all ? 0 : -ENOMEM, 0); /* the rest comes again */
		done += finished;
	}
	struct wan_chunk_advice advice;
	advice.struct_size = sizeof(advice);
	wan_chunks_advice(plan, &advice);
	printf("%llu frames; the last chunk: %s\n", (unsigned long long)done, advice.text);
	wan_chunks_destroy(plan);
	return r == 0 && done == 1000 ? 0 : 1;
}
