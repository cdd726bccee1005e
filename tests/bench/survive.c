/* SPDX-License-Identifier: MIT */
/*
 * One run of a program that loads or makes ever new images and keeps them all: does it live?
 *
 *	bench-survive make FOLDER                         the images, outside of the group
 *	bench-survive GUARD LOAD FOLDER LIMIT_MB USAGE_FILE SECONDS
 *
 * survive.py puts it into a memory cgroup, many times, and prints the table.
 */
#include "survive_guard.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <jpeglib.h>

#include "clock.h"

struct load {
	const char *name;
	unsigned threads;
	const char *image; /* NULL: memory is allocated and filled; "buffers": with us, ours */
	uint64_t min_bytes, max_bytes;
};

enum { FULL_HD_BYTES = 1920 * 1080 * 3, TWELVE_MP_BYTES = 4000 * 3000 * 3 };
enum { FULL_HD_FILES = 160, TWELVE_MP_FILES = 40, THREADS_MAX = 16 };

static const struct load loads[] = {
	{"j1", 1, "full_hd", FULL_HD_BYTES, FULL_HD_BYTES},
	{"j4", 4, "full_hd", FULL_HD_BYTES, FULL_HD_BYTES},
	{"s1", 1, NULL, FULL_HD_BYTES, FULL_HD_BYTES},
	{"s4", 4, NULL, FULL_HD_BYTES, FULL_HD_BYTES},
	{"s4p", 4, NULL, FULL_HD_BYTES, FULL_HD_BYTES}, /* pinned to one processor, by survive.py */
	{"j8p", 8, "full_hd", FULL_HD_BYTES, FULL_HD_BYTES},
	{"b2", 2, "twelve_mp", TWELVE_MP_BYTES, TWELVE_MP_BYTES},
	{"b4", 4, "twelve_mp", TWELVE_MP_BYTES, TWELVE_MP_BYTES},
	{"w4", 4, "buffers", FULL_HD_BYTES, FULL_HD_BYTES}, /* as s4, in buffers of ours */
	{"m4", 4, NULL, 300000, 12000000},                  /* mixed sizes */
	{"v4", 4, "buffers", 300000, 12000000},             /* as m4, in buffers of ours */
};

static struct {
	struct survive survive;
	const struct load *load;
	const char *folder;
	unsigned full_hd_files, twelve_mp_files; /* in the folder */
	uint64_t end_ns;
	uint64_t next, done, bytes, refused, failed; /* atomic */
	double fill_sum, peak_fill;
	unsigned fill_samples;
} run;

static bool decodes(void)
{
	return run.load->image && run.load->image[0] != 'b';
}

static uint64_t load_bytes(uint64_t number)
{
	const struct load *load = run.load;
	uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15u >> 32;
	return load->min_bytes + mixed % (load->max_bytes - load->min_bytes + 1);
}

static void image_path(char *path, size_t size, const char *image, uint64_t number)
{
	bool small = image[0] == 'f';
	snprintf(path, size, "%s/%s-%03u.jpg", run.folder, image,
		 (unsigned)(number % (small ? run.full_hd_files : run.twelve_mp_files)));
}

/* --- the images --- */

static void paint(JSAMPLE *row, unsigned width, unsigned y, unsigned seed)
{
	for (unsigned x = 0; x < width; x++) {
		unsigned grain = (x * 2654435761u ^ y * 40503u ^ seed) >> 13;
		row[3 * x] = (JSAMPLE)(x * 255 / width + grain % 41);
		row[3 * x + 1] = (JSAMPLE)((x ^ y) / 16 + seed);
		row[3 * x + 2] = (JSAMPLE)(y / 8 + grain % 23);
	}
}

static bool make_image(const char *path, unsigned width, unsigned height, unsigned seed)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	FILE *file = fopen(path, "wb");
	JSAMPLE *row = malloc((size_t)width * 3);
	if (!file || !row)
		return false;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 85, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < height) {
		paint(row, width, jpeg.next_scanline, seed);
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	free(row);
	return fclose(file) == 0;
}

static int make_images(void)
{
	run.full_hd_files = FULL_HD_FILES;
	run.twelve_mp_files = TWELVE_MP_FILES;
	char path[4096];
	for (unsigned i = 0; i < FULL_HD_FILES + TWELVE_MP_FILES; i++) {
		bool small = i < FULL_HD_FILES;
		image_path(path, sizeof(path), small ? "full_hd" : "twelve_mp",
			   small ? i : i - FULL_HD_FILES);
		if (!make_image(path, small ? 1920 : 4000, small ? 1080 : 3000, i)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

/* Somebody may have put fewer there. */
static unsigned count_images(const char *image, unsigned most)
{
	char path[4096];
	unsigned count = 0;
	run.full_hd_files = run.twelve_mp_files = most;
	do
		image_path(path, sizeof(path), image, count);
	while (access(path, R_OK) == 0 && ++count < most);
	return count;
}

/* --- without us: as a program does it --- */

static void *decode(const char *path, uint64_t bytes)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	FILE *file = fopen(path, "rb");
	JSAMPLE *pixels = malloc(bytes);
	if (!file || !pixels)
		exit(1);
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&jpeg);
	jpeg_stdio_src(&jpeg, file);
	jpeg_read_header(&jpeg, TRUE);
	jpeg_start_decompress(&jpeg);
	while (jpeg.output_scanline < jpeg.output_height) {
		JSAMPROW row = pixels + (size_t)jpeg.output_scanline * jpeg.output_width * 3;
		jpeg_read_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_decompress(&jpeg);
	jpeg_destroy_decompress(&jpeg);
	fclose(file);
	return pixels;
}

static int one_theirs(uint64_t number, uint64_t bytes)
{
	char path[4096];
	void *data;
	if (decodes()) {
		image_path(path, sizeof(path), run.load->image, number);
		data = decode(path, bytes);
	} else {
		data = malloc(bytes);
		if (!data)
			return -ENOMEM;
		memset(data, (int)number | 1, bytes);
	}
	survive_keep(&run.survive, number, data, bytes);
	return 0;
}

/* --- with us: asked before it is allocated --- */

struct fill {
	uint64_t number, bytes;
};

static int compute_fill(void *context, struct wan_value *ret_value)
{
	const struct fill *fill = context;
	struct wan_memory *memory = wan_runtime_memory(run.survive.runtime);
	int r = wan_memory_reserve(memory, fill->bytes, NULL);
	if (r < 0)
		return r;
	void *data = malloc(fill->bytes);
	if (data) {
		memset(data, (int)fill->number | 1, fill->bytes);
		*ret_value =
			(struct wan_value){.data = data, .bytes = fill->bytes, .destroy = free};
	}
	wan_memory_unreserve(memory, fill->bytes);
	return data ? 0 : -ENOMEM;
}

static int compute_buffer(void *context, struct wan_value *ret_value)
{
	const struct fill *fill = context;
	void *data;
	int r = wan_buffer_create(run.survive.runtime, fill->bytes, &data, NULL);
	if (r < 0)
		return r;
	memset(data, (int)fill->number | 1, fill->bytes);
	*ret_value = (struct wan_value){.data = data,
					.bytes = wan_buffer_charge(fill->bytes),
					.destroy = wan_buffer_destroy};
	return 0;
}

static int one_ours(uint64_t number, uint64_t bytes)
{
	struct wan_pin *pin = NULL;
	int r;
	if (decodes()) {
		char path[4096];
		image_path(path, sizeof(path), run.load->image, number);
		r = wan_load(run.survive.runtime, path, NULL, &pin, NULL, NULL);
	} else {
		struct fill fill = {number, bytes};
		r = wan_cache_get_or_compute(
			wan_runtime_cache(run.survive.runtime), wan_key_of(&number, sizeof(number)),
			bytes, run.load->image ? compute_buffer : compute_fill, &fill, &pin, NULL);
	}
	wan_pin_release(pin);
	return r;
}

static void *work(void *unused)
{
	(void)unused;
	while (wan_now_ns() < run.end_ns) {
		uint64_t number = __atomic_fetch_add(&run.next, 1, __ATOMIC_RELAXED);
		uint64_t bytes = load_bytes(number);
		int r = run.survive.guard == GUARD_OURS ? one_ours(number, bytes)
							: one_theirs(number, bytes);
		if (r == 0) {
			__atomic_fetch_add(&run.done, 1, __ATOMIC_RELAXED);
			__atomic_fetch_add(&run.bytes, bytes, __ATOMIC_RELAXED);
		} else if (r == -ENOMEM) {
			__atomic_fetch_add(&run.refused, 1, __ATOMIC_RELAXED);
			sched_yield();
		} else {
			__atomic_fetch_add(&run.failed, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

/* Allowed is 73 % of the limit less what is not cache; looked at once the cache has had to evict.
 */
static void sample_fill(void)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_cache_stats(wan_runtime_cache(run.survive.runtime), &stats);
	wan_memory_state(wan_runtime_memory(run.survive.runtime), &state);
	if (!stats.evictions || !state.cgroup_limit_bytes)
		return;
	double used = (double)stats.used_bytes, need = (double)state.cgroup_need_bytes;
	double allowed = 0.73 * (double)run.survive.limit_bytes - (need > used ? need - used : 0);
	double fill = allowed > 0 ? used / allowed : 0;
	run.fill_sum +=
		fill < 1 ? fill : 1; /* the state is up to one reading older than the cache */
	run.fill_samples++;
}

static int survive(void)
{
	pthread_t threads[THREADS_MAX];
	for (unsigned i = 0; i < run.load->threads; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	}
	while (run.survive.guard == GUARD_OURS && wan_now_ns() < run.end_ns) {
		survive_pause_ms(10);
		sample_fill();
	}
	for (unsigned i = 0; i < run.load->threads; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&run.survive.stopping, 1, __ATOMIC_RELAXED);
	printf("done %llu bytes %llu refused %llu failed %llu fill %.4f\n",
	       (unsigned long long)run.done, (unsigned long long)run.bytes,
	       (unsigned long long)run.refused, (unsigned long long)run.failed,
	       run.fill_samples ? run.fill_sum / run.fill_samples : -1.0);
	return run.failed || !run.done;
}

static const struct load *find_load(const char *name)
{
	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		if (strcmp(loads[i].name, name) == 0)
			return &loads[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		run.folder = argv[2];
		return make_images();
	}
	if (argc != 7 || !survive_guard_of(argv[1], &run.survive.guard) ||
	    !(run.load = find_load(argv[2]))) {
		fprintf(stderr, "started by survive.py\n");
		return 64;
	}
	run.folder = argv[3];
	unsigned full_hd = count_images("full_hd", FULL_HD_FILES);
	run.twelve_mp_files = count_images("twelve_mp", TWELVE_MP_FILES);
	run.full_hd_files = full_hd;
	if (run.load->image && !(run.load->image[0] == 'f' ? full_hd : run.twelve_mp_files)) {
		fprintf(stderr, "%s: there are no images of this load\n", run.folder);
		return 66;
	}
	run.survive.limit_bytes = strtoull(argv[4], NULL, 10) << 20;
	run.survive.usage_path = argv[5];
	uint64_t making = run.load->threads * run.load->max_bytes;
	uint64_t half = run.survive.limit_bytes / 2;
	if (!survive_open(&run.survive, half > making + run.load->max_bytes ? half - making
									    : run.load->max_bytes))
		return 1;
	run.end_ns = wan_now_ns() + (uint64_t)(strtod(argv[6], NULL) * 1e9);
	return survive();
}
