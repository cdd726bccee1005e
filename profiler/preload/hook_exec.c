/* SPDX-License-Identifier: MIT */
/*
 * exec and posix_spawn: a program built with a sanitizer does not start beside everything that we
 * have put into the environment. Such a program gets an environment without that; every other call
 * goes on as it came. Each function has a hook of its own, as the C library's do not call each
 * other by their public names. Between vfork and exec, so: no allocation, no lock, and what the
 * loader is asked for was asked before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "exec_target.h"
#include "macros.h"

#define EXPORT __attribute__((visibility("default")))

enum {
	VARIABLES_MAX = 1024,   /* with more, the environment is left as it is */
	LISTS_BYTES = 4 * 1024, /* what is left of LD_PRELOAD and LD_AUDIT */
};

typedef char *const *strings;
typedef int execve_function(const char *path, char *const *arguments, char *const *variables);
typedef int fexecve_function(int fd, char *const *arguments, char *const *variables);
typedef int spawn_function(pid_t *ret_pid, const char *path,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const *arguments,
			   char *const *variables);

static execve_function *next_execve, *next_execvpe;
static fexecve_function *next_fexecve;
static spawn_function *next_spawn, *next_spawnp;

/* Another library may stand between us and the C library. */
__attribute__((constructor)) static void find_next(void)
{
	int saved = errno;
	next_execvpe = (execve_function *)dlsym(RTLD_NEXT, "execvpe");
	next_fexecve = (fexecve_function *)dlsym(RTLD_NEXT, "fexecve");
	next_spawn = (spawn_function *)dlsym(RTLD_NEXT, "posix_spawn");
	next_spawnp = (spawn_function *)dlsym(RTLD_NEXT, "posix_spawnp");
	wan_store_release(&next_execve, (execve_function *)dlsym(RTLD_NEXT, "execve"));
	errno = saved;
}

struct call {
	enum { EXECVE, EXECVPE, EXECVEAT, FEXECVE, SPAWN, SPAWNP } how;
	int fd, flags;
	const char *path;
	strings arguments;
	pid_t *ret_pid;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
};

static int go(const struct call *call, strings variables)
{
	/* Only a library that starts programs before our constructor ran. */
	if (wan_unlikely(!wan_load_acquire(&next_execve)))
		find_next();
	switch (call->how) {
	case EXECVPE:
		return next_execvpe(call->path, call->arguments, variables);
	case EXECVEAT: /* no function of old C libraries */
		return (int)syscall(SYS_execveat, call->fd, call->path, call->arguments, variables,
				    call->flags);
	case FEXECVE:
		return next_fexecve(call->fd, call->arguments, variables);
	case SPAWN:
		return next_spawn(call->ret_pid, call->path, call->actions, call->attributes,
				  call->arguments, variables);
	case SPAWNP:
		return next_spawnp(call->ret_pid, call->path, call->actions, call->attributes,
				   call->arguments, variables);
	default:
		return next_execve(call->path, call->arguments, variables);
	}
}

static bool contains(const char *text, size_t length, const char *part)
{
	size_t bytes = strlen(part);
	for (; length >= bytes; text++, length--)
		if (memcmp(text, part, bytes) == 0)
			return true;
	return false;
}

/* The value of a list of ours, or NULL. */
static const char *value_of(const char *variable, const char *name, const char *library)
{
	size_t bytes = strlen(name);
	if (strncmp(variable, name, bytes) != 0 || !contains(variable, strlen(variable), library))
		return NULL;
	return variable + bytes;
}

static const char *audit_value(const char *variable)
{
	return value_of(variable, "LD_AUDIT=", "libwanrt-audit.so");
}

/* With the runtime of the sanitizer in the list somebody has seen to it. */
static const char *preload_value(const char *variable)
{
	const char *value = value_of(variable, "LD_PRELOAD=", "libwanrt-");
	return value && !contains(value, strlen(value), "libasan.so") &&
			       !contains(value, strlen(value), "libclang_rt.asan")
		       ? value
		       : NULL;
}

static bool is_touched(strings variables)
{
	size_t count = 0;
	bool touched = false;
	for (; variables && variables[count]; count++)
		touched |= audit_value(variables[count]) || preload_value(variables[count]);
	return touched && count <= VARIABLES_MAX;
}

/* The allocator of wanprof run --alloc=jemalloc is the first of the list. */
static bool goes(const char *part, size_t length, bool first, enum wan_exec_target target)
{
	return contains(part, length, "libwanrt-audit.so") ||
	       contains(part, length, "libwanrt-count.so") ||
	       (first && contains(part, length, "/libjemalloc.so")) ||
	       (target == WAN_EXEC_ALONE && contains(part, length, "libwanrt-preload.so"));
}

struct environment {
	char *variables[VARIABLES_MAX + 1];
	char lists[LISTS_BYTES];
	size_t used;
};

/* NAME=LIST with what may stay; NULL in *ret_variable: nothing is left. False: no room. */
static bool reduce(struct environment *to, const char *variable, const char *value,
		   enum wan_exec_target target, char **ret_variable)
{
	size_t name_bytes = (size_t)(value - variable), bytes = strlen(variable) + 1, kept = 0;
	if (bytes > sizeof(to->lists) - to->used)
		return false;
	char *text = to->lists + to->used, *end = text + name_bytes;
	memcpy(text, variable, name_bytes);
	for (bool first = true; *value; first = false) {
		size_t length = strcspn(value, ": ");
		if (length && !goes(value, length, first, target)) {
			if (kept++)
				*end++ = ':';
			memcpy(end, value, length);
			end += length;
		}
		value += length + (value[length] != '\0');
	}
	*end++ = '\0';
	to->used += (size_t)(end - text);
	*ret_variable = kept ? text : NULL;
	return true;
}

static __attribute__((noinline)) int go_reduced(const struct call *call, strings variables,
						enum wan_exec_target target)
{
	struct environment to;
	size_t count = 0;
	to.used = 0;
	for (; *variables; variables++) {
		const char *value = audit_value(*variables);
		char *variable = *variables;
		if (!value)
			value = preload_value(*variables);
		if (value && !reduce(&to, *variables, value, target, &variable))
			variable = *variables;
		if (variable)
			to.variables[count++] = variable;
	}
	to.variables[count] = NULL;
	return go(call, to.variables);
}

static enum wan_exec_target target_of(const struct call *call)
{
	switch (call->how) {
	case EXECVPE:
	case SPAWNP:
		return wan_exec_target_named(call->path);
	case EXECVEAT:
		if ((call->flags & AT_EMPTY_PATH) && call->path && !*call->path)
			return wan_exec_target_of(call->fd);
		return wan_exec_target_at(call->fd, call->path);
	case FEXECVE:
		return wan_exec_target_of(call->fd);
	default:
		return wan_exec_target_at(AT_FDCWD, call->path);
	}
}

static int start(const struct call *call, strings variables)
{
	if (!is_touched(variables))
		return go(call, variables);
	int saved = errno;
	enum wan_exec_target target = target_of(call);
	errno = saved;
	if (wan_likely(target < WAN_EXEC_UNAUDITED))
		return go(call, variables);
	return go_reduced(call, variables, target);
}

EXPORT int execve(const char *path, char *const arguments[], char *const variables[])
{
	return start(&(struct call){.how = EXECVE, .path = path, .arguments = arguments},
		     variables);
}

EXPORT int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

EXPORT int execvpe(const char *name, char *const arguments[], char *const variables[])
{
	return start(&(struct call){.how = EXECVPE, .path = name, .arguments = arguments},
		     variables);
}

EXPORT int execvp(const char *name, char *const arguments[])
{
	return execvpe(name, arguments, environ);
}

/* Older C libraries do not declare it. */
int execveat(int folder, const char *path, char *const arguments[], char *const variables[],
	     int flags);

EXPORT int execveat(int folder, const char *path, char *const arguments[], char *const variables[],
		    int flags)
{
	return start(&(struct call){.how = EXECVEAT,
				    .fd = folder,
				    .path = path,
				    .arguments = arguments,
				    .flags = flags},
		     variables);
}

EXPORT int fexecve(int fd, char *const arguments[], char *const variables[])
{
	return start(&(struct call){.how = FEXECVE, .fd = fd, .arguments = arguments}, variables);
}

EXPORT int posix_spawn(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const arguments[],
		       char *const variables[])
{
	return start(&(struct call){.how = SPAWN,
				    .ret_pid = ret_pid,
				    .path = path,
				    .actions = actions,
				    .attributes = attributes,
				    .arguments = arguments},
		     variables);
}

EXPORT int posix_spawnp(pid_t *ret_pid, const char *name, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const arguments[],
			char *const variables[])
{
	return start(&(struct call){.how = SPAWNP,
				    .ret_pid = ret_pid,
				    .path = name,
				    .actions = actions,
				    .attributes = attributes,
				    .arguments = arguments},
		     variables);
}

/* Arguments up to the NULL; the list itself is a list of char *, whatever the prototype says. */
static size_t count_arguments(va_list list)
{
	size_t count = 1;
	while (va_arg(list, char *))
		count++;
	return count;
}

/* Runs how(path, arguments, variables) with the arguments as an array, on the stack like there. */
#define WITH_ARRAY(first, has_variables, how)                                                      \
	va_list list;                                                                              \
	va_start(list, first);                                                                     \
	size_t count = count_arguments(list);                                                      \
	va_end(list);                                                                              \
	char **arguments = __builtin_alloca((count + 1) * sizeof(*arguments));                     \
	va_start(list, first);                                                                     \
	arguments[0] = (char *)(uintptr_t)(first);                                                 \
	for (size_t i = 1; i <= count; i++)                                                        \
		arguments[i] = va_arg(list, char *);                                               \
	char *const *variables = (has_variables) ? va_arg(list, char *const *) : environ;          \
	va_end(list);                                                                              \
	return how(path, arguments, variables)

EXPORT int execl(const char *path, const char *first, ...)
{
	WITH_ARRAY(first, false, execve);
}

EXPORT int execle(const char *path, const char *first, ...)
{
	WITH_ARRAY(first, true, execve);
}

EXPORT int execlp(const char *path, const char *first, ...)
{
	WITH_ARRAY(first, false, execvpe);
}
