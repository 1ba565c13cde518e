/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several services in the place of one program: `clade-init --services`, `clade-init ctl`, and the
 * names supervisord and supervisorctl. services_none.c takes its place in the build of a clade-init
 * for single programs alone.
 */
#pragma once

#include <stdbool.h>

/* Is this command line one of those? Reads nothing but argv. */
bool services_wanted(int argc, char **argv);
/* Then this is all there is to do. The exit code. */
int services_main(int argc, char **argv);

/* client.c */
int client_main(int argc, char **argv);		 /* clade-init ctl ... */
int client_supervisorctl(int argc, char **argv); /* supervisorctl ... */
/* front.c: where supervisord looks for its configuration; NULL: nowhere. */
const char *services_default_config(void);
