/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "log.h"
#include "str.h"
#include "sys.h"

#define CONFIG_FILE_BYTES_MAX (64 * 1024)

static char *trim(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	char *end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

static int line_error(struct wan_error *error, int code, const char *name, unsigned line,
		      const char *reason, const char *hint)
{
	char object[256];
	wan_str_format(object, sizeof(object), "%s:%u", name, line);
	return wan_error_set(error, code, object, hint, "%s", reason);
}

static int apply_setting(struct wan_config *config, const char *section, char *setting,
			 const char *name, unsigned line, enum wan_origin origin,
			 enum wan_origin *origins, struct wan_error *reterr_error)
{
	char *equals = strchr(setting, '=');
	if (!equals)
		return line_error(reterr_error, -EBADMSG, name, line, "is not \"key = value\"",
				  "write for example: cache.limit = 256M");
	*equals = '\0';
	const char *key_text = trim(setting);
	char key[128];
	if (wan_str_format(key, sizeof(key), "%s%s%s", section, *section ? "." : "", key_text) >=
	    sizeof(key) - 1)
		return line_error(reterr_error, -ENOENT, name, line, "has a key of absurd length",
				  "see: wanprof config");

	struct wan_error inner = {0};
	int r = wan_config_set(config, key, trim(equals + 1), &inner);
	if (r < 0) {
		char reason[256];
		wan_str_format(reason, sizeof(reason), "%s: %s", key, inner.reason);
		return line_error(reterr_error, r, name, line, reason, inner.hint);
	}
	const struct wan_key_info *info = wan_key_find(key, NULL);
	for (unsigned i = 0; origins && i < WAN_CONFIG_KEY_COUNT; i++)
		if (wan_key_info(i) == info)
			origins[i] = origin;
	return 0;
}

int wan_config_apply_text(struct wan_config *config, char *text, const char *name,
			  enum wan_origin origin, enum wan_origin *origins,
			  struct wan_error *reterr_error)
{
	char section[64] = "";
	unsigned line = 0;
	for (char *next = text; next;) {
		char *at = next;
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		line++;
		at = trim(at);
		if (*at == '\0' || *at == '#' || *at == ';')
			continue;
		if (*at == '[') {
			size_t length = strlen(at);
			if (at[length - 1] != ']' || length - 2 >= sizeof(section))
				return line_error(reterr_error, -EBADMSG, name, line,
						  "is no [section]", "close it with ]");
			at[length - 1] = '\0';
			wan_str_copy(section, sizeof(section), trim(at + 1));
			continue;
		}
		int r = apply_setting(config, section, at, name, line, origin, origins,
				      reterr_error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_file(struct wan_config *config, const char *path, enum wan_origin origin,
		      enum wan_origin *origins, struct wan_error *reterr_error)
{
	/* O_NONBLOCK: a FIFO of that name must not stop the program. */
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return 0; /* none, or not for us to read: as if it were not there */
	struct stat info;
	if (wan_sys->fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
		return 0;
	if (info.st_size > CONFIG_FILE_BYTES_MAX)
		return wan_error_set(reterr_error, -EFBIG, path,
				     "remove what does not belong there",
				     "is larger than a configuration file may be (64 KiB)");

	wan_cleanup(wan_freep) char *text = wan_malloc(CONFIG_FILE_BYTES_MAX + 1);
	if (!text)
		return wan_error_set(reterr_error, -ENOMEM, path, "", "out of memory");
	ssize_t length = wan_read_full(fd, text, CONFIG_FILE_BYTES_MAX);
	if (length < 0)
		return wan_error_set(reterr_error, (int)length, path, "", "cannot be read");
	text[length] = '\0';
	if (strlen(text) != (size_t)length)
		return wan_error_set(reterr_error, -EBADMSG, path, "it must be plain text",
				     "contains a zero byte");
	return wan_config_apply_text(config, text, path, origin, origins, reterr_error);
}

static bool xdg_file(char *to, size_t bytes)
{
	const char *base = secure_getenv("XDG_CONFIG_HOME");
	if (base && *base == '/')
		return wan_str_format(to, bytes, "%s/wanrt/wanrt.conf", base) < bytes - 1;
	base = secure_getenv("HOME");
	return base && *base == '/' &&
	       wan_str_format(to, bytes, "%s/.config/wanrt/wanrt.conf", base) < bytes - 1;
}

int wan_config_load(struct wan_config *config, const struct wan_config_sources *sources,
		    enum wan_origin *origins, struct wan_error *reterr_error)
{
	wan_config_defaults(config);
	for (unsigned i = 0; origins && i < WAN_CONFIG_KEY_COUNT; i++)
		origins[i] = WAN_ORIGIN_DEFAULT;
	if (!sources || !sources->ignore_files) {
		char path[PATH_MAX];
		int r = 0;
		if (xdg_file(path, sizeof(path)))
			r = apply_file(config, path, WAN_ORIGIN_XDG_FILE, origins, reterr_error);
		if (r == 0)
			r = apply_file(config, "wanrt.conf", WAN_ORIGIN_PROJECT_FILE, origins,
				       reterr_error);
		if (r < 0)
			return r;
	}
	if (!sources || !sources->ignore_environment)
		wan_config_environment(config, origins);
	return 0;
}
