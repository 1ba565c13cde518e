/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from the rest: this is all of the services' code that a single program's start runs
 * through. */
#include <string.h>

#include "init/services/services.h"

bool services_wanted(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash	? slash + 1
									 : argc ? argv[0]
										: "";

	if (strcmp(name, "supervisord") == 0 || strcmp(name, "supervisorctl") == 0)
		return true;
	return argc > 1 && strcmp(name, "clade-init") == 0 &&
	       (strncmp(argv[1], "--services", 10) == 0 || strcmp(argv[1], "ctl") == 0);
}
