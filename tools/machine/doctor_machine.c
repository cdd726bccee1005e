/* SPDX-License-Identifier: MIT */
/* Libraries that the work rests on, and what the requirements ask of the machine. */
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "history_index.h"
#include "json_input.h"
#include "machine_parts.h"
#include "macros.h"
#include "str.h"
#include "tell.h"

/* The version that the file's own name carries: "libjpeg.so.62.3.0". */
static bool find_library(const char *const *sonames, char *to, size_t bytes)
{
	for (; *sonames; sonames++) {
		struct link_map *map = NULL;
		void *handle = dlopen(*sonames, RTLD_LAZY | RTLD_LOCAL);
		if (!handle)
			continue;
		char *full = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map
				     ? realpath(map->l_name, NULL)
				     : NULL;
		wan_str_copy(to, bytes, full ? full : *sonames);
		free(full);
		dlclose(handle);
		return true;
	}
	return false;
}

static void check_codecs(struct doctor *doctor)
{
	static const struct {
		const char *id, *name, *sonames[4], *packages[4];
		bool needed;
	} libraries[] = {
		{"libpng",
		 "libpng",
		 {"libpng16.so.16"},
		 {"libpng16-16", "libpng", "libpng", "libpng16-16"},
		 true},
		{"libjpeg",
		 "libjpeg",
		 {"libjpeg.so.62", "libjpeg.so.8"},
		 {"libjpeg62-turbo", "libjpeg-turbo", "libjpeg-turbo", "libjpeg62"},
		 true},
		{"lz4", "LZ4", {"liblz4.so.1"}, {"liblz4-1", "lz4-libs", "lz4", "liblz4-1"}, true},
		{"turbojpeg",
		 "TurboJPEG",
		 {"libturbojpeg.so.0"},
		 {"libturbojpeg0", "turbojpeg", "libjpeg-turbo", "libturbojpeg0"},
		 false},
	};
	char path[512];
	for (size_t i = 0; i < WAN_COUNT_OF(libraries); i++) {
		const char *const *packages = libraries[i].packages;
		if (find_library(libraries[i].sonames, path, sizeof(path))) {
			doctor_add(doctor, DOCTOR_LIBRARIES, libraries[i].id, DOCTOR_OK, "%s: %s",
				   libraries[i].name, path);
			continue;
		}
		doctor_mend_package(
			doctor_add(doctor, DOCTOR_LIBRARIES, libraries[i].id,
				   libraries[i].needed ? DOCTOR_MISSING : DOCTOR_NOTE,
				   "%s is not installed%s", libraries[i].name,
				   libraries[i].needed ? ": libwanrt cannot be loaded" : ""),
			packages[0], packages[1], packages[2], packages[3]);
	}
}

static void check_build(struct doctor *doctor)
{
	if (json_input_available())
		doctor_add(doctor, DOCTOR_LIBRARIES, "jansson", DOCTOR_OK,
			   "this wanprof reads dumped JSON too (jansson)");
	else if (json_input_in_build())
		doctor_mend_package(doctor_add(doctor, DOCTOR_LIBRARIES, "jansson", DOCTOR_NOTE,
					       "jansson is not installed: gate and diff read "
					       "recordings only"),
				    "libjansson4", "jansson", "jansson", "libjansson4");
	else
		doctor_add(doctor, DOCTOR_LIBRARIES, "jansson", DOCTOR_NOTE,
			   "this wanprof was built without jansson: gate and diff read recordings "
			   "only");
	if (history_index_possible())
		doctor_add(doctor, DOCTOR_LIBRARIES, "sqlite", DOCTOR_OK,
			   "history is indexed (SQLite)");
	else if (history_index_in_build())
		doctor_mend_package(doctor_add(doctor, DOCTOR_LIBRARIES, "sqlite", DOCTOR_NOTE,
					       "SQLite is not installed: history reads every "
					       "recording each time"),
				    "libsqlite3-0", "sqlite-libs", "sqlite", "libsqlite3-0");
	else
		doctor_add(doctor, DOCTOR_LIBRARIES, "sqlite", DOCTOR_NOTE,
			   "this wanprof was built without SQLite: history reads every recording "
			   "each time");
}

static void check_cuda(struct doctor *doctor)
{
	static const char *const sonames[] = {"libcudart.so.13", "libcudart.so.12",
					      "libcudart.so.11.0", "libcudart.so", NULL};
	char path[512];
	if (doctor->machine.gpus.state == MACHINE_GPU_NONE)
		return;
	if (find_library(sonames, path, sizeof(path)))
		doctor_add(doctor, DOCTOR_LIBRARIES, "cudart", DOCTOR_OK, "CUDA runtime: %s", path);
	else
		doctor_add(doctor, DOCTOR_LIBRARIES, "cudart", DOCTOR_NOTE,
			   "no CUDA runtime of the system; the one that a program brings along "
			   "(PyTorch does) is seen all the same");
}

void doctor_check_libraries(struct doctor *doctor)
{
	check_codecs(doctor);
	check_cuda(doctor);
	check_build(doctor);
}

static void check_gpu(struct doctor *doctor)
{
	const struct machine *machine = &doctor->machine;
	const char *shown = getenv("CUDA_VISIBLE_DEVICES");
	char text[256];
	if (machine->gpus.count && shown)
		doctor_mend(doctor_add(doctor, DOCTOR_MACHINE, "gpus-hidden", DOCTOR_NOTE,
				       "CUDA_VISIBLE_DEVICES is \"%s\": programs see these cards "
				       "only; tier and advise count all",
				       shown),
			    "unset CUDA_VISIBLE_DEVICES");
	if (machine->gpus.count) {
		doctor_add(doctor, DOCTOR_MACHINE, "gpu", DOCTOR_OK, "graphics: %s%s",
			   tell_gpu(machine, 0, text, sizeof(text)),
			   machine->gpus.count > 1 ? ", and more" : "");
		return;
	}
	struct doctor_check *check =
		doctor_add(doctor, DOCTOR_MACHINE, "gpu",
			   machine->gpus.state == MACHINE_GPU_NONE ? DOCTOR_NOTE : DOCTOR_MISSING,
			   "graphics: %s", tell_no_gpu(machine, text, sizeof(text)));
	if (machine->gpus.state != MACHINE_GPU_NONE)
		doctor_mend(check, "nvidia-smi (in a container: start it with --gpus all)");
}

/* What the requirements call minimum and recommended for image work. */
static void check_size(struct doctor *doctor)
{
	const struct machine *machine = &doctor->machine;
	double gb = machine_nominal_gb(machine_memory_bytes(machine)), cpus = machine_cpus(machine);
	double disk_gb = machine->disk.known
				 ? (double)machine->disk.free_bytes / (double)MACHINE_GIB
				 : INFINITY;
	if (gb <= 0 || cpus <= 0)
		doctor_add(doctor, DOCTOR_MACHINE, "size", DOCTOR_NOTE,
			   "how large this machine is cannot be read");
	else if (gb < 4 || cpus < 2 || disk_gb < 1)
		doctor_add(doctor, DOCTOR_MACHINE, "size", DOCTOR_MISSING,
			   "below the minimum of 4 GB of memory, 2 processors and 1 GB of disk: "
			   "%.1f GB, %.3g processors, %.1f GB",
			   gb, cpus, disk_gb);
	else if (gb < 8 || cpus < 4 || machine->disk.rotational == 1)
		doctor_add(doctor, DOCTOR_MACHINE, "size", DOCTOR_OK,
			   "meets the minimum (4 GB, 2 processors); 8 GB, 4 processors and a "
			   "solid-state disk are recommended: see wanprof tier");
	else
		doctor_add(doctor, DOCTOR_MACHINE, "size", DOCTOR_OK,
			   "meets what is recommended (8 GB of memory, 4 processors)");
}

static void check_clock(struct doctor *doctor)
{
	char text[64];
	if (machine_read("", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
			 text, sizeof(text)) <= 0)
		return;
	bool fast = strcmp(text, "tsc") == 0 || strcmp(text, "kvm-clock") == 0 ||
		    strcmp(text, "arch_sys_counter") == 0 || strstr(text, "hyperv") != NULL;
	if (!fast)
		doctor_add(doctor, DOCTOR_MACHINE, "clock", DOCTOR_NOTE,
			   "the kernel's clock is %s: it takes longer to read than others", text);
}

static void check_terminal(struct doctor *doctor)
{
	const char *terminal = getenv("TERM");
	if (isatty(STDOUT_FILENO) && (!terminal || strcmp(terminal, "dumb") == 0))
		doctor_mend(doctor_add(doctor, DOCTOR_MACHINE, "terminal", DOCTOR_NOTE,
				       "the terminal cannot move its cursor: top and run --live "
				       "draw nothing"),
			    "export TERM=xterm-256color");
}

void doctor_check_machine(struct doctor *doctor)
{
	const struct machine *machine = &doctor->machine;
	if (!machine->proc_readable)
		doctor_mend(
			doctor_add(doctor, DOCTOR_MACHINE, "proc", DOCTOR_BROKEN,
				   "/proc is not there: neither memory nor processes can be read"),
			"mount -t proc proc /proc");
	check_size(doctor);
	check_gpu(doctor);
	if (machine->power == MACHINE_POWER_BATTERY)
		doctor_add(doctor, DOCTOR_MACHINE, "battery", DOCTOR_NOTE,
			   "on battery: processors are slowed down, times do not compare");
	check_clock(doctor);
	check_terminal(doctor);
	doctor_add(doctor, DOCTOR_MACHINE, "permissions", DOCTOR_OK,
		   "no special permission is needed (neither ptrace nor perf events)");
}
