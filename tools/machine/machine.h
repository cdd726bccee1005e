/* SPDX-License-Identifier: MIT */
/*
 * The machine as a program of ours finds it: processor, memory, limits, graphics cards, a disk,
 * power. Whatever cannot be read stays unknown (0, "", or as said); nothing fails.
 */
#ifndef WAN_TOOLS_MACHINE_H
#define WAN_TOOLS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_GPUS_MAX  16
#define MACHINE_UNLIMITED UINT64_MAX
#define MACHINE_GIB       ((uint64_t)1 << 30)

struct machine_gpu {
	char name[96];
	uint64_t total_bytes; /* 0: unknown */
	uint64_t used_bytes;  /* UINT64_MAX: unknown */
};

enum machine_gpu_state {
	MACHINE_GPU_NOT_ASKED,
	MACHINE_GPU_NONE,      /* no driver, no device */
	MACHINE_GPU_FOUND,     /* count is at least 1 */
	MACHINE_GPU_REFUSED,   /* there is a driver, but it answers nothing we can use */
	MACHINE_GPU_NO_ANSWER, /* it did not answer in time */
};
struct machine_gpus {
	enum machine_gpu_state state;
	unsigned count;
	struct machine_gpu gpu[MACHINE_GPUS_MAX]; /* in the driver's order */
	char driver[64];
	char reason[128]; /* why none could be read, in words; "" */
};

enum machine_power {
	MACHINE_POWER_UNKNOWN,
	MACHINE_POWER_MAINS,
	MACHINE_POWER_BATTERY,
};

struct machine_disk {
	bool known;
	uint64_t total_bytes, free_bytes; /* free: for who asks, not for root alone */
	int rotational;                   /* 1 turning disk, 0 none, -1 unknown */
	bool memory;                      /* tmpfs: what is written there takes memory */
	bool network, read_only;
	char file_system[32], device[64];
};

struct machine {
	char cpu_model[128];
	unsigned logical;        /* CPUs online; 0: unknown */
	unsigned physical_cores; /* 0: unknown */
	unsigned fast_cores;     /* of these, where there are two kinds; else 0 */
	unsigned usable;         /* CPUs that this process may run on; 0: unknown */
	double cpu_quota;        /* CPUs that the tightest cgroup grants; 0: no limit */
	char cpu_quota_by[64];   /* "cgroup /a/b" */

	uint64_t memory_bytes, memory_available_bytes; /* host; 0: unknown */
	uint64_t memory_limit_bytes;    /* tightest cgroup; MACHINE_UNLIMITED: none */
	uint64_t memory_headroom_bytes; /* fewest bytes left: host and each cgroup; 0: unknown */
	char memory_limit_by[64];
	uint64_t swap_bytes, swap_free_bytes;

	struct machine_gpus gpus;
	struct machine_disk disk;
	enum machine_power power;

	char system[128], kernel[128], libc[64]; /* "Debian GNU/Linux 12 (bookworm)", ... */
	char container[32]; /* "docker", "podman", "lxc", "wsl", "container"; "": none seen */
	bool proc_readable; /* false: no /proc, most of the above is unknown */
};

/* What to look at. A zeroed one, or NULL, is the light look of `wanprof run`: processor, memory and
 * limits of this machine: 0.35 ms on two CPUs, and a small file more for each further one. */
struct machine_request {
	const char *root; /* put before every path of the kernel (tests); NULL or "": none */
	const char *disk; /* a folder, or one that will be made; NULL: no disk */
	bool system;      /* also power, system, container */
	/* NULL: graphics cards are not asked for. Fills *ret_gpus; machine_gpus_real, or a test's.
	 */
	void (*gpus)(void *context, const char *root, struct machine_gpus *ret_gpus);
	void *context;
};
void machine_look(const struct machine_request *request, struct machine *ret_machine);

/* NVIDIA's cards by its management library (WAN_NVML names a stand-in), in a thread that is given
 * up after 5 s; others by what the kernel shows of them. Makes no context on any device. */
void machine_gpus_real(void *context, const char *root, struct machine_gpus *ret_gpus);

/* Bytes that programs here may use at most: the smaller of memory and tightest limit; 0: unknown.
 */
uint64_t machine_memory_bytes(const struct machine *machine);
/* CPUs that programs here can keep busy: usable ones, less by the quota (1.5 is 1.5); 0: unknown.
 */
double machine_cpus(const struct machine *machine);
/* The card with most memory, or NULL. Cards are never added up: one job runs on one. */
const struct machine_gpu *machine_largest_gpu(const struct machine *machine);

/* Tiers of the requirements, worst first; the numbers stand in recordings and never change. */
enum machine_tier {
	MACHINE_TIER_MINIMAL,
	MACHINE_TIER_BUDGET,
	MACHINE_TIER_MID_RANGE,
	MACHINE_TIER_HIGH_END,
	MACHINE_TIERS,
};
/* First match wins, bounds belong to it: GPU 6 GB and RAM 16 GB; 4 and 12; RAM 8 and 4 CPUs. A
 * vram_gb of 0: no card. The literal rule: sizes as counted by machine_nominal_gb(). Pure. */
enum machine_tier machine_tier(double vram_gb, double ram_gb, unsigned cpus);
/* The least that a tier asks for; 0: it does not ask. */
struct machine_tier_bounds {
	double vram_gb, ram_gb;
	unsigned cpus;
};
const struct machine_tier_bounds *machine_tier_bounds(enum machine_tier tier);
/* The size in GB (GiB) that bytes count as: firmware, kernel and error correction keep a part, and
 * sellers' and containers' GB may be 10^9, so what is at most 7 % below a size that is sold (4, 6,
 * 8, 12, 16, ...) counts as that size. Pure. */
double machine_nominal_gb(uint64_t bytes);
/* Of this machine: largest card, memory that may be used, CPUs that may be kept busy. */
enum machine_tier machine_tier_of(const struct machine *machine);
const char *machine_tier_name(enum machine_tier tier); /* "high-end", "mid-range", ... */
/* By its name; false: there is no such tier. */
bool machine_tier_find(const char *name, enum machine_tier *ret_tier);

#endif
