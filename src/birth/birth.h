/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The birth of a container: birth_steps[] in steps.c read top to bottom, walked by two processes.
 * HOST is the caller; INIT is the newborn, which at the end is the program itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/proc_ref.h"
#include "plan/plan.h"

/* A network that is not made by the kernel's namespace alone; data is birth_request.data. */
struct birth_network {
	/* INIT and its namespaces exist, it waits: what is begun here goes on beside it. */
	int (*begin)(void *data, const struct proc_ref *init, struct err *e);
	/* Before INIT may execute the program: it is there. */
	int (*ready)(void *data, struct err *e);
	void (*undo)(void *data);
};

/* How and for whom; the plan says what. Everything is lent. */
struct birth_request {
	const struct plan *plan;
	bool clone_parent; /* CLONE_PARENT: the init becomes a child of our parent (clade-keep) */
	int start_fd; /* plan->waits_for_start: a fifo opened O_RDONLY | O_NONBLOCK; a byte in it
			 lets INIT go on. The caller closes its own after birth() */
	int stdio[3]; /* the container's; FD_NONE: inherit 0, 1, 2; ignored with a terminal */
	bool new_session;  /* setsid() before exec */
	bool plain_output; /* its terminal adds no carriage returns, as runc's in the foreground */
	bool die_with_parent; /* SIGKILL when our parent, its minder, is killed */
	/*
	 * Called once INIT exists, before it may exec; with a terminal or with waits_for_start when
	 * all is made: "created". The caller writes its records here. Non-zero stops the birth
	 * with e.
	 */
	int (*born)(void *data, const struct proc_ref *init, int tty_master, struct err *e);
	/* Called beside INIT's work, before born: what can be got ready once its PID is known. */
	int (*prepare)(void *data, const struct proc_ref *init, struct err *e);
	void *data;
	/* CGROUP_SYSTEMD: where the scope lies, known when born is called; the caller's to free */
	char **ret_cgroup_path;
	bool *ret_resctrl_made;		     /* the class of service was not there before */
	const struct birth_network *network; /* where the plan says so */
	/* state JSON for the hooks' stdin is made by this; text is malloc'ed, freed by birth */
	char *(*state_json)(void *data, const char *status, pid_t pid);
};

struct birth_result {
	struct proc_ref init; /* owned by the caller: proc_ref_done() */
	int tty_master;	      /* owned; FD_NONE without a terminal */
};

/*
 * Makes the container. On failure everything HOST made is undone, INIT is killed and reaped, and
 * e names the row: "mounts: mounts[3]: mount proc on /proc: Operation not permitted".
 * A failing exec of the program itself is e->code ENOENT/EACCES/... with BIRTH_EXEC_FAILED
 * returned.
 */
#define BIRTH_EXEC_FAILED 1
int birth(const struct birth_request *req, struct birth_result *ret, struct err *e);

/*
 * poststart and poststop, which are not part of a birth: runs the hooks of a point, each with the
 * state JSON on its standard input (malloc'ed, freed here). Stops at the first that fails.
 */
int birth_run_hooks(const struct plan *p, enum hook_point point, char *state, struct err *e);

/* A deleted container's class of service and monitoring group, as far as they are its own. */
void birth_resctrl_remove(const struct plan_resctrl *p, bool group, bool mon);

/* exec: a further process in the container of init; join_steps[] instead. */
struct join_request {
	const struct plan *plan; /* of plan_make_exec() */
	const struct proc_ref *init;
	const char *const *cgroup_paths; /* per hierarchy as recorded; see os/cgroup.h */
	int namespaces; /* CLONE_NEW* that it does not share with us; 0: is found out */
	bool clone_parent;
	int stdio[3];
	bool new_session;
	bool plain_output;
	bool ignore_paused;
};
int birth_join(const struct join_request *req, struct birth_result *ret, struct err *e);
