/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* The program's voice is one per process: the only file-scope state outside init/. */
static struct {
	const char *program;
	enum log_level level;
	enum log_format format;
	int fd;
} voice = { "clade", LOG_LEVEL_WARN, LOG_TEXT, FD_NONE };

static const char *const level_words[] = { "debug", "info", "warning", "error" };

void log_setup(const char *program, enum log_level level, int fd, enum log_format format)
{
	voice.program = program;
	voice.level = level;
	voice.fd = fd;
	voice.format = format;
}

int log_level_parse(const char *word, enum log_level *ret)
{
	for (int i = 0; i < 4; i++) {
		if (str_eq(word, level_words[i]) || (i == LOG_LEVEL_WARN && str_eq(word, "warn"))) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool log_wants(enum log_level level)
{
	return level >= voice.level;
}

static void add_json_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (size_t n = strlen(s), i = 0; i < n;) {
		size_t len = str_utf8_len(s + i, n - i);

		if (len == 0)
			text_add(t, "\xef\xbf\xbd"); /* U+FFFD for what is not UTF-8 */
		else if ((unsigned char)s[i] < ' ')
			text_addf(t, "\\u%04x", (unsigned char)s[i]);
		else if (s[i] == '"' || s[i] == '\\')
			text_addf(t, "\\%c", s[i]);
		else
			text_add_n(t, s + i, len);
		i += len ? len : 1;
	}
	text_add(t, "\"");
}

static void write_file_line(enum log_level level, const char *msg)
{
	autotext line = { 0 };
	char when[40];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	if (voice.format == LOG_JSON) {
		text_addf(&line, "{\"level\":\"%s\",\"msg\":", level_words[level]);
		add_json_string(&line, msg);
		text_addf(&line, ",\"time\":\"%s.%09ldZ\"}\n", when, now.tv_nsec);
	} else {
		text_addf(&line, "time=\"%sZ\" level=%s msg=", when, level_words[level]);
		add_json_string(&line, msg);
		text_add(&line, "\n");
	}
	(void)!write(voice.fd, line.p, line.len);
}

static void say(enum log_level level, const char *msg)
{
	autotext line = { 0 };

	if (level < voice.level)
		return;
	if (voice.fd >= 0) {
		write_file_line(level, msg);
		/* the container's own: an engine shows it among what the program wrote */
		if (level != LOG_LEVEL_ERROR)
			return;
	}
	text_addf(&line, "%s: ", voice.program);
	if (level != LOG_LEVEL_ERROR)
		text_addf(&line, "%s: ", level_words[level]);
	text_add_escaped(&line, msg, strlen(msg));
	text_add(&line, "\n");
	(void)!write(STDERR_FILENO, line.p, line.len); /* one write: lines never mix */
}

#define SAY(level, fmt)                                                                            \
	do {                                                                                       \
		autotext t = { 0 };                                                                \
		va_list ap;                                                                        \
		if (!log_wants(level))                                                             \
			return;                                                                    \
		va_start(ap, fmt);                                                                 \
		text_vaddf(&t, fmt, ap);                                                           \
		va_end(ap);                                                                        \
		say(level, t.p ? t.p : "");                                                        \
	} while (0)

void log_debug(const char *fmt, ...)
{
	SAY(LOG_LEVEL_DEBUG, fmt);
}

void log_info(const char *fmt, ...)
{
	SAY(LOG_LEVEL_INFO, fmt);
}

void log_warn(const char *fmt, ...)
{
	SAY(LOG_LEVEL_WARN, fmt);
}

void log_error(const char *fmt, ...)
{
	SAY(LOG_LEVEL_ERROR, fmt);
}

void log_out_of_memory(void)
{
	static const char words[] = "out of memory";
	struct timespec now;
	char line[256], when[40];
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	n = voice.format == LOG_JSON
		    ? snprintf(line, sizeof(line),
			      "{\"level\":\"error\",\"msg\":\"%s\",\"time\":\"%s.%09ldZ\"}\n",
			      words, when, now.tv_nsec)
		    : snprintf(line, sizeof(line), "time=\"%sZ\" level=error msg=\"%s\"\n", when,
			      words);
	if (voice.fd >= 0)
		(void)!write(voice.fd, line, (size_t)n);
	n = snprintf(line, sizeof(line), "%s: %s\n", voice.program, words);
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

void log_err(const struct err *e)
{
	char words[1024];

	log_error("%s", err_text(e, words, sizeof(words)));
}
