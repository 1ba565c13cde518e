/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of a bundle share. */
#pragma once

#include "base/fd.h"
#include "life/bundle.h"
#include "life/cgroups.h"
#include "os/proc_ref.h"

struct birth_result;

/* A bundle's folder, read. */
struct kept {
	struct arena arena;
	int dir; /* owned */
	const char *id, *bundle, *rootfs, *oci_version, *cgroup_path;
	const char **folders; /* of its cgroup, NULL-terminated */
	int64_t n_v1;	      /* as many of them, the first, are of v1; -1: it is not said */
	const char *freezer;  /* the one of them that freezes; NULL: none */
	struct spec_pairs annotations;
	int64_t filter_flags; /* of the filter kept beside; -1: none is kept */
	const char *unit;     /* of systemd; NULL: the cgroup was made by us */
	const char *clos;     /* its class of service; NULL: none */
	bool clos_made, monitored;
	unsigned hooks;	      /* 1 << HOOK_*: points with hooks in its configuration */
	struct proc_ref init; /* owned; PROC_REF_NONE when it has gone */
	pid_t pid;
	int64_t created_ns;
	bool creating; /* it is not written down yet what it is */
	bool own_pidns, user_bus;
};
#define KEPT_NONE                                                                                  \
	{                                                                                          \
		.dir = FD_NONE, .init = PROC_REF_NONE                                              \
	}
#define autokept __attribute__((cleanup(kept_done))) struct kept

/* One that is half made (being made, or its maker was killed) is absent, as with runc ... */
int kept_open(const struct bundles *b, const char *id, struct kept *ret, struct err *e);
/* ... or BUNDLE_CREATING, with nothing but its folder and its ID. */
int kept_open_half(const struct bundles *b, const char *id, struct kept *ret, struct err *e);
void kept_done(struct kept *k);
/* As it is now: the kernel is asked. */
enum bundle_status kept_status(const struct kept *k);
/* Its folder. -ENOENT: somebody else has removed it. */
int kept_remove(const struct bundles *b, const struct kept *k);
/* Clears away what is left of it, ending what runs: its folder goes last. */
int kept_delete(struct bundles *b, struct kept *k, struct err *e);
int bundle_check_id(const char *id, struct err *e);

/* Where a program of ours lies that goes beside this one; in the arena. */
const char *bundle_helper(struct arena *a, const char *name);

/* The configuration kept with it. */
int kept_spec(const struct bundles *b, const struct kept *k, struct spec *ret, struct err *e);

/* Of it what exec asks for; whole where it was not kept alone. */
int kept_exec_spec(const struct bundles *b, const struct kept *k, struct spec *ret, struct err *e);

/* The environment with what socket activation adds; in the arena, NULL-terminated. */
struct spec_strings bundle_env(
	const struct spec_strings *env, const struct bundle_listen *listen, struct arena *a);

/* The state as hooks get it: malloc'ed. */
char *kept_state_json(
	const char *id, const char *bundle, const char *status, pid_t pid, const struct spec *spec);

/*
 * The terminal's master, or a pidfd, to whoever waits for it at a socket's path. Connected before
 * anything is made, so that one who has gone meanwhile is noticed. NULL: nobody does, ret is left.
 */
int bundle_connect(const char *socket_path, int *ret, struct err *e);
int bundle_send_fd(int sock, const char *socket_path, const char *what, int fd, struct err *e);
/* The pid file, at once or in two; forget removes either. */
int bundle_write_pid(const char *path, pid_t pid, struct err *e);
int bundle_prepare_pid(const char *path, pid_t pid, struct err *e);
int bundle_publish_pid(const char *path, struct err *e);
void bundle_forget_pid(const char *path);
/* With a child of ours: its end, our signals passed on. tty: a master to relay, or FD_NONE. */
int bundle_accompany(struct proc_ref *process, int tty, int *ret_code, struct err *e);
