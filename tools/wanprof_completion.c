/* SPDX-License-Identifier: MIT */
/* wanprof completion SHELL: completions from the tables of the verbs, for three shells. */
#include "wanprof.h"

#include <string.h>

#include "macros.h"

/* What an argument completes to, by its placeholder. */
static bool is_file(const char *argument)
{
	return strstr(argument, "FILE") || strcmp(argument, "FOLDER") == 0;
}

static void print_words(const char *choices, char separator)
{
	for (; *choices; choices++)
		putchar(*choices == '|' ? separator : *choices);
}

/* Text inside '...' of a shell: a quote ends, escapes and begins again. */
static void print_quoted(const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
}

static void bash_values(const struct wanprof_verb *verb)
{
	for (const struct wanprof_option *o = verb->options; o && o->name; o++) {
		if (!o->choices)
			continue;
		printf("\t%s:--%s", verb->name, o->name);
		if (o->letter)
			printf("|%s:-%c", verb->name, o->letter);
		fputs(") COMPREPLY=($(compgen -W '", stdout);
		print_words(o->choices, ' ');
		puts("' -- \"$current\")); return;;");
	}
}

static void bash_options(const struct wanprof_verb *verb)
{
	printf("\t%s) words='--help", verb->name);
	for (const struct wanprof_option *o = verb->options; o && o->name; o++)
		printf(" --%s", o->name);
	puts("';;");
}

static void bash(const struct wanprof_verb *const *verbs, size_t count)
{
	puts("# bash completion for wanprof, printed by `wanprof completion bash`\n"
	     "_wanprof()\n{\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tlocal verb=${COMP_WORDS[1]} words= i\n"
	     "\tCOMPREPLY=()");
	fputs("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W 'help", stdout);
	for (size_t i = 0; i < count; i++)
		printf(" %s", verbs[i]->name);
	puts(" --help --version --color=' -- \"$current\"))\n\t\treturn\n\tfi");
	/* After the command of run begins, complete that command. */
	puts("\tif [ \"$verb\" = run ]; then\n"
	     "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	     "\t\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
	     "\t\t\t\t_command_offset $((i + 1)) 2>/dev/null\n\t\t\t\treturn\n"
	     "\t\t\tfi\n\t\tdone\n\tfi");
	puts("\tcase $verb:$before in");
	for (size_t i = 0; i < count; i++)
		bash_values(verbs[i]);
	puts("\tesac\n\tcase $verb in");
	fputs("\thelp) words='", stdout);
	for (size_t i = 0; i < count; i++)
		printf("%s ", verbs[i]->name);
	puts("';;");
	for (size_t i = 0; i < count; i++)
		bash_options(verbs[i]);
	puts("\tesac\n"
	     "\tcase $verb:$current in\n"
	     "\thelp:*|*:-*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\"));;\n"
	     "\tcompletion:*) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$current\"));;\n"
	     "\t*) COMPREPLY=($(compgen -f -- \"$current\"));;\n"
	     "\tesac\n}\ncomplete -o filenames -F _wanprof wanprof");
}

/* Inside a zsh specification, [ ] and : are special as well. */
static void zsh_text(const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
}

static void zsh_option(const struct wanprof_option *o)
{
	fputs("\t\t'", stdout);
	if (o->letter)
		printf("(-%c --%s)'{-%c,--%s}'", o->letter, o->name, o->letter, o->name);
	else
		printf("--%s", o->name);
	putchar('[');
	zsh_text(o->help);
	putchar(']');
	if (o->argument) {
		putchar(':');
		zsh_text(o->argument);
		putchar(':');
		if (o->choices) {
			putchar('(');
			print_words(o->choices, ' ');
			putchar(')');
		} else if (is_file(o->argument)) {
			fputs("_files", stdout);
		}
	}
	puts("' \\");
}

static void zsh(const struct wanprof_verb *const *verbs, size_t count)
{
	puts("#compdef wanprof\n# zsh completion for wanprof, printed by `wanprof completion zsh`\n"
	     "_wanprof()\n{\n\tlocal -a verbs\n\tverbs=(");
	for (size_t i = 0; i < count; i++) {
		printf("\t\t'%s:", verbs[i]->name);
		zsh_text(verbs[i]->summary);
		puts("'");
	}
	puts("\t\t'help:options of a verb'\n\t)\n"
	     "\tif (( CURRENT == 2 )); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	     "\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in\n"
	     "\thelp) _describe verb verbs;;\n"
	     "\tcompletion) _values shell bash zsh fish;;");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(verbs[i]->name, "completion") == 0)
			continue;
		printf("\t%s) _arguments \\\n", verbs[i]->name);
		for (const struct wanprof_option *o = verbs[i]->options; o && o->name; o++)
			zsh_option(o);
		puts(verbs[i]->stops_at_operand
			     ? "\t\t'(-)1:command: _command_names -e' '*::arguments: "
			       "_normal';;"
			     : "\t\t'*:file:_files';;");
	}
	puts("\tesac\n}\n_wanprof \"$@\"");
}

static void fish_verb(const struct wanprof_verb *verb)
{
	printf("complete -c wanprof -n __fish_use_subcommand -f -a %s -d '", verb->name);
	print_quoted(verb->summary);
	puts("'");
	for (const struct wanprof_option *o = verb->options; o && o->name; o++) {
		printf("complete -c wanprof -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
		       o->name);
		if (o->letter)
			printf(" -s %c", o->letter);
		if (o->choices) {
			fputs(" -x -a '", stdout);
			print_words(o->choices, ' ');
			putchar('\'');
		} else if (o->argument) {
			fputs(is_file(o->argument) ? " -r -F" : " -x", stdout);
		}
		fputs(" -d '", stdout);
		print_quoted(o->help);
		puts("'");
	}
}

static void fish(const struct wanprof_verb *const *verbs, size_t count)
{
	puts("# fish completion for wanprof, printed by `wanprof completion fish`");
	for (size_t i = 0; i < count; i++)
		fish_verb(verbs[i]);
	puts("complete -c wanprof -n __fish_use_subcommand -f -a help -d 'options of a verb'\n"
	     "complete -c wanprof -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh "
	     "fish'\n"
	     "complete -c wanprof -l help -d 'help'\n"
	     "complete -c wanprof -n __fish_use_subcommand -l version -d 'the version'");
}

static int run(int argc, char **argv)
{
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_completion, argc, argv);
	const char *shell = NULL;
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (shell)
			return wanprof_usage_error(args.verb, "one shell, not two");
		shell = args.value;
	}
	if (!shell)
		return wanprof_usage_error(args.verb, "which shell? bash, zsh or fish");
	int status = wanprof_check_choice(args.verb, "SHELL", "bash|zsh|fish", shell);
	if (status)
		return status;
	size_t count;
	const struct wanprof_verb *const *verbs = wanprof_verbs(&count);
	if (strcmp(shell, "bash") == 0)
		bash(verbs, count);
	else if (strcmp(shell, "zsh") == 0)
		zsh(verbs, count);
	else
		fish(verbs, count);
	return WANPROF_OK;
}

const struct wanprof_verb wanprof_verb_completion = {
	.name = "completion",
	.summary = "Print the completions for bash, zsh or fish",
	.usage = "bash|zsh|fish",
	.text = "The installed package has them already; for one shell by hand:\n"
		"  eval \"$(wanprof completion bash)\"\n",
	.run = run,
};
