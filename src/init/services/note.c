/* SPDX-License-Identifier: Apache-2.0 */
/* What clade-init says of its services, in supervisord's words; under its name in its format, too.
 */
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/engine.h"

enum { NOTE_RING = 2048 };

static char ring[NOTE_RING];
static struct {
	size_t at;
	int file;
	int64_t bytes;
} log_ = { .file = -1 };

/* Days since 1970 to a date (proleptic Gregorian, after Howard Hinnant's civil_from_days). */
static void civil(long days, long *y, long *m, long *d)
{
	long era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

/* As TZ or /etc/localtime say; UTC where neither is. */
static time_t local(time_t t)
{
	struct tm broken;

	sv.used = true; /* cold code */
	return localtime_r(&t, &broken) ? t + broken.tm_gmtoff : t;
}

void note_time(struct buf *b, time_t t)
{
	long y, m, d, s = (long)(t % 86400);

	civil((long)(t / 86400), &y, &m, &d);
	buf_add(b, "%ld-", y);
	buf_two(b, m);
	buf_add(b, "-");
	buf_two(b, d);
	buf_add(b, " ");
	buf_two(b, s / 3600);
	buf_add(b, ":");
	buf_two(b, s / 60 % 60);
	buf_add(b, ":");
	buf_two(b, s % 60);
}

const char *note_month(time_t t, struct buf *b)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	long y, m, d, h;

	t = local(t);
	h = (long)(t % 86400) / 3600;
	civil((long)(t / 86400), &y, &m, &d);
	buf_add(b, "%s ", months[m - 1]);
	buf_two(b, d);
	buf_add(b, " ");
	buf_two(b, h % 12 ? h % 12 : 12);
	buf_add(b, ":");
	buf_two(b, (long)(t / 60 % 60));
	buf_add(b, h < 12 ? " AM" : " PM");
	return b->text;
}

static const char *level_word(int level)
{
	return level >= NOTE_CRIT    ? "CRIT"
	       : level >= NOTE_ERROR ? "ERRO"
	       : level >= NOTE_WARN  ? "WARN"
	       : level >= NOTE_INFO  ? "INFO"
				     : "DEBG";
}

static bool is_none(const char *path)
{
	static const char *const ours[] = { "/dev/null", "/dev/std", "/dev/fd/", "/proc/self/fd/" };
	bool none = !path || strcasecmp(path, "none") == 0 || strcasecmp(path, "off") == 0;

	/* where it goes to anyway is not written to once more as a file */
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && !none; i++)
		none = strncmp(path, ours[i], strlen(ours[i])) == 0;
	return none;
}

/* It is the configuration's, and that may be another after a reload. */
const char *note_file(void)
{
	const char *path = sv.is_supervisor ? sv.now->set.logfile : NULL;

	return is_none(path) ? NULL : path;
}

static void to_file(const char *text, size_t n)
{
	const struct sv_settings *set = &sv.now->set;
	const char *path = note_file();

	if (!path)
		return;
	if (log_.file < 0)
		log_.file = file_open(path, &log_.bytes);
	if (log_.file >= 0 && file_write(&log_.file, path, &log_.bytes, set->logfile_bytes,
				      set->logfile_backups, text, n) < 0)
		sv.count.lost_bytes += n;
}

static void say_line(int level, const char *text, size_t n)
{
	char line[1400];
	struct buf b = BUF(line);
	struct timespec t;

	if (sv.is_supervisor) {
		clock_gettime(CLOCK_REALTIME, &t);
		note_time(&b, local(t.tv_sec));
		buf_add(&b, ",%s", t.tv_nsec < 100000000 ? t.tv_nsec < 10000000 ? "00" : "0" : "");
		buf_add(&b, "%ld %s ", t.tv_nsec / 1000000, level_word(level));
	} else {
		buf_add(&b, "clade-init: ");
	}
	buf_bytes(&b, text, n);
	if (b.len == b.size - 1)
		b.len--;
	buf_bytes(&b, "\n", 1);
	for (size_t i = 0; i < b.len; i++)
		ring[log_.at++ % NOTE_RING] = b.text[i];
	if (sv.clients)
		ctl_main_line(b.text, b.len);
	if (sv.log_to_stdout)
		/* ours go to standard error, supervisord's to standard output */
		out_write(sv.is_supervisor ? 1 : 2, b.text, b.len);
	to_file(b.text, b.len);
}

void note(int level, const char *fmt, ...)
{
	char text[1024];
	struct buf b = BUF(text);
	va_list args;

	if (level < sv.loglevel)
		return;
	va_start(args, fmt);
	buf_vadd(&b, fmt, args);
	va_end(args);
	say_line(level, text, b.len);
}

void note_warn(const char *text)
{
	if (sv.now)
		note(NOTE_WARN, "%s", text);
	else
		say("clade-init: warning: ", text, NULL, NULL);
}

void note_reopen(void)
{
	if (log_.file >= 0)
		close(log_.file);
	log_.file = -1;
}

void note_clear(void)
{
	if (log_.file >= 0 && ftruncate(log_.file, 0) == 0)
		log_.bytes = 0;
	log_.at = 0;
}

void note_tail(size_t n, void (*take)(void *data, const char *text, size_t len), void *data)
{
	size_t have = log_.at < NOTE_RING ? log_.at : NOTE_RING, from;

	if (n > have)
		n = have;
	from = (log_.at - n) % NOTE_RING;
	if (from + n > NOTE_RING) {
		take(data, ring + from, NOTE_RING - from);
		take(data, ring, n - (NOTE_RING - from));
	} else {
		take(data, ring + from, n);
	}
}

void note_status(struct buf *b, int status)
{
	if (!WIFSIGNALED(status)) {
		buf_add(b, "exit status %d", WEXITSTATUS(status));
		return;
	}
	buf_add(b, "terminated by ");
	if (options_signal_name(WTERMSIG(status)))
		buf_add(b, "SIG%s", options_signal_name(WTERMSIG(status)));
	else
		buf_add(b, "signal %d", WTERMSIG(status));
	if (WCOREDUMP(status))
		buf_add(b, " (core dumped)");
}
