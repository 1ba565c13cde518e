/* SPDX-License-Identifier: Apache-2.0 */
/* Containers' files: cp, diff, export, commit. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/images.h"
#include "life/copy.h"

struct cp_opts {
	bool archive, follow, quiet;
};

static const struct opt cp_opts[] = {
	{ "archive", 'a', OPT_FLAG, offsetof(struct cp_opts, archive), NULL,
		"owners stay as they are" },
	{ "follow-link", 'L', OPT_FLAG, offsetof(struct cp_opts, follow), NULL,
		"a source that is a link: copy what it leads to" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct cp_opts, quiet), NULL, "do not say how much" },
	{ 0 },
};

static int cp(const struct cmd_call *call, struct err *e)
{
	const struct cp_opts *o = call->opts;
	const struct life_copy copy = { .from = call->args[0],
		.to = call->args[1],
		.archive = o->archive,
		.follow_link = o->follow };
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	uint64_t bytes;

	if (cli_life(call, &life, e) < 0 || life_copy(&life, &copy, &bytes, e) < 0)
		return -e->code;
	if (o->quiet || str_eq(copy.from, "-") || str_eq(copy.to, "-"))
		return 0;
	format_bytes(&t, (int64_t)bytes);
	fprintf(stderr, "Successfully copied %s to %s\n", t.p, copy.to);
	return 0;
}

/* A name may hold anything: what a terminal would obey is escaped. */
static int diff(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;
	struct change *all;
	size_t n;

	if (cli_life(call, &life, e) < 0 ||
		life_diff(&life, call->args[0], call->arena, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		autotext t = { 0 };

		text_add_escaped(&t, all[i].path, strlen(all[i].path));
		printf("%c /%s\n", all[i].kind, t.p);
	}
	return 0;
}

struct export_opts {
	const char *output;
};

static const struct opt export_opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct export_opts, output), "FILE",
		"instead of standard output" },
	{ 0 },
};

static int export(const struct cmd_call *call, struct err *e)
{
	const struct export_opts *o = call->opts;
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_export(&life, call->args[0], o->output, e);
}

struct commit_opts {
	struct life_commit commit;
	bool quiet;
};

static const struct opt commit_opts[] = {
	{ "author", 'a', OPT_STRING, offsetof(struct commit_opts, commit.author), "TEXT",
		"who made it" },
	{ "message", 'm', OPT_STRING, offsetof(struct commit_opts, commit.message), "TEXT",
		"what is in it" },
	{ "change", 'c', OPT_LIST, offsetof(struct commit_opts, commit.changes), "INSTRUCTION",
		"a Dockerfile's: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR ..." },
	{ "pause", 'p', OPT_FLAG, offsetof(struct commit_opts, commit.pause), NULL,
		"pause the container meanwhile (default true)" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct commit_opts, quiet), NULL, "print no ID" },
	{ 0 },
};

static void commit_init(void *opts)
{
	((struct commit_opts *)opts)->commit.pause = true;
}

static int commit(const struct cmd_call *call, struct err *e)
{
	struct commit_opts *o = call->opts;
	autolife life = LIFE_NONE;
	struct image image;

	if (call->n_args > 1)
		o->commit.name = call->args[1];
	if (cli_life(call, &life, e) < 0 ||
		life_commit(&life, call->args[0], &o->commit, call->arena, &image, e) < 0)
		return -e->code;
	if (!o->quiet)
		puts(image.id);
	return 0;
}

const struct cmd cmd_cp = {
	.name = "cp",
	.group = CMD_RUNNING,
	.args = "CONTAINER:PATH DEST|- , or SRC|- CONTAINER:PATH",
	.brief = "copy files from or to a container",
	.more = "docker's rules: a folder goes into a folder that is there, or becomes one that is "
		"not; SRC/. is\n"
		"what is in it. - is a tar archive on standard output or input.",
	.min_args = 2,
	.max_args = 2,
	.opts = cp_opts,
	.opts_size = sizeof(struct cp_opts),
	.run = cp,
};

const struct cmd cmd_diff = {
	.name = "diff",
	.group = CMD_RUNNING,
	.args = "CONTAINER",
	.brief = "files that a container added, changed, deleted",
	.min_args = 1,
	.max_args = 1,
	.run = diff,
};

const struct cmd cmd_export = {
	.name = "export",
	.group = CMD_RUNNING,
	.args = "CONTAINER",
	.brief = "a container's files as a tar archive",
	.min_args = 1,
	.max_args = 1,
	.opts = export_opts,
	.opts_size = sizeof(struct export_opts),
	.run = export,
};

const struct cmd cmd_commit = {
	.name = "commit",
	.group = CMD_IMAGES,
	.args = "CONTAINER [NAME[:TAG]]",
	.brief = "make an image of what a container changed",
	.min_args = 1,
	.max_args = 2,
	.opts = commit_opts,
	.opts_size = sizeof(struct commit_opts),
	.init = commit_init,
	.run = commit,
};
