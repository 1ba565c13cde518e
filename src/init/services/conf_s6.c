/* SPDX-License-Identifier: Apache-2.0 */
/* s6 service folders (s6's servicedir documentation): run, finish, notification-fd, down,
 * down-signal, timeouts, log/. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/conf.h"

/* The first line of a small file; NULL: there is none, or c->error (*ret_failed). */
static const char *one_line(struct conf *c, const char *dir, const char *name, bool *ret_failed)
{
	size_t n;
	bool absent = false;
	const char *path = conf_join(&c->scratch, dir, name);
	char *text = conf_read(c, path, &n, &absent);

	*ret_failed = !text && !absent;
	if (text)
		text[strcspn(text, "\r\n \t")] = '\0';
	return text;
}

static bool number(
	struct conf *c, struct sv_def *d, const char *dir, const char *name, long max, long *value)
{
	bool failed;
	const char *text = one_line(c, dir, name, &failed);

	if (!text)
		return !failed;
	*value = text_number(text, strlen(text), max);
	d->hash = text_hash(text_hash(d->hash, name), text);
	return *value >= 0 || conf_fail(c, conf_join(&c->scratch, dir, name), 1, NULL, NULL,
				      "a number up to %ld, not \"%s\"", max, text);
}

static bool script(
	struct conf *c, struct sv_def *d, const char *dir, const char *name, const char ***ret)
{
	const char *path = conf_join(&c->pool, dir, name);
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT || conf_fail(c, path, 0, NULL, NULL, "%s", strerror(errno));
	if (access(path, X_OK) < 0)
		return conf_fail(c, path, 0, NULL, NULL, "%s", strerror(errno));
	*ret = pool_alloc(&c->pool, 2 * sizeof(**ret));
	(*ret)[0] = conf_join(&c->pool, "./", name);
	d->hash = text_hash(d->hash, name);
	return true;
}

static bool descriptor(
	struct conf *c, struct sv_def *d, const char *dir, const char *name, long *value)
{
	if (!number(c, d, dir, name, 1023, value))
		return false;
	return *value < 0 || *value > 2 ||
	       conf_fail(c, conf_join(&c->scratch, dir, name), 1, NULL, NULL, "3 or more, not %ld",
		       *value);
}

static bool signal_of(
	struct conf *c, struct sv_def *d, const char *dir, const char *name, int *signo)
{
	bool failed;
	const char *word = one_line(c, dir, name, &failed);

	if (!word)
		return !failed;
	*signo = options_signal(word);
	d->hash = text_hash(text_hash(d->hash, name), word);
	return *signo > 0 || conf_fail(c, conf_join(&c->scratch, dir, name), 1, NULL, NULL,
				     "there is no signal \"%s\"", word);
}

static bool has(struct conf *c, const char *dir, const char *name)
{
	return access(conf_join(&c->scratch, dir, name), F_OK) == 0;
}

static bool settings(struct conf *c, struct sv_def *d, const char *dir)
{
	long fd = -1, lock = -1, kill_ms = 0, finish_ms = 5000, tally = 100;
	int signo = SIGTERM;

	if (!descriptor(c, d, dir, "notification-fd", &fd) ||
		!descriptor(c, d, dir, "lock-fd", &lock) ||
		!number(c, d, dir, "timeout-kill", 86400000, &kill_ms) ||
		!number(c, d, dir, "timeout-finish", 86400000, &finish_ms) ||
		!number(c, d, dir, "max-death-tally", 4096, &tally) ||
		!signal_of(c, d, dir, "down-signal", &signo) ||
		!signal_of(c, d, dir, "reload-signal", &d->reload_signal))
		return false;
	if (fd >= 0 && fd == lock)
		return conf_fail(c, conf_join(&c->scratch, dir, "lock-fd"), 1, NULL, NULL,
			"is notification-fd, too: %ld", fd);
	if (fd >= 0) {
		d->ready = READY_FD;
		d->ready_fd = (int)fd;
	}
	d->lock_fd = (int)lock;
	/* s6-permafailon in its finish script reads it, or whoever asked for a number of them */
	d->death_tally = d->finish || has(c, dir, "max-death-tally") ? (int)tally : 0;
	d->finish_ms = finish_ms ? finish_ms : -1;
	d->stop[0] = (struct sv_stop){ signo, kill_ms ? kill_ms : -1 };
	d->stop[1] = (struct sv_stop){ SIGKILL, -1 };
	d->n_stop = kill_ms ? 2 : 1;
	return true;
}

static struct sv_def *read_one(struct conf *c, const char *dir, const char *name)
{
	struct sv_def *d = conf_add(c, name, name, dir, 0);

	if (!d)
		return NULL;
	d->dir = conf_join(&c->pool, dir, "");
	/* s6-supervise signals the process alone and leaves its others be */
	d->stop_group = d->kill_group = d->sweeps = false;
	d->is_s6 = d->cont_after_stop = true;
	d->rule = (struct sv_rule){ RESTART_ALWAYS, .retries = -1, .backoff_ms = 1000,
		.cap_ms = 1000, .steady_ms = 1000 };
	d->rule.expected[0] = true;
	d->out = (struct sv_stream){ .kind = LOG_RAW, .target = 1 };
	d->err = (struct sv_stream){ .kind = LOG_INHERIT, .target = 2 };
	d->autostart = !has(c, dir, "down");
	d->isolate_pid = has(c, dir, "flag-newpidns");
	d->own_session = !has(c, dir, "nosetsid");
	if (!script(c, d, dir, "run", &d->argv) || !script(c, d, dir, "finish", &d->finish) ||
		!settings(c, d, dir))
		return NULL;
	return d;
}

bool conf_s6(struct conf *c, const char *dir, const char *name)
{
	struct sv_def *d = read_one(c, dir, name), *log;
	const char *folder = conf_join(&c->scratch, dir, "log"), *log_name;

	if (!d || !has(c, folder, "run"))
		return d != NULL;
	log_name = pool_alloc(&c->pool, strlen(name) + 5);
	memcpy((char *)log_name, name, strlen(name));
	memcpy((char *)log_name + strlen(name), "-log", 5);
	d->out = (struct sv_stream){ .kind = LOG_SERVICE };
	d->logger = log_name;
	log = read_one(c, folder, log_name);
	if (!log)
		return false;
	/* it ends when it has read everything; only if it does not, it is told to */
	log->stop[0] = (struct sv_stop){ 0, 5000 };
	log->stop[1] = (struct sv_stop){ SIGTERM, 5000 };
	log->stop[2] = (struct sv_stop){ SIGKILL, -1 };
	log->n_stop = 3;
	return true;
}
