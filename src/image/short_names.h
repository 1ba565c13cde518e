/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a name without a registry means: containers-registries.conf(5)'s [aliases] and
 * unqualified-search-registries, from the files that podman and skopeo read. Everything else in
 * them is skopeo's to understand.
 */
#pragma once

#include "image/ref.h"

/* The names of registries it may stand for, in the order to try; r itself without any. */
int short_names(const struct image_ref *r, struct arena *a, struct image_ref **ret, size_t *ret_n,
	struct err *e);

struct short_alias {
	const char *name, *value;
};
struct short_rules {
	struct short_alias *aliases;
	size_t n_aliases;
	const char **search;
	size_t n_search;
};

/* One file's text, over what earlier ones said. What it does not know it passes over. */
void short_rules_read(const char *text, struct arena *a, struct short_rules *ret);
