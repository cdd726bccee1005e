/* SPDX-License-Identifier: MIT */
/* The inside of struct wan_op, for the files that make and fill one. */
#ifndef WAN_PROFILER_OP_WORDS_H
#define WAN_PROFILER_OP_WORDS_H

#include <stddef.h>

#include "profile.h"

#define MAGIC 0x57414e4f50454e31u /* mixed with the address: a copied op is not an op */

struct op {
	uint64_t magic;
	struct wan_profile *profile;
	struct wan_lane *lane;
	struct wan_record_inflight *slot;
	uint64_t start_ticks;
	uint64_t anchor_ticks, anchor_cpu_ns;
	uint64_t size;       /* width | height << 32 */
	uint64_t tail;       /* last word of the record: file, channels, status, ... flags */
	uint32_t file_bytes; /* as in the record */
	uint16_t name;
	bool counted;
	uint8_t unusual; /* enum unusual; 0: end_quick() will do */
	/* when somebody counts the thread's memory */
	int64_t level_bytes;      /* allocated - freed of this thread at begin */
	int64_t outer_high;       /* highest level seen for the operations around this one */
	uint64_t allocated_bytes; /* at begin */
	/* after wan_op_add_memory() */
	int64_t added_net;
	uint64_t added_peak;
};
_Static_assert(sizeof(struct op) <= sizeof(struct wan_op), "wan_op is large enough");
_Static_assert(offsetof(struct op, magic) == 0 && offsetof(struct wan_profile, active) == 0,
	       "the checked forms of wan/profile.h look at the first word");

enum unusual {
	LARGE = 1, /* the CPU clock at both ends */
	ADDED = 2, /* wan_op_add_memory() */
	OUTER = 4, /* others may be around it: outer_high holds */
};

/* Places in the last word of struct wan_record_operation (little endian, see layout.h). */
enum {
	TAIL_FILE = 0,
	TAIL_CHANNELS = 16,
	TAIL_STATUS = 24,
	TAIL_DEPTH = 32,
	TAIL_LIBRARY = 40,
	TAIL_FLAGS = 48,
};
_Static_assert(offsetof(struct wan_record_operation, file) == 56 &&
		       offsetof(struct wan_record_operation, channels) == 58 &&
		       offsetof(struct wan_record_operation, kind_status) == 59 &&
		       offsetof(struct wan_record_operation, bit_depth) == 60 &&
		       offsetof(struct wan_record_operation, library) == 61 &&
		       offsetof(struct wan_record_operation, flags) == 62,
	       "the last word of a record");

static inline uint64_t magic_of(const struct op *op)
{
	return MAGIC ^ (uint64_t)(uintptr_t)op;
}

static inline struct op *valid(struct wan_op *public_op)
{
	struct op *op = (struct op *)public_op;
	return op && op->magic == magic_of(op) ? op : NULL;
}

#endif
