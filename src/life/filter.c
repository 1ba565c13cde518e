/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "life/internal.h"

static bool names(const struct spec_seccomp_rule *rule, const char *call)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (str_eq(rule->names.items[i], call))
			return true;
	return false;
}

bool life_filter_lets(const struct life *l, const char *ref, const char *call)
{
	autoarena arena = { 0 };
	autoheld h = HELD_NONE;
	struct spec spec = { 0 };
	struct err ignored;
	bool lets = false, other = false;

	if (held_open(l, ref, &h, &ignored) < 0 ||
		spec_load(held_path(l, &h, "config.json", &arena), &spec, &ignored) < 0)
		return false;
	for (size_t i = 0; i < spec.linux_.seccomp.n_rules; i++) {
		const struct spec_seccomp_rule *rule = &spec.linux_.seccomp.rules[i];

		if (!names(rule, call))
			continue;
		if (!rule->n_args && str_eq(rule->action, "SCMP_ACT_ALLOW"))
			lets = true;
		else
			other = true;
	}
	spec_done(&spec);
	return lets && !other;
}
