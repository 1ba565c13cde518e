/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks there are: DIR/NAME.json each, in netavark's own words, so that what is stored is
 * what it is given. "bridge" is always there, if nobody has written one of that name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/addr.h"

struct defs_label {
	const char *key, *value;
};

struct defs_subnet {
	struct addr_net net;
	struct addr gateway;
	struct addr first, last; /* of the addresses that are given out; family 0: all */
};

struct defs_net {
	const char *name, *id, *interface, *created;
	struct defs_subnet subnets[4];
	size_t n_subnets;
	bool ipv6, internal, dns;
	struct defs_label *labels;
	size_t n_labels;
};

#define DEFS_DEFAULT "bridge"

/* Opens the folder, making it if it is missing. */
int defs_open(const char *path, struct err *e);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, and no word that means another network. */
int defs_check_name(const char *name, struct err *e);

/* By its name or the beginning of its ID; unknown: -ERR_ABSENT. dir FD_NONE: only the default. */
int defs_find(int dir, const char *ref, struct arena *a, struct defs_net *ret, struct err *e);

int defs_list(int dir, struct arena *a, struct defs_net **ret, size_t *ret_n, struct err *e);

/*
 * Fills in what is open (ID, interface, subnets, gateways) and writes it. What overlaps with
 * another network or an address of the host is refused.
 */
int defs_create(int dir, struct arena *a, struct defs_net *net, struct err *e);
int defs_remove(int dir, const struct defs_net *net, struct err *e);

struct json_writer;
/* As netavark wants it, under its name or as a value of its own. */
void defs_dump(const struct defs_net *n, const char *name, struct json_writer *w);
