/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount namespace that holds nothing but an empty, read-only tmpfs, pinned once for the whole
 * machine: docs/decisions/crowd.md.
 */
#pragma once

/* Its descriptor, for setns(2); made and pinned where there is none yet. Or -errno. */
int mount_template_open(void);

/* Unpins it, if it is there. */
void mount_template_forget(void);

/* How many processes and threads this machine has, or a little more than it has. */
unsigned mount_template_tasks(void);

/*
 * Into a copy of the namespace with a detached tree as its root, which is ours then. 0 or -errno.
 */
int mount_template_enter(int template_fd, int root_fd);
