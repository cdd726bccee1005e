/* SPDX-License-Identifier: MIT */
#include "priors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "clock.h"
#include "macros.h"
#include "place.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

enum {
	FILES_MOST = 20,
	JOBS_MOST = 5,
	NAME_BYTES = 256,
	/* What lies beyond is records; counters, texts and latencies come first. */
	FILE_BYTES = 2 * 1024 * 1024,
};
static const uint64_t TIME_NS = 50000000;

struct file {
	char name[NAME_BYTES];
	int64_t changed_ns;
};

struct search {
	const struct wan_prior_key *key;
	char script[NAME_BYTES];
	uint64_t until_ns;
	int folder;
	char *bytes; /* FILE_BYTES */
	uint32_t count;
	struct file files[FILES_MOST]; /* newest first */
	struct wan_prior found, nearest;
	double nearest_away;
};

/* The word of a command at which begins what is not its interpreter; "": it is none. */
static void script_of(const char *program, const char *command, char *to, size_t bytes)
{
	static const char *const interpreters[] = {"python", "pypy", "perl", "ruby",
						   "node",   "bash", "dash", "sh"};
	const char *slash = program ? strrchr(program, '/') : NULL;
	const char *name = slash ? slash + 1 : program;
	bool interprets = false;
	to[0] = '\0';
	for (unsigned i = 0; name && i < WAN_COUNT_OF(interpreters); i++)
		interprets |= wan_str_starts(name, interpreters[i]);
	const char *at = interprets && command ? strchr(command, '\x1f') : NULL;
	while (at && at[1] == '-' && at[2] != 'm' && at[2] != 'c')
		at = strchr(at + 1, '\x1f');
	if (!at)
		return;
	if (at[1] == '-' && strchr(at + 1, '\x1f'))
		at = strchr(at + 1, '\x1f'); /* -m MODULE */
	char word[1024];
	size_t length = WAN_MIN(strcspn(at + 1, "\x1f"), sizeof(word) - 1);
	memcpy(word, at + 1, length);
	word[length] = '\0';
	slash = strrchr(word, '/'); /* wherever it was started from */
	wan_str_copy(to, bytes, slash ? slash + 1 : word);
}

static bool same_text(const char *wanted, const char *is)
{
	return !wanted || !*wanted || wan_str_equal(wanted, is);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path;
}

static bool same_process(const struct search *search, const struct wan_record_header *header)
{
	const struct wan_prior_key *key = search->key;
	char script[NAME_BYTES];
	bool known = key->machine && *key->machine && header->cpu[0];
	if (!same_text(base_name(key->program), base_name(header->program)) ||
	    (known && strcmp(key->machine, header->cpu) != 0))
		return false;
	script_of(header->program, header->command, script, sizeof(script));
	return strcmp(script, search->script) == 0;
}

static bool same_size(const struct wan_prior_key *key, const struct wan_prior *prior)
{
	bool works =
		!(key->work > 0) || !(prior->work > 0) || fabs(key->work / prior->work - 1) < 0.005;
	return works && (!key->total || !prior->total || key->total == prior->total);
}

static double away_from(const struct wan_prior_key *key, const struct wan_prior *prior)
{
	double away = 0;
	if (key->total && prior->total)
		away += fabs(log((double)key->total / (double)prior->total));
	if (key->work > 0 && prior->work > 0)
		away += fabs(log(key->work / prior->work));
	return away;
}

static uint32_t read_events(const struct wan_process *process,
			    const struct wan_process_counters *tracker,
			    struct wan_prior_event *events)
{
	uint32_t count = 0;
	for (size_t i = 0; i < process->event_count && count < WAN_PRIOR_STRETCHES; i++) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind != WAN_RECORD_PHASE || strcmp(event->name, tracker->name) != 0 ||
		    event->values[0] < tracker->words[WAN_TRACKER_BEGIN])
			continue; /* of another tracker, or of an earlier job of that name */
		uint32_t at = count++;
		for (; at && events[at - 1].started_ticks > event->values[0]; at--)
			events[at] = events[at - 1];
		events[at] = (struct wan_prior_event){
			.phase = event->code,
			.name_hash = event->code ? 0 : wan_job_name_hash(event->text),
			.started_ticks = event->values[0],
			.duration_ns = event->values[1],
			.steps = event->values[2],
		};
	}
	return count;
}

static double after_of(const struct wan_process *process, uint64_t updated_ticks)
{
	const struct wan_record_header *header = &process->header;
	uint64_t updated_ns = wan_process_time_ns(process, updated_ticks);
	uint64_t realtime_ns =
		process->start_realtime_ns + wan_elapsed(process->start_ns, updated_ns);
	bool well = header->state == WAN_RUN_EXITED && header->exit_status == 0;
	if (!well || header->end_realtime_ns < realtime_ns)
		return -1;
	return (double)(header->end_realtime_ns - realtime_ns);
}

bool wan_priors_of(const struct wan_process *process, const struct wan_process_counters *tracker,
		   struct wan_prior *ret_prior)
{
	struct wan_prior_event events[WAN_PRIOR_STRETCHES];
	uint32_t count = read_events(process, tracker, events);
	/* Records of a long job may be gone; its sums are whole. */
	uint64_t steps = 0;
	for (uint32_t i = 0; i < count; i++)
		steps += events[i].steps;
	if (steps < tracker->words[WAN_TRACKER_UPDATES])
		count = 0;
	if (!wan_prior_of_tracker(ret_prior, tracker->words, process->ns_per_tick,
				  tracker->latencies, tracker->latency_unit_ns, events, count))
		return false;
	ret_prior->work = wan_prior_work(process->header.command);
	ret_prior->after_ns = after_of(process, tracker->words[WAN_TRACKER_UPDATED]);
	return true;
}

static void learn(struct search *search, const struct wan_process *process)
{
	if (!same_process(search, &process->header))
		return;
	for (size_t i = 0; i < process->counters_count; i++) {
		const struct wan_process_counters *tracker = &process->counters[i];
		struct wan_prior prior;
		if (tracker->kind != WAN_COUNTERS_TRACKER ||
		    !same_text(search->key->job, tracker->name) ||
		    !wan_priors_of(process, tracker, &prior))
			continue;
		double away = away_from(search->key, &prior);
		if (same_size(search->key, &prior)) {
			if (search->found.jobs)
				wan_prior_merge(&search->found, &prior);
			else
				search->found = prior;
		} else if (!search->nearest.jobs || away < search->nearest_away) {
			search->nearest = prior;
			search->nearest_away = away;
		}
	}
}

static void read_file(struct search *search, const char *name)
{
	struct wan_recording *recording;
	struct stat status;
	wan_cleanup(wan_fd_closep) int fd = wan_sys->openat(
		search->folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0 || wan_sys->fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	ssize_t got = wan_pread_full(fd, search->bytes, FILE_BYTES, 0);
	if (got <= 0 ||
	    wan_recording_open_memory(search->bytes, (size_t)got, &recording, NULL) != 0)
		return;
	for (size_t i = 0; i < wan_recording_process_count(recording); i++)
		learn(search, wan_recording_process(recording, i));
	wan_recording_close(recording);
}

/* Among the newest, if it is one of them. */
static void consider(struct search *search, const char *name)
{
	static const char suffix[] = ".wprof";
	struct stat status;
	char path[WAN_PLACE_BYTES];
	size_t length = strlen(name);
	if (length < sizeof(suffix) || length >= NAME_BYTES || name[0] == '.' ||
	    strcmp(name + length - (sizeof(suffix) - 1), suffix) != 0)
		return;
	wan_str_format(path, sizeof(path), "/proc/self/fd/%d/%s", search->folder, name);
	if (wan_sys->stat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	int64_t changed = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
	uint32_t at = search->count;
	if (at == FILES_MOST && search->files[at - 1].changed_ns >= changed)
		return;
	at = search->count = WAN_MIN(at + 1, (uint32_t)FILES_MOST);
	for (at--; at && search->files[at - 1].changed_ns < changed; at--)
		search->files[at] = search->files[at - 1];
	wan_str_copy(search->files[at].name, NAME_BYTES, name);
	search->files[at].changed_ns = changed;
}

static void list(struct search *search)
{
	union {
		char bytes[8192];
		uint64_t aligned;
	} batch;
	while (wan_now_ns() < search->until_ns - TIME_NS / 2) {
		ssize_t got = wan_sys->getdents64(search->folder, &batch, sizeof(batch));
		if (got <= 0)
			return;
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (const void *)(batch.bytes + at);
			consider(search, entry->d_name);
			at += entry->d_reclen;
		}
	}
}

int wan_priors_find(const char *folder, const struct wan_prior_key *key,
		    struct wan_prior *ret_prior)
{
	char place[WAN_PLACE_BYTES];
	if (!folder && wan_place_default_folder(place, sizeof(place)) != 0)
		return -ENOENT;
	wan_cleanup(wan_freep) struct search *search = wan_calloc(1, sizeof(*search));
	wan_cleanup(wan_freep) char *bytes = wan_malloc(FILE_BYTES);
	if (!search || !bytes)
		return -ENOMEM;
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(folder ? folder : place, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return -ENOENT;
	search->key = key;
	search->folder = fd;
	search->bytes = bytes;
	search->until_ns = wan_now_ns() + TIME_NS;
	script_of(key->program, key->command, search->script, sizeof(search->script));
	list(search);
	for (uint32_t i = 0; i < search->count && search->found.jobs < JOBS_MOST; i++) {
		if (wan_now_ns() >= search->until_ns)
			break;
		read_file(search, search->files[i].name);
	}
	if (!search->found.jobs && !search->nearest.jobs)
		return -ENOENT;
	*ret_prior = search->found.jobs ? search->found : search->nearest;
	if (!search->found.jobs)
		wan_prior_scale(ret_prior, key->total, key->work);
	return 0;
}

int wan_priors_for(const char *folder, const struct wan_process *process,
		   const struct wan_process_counters *tracker, struct wan_prior *ret_prior)
{
	const struct wan_prior_key key = {
		.program = process->header.program,
		.command = process->header.command,
		.job = tracker->name,
		.machine = process->header.cpu,
		.total = tracker->words[WAN_TRACKER_TOTAL],
		.work = wan_prior_work(process->header.command),
	};
	return wan_priors_find(folder, &key, ret_prior);
}

int wan_priors_for_self(const char *job, uint64_t total, struct wan_prior *ret_prior)
{
	struct wan_place self;
	char command[sizeof(((struct wan_record_header *)0)->command)] = "";
	wan_place_self(&self);
	int length = wan_procfs_read("/proc/self/cmdline", command, sizeof(command));
	for (int i = 0; i + 1 < length; i++)
		command[i] = command[i] ? command[i] : '\x1f';
	const struct wan_prior_key key = {
		.program = self.executable,
		.command = command,
		.job = job,
		.total = total,
		.work = wan_prior_work(command),
	};
	return wan_priors_find(NULL, &key, ret_prior);
}
