/* SPDX-License-Identifier: Apache-2.0 */
/* The engines' files themselves. Whatever is in them, nothing but words comes out. */
#pragma once

#include "procs/owner_files.h"

/* A regular file's text in the arena, or NULL. Never blocks. */
const char *owner_json_text(const char *root, const char *path, struct arena *a);

/* The home of a user by /etc/passwd; NULL for root, -1 and those who are not in there. */
const char *owner_json_home(const char *root, struct arena *a, uid_t uid);

/* DATA/containers/ID/config.v2.json. False where it is not there. */
bool owner_json_docker(const char *root, const char *data, struct arena *a, struct owner *o);

/* Adds "data-root" of /etc/docker/daemon.json. */
void owner_json_daemon(const char *root, struct arena *a, const char ***ret_roots, size_t *ret_n);

/* STORAGE/overlay-containers/containers.json, read once for all containers in it. */
void owner_json_podman(struct owner_files *f, const char *storage, struct owner *o);

/* BUNDLE/config.json: annotations of containerd's CRI plugin, CRI-O and nerdctl. */
void owner_json_bundle(const char *root, const char *bundle, struct arena *a, struct owner *o);
