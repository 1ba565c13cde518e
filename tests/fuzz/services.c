/* SPDX-License-Identifier: Apache-2.0 */
/* A services file: the first byte says whether it is taken as ours (its own first section decides)
 * or as a supervisord.conf. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/services/conf.h"

/* Everything a service's definition points to is there and ends. */
static void look_at(const struct conf *c, const struct sv_def *d)
{
	PROMISE(d->name[0] && !strpbrk(d->name, " \n/*:") && d->group[0]);
	PROMISE(d->argv && d->argv[0]);
	for (const char **word = d->argv; *word; word++)
		PROMISE(strlen(*word) < CONF_POOL);
	for (const char **item = d->env; item && *item; item++)
		PROMISE(strchr(*item, '='));
	PROMISE(d->n_stop > 0 && d->n_stop <= SV_STEPS);
	for (int i = 0; i < d->n_needs; i++)
		PROMISE(d->needs[i] < c->n);
	for (int i = 0; i < d->n_after; i++)
		PROMISE(d->after[i] < c->n);
	PROMISE(d->logger_at < c->n);
	PROMISE((d->out.kind == LOG_FILE) == (d->out.path != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int fd = -1;
	static char path[64];
	struct conf c = { 0 };

	if (!n)
		return 0;
	if (fd < 0) {
		fd = memfd_create("services", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	PROMISE(ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, n - 1, 0) == (ssize_t)(n - 1));
	if (!conf_load(&c, path, data[0] & 1)) {
		PROMISE(c.error[0] && strlen(c.error) < 1024);
		PROMISE(!c.pool.base && !c.scratch.base);
		return 0;
	}
	for (int i = 0; i < c.n; i++)
		look_at(&c, &c.defs[i]);
	conf_close(&c);
	return 0;
}
