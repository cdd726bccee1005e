/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "macros.h"
#include "str.h"

struct doctor_check *doctor_add(struct doctor *doctor, enum doctor_group group, const char *id,
				enum doctor_status status, const char *format, ...)
{
	static struct doctor_check overflow;
	struct doctor_check *check =
		doctor->count < DOCTOR_CHECKS_MAX ? &doctor->checks[doctor->count++] : &overflow;
	va_list arguments;
	*check = (struct doctor_check){.id = id, .group = group, .status = status};
	va_start(arguments, format);
	vsnprintf(check->text, sizeof(check->text), format, arguments);
	va_end(arguments);
	return check;
}

void doctor_mend(struct doctor_check *check, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(check->mend, sizeof(check->mend), format, arguments);
	va_end(arguments);
}

void doctor_mend_package(struct doctor_check *check, const char *debian, const char *fedora,
			 const char *arch, const char *suse)
{
	const struct {
		const char *program, *command, *package;
	} managers[] = {
		{"/usr/bin/apt-get", "apt-get install", debian},
		{"/usr/bin/dnf", "dnf install", fedora},
		{"/usr/bin/pacman", "pacman -S", arch},
		{"/usr/bin/zypper", "zypper install", suse},
		{"/sbin/apk", "apk add", arch},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(managers); i++)
		if (access(managers[i].program, X_OK) == 0) {
			doctor_mend(check, "%s %s", managers[i].command, managers[i].package);
			return;
		}
	doctor_mend(check, "install the package %s (its name on Debian)", debian);
}

unsigned doctor_broken(const struct doctor *doctor)
{
	unsigned count = 0;
	for (unsigned i = 0; i < doctor->count; i++)
		count += doctor->checks[i].status == DOCTOR_BROKEN;
	return count;
}
