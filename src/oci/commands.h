/* SPDX-License-Identifier: Apache-2.0 */
/* clade-oci's commands: runc's command line on life/bundle.h. */
#pragma once

#include "base/opt.h"
#include "life/bundle.h"

struct oci_globals {
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless, *criu;
	bool debug, systemd_cgroup, version, help;
};
extern const struct opt oci_global_opts[];

extern const struct cmd oci_create, oci_delete, oci_events, oci_exec, oci_features, oci_kill,
	oci_list, oci_checkpoint, oci_pause, oci_ps, oci_restore, oci_resume, oci_run, oci_spec,
	oci_start, oci_state, oci_update;
extern const struct cmd *const oci_commands[];

struct json_writer;
/* "a b c" as a list of strings. */
void oci_add_words(struct json_writer *w, const char *name, const char *words);

/* What every command begins with. */
int oci_bundles(const struct cmd_call *call, struct bundles *ret, struct err *e);
/* What was printed has been written. Leaves e alone where it says something already. */
int oci_flush(struct err *e);
#define autobundles __attribute__((cleanup(bundles_done))) struct bundles
#define BUNDLES_NONE                                                                               \
	{                                                                                          \
		.root_fd = -1                                                                      \
	}

/* exec's own failure is 255, everything else 1. */
enum { EXIT_FAILURE_OF_OURS = 1, EXIT_NO_COMMAND = 3, EXIT_EXEC_FAILED = 255 };
