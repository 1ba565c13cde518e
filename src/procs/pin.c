/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/pin.h"

#include <grp.h>

#include "base/str.h"
#include "os/task_iter.h"

const char *pin_path(void)
{
	return TASK_ITER_PIN;
}

int pin_make(const char *group, struct err *e)
{
	const struct group *found = group ? getgrnam(group) : NULL;
	const char *step;
	int gid = 0, r;

	if (found)
		gid = (int)found->gr_gid;
	else if (group && (str_int(group, &gid) < 0 || gid < 0))
		return err_say(e, "there is no group %s", group);
	r = task_iter_pin((gid_t)gid, &step);
	return r < 0 ? err_set(e, -r, "%s", step) : 0;
}

int pin_remove(struct err *e)
{
	int r = task_iter_unpin();

	return r < 0 ? err_set(e, -r, "remove %s", TASK_ITER_PIN) : 0;
}
