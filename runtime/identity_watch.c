/* SPDX-License-Identifier: MIT */
/*
 * Being told by the kernel. A path is watched folder by folder, links followed by hand: each folder
 * is watched before the next name is looked up in it, so that whatever changes on the way is either
 * seen by the walk or told afterwards.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "alloc.h"
#include "atomics.h"
#include "cleanup.h"
#include "identity_state.h"
#include "log.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

#define FOLDER_MASK                                                                                \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |        \
	 IN_MOVE_SELF | IN_DONT_FOLLOW | IN_ONLYDIR)
/* IN_CLOSE_WRITE: who writes through a mapping is noticed when it has unmapped and closed. */
#define FILE_MASK                                                                                  \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW)
#define REST_NS ((uint64_t)10 * 1000000000) /* after the kernel has refused us */

static const char *const reasons[WAN_UNWATCHED_KINDS] = {
	[WAN_UNWATCHED_REFUSED] = "inotify is refused",
	[WAN_UNWATCHED_LIMIT] = "fs.inotify.max_user_watches is reached",
	[WAN_UNWATCHED_REMOTE] = "network file systems tell no changes",
	[WAN_UNWATCHED_UNREADABLE] = "a folder on the way may not be read",
	[WAN_UNWATCHED_LONG] = "the path has too many folders and links",
};

static void note_unwatched(struct wan_identity *identity, enum wan_unwatched why)
{
	wan_identity_lock(identity);
	bool news = !(identity->said & 1u << why);
	identity->said |= 1u << why;
	wan_str_copy(identity->reason, sizeof(identity->reason), reasons[why]);
	if (why == WAN_UNWATCHED_REFUSED || why == WAN_UNWATCHED_LIMIT)
		identity->rest_ns = wan_identity_now_ns(identity) + REST_NS;
	wan_identity_unlock(identity);
	if (news)
		wan_log(WAN_LOG_INFO, "%s: such files are looked at %s", reasons[why],
			identity->options.mode == WAN_IDENTITY_INOTIFY ? "each time"
								       : "every 100 ms");
}

/* --- the descriptor --- */

static int open_locked(struct wan_identity *identity) WAN_REQUIRES(&identity->lock)
{
	if (identity->fd >= 0)
		return 0;
	int fd = wan_sys->inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -errno;
	int wd = wan_sys->inotify_add_watch(fd, "/", FOLDER_MASK);
	bool made;
	uint32_t root = wd < 0 ? WAN_NONE : wan_watch_for(&identity->table, wd, &made);
	if (root == WAN_NONE) {
		int code = wd < 0 ? -errno : -ENOSPC;
		wan_sys->close(fd);
		return code;
	}
	identity->root_wd = wd;
	identity->root = root;
	wan_store_release(&identity->fd, fd);
	return 0;
}

/* A program may close descriptors it does not know, and the number may be somebody else's now: the
 * root folder is asked for again and must have the number it had. */
static bool is_ours_locked(struct wan_identity *identity) WAN_REQUIRES(&identity->lock)
{
	int wd = wan_sys->inotify_add_watch(identity->fd, "/", FOLDER_MASK);
	return wd < 0 ? errno != EBADF && errno != EINVAL : wd == identity->root_wd;
}

static void lose_locked(struct wan_identity *identity) WAN_REQUIRES(&identity->lock)
{
	wan_store_release(&identity->fd, -1);
	wan_identity_watches_lost(&identity->table);
	wan_watch_unref(&identity->table, identity->root);
}

bool wan_identity_check_descriptor(struct wan_identity *identity)
{
	wan_identity_lock(identity);
	bool ours = identity->fd >= 0 && is_ours_locked(identity);
	if (!ours && identity->fd >= 0)
		lose_locked(identity);
	wan_identity_unlock(identity);
	return ours;
}

/* Nobody else is there: at the end, or in the child of a fork. */
void wan_identity_close(struct wan_identity *identity) WAN_NO_ANALYSIS
{
	if (identity->fd >= 0 && is_ours_locked(identity))
		wan_sys->close(identity->fd);
	wan_store_relaxed(&identity->fd, -1);
}

bool wan_identity_pending(struct wan_identity *identity)
{
	/* Pairs with the release in open_locked(). */
	int fd = wan_load_acquire(&identity->fd), bytes = 0;
	return fd >= 0 && (wan_sys->ioctl(fd, FIONREAD, &bytes) != 0 || bytes != 0);
}

static void apply_locked(struct wan_identity *identity, const char *bytes, size_t count,
			 struct wan_file_keys **gone) WAN_REQUIRES(&identity->lock)
{
	for (size_t at = 0; at + sizeof(struct inotify_event) <= count;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		identity->events++;
		identity->overflows += (event->mask & IN_Q_OVERFLOW) != 0;
		wan_identity_apply(&identity->table, event, gone);
		at += sizeof(*event) + event->len;
	}
}

void wan_identity_drain(struct wan_identity *identity)
{
	_Alignas(struct inotify_event) char bytes[4096];
	struct wan_file_keys *gone = NULL;
	wan_identity_lock(identity);
	bool more = identity->fd >= 0;
	if (more && !is_ours_locked(identity)) {
		lose_locked(identity);
		more = false;
	}
	wan_hot_forget(&identity->table.hot); /* before the queue is empty */
	while (more) {
		ssize_t count = wan_sys->read(identity->fd, bytes, sizeof(bytes));
		if (count > 0)
			apply_locked(identity, bytes, (size_t)count, &gone);
		else if (count == 0 || errno == EAGAIN)
			more = false;
		else if (errno != EINTR) {
			wan_sys->close(identity->fd);
			lose_locked(identity);
			more = false;
		}
	}
	wan_identity_unlock(identity);
	wan_identity_tell(identity, gone);
}

/* --- the way of a path --- */

struct walk {
	struct wan_identity *identity;
	struct wan_look *look;
	char prefix[PATH_MAX]; /* without links; "" is the root folder */
	char rest[PATH_MAX];
	char link[PATH_MAX];
	unsigned links;
	enum wan_unwatched why;
};

static bool is_remote(const char *path)
{
	static const uint32_t kinds[] = {
		0x6969,     0x517b,     0xff534d42, 0xfe534d42, /* nfs, smb, cifs, smb2 */
		0x65735546, 0x01021997, 0x00c36400, 0x5346414f, /* fuse, 9p, ceph, afs */
		0x73757245, 0x0bd00bd0, 0x47504653, 0x7461636f, /* coda, lustre, gpfs, ocfs2 */
		0x01161970, 0x564c,     0x786f4256,             /* gfs2, ncp, vboxsf */
	};
	struct statfs info;
	if (wan_sys->statfs(path, &info) != 0)
		return true;
	for (size_t i = 0; i < WAN_COUNT_OF(kinds); i++)
		if ((uint32_t)info.f_type == kinds[i])
			return true;
	return false;
}

static int step_take_locked(struct wan_identity *identity, struct walk *walk, int wd, bool *ret_new)
	WAN_REQUIRES(&identity->lock)
{
	struct wan_look *look = walk->look;
	struct wan_identity_table *table = &identity->table;
	uint32_t at = wan_watch_for(table, wd, ret_new);
	if (at == WAN_NONE)
		return -ENOSPC;
	for (uint32_t i = 0; i < look->step_count; i++) {
		if (look->steps[i] == at) { /* two links in one folder */
			wan_watch_unref(table, at);
			return (int)at;
		}
	}
	if (look->step_count == WAN_PATH_STEPS_MAX) {
		wan_watch_unref(table, at);
		walk->why = WAN_UNWATCHED_LONG;
		return -ENAMETOOLONG;
	}
	look->events += table->watches[at].events;
	look->file_events = table->watches[at].events + table->epoch;
	look->steps[look->step_count++] = (uint16_t)at;
	return (int)at;
}

/* Watches what path names itself and adds it to the steps. name: what will be looked up in it. */
static int watch_step(struct walk *walk, const char *path, uint32_t mask, const char *name)
{
	struct wan_identity *identity = walk->identity;
	for (unsigned tries = 0; tries < 8; tries++) {
		uint64_t forgotten;
		bool made = false;
		wan_identity_lock(identity);
		forgotten = identity->table.forgotten;
		int fd = identity->fd;
		wan_identity_unlock(identity);
		if (fd < 0)
			return -EAGAIN;
		int wd = wan_sys->inotify_add_watch(fd, path, mask);
		if (wd < 0) {
			walk->why = errno == ENOSPC || errno == ENOMEM ? WAN_UNWATCHED_LIMIT
								       : WAN_UNWATCHED_UNREADABLE;
			return -errno;
		}
		wan_identity_lock(identity);
		/* A watch that was forgotten meanwhile may have been this very one. */
		bool valid = identity->table.forgotten == forgotten && identity->fd == fd;
		int at = valid ? step_take_locked(identity, walk, wd, &made) : -EAGAIN;
		if (at >= 0 && name)
			identity->table.watches[at].names |= wan_name_bit(name);
		wan_identity_unlock(identity);
		if (at >= 0 && made && name && is_remote(path)) {
			walk->why = WAN_UNWATCHED_REMOTE;
			return -EREMOTE;
		}
		if (at != -EAGAIN)
			return at < 0 ? at : 0;
	}
	return -EAGAIN;
}

static int append(struct walk *walk, const char *name)
{
	size_t length = strlen(walk->prefix), more = strlen(name);
	if (length + 1 + more >= sizeof(walk->prefix)) {
		walk->why = WAN_UNWATCHED_LONG;
		return -ENAMETOOLONG;
	}
	walk->prefix[length] = '/';
	memcpy(walk->prefix + length + 1, name, more + 1);
	return 0;
}

static void leave(struct walk *walk)
{
	char *slash = strrchr(walk->prefix, '/');
	if (slash)
		*slash = '\0';
}

/* The target of a link goes in front of what is left. */
static int follow(struct walk *walk, size_t link_length, const char *left)
{
	size_t left_length = strlen(left);
	if (++walk->links > 40 || link_length + 1 + left_length >= sizeof(walk->rest)) {
		walk->why = WAN_UNWATCHED_LONG;
		return -ELOOP;
	}
	memmove(walk->rest + link_length + 1, left, left_length + 1);
	memcpy(walk->rest, walk->link, link_length);
	walk->rest[link_length] = '/';
	leave(walk); /* a relative target begins in the folder of the link */
	if (walk->link[0] == '/')
		walk->prefix[0] = '\0';
	return 0;
}

/* One name in the folder prefix; *at moves behind it. */
static int walk_name(struct walk *walk, const char *name, const char **at)
{
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		leave(walk);
		return 0;
	}
	const char *folder = walk->prefix[0] ? walk->prefix : "/";
	int r = watch_step(walk, folder, FOLDER_MASK, name);
	if (r == 0)
		r = append(walk, name);
	if (r < 0)
		return r;
	ssize_t length = wan_sys->readlink(walk->prefix, walk->link, sizeof(walk->link) - 1);
	if (length < 0)
		return errno == EINVAL ? 0 : -errno; /* EINVAL: no link */
	r = follow(walk, (size_t)length, *at);
	*at = walk->rest;
	return r;
}

static int walk_path(struct walk *walk)
{
	walk->prefix[0] = '\0';
	const char *at = walk->rest;
	while (*at) {
		char name[NAME_MAX + 1];
		size_t length = strcspn(at, "/");
		if (length == 0) {
			at++;
			continue;
		}
		if (length > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, at, length);
		name[length] = '\0';
		at += length;
		int r = walk_name(walk, name, &at);
		if (r < 0)
			return r;
	}
	return watch_step(walk, walk->prefix[0] ? walk->prefix : "/", FILE_MASK, NULL);
}

void wan_identity_unwatch(struct wan_identity *identity, struct wan_look *look)
{
	wan_identity_lock(identity);
	for (uint32_t i = 0; i < look->step_count; i++)
		wan_watch_unref(&identity->table, look->steps[i]);
	wan_identity_unlock(identity);
	look->step_count = 0;
}

static bool may_watch(struct wan_identity *identity, int *ret_code)
{
	wan_identity_lock(identity);
	bool rests = wan_identity_now_ns(identity) < identity->rest_ns;
	*ret_code = rests ? -EAGAIN : open_locked(identity);
	wan_identity_unlock(identity);
	return *ret_code == 0;
}

int wan_identity_watch(struct wan_identity *identity, struct wan_look *look)
{
	int r;
	if (!may_watch(identity, &r)) {
		if (r != -EAGAIN)
			note_unwatched(identity,
				       r == -ENOSPC ? WAN_UNWATCHED_LIMIT : WAN_UNWATCHED_REFUSED);
		return r;
	}
	wan_cleanup(wan_freep) struct walk *walk = wan_malloc(sizeof(*walk));
	size_t length = strlen(look->path);
	if (!walk || length >= sizeof(walk->rest))
		return walk ? -ENAMETOOLONG : -ENOMEM;
	/* Somebody who moves folders about may disturb a walk, but not for ever. */
	for (unsigned tries = 0; tries < 3; tries++) {
		walk->identity = identity;
		walk->look = look;
		walk->links = 0;
		walk->why = WAN_UNWATCHED_UNREADABLE;
		memcpy(walk->rest, look->path, length + 1);
		wan_identity_lock(identity);
		look->events = identity->table.epoch;
		wan_identity_unlock(identity);
		r = walk_path(walk);
		if (r == 0)
			return 0;
		wan_identity_unwatch(identity, look);
		if (r != -EAGAIN && r != -ENOENT && r != -ENOTDIR)
			break;
	}
	note_unwatched(identity, walk->why);
	return r;
}
