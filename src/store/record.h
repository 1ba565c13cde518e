/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container was asked to be beside its configuration, as it lies in ROOT/ID/record. It
 * changes only with rename and update, under the container's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct record_label {
	const char *key, *value;
};

/* Every string lies in the arena it was read into, or is lent; NULL: not given. */
struct record {
	const char *id, *name, *image, *user;
	const char *pid_of, *net_of, *ipc_of, *uts_of;		   /* IDs */
	const char *stop_signal, *detach_keys, *pidfile, *restart; /* restart: docker's word */
	const char *image_id,
		*data_root;	       /* of an image from the store: sha256:...; where it lies */
	const char *exposed, *volumes; /* the image's: "80/tcp 443/tcp"; "/data /log" */
	const char *healthcheck;       /* the image's, JSON as docker has it */
	const char *volumes_used, *volumes_anonymous; /* names; those that go with rm -v */
	const char *error; /* why it could not be started the last time */
	int64_t created_ns, stop_timeout_ms;
	int64_t restart_max;  /* on-failure:N; 0: no bound */
	int64_t n_entrypoint; /* of the program's words, those of the entry point */
	bool auto_remove, interactive, tty, use_init, privileged;
	struct record_label *labels;
	size_t n_labels;
};

int record_read(int dir, struct arena *a, struct record *ret, struct err *e);
int record_write(int dir, const struct record *r, struct err *e);
