/* SPDX-License-Identifier: MIT */
/*
 * Many at once: a batch whose images are all held, and threads that ask at the same time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

enum { THREADS_MAX = 64, EACH_MAX = 256, IMAGES_MAX = 4096 };

/* --- a batch: chunk by chunk, as memory allows --- */

struct batch {
	struct wan_image *images[IMAGES_MAX];
	struct work_source source;
	char path[WORK_PATH];
	uint64_t largest; /* chunk */
};

static void release(void *context, uint64_t first, uint32_t count)
{
	struct batch *batch = context;
	for (uint64_t i = first; i < first + count; i++) {
		wan_image_unref(batch->images[i]);
		batch->images[i] = NULL;
	}
}

static int chunk(struct batch *batch, uint64_t first, uint32_t count, uint64_t images,
		 struct wan_error *error)
{
	for (uint32_t i = 0; i < count; i++) {
		int r = wan_image_fit_file(batch->path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
					   NULL, &batch->images[first + i], error);
		if (r < 0)
			return r;
		work_at(first + i + 1, images);
	}
	batch->largest = batch->largest > count ? batch->largest : count;
	return 0;
}

static int all_chunks(struct batch *batch, struct wan_runtime *runtime, uint64_t images,
		      struct wan_error *error)
{
	struct wan_chunks_options options;
	struct wan_chunks *plan = NULL;
	uint64_t first;
	uint32_t count;
	int r;
	wan_chunks_options_init(&options);
	options.frames = images;
	options.frame_bytes = (uint64_t)832 * 480 * 3;
	options.release = release;
	options.context = batch;
	r = wan_chunks_create(wan_runtime_memory(runtime), &options, &plan);
	while (r == 0 && (r = wan_chunks_next(plan, &first, &count)) > 0)
		r = chunk(batch, first, count, images, error);
	if (r == -ENOMEM && !error->reason[0])
		snprintf(error->reason, sizeof(error->reason), "not one image fits into memory");
	wan_chunks_destroy(plan);
	return r;
}

int work_batch(int count, char **words)
{
	static struct batch batch;
	struct work_test test = {.name = "batch", .ok = true};
	struct wan_error error = {.object = "batch"};
	int images = count == 3 ? atoi(words[2]) : 0;
	if (images < 1 || images > IMAGES_MAX || !work_source_parse(words[1], &batch.source))
		return WORK_USAGE;
	work_source_path(batch.path, sizeof(batch.path), words[0], &batch.source);
	struct wan_runtime *runtime = work_runtime(NULL);
	if (!runtime)
		return WORK_FAILED;
	uint64_t before = work_resident(), begin_ns = work_now_ns(), cpu_ns = work_cpu_ns();
	work_peak_reset();
	if (all_chunks(&batch, runtime, (uint64_t)images, &error) < 0)
		work_failed(&test, &error);
	test.ns = work_now_ns() - begin_ns;
	test.cpu_ns = work_cpu_ns() - cpu_ns;
	uint64_t peak = work_peak();
	test.bytes = peak > before ? peak - before : 0;
	test.times = (uint64_t)images;
	test.most_ns = batch.largest; /* wanprof shows it as the largest chunk */
	work_say(&test);
	wan_runtime_unref(runtime);
	return WORK_OK;
}

/* --- threads that ask at the same time; nothing is cached, each request is work --- */

struct asker {
	pthread_t thread;
	struct crowd *crowd;
	uint64_t ns[EACH_MAX];
	uint64_t cpu_ns; /* of all of them */
	unsigned done;
	bool wrong;
	struct wan_error error;
};

struct crowd {
	char path[WORK_PATH];
	uint64_t sum; /* of the right result */
	unsigned each;
	pthread_barrier_t start;
};

static int request(struct crowd *crowd, struct wan_image **ret_image, struct wan_error *error)
{
	return wan_image_fit_file(crowd->path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL,
				  ret_image, error);
}

static void *ask(void *context)
{
	struct asker *asker = context;
	struct crowd *crowd = asker->crowd;
	pthread_barrier_wait(&crowd->start);
	while (asker->done < crowd->each) {
		struct wan_image *image;
		uint64_t cpu_ns = work_thread_cpu_ns(), begin_ns = work_now_ns();
		if (request(crowd, &image, &asker->error) < 0)
			break;
		asker->ns[asker->done++] = work_now_ns() - begin_ns;
		asker->cpu_ns += work_thread_cpu_ns() - cpu_ns;
		asker->wrong |= work_sum(image) != crowd->sum;
		wan_image_unref(image);
	}
	return NULL;
}

static void judge(const struct asker *asker, struct work_test *test, uint64_t *all)
{
	if (asker->done < asker->crowd->each)
		work_failed(test, &asker->error);
	if (asker->wrong) {
		test->ok = false;
		snprintf(test->error, sizeof(test->error),
			 "threads got pixels that one thread alone does not get");
	}
	test->cpu_ns += asker->cpu_ns;
	for (unsigned i = 0; i < asker->done; i++) {
		all[test->times++] = asker->ns[i];
		test->most_ns = test->most_ns > asker->ns[i] ? test->most_ns : asker->ns[i];
	}
}

static void crowd_run(struct crowd *crowd, unsigned threads, struct work_test *test)
{
	static struct asker askers[THREADS_MAX];
	static uint64_t all[THREADS_MAX * EACH_MAX];
	uint64_t before = work_resident();
	work_peak_reset();
	pthread_barrier_init(&crowd->start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		askers[i].crowd = crowd;
		if (pthread_create(&askers[i].thread, NULL, ask, &askers[i]) != 0) {
			fprintf(stderr, "wanprof: no thread to be had\n");
			exit(WORK_FAILED); /* the others wait at the barrier */
		}
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(askers[i].thread, NULL);
	uint64_t peak = work_peak();
	test->bytes = peak > before ? peak - before : 0;
	for (unsigned i = 0; i < threads; i++)
		judge(&askers[i], test, all);
	test->ns = work_median(all, test->times);
	test->cpu_ns = test->times ? test->cpu_ns / test->times : 0; /* a sum until now */
}

int work_concurrent(int count, char **words)
{
	struct work_source source;
	struct work_test test = {.name = "concurrent", .ok = true};
	struct wan_error error = {0};
	struct wan_image *image;
	static struct crowd crowd;
	int threads = count == 4 ? atoi(words[2]) : 0, each = count == 4 ? atoi(words[3]) : 0;
	if (threads < 1 || threads > THREADS_MAX || each < 1 || each > EACH_MAX ||
	    !work_source_parse(words[1], &source))
		return WORK_USAGE;
	work_source_path(crowd.path, sizeof(crowd.path), words[0], &source);
	crowd.each = (unsigned)each;
	if (request(&crowd, &image, &error) < 0) {
		work_failed(&test, &error);
	} else {
		crowd.sum = work_sum(image);
		wan_image_unref(image);
		crowd_run(&crowd, (unsigned)threads, &test);
	}
	work_say(&test);
	return WORK_OK;
}
