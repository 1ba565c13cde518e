/* SPDX-License-Identifier: Apache-2.0 */
/* Containers of images: what the store gives, and what a container inherits from its image. */
#pragma once

#include "image/image.h"
#include "life/internal.h"

/* Opens the data folder of this user, as root or over subordinate ids. */
int life_data(const struct life *l, struct image_data *ret, struct err *e);

/* What is behind c->image. */
struct template
{
	struct image_ref ref;
	struct image image;	    /* REF_HOST and REF_DIR: none */
	struct image_config config; /* likewise */
	const char *data_path;	    /* NULL: not from the store */
};

/* Finds or pulls it; strings lie in the arena. wants_none_pulled: only look (a dry run). */
int template_find(const struct life *l, const struct life_create *c, bool only_look,
	struct arena *a, struct template *ret, struct err *e);

/* The image's part of what docker_spec() reads. */
void template_defaults(const struct template *o, struct docker_run *run);

/*
 * The layers as the root filesystem's overlay; the upper folder is where it will be made.
 * thrown_away: with the container's end (--rm).
 */
void template_overlay(const struct template *o, const char *id, bool thrown_away, struct spec *s);

/* The image's /etc/passwd and group; NULL: there is none. */
int template_user_files(const struct life *l, const struct template *o, struct arena *a,
	char **ret_passwd, char **ret_group, struct err *e);

/* Labels, stop signal, health check, ports: what is remembered and not run. */
void template_record(const struct template *o, struct arena *a, struct record *r);

/* containers/ID, and its end. */
int template_claim(const struct life *l, const struct template *o, const char *id, struct err *e);
int template_release(const struct life *l, const char *data_path, const char *id, struct err *e);
