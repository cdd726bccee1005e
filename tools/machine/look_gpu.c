/* SPDX-License-Identifier: MIT */
/*
 * Graphics cards. NVIDIA's library may take seconds to start and may hang with a broken driver, so
 * a thread asks it and is left behind when it does not come back.
 */
#include "machine_parts.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "dyn_nvml.h"
#include "macros.h"
#include "str.h"
#include "thread.h"

enum { ANSWER_S = 5 };

/* Shared with the thread; who comes last frees it. */
struct question {
	pthread_mutex_t mutex; /* libc's: waited for with a deadline */
	pthread_cond_t answered;
	bool done, left;
	struct machine_gpus gpus;
};

static void refuse(struct machine_gpus *gpus, const char *reason)
{
	gpus->state = MACHINE_GPU_REFUSED;
	wan_str_copy(gpus->reason, sizeof(gpus->reason), reason);
}

static void ask_device(const struct wan_nvml *nvml, unsigned index, struct machine_gpus *gpus)
{
	void *device;
	struct wan_nvml_memory memory;
	if (nvml->device_by_index(index, &device) != 0)
		return;
	struct machine_gpu *gpu = &gpus->gpu[gpus->count++];
	*gpu = (struct machine_gpu){.used_bytes = UINT64_MAX};
	if (!nvml->name || nvml->name(device, gpu->name, sizeof(gpu->name)) != 0)
		wan_str_copy(gpu->name, sizeof(gpu->name), "NVIDIA GPU");
	gpu->name[sizeof(gpu->name) - 1] = '\0';
	if (nvml->memory(device, &memory) == 0) {
		gpu->total_bytes = memory.total;
		gpu->used_bytes = WAN_MIN(memory.used, memory.total);
	}
}

static void ask(struct machine_gpus *gpus)
{
	unsigned count = 0;
	const struct wan_nvml *nvml = wan_nvml();
	if (!nvml || !nvml->device_count || !nvml->device_by_index || !nvml->memory) {
		refuse(gpus, "its management library (libnvidia-ml.so.1) is missing, or refuses");
		return;
	}
	if (nvml->device_count(&count) != 0) {
		refuse(gpus, "the driver tells no number of devices");
		return;
	}
	if (!nvml->driver || nvml->driver(gpus->driver, sizeof(gpus->driver)) != 0)
		gpus->driver[0] = '\0';
	gpus->driver[sizeof(gpus->driver) - 1] = '\0';
	for (unsigned i = 0; i < count && gpus->count < MACHINE_GPUS_MAX; i++)
		ask_device(nvml, i, gpus);
	gpus->state = gpus->count ? MACHINE_GPU_FOUND : MACHINE_GPU_NONE;
	if (count && !gpus->count)
		refuse(gpus, "none of its devices may be used from here");
}

static void *ask_in_thread(void *data)
{
	struct question *question = data;
	struct machine_gpus gpus = {0};
	ask(&gpus);
	pthread_mutex_lock(&question->mutex);
	question->gpus = gpus;
	question->done = true;
	bool left = question->left;
	pthread_cond_signal(&question->answered);
	pthread_mutex_unlock(&question->mutex);
	if (left)
		wan_free(question);
	return NULL;
}

static void wait_for_answer(struct question *question, struct machine_gpus *ret_gpus)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ANSWER_S;
	pthread_mutex_lock(&question->mutex);
	int status = 0;
	while (!question->done && status == 0)
		status = pthread_cond_timedwait(&question->answered, &question->mutex, &until);
	bool done = question->done;
	if (done)
		*ret_gpus = question->gpus;
	else
		question->left = true;
	pthread_mutex_unlock(&question->mutex);
	if (done) {
		wan_free(question);
		return;
	}
	ret_gpus->state = MACHINE_GPU_NO_ANSWER;
	wan_str_format(ret_gpus->reason, sizeof(ret_gpus->reason),
		       "the driver did not answer within %d seconds", ANSWER_S);
}

/* Without a driver there is nothing to ask; under WSL the device has another name. */
static bool is_present(const char *root)
{
	const char *stand_in = getenv("WAN_NVML");
	return (stand_in && stand_in[0]) || machine_exists(root, "/dev/nvidiactl") ||
	       machine_exists(root, "/dev/dxg");
}

static void ask_nvidia(struct machine_gpus *gpus)
{
	pthread_t thread;
	pthread_condattr_t monotonic;
	struct question *question = wan_calloc(1, sizeof(*question));
	if (!question)
		return;
	pthread_mutex_init(&question->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&question->answered, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (wan_thread_start(&thread, "wanprof-gpu", ask_in_thread, question) < 0) {
		wan_free(question);
		refuse(gpus, "no thread could be started to ask it");
		return;
	}
	pthread_detach(thread);
	wait_for_answer(question, gpus);
}

static void add_card(const char *root, const char *name, struct machine_gpus *gpus)
{
	char path[PATH_MAX], text[64];
	uint64_t total, used;
	wan_str_format(path, sizeof(path), "/sys/class/drm/%s/device/mem_info_vram_total", name);
	if (machine_read_u64(root, path, &total) < 0 || !total)
		return;
	struct machine_gpu *gpu = &gpus->gpu[gpus->count++];
	*gpu = (struct machine_gpu){.total_bytes = total, .used_bytes = UINT64_MAX};
	wan_str_format(path, sizeof(path), "/sys/class/drm/%s/device/mem_info_vram_used", name);
	if (machine_read_u64(root, path, &used) == 0)
		gpu->used_bytes = WAN_MIN(used, total);
	wan_str_format(path, sizeof(path), "/sys/class/drm/%s/device/product_name", name);
	if (machine_read(root, path, gpu->name, sizeof(gpu->name)) > 0)
		return;
	wan_str_format(path, sizeof(path), "/sys/class/drm/%s/device/device", name);
	bool known = machine_read(root, path, text, sizeof(text)) > 0;
	wan_str_format(gpu->name, sizeof(gpu->name), "AMD GPU%s%s", known ? " " : "",
		       known ? text : "");
}

/* "card0", not "card0-HDMI-A-1" nor "renderD128". */
static bool is_card(const char *name)
{
	return wan_str_starts(name, "card") && name[4] && !name[4 + strspn(name + 4, "0123456789")];
}

void machine_look_cards(const char *root, struct machine_gpus *gpus)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s/sys/class/drm", root);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder)) && gpus->count < MACHINE_GPUS_MAX)
		if (is_card(entry->d_name))
			add_card(root, entry->d_name, gpus);
	if (folder)
		closedir(folder);
	if (gpus->count)
		gpus->state = MACHINE_GPU_FOUND;
}

void machine_gpus_real(void *context, const char *root, struct machine_gpus *ret_gpus)
{
	(void)context;
	*ret_gpus = (struct machine_gpus){.state = MACHINE_GPU_NONE};
	if (is_present(root))
		ask_nvidia(ret_gpus);
	machine_look_cards(root, ret_gpus);
}
