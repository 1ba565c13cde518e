/* SPDX-License-Identifier: Apache-2.0 */
/* Installing a system call filter that was made elsewhere (seccomp(2)). */
#pragma once

#include <linux/filter.h>

/*
 * flags: SECCOMP_FILTER_FLAG_*. Returns 0, with SECCOMP_FILTER_FLAG_NEW_LISTENER the listening
 * descriptor, or -errno; -EACCES without no_new_privs and CAP_SYS_ADMIN.
 */
int seccomp_install(const struct sock_filter *insns, unsigned short n, unsigned flags);
