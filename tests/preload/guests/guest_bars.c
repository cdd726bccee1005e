/* SPDX-License-Identifier: MIT */
/* guest_bars WHAT: prints progress bars, and writes in every way that can fail or be broken off. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER = 1 << 20 };

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(9);
}

static void draw(const char *name, int done, int total)
{
	char text[160];
	snprintf(text, sizeof(text), "\r%s: %3d%%|####      | %d/%d [00:01<00:02,  2.1it/s]", name,
		 100 * done / total, done, total);
	put(2, text);
}

static void say(const char *what, ssize_t result)
{
	int error = errno;
	printf("%s %zd %s\n", what, result, result < 0 ? strerror(error) : "");
	fflush(stdout);
	errno = 0;
}

static void on_alarm(int number)
{
	(void)number;
}

static void *block_in_write(void *context)
{
	static char bytes[BUFFER];
	int fd = *(int *)context;
	for (;;)
		if (write(fd, bytes, sizeof(bytes)) < 0)
			return NULL;
}

/* Results and errno of writes that do not go well. */
static void results(void)
{
	static char bytes[BUFFER];
	static const char bar[] = "\r 45%|####     | 9/20 [00:01<00:02, 3it/s]";
	int ends[2];
	if (pipe(ends) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		_exit(9);
	const void *volatile nowhere = (const void *)8; /* so that no compiler warns */
	say("closed", write(77, bar, sizeof(bar)));
	say("negative", write(-1, bar, sizeof(bar)));
	say("address", write(ends[1], nowhere, 4));
	say("nothing", write(ends[1], bar, 0));
	say("parts",
	    writev(ends[1], (struct iovec[]){{(void *)bar, 9}, {(void *)(bar + 9), 9}}, 2));
	volatile int none = -1;
	say("no parts", writev(ends[1], (struct iovec[]){{(void *)bar, 9}}, none));
	say("bad part", writev(ends[1], (struct iovec[]){{(void *)bar, 9}, {(void *)8, 9}}, 2));
	say("for reading", write(ends[0], bar, sizeof(bar)));
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	say("short", write(ends[1], bytes, sizeof(bytes)));
	say("full", write(ends[1], bytes, sizeof(bytes)));
	fcntl(ends[1], F_SETFL, 0);
	struct sigaction action = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 20000}}, NULL);
	say("interrupted", write(ends[1], bytes, sizeof(bytes)));
	pthread_t thread;
	void *end = NULL;
	pthread_create(&thread, NULL, block_in_write, &ends[1]);
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &end);
	say("cancelled", end == PTHREAD_CANCELED);
	close(ends[0]);
	say("no reader", write(ends[1], bar, sizeof(bar)));
	signal(SIGPIPE, SIG_DFL);
	fflush(stdout);
	put(ends[1], bar); /* ends here */
}

static void write_from_signal(int number)
{
	(void)number;
	int saved = errno;
	if (write(2, "\n", 1) == 1)
		put(2, "\rsignal:  50%|##  | 1/2 [00:01<00:01, 1it/s]\x1b[A");
	errno = saved;
}

static void signals(void)
{
	struct sigaction action = {.sa_handler = write_from_signal, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &action, NULL);
	setitimer(
		ITIMER_REAL,
		&(struct itimerval){.it_value = {.tv_usec = 300}, .it_interval = {.tv_usec = 300}},
		NULL);
	for (int i = 0; i <= 20000; i++)
		draw("main", i, 20000);
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
}

static void forks(void)
{
	for (int i = 0; i <= 5; i++)
		draw("parent", i, 20);
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			put(2, "\n");
			for (int k = 0; k <= 3; k++)
				draw("child", k, 3);
			_exit(0);
		}
		wait(NULL);
	}
	if (vfork() == 0) {
		put(2, "\rtext of a child\n");
		_exit(0);
	}
	wait(NULL);
	for (int i = 6; i <= 20; i++)
		draw("parent", i, 20);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *draw_row(void *context)
{
	int row = (int)(intptr_t)context;
	char name[32];
	snprintf(name, sizeof(name), "row %d", row);
	for (int i = 0; i <= 100; i++) {
		pthread_mutex_lock(&lock);
		for (int k = 0; k < row; k++)
			put(2, "\n");
		draw(name, i, 100);
		for (int k = 0; k < row; k++)
			put(2, "\x1b[A");
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t all[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&all[i], NULL, draw_row, (void *)(intptr_t)i);
	for (int i = 0; i < 4; i++)
		pthread_join(all[i], NULL);
}

static void *draw_without_lock(void *context)
{
	for (int i = 0; i <= 20000; i++)
		draw(context, i, 20000);
	return NULL;
}

static void race(void)
{
	pthread_t all[4];
	static const char *const names[] = {"a", "b", "c", "d"};
	for (int i = 0; i < 4; i++)
		pthread_create(&all[i], NULL, draw_without_lock, (void *)names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(all[i], NULL);
}

/* Through the C library's buffers, the last drawing with a newline. */
static void stdio(void)
{
	printf("loading done\n");
	for (int i = 0; i <= 20; i++) {
		printf("\r  |%.*s>%*s| %d/20 - 4.50s/it\033[K%s", i, "====================", 20 - i,
		       "", i, i == 20 ? "\n" : "");
		fflush(stdout);
	}
	printf("saved\n");
	fflush(stdout);
}

/* More bars than there is room for, all of them under way; then one more when they have ended. */
static void many(void)
{
	char name[32];
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "bar %d", i);
		draw(name, 1, 20);
		put(2, " text\n");
	}
	put(2, "\x1b[100A");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "bar %d", i);
		draw(name, 20, 20);
		put(2, "\n");
	}
	for (int i = 0; i <= 7; i++)
		draw("late", i, 7);
}

/* For as long as it lives: what has been drawn is told in a page that outlives it. */
static void forever(const char *truth)
{
	int fd = open(truth, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		_exit(9);
	atomic_ulong *told = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (unsigned long i = 0;; i++) {
		draw("work", (int)(i % 1000), 1000000);
		atomic_store(told, i % 1000);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "results") == 0)
		results();
	else if (strcmp(what, "signals") == 0)
		signals();
	else if (strcmp(what, "forks") == 0)
		forks();
	else if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "race") == 0)
		race();
	else if (strcmp(what, "stdio") == 0)
		stdio();
	else if (strcmp(what, "many") == 0)
		many();
	else if (strcmp(what, "forever") == 0 && argc > 2)
		forever(argv[2]);
	return 0;
}
