/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a network's names are answered: what aardvark-dns has read of its files. */
#pragma once

#include "net/addr.h"

/*
 * Asks the server at an address, from inside a network namespace, for a name of the asker's own,
 * until it is answered or a second has gone by: the server reads its files some time after it was
 * told to, and answers nobody while it does. A server that stays silent is no error: the container
 * may do without names.
 */
void names_wait(int netns, const struct addr *server, const char *name);
