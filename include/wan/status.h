/* SPDX-License-Identifier: MIT */
/**
 * Vocabulary shared by all public headers: visibility, errors, version, log.
 *
 * Every function returns 0 or a positive answer on success and a negative errno value on failure.
 * A ret_ parameter is written on success only, a reterr_ parameter on failure only (NULL allowed).
 */
#ifndef WAN_STATUS_H
#define WAN_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WAN_API        __attribute__((visibility("default")))
#define WAN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define WAN_API
#define WAN_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define WAN_VERSION_MAJOR 0
#define WAN_VERSION_MINOR 2
#define WAN_VERSION_PATCH 0

/** What went wrong, for a person: "OBJECT: REASON; HINT". Fixed buffers, nothing to free. */
struct wan_error {
	int code;         /**< negative errno */
	char object[256]; /**< the file, key, option or number concerned */
	char reason[256]; /**< one sentence */
	char hint[256];   /**< the next step; may be empty */
};

enum wan_log_level {
	WAN_LOG_ERROR,
	WAN_LOG_WARNING,
	WAN_LOG_INFO,
	WAN_LOG_DEBUG,
};

/** Text of a negative errno as this library means it. Never NULL. Threads: any. Since: 0.1 */
WAN_API const char *wan_strerror(int code);
/** "0.2.0". Threads: any. Since: 0.1 */
WAN_API const char *wan_version(void);
/**
 * Receive the library's messages; NULL (the default) drops them. The callback may be called from
 * any thread, must not call back into the library, and text is borrowed for the call.
 * Threads: before start. Since: 0.1
 */
WAN_API void wan_set_log(void (*callback)(void *context, enum wan_log_level level,
					  const char *text),
			 void *context);

#ifdef __cplusplus
}
#endif
#endif
