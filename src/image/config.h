/* SPDX-License-Identifier: Apache-2.0 */
/* An image's configuration: what docker and the OCI (config.md) let a container inherit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

struct image_words {
	const char **items; /* items[n] is NULL */
	size_t n;
};

struct image_label {
	const char *key, *value;
};

struct image_step {
	const char *created, *created_by, *comment, *author; /* "" where there is none */
	bool empty_layer;
};

struct image_config {
	const struct json *all;					    /* the whole, in the arena */
	const char *os, *architecture, *variant, *author, *created; /* "" where there is none */
	const char *user, *workdir, *stop_signal;
	struct image_words env, entrypoint, cmd, volumes, ports, diff_ids;
	struct image_label *labels;
	size_t n_labels;
	const struct json *healthcheck; /* or NULL */
	struct image_step *steps;
	size_t n_steps;
};

int config_parse(
	const char *text, size_t n, struct arena *a, struct image_config *ret, struct err *e);

/* Writes a value that was read. */
void config_json(struct json_writer *w, const char *name, const struct json *v);
