/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

const struct cmd *const commands[] = {
	&cmd_events,
	&cmd_reap,
	NULL,
};
