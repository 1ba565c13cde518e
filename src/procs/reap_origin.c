/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/reap_origin.h"

#include <signal.h>
#include <stddef.h>

/* Is the child in a session that its parent can never have been in? */
static bool foreign_session(const struct reap_kin_parent *p, const struct reap_kin_child *c)
{
	if (c->sid == 0 || c->sid == c->pid)
		return false;
	if (p->pid == 1)
		return c->sid != 1;
	/* a session leader may have forked before it became one */
	return p->sid != p->pid && c->sid != p->sid;
}

enum reap_origin reap_origin(const struct reap_kin_parent *parent,
	const struct reap_kin_child *child, const char **ret_proof)
{
	*ret_proof = NULL;
	if (child->exit_signal != SIGCHLD) {
		*ret_proof = "exit signal is not SIGCHLD";
		return REAP_ORIGIN_OWN;
	}
	if (!child->on_leader_list && parent->leader_alive) {
		*ret_proof = "forked by a thread that is not the first";
		return REAP_ORIGIN_OWN;
	}
	if (child->start_ticks < parent->start_ticks) {
		*ret_proof = "older than its parent";
		return REAP_ORIGIN_ADOPTED;
	}
	if (foreign_session(parent, child)) {
		*ret_proof = "in the session of another process";
		return REAP_ORIGIN_ADOPTED;
	}
	if (parent->execs_known && child->born_exec > parent->self_exec) {
		*ret_proof = "its parent at birth had executed more programs";
		return REAP_ORIGIN_ADOPTED;
	}
	return REAP_ORIGIN_UNKNOWN;
}

const char *reap_origin_word(enum reap_origin origin)
{
	static const char *const words[] = { "unknown", "own", "adopted" };

	return words[origin];
}
