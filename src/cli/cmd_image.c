/* SPDX-License-Identifier: Apache-2.0 */
/* `image VERB`, and what only that has: inspect, prune. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"

void format_bytes(struct text *t, int64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1000 && unit + 1 < ARRAY_LEN(units)) {
		n /= 1000;
		unit++;
	}
	/* Go's %.3g */
	if (n >= 100)
		text_addf(t, "%.0f%s", n, units[unit]);
	else
		text_addf(t, "%.3g%s", n, units[unit]);
}

bool cli_sure(const char *warning, bool force)
{
	char line[64];

	if (force)
		return true;
	printf("%sAre you sure you want to continue? [y/N] ", warning);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static void add_strings(struct json_writer *w, const char *name, const char **items, size_t n)
{
	json_begin(w, name, '[');
	for (size_t i = 0; i < n; i++)
		json_string(w, NULL, items[i]);
	json_end(w, ']');
}

static void add_familiar(struct json_writer *w, const char *name, const char **items, size_t n)
{
	json_begin(w, name, '[');
	for (size_t i = 0; i < n; i++)
		json_string(w, NULL, ref_familiar(items[i]));
	json_end(w, ']');
}

static void add_set(struct json_writer *w, const char *name, const struct image_words *words)
{
	if (!words->n)
		return;
	json_begin(w, name, '{');
	for (size_t i = 0; i < words->n; i++) {
		json_begin(w, words->items[i], '{');
		json_end(w, '}');
	}
	json_end(w, '}');
}

static void add_words(struct json_writer *w, const char *name, const struct image_words *words)
{
	if (words->n)
		add_strings(w, name, words->items, words->n);
	else
		json_null(w, name);
}

static void add_config(struct json_writer *w, const struct image_config *c)
{
	json_begin(w, "Config", '{');
	json_string(w, "User", c->user);
	add_set(w, "ExposedPorts", &c->ports);
	add_words(w, "Env", &c->env);
	add_words(w, "Cmd", &c->cmd);
	if (c->healthcheck)
		config_json(w, "Healthcheck", c->healthcheck);
	add_set(w, "Volumes", &c->volumes);
	json_string(w, "WorkingDir", c->workdir);
	add_words(w, "Entrypoint", &c->entrypoint);
	json_begin(w, "Labels", '{');
	for (size_t i = 0; i < c->n_labels; i++)
		json_string(w, c->labels[i].key, c->labels[i].value);
	json_end(w, '}');
	if (c->stop_signal[0])
		json_string(w, "StopSignal", c->stop_signal);
	json_end(w, '}');
}

static void add_image(struct json_writer *w, const struct life_image *i, const char *layers)
{
	const struct image_config *c = &i->config;

	json_begin(w, NULL, '{');
	json_string(w, "Id", i->image.id);
	add_familiar(w, "RepoTags", i->image.names, i->image.n_names);
	add_familiar(w, "RepoDigests", i->image.digests, i->image.n_digests);
	json_string(w, "Digest", i->image.manifest);
	json_string(w, "Comment", c->n_steps ? c->steps[c->n_steps - 1].comment : "");
	json_string(w, "Created", c->created);
	json_string(w, "Author", c->author);
	json_string(w, "Architecture", c->architecture);
	if (c->variant[0])
		json_string(w, "Variant", c->variant);
	json_string(w, "Os", c->os);
	json_int(w, "Size", i->bytes);
	json_uint(w, "Containers", i->containers);
	add_config(w, c);
	json_begin(w, "GraphDriver", '{');
	json_string(w, "Name", "overlay");
	json_begin(w, "Data", '{');
	json_string(w, "Layers", layers);
	json_end(w, '}');
	json_end(w, '}');
	json_begin(w, "RootFS", '{');
	json_string(w, "Type", "layers");
	add_strings(w, "Layers", c->diff_ids.items, c->diff_ids.n);
	json_end(w, '}');
	json_end(w, '}');
}

int cli_inspect_image(const struct life *l, const char *ref, struct arena *a, struct json_writer *w,
	struct err *e)
{
	struct life_image image;

	if (life_image_find(l, ref, a, &image, e) < 0)
		return -e->code;
	add_image(w, &image, arena_printf(a, "%s/layers", life_data_path(l, a)));
	return 0;
}

static int inspect(const struct cmd_call *call, struct err *e)
{
	return cli_inspect_each(call, cli_inspect_image, e);
}

static const struct cmd image_inspect = {
	.name = "inspect",
	.args = "IMAGE...",
	.brief = "everything about images, as JSON",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_format_opts,
	.opts_size = sizeof(struct inspect_format),
	.run = inspect,
};

struct prune_opts {
	bool all, force;
	struct opt_list filters;
};

static const struct opt prune_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct prune_opts, all), NULL,
		"all that no container uses, not only those without a name" },
	{ "force", 'f', OPT_FLAG, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ "filter", 0, OPT_LIST, offsetof(struct prune_opts, filters), "KEY=VALUE",
		"until=24h, label=KEY[=VALUE]" },
	{ 0 },
};

int cli_pruning(
	const struct opt_list *filters, struct arena *a, struct image_pruning *to, struct err *e)
{
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < filters->n; i++) {
		const char *f = filters->items[i];

		if (str_starts(f, "until=") && str_duration_ms(f + 6, &ms) == 0)
			to->before_ns = ((int64_t)now.tv_sec * 1000 - ms) * 1000000;
		else if (str_starts(f, "label="))
			*(const char **)arena_grow(
				a, &to->labels, &to->n_labels, sizeof(*to->labels)) = f + 6;
		else
			return err_say(e,
				"--filter %s: until=DURATION and label=KEY[=VALUE] are known", f);
	}
	return 0;
}

void cli_print_removed(const struct image_removed *removed)
{
	if (removed->n)
		puts("Deleted Images:");
	for (size_t i = 0; i < removed->n; i++) {
		const char *line = removed->lines[i];

		/* docker has them in lower case here */
		printf("%c%s\n", line[0] | 0x20, line + 1);
	}
	if (removed->n)
		puts("");
}

static int prune(const struct cmd_call *call, struct err *e)
{
	const struct prune_opts *o = call->opts;
	struct image_pruning how = { .all = o->all };
	struct image_removed removed;
	autolife life = LIFE_NONE;
	autotext t = { 0 };

	if (cli_pruning(&o->filters, call->arena, &how, e) < 0 || cli_life(call, &life, e) < 0)
		return -e->code;
	if (!cli_sure(
		    o->all ? "WARNING! This will remove all images without at least one container "
			     "associated to them.\n"
			   : "WARNING! This will remove all dangling images.\n",
		    o->force))
		return 0;
	if (life_image_prune(&life, &how, call->arena, &removed, e) < 0)
		return -e->code;
	cli_print_removed(&removed);
	format_bytes(&t, removed.bytes);
	printf("Total reclaimed space: %s\n", t.p);
	return 0;
}

static const struct cmd image_prune_cmd = {
	.name = "prune",
	.brief = "remove images that nobody uses",
	.max_args = 0,
	.opts = prune_opts,
	.opts_size = sizeof(struct prune_opts),
	.run = prune,
};

/* Those that are commands of their own keep their place in the help under another name. */
static int sub(const struct cmd_call *call, struct err *e)
{
	static struct cmd ls, rm;
	const struct cmd *const list[] = { &ls, &cmd_pull, &rm, &cmd_tag, &image_inspect,
		&cmd_history, &image_prune_cmd, &cmd_load, &cmd_save, &cmd_import, NULL };

	ls = cmd_images;
	ls.name = "ls";
	rm = cmd_rmi;
	rm.name = "rm";
	return cli_sub(call, list, e);
}

const struct cmd cmd_image = {
	.name = "image",
	.group = CMD_IMAGES,
	.args = "ls|pull|rm|tag|inspect|history|prune|load|save|import ...",
	.brief = "verbs of images: inspect, prune and those above",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.run = sub,
};
