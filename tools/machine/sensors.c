/* SPDX-License-Identifier: MIT */
#include "machine_sensors.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

#define HOTTEST_REAL 150.0 /* a sensor that is not connected says 255 or less than nothing */

static void keep(struct sensors_files *files, unsigned most, const char *path)
{
	if (files->count >= most)
		return;
	int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		files->fds[files->count++] = fd;
}

/* Calls take with the path of each entry of a folder that begins so, in no order. */
struct visit {
	struct sensors *sensors;
	void (*take)(struct visit *visit, const char *path);
	const char *root;
	uint64_t seen; /* packages */
};

static void each(struct visit *visit, const char *folder, const char *prefix,
		 void (*take)(struct visit *, const char *))
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s%s", visit->root, folder);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		wan_str_format(path, sizeof(path), "%s%s/%s", visit->root, folder, entry->d_name);
		take(visit, path);
	}
	if (directory)
		closedir(directory);
}

/* The first line of folder/name. */
static bool read_line(const char *folder, const char *name, char *to, size_t bytes)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s/%s", folder, name);
	int length = wan_procfs_read(path, to, bytes);
	if (length <= 0)
		return false;
	to[strcspn(to, "\n")] = '\0';
	return true;
}

static bool is_one_of(const char *text, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(text, *names) == 0)
			return true;
	return false;
}

static void take_monitor(struct visit *visit, const char *folder)
{
	static const char *const processors[] = {"coretemp",    "k10temp",      "zenpower",
						 "cpu_thermal", "fam15h_power", NULL};
	char name[64], path[PATH_MAX + 32];
	if (!read_line(folder, "name", name, sizeof(name)) || !is_one_of(name, processors))
		return;
	for (unsigned i = 1; i <= SENSORS_HEAT_MOST; i++) {
		wan_str_format(path, sizeof(path), "%s/temp%u_input", folder, i);
		keep(&visit->sensors->heat, SENSORS_HEAT_MOST, path);
	}
}

static void take_zone(struct visit *visit, const char *folder)
{
	static const char *const processors[] = {"x86_pkg_temp", "cpu-thermal", "cpu_thermal",
						 "soc_thermal",  "soc-thermal", NULL};
	char type[64], path[PATH_MAX + 32];
	if (!read_line(folder, "type", type, sizeof(type)) || !is_one_of(type, processors))
		return;
	wan_str_format(path, sizeof(path), "%s/temp", folder);
	keep(&visit->sensors->heat, SENSORS_HEAT_MOST, path);
}

/* intel-rapl:0 is a package; intel-rapl:0:1 a part of it, psys more than the processors. */
static void take_energy(struct visit *visit, const char *folder)
{
	struct sensors *sensors = visit->sensors;
	const char *colon = strrchr(folder, '/');
	char name[64], path[PATH_MAX + 32], range[32];
	unsigned at = sensors->energy.count;
	if (!colon || strchr(strchr(colon, ':') + 1, ':') ||
	    !read_line(folder, "name", name, sizeof(name)) || strncmp(name, "package", 7) != 0)
		return;
	wan_str_format(path, sizeof(path), "%s/energy_uj", folder);
	keep(&sensors->energy, SENSORS_PACKAGES_MOST, path);
	if (sensors->energy.count > at &&
	    read_line(folder, "max_energy_range_uj", range, sizeof(range)))
		sensors->energy_range_uj[at] = strtoull(range, NULL, 10);
}

/* One processor of each package counts for it; some of them tell the frequency. */
static void take_processor(struct visit *visit, const char *folder)
{
	struct sensors *sensors = visit->sensors;
	char text[32], path[PATH_MAX + 64];
	if (strspn(strrchr(folder, '/') + 4, "0123456789") == 0)
		return; /* cpufreq, cpuidle */
	wan_str_format(path, sizeof(path), "%s/cpufreq/scaling_cur_freq", folder);
	keep(&sensors->clocks, SENSORS_CLOCKS_MOST, path);
	if (read_line(folder, "cpufreq/cpuinfo_max_freq", text, sizeof(text)))
		sensors->most_mhz = fmax(sensors->most_mhz, strtod(text, NULL) / 1000);
	if (!read_line(folder, "topology/physical_package_id", text, sizeof(text)))
		return;
	uint64_t bit = (uint64_t)1 << (strtoul(text, NULL, 10) & 63);
	if (visit->seen & bit)
		return;
	visit->seen |= bit;
	wan_str_format(path, sizeof(path), "%s/thermal_throttle/package_throttle_count", folder);
	keep(&sensors->throttle, SENSORS_PACKAGES_MOST, path);
}

static int open_below(const char *root, const char *name)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s%s", root, name);
	return wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
}

static bool read_number(int fd, uint64_t *ret_value)
{
	char text[64], *end;
	if (wan_procfs_pread(fd, text, sizeof(text)) <= 0)
		return false;
	*ret_value =
		strtoull(text, &end, 10); /* a temperature below zero is a large one: refused */
	return end != text;
}

static bool throttled_now(const struct sensors *sensors, uint64_t *ret_sum)
{
	uint64_t sum = 0, one;
	for (unsigned i = 0; i < sensors->throttle.count; i++) {
		if (!read_number(sensors->throttle.fds[i], &one))
			return false;
		sum += one;
	}
	*ret_sum = sum;
	return sensors->throttle.count > 0;
}

void sensors_open(struct sensors *sensors, const char *root)
{
	struct visit visit = {.sensors = sensors, .root = root};
	*sensors = (struct sensors){.most_mhz = 0};
	each(&visit, "/sys/class/hwmon", "hwmon", take_monitor);
	if (!sensors->heat.count)
		each(&visit, "/sys/class/thermal", "thermal_zone", take_zone);
	each(&visit, "/sys/class/powercap", "intel-rapl:", take_energy);
	each(&visit, "/sys/devices/system/cpu", "cpu", take_processor);
	sensors->stat_fd = open_below(root, "/proc/stat");
	sensors->disks_fd = open_below(root, "/proc/diskstats");
	throttled_now(sensors, &sensors->throttled_first);
}

static double hottest(const struct sensors *sensors)
{
	double most = NAN;
	uint64_t value;
	for (unsigned i = 0; i < sensors->heat.count; i++)
		if (read_number(sensors->heat.fds[i], &value) &&
		    (double)value / 1000 < HOTTEST_REAL)
			most = fmax(isnan(most) ? 0 : most, (double)value / 1000);
	return most;
}

/* uJ of a counter since the reading before; it begins anew behind its range. */
static uint64_t energy_since(struct sensors *sensors, unsigned i, uint64_t now_uj)
{
	uint64_t before = sensors->energy_uj[i], range = sensors->energy_range_uj[i];
	sensors->energy_uj[i] = now_uj;
	if (now_uj >= before)
		return now_uj - before;
	return range >= before ? range - before + now_uj : 0;
}

static double watts(struct sensors *sensors, uint64_t elapsed_ns)
{
	uint64_t sum = 0, now_uj;
	for (unsigned i = 0; i < sensors->energy.count; i++) {
		if (!read_number(sensors->energy.fds[i], &now_uj))
			return NAN;
		sum += energy_since(sensors, i, now_uj);
	}
	return sensors->energy.count && elapsed_ns ? (double)sum * 1000 / (double)elapsed_ns : NAN;
}

static double mean_mhz(const struct sensors *sensors)
{
	double sum = 0;
	unsigned known = 0;
	uint64_t khz;
	for (unsigned i = 0; i < sensors->clocks.count; i++)
		if (read_number(sensors->clocks.fds[i], &khz)) {
			sum += (double)khz / 1000;
			known++;
		}
	return known ? sum / known : NAN;
}

/* "cpu  user nice system idle iowait irq softirq steal ..." in clock ticks. */
static double processors_busy(struct sensors *sensors, uint64_t elapsed_ns)
{
	char text[256], *next = text + 4;
	uint64_t values[8] = {0}, total = 0;
	if (sensors->stat_fd < 0 || wan_procfs_pread(sensors->stat_fd, text, sizeof(text)) <= 0 ||
	    strncmp(text, "cpu ", 4) != 0)
		return NAN;
	for (size_t i = 0; i < WAN_COUNT_OF(values); i++) {
		values[i] = strtoull(next, &next, 10);
		total += values[i];
	}
	uint64_t busy = total - values[3] - values[4];
	uint64_t busy_since = busy - sensors->busy, since = total - sensors->total;
	bool grew = busy >= sensors->busy && total > sensors->total && sensors->total;
	sensors->busy = busy;
	sensors->total = total;
	return grew && elapsed_ns ? fmin((double)busy_since * 100 / (double)since, 100) : NAN;
}

/* The tenth number behind the name is the time with requests under way, in ms. */
static double disk_busy(struct sensors *sensors, uint64_t elapsed_ns)
{
	char text[16384];
	double most = NAN;
	size_t line = 0;
	if (sensors->disks_fd < 0 || wan_procfs_pread(sensors->disks_fd, text, sizeof(text)) <= 0)
		return NAN;
	for (char *next = text; *next && line < WAN_COUNT_OF(sensors->disk_ms); line++) {
		unsigned long long numbers[10] = {0};
		char name[64];
		int read = sscanf(
			next, "%*u %*u %63s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
			name, &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4],
			&numbers[5], &numbers[6], &numbers[7], &numbers[8], &numbers[9]);
		next += strcspn(next, "\n");
		next += *next == '\n';
		bool disk = read == 11 && strncmp(name, "loop", 4) != 0 &&
			    strncmp(name, "ram", 3) != 0 && strncmp(name, "zram", 4) != 0;
		uint64_t before = sensors->disk_ms[line];
		sensors->disk_ms[line] = numbers[9];
		if (!disk || !elapsed_ns || numbers[9] < before)
			continue;
		double share = (double)(numbers[9] - before) * 1e8 / (double)elapsed_ns;
		most = fmax(isnan(most) ? 0 : most, fmin(share, 100));
	}
	return most;
}

void sensors_read(struct sensors *sensors, uint64_t now_ns, struct sensors_reading *ret_reading)
{
	uint64_t elapsed_ns =
		sensors->at_ns && now_ns > sensors->at_ns ? now_ns - sensors->at_ns : 0;
	uint64_t throttled;
	struct sensors_reading reading = {
		.cpu_celsius = hottest(sensors),
		.cpu_watts = watts(sensors, elapsed_ns),
		.throttled = NAN,
		.mhz = mean_mhz(sensors),
		.most_mhz = sensors->most_mhz > 0 ? sensors->most_mhz : NAN,
		.disk_percent = disk_busy(sensors, elapsed_ns),
		.cpus_percent = processors_busy(sensors, elapsed_ns),
	};
	if (throttled_now(sensors, &throttled) && throttled >= sensors->throttled_first)
		reading.throttled = (double)(throttled - sensors->throttled_first);
	sensors->at_ns = now_ns;
	*ret_reading = reading;
}

static void close_all(struct sensors_files *files)
{
	while (files->count)
		wan_sys->close(files->fds[--files->count]);
}

void sensors_close(struct sensors *sensors)
{
	close_all(&sensors->heat);
	close_all(&sensors->energy);
	close_all(&sensors->throttle);
	close_all(&sensors->clocks);
	if (sensors->stat_fd >= 0)
		wan_sys->close(sensors->stat_fd);
	if (sensors->disks_fd >= 0)
		wan_sys->close(sensors->disks_fd);
	sensors->stat_fd = sensors->disks_fd = -1;
}
