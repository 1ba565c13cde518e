/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-init's command line, and those of the programs it stands in for (compat.h), by argv[0] or
 * --compat NAME.
 */
#pragma once

#include "init/decide.h"

enum command_result {
	COMMAND_RUN,	 /* argv[*ret_at] is the program */
	COMMAND_DONE,	 /* help or version was printed */
	COMMAND_MISTAKE, /* said on standard error */
};

/*
 * environ is read as the other programs do. argv may be put in another order, as by getopt(3).
 * ret_code: the exit code for the latter two.
 */
enum command_result command_parse(
	int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code);
