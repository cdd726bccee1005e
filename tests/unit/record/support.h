/* SPDX-License-Identifier: MIT */
/* What the tests of the recording share: a folder of their own, a configuration, records. */
#ifndef WAN_TESTS_RECORD_SUPPORT_H
#define WAN_TESTS_RECORD_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clock.h"
#include "config.h"
#include "reader.h"
#include "tap.h"
#include "wan/profile.h"
#include "writer.h"

static char support_folder[64];

static int support_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static void support_tidy(void)
{
	nftw(support_folder, support_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* A fresh folder for this program, removed at its end. */
__attribute__((constructor)) static void support_make(void)
{
	snprintf(support_folder, sizeof(support_folder), "/tmp/wan-record-XXXXXX");
	if (!mkdtemp(support_folder))
		exit(1);
	setenv("XDG_STATE_HOME", support_folder, 1);
	unsetenv("WAN_RECORD_PATH");
}

__attribute__((destructor)) static void support_end(void)
{
	if (getpid() == tap_pid || !tap_pid)
		support_tidy();
}

/* Path in the folder; one of eight buffers. */
static inline const char *support_path(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", support_folder, name);
	return path;
}

/* The one that support_config() made last, for many threads to read. */
static inline struct wan_config *support_config_shared(void)
{
	static struct wan_config config;
	return &config;
}

static inline struct wan_config *support_config(uint64_t capacity)
{
	struct wan_config *config = support_config_shared();
	wan_config_defaults(config);
	config->record_capacity = capacity;
	return config;
}

/* Operation number i: what it says can be told from i again. */
static inline struct wan_record_operation support_operation(struct wan_recorder *recorder,
							    uint64_t i)
{
	return (struct wan_record_operation){
		.start_ticks = wan_ticks(),
		.span_ticks = 1000 + i % 977 * 1000,
		.cpu_us = (uint32_t)(i % 5 ? i % 1000 : WAN_CPU_UNKNOWN),
		.width_px = 640,
		.height_px = (uint32_t)i,
		.thread = 1,
		.file_bytes = (uint32_t)(i % 7 ? i : WAN_BYTES_UNKNOWN),
		.memory_kib = i % 3 ? (int32_t)(i % 100) - 50 : WAN_MEMORY_UNKNOWN,
		.peak_kib = (uint32_t)(i % 11),
		.inside = UINT16_MAX,
		.name = wan_recorder_string(recorder, "jpeg.decode"),
		.channels = 3,
		.kind_status = WAN_RECORD_OPERATION << 4 | WAN_OP_OK,
		.bit_depth = 8,
		.library = WAN_LIBRARY_LIBJPEG,
	};
}

static inline bool support_append(struct wan_recorder *recorder, uint64_t first, uint64_t count)
{
	struct wan_lane *lane = wan_lane_get(recorder);
	if (!lane)
		return false;
	struct wan_record_operation operation = support_operation(recorder, first);
	for (uint64_t i = first; i < first + count; i++) {
		operation.height_px = (uint32_t)i;
		operation.start_ticks = wan_ticks();
		wan_lane_append(lane, &operation);
	}
	return true;
}

/* The snapshot of a recorder, opened; NULL on failure. */
static inline struct wan_recording *support_look(struct wan_recorder *recorder)
{
	void *copy;
	size_t bytes;
	struct wan_recording *recording = NULL;
	if (wan_recorder_snapshot(recorder, &copy, &bytes) != 0)
		return NULL;
	if (wan_recording_open_memory(copy, bytes, &recording, NULL) != 0)
		recording = NULL;
	free(copy);
	return recording;
}

static inline struct wan_recording *support_open(const char *path)
{
	struct wan_recording *recording = NULL;
	struct wan_error error = {0};
	if (wan_recording_open(path, &recording, &error) != 0) {
		printf("# %s: %s; %s\n", error.object, error.reason, error.hint);
		return NULL;
	}
	return recording;
}

static inline void support_print_damage(const struct wan_recording *recording)
{
	for (size_t i = 0; i < wan_recording_process_count(recording); i++) {
		const struct wan_process *process = wan_recording_process(recording, i);
		for (size_t k = 0; k < process->damage_count; k++)
			printf("# damage at %llu: %s\n",
			       (unsigned long long)process->damage[k].offset,
			       process->damage[k].reason);
	}
}

/* Exit status of a forked child, or 128 + signal. */
static inline int support_wait(pid_t child)
{
	int status;
	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
