/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share. Nobody outside life/ includes this. */
#pragma once

#include <signal.h>
#include <termios.h>

#include "base/fd.h"
#include "life/cgroups.h"
#include "life/life.h"
#include "net/bridge.h"
#include "net/pasta.h"
#include "os/proc_ref.h"
#include "store/record.h"
#include "store/store.h"

enum {
	LOG_BYTES = 10 << 20, /* of one container, both files together: /run is memory */
};

/* A container's folder and record, opened. */
struct held {
	struct arena arena;
	char id[STORE_ID_LEN + 1];
	int dir; /* owned */
	struct record record;
	bool with_volumes; /* held_clear(): anonymous volumes go with it */
};

int held_open(const struct life *l, const char *ref, struct held *ret, struct err *e);
void held_done(struct held *h);
/*
 * The container's lock, and its record as it is now that nobody else changes it. The descriptor,
 * which holds it, or e: ERR_ABSENT when it was removed while we waited.
 */
int held_lock(struct held *h, struct err *e);
#define autoheld __attribute__((cleanup(held_done))) struct held
#define HELD_NONE                                                                                  \
	{                                                                                          \
		.dir = FD_NONE                                                                     \
	}

/* What a container is doing now, by its files, its minder's lock and its init. */
struct now {
	enum life_status status;
	struct proc_ref init; /* owned; alive while created, running, paused; else PROC_REF_NONE */
	bool keep_alive, ended, oom_killed, lost;
	int64_t started_ns, finished_ns;
	int exit_code, exit_signal, restarts;
};
int now_look(const struct life *l, const struct held *h, struct now *ret, struct err *e);
void now_done(struct now *n);
#define autonow __attribute__((cleanup(now_done))) struct now
#define NOW_NONE                                                                                   \
	{                                                                                          \
		.init = PROC_REF_NONE                                                              \
	}

/* Is a minder alive? Its lock says it, whatever PIDs do. */
bool keep_is_alive(int dir);
/* Waits until it is not: 0, or -ETIMEDOUT. */
int keep_wait(int dir, int timeout_ms);

/* The cgroup path recorded when it was born; NULL: none. */
const char *held_cgroup(const struct held *h, struct arena *a);

/* life.c: the path of clade-keep or clade-init, beside this program or where it is installed. */
const char *life_helper(struct arena *a, const char *self, const char *name);

/* names.c */
const char *name_make(struct arena *a, unsigned attempt);

/* user.c: -u as ids, by the passwd and group files below root; home: the user's, or NULL. */
int user_resolve(int root, const char *user, const struct spec_strings *groups, struct arena *a,
	struct spec_user *ret, const char **ret_home, struct err *e);

/* The same by the files' texts (passwd is cut up); NULL: there is no such file. */
int user_resolve_in(char *passwd, const char *group, const char *user,
	const struct spec_strings *groups, struct arena *a, struct spec_user *ret,
	const char **ret_home, struct err *e);

/* load.c: the configuration with the namespaces of other containers filled in, and its plan. */
struct loaded {
	struct spec spec;
	struct plan plan;
	char *bundle;
};
int loaded_make(const struct life *l, const struct held *h, struct loaded *ret, struct err *e);
int plan_of(const struct life *l, const struct spec *s, const char *id, const char *bundle,
	struct plan *ret, struct err *e);
void loaded_done(struct loaded *ld);
#define autoloaded __attribute__((cleanup(loaded_done))) struct loaded
const char *held_path(
	const struct life *l, const struct held *h, const char *file, struct arena *a);

/* start.c */
int give_birth(const struct life *l, const struct held *h, const struct loaded *ld,
	const int stdio[3], int born_fd);
int start_locked(const struct life *l, struct held *h, bool attach, struct life_attach **ret_attach,
	struct err *e);
/* "name key value\n" lines of a file of the container; false: no such file. */
bool held_text(const struct held *h, const char *file, char *buf, size_t size);
int64_t held_number(const char *text, const char *key, int64_t otherwise);

/* attach.c */
struct life_attach {
	int sock;	      /* owned */
	struct proc_ref init; /* owned: who signals go to */
	bool tty, is_first;
	pid_t keep; /* its minder, where that is our child; 0 */
};
int attach_connect(const struct held *h, bool quiet, int *ret_sock, struct err *e);

/* console.c: the user's own terminal and signals while a container has them. */
struct console {
	bool raw, blocked;
	int signals; /* owned: a signalfd */
	sigset_t old_mask;
	struct termios old;
	unsigned char keys[16]; /* what detaches */
	size_t n_keys, matched;
};
/* tty: raw mode, if standard input is a terminal; all_signals: they are read, not acted upon. */
int console_begin(
	struct console *c, bool tty, bool all_signals, const char *detach_keys, struct err *e);
void console_end(struct console *c);
/*
 * What of n typed bytes goes on, to out (room for n + 16): the detach keys are held back until it
 * is clear that they are not meant. Returns true when they are complete.
 */
bool console_filter(struct console *c, const char *data, size_t n, char *out, size_t *ret_n);
/* The next signal that came, or 0. */
int console_signal(struct console *c);
/* Ends us by a signal as if it had never been caught. */
void console_die(struct console *c, int signal);

/* network.c: the flags, the namespace that docker_spec() is told (NULL: e), the files in /etc. */
const char *network_namespace_word(const struct life_network *n, struct err *e);
int network_want(const struct life *l, const struct life_network *n,
	const struct image_words *exposed, const struct spec *s, struct arena *a, struct want *ret,
	struct err *e);
/* net_of: container:REF, or NULL */
void network_mount_files(
	const struct life *l, const char *net_of, const char *bundle, struct spec *s);
bool network_is_made(enum want_mode m); /* by net/, not by the kernel alone */

/* Sockets on published ports that nobody listens on: nobody else may have them meanwhile. */
struct ports_held {
	int *fds; /* owned */
	size_t n;
};
void ports_held_done(struct ports_held *p);

/*
 * Before a start, under the lock: ports and addresses are chosen, what was left is taken down.
 * ret: for the container's life, where the packet filter publishes its ports and not a process.
 */
int network_choose(const struct life *l, struct held *h, struct ports_held *ret, struct err *e);

/* The folder of networks: a descriptor, or e. */
int network_defs(const struct life *l, struct err *e);
/* The definitions of want's links, in their order. */
int network_nets(const struct life *l, const struct want *w, struct arena *a, struct defs_net **ret,
	struct err *e);
int network_write_net(int dir, const char *file, const struct want *w, struct err *e);

/* While a container is born: its files are written, then what struct birth_network says. */
struct network {
	struct arena arena;
	const struct life *life;
	int dir;	       /* lent */
	const char *id;	       /* lent */
	const char *path;      /* of dir */
	struct want want;      /* nothing left open in it */
	struct defs_net *nets; /* nets[i] of want.links[i] */
	struct helper helper;
	int namespaces[2]; /* owned: of its init, net and user; while it is made */
	int lock;	   /* owned: while a bridge is made */
	bool forward_dns;
};
int network_write_files(struct network *n, struct err *e);
int network_open(const struct life *l, const struct held *h, struct network *ret, struct err *e);
int network_begin(struct network *n, const struct proc_ref *init, struct err *e);
int network_ready(struct network *n, struct err *e);
void network_undo(struct network *n);
void network_done(struct network *n);

int network_check_link(const struct want_link *k, struct err *e);

/* networks.c: its name on its networks is another; what is shown of a container's. */
void network_rename(const struct life *l, struct held *h, const char *name);
void network_info(const struct life *l, const struct held *h, bool runs, struct arena *a,
	struct life_info *ret);

/* Takes it down; network_clear() for good, network_down() as it was chosen it will be again. */
void network_down(const struct life *l, const struct held *h);
void network_clear(const struct life *l, const struct held *h);
/* The network of one whose minder was killed: whoever looks takes it down. */
void network_sweep(const struct life *l, struct held *h, const struct now *now);
/* What could not be taken down when its container ended: once more. */
void network_sweep_left(const struct life *l);

/* volumes.c: names for those without one, and where they lie; other containers' mounts. */
int volumes_resolve(const struct life *l, struct docker_rest *rest, struct spec *s, struct err *e);
int volumes_from(const struct life *l, const struct opt_list *refs, struct spec *s,
	struct docker_rest *rest, struct err *e);
void volumes_record(const struct docker_rest *rest, struct arena *a, struct record *r);
/* They are made where they are missing, and the container's; then empty ones get the image's files.
 */
int volumes_take(const struct life *l, const char *id, struct docker_rest *rest, struct err *e);
int volumes_fill(const struct life *l, const char *id, bool is_host, struct docker_rest *rest,
	struct err *e);
/* Not the container's any more; remove: the anonymous ones go. */
void volumes_release(const struct life *l, const struct record *r, const char *id, bool remove);

/* remove.c: what an ended container leaves outside of its folder; then, with all, the folder. */
int held_clear(const struct life *l, struct held *h, bool all, struct err *e);
