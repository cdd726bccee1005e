/* SPDX-License-Identifier: MIT */
/** The runtime: one object that wires cache, memory manager, progress monitor and profiler. */
#ifndef WAN_RUNTIME_H
#define WAN_RUNTIME_H

#include <stdbool.h>
#include "wan/cache.h"
#include "wan/config.h"
#include "wan/image.h"
#include "wan/memory.h"
#include "wan/profile.h"
#include "wan/progress.h"
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_runtime;

struct wan_runtime_options {
	size_t struct_size;
	const struct wan_setting *settings; /**< win over environment and files; borrowed for the call */
	uint32_t setting_count;
	bool ignore_files;	 /**< default false: project and XDG files are read */
	bool ignore_environment; /**< default false */
	bool no_thread;		 /**< default false: one background thread */
};

WAN_API void wan_runtime_options_init(struct wan_runtime_options *options);
WAN_API WAN_MUST_CHECK int wan_runtime_create(const struct wan_runtime_options *options,
					      struct wan_runtime **ret_runtime,
					      struct wan_error *reterr_error);
WAN_API struct wan_runtime *wan_runtime_ref(struct wan_runtime *runtime);
WAN_API void wan_runtime_unref(struct wan_runtime *runtime);
/** One object for all callers, created at first use with the configuration; borrowed, never freed.
 *  NULL when memory is out. */
WAN_API struct wan_runtime *wan_runtime_default(void);

/** Parts; borrowed, live as long as the runtime. */
WAN_API struct wan_cache *wan_runtime_cache(struct wan_runtime *runtime);
WAN_API struct wan_memory *wan_runtime_memory(struct wan_runtime *runtime);
WAN_API struct wan_progress *wan_runtime_progress(struct wan_runtime *runtime);
WAN_API struct wan_profile *wan_runtime_profile(struct wan_runtime *runtime);

struct wan_runtime_summary {
	size_t struct_size;
	struct wan_cache_stats cache_performance;
	struct wan_progress_summary monitoring_performance;
	struct wan_memory_state memory;
	uint64_t operations;
	bool enabled, profiling_active, monitoring_active;
	uint64_t actions; /**< limits changed by alerts or memory levels */
};
WAN_API void wan_runtime_summary(struct wan_runtime *runtime, struct wan_runtime_summary *summary);
/** cache, memory, progress, profiler in one JSON document (the profile of design: schema_version 1). */
WAN_API WAN_MUST_CHECK int wan_runtime_export_json(struct wan_runtime *runtime, const char *path,
						   bool overwrite, struct wan_error *reterr_error);
/** Where this process records, or NULL; borrowed. */
WAN_API const char *wan_runtime_dump_path(struct wan_runtime *runtime);

/** Cached, priced, profiled decode: probe > key > cache > reserve > decode > cache. The image is
 *  borrowed from the pin. */
WAN_API WAN_MUST_CHECK int wan_load(struct wan_runtime *runtime, const char *path,
				    const struct wan_decode_options *options, struct wan_pin **ret_pin,
				    bool *ret_hit, struct wan_error *reterr_error);
/** The image inside a pin made by wan_load(), wan_thumbnail(), wan_fit(), wan_tensor(). */
WAN_API struct wan_image *wan_pin_image(const struct wan_pin *pin);
/** Cached derived images of a file. */
WAN_API WAN_MUST_CHECK int wan_thumbnail(struct wan_runtime *runtime, const char *path,
					 uint32_t max_width_px, uint32_t max_height_px,
					 struct wan_pin **ret_pin, bool *ret_hit,
					 struct wan_error *reterr_error);
WAN_API WAN_MUST_CHECK int wan_fit(struct wan_runtime *runtime, const char *path, uint32_t width_px,
				   uint32_t height_px, enum wan_fit fit, enum wan_filter filter,
				   struct wan_pin **ret_pin, bool *ret_hit,
				   struct wan_error *reterr_error);
WAN_API WAN_MUST_CHECK int wan_tensor(struct wan_runtime *runtime, const char *path, uint32_t width_px,
				      uint32_t height_px, enum wan_fit fit, enum wan_filter filter,
				      struct wan_pin **ret_pin, bool *ret_hit,
				      struct wan_error *reterr_error);
/** Cached "image_validation" of a file. */
WAN_API WAN_MUST_CHECK int wan_validate(struct wan_runtime *runtime, const char *path,
					struct wan_image_info *ret_info, struct wan_verdict *ret_verdict,
					bool *ret_hit, struct wan_error *reterr_error);

#ifdef __cplusplus
}
#endif
#endif
