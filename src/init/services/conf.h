/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked of the services: one struct, whatever it was written in (conf_own.c,
 * conf_supervisor.c, conf_s6.c). It does not change once loaded, and lives in its own pool until
 * the services that follow it are gone.
 */
#pragma once

#include <sys/types.h>

#include "init/services/ini.h"

enum {
	SV_MAX = 1024,	/* services */
	SV_STEPS = 4,	/* of a stop sequence */
	SV_GROUPS = 32, /* supplementary groups of a user */
	CONF_FILE_MAX = 1 << 20,
	CONF_POOL = 4 << 20, /* of one configuration */
};

enum sv_dialect { DIALECT_OWN, DIALECT_SUPERVISOR, DIALECT_S6 };

enum sv_restart { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

enum sv_ready {
	READY_AT_ONCE,
	READY_ALIVE,  /* ready_ms long */
	READY_FD,     /* a newline written to descriptor ready_fd */
	READY_NOTIFY, /* sd_notify(3) */
	READY_EXEC,   /* ready_argv ends with 0; every ready_every_ms */
	READY_TCP,    /* a connection to ready_host, ready_port is taken; every ready_every_ms */
	READY_ENDED,  /* a one-shot: it has ended well */
};

enum sv_log {
	LOG_PREFIX,  /* our standard output, each line with the service's name */
	LOG_JSON,    /* likewise, each line an object */
	LOG_RAW,     /* likewise, as it comes */
	LOG_INHERIT, /* our descriptor itself */
	LOG_NULL,
	LOG_FILE,
	LOG_SERVICE, /* the standard input of service `logger` */
	LOG_SAME,    /* standard error only: where standard output goes */
};

struct sv_stream {
	enum sv_log kind;
	int target; /* 1 or 2, of ours */
	const char *path;
	int64_t max_bytes; /* 0: no rotation */
	int backups;
	bool is_auto; /* its name is ours: what an earlier run left there is removed */
};

struct sv_stop {
	int signo;	 /* 0: only wait */
	int64_t wait_ms; /* -1: for ever */
};

/* When it has ended by itself: pure, see decide.h */
struct sv_rule {
	enum sv_restart restart;
	bool counts_starts; /* supervisord: only ends before it was ready count, whatever the code
			     */
	bool expected[256];
	bool oneshot;
	int retries; /* in a row; -1: no bound */
	int64_t backoff_ms, cap_ms;
	bool linear;	   /* supervisord: 1, 2, 3 seconds; else doubled */
	int64_t steady_ms; /* alive for so long, it is no failure in a row */
};

struct sv_user {
	bool set;
	uid_t uid;
	gid_t gid;
	const char *name, *home;
	gid_t groups[SV_GROUPS];
	int n_groups;
};

struct sv_def {
	const char *name, *group; /* "web", "web"; in a group of several: "web_00", "web" */
	const char *file;
	int line;
	uint64_t hash; /* of everything that was written about it */
	const char **argv, **finish, **ready_argv;
	const char *command; /* supervisord: argv as it was written */
	const char *dir;
	const char **env; /* "A=b", NULL-terminated */
	struct sv_user user;
	int umask; /* -1: ours */
	bool autostart, essential, own_session;
	bool sweeps; /* what is left of its process group when it has ended is stopped */
	bool stop_group, kill_group;
	bool isolate_pid;
	bool is_s6;
	bool cont_after_stop; /* s6 */
	int lock_fd;	      /* s6: a descriptor that says while a copy of it lives; -1 */
	int death_tally;      /* s6: how many of its ends are written down */
	int reload_signal;    /* s6: instead of HUP; 0 */
	bool is_logger;
	bool own_stdin; /* supervisord: a pipe that stays open, for those who would end at its end
			 */
	int rank, priority; /* of its group, its own: started in this order, stopped in the other */
	struct sv_rule rule;
	enum sv_ready ready;
	int ready_fd, ready_port;
	const char *ready_host;				    /* an address; NULL: 127.0.0.1 */
	int64_t ready_ms, ready_every_ms, ready_timeout_ms; /* timeout -1: none */
	struct sv_stop stop[SV_STEPS];
	int n_stop;
	int64_t finish_ms;
	struct sv_stream out, err;
	const char *logger;
	const char **needs_names, **after_names; /* NULL-terminated */
	uint16_t *needs, *after;		 /* indices of services */
	int n_needs, n_after, logger_at;	 /* logger_at -1: none */
	int at;					 /* the engine's: the slot it runs in; -1 */
};

/* Who may speak HTTP on a socket: [unix_http_server], [inet_http_server]. */
struct sv_http {
	const char *username, *password; /* NULL: anybody */
	const char *host;		 /* NULL: 127.0.0.1 */
	bool any;
	int port; /* 0: none */
};

/* What was asked of clade-init itself. */
struct sv_settings {
	enum sv_dialect dialect;
	bool idle_exits; /* end when nothing runs or will */
	const char *socket;
	int socket_mode;
	uid_t socket_uid;
	gid_t socket_gid;
	bool nodaemon, silent, strip_ansi, nocleanup;
	const char *logfile, *pidfile, *childlogdir, *identifier, *dir;
	int64_t logfile_bytes;
	int logfile_backups, loglevel, umask;
	struct sv_user user;
	const char **env;	/* [supervisord] environment, for every service */
	struct sv_http http[2]; /* unix, inet */
	const char *serverurl;	/* [supervisorctl] */
	const char *prompt;
};

struct conf {
	struct pool pool, scratch;
	struct ini ini;
	struct sv_settings set;
	struct sv_def *defs; /* in the order they are started */
	int n;
	const char *path; /* as it was given */
	const char *here; /* its folder */
	char *error;	  /* "FILE:LINE: [section] key: what"; one text for all configurations */
	/* what is not carried out, a sentence each; NULL: not told */
	void (*warn)(const char *text);
	bool only_client;     /* supervisorctl: where its server is, nothing else */
	const char *extra;    /* supervisord's command line, as lines of its configuration; NULL */
	struct sv_def *draft; /* room for SV_MAX while loading */
	size_t file_bytes;
	int n_files;
};

/*
 * Reads a file of ours, a supervisord.conf or a folder (of *.conf files of ours and s6 service
 * folders). c: zeroed but for warn, only_client, extra. false: c->error says where and what;
 * nothing is left to close.
 */
bool conf_load(struct conf *c, const char *path, bool is_supervisor);
void conf_close(struct conf *c);

/* --- for the readers --- */

bool conf_fail(struct conf *c, const char *file, int line, const char *section, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void conf_warn(struct conf *c, const char *file, int line, const char *section, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* A whole file, terminated, in the scratch pool; NULL: c->error, or with `absent` not NULL *absent
 * for ENOENT. */
char *conf_read(struct conf *c, const char *path, size_t *ret_n, bool *absent);
/* The next service of the draft, with the defaults all have; NULL: c->error. */
struct sv_def *conf_add(
	struct conf *c, const char *name, const char *group, const char *file, int line);
/* "user", "user:group", numbers too; false: a sentence in what. */
bool conf_user(struct conf *c, const char *word, struct sv_user *ret, struct buf *what);
/* "TERM:10s,INT:5s,KILL"; false when it is none. */
bool conf_stop(struct sv_def *d, const char *text);
/* names of folder entries that match a pattern (NULL: all), sorted, in the scratch pool; -1 with
 * errno. */
int conf_list(struct conf *c, const char *dir, const char *pattern, const char ***ret);
const char *conf_join(struct pool *p, const char *dir, const char *name);

bool conf_own(struct conf *c);	      /* from c->ini */
bool conf_supervisor(struct conf *c); /* likewise; [include] is read by itself */
bool conf_s6(struct conf *c, const char *dir, const char *name);

/* Keys of ours that both formats know: needs, after, essential. *ret_took. */
bool conf_common_key(struct conf *c, struct sv_def *d, const struct ini_section *s,
	const struct ini_key *k, bool *ret_took);
