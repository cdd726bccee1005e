/* SPDX-License-Identifier: MIT */
/* What works here and what does not: a list of checks, each with what mends it. */
#ifndef WAN_TOOLS_DOCTOR_H
#define WAN_TOOLS_DOCTOR_H

#include "machine.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_NOTE,    /* worth knowing; nothing is lost by it */
	DOCTOR_MISSING, /* something optional does not work */
	DOCTOR_BROKEN,  /* something that is needed does not work */
};
enum doctor_group {
	DOCTOR_COMMAND, /* the one that was named */
	DOCTOR_RECORDING,
	DOCTOR_MEMORY,
	DOCTOR_LIBRARIES,
	DOCTOR_MACHINE,
	DOCTOR_GROUPS,
};
enum { DOCTOR_CHECKS_MAX = 64 };

struct doctor_check {
	const char *id; /* never changes */
	enum doctor_group group;
	enum doctor_status status;
	char text[512];
	char mend[512]; /* a command, or words; "" */
};
struct doctor {
	struct machine machine;
	struct doctor_check checks[DOCTOR_CHECKS_MAX];
	unsigned count;
};

/* mend NULL: none. Returns the check, for doctor_mend(). */
struct doctor_check *doctor_add(struct doctor *doctor, enum doctor_group group, const char *id,
				enum doctor_status status, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void doctor_mend(struct doctor_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The command that installs a package on this system: apt-get, dnf, pacman, zypper, apk. */
void doctor_mend_package(struct doctor_check *check, const char *debian, const char *fedora,
			 const char *arch, const char *suse);
unsigned doctor_broken(const struct doctor *doctor);

void doctor_check_recording(struct doctor *doctor);
void doctor_check_memory(struct doctor *doctor);
void doctor_check_libraries(struct doctor *doctor);
void doctor_check_machine(struct doctor *doctor);
/* command: NULL-terminated. */
void doctor_check_command(struct doctor *doctor, char *const *command);

/* Codecs that a file holds itself, where nobody sees them: names, "" none. Pure but for reading. */
void doctor_built_in_codecs(const char *path, char *to, size_t bytes);

#endif
