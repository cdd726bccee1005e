/* SPDX-License-Identifier: MIT */
/* wanprof doctor: what works here, what does not, and what mends it. */
#include "wanprof.h"

#include <string.h>

#include "doctor.h"
#include "macros.h"
#include "tell.h"

enum { OPTION_JSON };

static const struct wanprof_option options[] = {
	[OPTION_JSON] = {"json", 0, NULL, "one JSON object", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static const char *const group_titles[DOCTOR_GROUPS] = {
	[DOCTOR_COMMAND] = "The command",  [DOCTOR_RECORDING] = "Recording",
	[DOCTOR_MEMORY] = "Memory",        [DOCTOR_LIBRARIES] = "Libraries",
	[DOCTOR_MACHINE] = "This machine",
};
static const char *const group_names[DOCTOR_GROUPS] = {
	[DOCTOR_COMMAND] = "command", [DOCTOR_RECORDING] = "recording",
	[DOCTOR_MEMORY] = "memory",   [DOCTOR_LIBRARIES] = "libraries",
	[DOCTOR_MACHINE] = "machine",
};
static const char *const status_names[] = {"ok", "note", "missing", "broken"};

static void tell_check(const struct wan_screen *screen, const struct doctor_check *check)
{
	static const char *const colours[] = {"\033[32m", "", "\033[33m", "\033[31m"};
	if (screen->colour)
		fputs(colours[check->status], screen->to);
	tell_row(screen, status_names[check->status], "%s", check->text);
	if (screen->colour)
		fputs("\033[0m", screen->to);
	if (check->mend[0])
		tell_row(screen, "", "-> %s", check->mend);
}

static int print_text(const struct doctor *doctor)
{
	const struct wan_screen screen = {stdout, wanprof_columns(stdout), wanprof_colour(stdout)};
	unsigned broken = doctor_broken(doctor), missing = 0;
	fprintf(screen.to, "wanprof %s on %s\n", WAN_VERSION_TEXT,
		doctor->machine.system[0] ? doctor->machine.system : "this machine");
	for (unsigned group = 0; group < DOCTOR_GROUPS; group++) {
		bool told = false;
		for (unsigned i = 0; i < doctor->count; i++) {
			const struct doctor_check *check = &doctor->checks[i];
			if (check->group != group)
				continue;
			if (!told)
				tell_heading(&screen, "%s", group_titles[group]);
			told = true;
			missing += check->status == DOCTOR_MISSING;
			tell_check(&screen, check);
		}
	}
	if (broken)
		tell_heading(&screen, "%u thing%s that %s needed %s not work.", broken,
			     broken == 1 ? "" : "s", broken == 1 ? "is" : "are",
			     broken == 1 ? "does" : "do");
	else if (missing)
		tell_heading(&screen, "All that is needed works; %u optional thing%s missing.",
			     missing, missing == 1 ? " is" : "s are");
	else
		tell_heading(&screen, "All works.");
	int status = tell_end(&screen);
	return status ? status : broken ? 1 : 0;
}

static int print_json(const struct doctor *doctor)
{
	struct wan_json json;
	tell_json_begin(&json, "wanprof-doctor");
	wan_json_key_u64(&json, "broken", doctor_broken(doctor));
	wan_json_key(&json, "checks");
	wan_json_array_begin(&json);
	for (unsigned i = 0; i < doctor->count; i++) {
		const struct doctor_check *check = &doctor->checks[i];
		wan_json_object_begin(&json);
		wan_json_key_string(&json, "id", check->id);
		wan_json_key_string(&json, "group", group_names[check->group]);
		wan_json_key_string(&json, "status", status_names[check->status]);
		wan_json_key_string(&json, "text", check->text);
		wan_json_key_string(&json, "mend", check->mend[0] ? check->mend : NULL);
		wan_json_object_end(&json);
	}
	wan_json_array_end(&json);
	int status = tell_json_end(&json);
	return status ? status : doctor_broken(doctor) ? 1 : 0;
}

static int run(int argc, char **argv)
{
	static struct doctor doctor;
	bool json = false;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_doctor, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		json = true;
	}
	tell_look(&doctor.machine);
	if (args.next < argc)
		doctor_check_command(&doctor, argv + args.next);
	doctor_check_recording(&doctor);
	doctor_check_memory(&doctor);
	doctor_check_libraries(&doctor);
	doctor_check_machine(&doctor);
	return json ? print_json(&doctor) : print_text(&doctor);
}

const struct wanprof_verb wanprof_verb_doctor = {
	.name = "doctor",
	.summary = "Say what works here, what does not, and what mends it",
	.usage = "[--json] [-- COMMAND [ARGUMENTS...]]",
	.options = options,
	.text = "With COMMAND also whether it would be recorded, and which of its codecs would "
		"not\n"
		"be seen; it is not run. Exit status: 0, 1 when something that is needed is "
		"broken.\n",
	.run = run,
	.stops_at_operand = true,
};
