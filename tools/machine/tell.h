/* SPDX-License-Identifier: MIT */
/* What the verbs tier, advise and doctor share: one look, rows on a screen, parts of the JSON. */
#ifndef WAN_TOOLS_MACHINE_TELL_H
#define WAN_TOOLS_MACHINE_TELL_H

#include "json_writer.h"
#include "machine.h"
#include "requirements.h"
#include "screen.h"

/* All of this machine, with the disk of the default place for recordings (or of "."). WANPROF_ROOT
 * names a tree of kernel files instead (tests). */
void tell_look(struct machine *ret_machine);

/* "  label       text", wrapped under the text. */
void tell_row(const struct wan_screen *screen, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A heading, after an empty line. */
void tell_heading(const struct wan_screen *screen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Words about the processor, memory, cards and disk, each in one line. Return to. */
const char *tell_processor(const struct machine *machine, char *to, size_t bytes);
const char *tell_memory(const struct machine *machine, char *to, size_t bytes);
const char *tell_gpu(const struct machine *machine, unsigned index, char *to, size_t bytes);
const char *tell_no_gpu(const struct machine *machine, char *to, size_t bytes);
const char *tell_disk(const struct machine *machine, char *to, size_t bytes);

/* The members of "machine": ... */
void tell_json_machine(struct wan_json *json, const struct machine *machine);
void tell_json_range(struct wan_json *json, const char *key, struct range range);
/* Begin a document of that schema on stdout; end it: 0 or the exit status, message printed. */
void tell_json_begin(struct wan_json *json, const char *schema);
int tell_json_end(struct wan_json *json);
/* Flush what was printed as text: 0 or the exit status, message printed. */
int tell_end(const struct wan_screen *screen);

#endif
