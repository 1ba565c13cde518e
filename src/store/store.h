/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state folder, which is all that clade remembers:
 *   ROOT/ID/         one container: config.json, record, born, exit, log, ... (life/ and keep/)
 *   ROOT/names/NAME  a symbolic link to ../ID: making it is what makes a name somebody's
 * Files are written beside and renamed, so that a reader sees the old or the new one. What needs
 * more than one file holds the container's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { STORE_ID_LEN = 64, STORE_SHORT_LEN = 12, STORE_NAME_MAX = 128 };

/* Makes the root folder (0700) if it is missing and opens it; the descriptor or e. */
int store_open(const char *root, struct err *e);
/* The same without a folder for names: an OCI runtime's, whose IDs are chosen by engines. */
int store_open_folder(const char *root, struct err *e);

/* 64 random hexadecimal digits. */
int store_new_id(char ret[STORE_ID_LEN + 1], struct err *e);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+, as docker has it; else a sentence. */
int store_check_name(const char *name, struct err *e);

/* Makes ROOT/ID (0700) and opens it; -EEXIST is impossible for a new ID. */
int store_make(int root, const char *id, struct err *e);

/* Opens ROOT/ID; -ENOENT. */
int store_enter(int root, const char *id);

/* Takes a name for an ID: 0, or -EEXIST with a sentence in e that names the owner. */
int store_take_name(int root, const char *name, const char *id, struct err *e);
/* Lets it go if it is this ID's. */
void store_drop_name(int root, const char *name, const char *id);
/* All names of an ID, where its record does not say them any more. */
void store_drop_names(int root, const char *id);

/*
 * The ID of a whole ID, a name, or the beginning of exactly one ID, in that order. Unknown:
 * -ERR_ABSENT and "no such container: x".
 */
int store_find(int root, const char *ref, char ret[STORE_ID_LEN + 1], struct err *e);

/* All IDs, in no order, in the arena. */
int store_list(int root, struct arena *a, char ***ret, size_t *ret_n, struct err *e);

/*
 * An exclusive flock(2) on "lock" in the container's folder, waiting for whoever has it. The
 * descriptor, which holds it, or -errno: -ENOENT when the container went away meanwhile.
 */
int store_lock(int dir);

/* Writes dir/name whole by rename. */
int store_write(int dir, const char *name, const void *data, size_t n, struct err *e);

/* The same in two: what has to be there at once is written before. */
int store_prepare(int dir, const char *name, const void *data, size_t n, struct err *e);
int store_publish(int dir, const char *name, struct err *e);

/* A new file that nobody reads before another one is there. */
int store_write_once(int dir, const char *name, const void *data, size_t n, struct err *e);

/* Removes ROOT/ID with all that is in it, following nothing. -ENOENT: was gone. */
int store_remove(int root, const char *id);

/* One value of a file of "key value" lines, to buf; false: not there. */
bool store_value(const char *text, const char *key, char *buf, size_t size);
