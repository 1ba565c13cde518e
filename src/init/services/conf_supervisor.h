/* SPDX-License-Identifier: Apache-2.0 */
/* How the sections of a supervisord.conf are read; only conf_supervisor*.c include this. */
#pragma once

#include <strings.h>

#include "init/services/conf.h"
#include "init/services/expand.h"

/* A section being read: each sup_*() takes a key, expands it, and sets `failed` when it is not what
 * it should be. */
struct sup {
	struct conf *c;
	struct ini_section *s;
	const struct expand_name *names;
	const struct ini_key *key; /* the last that was taken; NULL: it is not there */
	const char *process_name;
	uint64_t hash;
	bool failed;
};

bool sup_bad(struct sup *x, const char *key, const char *wanted); /* false */
const char *sup_text(struct sup *x, const char *key, const char *otherwise);
long sup_number(struct sup *x, const char *key, long otherwise);
bool sup_bool(struct sup *x, const char *key, bool otherwise);
int64_t sup_bytes(struct sup *x, const char *key, int64_t otherwise);
int sup_octal(struct sup *x, const char *key, int otherwise);
void sup_user(struct sup *x, const char *key, struct sv_user *ret);
const char **sup_environment(struct sup *x, const char *key, int extra);
/* Warns of what nobody took. */
void sup_rest(struct conf *c, const struct ini_section *s);
bool sup_program(struct conf *c, struct ini_section *s, const char *group, int rank);
