/* SPDX-License-Identifier: MIT */
/** Profile: operations with size, time, CPU, memory and outcome, and what to conclude from them. */
#ifndef WAN_PROFILE_H
#define WAN_PROFILE_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_profile;

/** An operation under way. Lives on the caller's stack; nothing is allocated. */
struct wan_op {
	uint64_t private_words[16];
};

enum wan_op_status {
	WAN_OP_OK,
	WAN_OP_WARNED,
	WAN_OP_FAILED,
	WAN_OP_ABORTED,
};

/** Cost when profiling is off: one predicted branch. name must be static or interned. */
WAN_API void wan_op_begin(struct wan_profile *profile, struct wan_op *op, const char *name);
WAN_API void wan_op_set_image(struct wan_op *op, uint32_t width_px, uint32_t height_px,
			      uint32_t channels, uint32_t bit_depth, uint64_t file_bytes);
WAN_API void wan_op_end(struct wan_op *op, enum wan_op_status status);
/** Forget it: nothing is recorded. */
WAN_API void wan_op_cancel(struct wan_op *op);

/** Forget earlier records and begin; stop ends. 0, -EALREADY. */
WAN_API int wan_profile_start(struct wan_profile *profile);
WAN_API int wan_profile_stop(struct wan_profile *profile);
WAN_API bool wan_profile_active(struct wan_profile *profile);

struct wan_profile_results {
	size_t struct_size;
	uint64_t total_operations;
	double total_time_ms, average_time_ms, peak_memory_mb, total_memory_mb;
	uint32_t bottleneck_count, recommendation_count;
	char bottlenecks[16][192];
	char recommendations[16][192];
};
WAN_API WAN_MUST_CHECK int wan_profile_results(struct wan_profile *profile,
					       struct wan_profile_results *results);
/** The JSON profile (schema_version 1) of this process so far, to a file that must not exist unless
 *  overwrite, or to fd 1 for "-". */
WAN_API WAN_MUST_CHECK int wan_profile_write_json(struct wan_profile *profile, const char *path,
						  bool overwrite, struct wan_error *reterr_error);

/** Scope: WAN_PROFILE_SCOPE(profile, "thumbnail_256x256") { ... } */
#define WAN_PROFILE_SCOPE(profile, name)                                                           \
	for (struct wan_op wan_scope_op_, *wan_scope_ =                                            \
		 (wan_op_begin((profile), &wan_scope_op_, (name)), &wan_scope_op_);                \
	     wan_scope_; wan_op_end(wan_scope_, WAN_OP_OK), wan_scope_ = NULL)

#ifdef __cplusplus
}
#endif
#endif
