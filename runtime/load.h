/* SPDX-License-Identifier: MIT */
/*
 * A stage: one cached step on one or two files. What every stage does around its maker is here:
 *
 *	struct wan_stage stage;
 *	wan_stage_begin(&stage, runtime, "thumbnail", reterr_error);
 *	int r = wan_stage_add_file(&stage, path);
 *	if (r < 0)
 *		return r;
 *	wan_key_add(&stage.builder, "size", numbers, sizeof(numbers));
 *	return wan_stage_get(&stage, expected_bytes, make, &context, ret_pin, ret_hit);
 *
 * The maker reserves memory, runs as a profiled operation and fills the value. What it makes of
 * files that change meanwhile is handed out, but not kept.
 */
#ifndef WAN_RUNTIME_LOAD_H
#define WAN_RUNTIME_LOAD_H

#include "identity.h"
#include "wan/runtime.h"

enum { WAN_STAGE_FILES = 2 };

struct wan_stage {
	struct wan_runtime *runtime;
	struct wan_error *error;
	struct wan_key_builder builder;
	struct wan_key key;
	uint32_t file_count;
	const char *paths[WAN_STAGE_FILES]; /* borrowed */
	struct wan_sight sights[WAN_STAGE_FILES];
	wan_cache_compute make;
	void *context;
};

/* runtime is a real one; operation names the stage in its key. Nothing to give back. */
void wan_stage_begin(struct wan_stage *stage, struct wan_runtime *runtime, const char *operation,
		     struct wan_error *reterr_error);
/* What path holds becomes part of the key. 0, negative errno with the error filled. */
int wan_stage_add_file(struct wan_stage *stage, const char *path);
/* Ends the key. True: the value is there, and needs no price. */
bool wan_stage_is_cached(struct wan_stage *stage);
/* The value, made at most once; ends the key if that was not done. As wan_cache_get_or_compute(),
 * with the error filled. */
int wan_stage_get(struct wan_stage *stage, uint64_t expected_bytes, wan_cache_compute make,
		  void *context, struct wan_pin **ret_pin, bool *ret_hit);

/* What an image of that many bytes of pixels is charged with. */
uint64_t wan_load_image_charge(uint64_t pixels_bytes);
/* Makes a cache value of an image; the value owns it. started_ns: wan_now_ns() before the work,
 * which is what making it again costs. */
void wan_load_image_value(struct wan_image *image, uint32_t flags, uint64_t started_ns,
			  struct wan_value *ret_value);
/* What decoding will be charged with, and the most it takes meanwhile. */
void wan_load_price(const struct wan_image_info *info, const struct wan_decode_options *decode,
		    uint64_t *ret_charge_bytes, uint64_t *ret_peak_bytes);
/* End a profiled operation on a file: made is the image it made, NULL when there is none. */
void wan_load_end_operation(struct wan_op *op, const char *path, int code,
			    const struct wan_image *made);
/* Ask before allocating for a step on path; what was granted goes back with wan_memory_unreserve()
 * as soon as it is allocated. -ENOMEM names the level that refused. */
int wan_load_reserve(struct wan_runtime *runtime, const char *path, uint64_t bytes,
		     struct wan_error *reterr_error);
/*
 * The same for a step that makes one image of output_bytes and needs peak_bytes with it: a buffer
 * of that size which the pool has idle, or which the oldest of the cache gives up, is used again.
 * It need not be asked for, and its pages are there: giving them to the kernel and faulting them in
 * again took half the time of decoding under pressure. For the calling thread, until
 * wan_load_grant_end(), which is called whether it was granted or not.
 */
struct wan_load_grant {
	struct wan_runtime *runtime;
	uint64_t reserved_bytes;
};
int wan_load_grant(struct wan_runtime *runtime, const char *path, uint64_t output_bytes,
		   uint64_t peak_bytes, struct wan_load_grant *ret_grant,
		   struct wan_error *reterr_error);
void wan_load_grant_end(struct wan_load_grant *grant);
/* What could be granted, by the last look, if the cache gave all that nobody holds. */
uint64_t wan_load_room(struct wan_runtime *runtime);
/* Whether bytes could be granted if the cache gave all that nobody holds: if not, evicting for them
 * would be in vain. */
bool wan_load_could_fit(struct wan_runtime *runtime, uint64_t bytes);
/* The options for a part of a JPEG: 1/divisor of the sides. */
void wan_load_scaled_options(const struct wan_decode_options *options,
			     const struct wan_image_info *info, uint32_t divisor,
			     struct wan_decode_options *ret_options);
/* What fits of an image; offer->struct_size stays. */
void wan_load_offer_of(struct wan_runtime *runtime, const struct wan_image_info *info,
		       const struct wan_decode_options *options, struct wan_load_offer *ret_offer);
/* Put it into the hint of a refusal. */
void wan_load_hint(const struct wan_load_offer *offer, struct wan_error *error);
/* Returns code; fills an error that a lower layer left empty. */
int wan_load_explain(int code, const char *path, struct wan_error *reterr_error);
/* Defaults of the runtime, overlaid by given (may be NULL). 0, -EINVAL with the error filled. */
int wan_load_options(const struct wan_runtime *runtime, const struct wan_decode_options *given,
		     struct wan_decode_options *ret_options, struct wan_error *reterr_error);
/* The decoded file is in the cache just now. */
bool wan_load_is_cached(struct wan_runtime *runtime, const char *path);

#endif
