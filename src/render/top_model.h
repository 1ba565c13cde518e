/* SPDX-License-Identifier: Apache-2.0 */
/* What `clade top` shows, before it is drawn: lines in order, and a line for each container. */
#pragma once

#include "render/tree.h"

enum top_sort { TOP_BY_PID, TOP_BY_CPU, TOP_BY_MEMORY, TOP_BY_AGE, TOP_SORTS };

/* What the person chose. Ready when zeroed, but for ns. */
struct top_choice {
	enum top_sort sort;
	bool flat; /* a list instead of a tree */
	bool zombies_only, unfolded, kernel_threads;
	char filter[64]; /* part of a command line, container's name or PID; "" for all */
	uint32_t ns;	 /* NO_NS: the host */
	/* Processes whose children are folded, by PID, ascending; owned. */
	pid_t *closed;
	size_t n_closed;
};

void top_choice_toggle(struct top_choice *c, pid_t pid);
void top_choice_done(struct top_choice *c);

struct top_data {
	struct snapshot *s; /* the order of siblings is changed */
	const struct seen *seen;
	double (*cpu)(const void *data, const struct proc *p);
	const void *cpu_data;
	const char *(*name_of)(void *data, const struct snapshot *s, uint32_t i);
	void *name_data;
};

/* The lines, in linear time but for sorting; in the arena. */
struct tree_row *top_lines(
	const struct top_data *d, const struct top_choice *c, struct arena *a, size_t *ret_n);

struct top_group {
	uint32_t ns;
	const char *name;	     /* "docker/leaky" */
	uint32_t n_procs, n_zombies; /* with those of namespaces inside */
	double rate;		     /* zombies a second; 0: none or not known */
};

/* The containers at or below c->ns, those with zombies first. */
struct top_group *top_groups(
	const struct top_data *d, const struct top_choice *c, struct arena *a, size_t *ret_n);
