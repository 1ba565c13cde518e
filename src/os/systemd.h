/* SPDX-License-Identifier: Apache-2.0 */
/* Runs clade-sdbus, the program that talks to systemd (src/sdbus/main.c). */
#pragma once

#include <stddef.h>

/*
 * words: what stands behind its name, NULL-terminated. Returns 0, or 1 with the sentence it said in
 * why (cut to size), or -errno when it could not be run.
 */
int systemd_run(const char *exe, const char *const *words, char *why, size_t size);
