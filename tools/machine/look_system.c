/* SPDX-License-Identifier: MIT */
/* Power, operating system, container. */
#include "machine_parts.h"

#include <dirent.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"
#include "str.h"

static bool supply_is(const char *root, const char *name, const char *file, const char *value)
{
	char path[PATH_MAX], text[64];
	wan_str_format(path, sizeof(path), "/sys/class/power_supply/%s/%s", name, file);
	return machine_read(root, path, text, sizeof(text)) > 0 && strcmp(text, value) == 0;
}

/* The battery of a mouse says nothing about us; a charger that is plugged in decides. */
void machine_look_power(const char *root, struct machine *machine)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool battery = false, discharging = false, mains = false;
	wan_str_format(path, sizeof(path), "%s/sys/class/power_supply", root);
	DIR *folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		const char *name = entry->d_name;
		if (name[0] == '.' || supply_is(root, name, "scope", "Device"))
			continue;
		if (supply_is(root, name, "type", "Battery")) {
			battery = true;
			discharging |= supply_is(root, name, "status", "Discharging");
		} else {
			mains |= supply_is(root, name, "online", "1");
		}
	}
	closedir(folder);
	if (discharging && !mains)
		machine->power = MACHINE_POWER_BATTERY;
	else if (mains || !battery || !discharging)
		machine->power = MACHINE_POWER_MAINS;
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void read_release(const char *root, struct machine *machine)
{
	static const char name[] = "PRETTY_NAME=";
	char text[4096];
	if (machine_read(root, "/etc/os-release", text, sizeof(text)) <= 0 &&
	    machine_read(root, "/usr/lib/os-release", text, sizeof(text)) <= 0)
		return;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!wan_str_starts(line, name))
			continue;
		const char *value = line + sizeof(name) - 1;
		value += *value == '"' || *value == '\'';
		wan_str_format(machine->system, sizeof(machine->system), "%.*s",
			       (int)strcspn(value, "\"'\n"), value);
		return;
	}
}

static void find_container(const char *root, struct machine *machine)
{
	static const struct {
		const char *file, *name;
	} marks[] = {{"/.dockerenv", "docker"},
		     {"/run/.containerenv", "podman"},
		     {"/proc/vz", "openvz"}};
	static const struct {
		const char *part, *name;
	} groups[] = {{"/docker", "docker"},
		      {"/kubepods", "kubernetes"},
		      {"/libpod", "podman"},
		      {"/lxc", "lxc"},
		      {"/containerd", "container"}};
	char *to = machine->container;
	for (size_t i = 0; i < WAN_COUNT_OF(marks) && !to[0]; i++)
		if (machine_exists(root, marks[i].file))
			wan_str_copy(to, sizeof(machine->container), marks[i].name);
	if (!to[0] &&
	    machine_read(root, "/run/systemd/container", to, sizeof(machine->container)) <= 0)
		to[0] = '\0';
	wan_cleanup(wan_freep) char *text =
		to[0] ? NULL : machine_read_whole(root, "/proc/self/cgroup");
	for (size_t i = 0; text && i < WAN_COUNT_OF(groups) && !to[0]; i++)
		if (strstr(text, groups[i].part))
			wan_str_copy(to, sizeof(machine->container), groups[i].name);
	if (!to[0] && (strstr(machine->kernel, "icrosoft") || strstr(machine->kernel, "WSL")))
		wan_str_copy(to, sizeof(machine->container), "wsl");
}

void machine_look_system(const char *root, struct machine *machine)
{
	struct utsname name;
	if (uname(&name) == 0)
		wan_str_format(machine->kernel, sizeof(machine->kernel), "%s %s %s", name.sysname,
			       name.release, name.machine);
	wan_str_format(machine->libc, sizeof(machine->libc), "glibc %s", gnu_get_libc_version());
	read_release(root, machine);
	find_container(root, machine);
}
