/* SPDX-License-Identifier: MIT */
/*
 * The conditioning stack of 81 frames of 1280x720 in float32 (854 MB): built, read once in full,
 * held, written. Baseline of the same run: the same tensor in ordinary memory, filled.
 *
 * Predicted: build = page faults of 11 MB (6 huge pages of 60 us, 700 small ones of 0.5 us) and one
 * pass of normalising, 3 ms; reading = 427 faults of the huge zero page and 854 MB out of the
 * second-level cache, 17 ms. Constants other than 0 cost a fault each 64 KB instead, 43 ms.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "wan/stack.h"

enum { WIDTH = 1280, HEIGHT = 720, FRAMES = 81, ROUNDS = 9 };

static volatile uint64_t sink;

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	return values[ROUNDS / 2];
}

static double ms_since(uint64_t begin_ns)
{
	return (double)(wan_now_ns() - begin_ns) / 1e6;
}

static void read_all(const void *data, size_t bytes)
{
	const uint64_t *words = data;
	uint64_t sums[4] = {0};
	for (size_t i = 0; i + 4 <= bytes / 8; i += 4) {
		for (size_t k = 0; k < 4; k++)
			sums[k] += words[i + k];
	}
	sink += sums[0] + sums[1] + sums[2] + sums[3];
}

static size_t resident_bytes(void)
{
	unsigned long total = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return (size_t)resident * 4096;
}

struct figures {
	double build_ms, read_ms;
	size_t resident, resident_read;
	struct wan_stack_view view;
};

static struct figures measure(enum wan_pipeline pipeline, const struct wan_image *start,
			      const struct wan_image *end)
{
	double build[ROUNDS], read[ROUNDS];
	struct figures figures;
	struct wan_stack_options options;
	if (wan_stack_options_init(&options, pipeline) < 0)
		exit(1);
	options.frames = FRAMES;
	for (int i = 0; i < ROUNDS; i++) {
		struct wan_stack *stack;
		size_t before = resident_bytes();
		uint64_t begin_ns = wan_now_ns();
		if (wan_stack_create(start, end, &options, &stack, NULL) < 0)
			exit(1);
		build[i] = ms_since(begin_ns);
		figures.resident = resident_bytes() - before;
		wan_stack_view(stack, &figures.view);
		read_all(figures.view.data, figures.view.bytes);
		read[i] = ms_since(begin_ns);
		figures.resident_read = resident_bytes() - before;
		wan_stack_unref(stack);
	}
	figures.build_ms = median(build);
	figures.read_ms = median(read);
	return figures;
}

/* Ordinary memory, as a concatenation of tensors makes it. */
static double ordinary_ms(const struct wan_image *planar)
{
	struct wan_image_view view;
	wan_image_view(planar, &view);
	size_t plane = (size_t)WIDTH * HEIGHT * 4, bytes = plane * 3 * FRAMES;
	uint64_t begin_ns = wan_now_ns();
	char *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return 0;
	memset(data, 0, bytes);
	for (size_t c = 0; c < 3; c++)
		memcpy(data + c * FRAMES * plane, (const char *)view.pixels + c * plane, plane);
	read_all(data, bytes);
	double ms = ms_since(begin_ns);
	munmap(data, bytes);
	return ms;
}

static void print(const char *name, const struct figures *figures, double ordinary)
{
	double known = (double)figures->view.known_bytes;
	printf("%-22s built in %5.1f ms (target 8), built and read once %5.1f ms (target 40; "
	       "ordinary memory %.0f: %.0fx)\n",
	       name, figures->build_ms, figures->read_ms, ordinary, ordinary / figures->read_ms);
	printf("%-22s resident after building %.1f MB = %.2fx of the known frames (target 1.1), "
	       "says %.2fx; the kernel counts %.1f MB after reading\n",
	       "", (double)figures->resident / 1048576, (double)figures->resident / known,
	       (double)figures->view.held_bytes / known, (double)figures->resident_read / 1048576);
}

static void print_disk(const struct wan_image *start, const struct wan_image *end)
{
	char path[] = "/tmp/wan-bench-XXXXXX";
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *stack;
	struct stat written;
	int fd = mkstemp(path);
	if (fd < 0 || wan_stack_options_init(&options, WAN_PIPELINE_DIFFUSERS) < 0 ||
	    wan_stack_create(start, end, &options, &stack, NULL) < 0)
		exit(1);
	wan_stack_view(stack, &view);
	uint64_t begin_ns = wan_now_ns();
	if (wan_stack_write_npy(stack, path, true, NULL) == 0 && stat(path, &written) == 0)
		printf("written as .npy in %.1f ms: %.1f MB long, on the disk %.1f MB = %.2fx of "
		       "the known frames\n",
		       ms_since(begin_ns), (double)written.st_size / 1048576,
		       (double)written.st_blocks / 2048,
		       (double)written.st_blocks * 512 / (double)view.known_bytes);
	wan_stack_unref(stack);
	close(fd);
	unlink(path);
}

int main(void)
{
	struct wan_image *start, *end, *planar;
	if (wan_image_create(WAN_PIXEL_RGB8, WIDTH, HEIGHT, &start) < 0 ||
	    wan_image_create(WAN_PIXEL_RGB8, WIDTH, HEIGHT, &end) < 0)
		return 1;
	memset(wan_image_pixels_mut(start), 77, (size_t)WIDTH * HEIGHT * 3);
	memset(wan_image_pixels_mut(end), 99, (size_t)WIDTH * HEIGHT * 3);
	if (wan_image_normalise(start, &planar) < 0)
		return 1;
	double ordinary = ordinary_ms(planar);
	struct figures figures = measure(WAN_PIPELINE_A14B, start, NULL);
	print("official, start", &figures, ordinary);
	figures = measure(WAN_PIPELINE_DIFFUSERS, start, end);
	print("diffusers, start+end", &figures, ordinary);
	figures = measure(WAN_PIPELINE_COMFYUI, start, end);
	print("ComfyUI, start+end", &figures, ordinary);
	print_disk(start, end);
	wan_image_unref(start);
	wan_image_unref(end);
	wan_image_unref(planar);
	return 0;
}
