/* SPDX-License-Identifier: MIT */
/*
 * guest_jpeg SCENARIO FILE [COUNT]: a program that knows nothing of us and uses libjpeg in the ways
 * that break naive interposers. What it prints must not depend on being recorded.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h>

struct failing {
	struct jpeg_error_mgr manager;
	jmp_buf back;
};

static void leave(j_common_ptr cinfo)
{
	longjmp(((struct failing *)cinfo->err)->back, 1);
}

static void quiet(j_common_ptr cinfo)
{
	(void)cinfo;
}

struct job {
	const char *path;
	FILE *file;
	struct jpeg_decompress_struct object;
	struct failing failing;
	JSAMPLE *row;
	uint32_t sum;
};

static void create(struct job *job, const char *path)
{
	memset(job, 0, sizeof(*job));
	job->path = path;
	job->file = fopen(path, "rb");
	job->object.err = jpeg_std_error(&job->failing.manager);
	job->failing.manager.error_exit = leave;
	job->failing.manager.output_message = quiet;
	jpeg_create_decompress(&job->object);
	jpeg_stdio_src(&job->object, job->file);
}

static void start(struct job *job)
{
	jpeg_read_header(&job->object, TRUE);
	jpeg_start_decompress(&job->object);
	job->row = malloc((size_t)job->object.output_width * (size_t)job->object.output_components);
}

static void rows(struct job *job, JDIMENSION until)
{
	size_t bytes = (size_t)job->object.output_width * (size_t)job->object.output_components;
	while (job->object.output_scanline < until &&
	       job->object.output_scanline < job->object.output_height) {
		jpeg_read_scanlines(&job->object, &job->row, 1);
		for (size_t i = 0; i < bytes; i++)
			job->sum = job->sum * 31 + job->row[i];
	}
}

static void finish(struct job *job, bool properly)
{
	if (properly)
		jpeg_finish_decompress(&job->object);
	jpeg_destroy_decompress(&job->object);
	free(job->row);
	fclose(job->file);
	printf("%08x\n", job->sum);
}

static int decode(const char *path, bool properly)
{
	struct job job;
	create(&job, path);
	start(&job);
	rows(&job, UINT32_MAX);
	finish(&job, properly);
	return 0;
}

/* errno after each call, which recording must not change. */
static int show_errno(const char *path)
{
	struct job job;
#define SHOW(call)                                                                                 \
	do {                                                                                       \
		errno = 77;                                                                        \
		call;                                                                              \
		printf("%d\n", errno);                                                             \
	} while (0)
	SHOW(create(&job, path));
	SHOW(jpeg_stdio_src(&job.object, job.file));
	SHOW(jpeg_read_header(&job.object, TRUE));
	SHOW(jpeg_start_decompress(&job.object));
	job.row = malloc((size_t)job.object.output_width * 4);
	SHOW(jpeg_read_scanlines(&job.object, &job.row, 1));
	SHOW(rows(&job, UINT32_MAX));
	SHOW(jpeg_finish_decompress(&job.object));
	SHOW(finish(&job, false));
	return 0;
}

static int probe(const char *path)
{
	struct job job;
	create(&job, path);
	jpeg_read_header(&job.object, TRUE);
	printf("%ux%u\n", job.object.image_width, job.object.image_height);
	jpeg_destroy_decompress(&job.object);
	fclose(job.file);
	return 0;
}

static int stop(const char *path)
{
	struct job job;
	create(&job, path);
	start(&job);
	rows(&job, 100);
	finish(&job, false);
	return 0;
}

static int abort_and_reuse(const char *path)
{
	struct job job;
	create(&job, path);
	start(&job);
	rows(&job, 10);
	jpeg_abort_decompress(&job.object);
	rewind(job.file);
	jpeg_stdio_src(&job.object, job.file);
	free(job.row);
	start(&job);
	rows(&job, UINT32_MAX);
	finish(&job, true);
	return 0;
}

static int leave_in_the_middle(const char *path)
{
	struct job job;
	create(&job, path);
	start(&job);
	rows(&job, 200);
	printf("%08x\n", job.sum);
	fflush(stdout);
	_exit(3);
}

/* The error handler jumps to a frame above; the object is destroyed from a deeper one. */
static __attribute__((noinline)) void destroy_deep(struct job *job, volatile char *below)
{
	char space[2048];
	space[0] = below ? *below : 0;
	if (below)
		jpeg_destroy_decompress(&job->object);
	else
		destroy_deep(job, space);
}

static int errors(const char *path, int count, bool destroy)
{
	volatile int failed = 0;
	for (volatile int i = 0; i < count; i++) {
		/* On the heap and kept when not destroyed: each at another address. */
		struct job *job = malloc(sizeof(*job));
		create(job, path);
		if (setjmp(job->failing.back) == 0) {
			start(job);
			rows(job, UINT32_MAX);
			jpeg_finish_decompress(&job->object);
		} else {
			failed++;
		}
		fclose(job->file);
		if (!destroy)
			continue;
		destroy_deep(job, NULL);
		free(job->row);
		free(job);
	}
	printf("%d\n", failed);
	return 0;
}

/* The same memory becomes an object again and again, never destroyed. */
static int recreate(const char *path, int count)
{
	static struct job job;
	volatile int failed = 0;
	for (volatile int i = 0; i < count; i++) {
		create(&job, path);
		if (setjmp(job.failing.back) == 0)
			start(&job);
		else
			failed++;
		fclose(job.file);
	}
	printf("%d\n", failed);
	return 0;
}

/* Header here, rows on two threads, destroyed here without finish. */
static void *upper_half(void *job)
{
	rows(job, ((struct job *)job)->object.output_height / 2);
	return NULL;
}

static void *lower_half(void *job)
{
	rows(job, UINT32_MAX);
	return NULL;
}

static int hand_over(const char *path)
{
	struct job job;
	pthread_t thread;
	create(&job, path);
	start(&job);
	pthread_create(&thread, NULL, upper_half, &job);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, lower_half, &job);
	pthread_join(thread, NULL);
	finish(&job, false);
	return 0;
}

/* Begun on a thread that ends; the next one, which takes its place, goes on. */
static void *begin_job(void *job)
{
	start(job);
	rows(job, 100);
	return NULL;
}

static void *decode_then_finish(void *argument)
{
	struct job *job = argument;
	decode(job->path, true);
	rows(job, UINT32_MAX);
	finish(job, true);
	return NULL;
}

static int inherit(const char *path)
{
	struct job job;
	pthread_t thread;
	create(&job, path);
	pthread_create(&thread, NULL, begin_job, &job);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, decode_then_finish, &job);
	pthread_join(thread, NULL);
	return 0;
}

static void *decode_some(void *path)
{
	for (int i = 0; i < 4; i++) {
		struct job job;
		create(&job, path);
		start(&job);
		rows(&job, UINT32_MAX);
		jpeg_finish_decompress(&job.object);
		jpeg_destroy_decompress(&job.object);
		free(job.row);
		fclose(job.file);
	}
	return NULL;
}

static int many_threads(char *path, int count)
{
	for (int round = 0; round < 2; round++) {
		pthread_t threads[64];
		for (int i = 0; i < count; i++)
			pthread_create(&threads[i], NULL, decode_some, path);
		for (int i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
	}
	puts("done");
	return 0;
}

/* One decode under way across the fork, finished on both sides; one more on each side. */
static int forked(const char *path)
{
	struct job job;
	decode(path, true);
	create(&job, path);
	start(&job);
	rows(&job, 50);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		jpeg_destroy_decompress(&job.object);
		decode(path, true);
		decode(path, true);
		fflush(stdout);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	rows(&job, UINT32_MAX);
	finish(&job, true);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int closed(const char *path)
{
	decode(path, true);
	closefrom(3);
	for (int i = 0; i < 3; i++)
		decode(path, true);
	return 0;
}

static int raw(const char *path)
{
	struct job job;
	create(&job, path);
	jpeg_read_header(&job.object, TRUE);
	job.object.raw_data_out = TRUE;
	jpeg_start_decompress(&job.object);
	JSAMPROW lines[3][16];
	JSAMPARRAY planes[3] = {lines[0], lines[1], lines[2]};
	size_t width = (job.object.output_width + 31) & ~(size_t)31;
	JSAMPLE *block = malloc(width * 48);
	for (int i = 0; i < 48; i++)
		lines[i / 16][i % 16] = block + width * (size_t)i;
	while (job.object.output_scanline < job.object.output_height) {
		jpeg_read_raw_data(&job.object, planes, 16);
		job.sum = job.sum * 31 + block[0];
	}
	finish(&job, true);
	free(block);
	return 0;
}

static int encode(const char *to)
{
	struct jpeg_compress_struct object;
	struct jpeg_error_mgr manager;
	unsigned char *bytes = NULL;
	unsigned long count = 0;
	static JSAMPLE line[320 * 3];
	for (int round = 0; round < 2; round++) { /* memory, then file; same object */
		FILE *file = round ? fopen(to, "wb") : NULL;
		if (!round) {
			object.err = jpeg_std_error(&manager);
			jpeg_create_compress(&object);
			jpeg_mem_dest(&object, &bytes, &count);
		} else {
			object.dest = NULL;
			jpeg_stdio_dest(&object, file);
		}
		object.image_width = 320;
		object.image_height = 240;
		object.input_components = 3;
		object.in_color_space = JCS_RGB;
		jpeg_set_defaults(&object);
		jpeg_start_compress(&object, TRUE);
		while (object.next_scanline < object.image_height) {
			memset(line, (int)object.next_scanline, sizeof(line));
			JSAMPROW row = line;
			jpeg_write_scanlines(&object, &row, 1);
		}
		jpeg_finish_compress(&object);
		if (file)
			fclose(file);
	}
	jpeg_destroy_compress(&object);
	printf("%lu\n", count);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	const char *what = argv[1], *path = argv[2];
	int count = argc > 3 ? atoi(argv[3]) : 1;
#define IS(name) (strcmp(what, name) == 0)
	if (IS("decode")) {
		for (int i = 0; i < count; i++)
			decode(path, true);
		return 0;
	}
	return IS("no_finish")   ? decode(path, false)
	       : IS("errno")     ? show_errno(path)
	       : IS("probe")     ? probe(path)
	       : IS("stop")      ? stop(path)
	       : IS("reuse")     ? abort_and_reuse(path)
	       : IS("exit")      ? leave_in_the_middle(path)
	       : IS("errors")    ? errors(path, count, true)
	       : IS("leaked")    ? errors(path, count, false)
	       : IS("recreate")  ? recreate(path, count)
	       : IS("hand_over") ? hand_over(path)
	       : IS("inherit")   ? inherit(path)
	       : IS("threads")   ? many_threads(argv[2], count)
	       : IS("fork")      ? forked(path)
	       : IS("closed")    ? closed(path)
	       : IS("raw")       ? raw(path)
	       : IS("encode")    ? encode(path)
				 : 64;
}
