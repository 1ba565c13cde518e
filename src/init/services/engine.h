/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services as they run, and what the files of the engine hand each other: engine.c decides and
 * waits, spawn.c makes processes, ready.c learns when they are ready, out.c carries what they
 * write, change.c takes a new configuration over, ctl*.c listens to people. One process, one
 * thread, one epoll; no heap.
 */
#pragma once

#include <stddef.h>
#include <time.h>

#include "init/services/decide.h"

enum {
	RING = 1024, /* the last bytes a service wrote, for `tail` */
	CARRY = 512, /* of a line that is not complete yet */
	CLIENTS = 16,
	REQUEST_MAX = 2048,
	GENERATIONS = 4, /* configurations that services may still follow */
	PULL_MS = 10000, /* at the end of everything: after a stop sequence that would wait for ever
			  */
};

struct stream {
	int fd;	  /* our end of the pipe; -1 */
	int file; /* LOG_FILE; -1 */
	int64_t file_bytes;
	uint16_t carried;
	bool paused;	    /* what it goes to takes no more now */
	bool broken;	    /* its last line was cut in two: the rest gets no prefix of its own */
	unsigned char ansi; /* where in an escape sequence */
	bool complained;    /* that its file cannot be written */
};

struct service {
	const struct sv_def *def; /* NULL: a free slot */
	struct conf *conf;	  /* what it follows */
	enum sv_state state;
	pid_t pid;  /* the main process; 0 */
	pid_t pgid; /* its group, as long as it has to be swept; 0 */
	pid_t finish_pid, check_pid;
	int64_t started_ms, ready_ms, ended_ms, due_ms; /* CLOCK_MONOTONIC; due -1: never */
	time_t started, ended;				/* wall clock, for people; 0: never */
	int tries, step, status;
	struct sv_verdict verdict;
	bool was_ready, start_asked, stop_asked, again, late, finish_ran, remove, by_hand, isolated,
		spawn_failed, tallied;
	int status_fd;			 /* isolated: its inner PID 1 says there how it ended; -1 */
	int ready_fd, notify_fd, tcp_fd; /* -1 */
	int64_t check_ms;		 /* the next exec or TCP check; -1 */
	int64_t give_up_ms;		 /* ready-timeout; -1 */
	int in_fd;			 /* our end of its standard input; -1 */
	int pipe_in, pipe_out;		 /* of a logger: it reads in, others write out; -1 */
	const char *why;		 /* of BACKOFF and FATAL */
	char note[64];			 /* STATUS= of sd_notify */
	struct stream out[2];
	uint32_t ring_at;
	unsigned restarts;
};

/* Apart, so that a service that writes nothing costs none of it. */
struct service_text {
	char ring[RING];
	char carry[2][CARRY];
};

enum mood { MOOD_RUNNING, MOOD_RESTARTING, MOOD_ENDING };

struct counters {
	unsigned long spawned, reaped, adopted, signals, restarts, requests, lost_bytes, wakeups,
		fork_failures;
};

struct engine {
	struct service *all; /* SV_MAX slots */
	struct service_text *text;
	int n; /* slots in use are below it */
	struct conf gens[GENERATIONS], *now;
	const char *path;
	const char *extra; /* supervisord's command line; NULL */
	bool is_supervisor;
	enum mood mood;
	bool dirty;  /* something changed: engine_pump() has work */
	int clients; /* that are connected */
	bool used;   /* memory that was used for a while can be given back */
	bool sure;   /* a second stop signal came: no more waiting */
	int exit_code;
	int epoll, signals;
	sigset_t *received;
	int64_t now_ms;
	struct counters count;
	int loglevel;
	bool log_to_stdout;
};
extern struct engine sv;

/* What an epoll event speaks of: kind and number. */
enum what { ON_SIGNAL = 1, ON_LISTEN, ON_CLIENT, ON_STREAM, ON_READY, ON_NOTIFY, ON_TCP, ON_SINK };
bool engine_watch(int fd, uint32_t events, enum what what, int number);
void engine_unwatch(int fd);
void engine_close(int *fd); /* one that is watched */
void engine_watch_again(int fd, uint32_t events, enum what what, int number);

/* engine.c */
int engine_run(void); /* the exit code */
void engine_event(struct service *s, enum sv_event e);
void engine_ask_start(struct service *s);
void engine_ask_stop(struct service *s);
void engine_end(int code); /* stop everything, then end */
void engine_restart(void);
int engine_of(const struct service *s); /* its number */
int64_t engine_clock(void);

/* life.c */
void service_act(struct service *s, enum sv_act act);
void service_ended(struct service *s, int status); /* its main process was reaped */
void service_look(
	struct service *s); /* a child of its group, or its finish program, may have gone */
void service_due(struct service *s);
bool service_reaped(struct service *s, pid_t pid, int status); /* was that one of its own? */
int64_t service_next_ms(const struct service *s);
void service_send(struct service *s, int signo, bool group);
void service_init(struct service *s, const struct sv_def *d, struct conf *c);

/* spawn.c: -errno, or the process */
pid_t spawn_main(struct service *s);
pid_t spawn_finish(struct service *s);
pid_t spawn_check(struct service *s);
/* To its standard input; false: it has none, or takes no more. */
bool spawn_feed(const struct service *s, const char *data, size_t n);
/* Is there such a program? 0, ENOENT, EACCES */
int spawn_can(const struct service *s);

/* tally.c */
void tally_add(struct service *s);

/* ready.c */
void ready_open_notify(struct service *s);
void ready_begin(struct service *s);
void ready_end(struct service *s);
void ready_fd_event(struct service *s);
void ready_notify_event(struct service *s);
void ready_tcp_event(struct service *s);
void ready_check(struct service *s); /* its time has come */

/* out.c */
bool out_begin(void);
void out_sink_writable(int number);
bool out_write(int target, const char *data,
	size_t n); /* to our own 1 or 2; false: it takes no more now */
/* What the service gets: an end of a pipe, which the caller closes unless it is lent; 1 or 2; -1
 * for nothing. */
int out_stream_open(struct service *s, int which);
bool out_is_lent(const struct service *s, int fd); /* its logger's pipe, which stays open */
void out_stream_event(struct service *s, int which);
void out_close(struct service *s, bool all);
size_t out_utf8(const unsigned char *c, size_t n); /* bytes of the character here; 0: none */
void out_json_text(struct buf *b, const char *text, size_t n);
void out_reopen(void); /* USR2 */
bool out_clear(struct service *s);
void out_ring(const struct service *s, size_t n,
	void (*take)(void *data, const char *text, size_t len), void *data);

/* file.c: log files with rotation */
int file_open(const char *path, int64_t *ret_bytes);
int file_write(int *fd, const char *path, int64_t *bytes, int64_t max, int backups,
	const char *data, size_t n);

/* note.c: what clade-init says itself */
enum { NOTE_CRIT = 50, NOTE_ERROR = 40, NOTE_WARN = 30, NOTE_INFO = 20, NOTE_DEBUG = 10 };
void note(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void note_warn(const char *text); /* of a configuration */
void note_reopen(void);
const char *note_file(void); /* its own log file; NULL */
void note_clear(void);
void note_tail(size_t n, void (*take)(void *data, const char *text, size_t len), void *data);
void note_status(struct buf *b, int status);	 /* "exit status 0", "terminated by SIGTERM" */
void note_time(struct buf *b, time_t t);	 /* "2026-01-02 03:04:05", of UTC */
const char *note_month(time_t t, struct buf *b); /* "Jan 02 03:04 AM" */

/* change.c */
bool change_load(struct conf **ret, struct buf *error); /* into a free generation */
void change_begin(struct conf *c);			/* at the start: every service of it */
enum change { CHANGE_NONE, CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED };
/* Each group that differs, by name; false stops. */
void change_list(const struct conf *next,
	bool (*each)(void *data, const char *group, enum change what), void *data);
void change_group(struct conf *next, const char *group, enum change what);
void change_settle(void); /* removed services that have stopped go, their successors come */
bool change_busy(void);
struct conf *change_read(void);	  /* what was read last */
void change_keep(struct conf *c); /* until the next is read */
void change_everything(struct conf *next);
void change_unchanged(struct conf *next); /* services of equal groups follow it from now on */
void change_drop(void);			  /* configurations nobody follows */

/* ctl.c */
bool ctl_begin(void);
void ctl_accept(bool inet);
void ctl_client(int number);
void ctl_changed(const struct service *s); /* who waits for it is told */
void ctl_line(const struct service *s, int which, const char *data, size_t n); /* who follows it */
void ctl_main_line(const char *data, size_t n);
void ctl_end(void);
