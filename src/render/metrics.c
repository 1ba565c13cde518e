/* SPDX-License-Identifier: Apache-2.0 */
#include "render/metrics.h"

#include <string.h>

#include "procs/owner.h"

/* A label's value: backslash, quote and newline are escaped, bytes that are no text replaced. */
static void add_label(struct text *t, const char *name, const char *value, bool first)
{
	autotext safe = { 0 };

	text_add_escaped(&safe, value, strlen(value));
	text_addf(t, "%s%s=\"", first ? "" : ",", name);
	for (const char *c = safe.p; c && *c; c++) {
		if (*c == '"' || *c == '\\')
			text_add(t, "\\");
		text_add_n(t, c, 1);
	}
	text_add(t, "\"");
}

static void add_owner(struct text *t, const struct owner *o)
{
	add_label(t, "container", o ? (o->name ? o->name : o->id) : "", true);
	add_label(t, "runtime", o ? o->runtime : "", false);
	if (o && o->pod)
		add_label(t, "pod", o->pod, false);
	if (o && o->kns)
		add_label(t, "namespace", o->kns, false);
}

static void head(struct text *t, const char *name, const char *help)
{
	text_addf(t, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* One line a namespace and fault, not a zombie: their number must not be the scrape's size. */
static void add_zombies(
	const struct snapshot *s, const struct zombie *zombies, size_t n, struct text *t)
{
	static const char *const origins[] = { "unknown", "own", "adopted" };
	autofree unsigned *counts =
		mem_alloc(((size_t)s->n_ns + 1) * FAULT_COUNT * 3 * sizeof(*counts));

	for (size_t i = 0; i < n; i++) {
		const struct proc *p = &s->procs[zombies[i].proc];

		if (p->ns != NO_NS)
			counts[(p->ns * FAULT_COUNT + zombies[i].fault) * 3 + p->origin]++;
	}
	head(t, "clade_zombies", "Zombies by container, origin and whose fault they are.");
	for (uint32_t ns = 0; ns < s->n_ns; ns++)
		for (int fault = 0; fault < FAULT_COUNT; fault++)
			for (int origin = 0; origin < 3; origin++) {
				unsigned count = counts[(ns * FAULT_COUNT + (unsigned)fault) * 3 +
							(unsigned)origin];

				if (!count)
					continue;
				text_addf(t, "clade_zombies{pidns=\"%llu\",",
					(unsigned long long)s->ns[ns].inode);
				add_owner(t, s->ns[ns].owner);
				add_label(t, "origin", origins[origin], false);
				add_label(t, "fault", zombie_fault_word((enum zombie_fault)fault),
					false);
				text_addf(t, "} %u\n", count);
			}
}

void metrics_render(const struct snapshot *s, const struct zombie *zombies, size_t n_zombies,
	double scan_seconds, struct text *t)
{
	head(t, "clade_pidns_processes", "Processes of a PID namespace, not of those below it.");
	for (uint32_t ns = 0; ns < s->n_ns; ns++) {
		text_addf(t, "clade_pidns_processes{pidns=\"%llu\",level=\"%d\",",
			(unsigned long long)s->ns[ns].inode, s->ns[ns].level);
		add_owner(t, s->ns[ns].owner);
		text_addf(t, "} %u\n", s->ns[ns].n_procs);
	}
	add_zombies(s, zombies, n_zombies, t);
	head(t, "clade_pidns_count", "PID namespaces that are seen.");
	text_addf(t, "clade_pidns_count %u\n", s->n_ns);
	head(t, "clade_unreadable_processes", "Processes whose namespace may not be read.");
	text_addf(t, "clade_unreadable_processes %u\n", s->n_refused);
	head(t, "clade_scan_seconds", "How long the reading of all processes took.");
	text_addf(t, "clade_scan_seconds %.6f\n", scan_seconds);
}
