/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-sdbus: asks systemd for a container's cgroup. The static programs run it where the systemd
 * cgroup manager is asked for, and nobody else does: libsystemd and what it costs to load stay
 * out of every other start.
 *
 *   clade-sdbus [--user] start UNIT [PROPERTY...]   a transient scope, and wait for its job
 *   clade-sdbus [--user] set UNIT [PROPERTY...]     change properties until it is gone
 *   clade-sdbus [--user] stop UNIT                  one that is not there is no failure
 *
 * PROPERTY is in sdbus/value.h. Exit status 0, or 1 with one sentence on standard error. All of it
 * takes $CLADE_SYSTEMD_TIMEOUT seconds (30) at most.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "sdbus/value.h"

#define SYSTEMD                                                                                    \
	"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

enum { TIMEOUT_S = 30 };

struct talk {
	sd_bus *bus;
	const char *unit;
	uint64_t deadline_us;
	/* the job that is waited for */
	char job[256], result[64];
	/* jobs that ended before their number was known to us */
	char early_job[256], early_result[64];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t left_us(const struct talk *t)
{
	uint64_t now = now_us();

	return now < t->deadline_us ? t->deadline_us - now : 1;
}

static int say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EIO;
}

static int say_failed(const char *what, const struct talk *t, int r, const sd_bus_error *e)
{
	if (r == -ETIMEDOUT || sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY) ||
		sd_bus_error_has_name(e, SD_BUS_ERROR_TIMEOUT))
		return say("%s %s: systemd does not answer", what, t->unit);
	return say("%s %s: %s", what, t->unit,
		e && e->message ? e->message : strerror(r < 0 ? -r : EIO));
}

static int job_removed(sd_bus_message *m, void *data, sd_bus_error *e)
{
	struct talk *t = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)e;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (t->job[0] && strcmp(path, t->job) == 0) {
		snprintf(t->result, sizeof(t->result), "%s", result);
	} else if (strcmp(unit, t->unit) == 0) {
		snprintf(t->early_job, sizeof(t->early_job), "%s", path);
		snprintf(t->early_result, sizeof(t->early_result), "%s", result);
	}
	return 0;
}

static int call(struct talk *t, sd_bus_message *m, sd_bus_error *e, sd_bus_message **ret)
{
	return sd_bus_call(t->bus, m, left_us(t), e, ret);
}

/* The manager tells of jobs only to those who asked for it. */
static int listen_to_jobs(struct talk *t)
{
	sd_bus_message *m = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_match_signal(t->bus, NULL, "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
		job_removed, t);

	if (r >= 0)
		r = sd_bus_message_new_method_call(t->bus, &m, SYSTEMD, "Subscribe");
	if (r >= 0)
		r = call(t, m, &e, NULL);
	if (r < 0)
		say_failed("subscribe to the jobs of", t, r, &e);
	sd_bus_message_unref(m);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static int wait_for_job(struct talk *t, const char *what, const char *path)
{
	int r;

	snprintf(t->job, sizeof(t->job), "%s", path);
	if (strcmp(t->early_job, path) == 0)
		strcpy(t->result, t->early_result);
	while (!t->result[0]) {
		r = sd_bus_process(t->bus, NULL);
		if (r < 0)
			return say("%s %s: %s", what, t->unit, strerror(-r));
		if (r > 0)
			continue;
		if (now_us() >= t->deadline_us)
			return say("%s %s: systemd does not finish its job", what, t->unit);
		r = sd_bus_wait(t->bus, left_us(t));
		if (r < 0 && r != -EINTR)
			return say("%s %s: %s", what, t->unit, strerror(-r));
	}
	if (strcmp(t->result, "done") != 0)
		return say("%s %s: systemd says that its job %s", what, t->unit, t->result);
	return 0;
}

static int append_properties(sd_bus_message *m, char *const *words)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	for (; *words && r >= 0; words++) {
		r = value_append(m, *words);
		if (r < 0)
			return say("property %s: %s", *words, strerror(-r));
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static void reset_failed(struct talk *t)
{
	sd_bus_message *m = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;

	if (sd_bus_message_new_method_call(t->bus, &m, SYSTEMD, "ResetFailedUnit") >= 0 &&
		sd_bus_message_append(m, "s", t->unit) >= 0)
		call(t, m, &e, NULL);
	sd_bus_message_unref(m);
	sd_bus_error_free(&e);
}

/* 1: a unit of that name is there already */
static int start_once(struct talk *t, char *const *words, bool again)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	const char *path;
	int r = sd_bus_message_new_method_call(t->bus, &m, SYSTEMD, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", t->unit, "replace");
	if (r >= 0)
		r = append_properties(m, words);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0) {
		r = call(t, m, &e, &reply);
		if (r >= 0)
			r = sd_bus_message_read(reply, "o", &path);
		if (r < 0 && again &&
			sd_bus_error_has_name(&e, "org.freedesktop.systemd1.UnitExists"))
			r = 1;
		else if (r < 0)
			say_failed("start unit", t, r, &e);
		else
			r = wait_for_job(t, "start unit", path);
	}
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&e);
	return r;
}

static int start(struct talk *t, char *const *words)
{
	int r = listen_to_jobs(t);

	if (r < 0)
		return r;
	r = start_once(t, words, true);
	if (r != 1)
		return r;
	/* one that failed long ago stands in the way of its own name */
	reset_failed(t);
	return start_once(t, words, false);
}

static int set(struct talk *t, char *const *words)
{
	sd_bus_message *m = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(t->bus, &m, SYSTEMD, "SetUnitProperties");

	if (r >= 0)
		r = sd_bus_message_append(m, "sb", t->unit, 1);
	if (r >= 0)
		r = append_properties(m, words);
	if (r >= 0) {
		r = call(t, m, &e, NULL);
		if (r < 0)
			say_failed("set properties of unit", t, r, &e);
	}
	sd_bus_message_unref(m);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static int stop(struct talk *t, char *const *words)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	const char *path;
	int r = listen_to_jobs(t);

	(void)words;
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(t->bus, &m, SYSTEMD, "StopUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", t->unit, "replace");
	if (r >= 0)
		r = call(t, m, &e, &reply);
	if (r < 0 && sd_bus_error_has_name(&e, "org.freedesktop.systemd1.NoSuchUnit"))
		r = 0;
	else if (r < 0)
		say_failed("stop unit", t, r, &e);
	else if (sd_bus_message_read(reply, "o", &path) >= 0)
		r = wait_for_job(t, "stop unit", path);
	if (r >= 0)
		reset_failed(t);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static const struct {
	const char *name;
	int (*run)(struct talk *t, char *const *words);
} verbs[] = { { "start", start }, { "set", set }, { "stop", stop } };

static int usage(void)
{
	fputs("usage: clade-sdbus [--user] start|set|stop UNIT [PROPERTY...]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct talk t = { 0 };
	bool user = false;
	const char *asked = getenv("CLADE_SYSTEMD_TIMEOUT");
	unsigned long timeout_s = asked ? strtoul(asked, NULL, 10) : TIMEOUT_S;
	int i = 1, r;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--user") == 0)
			user = true;
		else
			return usage();
	}
	if (argc - i < 2)
		return usage();
	t.unit = argv[i + 1];
	if (timeout_s < 1 || timeout_s > 3600)
		timeout_s = TIMEOUT_S;
	t.deadline_us = now_us() + timeout_s * 1000000;
	/* a bus that takes the connection and says nothing is not waited for by the library's own
	 * time */
	alarm((unsigned)timeout_s + 2);
	r = user ? sd_bus_open_user(&t.bus) : sd_bus_open_system(&t.bus);
	if (r < 0) {
		say("connect to the %s's D-Bus: %s", user ? "user" : "system", strerror(-r));
		return 1;
	}
	r = -EINVAL;
	for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++)
		if (strcmp(verbs[v].name, argv[i]) == 0) {
			r = verbs[v].run(&t, argv + i + 2);
			sd_bus_flush_close_unref(t.bus);
			return r < 0;
		}
	sd_bus_unref(t.bus);
	return usage();
}
