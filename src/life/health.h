/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: docker's words, asked for by an image's HEALTHCHECK or by flags. */
#pragma once

#include "life/internal.h"

struct health_check {
	struct spec_strings test; /* "CMD" and words, "CMD-SHELL" and a line, "NONE" */
	int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms; /* 0: not given */
	int retries;							     /* likewise */
};

/* The flags over the image's (docker's JSON, or NULL): the same JSON, or NULL for none. */
int health_wanted(const struct life_health *h, const char *image, struct arena *a, const char **ret,
	struct err *e);
/* Has it a check that can be run? */
bool health_has(const struct record *r);
/* From the process that gave birth: the checking process, as a child of the minder. */
void health_start(const struct life *l, const struct held *h);
void health_info(const struct held *h, bool runs, struct arena *a, struct life_info *ret);
