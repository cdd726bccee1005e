/* SPDX-License-Identifier: MIT */
/*
 * Threads are real, so that thread-local storage and thread exit are too; they hand a semaphore
 * around, on one processor, which costs a few microseconds. Two ways to choose, by the seed:
 * priorities that change at few random moments (PCT: finds a bug of depth d with a probability of
 * about 1 / (threads * steps^(d-1))), and a walk that changes thread with a fixed probability.
 */
#include "scheduler.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schedule.h"
#include "sys.h"

enum { BUFFERED_MAX = 4, CHANGES_MAX = 6, TRACE_STEPS = 4096, TRACE_SHOWN = 120 };
/* A run is a few thousand steps; one thread alone gets fewer before the others have a turn. */
enum { STEPS_MAX = 400000, TURN_STEPS_MAX = 3000 };

enum state { READY, BLOCKED, WAITING, DONE };

struct light_store {
	void *place;
	uint64_t value;
	size_t bytes;
};

struct thread {
	pthread_t native;
	sem_t go;
	void (*run)(void *argument);
	void *argument;
	enum state state;
	const void *awaits; /* mutex or condition */
	bool timed, timed_out;
	int64_t priority;
	unsigned rounds; /* of thread-specific destructors */
	struct light_store buffer[BUFFERED_MAX];
	unsigned buffered;
};

static struct {
	struct scheduler_plan plan;
	struct thread threads[SCHEDULER_THREADS_MAX];
	unsigned count;
	uint64_t random, ticks, steps, turn_steps, switches;
	/* How to choose: every walk-th step on average, or priorities when 0. */
	unsigned walk;
	uint64_t changes[CHANGES_MAX];
	int64_t lowest;
	unsigned drain;     /* a buffered store becomes visible at each drain-th step on average */
	unsigned impatient; /* a timed wait ends early at each such step on average; 0: never */
	struct {
		const char *where;
		unsigned thread;
	} trace[TRACE_STEPS];
} now;

static __thread struct thread *self;
static pthread_key_t ending;
static pthread_once_t once = PTHREAD_ONCE_INIT;

uint64_t scheduler_below(uint64_t bound)
{
	now.random += 0x9e3779b97f4a7c15u;
	uint64_t mixed = (now.random ^ now.random >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return (mixed ^ mixed >> 31) % bound;
}

uint64_t scheduler_steps(void)
{
	return now.steps;
}

uint64_t scheduler_switches(void)
{
	return now.switches;
}

/* The last steps, one line for each turn of a thread. */
static void print_trace(void)
{
	uint64_t shown = now.steps < TRACE_SHOWN ? now.steps : TRACE_SHOWN;
	unsigned thread = UINT_MAX;
	for (uint64_t step = now.steps - shown; step < now.steps; step++) {
		const char *where = now.trace[step % TRACE_STEPS].where;
		const char *name = strrchr(where, '/');
		if (now.trace[step % TRACE_STEPS].thread != thread) {
			thread = now.trace[step % TRACE_STEPS].thread;
			printf("\n#   thread %u:", thread);
		}
		printf(" %s", name ? name + 1 : where);
	}
	printf("\n");
	for (unsigned i = 0; i < now.count; i++) {
		static const char *const states[] = {"ready", "blocked", "waiting", "done"};
		printf("#   thread %u is %s\n", i, states[now.threads[i].state]);
	}
}

void scheduler_fail(const char *reason)
{
	if (!now.plan.quiet) {
		printf("# %s\n# again with: WAN_TEST_SEED=%llu %s %s\n# after %llu steps; the "
		       "last:",
		       reason, (unsigned long long)now.plan.seed, program_invocation_short_name,
		       now.plan.name ? now.plan.name : "", (unsigned long long)now.steps);
		print_trace();
		fflush(stdout);
	}
	_exit(SCHEDULER_STATUS);
}

static void crashed(int signal)
{
	scheduler_fail(signal == SIGABRT ? "aborted" : "crashed");
}

/* The address sanitizer calls this before it ends the process. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	crashed(SIGSEGV);
}

static void apply(const struct light_store *store)
{
	switch (store->bytes) {
	case 1:
		__atomic_store_n((uint8_t *)store->place, (uint8_t)store->value, __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n((uint16_t *)store->place, (uint16_t)store->value,
				 __ATOMIC_RELEASE);
		break;
	case 4:
		__atomic_store_n((uint32_t *)store->place, (uint32_t)store->value,
				 __ATOMIC_RELEASE);
		break;
	default:
		__atomic_store_n((uint64_t *)store->place, store->value, __ATOMIC_RELEASE);
	}
}

static void drain_oldest(struct thread *thread)
{
	apply(&thread->buffer[0]);
	thread->buffered--;
	memmove(&thread->buffer[0], &thread->buffer[1],
		thread->buffered * sizeof(thread->buffer[0]));
}

static void drain(struct thread *thread)
{
	while (thread->buffered)
		drain_oldest(thread);
}

static struct thread *any_of(enum state state, bool timed_only, const struct thread *but)
{
	struct thread *found = NULL;
	uint64_t seen = 0;
	for (unsigned i = 0; i < now.count; i++) {
		struct thread *thread = &now.threads[i];
		if (thread != but && thread->state == state && (!timed_only || thread->timed) &&
		    scheduler_below(++seen) == 0)
			found = thread;
	}
	return found;
}

static struct thread *most_urgent(void)
{
	struct thread *first = NULL;
	for (unsigned i = 0; i < now.count; i++) {
		struct thread *thread = &now.threads[i];
		if (thread->state == READY && (!first || thread->priority > first->priority))
			first = thread;
	}
	return first;
}

/* Who goes on; NULL: all are done. */
static struct thread *choose(void)
{
	if (!any_of(READY, false, NULL)) {
		struct thread *late = any_of(WAITING, true, NULL);
		if (late) {
			late->timed_out = true;
			late->state = READY;
		} else if (any_of(BLOCKED, false, NULL) || any_of(WAITING, false, NULL)) {
			scheduler_fail("deadlock");
		} else {
			return NULL;
		}
	}
	if (!now.walk)
		return most_urgent();
	bool stays = self && self->state == READY && scheduler_below(now.walk);
	struct thread *other = stays ? NULL : any_of(READY, false, self);
	return other ? other : self && self->state == READY ? self : any_of(READY, false, NULL);
}

/* Gives the turn away when somebody else is chosen, and comes back when it is ours again. */
static void pass_on(void)
{
	struct thread *next = choose(), *me = self;
	if (next == me)
		return;
	now.switches++;
	now.turn_steps = 0;
	bool over = me->state == DONE;
	if (next)
		sem_post(&next->go);
	while (!over && sem_wait(&me->go) < 0)
		;
}

static void change_priorities(void)
{
	for (unsigned i = 0; i < CHANGES_MAX; i++) {
		if (now.changes[i] == now.steps)
			self->priority = --now.lowest;
	}
	if (now.turn_steps > TURN_STEPS_MAX) { /* it may be waiting for somebody */
		now.turn_steps = 0;
		self->priority = --now.lowest;
	}
}

/* What the processor and the clock do by themselves. */
static void let_things_happen(void)
{
	for (unsigned i = 0; i < now.count; i++) {
		if (now.threads[i].buffered && scheduler_below(now.drain) == 0)
			drain_oldest(&now.threads[i]);
	}
	if (now.impatient && scheduler_below(now.impatient) == 0) {
		struct thread *late = any_of(WAITING, true, NULL);
		if (late) {
			late->timed_out = scheduler_below(2);
			late->state = READY;
		}
	}
}

static void step(const char *where)
{
	now.trace[now.steps % TRACE_STEPS].where = where;
	now.trace[now.steps % TRACE_STEPS].thread = (unsigned)(self - now.threads);
	now.steps++;
	now.turn_steps++;
	if (now.steps > STEPS_MAX)
		scheduler_fail("no end");
}

void scheduler_point(const char *where)
{
	if (!self)
		return;
	step(where);
	let_things_happen();
	change_priorities();
	pass_on();
}

void *wan_schedule_read(const volatile void *p, const char *where)
{
	scheduler_point(where);
	for (unsigned i = self ? self->buffered : 0; i-- > 0;) {
		if (self->buffer[i].place == p)
			return &self->buffer[i].value;
	}
	return (void *)p;
}

void *wan_schedule_write(volatile void *p, const char *where)
{
	scheduler_point(where);
	if (self)
		drain(self);
	return (void *)p;
}

void *wan_schedule_change(volatile void *p, const char *where)
{
	return wan_schedule_write(p, where);
}

void wan_schedule_store_light(volatile void *p, const void *value, size_t bytes, const char *where)
{
	struct light_store store = {.place = (void *)p, .bytes = bytes};
	memcpy(&store.value, value, bytes);
	scheduler_point(where);
	if (!self || now.plan.without_buffers) {
		apply(&store);
		return;
	}
	if (self->buffered == BUFFERED_MAX)
		drain_oldest(self);
	self->buffer[self->buffered++] = store;
}

void wan_schedule_fence(const char *where)
{
	(void)wan_schedule_write(NULL, where);
}

void wan_schedule_barrier(const char *where)
{
	scheduler_point(where);
	for (unsigned i = 0; i < now.count && !now.plan.without_barrier; i++)
		drain(&now.threads[i]);
}

void wan_schedule_pause(const char *where)
{
	if (self)
		self->priority = --now.lowest;
	scheduler_point(where);
}

uint64_t wan_schedule_ticks(void)
{
	return __atomic_add_fetch(&now.ticks, 1, __ATOMIC_RELAXED);
}

static void wake(enum state state, const void *awaited)
{
	for (unsigned i = 0; i < now.count; i++) {
		if (now.threads[i].state == state && now.threads[i].awaits == awaited)
			now.threads[i].state = READY;
	}
}

int wan_schedule_mutex_lock(pthread_mutex_t *mutex)
{
	if (!self)
		return pthread_mutex_lock(mutex);
	wan_schedule_fence("lock");
	while (pthread_mutex_trylock(mutex)) {
		self->state = BLOCKED;
		self->awaits = mutex;
		pass_on();
	}
	return 0;
}

int wan_schedule_mutex_unlock(pthread_mutex_t *mutex)
{
	if (self)
		drain(self);
	int rc = pthread_mutex_unlock(mutex);
	if (self) {
		wake(BLOCKED, mutex);
		scheduler_point("unlock");
	}
	return rc;
}

int wan_schedule_cond_broadcast(pthread_cond_t *cond)
{
	if (!self)
		return pthread_cond_broadcast(cond);
	wan_schedule_fence("wake");
	wake(WAITING, cond);
	return 0;
}

static int wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, bool timed)
{
	drain(self);
	pthread_mutex_unlock(mutex);
	wake(BLOCKED, mutex);
	step("wait");
	self->state = WAITING;
	self->awaits = cond;
	self->timed = timed;
	self->timed_out = false;
	pass_on();
	bool timed_out = self->timed_out;
	wan_schedule_mutex_lock(mutex);
	return timed_out ? ETIMEDOUT : 0;
}

int wan_schedule_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	return self ? wait_for(cond, mutex, false) : pthread_cond_wait(cond, mutex);
}

int wan_schedule_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				const struct timespec *deadline)
{
	return self ? wait_for(cond, mutex, true) : pthread_cond_timedwait(cond, mutex, deadline);
}

/* Destructors of other keys run in the same rounds: the thread leaves in the last. */
static void end_of_thread(void *argument)
{
	struct thread *thread = argument;
	if (++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(ending, thread);
		return;
	}
	scheduler_point("end");
	drain(thread);
	thread->state = DONE;
	pass_on();
	self = NULL;
}

/* All clocks are that one counter, a microsecond a reading: what depends on times can be run again.
 */
static int read_clock(clockid_t clock, struct timespec *ret)
{
	uint64_t us = wan_schedule_ticks();
	if (clock == CLOCK_MONOTONIC_COARSE)
		us -= us % 4000;
	*ret = (struct timespec){.tv_sec = (time_t)(us / 1000000),
				 .tv_nsec = (long)(us % 1000000 * 1000)};
	return 0;
}

static void prepare(void)
{
	static struct wan_sys sys;
	sys = *wan_sys;
	sys.clock_gettime = read_clock;
	wan_sys = &sys;
	pthread_key_create(&ending, end_of_thread);
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], crashed);
}

void scheduler_begin(const struct scheduler_plan *plan)
{
	pthread_once(&once, prepare);
	now.plan = *plan;
	now.count = 0;
	now.random = plan->seed * 0xd1342543de82ef95u;
	now.steps = now.turn_steps = now.switches = 0;
	now.ticks = 1000000;
	now.lowest = 0;
	now.walk = scheduler_below(2) ? 1u << (1 + scheduler_below(6)) : 0;
	/* How many changes, and over which length of run, is the seed's choice too. */
	uint64_t changes = scheduler_below(CHANGES_MAX), scale = 16u << scheduler_below(9);
	for (unsigned i = 0; i < CHANGES_MAX; i++)
		now.changes[i] = i < changes ? 1 + scheduler_below(scale) : 0;
	now.drain = 2u << (2 * scheduler_below(5));
	now.impatient = scheduler_below(3) ? 0 : 4u << scheduler_below(6);
}

static void *thread_main(void *argument)
{
	self = argument;
	pthread_setspecific(ending, self);
	while (sem_wait(&self->go) < 0)
		;
	self->run(self->argument);
	return NULL;
}

void scheduler_run(unsigned count, void (*run)(void *argument), void *const *arguments)
{
	cpu_set_t one;
	pthread_attr_t attributes;
	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof(one), &one);
	for (unsigned i = 0; i < count; i++) {
		struct thread *thread = &now.threads[i];
		*thread = (struct thread){.run = run, .argument = arguments[i]};
		thread->priority = 1 + (int64_t)scheduler_below(1000000);
		sem_init(&thread->go, 0, 0);
		if (pthread_create(&thread->native, &attributes, thread_main, thread))
			scheduler_fail("no thread");
	}
	pthread_attr_destroy(&attributes);
	now.count = count;
	sem_post(&choose()->go);
	for (unsigned i = 0; i < count; i++) {
		pthread_join(now.threads[i].native, NULL);
		sem_destroy(&now.threads[i].go);
	}
}
