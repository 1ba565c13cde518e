/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of namespace: the one table of their names, flags and files. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* In the order in which they are made and joined: the user namespace gives the rights for the rest.
 */
enum ns_kind {
	NS_USER,
	NS_MOUNT,
	NS_UTS,
	NS_IPC,
	NS_NET,
	NS_PID,
	NS_CGROUP,
	NS_TIME,
	NS_KINDS, /* how many there are */
};

struct ns_type {
	enum ns_kind kind;
	const char *name;     /* for a person: "mount" */
	const char *file;     /* in /proc/PID/ns: "mnt" */
	const char *oci;      /* linux.namespaces[].type: "mount" */
	uint64_t clone_flag;  /* CLONE_NEWNS ...; NEWTIME only for clone3, unshare, setns */
	const char *children; /* file of what later children get: "pid_for_children"; or NULL */
};

/* By kind: ns_types[NS_PID]. */
extern const struct ns_type ns_types[NS_KINDS];

/* By OCI word or file name; NULL for a word that is none. */
const struct ns_type *ns_by_oci(const char *word);
const struct ns_type *ns_by_file(const char *word);

/*
 * Opens a process's namespace of this kind by its /proc directory, for setns() and ns_inode().
 * Returns the descriptor, or -errno: -EACCES without ptrace rights over that process.
 */
int ns_open(int proc_pid_fd, enum ns_kind kind);

/* The inode that names the namespace of a descriptor; 0 or -errno. */
int ns_inode(int ns_fd, uint64_t *ret);

/*
 * The namespace of a process by its /proc directory without opening it: reads the link
 * "pid:[4026531836]". for_children: the one its next child will be in. 0 or -errno.
 */
int ns_inode_of(int proc_pid_fd, enum ns_kind kind, uint64_t *ret);
int ns_inode_for_children(int proc_pid_fd, enum ns_kind kind, uint64_t *ret);

/* The CLONE_NEW* flag of an open namespace (ioctl_ns(2), Linux 4.11), or -errno. */
int ns_type_of(int ns_fd);

/*
 * The parent of a PID or user namespace, and the user namespace that owns any namespace, as
 * descriptors (ioctl_ns(2), Linux 4.9); -EPERM for one above the caller's own.
 */
int ns_parent(int ns_fd);
int ns_owner(int ns_fd);

/* The user id that made a user namespace (Linux 4.11). 0 or -errno. */
int ns_owner_uid(int userns_fd, uid_t *ret);

/* "pid:[4026531836]" to the number; 0 or -EINVAL. file: the word that must stand before it. */
int ns_link_parse(const char *link, const char *file, uint64_t *ret);
