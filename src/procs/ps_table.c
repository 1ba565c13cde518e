/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/ps_table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

extern char **environ;

static int run(const char *const *args, struct text *out, int *ret_status, struct err *e)
{
	static const char *const usual[] = { "-ef", NULL };
	autofree const char **argv = NULL;
	posix_spawn_file_actions_t actions;
	int pipes[2], r;
	size_t n = 0;
	ssize_t got;
	char buf[65536];
	pid_t pid;

	args = args && *args ? args : usual;
	while (args[n])
		n++;
	argv = mem_alloc((n + 2) * sizeof(*argv));
	argv[0] = "ps";
	memcpy(argv + 1, args, n * sizeof(*argv));
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	r = posix_spawnp(&pid, "ps", &actions, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	while (r == 0 && (got = read(pipes[0], buf, sizeof(buf))) != 0) {
		if (got > 0)
			text_add_n(out, buf, (size_t)got);
		else if (errno != EINTR)
			break;
	}
	close(pipes[0]);
	if (r != 0)
		return err_set(e, r, "run ps (Debian's package procps)");
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* The word of a line at a place counted from 0; its length, 0 where there is none. */
static size_t word_at(const char *line, size_t n, size_t place, const char **ret)
{
	size_t i = 0, len;

	for (;;) {
		while (i < n && line[i] == ' ')
			i++;
		for (len = 0; i + len < n && line[i + len] != ' ';)
			len++;
		if (!len || place-- == 0)
			break;
		i += len;
	}
	*ret = line + i;
	return len;
}

static bool find_pid_column(const char *line, size_t n, size_t *ret)
{
	const char *word;
	size_t len;

	for (*ret = 0; (len = word_at(line, n, *ret, &word)) > 0; ++*ret)
		if (len == 3 && memcmp(word, "PID", 3) == 0)
			return true;
	return false;
}

int ps_table(const struct snapshot *s, const bool *wanted, const char *const *args, struct text *t,
	struct err *e)
{
	autotext out = { 0 };
	size_t column = 0, n;
	bool head = true;
	int status = 0;

	if (run(args, &out, &status, e) < 0)
		return -e->code;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_say(e, "ps did not take these options");
	for (const char *line = out.p; line && *line; line += n + (line[n] == '\n'), head = false) {
		const char *word;
		uint32_t i = NO_PROC;

		n = strcspn(line, "\n");
		if (head && !find_pid_column(line, n, &column))
			return err_say(e, "ps shows no column PID with these options");
		if (!head && word_at(line, n, column, &word))
			i = snapshot_find(s, (pid_t)strtol(word, NULL, 10));
		if (!head && (i == NO_PROC || !wanted[i]))
			continue;
		text_add_escaped(t, line, n);
		text_add(t, "\n");
	}
	return 0;
}
