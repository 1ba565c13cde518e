/* SPDX-License-Identifier: Apache-2.0 */
/* create, run, exec: what puts a process into a container. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "oci/commands.h"

struct create_opts {
	struct bundle_create create;
	int preserve_fds;
	bool detach, keep, no_subreaper;
};

#define CREATE(member) offsetof(struct create_opts, create.member)
#define OWN(member)    offsetof(struct create_opts, member)
#define COMMON                                                                                     \
	{ "bundle", 'b', OPT_STRING, CREATE(bundle), "DIR", "the bundle (default: here)" },        \
		{ "config", 'f', OPT_STRING, CREATE(config), "FILE", "instead of config.json" },   \
		{ "console-socket", 0, OPT_STRING, CREATE(console_socket), "PATH",                 \
			"where the terminal's master is sent" },                                   \
		{ "pid-file", 0, OPT_STRING, CREATE(pid_file), "FILE", "write the init's PID" },   \
		{ "pidfd-socket", 0, OPT_STRING, CREATE(pidfd_socket), "PATH",                     \
			"where its pidfd is sent" },                                               \
		{ "no-pivot", 0, OPT_FLAG, CREATE(no_pivot), NULL,                                 \
			"MS_MOVE instead of pivot_root" },                                         \
		{ "no-new-keyring", 0, OPT_FLAG, CREATE(no_new_keyring), NULL,                     \
			"keep the session keyring" },                                              \
	{                                                                                          \
		"preserve-fds", 0, OPT_INT, OWN(preserve_fds), "N",                                \
			"pass on N descriptors from 3 on"                                          \
	}

static const struct opt create_opts[] = { COMMON, { 0 } };
static const struct opt run_opts[] = {
	COMMON,
	{ "detach", 'd', OPT_FLAG, OWN(detach), NULL, "do not wait for its end" },
	{ "keep", 0, OPT_FLAG, OWN(keep), NULL, "do not delete it when it has ended" },
	{ "no-subreaper", 0, OPT_FLAG, OWN(no_subreaper), NULL, "nothing is adopted here anyway" },
	{ 0 },
};

/* systemd's socket activation: LISTEN_FDS descriptors from 3 on are the container's, too. */
static int count_fds(int asked, unsigned *ret, struct bundle_listen *listen, struct err *e)
{
	const char *text = getenv("LISTEN_FDS");
	int n = 0;

	if (asked < 0 || asked > 1 << 20)
		return err_say(e, "--preserve-fds %d: is no count", asked);
	if (text && text[0] && (str_int(text, &n) < 0 || n < 0 || n > 1 << 16))
		return err_say(e, "LISTEN_FDS=%s: is no count", text);
	listen->n = (unsigned)n;
	listen->names = n ? getenv("LISTEN_FDNAMES") : NULL;
	*ret = (unsigned)(asked + n);
	return bundle_check_fds(*ret, e);
}

static int create(const struct cmd_call *call, struct err *e)
{
	struct create_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;

	o->create.id = call->args[0];
	if (count_fds(o->preserve_fds, &o->create.preserve_fds, &o->create.listen, e) < 0 ||
		oci_bundles(call, &b, e) < 0)
		return -e->code;
	return bundle_create(&b, &o->create, e);
}

static int run(const struct cmd_call *call, struct err *e)
{
	struct create_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;
	int code = 0, r;

	o->create.id = call->args[0];
	if (count_fds(o->preserve_fds, &o->create.preserve_fds, &o->create.listen, e) < 0 ||
		oci_bundles(call, &b, e) < 0)
		return -e->code;
	r = bundle_run(&b, &o->create, o->detach, o->keep, &code, e);
	return r < 0 ? r : code;
}

struct exec_opts {
	struct bundle_exec exec;
	struct opt_list env, caps, cgroups;
	uint32_t *groups;      /* owned */
	const char *bad_group; /* a number, but no group's */
	int preserve_fds;
};

#define EXEC(member) offsetof(struct exec_opts, exec.member)
#define XOWN(member) offsetof(struct exec_opts, member)

static int parse_group(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct exec_opts *all = opts;
	size_t n = all->exec.n_groups;
	int64_t gid;

	if (str_i64(value, &gid) < 0)
		return err_say(e, "--%s %s: is no number", o->name, value);
	if (gid < 0 || gid >= UINT32_MAX)
		all->bad_group = value;
	all->groups = mem_resize(all->groups, n + 1, sizeof(*all->groups));
	all->groups[all->exec.n_groups++] = (uint32_t)gid;
	return 0;
}

static const struct opt exec_opts[] = {
	{ "console-socket", 0, OPT_STRING, EXEC(console_socket), "PATH",
		"where the terminal's master is sent" },
	{ "pidfd-socket", 0, OPT_STRING, EXEC(pidfd_socket), "PATH", "where its pidfd is sent" },
	{ "cwd", 0, OPT_STRING, EXEC(cwd), "DIR", "working folder in the container" },
	{ "env", 'e', OPT_LIST, XOWN(env), "NAME=VALUE", "an environment variable" },
	{ "tty", 't', OPT_FLAG, EXEC(tty), NULL, "give it a terminal" },
	{ "user", 'u', OPT_STRING, EXEC(user), "UID[:GID]", "as whom" },
	{ "additional-gids", 'g', OPT_CALL, 0, "GID", "a further group", parse_group },
	{ "process", 'p', OPT_STRING, EXEC(process_file), "FILE", "process.json" },
	{ "detach", 'd', OPT_FLAG, EXEC(detach), NULL, "do not wait for its end" },
	{ "pid-file", 0, OPT_STRING, EXEC(pid_file), "FILE", "write its PID" },
	{ "process-label", 0, OPT_STRING, EXEC(label), "LABEL", "SELinux label" },
	{ "apparmor", 0, OPT_STRING, EXEC(apparmor), "PROFILE", "AppArmor profile" },
	{ "no-new-privs", 0, OPT_FLAG, EXEC(no_new_privs), NULL, "no_new_privs" },
	{ "cap", 'c', OPT_LIST, XOWN(caps), "CAP", "a further capability" },
	{ "preserve-fds", 0, OPT_INT, XOWN(preserve_fds), "N", "pass on N descriptors from 3 on" },
	{ "cgroup", 0, OPT_LIST, XOWN(cgroups), "[CONTROLLER:]PATH",
		"a cgroup below the container's" },
	{ "ignore-paused", 0, OPT_FLAG, EXEC(ignore_paused), NULL, "also into a paused container" },
	{ 0 },
};

static int exec(const struct cmd_call *call, struct err *e)
{
	struct exec_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;
	int code = 0, r;

	o->exec.id = call->args[0];
	o->exec.args = call->args + 1;
	o->exec.env = o->env.items;
	o->exec.n_env = o->env.n;
	o->exec.caps = o->caps.items;
	o->exec.n_caps = o->caps.n;
	o->exec.groups = o->groups;
	o->exec.cgroups = o->cgroups.items;
	o->exec.n_cgroups = o->cgroups.n;
	if (o->bad_group)
		return err_say(e, "--additional-gids %s: is no group's number", o->bad_group);
	if (count_fds(o->preserve_fds, &o->exec.preserve_fds, &o->exec.listen, e) < 0)
		return -e->code;
	if (oci_bundles(call, &b, e) < 0)
		return -e->code;
	r = bundle_exec(&b, &o->exec, &code, e);
	free(o->groups);
	return r < 0 ? r : code;
}

const struct cmd oci_create = { .name = "create",
	.args = "ID",
	.brief = "make a container; its process waits for start",
	.min_args = 1,
	.max_args = 1,
	.opts = create_opts,
	.opts_size = sizeof(struct create_opts),
	.enters = true,
	.run = create };

const struct cmd oci_run = { .name = "run",
	.args = "ID",
	.brief = "make a container and start it",
	.min_args = 1,
	.max_args = 1,
	.opts = run_opts,
	.opts_size = sizeof(struct create_opts),
	.enters = true,
	.run = run };

const struct cmd oci_exec = { .name = "exec",
	.args = "ID [COMMAND [ARG...]]",
	.brief = "run a further process in a container",
	.min_args = 1,
	.max_args = -1,
	.opts = exec_opts,
	.opts_size = sizeof(struct exec_opts),
	.stops_at_word = true,
	.enters = true,
	.run = exec };
