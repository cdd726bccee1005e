/* SPDX-License-Identifier: MIT */
/*
 * Retention of the default folder: the newest recordings stay. Only recordings with content count;
 * one without goes when its process is gone. A living process keeps its file whatever the limits.
 * Runs when a recording is made, so the usual case (few files, nothing to do) costs one look at
 * each entry; the list lives in a mapping of its own, since the guest's heap is not ours.
 */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "layout.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

#define MOST_ENTRIES 2048
/* A file this young may be one that another process is just making. */
#define YOUNG_NS 60000000000u

struct entry {
	char name[200];
	uint64_t bytes;
	uint64_t time_ns; /* last change */
	bool is_folder, is_link, lives, has_content;
};

struct listing {
	size_t count;
	struct entry entries[MOST_ENTRIES];
};

/* What readers of /proc/sys call a dirent64. */
struct kernel_entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

/* Calls visit for each name of the folder; stops at the first answer other than 0. */
static void for_each_name(int folder, void (*visit)(void *context, int folder, const char *name),
			  void *context)
{
	_Alignas(8) char block[4096];
	long count;
	while ((count = syscall(SYS_getdents64, folder, block, sizeof(block))) > 0) {
		for (long at = 0; at < count;) {
			struct kernel_entry *entry = (struct kernel_entry *)(block + at);
			at += entry->length;
			if (entry->name[0] != '.')
				visit(context, folder, entry->name);
		}
	}
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);
	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* Pid and content by the header, which is right even when somebody renamed the file. */
static void look_inside(int folder, struct entry *entry, const char *name)
{
	struct wan_record_header header;
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (wan_pread_full(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    header.magic != WAN_RECORD_MAGIC)
		return;
	entry->has_content |= header.units > 0;
	entry->lives |= wan_place_lives(header.pid, header.pid_start_ticks);
}

static void sum_member(void *context, int folder, const char *name)
{
	struct entry *entry = context;
	struct stat member;
	if (fstatat(folder, name, &member, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(member.st_mode))
		return;
	entry->bytes += (uint64_t)member.st_blocks * 512;
	look_inside(folder, entry, name);
}

static int open_member_folder(int folder, const char *name)
{
	return wan_sys->openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

static void list_entry(void *context, int folder, const char *name)
{
	struct listing *listing = context;
	struct stat file;
	if (listing->count == MOST_ENTRIES || strlen(name) >= sizeof(listing->entries[0].name) ||
	    !(ends_with(name, ".wprof") || ends_with(name, ".d")) ||
	    fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	struct entry *entry = &listing->entries[listing->count++];
	wan_str_copy(entry->name, sizeof(entry->name), name);
	entry->time_ns =
		(uint64_t)file.st_mtim.tv_sec * 1000000000 + (uint64_t)file.st_mtim.tv_nsec;
	entry->is_folder = S_ISDIR(file.st_mode);
	entry->is_link = S_ISLNK(file.st_mode);
	if (!entry->is_folder)
		entry->bytes = entry->is_link ? 0 : (uint64_t)file.st_blocks * 512;
}

static void examine(int folder, struct entry *entry)
{
	if (entry->is_folder) {
		wan_cleanup(wan_fd_closep) int inside = open_member_folder(folder, entry->name);
		if (inside >= 0)
			for_each_name(inside, sum_member, entry);
		return;
	}
	struct stat target;
	if (entry->is_link && fstatat(folder, entry->name, &target, 0) == 0 &&
	    S_ISDIR(target.st_mode)) {
		entry->has_content = true; /* kept elsewhere: counts, costs nothing */
		return;
	}
	look_inside(folder, entry, entry->name);
}

static void remove_member(void *context, int folder, const char *name)
{
	if (ends_with(name, ".wprof"))
		unlinkat(folder, name, 0);
}

static void remove_entry(int folder, const struct entry *entry)
{
	if (!entry->is_folder) {
		unlinkat(folder, entry->name, 0);
		return;
	}
	wan_cleanup(wan_fd_closep) int inside = open_member_folder(folder, entry->name);
	if (inside < 0)
		return;
	for_each_name(inside, remove_member, NULL);
	unlinkat(folder, entry->name, AT_REMOVEDIR);
}

static struct entry *newest_left(struct listing *listing)
{
	struct entry *newest = NULL;
	for (size_t i = 0; i < listing->count; i++) {
		struct entry *entry = &listing->entries[i];
		if (entry->name[0] && (!newest || entry->time_ns > newest->time_ns))
			newest = entry;
	}
	return newest;
}

static void tidy(int folder, struct listing *listing, uint64_t keep_files, uint64_t keep_bytes)
{
	uint64_t files = 0, bytes = 0;
	for_each_name(folder, list_entry, listing);
	for (size_t i = 0; i < listing->count; i++)
		bytes += listing->entries[i].bytes;
	bool has_folders = false;
	for (size_t i = 0; i < listing->count; i++)
		has_folders |= listing->entries[i].is_folder;
	if (listing->count <= keep_files && bytes <= keep_bytes && !has_folders)
		return;

	bytes = 0;
	for (struct entry *entry; (entry = newest_left(listing)); entry->name[0] = '\0') {
		examine(folder, entry);
		if (entry->lives ||
		    (!entry->has_content && entry->time_ns + YOUNG_NS > wan_realtime_ns())) {
			files += entry->has_content;
			bytes += entry->bytes;
			continue;
		}
		if (!entry->has_content || files + 1 > keep_files ||
		    entry->bytes > keep_bytes - WAN_MIN(bytes, keep_bytes)) {
			remove_entry(folder, entry);
			continue;
		}
		files++;
		bytes += entry->bytes;
	}
}

void wan_place_tidy(uint64_t keep_files, uint64_t keep_bytes)
{
	char path[WAN_PLACE_BYTES];
	int saved = errno;
	if (wan_place_default_folder(path, sizeof(path)) == 0) {
		wan_cleanup(wan_fd_closep) int folder =
			wan_sys->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
		struct listing *listing =
			folder < 0 ? MAP_FAILED
				   : wan_sys->mmap(NULL, sizeof(*listing), PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (listing != MAP_FAILED) {
			tidy(folder, listing, keep_files, keep_bytes);
			wan_sys->munmap(listing, sizeof(*listing));
		}
	}
	errno = saved;
}
