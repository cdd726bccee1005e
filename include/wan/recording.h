/* SPDX-License-Identifier: MIT */
/** Read side of recordings: files of live and dead processes alike. Trusts nothing in the file. */
#ifndef WAN_RECORDING_H
#define WAN_RECORDING_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_recording;

struct wan_recording_operation {
	const char *name;      /**< borrowed until close */
	const char *library;   /**< "libjpeg", "libpng", "turbojpeg", "wanrt" ... */
	const char *file;      /**< NULL when unknown */
	uint64_t start_ns;     /**< monotonic of the recorded process */
	uint64_t start_realtime_ns;
	uint64_t span_ns, inside_ns;
	uint64_t cpu_ns;       /**< UINT64_MAX: unknown */
	int64_t memory_bytes;  /**< net; INT64_MIN: unknown */
	uint64_t peak_bytes;   /**< UINT64_MAX: unknown */
	uint64_t file_bytes;   /**< UINT64_MAX: unknown */
	uint32_t width_px, height_px;
	uint8_t channels, bit_depth;
	uint8_t status;	       /**< enum wan_op_status; 255: still in flight */
	bool child;	       /**< inside another recorded operation: not counted in totals */
	uint32_t thread, process;
};

/** A file, a family (several recordings in one file), or a folder of them. */
WAN_API WAN_MUST_CHECK int wan_recording_open(const char *path, struct wan_recording **ret_recording,
					      struct wan_error *reterr_error);
/** The recording of a live (or dead) process by its pid, looked up in the default places. */
WAN_API WAN_MUST_CHECK int wan_recording_attach(uint32_t pid, struct wan_recording **ret_recording,
						struct wan_error *reterr_error);
/** Next operation in order of start. 1, 0 (end), negative errno. */
WAN_API int wan_recording_next(struct wan_recording *recording,
			       struct wan_recording_operation *ret_operation);
/** Operations that were counted but whose records are gone (ring wrapped). */
WAN_API uint64_t wan_recording_skipped(const struct wan_recording *recording);
WAN_API void wan_recording_close(struct wan_recording *recording);

#ifdef __cplusplus
}
#endif
#endif
