/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup folders of either version (cgroups(7)), each by its absolute path: a container has one in
 * the v2 tree and, on v1 and hybrid hosts, one in each hierarchy. All return 0 or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Makes mount_point/path with all folders on the way (0755). v1's cpuset starts empty and is
 * filled from its parent. Returns an O_DIRECTORY descriptor of it; *ret_made: it was not there.
 */
int cgroup_make(const char *mount_point, const char *path, bool *ret_made);

/* cgroup v2: "+name" into cgroup.subtree_control of every folder above the last. */
int cgroup_enable(const char *mount_point, const char *path, const char *controller);

/*
 * Where a process is (0: this one), as /proc/PID/cgroup has it: in the tree that systemd works with
 * (v1's name=systemd, else v2). malloc'ed.
 */
int cgroup_path_of(pid_t pid, char **ret);

/*
 * cgroups(7), "Delegation": gives a v2 folder and those of its files that may be given away to a
 * user.
 */
int cgroup_give_away(int fd, uid_t uid);

/* Is the descriptor's folder in a v2 tree? */
bool cgroup_is_v2(int fd);

/* Moves a process by its PID; on v1 the kernel may take milliseconds for it. */
int cgroup_join(int fd, pid_t pid);

/* Is one ("cpu") among a v1 hierarchy's controllers ("cpu,cpuacct")? */
bool cgroup_names_controller(const char *controllers, const char *one);

/* Are there processes in it or below? v2 asks cgroup.events, v1 reads cgroup.procs. */
bool cgroup_is_populated(const char *dir);

/* v2: cgroup.freeze; v1: the freezer hierarchy's folder. Waits until it has happened. */
int cgroup_freeze(const char *dir, bool frozen, int timeout_ms);
bool cgroup_is_frozen(const char *dir);

/*
 * SIGKILL to all processes in it and below: cgroup.kill (Linux 5.14), else each by its PID until
 * none is left. A frozen v1 freezer must be thawed by the caller.
 */
int cgroup_kill(const char *dir);

/* Every PID in it and below, the caller's to free; zombies are not among them. */
int cgroup_pids(const char *dir, pid_t **ret, size_t *ret_n);

/*
 * Removes it with all below, waiting up to timeout_ms for the last processes to be gone.
 * One that does not exist is success. -EBUSY when processes stay.
 */
int cgroup_remove(const char *dir, int timeout_ms);

/* A file as it is, terminated; the length or -errno. */
ssize_t cgroup_read(const char *dir, const char *file, char *buf, size_t size);

/* A single number, or "max" as INT64_MAX. */
int cgroup_read_i64(const char *dir, const char *file, int64_t *ret);

/* The number behind a key of a flat keyed file: ("memory.events", "oom_kill"). */
int cgroup_read_key(const char *dir, const char *file, const char *key, int64_t *ret);

/*
 * v1: cpu.rt_runtime_us of a folder. Where the folders above it have less than what is in them adds
 * up to, they get that first; the hierarchy's root stays as it is.
 */
int cgroup_give_realtime(const char *dir, int64_t runtime_us);

/* Attaches a device program (BPF_PROG_TYPE_CGROUP_DEVICE) to the v2 folder of fd. */
struct bpf_insn;
int cgroup_attach_devices(int fd, const struct bpf_insn *prog, size_t len);
