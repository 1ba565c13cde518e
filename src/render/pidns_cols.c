/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of PID namespaces. */
#include "procs/owner.h"
#include "render/proc_cols.h"

static const struct pidns *ns_at(const void *data, size_t row)
{
	return &((const struct pidns_rows *)data)->s->ns[row];
}

static void ns_inode_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->inode)
		text_addf(t, "%llu", (unsigned long long)ns_at(data, row)->inode);
}

static void ns_parent_cell(const void *data, size_t row, struct text *t)
{
	uint32_t parent = ns_at(data, row)->parent;

	if (parent != NO_NS)
		text_addf(t, "%llu", (unsigned long long)ns_at(data, parent)->inode);
}

static void ns_level_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", ns_at(data, row)->level);
}

static void ns_owner_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->owner_uid != (uid_t)-1)
		text_addf(t, "%u", ns_at(data, row)->owner_uid);
}

static void ns_init_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->init != NO_PROC)
		text_addf(t, "%d",
			((const struct pidns_rows *)data)->s->procs[ns_at(data, row)->init].pid);
}

static void ns_procs_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%u", ns_at(data, row)->n_procs);
}

static void ns_zombies_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%u", ns_at(data, row)->n_zombies);
}

static void ns_pids_cell(const void *data, size_t row, struct text *t)
{
	const struct pids_limit *l = &((const struct pidns_rows *)data)->limits[row];

	if (l->current >= 0)
		text_addf(t, "%lld", (long long)l->current);
}

static void ns_max_cell(const void *data, size_t row, struct text *t)
{
	const struct pids_limit *l = &((const struct pidns_rows *)data)->limits[row];

	if (l->max >= 0)
		text_addf(t, "%lld", (long long)l->max);
}

static void ns_threads_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%u", ns_at(data, row)->n_threads);
}

static void ns_holder_cell(const void *data, size_t row, struct text *t)
{
	uint32_t holder = ns_at(data, row)->holder;

	if (ns_at(data, row)->held && holder != NO_PROC)
		text_addf(t, "%d", ((const struct pidns_rows *)data)->s->procs[holder].pid);
}

static void ns_held_cell(const void *data, size_t row, struct text *t)
{
	static const char *const words[] = { "", "mount", "descriptor", "not entered" };

	text_add(t, words[ns_at(data, row)->held]);
}

static void ns_ctr_cell(const void *data, size_t row, struct text *t)
{
	const struct owner *o = ns_at(data, row)->owner;

	if (o)
		text_add(t, o->name ? o->name : o->id);
}

static void ns_runtime_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->owner)
		text_add(t, ns_at(data, row)->owner->runtime);
}

static void ns_command_cell(const void *data, size_t row, struct text *t)
{
	const struct snapshot *s = ((const struct pidns_rows *)data)->s;
	uint32_t init = ns_at(data, row)->init;

	if (init != NO_PROC)
		text_add(t, s->procs[init].args && *s->procs[init].args ? s->procs[init].args
									: s->procs[init].comm);
}

const struct col pidns_cols[] = {
	{ "ns", COL_NUMBER, "inode", ns_inode_cell },
	{ "parent", COL_NUMBER, "inode of the one it is in", ns_parent_cell },
	{ "level", COL_NUMBER, "how deep; 0: our own", ns_level_cell },
	{ "owner", COL_NUMBER, "user who made its user namespace", ns_owner_cell },
	{ "init", COL_NUMBER, "PID here of its PID 1", ns_init_cell },
	{ "procs", COL_NUMBER, "processes in it, not below", ns_procs_cell },
	{ "zombies", COL_NUMBER, "of those", ns_zombies_cell },
	{ "threads", COL_NUMBER, "of all of them", ns_threads_cell },
	{ "pids", COL_NUMBER, "pids.current of its init's cgroup", ns_pids_cell },
	{ "max", COL_NUMBER, "pids.max of that; none: no limit", ns_max_cell },
	{ "holder", COL_NUMBER, "the process that does so", ns_holder_cell },
	{ "held", COL_TEXT, "what keeps one without processes", ns_held_cell },
	{ "ctr", COL_TEXT, "container", ns_ctr_cell },
	{ "runtime", COL_TEXT, "who made that", ns_runtime_cell },
	{ "command", COL_TEXT, "its PID 1", ns_command_cell },
	{ 0 },
};

const char *pidns_cols_row_colour(const void *data, size_t row)
{
	const struct pidns *n = ns_at(data, row);

	return n->n_zombies ? "31" : n->held != PIDNS_LIVE ? "33" : NULL;
}
