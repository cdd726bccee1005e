/* SPDX-License-Identifier: MIT */
/*
 * guest_cuda WHAT [COUNT]: a program that uses the CUDA runtime in one of the ways below and prints
 * what each call returned. Knows no header of NVIDIA's.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct dim3 {
	unsigned x, y, z;
};
int cudaMalloc(void **to, size_t bytes);
int cudaMallocPitch(void **to, size_t *pitch, size_t width, size_t height);
int cudaMallocManaged(void **to, size_t bytes, unsigned flags);
int cudaMallocHost(void **to, size_t bytes);
int cudaMallocAsync(void **to, size_t bytes, void *stream);
int cudaFree(void *at);
int cudaFreeAsync(void *at, void *stream);
int cudaFreeHost(void *at);
int cudaMemcpy(void *to, const void *from, size_t bytes, int kind);
int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream);
int cudaMemsetAsync(void *to, int value, size_t bytes, void *stream);
int cudaLaunchKernel(const void *function, struct dim3 grid, struct dim3 block, void **arguments,
		     size_t shared_bytes, void *stream);
int cudaLaunchKernel_ptsz(const void *function, struct dim3 grid, struct dim3 block,
			  void **arguments, size_t shared_bytes, void *stream);
int cudaGraphLaunch(void *graph, void *stream);
int cudaDeviceSynchronize(void);
int cudaStreamSynchronize(void *stream);
int cudaStreamSynchronize_ptsz(void *stream);
int cudaStreamQuery(void *stream);
int cudaStreamBeginCapture(void *stream, int mode);
int cudaStreamEndCapture(void *stream, void **graph);
int cudaEventRecord(void *event, void *stream);
int cudaEventSynchronize(void *event);
int cudaSetDevice(int device);
int cudaDeviceReset(void);

static const struct dim3 one = {1, 1, 1};
static char objects[3];
static void *const stream_1 = &objects[0], *const stream_2 = &objects[1],
		   *const event = &objects[2];

static void launch(unsigned count, void *stream)
{
	int error = 0;
	for (unsigned i = 0; i < count; i++)
		error |= cudaLaunchKernel("kernel", one, one, NULL, 0, stream);
	printf("launch %d\n", error);
}

static void everything(unsigned count)
{
	static char host[1 << 20];
	void *a = NULL, *b = NULL, *c = NULL, *d = NULL, *managed = NULL;
	size_t pitch = 0;
	printf("malloc %d\n", cudaMalloc(&a, sizeof(host)));
	printf("malloc_pitch %d\n", cudaMallocPitch(&b, &pitch, 100, 10));
	printf("malloc_host %d\n", cudaMallocHost(&c, 4096));
	printf("malloc_async %d\n", cudaMallocAsync(&d, 2048, NULL));
	printf("malloc_managed %d\n", cudaMallocManaged(&managed, 8192, 1));
	printf("to device %d\n", cudaMemcpy(a, host, sizeof(host), 1));
	printf("async %d\n", cudaMemcpyAsync(a, host, 1000, 1, NULL));
	printf("memset %d\n", cudaMemsetAsync(a, 1, 500, NULL));
	launch(count, NULL);
	printf("graph %d\n", cudaGraphLaunch(&pitch, NULL));
	printf("to host %d\n", cudaMemcpy(host, a, 2000, 2));
	printf("synchronize %d\n", cudaDeviceSynchronize());
	printf("stream %d\n", cudaStreamSynchronize(NULL));
	printf("free %d %d %d %d %d %d\n", cudaFree(a), cudaFree(b), cudaFreeHost(c),
	       cudaFreeAsync(d, NULL), cudaFree(managed), cudaFree(NULL));
}

/* Each call returns WAN_FAKE_CUDA_ERROR. */
static void errors(unsigned count)
{
	void *a = NULL;
	for (unsigned i = 0; i < count; i++)
		printf("%d %d %d\n", cudaMalloc(&a, 100), cudaDeviceSynchronize(),
		       cudaLaunchKernel("kernel", one, one, NULL, 0, NULL));
}

/* What is left, and the most at once, are known: 3 of 10 MiB live, 10 at once. */
static void memory(unsigned count)
{
	void *blocks[10];
	for (unsigned round = 0; round < count; round++) {
		for (unsigned i = 0; i < 10; i++)
			cudaMalloc(&blocks[i], 1 << 20);
		for (unsigned i = 0; i < 10; i++)
			if (round + 1 < count || i < 7)
				cudaFree(blocks[i]);
	}
}

static void many(unsigned count)
{
	void **blocks = calloc(count, sizeof(*blocks));
	for (unsigned i = 0; i < count; i++)
		cudaMalloc(&blocks[i], 1);
	for (unsigned i = 0; i < count; i++)
		cudaFree(blocks[i]);
	free(blocks);
}

/* Enqueued 100 on stream 1, 50 on stream 2; known: by stream, by event, by all. */
static void work(unsigned how)
{
	launch(100, stream_1);
	if (how == 3)
		cudaEventRecord(event, stream_1);
	launch(50, stream_2);
	launch(20, stream_1);
	if (how == 1)
		cudaStreamSynchronize(stream_1);
	if (how == 2)
		cudaDeviceSynchronize();
	if (how == 3)
		cudaEventSynchronize(event);
	if (how == 4)
		cudaStreamQuery(stream_2);
	if (how == 5) { /* captured work is none until the graph is launched */
		void *graph;
		cudaDeviceSynchronize();
		cudaStreamBeginCapture(stream_1, 0);
		launch(1000, stream_1);
		cudaStreamEndCapture(stream_1, &graph);
		cudaGraphLaunch(event, stream_1);
		cudaDeviceSynchronize();
	}
	if (how == 6) /* a stream of the thread's own is not stream 0 */
		for (unsigned i = 0; i < 30; i++)
			cudaLaunchKernel_ptsz("kernel", one, one, NULL, 0, NULL);
	if (how == 6)
		cudaStreamSynchronize_ptsz(NULL);
	if (how == 7) { /* another device */
		cudaSetDevice(1);
		launch(30, NULL);
		cudaDeviceSynchronize();
	}
}

static void *threads_run(void *unused)
{
	void *a;
	(void)unused;
	for (unsigned i = 0; i < 1000; i++) {
		cudaMalloc(&a, 1000);
		cudaLaunchKernel("kernel", one, one, NULL, 0, NULL);
		cudaFree(a);
	}
	return NULL;
}

static void threads(unsigned count)
{
	pthread_t all[64];
	for (unsigned i = 0; i < count && i < 64; i++)
		pthread_create(&all[i], NULL, threads_run, NULL);
	for (unsigned i = 0; i < count && i < 64; i++)
		pthread_join(all[i], NULL);
}

static void forked(unsigned count)
{
	void *a;
	cudaMalloc(&a, 1000);
	launch(count, NULL);
	pid_t child = fork();
	if (child == 0) {
		launch(count * 2, NULL);
		cudaFree(a);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	launch(count, NULL);
}

static void killed(unsigned count)
{
	launch(count, NULL);
	fflush(stdout);
	raise(SIGKILL);
}

/* Never comes back: WAN_FAKE_CUDA_WAIT_MS is long, and the alarm ends us. */
static void hangs(unsigned count)
{
	alarm(1);
	launch(count, NULL);
	fflush(stdout);
	cudaDeviceSynchronize();
}

static void reset(unsigned count)
{
	void *a;
	for (unsigned i = 0; i < count; i++)
		cudaMalloc(&a, 1000);
	cudaDeviceReset();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(unsigned count);
	} all[] = {{"everything", everything},
		   {"errors", errors},
		   {"memory", memory},
		   {"many", many},
		   {"work", work},
		   {"threads", threads},
		   {"fork", forked},
		   {"kill", killed},
		   {"hang", hangs},
		   {"reset", reset}};
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].name, argv[1]) == 0) {
			all[i].run(count);
			return 0;
		}
	return 64;
}
