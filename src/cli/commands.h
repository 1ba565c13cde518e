/* SPDX-License-Identifier: Apache-2.0 */
/* clade's commands: the list that help, completion and main() share. */
#pragma once

#include "base/opt.h"
#include "life/life.h"

/* The order of the help. */
enum cmd_group { CMD_RUNNING, CMD_PROCESSES, CMD_IMAGES, CMD_OTHER, CMD_HIDDEN };

/* Options before the command's name. */
struct globals {
	const char *root, *data_root, *log_level;
	bool debug, version;
};
extern const struct opt global_opts[];

extern const struct cmd cmd_attach, cmd_completion, cmd_create, cmd_doctor, cmd_events, cmd_exec,
	cmd_info, cmd_inspect, cmd_metrics, cmd_ns, cmd_pid, cmd_zombies, cmd_internal_ended,
	cmd_internal_start, cmd_kill, cmd_logs, cmd_pause, cmd_ps, cmd_reap, cmd_setup, cmd_rename,
	cmd_restart, cmd_rm, cmd_run, cmd_start, cmd_stats, cmd_stop, cmd_tree, cmd_top,
	cmd_unpause, cmd_update, cmd_version, cmd_wait, cmd_pull, cmd_images, cmd_rmi, cmd_tag,
	cmd_history, cmd_load, cmd_save, cmd_import, cmd_image, cmd_system, cmd_network, cmd_port,
	cmd_services, cmd_cp, cmd_diff, cmd_export, cmd_commit, cmd_volume, cmd_container,
	cmd_internal_health;

/* A command of commands: the first operand is one of the list's. */
int cli_sub(const struct cmd_call *call, const struct cmd *const *list, struct err *e);

/* NULL-terminated, in the order of the help. */
extern const struct cmd *const commands[];

/* What every command that knows containers begins with: life_done() at the end. */
int cli_life(const struct cmd_call *call, struct life *ret, struct err *e);
#define autolife __attribute__((cleanup(life_done))) struct life
#define LIFE_NONE                                                                                  \
	{                                                                                          \
		.root_fd = -1                                                                      \
	}

/* A verb for each operand: says what it did (its operand), what failed, and goes on. 0, or 1. */
int cli_each(const struct cmd_call *call,
	int (*verb)(const struct life *l, const char *ref, const void *opts, struct err *e),
	struct err *e);

/*
 * A word that names a container of ours (its init) or is a PID. 0, or "no such container or
 * process". ret_info (may be NULL) is filled for a container; its id is NULL otherwise.
 */
int cli_process(const struct cmd_call *call, const char *word, pid_t *ret,
	struct life_info *ret_info, struct err *e);

/* cmd_views.c: `clade ps -A`. */
struct table_opts;
int cmd_ps_processes(const struct cmd_call *call, const struct table_opts *o, struct err *e);

/* "true" and "false" of a flag that may stand alone (value NULL), as a word. */
int cli_bool(const char *flag, const char *value, const char **ret, struct err *e);

/* -f of inspect, for containers, images and networks. */
struct inspect_format {
	const char *format;
};
extern const struct opt inspect_format_opts[];
struct json_writer;
/*
 * The operands as an array, each added to it by one(), by -f if there is one. What one() cannot
 * find is logged, and the others are shown: 0, or 1 for that, or an error.
 */
int cli_inspect_each(const struct cmd_call *call,
	int (*one)(const struct life *l, const char *ref, struct arena *a, struct json_writer *w,
		struct err *e),
	struct err *e);

/* One image, one network as inspect shows it, added to an array. */
int cli_inspect_image(const struct life *l, const char *ref, struct arena *a, struct json_writer *w,
	struct err *e);
int cli_inspect_network(const struct life *l, const char *ref, struct arena *a,
	struct json_writer *w, struct err *e);

/* docker's exit codes for a program that could not be executed. */
enum { EXIT_OWN_FAILURE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* format.c: "5 minutes ago", "Up 3 seconds", "2026-01-02T03:04:05.000000006Z" */
void format_ago(struct text *t, int64_t then_ns);
void format_status(struct text *t, const struct life_info *i);
void format_time(struct text *t, int64_t ns);
void format_go_time(struct text *t, int64_t ns); /* "2026-01-02 03:04:05 +0000 UTC" */
void format_labels(struct text *t, const struct spec_pairs *labels); /* "key=value,..." */
void format_label_members(struct json_writer *w, const struct spec_pairs *labels);
