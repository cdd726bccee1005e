/* SPDX-License-Identifier: MIT */
/*
 * The effective configuration: default < XDG file < project file < environment; options of the
 * caller are set on top with wan_config_set(). Files: $XDG_CONFIG_HOME/wanrt/wanrt.conf (or
 * ~/.config/wanrt/wanrt.conf) and ./wanrt.conf. Lines are "key = value", "[section]" puts
 * "section." before the keys that follow, # and ; begin a comment.
 */
#ifndef WAN_RUNTIME_CONFIG_LOAD_H
#define WAN_RUNTIME_CONFIG_LOAD_H

#include "config.h"

struct wan_config_sources {
	bool ignore_files;
	bool ignore_environment;
};

/* origins: WAN_CONFIG_KEY_COUNT entries or NULL. 0, or the first error in a file: -ENOENT (unknown
 * key), -EBADMSG, -ERANGE, -EFBIG (over 64 KiB); the error names file and line. A missing file is
 * none. */
int wan_config_load(struct wan_config *config, const struct wan_config_sources *sources,
		    enum wan_origin *origins, struct wan_error *reterr_error);
/* Apply the lines of one file's text; name is for messages. Modifies text. Pure. */
int wan_config_apply_text(struct wan_config *config, char *text, const char *name,
			  enum wan_origin origin, enum wan_origin *origins,
			  struct wan_error *reterr_error);

#endif
