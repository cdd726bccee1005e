/* SPDX-License-Identifier: MIT */
/*
 * The input changes a sound recording: a recording is 300 KiB, mostly zeros, and a fuzzer that had
 * to find its magic words by chance would never get far. First byte: flags. Then changes of
 *
 *	offset (3 bytes), length - 1 (1 byte), that many bytes
 *
 * with bit 7 of the length for "exclusive or" instead of "replace". Flags: 1 repair the checks
 * after the changes, so that hostile values get past them; 2 the first 3 bytes cut the file there;
 * 4 through a file and the reader of families; 8 no sound recording below: the input is the file;
 * 16 the recording twice in a row, as a family.
 */
#ifndef WAN_TESTS_RECORDING_CHANGES_H
#define WAN_TESTS_RECORDING_CHANGES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "config.h"
#include "reader.h"
#include "writer.h"

enum {
	REPAIR = 1,
	CUT = 2,
	FILE_READER = 4,
	RAW = 8,
	TWICE = 16,
};

static char *sound; /* the recording that is changed, and its length */
static size_t sound_bytes;

static void append(struct wan_recorder *recorder, unsigned count)
{
	struct wan_lane *lane = wan_lane_get(recorder);
	for (unsigned i = 0; i < count; i++) {
		struct wan_record_operation operation = {
			.start_ticks = 1000000 + i * 1000,
			.span_ticks = i * 10,
			.width_px = i % 9,
			.height_px = i,
			.inside = UINT16_MAX,
			.name = wan_recorder_string(recorder, i % 2 ? "png.decode" : "jpeg.decode"),
			.file = wan_recorder_string(recorder, "/a/picture.png"),
			.kind_status = (uint8_t)((i % 50 ? WAN_RECORD_OPERATION : 1 + i % 5) << 4 |
						 (i % 4)),
			.library = (uint8_t)(i % 8),
		};
		wan_lane_append(lane, &operation);
	}
	wan_lane_enter(lane)->start_ticks = 77;
}

/* The same bytes in every run, whatever the clock and the pid. */
static void make_sound(void)
{
	static struct wan_config config;
	struct wan_recorder *recorder;
	void *copy;
	wan_config_defaults(&config);
	config.record_capacity = 256;
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder) != 0)
		abort();
	wan_recorder_counters(recorder, WAN_COUNTERS_CACHE, "cache")[0] = 7;
	append(recorder, 900);
	wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	if (wan_recorder_snapshot(recorder, &copy, &sound_bytes) != 0)
		abort();
	wan_recorder_destroy(recorder);
	sound = copy;
	struct wan_record_header *header = copy;
	header->pid = 1;
	header->pid_start_ticks = 1;
	memset(header->run_id, 1, sizeof(header->run_id));
	header->check = wan_record_header_check(header);
}

static void repair(char *bytes, size_t count)
{
	struct wan_record_header *header = (void *)bytes;
	if (count < WAN_RECORD_UNITS_AT)
		return;
	header->check = wan_record_header_check(header);
	for (size_t at = WAN_RECORD_UNITS_AT; at + WAN_RECORD_UNIT <= count;
	     at += WAN_RECORD_UNIT) {
		struct wan_record_chunk *chunk = (void *)(bytes + at);
		if (chunk->magic != WAN_RECORD_CHUNK_MAGIC) {
			for (unsigned half = 0; half < 2; half++) {
				size_t fold_at =
					at + WAN_RECORD_PAGE + half * WAN_RECORD_FOLD_BYTES;
				struct wan_record_fold *fold = (void *)(bytes + fold_at);
				if (chunk->magic == WAN_RECORD_LANE_MAGIC &&
				    fold_at + sizeof(*fold) <= count &&
				    fold->aggregate_count <= WAN_RECORD_AGGREGATES &&
				    fold->slow_count <= WAN_RECORD_NOTABLE &&
				    fold->failed_count <= WAN_RECORD_NOTABLE)
					fold->check = wan_record_fold_check(fold);
			}
			continue;
		}
		uint32_t unit = (uint32_t)((at - WAN_RECORD_UNITS_AT) / WAN_RECORD_UNIT);
		chunk->check = wan_record_chunk_check(chunk->lane, unit);
		struct wan_record_operation *records = (void *)(chunk + 1);
		for (unsigned i = 0; i < WAN_RECORD_CHUNK_RECORDS; i++)
			records[i].check = wan_record_check(&records[i]);
	}
}

static uint32_t take24(const uint8_t *data)
{
	return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16;
}

static void change(char *bytes, size_t count, const uint8_t *data, size_t left)
{
	while (left > 4) {
		size_t at = take24(data) % count, length = (data[3] & 127u) + 1;
		bool exclusive = data[3] & 128;
		data += 4;
		left -= 4;
		for (size_t i = 0; i < length && i < left && at + i < count; i++)
			bytes[at + i] = (char)(exclusive ? bytes[at + i] ^ data[i] : data[i]);
		length = length < left ? length : left;
		data += length;
		left -= length;
	}
}

/* The recording that the input describes, to be freed; NULL: none. *ret_file: read it as a file. */
static char *changed_recording(const uint8_t *data, size_t bytes, size_t *ret_count, bool *ret_file)
{
	if (!sound)
		make_sound();
	if (!bytes)
		return NULL;
	unsigned flags = *data++;
	bytes--;
	size_t count = flags & RAW ? bytes : sound_bytes * (flags & TWICE ? 2 : 1);
	char *copy = count ? malloc(count) : NULL;
	if (!copy)
		return NULL;
	if (flags & RAW) {
		memcpy(copy, data, bytes);
	} else {
		memcpy(copy, sound, sound_bytes);
		if (flags & TWICE)
			memcpy(copy + sound_bytes, sound, sound_bytes);
		if (flags & CUT && bytes >= 3) {
			count = take24(data) % count + 1;
			data += 3;
			bytes -= 3;
		}
		change(copy, count, data, bytes);
		if (flags & REPAIR)
			repair(copy, count);
	}
	*ret_count = count;
	*ret_file = flags & FILE_READER;
	return copy;
}

#endif
