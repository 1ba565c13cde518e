/* SPDX-License-Identifier: Apache-2.0 */
/* A clade-init that runs one program and nothing else (meson -Dinit_services=false). */
#include <string.h>

#include "init/options.h"
#include "init/services/control.h"
#include "init/services/services.h"

bool services_wanted(int argc, char **argv)
{
	return argc > 1 && strncmp(argv[1], "--services", 10) == 0;
}

int services_main(int argc, char **argv)
{
	say("clade-init: this one was built for single programs, without ", argv[1], NULL, NULL);
	return 2;
}

bool control_open(const char *path)
{
	say("clade-init: this one was built without a control socket: ", path, NULL, NULL);
	return false;
}

bool control_event(const siginfo_t *info, const struct control_counts *now)
{
	return false;
}

void control_close(void)
{
}
