/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount interface by descriptors (Linux 5.2; mount_setattr 5.12): a filesystem or a copy of a
 * tree is made detached, given its attributes, and only then attached to a descriptor. All return
 * a descriptor or 0, or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A filesystem that is being configured: key and value, flag, then make. */
int mount_fs_open(const char *fstype);
int mount_fs_string(int fs, const char *key, const char *value);
int mount_fs_flag(int fs, const char *key);
int mount_fs_make(int fs, uint64_t attr); /* fsconfig create and fsmount: a detached mount */

/* What the kernel said about the filesystem last ("overlay: ..."), into buf; "" if nothing. */
const char *mount_fs_message(int fs, char *buf, size_t size);

/* A detached copy of what is mounted at the descriptor or path (open_tree(2), OPEN_TREE_CLONE). */
int mount_copy(int dirfd, const char *path, bool recursive, bool nofollow);

/* Attaches a detached mount on top of what target_fd refers to. */
int mount_attach(int mount_fd, int target_fd);

/* mount_setattr(2) on the mount that fd is the root of. propagation: MS_* or 0. */
int mount_attr(int fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation);

/* MOUNT_ATTR_IDMAP on a detached mount, with the ids of a user namespace. */
int mount_idmap(int fd, bool recursive, int userns_fd);

/* mount_setattr(2) for "/" of this mount namespace. */
int mount_propagation_of_root(uint64_t propagation, bool recursive);

/* The mount that holds path does not pass on what is mounted there: pivot_root(2) wants that. */
int mount_parent_private(const char *path);

/*
 * mount(2): where a value is longer than the 256 bytes that fsconfig(2) takes; one page is the
 * limit. And the end of what is mounted there, lazily.
 */
int mount_plain(const char *fstype, const char *target, const char *data);
int mount_detach(const char *target);

/* MS_REMOUNT of a filesystem with new options of its own ("size=64m,mode=700"). */
int mount_remount(int fd, uint64_t flags, const char *data);

/* Makes the folder of the descriptor this namespace's root and lets the old one go. */
int mount_pivot(int root_fd);

/* Without pivot_root (an initramfs cannot be pivoted away): MS_MOVE onto "/" and chroot. */
int mount_move_root(int root_fd);
