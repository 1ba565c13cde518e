/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is seen in a /proc that is only a folder: tests/proc/NAME.proc describes one, NAME.seen is
 * what the views make of it. UPDATE=1 writes what is seen now. The words of a description:
 *
 *   proc PID[/PID...] STATE key=value... [args=WORDS TO THE END]
 *	ppid sid start threads sig code comm cgroup env; ns=INODE, ns=? for a link that is refused,
 *	nssid=SID/SID... where the leader of the session is not in the list
 *   thread PID TID CHILD...	on whose list of children these are
 *   torn PID TEXT		a stat file of just this text; without, none: it has just gone
 *   file PATH TEXT		any other file; \n is a line's end, \s a blank
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "procs/forest.h"
#include "procs/owner.h"
#include "procs/snapshot.h"

#define HOST_NS "4026531836"

struct actor {
	char nspid[256], state, ns[32], nssid[256], comm[64], cgroup[512], env[128], args[512];
	int pid, ppid, sid, start, threads, sig, code, list; /* list: thread on whose list it is */
};

struct stage {
	char dir[PATH_MAX];
	struct actor actors[256];
	size_t n;
};

/* Makes the folders above path, which is writable memory. */
static void make_parents(char *path)
{
	for (char *c = path + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		if (mkdir(path, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*c = '/';
	}
}

static void put(const struct stage *st, const char *name, const char *data, size_t n)
{
	char path[PATH_MAX + 600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", st->dir, name);
	make_parents(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void __attribute__((format(printf, 4, 5)))
put_proc(const struct stage *st, int pid, const char *file, const char *fmt, ...)
{
	char name[64], text[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "proc/%d/%s", pid, file);
	put(st, name, text, (size_t)n);
}

static struct actor *find(struct stage *st, int pid)
{
	for (size_t i = 0; i < st->n; i++)
		if (st->actors[i].pid == pid)
			return &st->actors[i];
	return NULL;
}

static void set(struct actor *a, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *text;
		size_t size;
		int *number;
	} keys[] = {
		{ "ns", a->ns, sizeof(a->ns), NULL },
		{ "nssid", a->nssid, sizeof(a->nssid), NULL },
		{ "comm", a->comm, sizeof(a->comm), NULL },
		{ "cgroup", a->cgroup, sizeof(a->cgroup), NULL },
		{ "env", a->env, sizeof(a->env), NULL },
		{ "args", a->args, sizeof(a->args), NULL },
		{ "ppid", NULL, 0, &a->ppid },
		{ "sid", NULL, 0, &a->sid },
		{ "start", NULL, 0, &a->start },
		{ "threads", NULL, 0, &a->threads },
		{ "sig", NULL, 0, &a->sig },
		{ "code", NULL, 0, &a->code },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!str_eq(keys[i].key, key))
			continue;
		if (keys[i].number)
			*keys[i].number = atoi(value);
		else
			snprintf(keys[i].text, keys[i].size, "%s", value);
		return;
	}
	fail_msg("no key %s", key);
}

static void add_actor(struct stage *st, char *words)
{
	struct actor *a = &st->actors[st->n++];
	char *args = strstr(words, " args="), *word, *save = NULL;

	assert_true(st->n < ARRAY_LEN(st->actors));
	*a = (struct actor){ .ns = HOST_NS, .threads = 1, .sig = 17, .cgroup = "0::/" };
	if (args) {
		*args = '\0';
		set(a, "args", args + 6);
	}
	word = strtok_r(words, " ", &save);
	snprintf(a->nspid, sizeof(a->nspid), "%s", word);
	a->pid = a->start = a->sid = atoi(word);
	snprintf(a->comm, sizeof(a->comm), "p%d", a->pid);
	a->state = *strtok_r(NULL, " ", &save);
	while ((word = strtok_r(NULL, " ", &save))) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value = '\0';
		set(a, word, value + 1);
	}
}

static char *unescaped(char *s)
{
	char *to = s, *from = s;

	for (; *from; from++) {
		if (from[0] == '\\' && (from[1] == 'n' || from[1] == 's')) {
			*to++ = from[1] == 'n' ? '\n' : ' ';
			from++;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return s;
}

static void read_line(struct stage *st, char *line)
{
	char *rest = strchr(line, ' '), *word, *save = NULL;
	int pid;

	if (!*line || *line == '#')
		return;
	assert_non_null(rest);
	*rest++ = '\0';
	if (str_eq(line, "proc")) {
		add_actor(st, rest);
	} else if (str_eq(line, "thread")) {
		int tid;

		strtok_r(rest, " ", &save);
		tid = atoi(strtok_r(NULL, " ", &save));
		while ((word = strtok_r(NULL, " ", &save)))
			find(st, atoi(word))->list = tid;
	} else if (str_eq(line, "torn")) {
		pid = (int)strtol(rest, &word, 10);
		put_proc(st, pid, "x", "%s", "");
		if (*word)
			put_proc(st, pid, "stat", "%s", unescaped(word + 1));
	} else if (str_eq(line, "file")) {
		word = strchr(rest, ' ');
		if (word)
			*word++ = '\0';
		put(st, rest, word ? unescaped(word) : "", word ? strlen(word) : 0);
	} else {
		fail_msg("no word %s", line);
	}
}

/* "7/8/9" with tabs, as many numbers as like has. */
static void tabbed(const char *list, const char *like, char *ret, size_t size)
{
	size_t n = 0, wanted = 1, have = 1;

	for (const char *c = like; *c; c++)
		wanted += *c == '/';
	for (const char *c = list; *c && n + 1 < size; c++) {
		have += *c == '/';
		if (have > wanted)
			break;
		ret[n++] = *c == '/' ? '\t' : *c;
	}
	for (; have < wanted && n + 2 < size; have++) {
		ret[n++] = '\t';
		ret[n++] = '0';
	}
	ret[n] = '\0';
}

static void put_actor(struct stage *st, struct actor *a)
{
	struct actor *leader = find(st, a->sid);
	char pids[300], sids[300], link[64], path[PATH_MAX + 100], *c;
	size_t n = strlen(a->args);

	tabbed(a->nspid, a->nspid, pids, sizeof(pids));
	tabbed(*a->nssid ? a->nssid : leader ? leader->nspid : "0", a->nspid, sids, sizeof(sids));
	/* of stat what is read: 4 ppid, 5 pgrp, 6 session, 20 threads, 22 start, 38, 52 */
	put_proc(st, a->pid, "stat",
		"%d (%s) %c %d %d %d 0 -1 %d 0 0 0 0 3 4 0 0 20 0 %d 0 %d 4096 25 "
		"18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
		a->pid, a->comm, a->state, a->ppid, a->pid, a->sid,
		a->ppid == 2 || a->pid == 2 ? 0x200000 : 0, a->threads, a->start, a->sig, a->code);
	put_proc(st, a->pid, "status", "Name:\t%s\nNSpid:\t%s\nNSsid:\t%s\n", a->comm, pids, sids);
	put_proc(st, a->pid, "cgroup", "%s\n", unescaped(a->cgroup));
	put_proc(st, a->pid, "environ", "%s", a->env);
	while ((c = strchr(a->args, ' ')))
		*c = '\0';
	snprintf(path, sizeof(path), "proc/%d/cmdline", a->pid);
	put(st, path, a->args, n ? n + 1 : 0);
	put_proc(st, a->pid, "ns/x", "%s", "");
	if (str_eq(a->ns, "?")) {
		put_proc(st, a->pid, "ns/pid", "%s", "not to be read as a link");
		return;
	}
	snprintf(link, sizeof(link), "pid:[%s]", a->ns);
	snprintf(path, sizeof(path), "%s/proc/%d/ns/pid", st->dir, a->pid);
	assert_int_equal(symlink(link, path), 0);
}

/* Who stands on no thread's list is on the first one's. */
static void put_children(struct stage *st)
{
	for (size_t i = 0; i < st->n; i++) {
		struct actor *a = &st->actors[i];

		for (size_t k = 0; k < st->n; k++) {
			char path[64];
			autotext t = { 0 };
			int tid = k == i ? a->pid : st->actors[k].list;

			if (!tid || (k != i && st->actors[k].ppid != a->pid))
				continue;
			for (size_t c = 0; c < st->n; c++)
				if (st->actors[c].ppid == a->pid &&
					(st->actors[c].list ?: a->pid) == tid)
					text_addf(&t, "%d ", st->actors[c].pid);
			snprintf(path, sizeof(path), "task/%d/children", tid);
			put_proc(st, a->pid, path, "%s", t.p ? t.p : "");
		}
	}
}

static void build(struct stage *st, const char *description)
{
	char path[PATH_MAX + 32], *line = NULL;
	size_t room = 0;
	FILE *f = fopen(description, "r");

	assert_non_null(f);
	snprintf(st->dir, sizeof(st->dir), "/tmp/clade-proc-XXXXXX");
	assert_non_null(mkdtemp(st->dir));
	put(st, "proc/self/ns/x", "", 0);
	snprintf(path, sizeof(path), "%s/proc/self/ns/pid", st->dir);
	assert_int_equal(symlink("pid:[" HOST_NS "]", path), 0);
	while (getline(&line, &room, f) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		read_line(st, line);
	}
	free(line);
	fclose(f);
	for (size_t i = 0; i < st->n; i++)
		put_actor(st, &st->actors[i]);
	put_children(st);
}

static void show_owner(struct text *t, const struct owner *o)
{
	const char *const more[] = { o->pod, o->kns, o->image };
	static const char *const names[] = { "pod", "namespace", "image" };

	text_addf(t, "%s %.12s", *o->runtime ? o->runtime : "-", o->id);
	if (!str_eq(o->name, o->id))
		text_addf(t, " \"%s\"", o->name);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		if (more[i])
			text_addf(t, " %s %s", names[i], more[i]);
}

static void show_proc(struct text *t, const struct snapshot *s, uint32_t i, int depth)
{
	const struct proc *p = &s->procs[i];
	uint32_t reaper = proc_reaper(s, i);

	text_addf(t, "%*s", 2 * depth, "");
	for (int k = 0; k < p->levels; k++)
		text_addf(t, "%s%d", k ? "/" : "", p->nspid[k]);
	text_addf(t, " %c ", p->state);
	text_add_escaped(t, p->comm, strlen(p->comm));
	text_addf(t, " ns %u", p->ns);
	if (proc_is_init(p))
		text_add(t, " init");
	if (p->ns_guessed)
		text_add(t, " guessed");
	if (proc_is_entered(s, i))
		text_add(t, " entered");
	if (p->is_subreaper)
		text_add(t, " subreaper");
	if (p->kernel_thread)
		text_add(t, " kernel");
	if (p->proof)
		text_addf(t, " %s (%s)", p->origin == ORIGIN_OWN ? "own" : "adopted", p->proof);
	if (p->exit_status >= 0)
		text_addf(t, " exit %d", p->exit_status);
	if (reaper != NO_PROC && reaper != p->parent)
		text_addf(t, " reaper %d", s->procs[reaper].pid);
	if (p->owner) {
		text_add(t, " of ");
		show_owner(t, p->owner);
	}
	text_add(t, "\n");
}

static void show(struct text *t, const struct snapshot *s)
{
	int depth = 0;

	for (uint32_t i = 0; i < s->n_ns; i++) {
		const struct pidns *n = &s->ns[i];

		text_addf(
			t, "ns %u: inode %llu level %d", i, (unsigned long long)n->inode, n->level);
		if (n->parent != NO_NS)
			text_addf(t, " in %u", n->parent);
		if (n->init != NO_PROC)
			text_addf(t, " init %d", s->procs[n->init].pid);
		text_addf(t, " processes %u zombies %u threads %u\n", n->n_procs, n->n_zombies,
			n->n_threads);
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->procs[i].parent != NO_PROC)
			continue;
		for (uint32_t at = i; at != NO_PROC; at = forest_next(s, at, i)) {
			depth = 0;
			for (uint32_t up = at; s->procs[up].parent != NO_PROC && depth < 20;
				up = s->procs[up].parent)
				depth++;
			show_proc(t, s, at, depth);
		}
	}
	text_addf(t, "vanished %u refused %u\n", s->n_vanished, s->n_refused);
}

static void see(const char *description, struct text *out)
{
	struct stage *st = calloc(1, sizeof(*st));
	char proc[PATH_MAX + 8], command[PATH_MAX + 16];
	struct snapshot s;
	struct err e = { 0 };

	build(st, description);
	snprintf(proc, sizeof(proc), "%s/proc", st->dir);
	if (snapshot_read(proc, SNAP_ARGS | SNAP_ORIGIN, &s, &e) < 0) {
		text_addf(out, "refused: %s\n", e.msg);
	} else {
		owner_assign(&s, NULL, 0, st->dir);
		show(out, &s);
		snapshot_done(&s);
	}
	snprintf(command, sizeof(command), "rm -r '%s'", st->dir);
	assert_int_equal(system(command), 0);
	free(st);
}

static void compare(const char *golden, const char *now)
{
	char *text = NULL;
	size_t room = 0;
	FILE *file = fopen(golden, getenv("UPDATE") ? "w" : "r");

	if (!file)
		fail_msg("%s is missing: UPDATE=1 writes it", golden);
	if (getenv("UPDATE")) {
		fputs(now, file);
		fclose(file);
		return;
	}
	if (getdelim(&text, &room, '\0', file) < 0)
		text = strdup("");
	fclose(file);
	if (!str_eq(text, now))
		fail_msg("%s differs (UPDATE=1 rewrites it); now:\n%s", golden, now);
	free(text);
}

static void seen_as_described(void **state)
{
	const char *path = *state;
	autotext golden = { 0 }, now = { 0 };

	text_addf(&golden, "%.*s.seen", (int)strlen(path) - 5, path);
	see(path, &now);
	compare(golden.p, now.p);
}

static int is_description(const struct dirent *d)
{
	return str_ends(d->d_name, ".proc");
}

int main(void)
{
	const char *folder = getenv("PROC_TESTS") ?: "tests/proc";
	static struct CMUnitTest tests[128];
	struct dirent **found;
	int n = scandir(folder, &found, is_description, alphasort), failed;

	if (n < 1 || n > (int)ARRAY_LEN(tests)) {
		fprintf(stderr, "%s: %d descriptions\n", folder, n);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s", folder, found[i]->d_name) < 0)
			return 1;
		tests[i] = (struct CMUnitTest){ .name = strrchr(path, '/') + 1,
			.test_func = seen_as_described,
			.initial_state = path };
	}
	failed = _cmocka_run_group_tests("proc", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++) {
		free(tests[i].initial_state);
		free(found[i]);
	}
	free(found);
	return failed;
}
