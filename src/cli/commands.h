/* SPDX-License-Identifier: Apache-2.0 */
/* clade's commands: the list that help, completion and main() share. */
#pragma once

#include "base/opt.h"

enum cmd_group { CMD_RUNNING, CMD_PROCESSES, CMD_IMAGES, CMD_OTHER };

extern const struct cmd cmd_events, cmd_reap;

/* NULL-terminated, in the order of the help. */
extern const struct cmd *const commands[];
