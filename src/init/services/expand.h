/* SPDX-License-Identifier: Apache-2.0 */
/* supervisord's "%(name)s": Python's formatting by a dictionary, as far as its configurations use
 * it. */
#pragma once

#include "init/services/text.h"

struct expand_name {
	const char *name;
	const char *text; /* NULL: number */
	long number;
};

/*
 * names: ended by a NULL name; %(ENV_x)s is looked up in the environment besides. %% is a %; %(x)s,
 * %(x)d and %(x)02d are known. Returns the text in p, or NULL and a sentence in what.
 */
const char *expand(
	struct pool *p, const char *text, const struct expand_name *names, struct buf *what);
