/* SPDX-License-Identifier: Apache-2.0 */
/* In a build without BPF: one that another clade pinned can be read, none loaded. */
#include <errno.h>

#include "os/task_iter.h"

int task_iter_load(void)
{
	return -ENOSYS;
}

int task_iter_pin(gid_t group, const char **ret_step)
{
	(void)group;
	*ret_step = "load the BPF program: this clade was built without (meson -Dbpf=enabled)";
	return -ENOSYS;
}
