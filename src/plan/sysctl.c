/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel parameters: only those that belong to a namespace of the container's own. */
#include <sched.h>

#include "base/str.h"
#include "plan/decide.h"

static bool is_ipc(const char *key)
{
	static const char *const names[] = { "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
		"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
		"kernel.shm_rmid_forced", "kernel.auto_msgmni", "kernel.msg_next_id",
		"kernel.sem_next_id", "kernel.shm_next_id" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(names[i], key))
			return true;
	return str_starts(key, "fs.mqueue.");
}

static int namespace_of(const char *key)
{
	if (is_ipc(key))
		return CLONE_NEWIPC;
	if (str_starts(key, "net."))
		return CLONE_NEWNET;
	if (str_eq(key, "kernel.domainname") || str_eq(key, "kernel.hostname"))
		return CLONE_NEWUTS;
	if (str_starts(key, "user."))
		return CLONE_NEWUSER;
	return 0;
}

static int add(const struct decide *d, const struct spec_pair *pair, struct err *e)
{
	struct plan *p = d->plan;
	struct plan_sysctl *sysctl;
	char *key = arena_strdup(d->arena, pair->key);
	char *path = arena_strdup(d->arena, pair->key);
	const char *first = strpbrk(key, "./");
	/* sysctl(8): with "/" as the first separator, the two are swapped ("net/ipv4/conf/eth0.1")
	 */
	bool slashes = first && *first == '/';
	int flag;

	for (size_t i = 0; key[i]; i++) {
		if (path[i] == '.')
			path[i] = slashes ? '.' : '/';
		else if (path[i] == '/')
			path[i] = slashes ? '/' : '.';
		if (path[i] == '/')
			key[i] = '.';
		else if (key[i] == '/' || key[i] == '.')
			key[i] = '/';
	}
	flag = namespace_of(key);
	if (!path[0] || path[0] == '/' || path[0] == '.' || strstr(path, "//") ||
		strstr(path, "/.") || path[strlen(path) - 1] == '/')
		return err_say(e, "linux.sysctl: \"%s\" is no name of a parameter", pair->key);
	if (!flag)
		return err_say(e,
			"linux.sysctl: %s is not in a namespace; it would change the host",
			pair->key);
	if (!namespaces_has(&p->namespaces, flag))
		return err_say(e,
			"linux.sysctl: %s would change the host: the container shares "
			"that namespace",
			pair->key);
	if (str_eq(key, "kernel.hostname") && d->spec->hostname)
		return err_say(e, "linux.sysctl: kernel.hostname and hostname are both set");
	sysctl = arena_grow(d->arena, &p->sysctls, &p->n_sysctls, sizeof(*sysctl));
	*sysctl = (struct plan_sysctl){ .path = path, .value = pair->value };
	return 0;
}

int sysctl_decide(const struct decide *d, struct err *e)
{
	const struct spec_pairs *pairs = &d->spec->linux_.sysctl;

	for (size_t i = 0; i < pairs->n; i++) {
		int r = add(d, &pairs->items[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}
