/* SPDX-License-Identifier: MIT */
/*
 * Heat, power, throttling and use of the whole machine, as far as the kernel shows them: hwmon and
 * thermal zones, RAPL's energy counters, thermal_throttle, cpufreq, stat, diskstats. Descriptors
 * stay open, so that a reading is some tens of pread() (measured in tools/machine/README.md).
 * What is not shown is unknown, never 0.
 */
#ifndef WAN_TOOLS_MACHINE_SENSORS_H
#define WAN_TOOLS_MACHINE_SENSORS_H

#include <stdint.h>

enum {
	SENSORS_HEAT_MOST = 32,
	SENSORS_PACKAGES_MOST = 8,
	SENSORS_CLOCKS_MOST = 8,
};

struct sensors_files {
	int fds[SENSORS_HEAT_MOST];
	unsigned count;
};

struct sensors {
	struct sensors_files heat, energy, throttle, clocks;
	int stat_fd, disks_fd; /* -1: not there */
	double most_mhz;
	/* Of the reading before. */
	uint64_t at_ns, energy_uj[SENSORS_PACKAGES_MOST], energy_range_uj[SENSORS_PACKAGES_MOST];
	uint64_t throttled_first, busy, total;
	uint64_t disk_ms[64]; /* time with requests, by line of diskstats */
};

/* NAN: unknown. */
struct sensors_reading {
	double cpu_celsius; /* the hottest sensor of the processors */
	double cpu_watts;   /* all packages, mean since the reading before */
	double throttled;   /* times that packages were slowed down by heat since the start */
	double mhz, most_mhz;
	double disk_percent; /* of the busiest disk, since the reading before */
	double cpus_percent; /* of all processors together, since the reading before */
};

/* root: where /proc and /sys are looked for; "" is the machine. Never fails. */
void sensors_open(struct sensors *sensors, const char *root);
/* now_ns: of wan_now_ns(). Rates are unknown in the first reading. */
void sensors_read(struct sensors *sensors, uint64_t now_ns, struct sensors_reading *ret_reading);
void sensors_close(struct sensors *sensors);

#endif
