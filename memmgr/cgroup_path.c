/* SPDX-License-Identifier: MIT */
#include "cgroup_path.h"

#include <errno.h>
#include <string.h>

struct span {
	const char *at;
	size_t length;
};

static bool span_is(struct span span, const char *text)
{
	return span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

/* Next piece of *text up to one of the separators or the end of the line. */
static struct span take(const char **text, char separator)
{
	struct span span = {.at = *text};
	while (**text && **text != '\n' && **text != separator)
		(*text)++;
	span.length = (size_t)(*text - span.at);
	if (**text == separator)
		(*text)++;
	return span;
}

static void skip_line(const char **text)
{
	while (**text && **text != '\n')
		(*text)++;
	if (**text == '\n')
		(*text)++;
}

/* Whether word is one of the comma-separated pieces. */
static bool list_has(struct span list, const char *word)
{
	const char *end = list.at + list.length;
	for (const char *at = list.at; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct span piece = {at, (size_t)((comma ? comma : end) - at)};
		if (span_is(piece, word))
			return true;
		at = comma ? comma + 1 : end;
	}
	return false;
}

static bool is_octal(const char *at)
{
	return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' &&
	       at[2] <= '7';
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static int unescape(struct span span, char *to, size_t bytes)
{
	size_t out = 0;
	for (size_t i = 0; i < span.length; i++) {
		char c = span.at[i];
		if (c == '\\' && span.length - i > 3 && is_octal(span.at + i + 1)) {
			c = (char)((span.at[i + 1] - '0') << 6 | (span.at[i + 2] - '0') << 3 |
				   (span.at[i + 3] - '0'));
			i += 3;
		}
		if (!c)
			return -EBADMSG;
		if (out + 1 >= bytes)
			return -ENAMETOOLONG;
		to[out++] = c;
	}
	to[out] = '\0';
	return 0;
}

/* Line "ID:controllers:path": the unified tree is "0::path". */
static int find_name(const char *text, bool v2, const char *controller, char *to, size_t bytes)
{
	while (*text) {
		struct span id = take(&text, ':');
		struct span controllers = take(&text, ':');
		struct span path = {.at = text};
		skip_line(&text);
		path.length = (size_t)(text - path.at);
		if (path.length && path.at[path.length - 1] == '\n')
			path.length--;
		bool match = v2 ? span_is(id, "0") && !controllers.length
				: list_has(controllers, controller);
		if (!match || !path.length || path.at[0] != '/')
			continue;
		if (path.length >= bytes)
			return -ENAMETOOLONG;
		memcpy(to, path.at, path.length);
		to[path.length] = '\0';
		return 0;
	}
	return -ENOENT;
}

/* The part of name below root, or NULL when the mount shows another part of the tree. */
static const char *below(const char *name, const char *root)
{
	if (strcmp(root, "/") == 0)
		return strcmp(name, "/") == 0 ? "" : name;
	size_t length = strlen(root);
	if (strncmp(name, root, length) != 0 || (name[length] && name[length] != '/'))
		return NULL;
	return name + length;
}

/* Whether this mountinfo line is the wanted hierarchy; fills its root and mount point. */
static bool parse_mount(const char **text, bool v2, const char *controller, struct span *ret_root,
			struct span *ret_mount)
{
	for (int i = 0; i < 3; i++) /* id, parent, major:minor */
		take(text, ' ');
	*ret_root = take(text, ' ');
	*ret_mount = take(text, ' ');
	struct span piece;
	do
		piece = take(text, ' ');
	while (piece.length && !span_is(piece, "-"));
	struct span type = take(text, ' ');
	take(text, ' '); /* source */
	struct span options = take(text, ' ');
	skip_line(text);
	if (!ret_mount->length || ret_mount->at[0] != '/')
		return false;
	return v2 ? span_is(type, "cgroup2")
		  : span_is(type, "cgroup") && list_has(options, controller);
}

int wan_cgroup_locate(const char *cgroup_text, const char *mountinfo_text, bool v2,
		      struct wan_cgroup_place *ret_place)
{
	return wan_cgroup_locate_controller(cgroup_text, mountinfo_text, v2, "memory", ret_place);
}

int wan_cgroup_locate_controller(const char *cgroup_text, const char *mountinfo_text, bool v2,
				 const char *controller, struct wan_cgroup_place *ret_place)
{
	struct wan_cgroup_place *place = ret_place;
	int status = find_name(cgroup_text, v2, controller, place->name, sizeof(place->name));
	if (status < 0)
		return status;
	/* "/.." means outside of our namespace: only what is mounted can be seen. */
	bool outside = strncmp(place->name, "/..", 3) == 0;
	bool found = false;
	char root[4096], mount[4096];
	const char *text = mountinfo_text;
	while (*text) {
		struct span root_span, mount_span;
		if (!parse_mount(&text, v2, controller, &root_span, &mount_span) ||
		    unescape(root_span, root, sizeof(root)) < 0 ||
		    unescape(mount_span, mount, sizeof(mount)) < 0)
			continue;
		const char *rest = outside ? NULL : below(place->name, root);
		if (!rest && found)
			continue; /* keep the first mount as the second best */
		strcpy(place->mount, mount);
		strcpy(place->path, rest ? rest : "");
		found = true;
		if (rest)
			return 0;
	}
	return found ? 0 : -ENOENT;
}
