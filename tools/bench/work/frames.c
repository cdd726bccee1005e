/* SPDX-License-Identifier: MIT */
/*
 * Frames through decode, resize and encode, in one configuration of the matrix:
 *
 *	frames FOLDER SOURCES FRAMES THREADS MODE CACHE WIDTH HEIGHT QUALITY SCALED FILTER
 *	       SOURCE_WIDTH SOURCE_HEIGHT
 *
 * MODE: serial (each thread takes a frame through all three) or overlapped (a thread for each of
 * the three, frames between them). The first frame is then held against the same pixels decoded
 * whole and resized by Lanczos to 832x480.
 *
 *	frames <tab> ok <tab> ns <tab> cpu ns <tab> peak bytes <tab> frames <tab> psnr in
 *	       hundredths of dB <tab> most a sample differs <tab> bytes of a file <tab> reason
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

enum { THREADS_MAX = 64, QUEUE = 4, REFERENCE_WIDTH = 832, REFERENCE_HEIGHT = 480 };

struct frame {
	uint64_t number;
	struct wan_image *decoded, *resized;
	struct wan_pin *pin; /* of the resized one, where it is cached */
};

struct queue {
	struct frame frames[QUEUE];
	unsigned first, count;
	bool ended;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static struct {
	const char *folder;
	uint64_t sources, frames, threads, quality;
	uint32_t width_px, height_px, source_width_px, source_height_px;
	bool overlapped, cached, scaled;
	enum wan_filter filter;
	struct wan_runtime *runtime;
	uint64_t next, failed, file_bytes; /* atomic */
	void *first_file;
	size_t first_bytes;
	struct wan_error error; /* lock */
	pthread_mutex_t lock;
	struct queue decoded, resized;
} job;

static const struct {
	const char *name;
	enum wan_filter filter;
} filters[] = {{"lanczos", WAN_FILTER_LANCZOS},
	       {"bicubic", WAN_FILTER_BICUBIC},
	       {"bilinear", WAN_FILTER_BILINEAR},
	       {"box", WAN_FILTER_BOX}};

static void failed(const struct wan_error *error)
{
	pthread_mutex_lock(&job.lock);
	if (!job.failed++)
		job.error = *error;
	pthread_mutex_unlock(&job.lock);
}

static bool stopped(void)
{
	return __atomic_load_n(&job.failed, __ATOMIC_RELAXED) != 0;
}

static void source_path(uint64_t number, char path[static WORK_PATH])
{
	struct work_source source = {.width_px = job.source_width_px,
				     .height_px = job.source_height_px,
				     .content = BENCH_CONTENT_COMPLEX,
				     .format = WAN_FORMAT_JPEG,
				     .seed = (uint32_t)(number % job.sources)};
	work_source_path(path, WORK_PATH, job.folder, &source);
}

/* --- the three steps --- */

static bool decode(struct frame *frame)
{
	struct wan_error error = {.object = "frame"};
	char path[WORK_PATH];
	struct wan_decode_options options;
	source_path(frame->number, path);
	wan_decode_options_init(&options);
	options.want = WAN_PIXEL_RGB8;
	if (job.scaled) {
		options.min_width_px = job.width_px;
		options.min_height_px = job.height_px;
	}
	int r = job.cached ? wan_fit(job.runtime, path, job.width_px, job.height_px, WAN_FIT_COVER,
				     job.filter, &frame->pin, NULL, &error)
			   : wan_image_decode(path, &options, &frame->decoded, &error);
	if (r < 0)
		failed(&error);
	return r == 0;
}

static bool resize(struct frame *frame)
{
	struct wan_error error = {.object = "frame", .reason = "cannot be resized"};
	if (frame->pin)
		return true;
	int r = wan_image_fit(frame->decoded, job.width_px, job.height_px, WAN_FIT_COVER,
			      job.filter, &frame->resized);
	wan_image_unref(frame->decoded);
	frame->decoded = NULL;
	if (r < 0)
		failed(&error);
	return r == 0;
}

static bool encode(struct frame *frame)
{
	struct wan_error error = {.object = "frame"};
	struct wan_encode_options options;
	void *bytes;
	size_t count;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	options.jpeg_quality = (uint32_t)job.quality;
	int r = wan_image_encode_memory(frame->pin ? wan_pin_image(frame->pin) : frame->resized,
					&options, &bytes, &count, &error);
	wan_image_unref(frame->resized);
	wan_pin_release(frame->pin);
	if (r < 0) {
		failed(&error);
		return false;
	}
	__atomic_fetch_add(&job.file_bytes, count, __ATOMIC_RELAXED);
	if (frame->number == 0) {
		job.first_file = bytes;
		job.first_bytes = count;
	} else {
		wan_encoded_free(bytes);
	}
	return true;
}

/* --- serial: each thread does all of a frame --- */

static void *serially(void *context)
{
	while (!stopped()) {
		struct frame frame = {.number = __atomic_fetch_add(&job.next, 1, __ATOMIC_RELAXED)};
		if (frame.number >= job.frames || !decode(&frame) || !resize(&frame) ||
		    !encode(&frame))
			break;
	}
	return NULL;
}

/* --- overlapped: a thread for each step --- */

static void put(struct queue *queue, const struct frame *frame)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == QUEUE)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->frames[(queue->first + queue->count++) % QUEUE] = *frame;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

static bool take(struct queue *queue, struct frame *frame)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->count && !queue->ended)
		pthread_cond_wait(&queue->changed, &queue->lock);
	bool taken = queue->count != 0;
	if (taken) {
		*frame = queue->frames[queue->first];
		queue->first = (queue->first + 1) % QUEUE;
		queue->count--;
		pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

static void end(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->ended = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

static void *decode_all(void *context)
{
	for (uint64_t i = 0; i < job.frames && !stopped(); i++) {
		struct frame frame = {.number = i};
		if (decode(&frame))
			put(&job.decoded, &frame);
	}
	end(&job.decoded);
	return NULL;
}

static void *resize_all(void *context)
{
	struct frame frame;
	while (take(&job.decoded, &frame))
		if (resize(&frame))
			put(&job.resized, &frame);
	end(&job.resized);
	return NULL;
}

static void *encode_all(void *context)
{
	struct frame frame;
	while (take(&job.resized, &frame))
		(void)encode(&frame);
	return NULL;
}

static bool start_and_join(void *(*const *begin)(void *), uint64_t count)
{
	pthread_t threads[THREADS_MAX];
	for (uint64_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, begin[job.overlapped ? i : 0], NULL) != 0)
			return false; /* the process ends, and they with it */
	for (uint64_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return true;
}

/* --- how far from the pixels that were meant --- */

static int compare(double *ret_psnr, uint64_t *ret_most)
{
	struct wan_image *whole = NULL, *meant = NULL, *got = NULL, *sized = NULL;
	struct wan_image_view a, b;
	struct wan_error error;
	char path[WORK_PATH];
	double sum = 0;
	uint64_t most = 0;
	source_path(0, path);
	int r = wan_image_decode(path, NULL, &whole, &error);
	r = r ? r
	      : wan_image_fit(whole, REFERENCE_WIDTH, REFERENCE_HEIGHT, WAN_FIT_COVER,
			      WAN_FILTER_LANCZOS, &meant);
	r = r ? r : wan_image_decode_memory(job.first_file, job.first_bytes, NULL, &got, &error);
	r = r ? r
	      : wan_image_fit(got, REFERENCE_WIDTH, REFERENCE_HEIGHT, WAN_FIT_COVER,
			      WAN_FILTER_LANCZOS, &sized);
	if (r == 0) {
		wan_image_view(meant, &a);
		wan_image_view(sized, &b);
		const uint8_t *x = a.pixels, *y = b.pixels;
		for (size_t i = 0; i < a.pixels_bytes; i++) {
			uint64_t apart = (uint64_t)abs(x[i] - y[i]);
			sum += (double)(apart * apart);
			most = apart > most ? apart : most;
		}
		*ret_psnr = sum > 0 ? 10 * log10(255.0 * 255.0 * (double)a.pixels_bytes / sum) : 99;
		*ret_most = most;
	}
	wan_image_unref(whole);
	wan_image_unref(meant);
	wan_image_unref(got);
	wan_image_unref(sized);
	return r;
}

static bool read_words(int count, char **words)
{
	if (count != 13)
		return false;
	job.folder = words[0];
	job.sources = strtoull(words[1], NULL, 10);
	job.frames = strtoull(words[2], NULL, 10);
	job.threads = strtoull(words[3], NULL, 10);
	job.overlapped = strcmp(words[4], "overlapped") == 0;
	job.cached = strcmp(words[5], "cached") == 0;
	job.width_px = (uint32_t)strtoul(words[6], NULL, 10);
	job.height_px = (uint32_t)strtoul(words[7], NULL, 10);
	job.quality = strtoull(words[8], NULL, 10);
	job.scaled = strcmp(words[9], "scaled") == 0;
	job.source_width_px = (uint32_t)strtoul(words[11], NULL, 10);
	job.source_height_px = (uint32_t)strtoul(words[12], NULL, 10);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (strcmp(filters[i].name, words[10]) == 0)
			job.filter = filters[i].filter;
	return job.sources && job.frames && job.threads && job.threads <= THREADS_MAX &&
	       job.width_px && job.height_px;
}

int work_frames(int count, char **words)
{
	static void *(*const steps[])(void *) = {decode_all, resize_all, encode_all};
	static void *(*const whole[])(void *) = {serially};
	static const char *const settings[] = {"cache.limit", "512M", NULL};
	double psnr = 0;
	uint64_t most = 0;
	if (!read_words(count, words))
		return WORK_USAGE;
	pthread_mutex_init(&job.lock, NULL);
	for (unsigned i = 0; i < 2; i++) {
		struct queue *queue = i ? &job.resized : &job.decoded;
		pthread_mutex_init(&queue->lock, NULL);
		pthread_cond_init(&queue->changed, NULL);
	}
	job.runtime = work_runtime(settings);
	if (!job.runtime)
		return WORK_FAILED;
	work_peak_reset();
	uint64_t cpu_ns = work_cpu_ns(), begin_ns = work_now_ns();
	bool done =
		start_and_join(job.overlapped ? steps : whole, job.overlapped ? 3 : job.threads);
	uint64_t ns = work_now_ns() - begin_ns;
	cpu_ns = work_cpu_ns() - cpu_ns;
	uint64_t peak = work_peak();
	if (!done)
		snprintf(job.error.reason, sizeof(job.error.reason), "no thread to be had");
	else if (!job.failed && compare(&psnr, &most) < 0)
		snprintf(job.error.reason, sizeof(job.error.reason), "the result does not decode");
	printf("frames\t%d\t%llu\t%llu\t%llu\t%llu\t%.0f\t%llu\t%llu\t%s\n",
	       done && !job.failed && !job.error.reason[0], (unsigned long long)ns,
	       (unsigned long long)cpu_ns, (unsigned long long)peak, (unsigned long long)job.frames,
	       psnr * 100, (unsigned long long)most,
	       (unsigned long long)(job.file_bytes / job.frames), job.error.reason);
	fflush(stdout);
	return WORK_OK;
}
