/* SPDX-License-Identifier: MIT */
/**
 * Read side of recordings: files of live and dead processes alike.
 *
 * Nothing in a file is trusted: whatever is cut, flipped, foreign or still growing gives either all
 * whole records before and behind the damage, or one clear error; never a crash, never more memory
 * than 128 MiB for each process of a family and 512 MiB of file in all.
 */
#ifndef WAN_RECORDING_H
#define WAN_RECORDING_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_recording;

/** One operation that ended. Sums over all of them, also those whose records are gone, are in the
 *  JSON of `wanprof dump`. */
struct wan_recording_operation {
	const char *name;           /**< "jpeg.decode"; never NULL; borrowed until close */
	const char *library;        /**< "libjpeg", "libpng", "turbojpeg", "wanrt" ...; static */
	const char *file;           /**< NULL when unknown; borrowed until close; any bytes but 0 */
	uint64_t start_ns;          /**< CLOCK_MONOTONIC of the recorded machine */
	uint64_t start_realtime_ns; /**< since 1970 */
	uint64_t span_ns;           /**< begin to end, the caller's work between rows included */
	uint64_t inside_ns;         /**< the part inside the library */
	uint64_t cpu_ns;            /**< UINT64_MAX: unknown */
	int64_t memory_bytes;       /**< net, may be negative; INT64_MIN: unknown */
	uint64_t peak_bytes;        /**< UINT64_MAX: unknown */
	uint64_t file_bytes;        /**< encoded size; UINT64_MAX: unknown */
	uint32_t width_px, height_px; /**< 0: unknown */
	uint8_t channels, bit_depth;  /**< 0: unknown */
	uint8_t status;               /**< enum wan_op_status; 255: still in flight */
	bool child;                   /**< inside another recorded operation: not in totals */
	uint32_t thread, process;     /**< the kernel's ids */
	uint16_t flags; /**< what was special: enum wan_op_flags of wan/profile.h; 1: child; 2:
			     peak_bytes is an upper bound */
};

/**
 * Open a recording: a file, a family (several recordings in one file), or a folder of them. FILE.d
 * beside a FILE belongs to it. Everything is read at once; a process that still records is not
 * stopped, and what is read is one moment of each of its threads.
 *
 * On success *ret_recording belongs to the caller, who gives it back with wan_recording_close(). On
 * failure it is untouched and *reterr_error (may be NULL) says what was wrong and what to do.
 *
 * Returns 0, -ENOENT (no such file), -ENODATA (empty file, or a folder without recordings),
 * -EBADMSG (not a recording, or cut inside its header), -ENOTSUP (made by a newer version, or on a
 * machine of the other byte order), -EINVAL (no path, not a regular file or folder), -EFBIG (more
 * than 512 MiB or 4096 processes), -EACCES, -ENOMEM, or what else the system said.
 * Damage behind a sound header is no failure.
 * Threads: any.   Cost: about 1 ms for each MiB recorded.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_recording_open(const char *path,
					      struct wan_recording **ret_recording,
					      struct wan_error *reterr_error);

/**
 * Open the recording of a process by its pid, living or dead, and with it the other processes of
 * its run. Searched: the default folder ($XDG_STATE_HOME/wanrt or ~/.local/state/wanrt), what
 * WAN_RECORD_PATH names, and the folders one level below.
 *
 * Ownership and errors as wan_recording_open(); -ENOENT also when the process records nothing.
 * Threads: any.   Cost: one small read for each recording in these places.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_recording_attach(uint32_t pid, struct wan_recording **ret_recording,
						struct wan_error *reterr_error);

/**
 * The next operation, in order of start over all processes. Text in *ret_operation is borrowed
 * until wan_recording_close(); at the end and on failure *ret_operation is untouched.
 *
 * Returns 1, 0 (there are no more), -EINVAL (NULL given), -ENOMEM.
 * Threads: one at a time per handle.   Since: 0.1
 */
WAN_API int wan_recording_next(struct wan_recording *recording,
			       struct wan_recording_operation *ret_operation);

/**
 * How many operations were counted whose records are gone, because the ring went round. NULL: 0.
 *
 * Threads: any, while nobody closes it.   Since: 0.1
 */
WAN_API uint64_t wan_recording_skipped(const struct wan_recording *recording);

/**
 * Give a recording and all text borrowed from it back. NULL is fine.
 *
 * Threads: one at a time per handle.   Since: 0.1
 */
WAN_API void wan_recording_close(struct wan_recording *recording);

#ifdef __cplusplus
}
#endif
#endif
