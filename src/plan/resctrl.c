/* SPDX-License-Identifier: Apache-2.0 */
/* linux.intelRdt: which class of service, and the lines of its schemata (config-linux.md#intelrdt).
 */
#include "base/str.h"
#include "plan/decide.h"

static bool is_group_name(const char *s)
{
	static const char *const taken[] = { ".", "..", "info", "mon_groups", "mon_data" };

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (str_eq(s, taken[i]))
			return false;
	return s[0] && !strpbrk(s, "/\n");
}

static void add_line(const struct decide *d, const char *line)
{
	struct plan_resctrl *r = &d->plan->resctrl;
	const char **item = arena_grow(d->arena, &r->lines, &r->n_lines, sizeof(*item));

	*item = line;
}

/* Engines of old put bandwidth lines in here, too: memBwSchema then says it. */
static void add_l3(const struct decide *d, const char *schema, bool without_bandwidth)
{
	for (const char *s = schema; *s;) {
		size_t n = strcspn(s, "\n");

		if (n && !(without_bandwidth && str_starts(s, "MB:")))
			add_line(d, arena_strndup(d->arena, s, n));
		s += n + (s[n] == '\n');
	}
}

int resctrl_lines(const struct decide *d, const char *l3, const char *bandwidth, struct err *e)
{
	bool has_bandwidth = bandwidth && bandwidth[0];

	if (has_bandwidth && (!str_starts(bandwidth, "MB:") || strchr(bandwidth, '\n')))
		return err_say(e,
			"linux.intelRdt.memBwSchema: \"%s\" is no line that begins with MB:",
			bandwidth);
	if (l3 && l3[0])
		add_l3(d, l3, has_bandwidth);
	if (has_bandwidth)
		add_line(d, bandwidth);
	return 0;
}

int resctrl_decide(const struct decide *d, struct err *e)
{
	const struct spec_linux *l = &d->spec->linux_;
	struct plan_resctrl *r = &d->plan->resctrl;
	const char *clos = l->intel_rdt.clos_id;

	if (!l->intel_rdt.set)
		return 0;
	r->set = true;
	r->ours = !clos || !clos[0];
	r->clos = r->ours ? d->plan->id : clos;
	if (!str_eq(r->clos, "/") && !is_group_name(r->clos))
		return err_say(e, "linux.intelRdt.closID: \"%s\" is no name of a group", r->clos);
	if (resctrl_lines(d, l->intel_rdt.l3_cache_schema, l->intel_rdt.mem_bw_schema, e) < 0)
		return -e->code;
	for (size_t i = 0; i < l->intel_rdt.schemata.n; i++) {
		const char *line = l->intel_rdt.schemata.items[i];

		if (!line[0] || strchr(line, '\n'))
			return err_say(e, "linux.intelRdt.schemata[%zu]: one line is wanted", i);
		add_line(d, line);
	}
	r->create = r->ours || r->n_lines;
	r->monitor = l->intel_rdt.enable_monitoring ? d->plan->id : NULL;
	return 0;
}
