/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by their names (signal(7)). */
#pragma once

/* "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3": the number, or -EINVAL. */
int signal_parse(const char *word);

/* "TERM"; real-time ones as "RTMIN+3"; buf is used where needed. */
const char *signal_name(int number, char buf[16]);
