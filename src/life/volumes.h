/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: the command's verbs, and what a container does with them from create to rm. */
#pragma once

#include "image/volumes.h"
#include "life/life.h"

/* name NULL: an anonymous one; ret_name: what it is called. options: type=, device=, o=. */
int life_volume_create(const struct life *l, const char *name, const struct opt_list *labels,
	const struct opt_list *options, struct arena *a, const char **ret_name, struct err *e);
int life_volume_list(
	const struct life *l, struct arena *a, struct volume **ret, size_t *ret_n, struct err *e);
int life_volume_find(
	const struct life *l, const char *name, struct arena *a, struct volume *ret, struct err *e);
int life_volume_remove(const struct life *l, const char *name, struct err *e);
/* Those that no container has; all: with those that have a name of their own. */
int life_volume_prune(const struct life *l, bool all, const struct opt_list *labels,
	struct arena *a, const char ***ret, size_t *ret_n, int64_t *ret_bytes, struct err *e);

/* Is each "KEY" or "KEY=VALUE" among a volume's labels? */
bool life_volume_has(const struct volume *v, const char *label);
