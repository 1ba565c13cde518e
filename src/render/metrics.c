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

static void head(struct text *t, const char *name, const char *type, const char *help)
{
	text_addf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* name{pidns="...",container="...",...: the labels that every line of a namespace has. */
static void begin(struct text *t, const char *name, const struct metrics *m, uint32_t ns)
{
	const struct pidns *n = &m->s->ns[ns];
	const struct owner *o = n->owner;

	text_addf(t, "%s{pidns=\"%llu\",", name, (unsigned long long)n->inode);
	add_label(t, "container", o ? o->name ? o->name : o->id : "", true);
	add_label(t, "runtime", o ? o->runtime : "", false);
	add_label(t, "pod", o && o->pod ? o->pod : "", false);
	add_label(t, "namespace", o && o->kns ? o->kns : "", false);
}

static void add_namespaces(const struct metrics *m, struct text *t)
{
	head(t, "clade_pidns_processes", "gauge",
		"Processes of a PID namespace, not of those below it.");
	for (uint32_t ns = 0; ns < m->s->n_ns; ns++) {
		begin(t, "clade_pidns_processes", m, ns);
		text_addf(t, ",level=\"%d\"} %u\n", m->s->ns[ns].level, m->s->ns[ns].n_procs);
	}
	head(t, "clade_pidns_threads", "gauge", "Threads of those.");
	for (uint32_t ns = 0; ns < m->s->n_ns; ns++) {
		begin(t, "clade_pidns_threads", m, ns);
		text_addf(t, ",level=\"%d\"} %u\n", m->s->ns[ns].level, m->s->ns[ns].n_threads);
	}
}

/* One line a namespace and fault, not a zombie: their number must not be the scrape's size. */
static void add_zombies(const struct metrics *m, struct text *t)
{
	static const char *const origins[] = { "unknown", "own", "adopted" };
	const struct snapshot *s = m->s;
	autofree unsigned *counts =
		mem_alloc(((size_t)s->n_ns + 1) * FAULT_COUNT * 3 * sizeof(*counts));

	for (size_t i = 0; i < m->n_zombies; i++) {
		const struct proc *p = &s->procs[m->zombies[i].proc];

		if (p->ns != NO_NS)
			counts[(p->ns * FAULT_COUNT + m->zombies[i].fault) * 3 + p->origin]++;
	}
	head(t, "clade_zombies", "gauge", "Zombies by container, origin and whose fault they are.");
	for (size_t k = 0; k < (size_t)s->n_ns * FAULT_COUNT * 3; k++) {
		if (!counts[k])
			continue;
		begin(t, "clade_zombies", m, (uint32_t)(k / 3 / FAULT_COUNT));
		add_label(t, "origin", origins[k % 3], false);
		add_label(t, "fault", zombie_fault_word((enum zombie_fault)(k / 3 % FAULT_COUNT)),
			false);
		text_addf(t, "} %u\n", counts[k]);
	}
}

static void add_oldest(const struct metrics *m, struct text *t)
{
	const struct snapshot *s = m->s;
	autofree int64_t *oldest = mem_alloc(((size_t)s->n_ns + 1) * sizeof(*oldest));

	for (size_t i = 0; i < m->n_zombies; i++) {
		const struct proc *p = &s->procs[m->zombies[i].proc];
		int64_t ms = seen_age_ms(m->seen, s, p);

		if (p->ns != NO_NS && ms + 1 > oldest[p->ns])
			oldest[p->ns] = ms + 1;
	}
	head(t, "clade_zombie_oldest_seconds", "gauge",
		"For how long the oldest zombie is known to be one.");
	for (uint32_t ns = 0; ns < s->n_ns; ns++) {
		if (!oldest[ns])
			continue;
		begin(t, "clade_zombie_oldest_seconds", m, ns);
		text_addf(t, "} %.3f\n", (double)(oldest[ns] - 1) / 1e3);
	}
}

static void add_limits(const struct metrics *m, struct text *t)
{
	head(t, "clade_pids_current", "gauge",
		"Processes and threads the pids controller counts for a container, zombies too.");
	for (uint32_t ns = 0; ns < m->s->n_ns; ns++) {
		if (m->limits[ns].current < 0)
			continue;
		begin(t, "clade_pids_current", m, ns);
		text_addf(t, "} %lld\n", (long long)m->limits[ns].current);
	}
	head(t, "clade_pids_max", "gauge", "How many it allows; absent: no limit.");
	for (uint32_t ns = 0; ns < m->s->n_ns; ns++) {
		if (m->limits[ns].max < 0)
			continue;
		begin(t, "clade_pids_max", m, ns);
		text_addf(t, "} %lld\n", (long long)m->limits[ns].max);
	}
}

static void add_counters(const struct counters *c, struct text *t)
{
	head(t, "clade_orphans_total", "counter", "Processes whose parent ended.");
	text_addf(t, "clade_orphans_total %llu\n", (unsigned long long)c->orphans);
	head(t, "clade_adopted_total", "counter", "Orphans by who adopted them.");
	text_addf(t,
		"clade_adopted_total{reaper=\"init\"} %llu\n"
		"clade_adopted_total{reaper=\"subreaper\"} %llu\n",
		(unsigned long long)c->adopted_by_init,
		(unsigned long long)c->adopted_by_subreaper);
	head(t, "clade_exits_total", "counter",
		"Processes that ended, by exit code; 128 + n: killed by signal n.");
	for (int code = 0; code < COUNTERS_CODES; code++)
		if (c->exits[code] || code == 0)
			text_addf(t, "clade_exits_total{code=\"%d\"} %llu\n", code,
				(unsigned long long)c->exits[code]);
	head(t, "clade_reaped_total", "counter",
		"Processes that were waited for, by a PID 1 or by another parent.");
	text_addf(t,
		"clade_reaped_total{by=\"init\"} %llu\nclade_reaped_total{by=\"parent\"} %llu\n",
		(unsigned long long)c->reaped_by_init, (unsigned long long)c->reaped_by_parent);
	head(t, "clade_events_lost_total", "counter",
		"Events that came too fast; what they told was read from /proc.");
	text_addf(t, "clade_events_lost_total %llu\n", (unsigned long long)c->lost);
}

void metrics_render(const struct metrics *m, struct text *t)
{
	add_namespaces(m, t);
	add_zombies(m, t);
	add_oldest(m, t);
	add_limits(m, t);
	head(t, "clade_pid_namespaces", "gauge", "PID namespaces that are seen.");
	text_addf(t, "clade_pid_namespaces %u\n", m->s->n_ns);
	head(t, "clade_undying_namespaces", "gauge",
		"PID namespaces whose PID 1 was killed and cannot die.");
	text_addf(t, "clade_undying_namespaces %u\n", m->n_undying);
	head(t, "clade_unreadable_processes", "gauge",
		"Processes whose namespace may not be read.");
	text_addf(t, "clade_unreadable_processes %u\n", m->s->n_refused);
	head(t, "clade_scan_seconds", "gauge", "How long the reading of all processes took.");
	text_addf(t, "clade_scan_seconds %.6f\n", m->scan_seconds);
	if (m->counters)
		add_counters(m->counters, t);
}
