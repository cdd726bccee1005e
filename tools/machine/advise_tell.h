/* SPDX-License-Identifier: MIT */
/* Advice on a screen and as JSON. */
#ifndef WAN_TOOLS_ADVISE_TELL_H
#define WAN_TOOLS_ADVISE_TELL_H

#include "advise.h"

enum {
	ADVISE_THREADS = 1,
	ADVISE_MEMORY = 2,
	ADVISE_VRAM = 4,
	ADVISE_SPEED = 8,
	ADVISE_CHUNKS = 16,
	ADVISE_CONFIG = 32,
	ADVISE_ALL = 63,
};

/* Both return the exit status. topics: of the above. */
int advise_print_text(const struct machine *machine, const struct advise_request *request,
		      const struct advise *advise, unsigned topics);
int advise_print_json(const struct machine *machine, const struct advise_request *request,
		      const struct advise *advise);

#endif
