/* SPDX-License-Identifier: MIT */
/* What the hooks of the two TurboJPEG interfaces (tj..., and tj3... since 3.0) share. */
#ifndef WAN_PRELOAD_TURBOJPEG_WORK_H
#define WAN_PRELOAD_TURBOJPEG_WORK_H

#include "hook.h"
#include "turbojpeg_abi.h"

/* One call is one operation, so its state lives in the hook. */
struct wan_tj_work {
	struct wan_call call;
	struct wan_object object;
};

/* Before the real function. */
void wan_tj_begin_read(struct wan_tj_work *work, const void *return_address,
		       const unsigned char *bytes, unsigned long count,
		       enum wan_operation_name name);
void wan_tj_begin_write(struct wan_tj_work *work, const void *return_address, int width, int height,
			int channels);
/* Between RGB and planes: no file, but half of the work of one. */
void wan_tj_begin_convert(struct wan_tj_work *work, const void *return_address, int width,
			  int height, int channels);
/* What is wished for is smaller than the image. */
void wan_tj_note_scaled(struct wan_tj_work *work, int width, int height);
/* A header alone: counted. */
void wan_tj_probe(const struct wan_tj_work *work, const void *return_address);

/* After it; result is handed through. */
int wan_tj_end(struct wan_tj_work *work, void *handle, int result);
int wan_tj_end_write(struct wan_tj_work *work, void *handle, const unsigned long *bytes,
		     int result);

/* Of a pixel format, without padding; 0: unknown. */
int wan_tj_channels(int format);

#define WAN_TJ_FIND(work, name)                                                                    \
	struct wan_tj_work work;                                                                   \
	WAN_FIND(work.call, NULL, WAN_FAMILY_TURBOJPEG, name);                                     \
	if (!wan_real(work.call, name))                                                            \
	return -1

#endif
