/* SPDX-License-Identifier: MIT */
/*
 * guest_hardship SCENARIO FILE [COUNT]: a program that knows nothing of us and decodes JPEGs where
 * little works: small stacks, few limits, signals, threads and processes that come and go. What it
 * prints must not depend on being recorded.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h>

struct job {
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	JSAMPLE row[8192];
	uint32_t sum;
};

static struct {
	unsigned char *bytes;
	unsigned long count;
} image;
static const char *path, *self_path;
static uint32_t expected;

static void load(void)
{
	FILE *file = fopen(path, "rb");
	image.bytes = malloc(8u << 20);
	image.count = fread(image.bytes, 1, 8u << 20, file);
	fclose(file);
}

static void begin(struct job *job)
{
	job->sum = 0;
	job->object.err = jpeg_std_error(&job->manager);
	jpeg_create_decompress(&job->object);
	jpeg_mem_src(&job->object, image.bytes, image.count);
	jpeg_read_header(&job->object, TRUE);
	jpeg_start_decompress(&job->object);
}

static void rows(struct job *job, uint32_t until)
{
	JSAMPROW row = job->row;
	while (job->object.output_scanline < job->object.output_height &&
	       job->object.output_scanline < until) {
		jpeg_read_scanlines(&job->object, &row, 1);
		job->sum = job->sum * 31 + row[5];
	}
}

static uint32_t end(struct job *job)
{
	jpeg_finish_decompress(&job->object);
	jpeg_destroy_decompress(&job->object);
	return job->sum;
}

static uint32_t decode(void)
{
	struct job job;
	begin(&job);
	rows(&job, UINT32_MAX);
	return end(&job);
}

/* 0 when all decodes gave the same picture. */
static int same(uint32_t sum)
{
	if (!expected)
		expected = sum;
	if (sum != expected)
		printf("another picture\n");
	return sum != expected;
}

/* Two threads take turns at one object, and both live until it is destroyed. */
static sem_t turns[2];

static void *helper(void *argument)
{
	struct job *job = argument;
	for (uint32_t until = 50; until <= job->object.output_height; until += 50) {
		sem_wait(&turns[1]);
		rows(job, until);
		sem_post(&turns[0]);
	}
	sem_wait(&turns[1]);
	return NULL;
}

static int take_turns(int count)
{
	struct job job;
	pthread_t thread;
	sem_init(&turns[0], 0, 0);
	sem_init(&turns[1], 0, 0);
	begin(&job);
	pthread_create(&thread, NULL, helper, &job);
	for (uint32_t until = 50; until <= job.object.output_height; until += 50) {
		rows(&job, until - 25);
		sem_post(&turns[1]);
		sem_wait(&turns[0]);
	}
	rows(&job, UINT32_MAX);
	int different = same(end(&job));
	sem_post(&turns[1]);
	pthread_join(thread, NULL);
	(void)count;
	return different;
}

static void *decode_once(void *argument)
{
	(void)argument;
	return same(decode()) ? &image : NULL;
}

/* stack_bytes 0: the usual one. */
static int threads(int count, size_t stack_bytes)
{
	enum { TOGETHER = 32 };
	pthread_t ids[TOGETHER];
	pthread_attr_t attributes;
	int different = same(decode());
	pthread_attr_init(&attributes);
	if (stack_bytes)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	while (count > 0) {
		int batch = count < TOGETHER ? count : TOGETHER;
		void *answer = NULL;
		for (int i = 0; i < batch; i++)
			if (pthread_create(&ids[i], &attributes, decode_once, NULL) != 0)
				return 1;
		for (int i = 0; i < batch; i++) {
			pthread_join(ids[i], &answer);
			different |= answer != NULL;
		}
		count -= batch;
	}
	return different;
}

static volatile sig_atomic_t handled;

static void decoding_handler(int number)
{
	int saved = errno;
	(void)number;
	handled += same(decode()) == 0;
	errno = saved;
}

/* The signal comes between two rows of the same thread's decode, and decodes itself. */
static int signals(int count)
{
	struct job job;
	int different = 0;
	signal(SIGUSR1, decoding_handler);
	for (int i = 0; i < count; i++) {
		begin(&job);
		rows(&job, 100);
		raise(SIGUSR1);
		rows(&job, UINT32_MAX);
		different |= same(end(&job));
	}
	printf("%d handled\n", (int)handled);
	return different;
}

static void ticking(int number)
{
	(void)number;
	handled++;
}

/* System calls and decoders are interrupted all the time. */
static int alarms(int count)
{
	struct sigaction action = {.sa_handler = ticking}; /* without SA_RESTART */
	struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	int different = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < count; i++)
		different |= same(decode());
	setitimer(ITIMER_REAL, &never, NULL);
	return different || handled == 0;
}

static int wait_for(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Children by vfork, posix_spawn and fork without exec; each decodes too. */
static int children(int count)
{
	extern char **environ;
	char *const arguments[] = {(char *)self_path, (char *)"decode", (char *)path, NULL};
	int different = same(decode());
	for (int i = 0; i < count; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			execv(self_path, arguments);
			_exit(99);
		}
		different |= wait_for(pid);
		if (posix_spawn(&pid, self_path, NULL, NULL, arguments, environ) != 0)
			return 1;
		different |= wait_for(pid);
		pid = fork();
		if (pid == 0)
			_exit(same(decode())); /* no destructor runs */
		different |= wait_for(pid);
	}
	return different | same(decode());
}

/* The process goes on as another program in the middle of a decode. */
static int become(void)
{
	struct job job;
	same(decode());
	begin(&job);
	rows(&job, 100);
	execl(self_path, self_path, "decode", path, (char *)NULL);
	return 1;
}

static void *stop_in_the_middle(void *argument)
{
	struct job job;
	begin(&job);
	rows(&job, 40);
	sem_post(argument);
	pause();
	return NULL;
}

/* Killed with an operation open on each of three threads. */
static int killed(void)
{
	struct job job;
	pthread_t ids[2];
	sem_init(&turns[0], 0, 0);
	same(decode());
	for (int i = 0; i < 2; i++) {
		pthread_create(&ids[i], NULL, stop_in_the_middle, &turns[0]);
		sem_wait(&turns[0]);
	}
	begin(&job);
	rows(&job, 300);
	printf("going\n");
	fflush(stdout);
	kill(getpid(), SIGKILL);
	return 1;
}

static int limited(int resource, rlim_t value, int count)
{
	struct rlimit limit = {value, value};
	int different = same(decode());
	if (setrlimit(resource, &limit) != 0)
		return 1;
	for (int i = 0; i < count; i++)
		different |= same(decode());
	return different;
}

static int in_another_root(int count)
{
	char folder[] = "/tmp/wan-root-XXXXXX";
	int different = 0;
	if (count > 1)
		different = same(decode());
	if (!mkdtemp(folder) || chroot(folder) != 0 || chdir("/") != 0)
		return 1;
	different |= same(decode());
	return different;
}

/* The sandbox of a cautious program: what recorders like to call is answered with EPERM. */
static int sandboxed(int count)
{
#define DENY(call)                                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                     \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(clock_gettime),
		DENY(fallocate),
		DENY(ftruncate),
		DENY(pwrite64),
		DENY(openat),
		DENY(fstat),
		DENY(readlink),
		DENY(membarrier),
		DENY(madvise),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
	int different = count > 1 ? same(decode()) : 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 1;
	for (int i = 0; i < count; i++)
		different |= same(decode());
	return different;
}

int main(int argc, char **argv)
{
	int count = argc > 3 ? atoi(argv[3]) : 1;
	if (argc < 3)
		return 64;
	self_path = argv[0];
	path = argv[2];
	load();
#define IS(name) (strcmp(argv[1], name) == 0)
	if (IS("decode")) {
		int different = 0;
		for (int i = 0; i < count; i++)
			different |= same(decode());
		return different;
	}
	return IS("turns")      ? take_turns(count)
	       : IS("threads")  ? threads(count, 0)
	       : IS("stacks")   ? threads(count, 64 * 1024)
	       : IS("signals")  ? signals(count)
	       : IS("alarms")   ? alarms(count)
	       : IS("children") ? children(count)
	       : IS("become")   ? become()
	       : IS("killed")   ? killed()
	       : IS("files")    ? limited(RLIMIT_NOFILE, 0, count)
	       : IS("writes")   ? limited(RLIMIT_FSIZE, 0, count)
	       : IS("space")    ? limited(RLIMIT_AS, 1, count)
	       : IS("root")     ? in_another_root(count)
	       : IS("sandbox")  ? sandboxed(count)
				: 64;
}
