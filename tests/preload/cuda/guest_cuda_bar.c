/* SPDX-License-Identifier: MIT */
/*
 * guest_cuda_bar STEPS DONE STREAMS [BYTES]: gives all steps to the device at once, each with its
 * drawing of a bar, as a program with a CUDA graph does; then waits for the first DONE steps and is
 * gone. STREAMS 0: no work for the device at all. DONE -1: one wait for everything. BYTES: of
 * device memory, asked for in the first step.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dim3 {
	unsigned x, y, z;
};
int cudaLaunchKernel(const void *function, struct dim3 grid, struct dim3 block, void **arguments,
		     size_t shared_bytes, void *stream);
int cudaMalloc(void **pointer, size_t bytes);
int cudaDeviceSynchronize(void);
int cudaEventRecord(void *event, void *stream);
int cudaEventSynchronize(void *event);

static const struct dim3 one = {1, 1, 1};
static char objects[16], events[1024];

static void draw(int done, int total)
{
	char text[128];
	snprintf(text, sizeof(text), "\r%3d%%|###  | %d/%d [00:00<00:00, 29.0it/s]",
		 100 * done / total, done, total);
	if (write(2, text, strlen(text)) < 0)
		_exit(9);
}

int main(int argc, char **argv)
{
	int steps = atoi(argv[1]), done = atoi(argv[2]), streams = argc > 3 ? atoi(argv[3]) : 1;
	void *memory;
	draw(0, steps);
	if (argc > 4 && cudaMalloc(&memory, strtoul(argv[4], NULL, 10)) != 0)
		return 8;
	for (int step = 1; step <= steps; step++) {
		for (int i = 0; i < streams; i++)
			cudaLaunchKernel("kernel", one, one, NULL, 0, &objects[i]);
		if (streams)
			cudaEventRecord(&events[step], &objects[0]);
		draw(step, steps);
	}
	for (int step = 1; step <= done; step++)
		cudaEventSynchronize(&events[step]);
	if (done < 0)
		cudaDeviceSynchronize();
	_exit(0);
}
