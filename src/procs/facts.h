/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of one process, read in one go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FACTS_LEVELS_MAX = 33, FACTS_COMM_MAX = 64, FACTS_CONTAINER_MAX = 96 };

struct facts {
	pid_t pid, ppid, tracer;
	char state; /* as ps shows it: R S D Z T t X I */
	char comm[FACTS_COMM_MAX];
	int n_threads, exit_signal, wait_status;
	uint64_t start_ticks, cpu_ticks;
	uint64_t rss_pages;
	bool seccomp;
	int filters; /* how many; 0 also before Linux 5.9 */
	pid_t nspid[FACTS_LEVELS_MAX], nssid[FACTS_LEVELS_MAX]; /* outermost first */
	int levels;
};

/* Reads /proc/PID/stat and status. Returns 0, -ENOENT or -ESRCH (gone), -EBADMSG. */
int facts_read(pid_t pid, struct facts *ret);

/* "PID (comm) S ppid ...": the comm may hold anything. 0, or -EBADMSG. */
int facts_parse_stat(const char *text, struct facts *f);

/* The "NSpid:" "NSsid:" "TracerPid:" and "Seccomp:" lines of a status text. 0, or -EBADMSG. */
int facts_parse_status(const char *text, struct facts *f);

/* The PID namespace's inode; 0 where it is not for us to see. */
uint64_t facts_pidns(pid_t pid);

/*
 * Whose container a cgroup file's text speaks of: runtime word and id, both "" for none. The
 * engines write the id into the path (docker/ID, libpod-ID.scope, cri-containerd-ID.scope, ...).
 */
void facts_parse_container(
	const char *cgroup, char *ret_runtime, size_t runtime_size, char *ret_id, size_t id_size);
void facts_container(
	pid_t pid, char *ret_runtime, size_t runtime_size, char *ret_id, size_t id_size);

/* All PIDs in /proc into an array that is owned by the caller. Returns how many, or -errno. */
ssize_t facts_list(pid_t **ret);
