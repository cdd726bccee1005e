/* SPDX-License-Identifier: MIT */
/* All of a machine, and the small files it is told in. */
#include "machine_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

int machine_read(const char *root, const char *path, char *to, size_t bytes)
{
	char full[PATH_MAX];
	if (strlen(root) + strlen(path) >= sizeof(full))
		return -ENAMETOOLONG;
	wan_str_format(full, sizeof(full), "%s%s", root, path);
	int length = wan_procfs_read(full, to, bytes);
	while (length > 0 && (to[length - 1] == '\n' || to[length - 1] == ' '))
		to[--length] = '\0';
	return length;
}

int machine_read_u64(const char *root, const char *path, uint64_t *ret_value)
{
	char text[64];
	int length = machine_read(root, path, text, sizeof(text));
	return length < 0 ? length : wan_parse_u64(text, ret_value);
}

char *machine_read_whole(const char *root, const char *path)
{
	char full[PATH_MAX];
	wan_str_format(full, sizeof(full), "%s%s", root, path);
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(full, O_RDONLY | O_CLOEXEC, 0);
	char *text = fd < 0 ? NULL : wan_malloc(WAN_MIB);
	ssize_t got = text ? wan_read_full(fd, text, WAN_MIB - 1) : -1;
	if (got < 0) {
		wan_free(text);
		return NULL;
	}
	text[got] = '\0';
	return text;
}

bool machine_exists(const char *root, const char *path)
{
	char full[PATH_MAX];
	struct stat status;
	wan_str_format(full, sizeof(full), "%s%s", root, path);
	return wan_sys->stat(full, &status) == 0;
}

void machine_look(const struct machine_request *request, struct machine *ret_machine)
{
	static const struct machine_request light = {0};
	const struct machine_request *asked = request ? request : &light;
	const char *root = asked->root ? asked->root : "";
	*ret_machine = (struct machine){
		.memory_limit_bytes = MACHINE_UNLIMITED,
		.disk.rotational = -1,
	};
	ret_machine->proc_readable = machine_exists(root, "/proc/self");
	machine_look_cpu(root, ret_machine);
	machine_look_quota(root, ret_machine);
	machine_look_memory(root, ret_machine);
	if (asked->gpus)
		asked->gpus(asked->context, root, &ret_machine->gpus);
	if (asked->disk)
		machine_look_disk(root, asked->disk, &ret_machine->disk);
	if (asked->system) {
		machine_look_power(root, ret_machine);
		machine_look_system(root, ret_machine);
	}
}
