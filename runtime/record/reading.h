/* SPDX-License-Identifier: MIT */
/* Inside of the reader: one recording's bytes in our own memory, and what has been made of them. */
#ifndef WAN_RECORD_READING_H
#define WAN_RECORD_READING_H

#include "clock.h"
#include "reader.h"

#define WAN_READ_DAMAGE_MOST    200 /* entries of damage[] a process */
#define WAN_READ_PROCESSES_MOST 4096
#define WAN_READ_TOTAL_MOST     (512ull * 1024 * 1024)

/* A process with the memory behind its pointers. */
struct wan_read_process {
	struct wan_process process;
	char *source;
	char *texts; /* resolved strings, at the offsets they have in the file */
};

struct wan_recording {
	struct wan_read_process **processes;
	size_t count, capacity;
	uint64_t total_bytes;
	bool damaged; /* somewhere, even in a file that gave no process */
	const struct wan_recording_operation **order; /* all operations by start; made by next() */
	size_t order_count, order_next;
};

struct wan_reading {
	const char *bytes; /* borrowed; count of them */
	uint64_t count;
	struct wan_read_process *to;
	struct wan_clock_scale scale;
	const char *strings;
	uint64_t strings_used;
	uint8_t *resolved; /* bit per string id */
	size_t operation_capacity, aggregate_capacity, event_capacity, inflight_capacity,
		damage_capacity, detail_capacity;
	uint32_t *aggregate_slots; /* hash of aggregates: index + 1 */
	uint64_t *aggregate_keys;  /* of each aggregate */
	size_t aggregate_slot_count, aggregate_key_capacity;
	uint64_t last_ticks; /* latest moment seen in any record */
	bool no_memory;
};

/* Everything of one recording out of bytes; offset and source say where they came from (source is
 * taken over on success). live: the process goes on, so an end in the middle is no damage.
 * Returns 0, -ENOMEM, or -EBADMSG and the like with *reterr_error when this is no recording. */
int wan_read_process(const void *bytes, uint64_t count, bool live, const char *source,
		     uint64_t offset, struct wan_read_process **ret_process,
		     struct wan_error *reterr_error);
/* The same without its records: counters, latencies and what is in flight. Of the rest of bytes
 * nothing is looked at. */
int wan_read_glance(const void *bytes, uint64_t count, bool live, const char *source,
		    struct wan_read_process **ret_process);
void wan_read_process_free(struct wan_read_process *process);
/* Is this the beginning of a recording we can read? 0, -EBADMSG, -ENOTSUP. */
int wan_read_identify(const void *bytes, uint64_t count, const char *object,
		      struct wan_error *reterr_error);

/* lanes: reader_lane.c */
void wan_read_lanes(struct wan_reading *reading);
/* Only what the lanes of the directory have in flight. */
void wan_read_inflight(struct wan_reading *reading);
/* Half of the folds that is in force and whole, or NULL; *ret_damaged when there should be one. */
const struct wan_record_fold *wan_read_fold(const char *lane_bytes, bool *ret_damaged);

/* sums: reader_sum.c */
void wan_read_sum_fold(struct wan_reading *reading, const struct wan_record_fold *fold);
void wan_read_sum_operation(struct wan_reading *reading,
			    const struct wan_record_operation *operation);
/* A unit of sums that lies at offset; those that contradict themselves are left out. */
void wan_read_sum_unit(struct wan_reading *reading, const struct wan_record_sums *unit,
		       uint64_t offset);
void wan_read_sum_finish(struct wan_reading *reading);

/* parts: reader_parts.c */
void wan_read_add_operation(struct wan_reading *reading,
			    const struct wan_record_operation *operation);
void wan_read_add_event(struct wan_reading *reading, const struct wan_record_operation *record);
int wan_compare_details(const void *left, const void *right);
void wan_read_add_inflight(struct wan_reading *reading, const struct wan_record_inflight *entry);
void wan_read_add_counters(struct wan_reading *reading);
const char *wan_read_text(struct wan_reading *reading, uint16_t id);
const char *wan_read_library(uint8_t library);
void wan_read_damage(struct wan_reading *reading, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* family.c: add what lies in an open recording, a file or a folder of them. */
int wan_read_add_path(struct wan_recording *recording, const char *path,
		      struct wan_error *reterr_error);
int wan_read_add_memory(struct wan_recording *recording, const void *bytes, size_t count,
			struct wan_error *reterr_error);
/* Paths of everything in a folder that is named like a recording, in order; free them together. */
int wan_read_list(const char *folder, char ***ret_paths, size_t *ret_count);
void wan_read_list_free(char **paths, size_t count);

#endif
