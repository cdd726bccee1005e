/* SPDX-License-Identifier: MIT */
/* What is told of an operation under way: its image, its file, what is special, more memory. */
#define WAN_PROFILE_CALLS /* here the functions are made, not called in their checked form */
#include <errno.h>

#include "identity_mark.h"
#include "macros.h"
#include "op_words.h"
#include "sys.h"

void wan_op_set_image(struct wan_op *public_op, uint32_t width_px, uint32_t height_px,
		      uint32_t channels, uint32_t bit_depth, uint64_t file_bytes)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	const uint64_t places = (uint64_t)0xff << TAIL_CHANNELS | (uint64_t)0xff << TAIL_DEPTH;
	channels = WAN_MIN(channels, 255u);
	bit_depth = WAN_MIN(bit_depth, 255u);
	op->size = width_px | (uint64_t)height_px << 32;
	op->tail = (op->tail & ~places) | (uint64_t)channels << TAIL_CHANNELS |
		   (uint64_t)bit_depth << TAIL_DEPTH;
	op->file_bytes = file_bytes == UINT64_MAX
				 ? WAN_BYTES_UNKNOWN
				 : (uint32_t)WAN_MIN(file_bytes, (uint64_t)WAN_BYTES_UNKNOWN - 1);
	if (op->lane != wan_lane_current)
		return;
	wan_lane_inflight_filled(op->lane);
	op->slot->width_px = width_px;
	op->slot->height_px = height_px;
	op->slot->channels = (uint8_t)channels;
	op->slot->bit_depth = (uint8_t)bit_depth;
	op->slot->file_bytes = file_bytes;
}

void wan_op_set_file(struct wan_op *public_op, const char *path)
{
	struct op *op = valid(public_op);
	if (!op || !path)
		return;
	uint16_t file = wan_recorder_string(op->profile->recorder, path);
	op->tail = (op->tail & ~((uint64_t)0xffff << TAIL_FILE)) | (uint64_t)file << TAIL_FILE;
	if (op->lane != wan_lane_current)
		return;
	op->slot->file = file;
	struct stat status;
	int saved = errno;
	if (wan_sys->stat(path, &status) == 0)
		wan_lane_detail(op->lane, op->start_ticks, op->lane->thread,
				wan_identity_of_file(&status, 0), 0, 0);
	errno = saved;
}

void wan_op_set_flags(struct wan_op *public_op, uint32_t flags)
{
	struct op *op = valid(public_op);
	if (op)
		op->tail |=
			(uint64_t)(flags & (WAN_OP_PROGRESSIVE | WAN_OP_SCALED | WAN_OP_LOSSLESS))
			<< TAIL_FLAGS;
}

void wan_op_add_memory(struct wan_op *public_op, int64_t net_bytes, uint64_t peak_bytes)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	bool again = op->unusual & ADDED;
	op->added_net = net_bytes + (again ? op->added_net : 0);
	op->added_peak = peak_bytes + (again ? op->added_peak : 0);
	op->unusual |= ADDED;
}
