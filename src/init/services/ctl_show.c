/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of the services: status, pid, avail, stats, tail. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/services/ctl.h"

enum { TAIL_BYTES = 1600, STATUS_NOT_RUNNING = 3, STATUS_UNKNOWN = 4 };

/* --- status ---------------------------------------------------------------------------------- */

/* Python's str(timedelta) */
static void uptime(struct buf *b, int64_t ms)
{
	long s = (long)(ms / 1000);

	if (s >= 86400)
		buf_add(b, "%ld day%s, ", s / 86400, s >= 172800 ? "s" : "");
	buf_add(b, "%ld:", s % 86400 / 3600);
	buf_two(b, s / 60 % 60);
	buf_add(b, ":");
	buf_two(b, s % 60);
}

void ctl_describe(struct buf *b, const struct service *s)
{
	switch (s->state) {
	case SV_RUNNING:
		buf_add(b, "pid %d, uptime ", (int)s->pid);
		uptime(b, sv.now_ms - s->started_ms);
		if (s->note[0])
			buf_add(b, ", %s", s->note);
		break;
	case SV_BACKOFF:
	case SV_FATAL:
		if (s->def->rule.counts_starts && s->spawn_failed && s->status)
			buf_add(b,
				WEXITSTATUS(s->status) == 127 ? "can't find command '%s'"
							      : "command at '%s' is not executable",
				s->def->argv[0]);
		else
			buf_add(b, "%s", s->why ? s->why : "unknown error");
		break;
	case SV_STOPPED:
	case SV_EXITED:
		if (s->ended)
			note_month(s->ended, b);
		else
			buf_add(b, "Not started");
		break;
	case SV_WAITING:
		buf_add(b, "for what it needs");
		break;
	default:
		buf_add(b, "%s", s->note);
	}
}

/* Is it none of the words, or one? Marks the words that mean something. */
static bool is_asked(const struct client *c, int from, const struct service *s, bool *found)
{
	bool asked = c->n_words == from, whole;

	for (int w = from; w < c->n_words; w++) {
		if (ctl_means(c->words[w], s, &whole)) {
			found[w] = true;
			asked = true;
		}
	}
	return asked;
}

static void status_json(struct client *c, const struct service *s, bool first)
{
	char text[1536];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "%s{\"name\":\"", first ? "[" : ",\n ");
	out_json_text(&b, s->def->name, strlen(s->def->name));
	buf_add(&b, "\",\"group\":\"");
	out_json_text(&b, s->def->group, strlen(s->def->group));
	buf_add(&b, "\",\"state\":\"%s\",\"pid\":%d,\"uptime_ms\":%ld,\"restarts\":%d",
		services_word(s->state), (int)s->pid,
		(long)(s->pid ? sv.now_ms - s->started_ms : 0), (int)s->restarts);
	if (s->ended)
		buf_add(&b, ",\"exit_code\":%d,\"exit_signal\":%d",
			s->status & 0x7f ? 0 : s->status >> 8 & 0xff, s->status & 0x7f);
	if (s->why && (s->state == SV_BACKOFF || s->state == SV_FATAL))
		buf_add(&b, ",\"error\":\"%s\"", s->why);
	if (s->note[0]) {
		buf_add(&b, ",\"status\":\"");
		out_json_text(&b, s->note, strlen(s->note));
		buf_add(&b, "\"");
	}
	buf_add(&b, "}");
	ctl_bytes(c, CTL_OUT, text, b.len);
}

static void status_line(struct client *c, const struct service *s, size_t width)
{
	char text[700];
	struct buf b = BUF(text);

	text[0] = '\0';
	ctl_name(&b, s->def->group, s->def->name);
	buf_pad(&b, width + 3);
	buf_add(&b, "%s", services_word(s->state));
	buf_pad(&b, width + 13);
	ctl_describe(&b, s);
	ctl_say(c, "%s", text);
}

void ctl_status(struct client *c)
{
	bool json = c->n_words > 1 && strcmp(c->words[1], "--json") == 0,
	     found[CTL_WORDS] = { false }, first = true;
	int from = json ? 2 : 1;
	size_t width = 30;

	for (struct service *s = NULL; (s = ctl_next(s));) {
		size_t n = strlen(s->def->name) +
			   (strcmp(s->def->name, s->def->group) ? strlen(s->def->group) + 1 : 0);

		if (is_asked(c, from, s, found) && n > width)
			width = n;
	}
	for (int w = from; w < c->n_words; w++) {
		bool group =
			strchr(c->words[w], ':') &&
			(strstr(c->words[w], ":*") || c->words[w][strlen(c->words[w]) - 1] == ':');

		if (found[w] || strcmp(c->words[w], "all") == 0)
			continue;
		if (group)
			ctl_say(c, "%.*s: ERROR (no such group)", (int)strcspn(c->words[w], ":"),
				c->words[w]);
		else
			ctl_say(c, "%s: ERROR (no such process)", c->words[w]);
		c->code = STATUS_UNKNOWN;
	}
	for (struct service *s = NULL; c->fd >= 0 && (s = ctl_next(s));) {
		if (!is_asked(c, from, s, found))
			continue;
		if (json)
			status_json(c, s, first);
		else
			status_line(c, s, width);
		first = false;
		if (s->state == SV_STOPPED || s->state == SV_FATAL ||
			(s->state == SV_EXITED && !s->def->rule.oneshot))
			c->code = STATUS_NOT_RUNNING;
	}
	if (json)
		ctl_bytes(c, CTL_OUT, first ? "[]\n" : "]\n", first ? 3 : 2);
	ctl_finish(c);
}

void ctl_pid(struct client *c)
{
	bool found[CTL_WORDS] = { false };

	if (c->n_words == 1) {
		ctl_say(c, "%d", (int)getpid());
		ctl_finish(c);
		return;
	}
	for (struct service *s = NULL; (s = ctl_next(s));) {
		if (!is_asked(c, 1, s, found))
			continue;
		ctl_say(c, "%d", (int)s->pid);
		if (!s->pid && strcmp(c->words[1], "all") != 0)
			c->code = 7;
	}
	for (int w = 1; w < c->n_words; w++) {
		if (found[w] || strcmp(c->words[w], "all") == 0)
			continue;
		ctl_say(c, "No such process %s", c->words[w]);
		c->code = 1;
	}
	ctl_finish(c);
}

/* supervisorctl: by the process's name, whatever its group is called */
static int order(const struct sv_def *a, const struct sv_def *b)
{
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->group, b->group);
}

const struct sv_def *ctl_next_def(const struct conf *conf, const struct sv_def *last)
{
	const struct sv_def *best = NULL;

	for (int i = 0; i < conf->n; i++)
		if ((!last || order(&conf->defs[i], last) > 0) &&
			(!best || order(&conf->defs[i], best) < 0))
			best = &conf->defs[i];
	return best;
}

void ctl_avail(struct client *c)
{
	const struct conf *conf = change_read();

	for (const struct sv_def *best = NULL; (best = ctl_next_def(conf, best));) {
		char text[400];
		struct buf b = BUF(text);

		text[0] = '\0';
		ctl_name(&b, best->group, best->name);
		buf_pad(&b, 32);
		buf_add(&b, best->at >= 0 ? " in use    " : " avail     ");
		buf_add(&b, best->autostart ? "auto      " : "manual    ");
		buf_add(&b, "%d:%d", best->rank, best->priority);
		ctl_say(c, "%s", text);
	}
	ctl_finish(c);
}

void ctl_stats(struct client *c)
{
	const struct counters *k = &sv.count;
	const struct {
		const char *name;
		unsigned long value;
	} all[] = { { "spawned", k->spawned }, { "restarts", k->restarts }, { "reaped", k->reaped },
		{ "adopted", k->adopted }, { "signals", k->signals }, { "requests", k->requests },
		{ "fork_failures", k->fork_failures }, { "lost_bytes", k->lost_bytes },
		{ "wakeups", k->wakeups } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ctl_say(c, "%s %ld", all[i].name, (long)all[i].value);
	ctl_finish(c);
}

/* --- tail ------------------------------------------------------------------------------------ */

static void give(void *data, const char *text, size_t n)
{
	if (n)
		ctl_bytes(data, CTL_OUT, text, n);
}

/* The last bytes of a file; it may be anybody's work by now, so it is only read if it is one. */
static bool give_file(struct client *c, const char *path, size_t bytes)
{
	char room[4096];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	if (st.st_size > (off_t)bytes)
		lseek(fd, -(off_t)bytes, SEEK_END);
	for (size_t left = bytes;
		left && c->fd >= 0 &&
		(n = read(fd, room, left < sizeof(room) ? left : sizeof(room))) > 0;
		left -= (size_t)n)
		give(c, room, (size_t)n);
	close(fd);
	return true;
}

/* "-f", "-100": *ret_follow, *ret_bytes. */
static bool modifier(struct client *c, int *at, bool *ret_follow, size_t *ret_bytes)
{
	const char *word = *at < c->n_words ? c->words[*at] : "";
	long n;

	*ret_follow = false;
	*ret_bytes = TAIL_BYTES;
	if (*word != '-')
		return true;
	(*at)++;
	*ret_follow = strcmp(word, "-f") == 0;
	if (*ret_follow)
		return true;
	n = text_number(word + 1, strlen(word + 1), 200000);
	if (n >= 0)
		*ret_bytes = (size_t)n;
	else
		ctl_say(c, "Error: bad argument %s", word);
	return n >= 0;
}

static void tail_of(struct client *c, struct service *s, int which, bool follow, size_t bytes)
{
	const struct sv_stream *d =
		which && s->def->err.kind != LOG_SAME ? &s->def->err : &s->def->out;

	if (d->kind == LOG_NULL || d->kind == LOG_SERVICE || d->kind == LOG_INHERIT) {
		ctl_say(c, "%s: ERROR (no log file)", s->def->name);
		c->code = 1;
		ctl_finish(c);
		return;
	}
	if (d->kind != LOG_FILE || !give_file(c, d->path, bytes))
		out_ring(s, bytes, give, c);
	if (!follow) {
		give(c, "\n", 1);
		ctl_finish(c);
		return;
	}
	c->follows = engine_of(s);
	c->stream = s->def->err.kind == LOG_SAME ? 0 : which;
	c->wait = WAIT_TAIL;
}

void ctl_tail(struct client *c)
{
	int at = 1, which;
	bool follow, whole;
	size_t bytes;

	c->code = 1;
	if (!modifier(c, &at, &follow, &bytes) || at >= c->n_words) {
		if (at >= c->n_words)
			ctl_say(c, "Error: too few arguments");
		ctl_finish(c);
		return;
	}
	which = at + 1 < c->n_words && strcmp(c->words[at + 1], "stderr") == 0;
	if (at + 1 < c->n_words && !which && strcmp(c->words[at + 1], "stdout") != 0) {
		ctl_say(c, "Error: bad channel '%s'", c->words[at + 1]);
		ctl_finish(c);
		return;
	}
	for (struct service *s = NULL; (s = ctl_next(s));) {
		if (ctl_means(c->words[at], s, &whole) && !whole) {
			c->code = 0;
			tail_of(c, s, which, follow, bytes);
			return;
		}
	}
	ctl_say(c, "%s: ERROR (no such process name)", c->words[at]);
	ctl_finish(c);
}

/* supervisorctl's fg: what it writes; what its user types comes apart. */
void ctl_foreground(struct client *c)
{
	struct service *s = c->n_words == 2 ? ctl_one(c->words[1]) : NULL;

	c->code = 1;
	if (c->n_words < 2)
		ctl_say(c, "ERROR: no process name supplied\nfg <process>\tConnect to a process in "
			   "foreground mode\n\t\tCtrl-C to exit");
	else if (c->n_words > 2)
		ctl_say(c, "ERROR: too many process names supplied");
	else if (!s)
		ctl_say(c, "ERROR: bad process name supplied");
	else if (s->state != SV_RUNNING)
		ctl_say(c, "ERROR: process not running");
	if (!s || s->state != SV_RUNNING) {
		ctl_finish(c);
		return;
	}
	c->code = 0;
	ctl_say(c, "==> Press Ctrl-C to exit <==");
	tail_of(c, s, 0, true, TAIL_BYTES);
}

void ctl_maintail(struct client *c)
{
	int at = 1;
	bool follow;
	size_t bytes;

	if (!modifier(c, &at, &follow, &bytes)) {
		c->code = 1;
		ctl_finish(c);
		return;
	}
	if (!note_file() || !give_file(c, note_file(), bytes))
		note_tail(bytes, give, c);
	if (follow) {
		c->wait = WAIT_MAINTAIL;
		return;
	}
	give(c, "\n", 1);
	ctl_finish(c);
}
