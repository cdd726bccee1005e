/* SPDX-License-Identifier: MIT */
/* The disk that a folder lies on. */
#include "machine_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

/* The folder, or the nearest one above it that is there. */
static bool find_existing(const char *path, char *to, size_t bytes, struct stat *ret_status)
{
	if (!wan_str_copy(to, bytes, path))
		return false;
	while (wan_sys->stat(to, ret_status) < 0) {
		char *slash = strrchr(to, '/');
		if (!slash)
			return wan_sys->stat(strcpy(to, "."), ret_status) == 0;
		slash[slash == to] = '\0';
		if (slash == to && wan_sys->stat(to, ret_status) < 0)
			return false;
	}
	return true;
}

/* The next word of a line of mountinfo. */
static const char *take_word(const char **line, size_t *ret_length)
{
	*line += strspn(*line, " ");
	const char *word = *line;
	*ret_length = strcspn(word, " \n");
	*line += *ret_length;
	return word;
}

/* Type and source of what is mounted as that device number. */
static void find_mount(const char *mounts, const char *number, struct machine_disk *disk)
{
	for (const char *line = mounts; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *at = line, *word;
		size_t length;
		take_word(&at, &length);
		take_word(&at, &length);
		word = take_word(&at, &length);
		if (length != strlen(number) || memcmp(word, number, length) != 0)
			continue;
		const char *dash = strstr(line, " - ");
		if (!dash || dash > line + strcspn(line, "\n"))
			continue;
		at = dash + 3;
		word = take_word(&at, &length);
		wan_str_format(disk->file_system, sizeof(disk->file_system), "%.*s", (int)length,
			       word);
		word = take_word(&at, &length);
		wan_str_format(disk->device, sizeof(disk->device), "%.*s", (int)length, word);
		return;
	}
}

static void look_at_device(const char *root, unsigned number_major, unsigned number_minor,
			   struct machine_disk *disk)
{
	static const char *const queues[] = {"queue", "../queue"}; /* of a disk, of a partition */
	char path[128];
	uint64_t rotational;
	for (size_t i = 0; i < WAN_COUNT_OF(queues) && disk->rotational < 0; i++) {
		wan_str_format(path, sizeof(path), "/sys/dev/block/%u:%u/%s/rotational",
			       number_major, number_minor, queues[i]);
		if (machine_read_u64(root, path, &rotational) == 0)
			disk->rotational = rotational != 0;
	}
}

/* A pool of disks (btrfs) has a number of its own: then the device it was mounted from counts. */
static void look_at_source(const char *root, struct machine_disk *disk)
{
	char path[PATH_MAX];
	struct stat status;
	if (disk->rotational >= 0 || disk->device[0] != '/')
		return;
	wan_str_format(path, sizeof(path), "%s%s", root, disk->device);
	if (wan_sys->stat(path, &status) == 0 && S_ISBLK(status.st_mode))
		look_at_device(root, major(status.st_rdev), minor(status.st_rdev), disk);
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (wan_str_starts(name, *names))
			return true;
	return false;
}

void machine_look_disk(const char *root, const char *path, struct machine_disk *ret_disk)
{
	static const char *const in_memory[] = {"tmpfs", "ramfs", NULL};
	static const char *const by_network[] = {"nfs",  "cifs",      "smb", "fuse.sshfs", "9p",
						 "ceph", "glusterfs", "afs", NULL};
	static const char *const virtual_disks[] = {"/dev/vd", "/dev/xvd", NULL};
	char folder[PATH_MAX], number[32];
	struct stat status;
	struct statvfs space;
	*ret_disk = (struct machine_disk){.rotational = -1};
	if (!find_existing(path, folder, sizeof(folder), &status) || statvfs(folder, &space) < 0)
		return;
	ret_disk->known = true;
	ret_disk->total_bytes = (uint64_t)space.f_blocks * space.f_frsize;
	ret_disk->free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	ret_disk->read_only = space.f_flag & ST_RDONLY;
	wan_str_format(number, sizeof(number), "%u:%u", major(status.st_dev), minor(status.st_dev));
	wan_cleanup(wan_freep) char *mounts = machine_read_whole(root, "/proc/self/mountinfo");
	if (mounts)
		find_mount(mounts, number, ret_disk);
	ret_disk->memory = is_one_of(ret_disk->file_system, in_memory);
	ret_disk->network = is_one_of(ret_disk->file_system, by_network);
	look_at_device(root, major(status.st_dev), minor(status.st_dev), ret_disk);
	look_at_source(root, ret_disk);
	/* Virtual disks say they turn, whatever is under them. */
	if (ret_disk->rotational == 1 && is_one_of(ret_disk->device, virtual_disks))
		ret_disk->rotational = -1;
}
