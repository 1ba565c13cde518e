/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of images made here (import, commit): Dockerfile instructions as docker's --change
 * takes them: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR.
 */
#pragma once

#include "image/config.h"

struct image_change {
	struct image_words env, entrypoint, cmd, volumes, ports, onbuild;
	struct image_label *labels;
	size_t n_labels;
	const char *user, *workdir, *stop_signal, *author; /* NULL: none */
	const char *healthcheck;			   /* JSON; NULL: none */
};

/* What an image has, to be changed. */
void change_from(struct image_change *c, const struct image_config *from, struct arena *a);

int change_apply(struct image_change *c, const char *instruction, struct arena *a, struct err *e);

/* The "config" member. */
void change_write(const struct image_change *c, struct json_writer *w);
