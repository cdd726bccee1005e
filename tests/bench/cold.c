/* SPDX-License-Identifier: MIT */
/*
 * Cold forms of real pictures given as arguments: how much smaller, how fast made and how fast
 * back, in GB/s of raw pixels on one core, beside plain LZ4 of the same pixels in the same run.
 *
 *	bench-cold FILE...
 *
 * Predicted before measuring: packed pixels at least 1.9 times smaller and back at 2.0 GB/s (3 with
 * vector code); planes of 4:2:0 and 4:2:2 at least 3 times at 2.9 GB/s; rewritten files at least 3
 * times faster to decode for at most 1.05 of the bytes.
 */
#include <errno.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cold.h"
#include "cpu.h"

/* Each figure is the fastest of some repetitions that take this long together. */
#define ROUND_NS 60000000u

struct figures {
	double raw, kept, make_ns, back_ns;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, wan_strerror(error));
	exit(1);
}

static struct wan_image *decode(const char *path, double *ret_ns)
{
	struct wan_image *image = NULL;
	double best = 1e18;
	uint64_t begin = wan_now_ns();
	for (int i = 0; i < 2 || wan_now_ns() - begin < ROUND_NS; i++) {
		wan_image_unref(image);
		uint64_t start = wan_now_ns();
		int error = wan_image_decode(path, NULL, &image, NULL);
		if (error < 0)
			die(path, error);
		double ns = (double)(wan_now_ns() - start);
		best = ns < best ? ns : best;
	}
	*ret_ns = best;
	return image;
}

static struct figures plain_lz4(const struct wan_image *image)
{
	const struct wan_image_view *view = &image->view;
	int raw = (int)view->pixels_bytes, room = LZ4_compressBound(raw), kept = 0;
	char *small = malloc((size_t)room), *back = malloc((size_t)raw);
	struct figures f = {.raw = raw, .make_ns = 1e18, .back_ns = 1e18};
	memset(back, 1, (size_t)raw);
	for (uint64_t begin = wan_now_ns(), i = 0; i < 2 || wan_now_ns() - begin < ROUND_NS; i++) {
		uint64_t start = wan_now_ns();
		kept = LZ4_compress_default(view->pixels, small, raw, room);
		uint64_t middle = wan_now_ns();
		if (LZ4_decompress_safe(small, back, kept, raw) != raw)
			die("LZ4", -EBADMSG);
		double make = (double)(middle - start), again = (double)(wan_now_ns() - middle);
		f.make_ns = make < f.make_ns ? make : f.make_ns;
		f.back_ns = again < f.back_ns ? again : f.back_ns;
	}
	f.kept = kept;
	free(small);
	free(back);
	return f;
}

/* False when there is no cold form. */
static bool cold_form(struct wan_image *image, struct figures *f, const char **ret_kind)
{
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	*f = (struct figures){
		.raw = (double)image->view.pixels_bytes, .make_ns = 1e18, .back_ns = 1e18};
	if (!ops)
		return false;
	for (uint64_t begin = wan_now_ns(), i = 0; i < 2 || wan_now_ns() - begin < ROUND_NS; i++) {
		struct wan_value cold, again;
		uint64_t start = wan_now_ns();
		int error = ops->freeze(image, UINT64_MAX, &cold);
		if (error < 0)
			return false;
		uint64_t middle = wan_now_ns();
		error = ops->thaw(cold.data, &again);
		uint64_t end = wan_now_ns();
		if (error < 0)
			die("thaw", error);
		const struct wan_image *made = again.data;
		if (memcmp(made->pixels, image->pixels, image->view.pixels_bytes) != 0)
			die("other pixels", -EBADMSG);
		f->kept = (double)cold.bytes;
		f->make_ns = (double)(middle - start) < f->make_ns ? (double)(middle - start)
								   : f->make_ns;
		f->back_ns =
			(double)(end - middle) < f->back_ns ? (double)(end - middle) : f->back_ns;
		*ret_kind = wan_cold_kind_name(((struct wan_cold_image *)cold.data)->kind);
		again.destroy(again.data);
		cold.destroy(cold.data);
	}
	return true;
}

/* What the file was rewritten to, against the file. */
static void print_growth(const struct wan_image *image, const struct figures *f)
{
	double file = image->origin ? (double)image->origin->identity.size : 0;
	if (file > 0)
		printf("    %.3f of the bytes of the file\n", f->kept / file);
}

static void print(const char *name, const struct figures *f, double decode_ns)
{
	printf("    %-10s %6.2fx  made %5.2f  back %6.2f GB/s, %5.1fx decoding again\n", name,
	       f->raw / f->kept, f->raw / f->make_ns, f->raw / f->back_ns, decode_ns / f->back_ns);
}

/* Means over all pictures of a kind, of equal weight. */
static struct mean {
	const char *kind;
	double ratio, back, against_decode;
	unsigned count;
} means[8];

static void add(const char *kind, const struct figures *f, double decode_ns)
{
	struct mean *mean = means;
	while (mean->kind && strcmp(mean->kind, kind) != 0)
		mean++;
	mean->kind = kind;
	mean->ratio += f->raw / f->kept;
	mean->back += f->raw / f->back_ns;
	mean->against_decode += decode_ns / f->back_ns;
	mean->count++;
}

static void print_means(void)
{
	for (const struct mean *mean = means; mean->kind; mean++)
		printf("mean of %u %s: %.2fx, back %.2f GB/s, %.1fx decoding again\n", mean->count,
		       mean->kind, mean->ratio / mean->count, mean->back / mean->count,
		       mean->against_decode / mean->count);
}

int main(int argc, char **argv)
{
	printf("%s vector code; best of %u ms\n", wan_cpu_level_name(wan_cpu_level()),
	       ROUND_NS / 1000000u);
	for (int i = 1; i < argc; i++) {
		double decode_ns;
		struct wan_image *image = decode(argv[i], &decode_ns);
		const struct wan_image_view *view = &image->view;
		const char *slash = strrchr(argv[i], '/');
		printf("%s: %ux%u %s, decoded at %.2f GB/s\n", slash ? slash + 1 : argv[i],
		       view->width_px, view->height_px, wan_pixel_name(view->format),
		       (double)view->pixels_bytes / decode_ns);
		struct figures plain = plain_lz4(image), cold;
		print("plain LZ4", &plain, decode_ns);
		add("plain LZ4", &plain, decode_ns);
		const char *kind = "none";
		struct wan_origin *origin = image->origin;
		image->origin = NULL; /* as if it did not come from a JPEG */
		if (origin && cold_form(image, &cold, &kind)) {
			print(kind, &cold, decode_ns);
			add(kind, &cold, decode_ns);
		}
		image->origin = origin;
		if (cold_form(image, &cold, &kind)) {
			print(kind, &cold, decode_ns);
			if (strcmp(kind, "rewritten") == 0)
				print_growth(image, &cold);
			add(kind, &cold, decode_ns);
		} else {
			printf("    no cold form\n");
		}
		wan_image_unref(image);
	}
	print_means();
	return 0;
}
