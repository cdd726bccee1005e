/* SPDX-License-Identifier: MIT */
/*
 * What dlsym() answers depends on who asks. Built three times: the program, and two libraries in
 * the order in which the loader searches them; all of them define who_am_i().
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef const char *name_function(void);

static inline const char *name_of(void *found)
{
	return found ? ((name_function *)found)() : "nothing";
}

const char *who_am_i(void);
const char *who_am_i(void)
{
	return WHO;
}

const char *next_of_first(void);
int keep_second(void);

#ifdef FIRST_LIBRARY
const char *next_of_first(void)
{
	if (!keep_second())
		return "the loader dropped the second library";
	return name_of(dlsym(RTLD_NEXT, "who_am_i"));
}
#elif defined(SECOND_LIBRARY)
int keep_second(void)
{
	return 1;
}
#else
int main(int argc, char **argv)
{
	void *self = dlopen(NULL, RTLD_LAZY), *first = argc > 1 ? dlopen(argv[1], RTLD_LAZY) : NULL;
	printf("next of the program: %s\n", name_of(dlsym(RTLD_NEXT, "who_am_i")));
	printf("next of the first: %s\n", next_of_first());
	printf("default: %s\n", name_of(dlsym(RTLD_DEFAULT, "who_am_i")));
	printf("program: %s\n", name_of(dlsym(self, "who_am_i")));
	printf("first: %s\n", name_of(dlsym(first, "who_am_i")));
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "PyInit__imaging" : "no_such_name";
		printf("%s: %d ", name, dlsym(first, name) != NULL);
		const char *error = dlerror();
		printf("%d ", error && strstr(error, name));
		printf("%d\n", dlerror() != NULL);
	}
	return 0;
}
#endif
