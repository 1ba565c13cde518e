/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/zombies.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "os/procfs.h"

static pid_t tracer_of(const struct snapshot *s, uint32_t i)
{
	char text[8192];
	const char *line;

	if (procfs_read(s->procfs, s->procs[i].pid, "status", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nTracerPid:");
	return line ? (pid_t)strtol(line + 11, NULL, 10) : 0;
}

static enum zombie_fault judge(const struct snapshot *s, uint32_t i, pid_t tracer)
{
	const struct proc *z = &s->procs[i];
	const struct proc *p = z->parent == NO_PROC ? NULL : &s->procs[z->parent];

	if (z->n_threads > 1)
		return FAULT_THREADS;
	/* a parent that traces its own child waits for it as for any */
	if (tracer && tracer != z->ppid)
		return FAULT_TRACED;
	if (p && (p->state == 'T' || p->state == 't' || p->state == 'D'))
		return FAULT_STOPPED;
	if (z->origin == ORIGIN_OWN)
		return FAULT_PARENT;
	if (z->origin == ORIGIN_ADOPTED)
		return FAULT_INIT;
	return FAULT_UNKNOWN;
}

void zombies_find(const struct snapshot *s, struct arena *a, struct zombie **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		struct zombie *z;
		pid_t tracer;

		if (!proc_is_zombie(&s->procs[i]))
			continue;
		z = arena_grow(a, ret, ret_n, sizeof(*z));
		tracer = tracer_of(s, i);
		*z = (struct zombie){ i, s->procs[i].parent, judge(s, i, tracer), tracer };
	}
}

const char *zombie_fault_word(enum zombie_fault f)
{
	static const char *const words[] = { "init", "parent", "unknown", "stopped", "threads",
		"traced" };

	return words[f];
}

static void add_parent(const struct snapshot *s, const struct zombie *z, struct text *t)
{
	const struct proc *p;

	if (z->parent == NO_PROC) {
		text_add(t, "a parent that is not to be seen from here");
		return;
	}
	p = &s->procs[z->parent];
	text_addf(t, "%d (", p->pid);
	text_add_escaped(t, p->comm, strlen(p->comm));
	text_add(t, ")");
}

void zombie_advice(const struct snapshot *s, const struct zombie *z, struct text *t)
{
	switch (z->fault) {
	case FAULT_INIT:
		add_parent(s, z, t);
		text_add(t, " adopted it and does not wait: `clade reap` now, an init (--init) for "
			    "good");
		break;
	case FAULT_PARENT:
		add_parent(s, z, t);
		text_add(t,
			" forked it and does not wait: a fault of that program; no init can help");
		break;
	case FAULT_UNKNOWN:
		add_parent(s, z, t);
		text_add(t, " does not wait: `clade reap --unknown` if it never will");
		break;
	case FAULT_STOPPED:
		add_parent(s, z, t);
		text_add(t, z->parent != NO_PROC && s->procs[z->parent].state == 'D'
				    ? " hangs in the kernel or is frozen: it may wait once it runs"
				    : " is stopped or traced: it may wait once it goes on (kill "
				      "-CONT)");
		break;
	case FAULT_TRACED:
		text_addf(t, "%d traces it and must wait for it before its parent can", z->tracer);
		break;
	case FAULT_COUNT:
		break;
	case FAULT_THREADS:
		text_add(t, "its first thread has ended, others run on: not a zombie that could be "
			    "reaped");
		break;
	}
}
