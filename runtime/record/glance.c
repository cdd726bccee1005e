/* SPDX-License-Identifier: MIT */
#include "glance.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "place.h"
#include "reading.h"
#include "str.h"
#include "sys.h"
#include "tracker_words.h"

#define HEAD_BYTES WAN_RECORD_UNITS_AT

/* Room for count bytes; what is not read into it is never touched. */
static int make_room(struct wan_glance *glance, uint64_t count)
{
	if (count <= glance->room)
		return 0;
	char *bytes = wan_realloc_array(glance->bytes, count, 1);
	if (!bytes)
		return -ENOMEM;
	glance->bytes = bytes;
	glance->room = count;
	return 0;
}

/* A piece of the file to its place; false: it is not there. */
static bool fetch(struct wan_glance *glance, uint64_t at, uint64_t count, uint64_t bytes)
{
	return at + bytes <= count &&
	       wan_pread_full(glance->fd, glance->bytes + at, bytes, (off_t)at) == (ssize_t)bytes;
}

static uint64_t unit_at(uint64_t unit)
{
	return WAN_RECORD_UNITS_AT + unit * WAN_RECORD_UNIT;
}

/* A unit that could not be fetched must not look like one that was. */
static void fetch_latencies(struct wan_glance *glance, uint64_t count)
{
	const struct wan_record_counters *blocks =
		(const void *)(glance->bytes + WAN_RECORD_COUNTERS_AT);
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++) {
		uint64_t word = blocks[i].words[WAN_TRACKER_HISTOGRAM];
		if (blocks[i].kind != WAN_COUNTERS_TRACKER || !word ||
		    word > WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT)
			continue;
		uint64_t at = unit_at(word - 1);
		if (!fetch(glance, at, count, sizeof(struct wan_record_latency)) &&
		    at + sizeof(struct wan_record_latency) <= count)
			memset(glance->bytes + at, 0, sizeof(struct wan_record_latency));
	}
}

static void fetch_lanes(struct wan_glance *glance, uint64_t count)
{
	const uint32_t *directory = (const void *)(glance->bytes + WAN_RECORD_LANE_DIR_AT);
	for (unsigned i = 0; i < WAN_RECORD_LANES; i++) {
		if (!directory[i] || directory[i] > WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT)
			continue;
		uint64_t at = unit_at((uint64_t)directory[i] - 1);
		if (!fetch(glance, at, count, sizeof(struct wan_record_lane)) &&
		    at + sizeof(struct wan_record_lane) <= count)
			memset(glance->bytes + at, 0, sizeof(struct wan_record_lane));
	}
}

/* How much of the file belongs to the recording that begins at its front. */
static uint64_t extent(const struct wan_record_header *header)
{
	uint64_t units = WAN_MIN(header->units, WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT);
	return WAN_MIN(unit_at(units), WAN_RECORD_MAXIMUM);
}

static void forget(struct wan_glance *glance)
{
	wan_read_process_free(glance->read);
	glance->read = NULL;
}

int wan_glance_look(struct wan_glance *glance)
{
	int error = make_room(glance, HEAD_BYTES);
	if (error)
		return error;
	memset(glance->bytes, 0, sizeof(struct wan_record_header));
	ssize_t got = wan_pread_full(glance->fd, glance->bytes, HEAD_BYTES, 0);
	if (got < 0)
		return (int)got;
	error = wan_read_identify(glance->bytes, (uint64_t)got, "recording", NULL);
	if (error)
		return error;
	struct wan_record_header header;
	memcpy(&header, glance->bytes, sizeof(header));
	uint64_t count = (uint64_t)got;
	if (count == HEAD_BYTES) {
		count = extent(&header);
		error = make_room(glance, count);
		if (error)
			return error;
		fetch_latencies(glance, count);
		fetch_lanes(glance, count);
	}
	bool live = header.state == WAN_RUN_RUNNING &&
		    wan_place_lives(header.pid, header.pid_start_ticks);
	struct wan_read_process *read;
	error = wan_read_glance(glance->bytes, count, live, glance->path, &read);
	if (error)
		return error;
	if (!live && read->process.state == WAN_RUN_RUNNING)
		read->process.state = WAN_RUN_UNKNOWN;
	forget(glance);
	glance->read = read;
	return 0;
}

int wan_glance_open(const char *path, struct wan_glance *glance)
{
	struct stat status;
	*glance = (struct wan_glance){.fd = -1};
	if (wan_sys->stat(path, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	glance->fd = wan_sys->open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (glance->fd < 0)
		return -errno;
	wan_str_format(glance->path, sizeof(glance->path), "/proc/self/fd/%d", glance->fd);
	int error = wan_glance_look(glance);
	if (error)
		wan_glance_close(glance);
	return error;
}

bool wan_glance_moved(const struct wan_glance *glance)
{
	enum { BYTES = WAN_RECORD_COUNTERS * sizeof(struct wan_record_counters) };
	struct wan_record_counters now[WAN_RECORD_COUNTERS]; /* 32 KiB */
	const struct wan_record_counters *before =
		(const void *)(glance->bytes + WAN_RECORD_COUNTERS_AT);
	if (wan_pread_full(glance->fd, now, BYTES, WAN_RECORD_COUNTERS_AT) != BYTES)
		return false;
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++)
		if (now[i].kind == WAN_COUNTERS_TRACKER &&
		    memcmp(&now[i], &before[i], sizeof(now[i])) != 0)
			return true;
	return false;
}

const struct wan_process *wan_glance_process(const struct wan_glance *glance)
{
	return &glance->read->process;
}

void wan_glance_close(struct wan_glance *glance)
{
	forget(glance);
	wan_free(glance->bytes);
	if (glance->fd >= 0)
		wan_sys->close(glance->fd);
	*glance = (struct wan_glance){.fd = -1};
}
