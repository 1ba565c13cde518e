/* SPDX-License-Identifier: Apache-2.0 */
/* version, info and completion: about clade itself. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/commands.h"

struct format_opts {
	const char *format;
};

static const struct opt format_opts[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct format_opts, format), "json", "as JSON" },
	{ 0 },
};

static int wants_json(const struct format_opts *o, bool *ret, struct err *e)
{
	*ret = o->format && str_eq(o->format, "json");
	return o->format && !*ret ? err_say(e, "--format %s: only json is known", o->format) : 0;
}

static int version(const struct cmd_call *call, struct err *e)
{
	const struct format_opts *o = call->opts;
	bool json = false;

	/* clade --version comes without options of its own */
	if (call->cmd && wants_json(o, &json, e) < 0)
		return -e->code;
	printf(json ? "{\"Version\":\"%s\",\"OciVersion\":\"1.3.0\"}\n" : "clade version %s\n",
		CLADE_VERSION);
	return 0;
}

static const char *cgroup_word(enum cgroup_mode mode)
{
	static const char *const words[] = { "none", "v1", "hybrid", "v2" };

	return words[mode];
}

static int info(const struct cmd_call *call, struct err *e)
{
	const struct format_opts *o = call->opts;
	struct life_info *all;
	autolife life = LIFE_NONE;
	autotext t = { 0 }, kernel = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };
	size_t n, running = 0, paused = 0;
	bool json;

	if (wants_json(o, &json, e) < 0 || cli_life(call, &life, e) < 0 ||
		life_list(&life, true, call->arena, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		running += all[i].status == LIFE_RUNNING;
		paused += all[i].status == LIFE_PAUSED;
	}
	text_addf(&kernel, "%u.%u", life.host.kernel_major, life.host.kernel_minor);
	json_begin(&w, NULL, '{');
	json_uint(&w, "Containers", n);
	json_uint(&w, "ContainersRunning", running);
	json_uint(&w, "ContainersPaused", paused);
	json_uint(&w, "ContainersStopped", n - running - paused);
	json_string(&w, "ServerVersion", CLADE_VERSION);
	json_string(&w, "Root", life.root);
	json_string(&w, "KernelVersion", kernel.p);
	json_string(&w, "Architecture", life.host.machine);
	json_string(&w, "CgroupVersion", cgroup_word(life.host.cgroup_mode));
	json_bool(&w, "CgroupWritable", life.host.cgroup_writable);
	json_bool(&w, "Rootless", life.host.euid != 0);
	json_bool(&w, "InUserNamespace", !life.host.in_initial_userns);
	json_bool(&w, "TimeNamespaces", life.host.has_time_ns);
	json_bool(&w, "IdmappedMounts", life.host.has_mount_idmap);
	json_bool(&w, "AppArmor", life.host.apparmor);
	json_bool(&w, "SELinux", life.host.selinux);
	json_string(&w, "Keep", life.keep_exe);
	json_string(&w, "Init", life.init_exe);
	json_end(&w, '}');
	if (json) {
		puts(t.p);
		return 0;
	}
	printf("containers:   %zu (%zu running, %zu paused)\n"
	       "state:        %s\n"
	       "kernel:       %s %s\n"
	       "cgroups:      %s%s\n"
	       "user:         %u%s\n"
	       "clade-keep:   %s\n"
	       "clade-init:   %s\n",
		n, running, paused, life.root, kernel.p, life.host.machine,
		cgroup_word(life.host.cgroup_mode),
		life.host.cgroup_writable ? "" : " (not ours to use)", life.host.euid,
		life.host.in_initial_userns ? "" : " (in a user namespace)", life.keep_exe,
		life.init_exe);
	return 0;
}

/* The words of a command's options for the shell. */
static void add_words(struct text *t, const struct opt *opts)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		if (!o->help)
			continue;
		text_addf(t, " --%s", o->name);
		if (o->letter)
			text_addf(t, " -%c", o->letter);
	}
}

static int completion(const struct cmd_call *call, struct err *e)
{
	autotext t = { 0 };

	if (!str_eq(call->args[0], "bash"))
		return err_say(e, "completion %s: bash is known", call->args[0]);
	text_add(&t, "# bash completion for clade: source <(clade completion bash)\n"
		     "_clade() {\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd= i words\n"
		     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		     "\t\tcase ${COMP_WORDS[i]} in\n"
		     "\t\t--root | --log-level | -l) ((i++)) ;;\n"
		     "\t\t-*) ;;\n"
		     "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
		     "\t\tesac\n"
		     "\tdone\n"
		     "\tcase $cmd in\n"
		     "\t'') words='");
	for (const struct cmd *const *c = commands; *c; c++)
		if ((*c)->group != CMD_HIDDEN)
			text_addf(&t, "%s ", (*c)->name);
	add_words(&t, global_opts);
	text_add(&t, "' ;;\n");
	for (const struct cmd *const *c = commands; *c; c++) {
		const char *args = (*c)->args;

		if ((*c)->group == CMD_HIDDEN)
			continue;
		text_addf(&t, "\t%s) words='--help", (*c)->name);
		add_words(&t, (*c)->opts);
		text_add(&t, "'");
		if (args && (str_starts(args, "CONTAINER") || str_starts(args, "[CONTAINER")))
			text_add(&t, "\n\t\t[[ $cur == -* ]] || words=$(clade ps -a --format names "
				     "2>/dev/null | tail -n +2)");
		text_add(&t, " ;;\n");
	}
	text_add(&t, "\tesac\n"
		     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		     "}\n"
		     "complete -o default -F _clade clade\n");
	fputs(t.p, stdout);
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.group = CMD_OTHER,
	.brief = "show clade's version",
	.opts = format_opts,
	.opts_size = sizeof(struct format_opts),
	.run = version,
};

const struct cmd cmd_info = {
	.name = "info",
	.group = CMD_OTHER,
	.brief = "show what clade finds on this machine",
	.opts = format_opts,
	.opts_size = sizeof(struct format_opts),
	.run = info,
};

const struct cmd cmd_completion = {
	.name = "completion",
	.group = CMD_OTHER,
	.args = "bash",
	.brief = "a completion script for the shell",
	.min_args = 1,
	.max_args = 1,
	.run = completion,
};
