/* SPDX-License-Identifier: Apache-2.0 */
/* Times and states as docker words them. */
#include <time.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/commands.h"

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_duration(struct text *t, int64_t ns)
{
	int64_t s = ns < 0 ? 0 : ns / 1000000000, minutes = s / 60, hours = (s + 1800) / 3600;

	if (s < 1)
		text_add(t, "Less than a second");
	else if (s == 1)
		text_add(t, "1 second");
	else if (s < 60)
		text_addf(t, "%lld seconds", (long long)s);
	else if (minutes == 1)
		text_add(t, "About a minute");
	else if (minutes < 60)
		text_addf(t, "%lld minutes", (long long)minutes);
	else if (hours == 1)
		text_add(t, "About an hour");
	else if (hours < 48)
		text_addf(t, "%lld hours", (long long)hours);
	else if (hours < 24 * 14)
		text_addf(t, "%lld days", (long long)hours / 24);
	else if (hours < 24 * 60)
		text_addf(t, "%lld weeks", (long long)hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		text_addf(t, "%lld months", (long long)hours / 24 / 30);
	else
		text_addf(t, "%lld years", (long long)hours / 24 / 365);
}

void format_ago(struct text *t, int64_t then_ns)
{
	add_duration(t, now_ns() - then_ns);
	text_add(t, " ago");
}

void format_status(struct text *t, const struct life_info *i)
{
	switch (i->status) {
	case LIFE_CREATED:
		text_add(t, "Created");
		break;
	case LIFE_RUNNING:
	case LIFE_PAUSED:
		text_add(t, "Up ");
		add_duration(t, now_ns() - i->started_ns);
		if (i->status == LIFE_PAUSED)
			text_add(t, " (Paused)");
		else if (i->health_status)
			text_addf(t, " (%s%s)",
				str_eq(i->health_status, "starting") ? "health: " : "",
				i->health_status);
		break;
	case LIFE_RESTARTING:
		text_addf(t, "Restarting (%d) ", i->exit_code);
		format_ago(t, i->finished_ns);
		break;
	case LIFE_EXITED:
		if (i->lost) {
			text_add(t, "Exited (lost: its minder was killed)");
			break;
		}
		text_addf(t, "Exited (%d) ", i->exit_code);
		format_ago(t, i->finished_ns);
		break;
	}
}

void format_time(struct text *t, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!ns) {
		text_add(t, "0001-01-01T00:00:00Z");
		return;
	}
	gmtime_r(&s, &tm);
	text_addf(t, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns % 1000000000));
}

void format_go_time(struct text *t, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	char words[64];
	struct tm tm;

	if (localtime_r(&s, &tm) && strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S %z %Z", &tm))
		text_add(t, words);
}

void format_labels(struct text *t, const struct spec_pairs *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		text_addf(t, "%s%s=%s", i ? "," : "", labels->items[i].key, labels->items[i].value);
}

void format_label_members(struct json_writer *w, const struct spec_pairs *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		json_string(w, labels->items[i].key, labels->items[i].value);
}
