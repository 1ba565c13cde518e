/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of containers: inspect and ps. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "life/health.h"
#include "life/internal.h"
#include "os/file.h"

enum { CONFIG_MAX = 16 << 20, HALF_MADE_S = 60 };

static const char *own(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

/* The command, from the configuration without understanding all of it. */
static const char *command_of(const char *config, size_t n, struct arena *a)
{
	autoarena scratch = { 0 };
	const struct json *all, *process, *args;
	autotext t = { 0 };
	struct err e;

	if (json_parse(config, n, &scratch, &all, &e) < 0 || all->kind != JSON_OBJECT ||
		!(process = json_get(all, "process")) || process->kind != JSON_OBJECT ||
		!(args = json_get(process, "args")) || args->kind != JSON_ARRAY)
		return "";
	for (const struct json *v = json_first(args); v; v = json_next(args, v))
		if (v->kind == JSON_STRING)
			text_addf(&t, "%s%s", t.len ? " " : "", v->text);
	return arena_strdup(a, t.p ? t.p : "");
}

static void fill_record(const struct record *r, struct arena *a, struct life_info *ret)
{
	int max = 0;
	struct err e;

	ret->name = own(a, r->name);
	ret->image = own(a, r->image ? r->image : "");
	ret->image_id = own(a, r->image_id);
	ret->created_ns = r->created_ns;
	ret->error = own(a, r->error);
	life_restart_parse(r->restart ? r->restart : "no", &ret->restart, &max, &e);
	ret->restart_max = (int)r->restart_max;
	ret->volumes = own(a, r->volumes_used);
	ret->n_entrypoint = r->n_entrypoint;
	ret->use_init = r->use_init;
	ret->auto_remove = r->auto_remove;
	ret->tty = r->tty;
	ret->interactive = r->interactive;
	ret->stop_signal = own(a, r->stop_signal);
	ret->stop_timeout_ms = r->stop_timeout_ms;
	for (size_t i = 0; i < r->n_labels; i++) {
		struct spec_pair *pair =
			arena_grow(a, &ret->labels.items, &ret->labels.n, sizeof(*pair));

		*pair = (struct spec_pair){ own(a, r->labels[i].key), own(a, r->labels[i].value) };
	}
}

static void fill(const struct life *l, const struct held *h, const struct now *now, struct arena *a,
	bool with_config, struct life_info *ret)
{
	autofree char *config = NULL;
	ssize_t n = file_read_all(h->dir, "config.json", CONFIG_MAX, &config);
	char text[8192];

	*ret = (struct life_info){ .id = arena_strdup(a, h->id), .command = "" };
	fill_record(&h->record, a, ret);
	ret->status = now->status;
	ret->started_ns = now->started_ns;
	ret->finished_ns = now->finished_ns;
	ret->pid = now->init.pidfd >= 0 ? now->init.pid : 0;
	ret->exit_code = now->exit_code;
	ret->exit_signal = now->exit_signal;
	ret->oom_killed = now->oom_killed;
	ret->lost = now->lost;
	ret->restart_count = now->restarts;
	if (now->init.pidfd >= 0 && held_text(h, "born", text, sizeof(text)))
		ret->restart_count = (int)held_number(text, "restarts", 0);
	network_info(l, h, now->init.pidfd >= 0, a, ret);
	health_info(h, now->init.pidfd >= 0, a, ret);
	ret->bundle = held_path(l, h, "", a);
	ret->log_path = held_path(l, h, "log", a);
	ret->cgroup_path = held_cgroup(h, a);
	if (n > 0) {
		ret->command = command_of(config, (size_t)n, a);
		if (with_config)
			ret->config = arena_strndup(a, config, (size_t)n);
	}
}

int life_inspect(const struct life *l, const char *ref, struct arena *a, struct life_info *ret,
	struct err *e)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	network_sweep(l, &h, &now);
	fill(l, &h, &now, a, true, ret);
	return 0;
}

/* --rm whose minder was killed: nobody else will do it. */
static bool cleared(const struct life *l, struct held *h, const struct now *now)
{
	autofd lock = FD_NONE;
	struct err e;

	if (!h->record.auto_remove || now->status != LIFE_EXITED || !now->lost || now->keep_alive)
		return false;
	lock = held_lock(h, &e);
	return lock >= 0 && held_clear(l, h, true, &e) == 0;
}

static int newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct life_info *)a)->created_ns;
	int64_t y = ((const struct life_info *)b)->created_ns;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* A folder without a record is being made, or whoever made it was killed: after a minute, the
 * latter. */
static void sweep(const struct life *l, const char *id)
{
	struct stat st;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fstatat(l->root_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		now.tv_sec - st.st_mtim.tv_sec < HALF_MADE_S)
		return;
	store_drop_names(l->root_fd, id);
	store_remove(l->root_fd, id);
}

static bool list_one(
	const struct life *l, const char *id, bool all, struct arena *a, struct life_info *ret)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	struct err e = { 0 };
	char text[640];

	if (held_open(l, id, &h, &e) < 0) {
		if (e.code == ERR_ABSENT)
			sweep(l, id);
		if (e.code == ERR_ABSENT || !all)
			return false;
		*ret = (struct life_info){ .id = own(a, id),
			.name = "",
			.image = "",
			.command = "",
			.status = LIFE_EXITED,
			.lost = true,
			.error = arena_strdup(a, err_text(&e, text, sizeof(text))) };
		return true;
	}
	if (now_look(l, &h, &now, &e) < 0 || cleared(l, &h, &now))
		return false;
	network_sweep(l, &h, &now);
	/* removed while we looked */
	if (faccessat(h.dir, "record", F_OK, 0) < 0)
		return false;
	if (!all && now.status != LIFE_RUNNING && now.status != LIFE_PAUSED &&
		now.status != LIFE_RESTARTING)
		return false;
	fill(l, &h, &now, a, false, ret);
	return true;
}

int life_list(const struct life *l, bool all, struct arena *a, struct life_info **ret,
	size_t *ret_n, struct err *e)
{
	autoarena arena = { 0 };
	char **ids;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	network_sweep_left(l);
	if (store_list(l->root_fd, &arena, &ids, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		struct life_info info, *place;

		if (!list_one(l, ids[i], all, a, &info))
			continue;
		place = arena_grow(a, ret, ret_n, sizeof(*place));
		*place = info;
	}
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), newest_first);
	return 0;
}
