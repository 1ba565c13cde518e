/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of images share. */
#pragma once

#include "cli/commands.h"
#include "life/images.h"

/* "1.98MB", as docker: powers of 1000, three digits. */
void format_bytes(struct text *t, int64_t bytes);

/* "Are you sure you want to continue? [y/N]", unless force. */
bool cli_sure(const char *warning, bool force);

/* --filter of prune. */
int cli_pruning(
	const struct opt_list *filters, struct arena *a, struct image_pruning *to, struct err *e);

/* docker's `system df -v`: a table of each kind. */
void cli_df_verbose(const struct life_usage *u, struct text *t);

/* docker's "Deleted Images:" with its lines; nothing for nothing. */
void cli_print_removed(const struct image_removed *removed);
