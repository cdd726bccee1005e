/* SPDX-License-Identifier: MIT */
/* Build helper: embed NAME HEADER FILE prints FILE as a C array called NAME. */
#include <stdio.h>

int main(int argc, char **argv)
{
	FILE *from = argc == 4 ? fopen(argv[3], "rb") : NULL;
	if (!from) {
		fprintf(stderr, "usage: embed NAME HEADER FILE\n");
		return 1;
	}
	printf("/* Generated. */\n#include \"%s\"\n\nconst char %s[] = {\n", argv[2], argv[1]);
	unsigned long count = 0;
	for (int c; (c = fgetc(from)) != EOF; count++)
		printf("%d,%s", (signed char)c, count % 20 == 19 ? "\n" : "");
	printf("0};\nconst size_t %s_bytes = %lu;\n", argv[1], count);
	return ferror(from) || fflush(stdout) != 0;
}
