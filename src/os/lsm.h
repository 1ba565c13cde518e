/* SPDX-License-Identifier: Apache-2.0 */
/* Files below a procfs that decide about security: written only when they are what they seem. */
#pragma once

/*
 * A detached procfs of the caller's PID namespace (fsopen), which nobody can have mounted over;
 * where the kernel refuses one, the root's /proc, if it is a procfs (-ENOTSUP else).
 */
int lsm_open_procfs(int root_fd);

/* Writes value to a file below that procfs, crossing no mount and no link (CVE-2025-52881). */
int lsm_write(int procfs, const char *path, const char *value);

/* AppArmor: the profile at the next exec. SELinux: the label. "attr/..." as kernels have it. */
int lsm_exec_apparmor(int procfs, const char *profile);
int lsm_exec_selinux(int procfs, const char *label);
