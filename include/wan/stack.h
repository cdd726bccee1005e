/* SPDX-License-Identifier: MIT */
/**
 * The conditioning stack of a clip: its frames as one tensor, of which only the first (and last)
 * are known and all others are one constant; and the mask that says which are known.
 *
 * The constant part is mapped, not filled: zero pages of the kernel, or one small shared mapping
 * repeated. A stack of 81 frames of 1280x720 in float32 is 854 MB of addresses and holds 11 MB for
 * each known frame. It may be written to; what is written to becomes ordinary private memory.
 *
 * Where the constant is 0 nothing but the known frames is resident. Where it is not (ComfyUI's 0.5,
 * masks with ones) the repeated pages are one memory for the machine, which a container is charged
 * for once; the kernel's resident set size of the process counts each repetition all the same.
 */
#ifndef WAN_STACK_H
#define WAN_STACK_H

#include <stdbool.h>
#include "wan/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Type of a tensor's elements, in host byte order. */
enum wan_tensor_type {
	WAN_TENSOR_F32,
	WAN_TENSOR_F16,  /**< IEEE 754 half; rounded to nearest even */
	WAN_TENSOR_BF16, /**< upper half of a float32; rounded to nearest even */
};

/** Order of a stack's axes, outermost first: batch, channel, time, height, width. */
enum wan_stack_layout {
	WAN_STACK_CTHW,  /**< official code, kijai, Wan2GP */
	WAN_STACK_NCTHW, /**< diffusers; N is 1 */
	WAN_STACK_THWC,  /**< ComfyUI */
};

/** How to build a stack; fill by wan_stack_options_init(). */
struct wan_stack_options {
	size_t struct_size;
	enum wan_stack_layout layout;
	enum wan_tensor_type type;
	uint32_t frames;  /**< of the clip, 1 to 65536; 4n+1 for a mask */
	bool unit_range;  /**< values in [0,1] around 0.5 (ComfyUI) instead of [-1,1] around 0 */
	bool known_alone; /**< the stack holds the known frames only (TI2V) */
	/** The end image gets a frame of its own behind the clip: kijai; Wan2GP with Wan 2.1's
	 * image-to-video model (its defaults here are those for 2.2, where it gets none). */
	bool own_end_frame;
	bool known_is_zero;   /**< mask: 0 marks known frames (ComfyUI, TI2V) instead of 1 */
	bool mask_by_latent;  /**< mask of one value for each latent frame (TI2V) instead of four */
	uint32_t latent_step; /**< pixels of one latent pixel: 8; 16 for TI2V */
	/** Lock the pages of the known frames for fast copies to a GPU. May load the CUDA runtime
	 * and make the program's first CUDA call; without one the stack is not locked (see the
	 * view). */
	bool pinned;
};

/** A tensor of mostly constant frames, reference-counted. */
struct wan_stack;

/** A part of a stack that is not constant. */
struct wan_stack_range {
	size_t offset_bytes, bytes;
};

/** Plain look at a stack; all is borrowed until the last unref. */
struct wan_stack_view {
	enum wan_tensor_type type;
	uint32_t dimensions;
	uint64_t shape[5];  /**< outermost first; the first `dimensions` of them */
	size_t bytes;       /**< of the tensor, contiguous */
	void *data;         /**< writable, by one thread at a time */
	size_t known_bytes; /**< of all ranges */
	size_t held_bytes;  /**< memory taken at creation: known frames in whole pages, edges */
	float constant;     /**< the value everywhere else */
	bool pinned;        /**< the ranges are page-locked */
	uint32_t range_count;
	const struct wan_stack_range *ranges; /**< what differs from the constant, ascending */
};

/**
 * Fill in what a pipeline feeds its VAE: layout, range, mask, its usual number of frames; float32.
 *
 * Returns 0, -EINVAL (no such pipeline).
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_stack_options_init(struct wan_stack_options *options,
						  enum wan_pipeline pipeline);

/**
 * Build a stack from the framed images, both of the size of the clip. start or end may be NULL, not
 * both. Interleaved images are normalised by their RGB values (alpha dropped), planar ones are
 * taken as they are, in [-1,1]. Images are borrowed for the call.
 *
 * On success *ret_stack belongs to the caller, who gives it back by wan_stack_unref(). On failure
 * it is untouched.
 *
 * Returns 0, -EINVAL (options; no image; sizes that differ; one frame for two images), -EOVERFLOW,
 * -ENOMEM.
 * Threads: any.   Cost: page faults and one pass over the known frames; independent of the number
 * of frames but for one mapping a MB where the constant is not 0.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_stack_create(const struct wan_image *start,
					    const struct wan_image *end,
					    const struct wan_stack_options *options,
					    struct wan_stack **ret_stack,
					    struct wan_error *reterr_error);

/**
 * Build the mask that goes with a stack of those options and that size: four values for each latent
 * frame (the first frame stands four times), shape [4, latent frames, height / step, width / step],
 * or [1, latent frames, ...] with mask_by_latent; as a stack of its own. Ownership and errors as
 * wan_stack_create(); -EINVAL also when frames is not 4n+1.
 *
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_stack_mask(struct wan_size size, bool has_start, bool has_end,
					  const struct wan_stack_options *options,
					  struct wan_stack **ret_mask,
					  struct wan_error *reterr_error);

/** One more reference, for the caller to give back. Returns stack; NULL is allowed.
 *  Threads: any. Since: 0.2 */
WAN_API struct wan_stack *wan_stack_ref(struct wan_stack *stack);
/** Give a reference back; the last one unmaps. NULL is allowed. Threads: any. Since: 0.2 */
WAN_API void wan_stack_unref(struct wan_stack *stack);
/** What the stack is. An empty view for NULL. Threads: any. Since: 0.2 */
WAN_API void wan_stack_view(const struct wan_stack *stack, struct wan_stack_view *ret_view);

/**
 * Write a stack as NumPy .npy version 1.0 (bfloat16, which NumPy does not know, as uint16 bits),
 * whole or not at all. Ranges of zeros become holes of the file.
 *
 * Returns as wan_image_encode().
 * Threads: any, while nobody writes to the stack.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_stack_write_npy(const struct wan_stack *stack, const char *path,
					       bool overwrite, struct wan_error *reterr_error);

/** A tensor of a safetensors file: its name and a stack or an image (RGBF32_PLANAR and the half
 *  formats as [3, height, width], others as U8 or U16 [height, width, channels]). */
struct wan_named_tensor {
	const char *name; /**< printable ASCII without quotes and backslashes, 1 to 64 bytes */
	const struct wan_stack *stack;
	const struct wan_image *image; /**< when stack is NULL */
};
/**
 * Write tensors as one safetensors file (huggingface/safetensors, format of 0.3), in the order
 * given, whole or not at all; ranges of zeros become holes.
 *
 * Returns as wan_image_encode(), and -EINVAL (names; no tensor; more than 64).
 * Threads: any, while nobody writes to the stacks.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_write_safetensors(const struct wan_named_tensor *tensors,
						 size_t count, const char *path, bool overwrite,
						 struct wan_error *reterr_error);

#ifdef __cplusplus
}
#endif
#endif
