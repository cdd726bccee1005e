/* SPDX-License-Identifier: MIT */
/**
 * From picture files to what a clip's model is fed, through the runtime: each step is cached under
 * the identity of the files and all parameters, priced before it allocates, and profiled, so that a
 * hundred seeds on one start image do the work once.
 */
#ifndef WAN_CLIP_H
#define WAN_CLIP_H

#include <stdbool.h>
#include "wan/frame.h"
#include "wan/runtime.h"
#include "wan/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A file and how it becomes a frame. */
struct wan_picture {
	const char *path;                  /**< borrowed for the call */
	const struct wan_framing *framing; /**< of wan_frame(); borrowed for the call */
	enum wan_alpha_policy alpha;       /**< 0 (KEEP) drops it, as the pipelines do */
	bool as_stored;                    /**< orientation of the file is not applied */
};

/**
 * A file framed as its framing says, cached: RGB8 of framing->output; or, as a tensor, what the
 * pipeline's encoder gets in [-1, 1], RGBF32_PLANAR: for the torch filters resized in floating
 * point without rounding to bytes, so beyond [-1, 1] where it overshoots. runtime NULL: the default
 * one. A source without room as a whole, in memory or in the cache, is read row by row, with the
 * same result, where the framing stretches or covers with a Pillow filter and drops alpha; any
 * other is refused by the level that has no room.
 *
 * On success *ret_pin belongs to the caller, who gives it back with wan_pin_release(); its image is
 * wan_pin_image(). On failure it and *ret_hit (may be NULL) are untouched.
 *
 * Returns 0; the errors of wan_load(); -EINVAL (an argument is missing; the framing is of another
 * size than the file).
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_framed(struct wan_runtime *runtime,
				      const struct wan_picture *picture, bool tensor,
				      struct wan_pin **ret_pin, bool *ret_hit,
				      struct wan_error *reterr_error);

/**
 * The conditioning stack of a clip, cached: wan_stack_create() of both pictures' tensors. start or
 * end may be NULL, not both; their framings have one output size. The cache is charged with what
 * the stack holds, not with its addresses. A stack that was written to stays so for all who share
 * the pin. Ownership as wan_framed(); the stack is wan_pin_stack().
 *
 * Returns as wan_framed() and wan_stack_create().
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_conditioning(struct wan_runtime *runtime,
					    const struct wan_picture *start,
					    const struct wan_picture *end,
					    const struct wan_stack_options *options,
					    struct wan_pin **ret_pin, bool *ret_hit,
					    struct wan_error *reterr_error);
/** The stack inside a pin of wan_conditioning(); borrowed until wan_pin_release(). NULL for NULL.
 *  Threads: any. Since: 0.2 */
WAN_API struct wan_stack *wan_pin_stack(const struct wan_pin *pin);

/**
 * A file in another format, cached: decoded upright, encoded into memory (alpha is dropped for
 * JPEG). options as for wan_image_encode(); NULL: PNG. Ownership as wan_framed(); the bytes are
 * wan_pin_data() and wan_pin_bytes().
 *
 * Returns the errors of wan_load() and wan_image_encode_memory().
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_convert(struct wan_runtime *runtime, const char *path,
				       const struct wan_encode_options *options,
				       struct wan_pin **ret_pin, bool *ret_hit,
				       struct wan_error *reterr_error);

#ifdef __cplusplus
}
#endif
#endif
