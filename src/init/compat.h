/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines, environments and words of tini, dumb-init, catatonit and Kubernetes' pause. */
#pragma once

#include "init/command.h"

/* AS_CLADE: none of them. */
enum personality compat_by_name(const char *name, size_t n, bool *ret_known);

/* As command_parse(), argv[0] being the name that is shown. */
enum command_result compat_parse(
	enum personality as, int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code);
