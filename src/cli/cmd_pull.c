/* SPDX-License-Identifier: Apache-2.0 */
/* pull, load, save, import: images come and go. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/images.h"

struct pull_opts {
	bool quiet, all_tags;
	const char *platform, *authfile, *creds, *cert_dir, *tls_verify;
};

static int parse_tls(void *opts, const struct opt *o, const char *value, struct err *e)
{
	(void)o;
	return cli_bool("--tls-verify", value, &((struct pull_opts *)opts)->tls_verify, e);
}

static const struct opt pull_opts[] = {
	{ "all-tags", 'a', OPT_FLAG, offsetof(struct pull_opts, all_tags), NULL,
		"every image of that name" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct pull_opts, quiet), NULL, "only the name" },
	{ "platform", 0, OPT_STRING, offsetof(struct pull_opts, platform), "OS/ARCH[/VARIANT]",
		"which of an image for several" },
	{ "authfile", 0, OPT_STRING, offsetof(struct pull_opts, authfile), "FILE",
		"logins (default: podman's and docker's)" },
	{ "creds", 0, OPT_STRING, offsetof(struct pull_opts, creds), "USER:PASSWORD",
		"log in with that" },
	{ "cert-dir", 0, OPT_STRING, offsetof(struct pull_opts, cert_dir), "DIR",
		"certificates of the registry" },
	{ "tls-verify", 0, OPT_CALL, 0, "true|false",
		"the registry has to prove who it is (default true)", parse_tls, true },
	{ 0 },
};

static void print_line(void *data, const char *text)
{
	(void)data;
	puts(text);
	fflush(stdout);
}

static int pull_one(
	const struct life *l, const struct life_pull *p, const struct cmd_call *call, struct err *e)
{
	struct pulled pulled;
	const char *name;

	if (life_image_pull(l, p, call->arena, &pulled, &name, e) < 0)
		return -e->code;
	if (!p->all_quiet) {
		printf("Digest: %s\n", pulled.digest);
		printf("Status: %s for %s\n",
			pulled.is_new ? "Downloaded newer image" : "Image is up to date",
			ref_familiar(name));
	}
	puts(name);
	return 0;
}

static int pull(const struct cmd_call *call, struct err *e)
{
	const struct pull_opts *o = call->opts;
	struct life_pull p = { .all_quiet = o->quiet,
		.how = { .platform = o->platform,
			.authfile = o->authfile,
			.creds = o->creds,
			.cert_dir = o->cert_dir,
			.tls_verify = o->tls_verify,
			.line = o->quiet ? NULL : print_line } };
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		const char **names = (const char **)&call->args[i];
		size_t n = 1;

		p.name = call->args[i];
		if (o->all_tags && life_image_tags(&life, &p, call->arena, &names, &n, e) < 0)
			return -e->code;
		for (size_t j = 0; j < n; j++) {
			p.name = names[j];
			if (pull_one(&life, &p, call, e) < 0)
				return -e->code;
		}
	}
	return 0;
}

const struct cmd cmd_pull = {
	.name = "pull",
	.group = CMD_IMAGES,
	.args = "NAME[:TAG|@DIGEST]...",
	.brief = "fetch an image from a registry (by skopeo)",
	.min_args = 1,
	.max_args = -1,
	.opts = pull_opts,
	.opts_size = sizeof(struct pull_opts),
	.run = pull,
};

struct load_opts {
	const char *input, *platform;
	bool quiet;
};

static const struct opt load_opts[] = {
	{ "input", 'i', OPT_STRING, offsetof(struct load_opts, input), "FILE",
		"an archive, or a layout's folder, instead of standard input" },
	{ "platform", 0, OPT_STRING, offsetof(struct load_opts, platform), "OS/ARCH[/VARIANT]",
		"which of an image for several" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct load_opts, quiet), NULL, "say nothing" },
	{ 0 },
};

static int load(const struct cmd_call *call, struct err *e)
{
	const struct load_opts *o = call->opts;
	const char *path = o->input && !str_eq(o->input, "-") ? o->input : NULL;
	autolife life = LIFE_NONE;
	struct image *images;
	size_t n;

	if (cli_life(call, &life, e) < 0 ||
		life_image_load(&life, path, o->platform, call->arena, &images, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n && !o->quiet; i++) {
		for (size_t j = 0; j < images[i].n_names; j++)
			printf("Loaded image: %s\n", ref_familiar(images[i].names[j]));
		if (!images[i].n_names)
			printf("Loaded image ID: %s\n", images[i].id);
	}
	return 0;
}

const struct cmd cmd_load = {
	.name = "load",
	.group = CMD_IMAGES,
	.brief = "images from an archive: docker's or the OCI's, packed or not",
	.max_args = 0,
	.opts = load_opts,
	.opts_size = sizeof(struct load_opts),
	.run = load,
};

struct save_opts {
	const char *output, *format;
};

static const struct opt save_opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct save_opts, output), "FILE",
		"instead of standard output" },
	{ "format", 0, OPT_STRING, offsetof(struct save_opts, format), "docker-archive|oci-archive",
		"which archive (default: docker's)" },
	{ 0 },
};

static int save(const struct cmd_call *call, struct err *e)
{
	const struct save_opts *o = call->opts;
	const char *path = o->output && !str_eq(o->output, "-") ? o->output : NULL;
	enum save_format format = SAVE_DOCKER;
	autolife life = LIFE_NONE;

	if (o->format && str_eq(o->format, "oci-archive"))
		format = SAVE_OCI;
	else if (o->format && !str_eq(o->format, "docker-archive"))
		return err_say(
			e, "--format %s: docker-archive or oci-archive is wanted", o->format);
	if (cli_life(call, &life, e) < 0 ||
		life_image_save(&life, call->args, (size_t)call->n_args, format, path, e) < 0)
		return -e->code;
	return 0;
}

const struct cmd cmd_save = {
	.name = "save",
	.group = CMD_IMAGES,
	.args = "IMAGE...",
	.brief = "images into an archive that docker, podman and skopeo read",
	.min_args = 1,
	.max_args = -1,
	.opts = save_opts,
	.opts_size = sizeof(struct save_opts),
	.run = save,
};

static const struct opt import_opts[] = {
	{ "change", 'c', OPT_LIST, offsetof(struct life_import, changes), "INSTRUCTION",
		"a Dockerfile's: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ..." },
	{ "message", 'm', OPT_STRING, offsetof(struct life_import, message), "TEXT",
		"for its history" },
	{ "platform", 0, OPT_STRING, offsetof(struct life_import, platform), "OS/ARCH[/VARIANT]",
		"what it runs on (default: this machine)" },
	{ 0 },
};

static int import(const struct cmd_call *call, struct err *e)
{
	struct life_import how = *(struct life_import *)call->opts;
	autolife life = LIFE_NONE;
	struct image image;

	how.path = call->args[0];
	how.name = call->n_args > 1 ? call->args[1] : NULL;
	if (cli_life(call, &life, e) < 0 ||
		life_image_import(&life, &how, call->arena, &image, e) < 0)
		return -e->code;
	puts(image.id);
	return 0;
}

const struct cmd cmd_import = {
	.name = "import",
	.group = CMD_IMAGES,
	.args = "FILE|- [NAME[:TAG]]",
	.brief = "an image of a root filesystem's tarball",
	.min_args = 1,
	.max_args = 2,
	.opts = import_opts,
	.opts_size = sizeof(struct life_import),
	.run = import,
};
