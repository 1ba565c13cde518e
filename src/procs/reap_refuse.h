/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes are left untouched, and the sentence that says why. */
#pragma once

#include "base/err.h"
#include "procs/reap_family.h"

/*
 * May this parent be attached to? Refused are: the host's PID 1, ourselves, a frozen process (it
 * could not run the call, and would be left with our registers), a traced one, a sandbox whose
 * processes live in a kernel of their own (gVisor, Kata). Returns 0, or err_say().
 */
int reap_refuse(const struct reap_parent *p, struct err *e);

/* Is a process frozen by its cgroup, v1 or v2? What cannot be read counts as not frozen. */
bool reap_refuse_is_frozen(pid_t pid);
