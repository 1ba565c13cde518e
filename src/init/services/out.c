/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What services write: from their pipes to our own standard output, with their name, or to files.
 * When a reader of ours is slow, the pipes are not read until it takes more, so that nothing is
 * lost and clade-init never waits in a write.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/services/engine.h"

enum { PENDING = 8192 };

/* Our own standard output and error. */
static struct sink {
	int fd;
	bool is_socket, watched;
	size_t n; /* bytes that wait: nothing more is taken until they are gone */
	char *pending;
} sinks[2];
static char pending[2][PENDING]; /* apart: as a rule nothing waits */

static struct service_text *text_of(const struct service *s)
{
	return &sv.text[engine_of(s)];
}

/* --- our own output -------------------------------------------------------------------------- */

bool out_begin(void)
{
	for (int i = 0; i < 2; i++) {
		struct stat st;
		char path[32];
		struct buf b = BUF(path);
		int fd = i + 1;

		buf_add(&b, "/proc/self/fd/%d", fd);
		sinks[i].fd = fd;
		sinks[i].pending = pending[i];
		if (fstat(fd, &st) < 0)
			continue;
		sinks[i].is_socket = S_ISSOCK(st.st_mode);
		/* opened again it is ours alone, and may be made not to block without doing so to
		 * others who have it */
		if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
			fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0)
			sinks[i].fd = fd;
	}
	return true;
}

static ssize_t put(const struct sink *k, const char *data, size_t n)
{
	return k->is_socket ? send(k->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL)
			    : write(k->fd, data, n);
}

bool out_write(int target, const char *data, size_t n)
{
	struct sink *k = &sinks[target - 1];
	ssize_t done;

	if (k->n) {
		if (n <= PENDING - k->n) {
			memcpy(k->pending + k->n, data, n);
			k->n += n;
		} else {
			sv.count.lost_bytes += n;
		}
		return false;
	}
	done = put(k, data, n);
	if (done == (ssize_t)n)
		return true;
	if (done < 0 && errno != EAGAIN && errno != EINTR) {
		/* closed, or the disk is full: there is nobody to tell */
		sv.count.lost_bytes += n;
		return true;
	}
	if (done < 0)
		done = 0;
	k->n = n - (size_t)done < PENDING ? n - (size_t)done : PENDING;
	memcpy(k->pending, data + done, k->n);
	k->watched = engine_watch(k->fd, EPOLLOUT, ON_SINK, target);
	if (!k->watched)
		k->n = 0;
	return false;
}

static bool takes_more(const struct sv_stream *d)
{
	return !sinks[d->target - 1].n;
}

static const struct sv_stream *def_of(const struct service *s, int which)
{
	return which && s->def->err.kind != LOG_SAME ? &s->def->err : &s->def->out;
}

static bool is_ours(enum sv_log kind)
{
	return kind == LOG_PREFIX || kind == LOG_JSON || kind == LOG_RAW;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* How many bytes of UTF-8 stand here; 0: none. */
size_t out_utf8(const unsigned char *c, size_t n)
{
	size_t len = *c < 0x80		       ? 1
		     : *c >= 0xc2 && *c < 0xe0 ? 2
		     : (*c & 0xf0) == 0xe0     ? 3
		     : *c >= 0xf0 && *c < 0xf5 ? 4
					       : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms and surrogates */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
		(*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

void out_json_text(struct buf *b, const char *text, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0, len; i < n; i += len ? len : 1) {
		const unsigned char *c = (const unsigned char *)text + i;
		char escape[6] = { '\\', 'u', '0', '0', hex[*c >> 4 & 15], hex[*c & 15] };

		len = out_utf8(c, n - i);
		if (!len)
			buf_add(b, "\\ufffd");
		else if (*c < 0x20 || *c == 0x7f)
			buf_bytes(b, escape, 6);
		else if (*c == '"' || *c == '\\')
			buf_add(b, "\\%.*s", 1, (const char *)c);
		else
			buf_bytes(b, (const char *)c, len);
	}
}

/* One line (n bytes without its newline), or a piece of one that is too long. */
static void emit_line(const struct service *s, int which, const char *line, size_t n, bool whole)
{
	static char room[PENDING];
	struct buf b = BUF(room);
	const struct sv_stream *d = def_of(s, which);
	struct timespec t;

	room[0] = '\0';
	if (d->kind == LOG_JSON) {
		clock_gettime(CLOCK_REALTIME, &t);
		buf_add(&b, "{\"time\":\"");
		note_time(&b, t.tv_sec);
		room[b.len - 9] = 'T';
		buf_add(&b, ".");
		for (long unit = 100000000; unit > t.tv_nsec && unit > 1; unit /= 10)
			buf_add(&b, "0");
		buf_add(&b, "%ldZ\",\"service\":\"", t.tv_nsec);
		out_json_text(&b, s->def->name, strlen(s->def->name));
		buf_add(&b, "\",\"stream\":\"%s\",\"line\":\"", which ? "stderr" : "stdout");
		out_json_text(&b, line, n);
		buf_add(&b, whole ? "\"}" : "\",\"partial\":true}");
	} else {
		if (!s->out[which].broken)
			buf_add(&b, "%s: ", s->def->name);
		buf_bytes(&b, line, n);
	}
	if (whole || d->kind == LOG_JSON)
		buf_bytes(&b, "\n", 1);
	out_write(d->target, room, b.len);
}

/* Complete lines of what is carried; at_end: the rest as well. */
static void emit_lines(struct service *s, int which, bool at_end)
{
	struct stream *o = &s->out[which];
	char *carry = text_of(s)->carry[which];
	const struct sv_stream *d = def_of(s, which);
	size_t from = 0;

	while (from < o->carried && takes_more(d)) {
		char *newline = memchr(carry + from, '\n', o->carried - from);
		size_t n = newline ? (size_t)(newline - carry) - from : o->carried - from;

		if (!newline && !at_end && (from || o->carried < CARRY))
			break;
		emit_line(s, which, carry + from, n, newline || at_end);
		o->broken = !newline && !at_end;
		from += n + (newline != NULL);
	}
	memmove(carry, carry + from, o->carried - from);
	o->carried = (uint16_t)(o->carried - from);
}

/* --- files ----------------------------------------------------------------------------------- */

static void to_file(struct service *s, int which, const char *data, size_t n)
{
	const struct sv_stream *d = def_of(s, which);
	/* both streams in one file are written through one descriptor, or rotation would tear them
	 * apart */
	struct stream *o = &s->out[which && s->def->err.kind == LOG_SAME ? 0 : which];
	int r = 0;

	if (o->file < 0)
		r = o->file = file_open(d->path, &o->file_bytes);
	if (r >= 0)
		r = file_write(
			&o->file, d->path, &o->file_bytes, d->max_bytes, d->backups, data, n);
	if (r >= 0) {
		o->complained = false;
		return;
	}
	sv.count.lost_bytes += n;
	if (!o->complained)
		note(NOTE_ERROR, "%s: log file %s: %s", s->def->name, d->path, strerror(-r));
	o->complained = true;
	if (o->file < 0)
		o->file = -1;
}

/* --- streams --------------------------------------------------------------------------------- */

bool out_is_lent(const struct service *s, int fd)
{
	const struct sv_def *d = s->def;
	int at = d->logger_at >= 0 ? s->conf->defs[d->logger_at].at : -1;

	return at >= 0 && fd == sv.all[at].pipe_out;
}

/* The pipe between a service and its logger: made once, kept by us across restarts of both. */
static int logger_pipe(const struct service *s)
{
	const struct sv_def *d = s->def;
	int at = d->logger_at >= 0 ? s->conf->defs[d->logger_at].at : -1, ends[2];

	if (at < 0)
		return -1;
	if (sv.all[at].pipe_out < 0 && pipe2(ends, O_CLOEXEC) == 0) {
		sv.all[at].pipe_in = ends[0];
		sv.all[at].pipe_out = ends[1];
	}
	return sv.all[at].pipe_out;
}

int out_stream_open(struct service *s, int which)
{
	const struct sv_stream *d = which ? &s->def->err : &s->def->out;
	struct stream *o = &s->out[which];
	int ends[2];

	if (d->kind == LOG_INHERIT)
		return d->target;
	if (d->kind == LOG_NULL)
		return -1;
	if (d->kind == LOG_SERVICE)
		return logger_pipe(s);
	if (o->fd >= 0)
		out_stream_event(s, which); /* the last words of the one before */
	if (o->fd >= 0)
		engine_close(&o->fd);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		note(NOTE_ERROR, "%s: pipe: %s", s->def->name, strerror(errno));
		return -1;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	o->fd = ends[0];
	o->paused = false;
	engine_watch(o->fd, EPOLLIN, ON_STREAM, engine_of(s) * 2 + which);
	return ends[1];
}

static void pause_stream(struct service *s, int which, bool yes)
{
	struct stream *o = &s->out[which];

	if (o->fd < 0 || o->paused == yes)
		return;
	o->paused = yes;
	engine_watch_again(o->fd, yes ? 0 : EPOLLIN, ON_STREAM, engine_of(s) * 2 + which);
}

/* Escape sequences are left out (supervisord's strip_ansi): ESC [ ... letter, and ESC letter. */
static size_t strip(struct stream *o, char *data, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		char c = data[i];

		if (o->ansi == 0 && c == '\033')
			o->ansi = 1;
		else if (o->ansi == 1)
			o->ansi = c == '[' ? 2 : 0;
		else if (o->ansi == 2)
			o->ansi = c >= '@' && c <= '~' ? 0 : 2;
		else
			data[kept++] = c;
	}
	return kept;
}

static void keep_for_tail(struct service *s, const char *data, size_t n)
{
	char *ring = text_of(s)->ring;

	for (size_t i = n > RING ? n - RING : 0; i < n; i++)
		ring[s->ring_at++ % RING] = data[i];
}

/* One read. False: there is nothing more for now; *ret_end: nor will there be. */
static bool carry_once(struct service *s, int which, bool *ret_end)
{
	static char room[4096];
	struct stream *o = &s->out[which];
	const struct sv_stream *d = def_of(s, which);
	bool lines = d->kind == LOG_PREFIX || d->kind == LOG_JSON;
	char *to = lines ? text_of(s)->carry[which] + o->carried : room;
	ssize_t n;

	if (is_ours(d->kind) && !takes_more(d)) {
		pause_stream(s, which, true);
		return false;
	}
	n = read(o->fd, to, lines ? (size_t)CARRY - o->carried : sizeof(room));
	*ret_end = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n <= 0)
		return false;
	if (s->conf->set.strip_ansi)
		n = (ssize_t)strip(o, to, (size_t)n);
	keep_for_tail(s, to, (size_t)n);
	if (sv.clients)
		ctl_line(s, which, to, (size_t)n);
	if (lines) {
		o->carried = (uint16_t)(o->carried + n);
		emit_lines(s, which, false);
	} else if (d->kind == LOG_RAW) {
		out_write(d->target, room, (size_t)n);
	} else if (d->kind == LOG_FILE) {
		to_file(s, which, room, (size_t)n);
	}
	return true;
}

void out_stream_event(struct service *s, int which)
{
	struct stream *o = &s->out[which];
	bool end = false;

	/* bounded, so that one that never stops writing does not keep the others waiting */
	for (int i = 0; i < 16 && o->fd >= 0 && carry_once(s, which, &end); i++)
		;
	if (!end)
		return;
	emit_lines(s, which, true);
	engine_close(&o->fd);
}

void out_sink_writable(int target)
{
	struct sink *k = &sinks[target - 1];
	ssize_t done = k->n ? put(k, k->pending, k->n) : 0;

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (done < 0) {
		sv.count.lost_bytes += k->n;
		done = (ssize_t)k->n;
	}
	k->n -= (size_t)done;
	memmove(k->pending, k->pending + done, k->n);
	if (k->n)
		return;
	engine_unwatch(k->fd);
	for (int i = 0; i < sv.n; i++) {
		for (int w = 0; sv.all[i].def && w < 2; w++) {
			if (!sv.all[i].out[w].paused || def_of(&sv.all[i], w)->target != target)
				continue;
			emit_lines(&sv.all[i], w, false);
			pause_stream(&sv.all[i], w, false);
		}
	}
}

/* What is still in its pipes is carried first. all: its logger's end as well. */
void out_close(struct service *s, bool all)
{
	for (int w = 0; w < 2; w++) {
		struct stream *o = &s->out[w];

		if (o->fd >= 0)
			out_stream_event(s, w);
		if (all && o->fd >= 0) {
			emit_lines(s, w, true);
			engine_close(&o->fd);
		}
		if (all && o->file >= 0) {
			close(o->file);
			o->file = -1;
		}
	}
	if (!all)
		return;
	if (s->pipe_in >= 0)
		close(s->pipe_in);
	if (s->pipe_out >= 0)
		close(s->pipe_out);
	s->pipe_in = s->pipe_out = -1;
}

void out_reopen(void)
{
	for (int i = 0; i < sv.n; i++) {
		for (int w = 0; sv.all[i].def && w < 2; w++) {
			if (sv.all[i].out[w].file >= 0)
				close(sv.all[i].out[w].file);
			sv.all[i].out[w].file = -1;
		}
	}
	note_reopen();
}

bool out_clear(struct service *s)
{
	bool done = true;

	s->ring_at = 0;
	for (int w = 0; w < 2; w++) {
		struct stream *o = &s->out[w];

		if (o->file < 0 && def_of(s, w)->kind == LOG_FILE)
			o->file = file_open(def_of(s, w)->path, &o->file_bytes);
		if (o->file >= 0 && ftruncate(o->file, 0) == 0)
			o->file_bytes = 0;
		else if (o->file < -1)
			done = false;
		if (o->file < -1)
			o->file = -1;
	}
	return done;
}

void out_ring(const struct service *s, size_t n,
	void (*take)(void *data, const char *text, size_t len), void *data)
{
	const char *ring = text_of(s)->ring;
	size_t have = s->ring_at < RING ? s->ring_at : RING, from;

	if (n > have)
		n = have;
	from = (s->ring_at - n) % RING;
	if (from + n > RING) {
		take(data, ring + from, RING - from);
		take(data, ring, n - (RING - from));
	} else {
		take(data, ring + from, n);
	}
}
