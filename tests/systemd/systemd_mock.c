/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for systemd on a bus of its own: org.freedesktop.systemd1 with as much of its manager
 * as a scope needs. It does with processes and cgroups what systemd does, below the cgroup trees it
 * is given, and prints each call it gets.
 *
 *   systemd_mock MODE CGROUP-ROOT...
 *
 * MODE: good; failed: the job fails; hang: calls are not answered; stuck: the job never ends;
 * exists: the first start finds a unit of that name, which failed once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

struct mock {
	const char *mode;
	char *const *roots;
	bool was_reset;
	char unit[256], path[512]; /* the scope there is, below each root */
	uint32_t jobs;
};

/* "a-b.slice": /a.slice/a-b.slice (systemd.slice(5)) */
static void expand_slice(const char *slice, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (const char *dash = slice; dash;) {
		dash = strchr(dash, '-');
		if (dash)
			len += (size_t)snprintf(
				out + len, size - len, "/%.*s.slice", (int)(dash - slice), slice);
		else
			len += (size_t)snprintf(out + len, size - len, "/%s", slice);
		dash = dash ? dash + 1 : NULL;
	}
}

static void make_path(const char *root, const char *path)
{
	char dir[1024];

	snprintf(dir, sizeof(dir), "%s%s", root, path);
	for (char *s = dir + strlen(root) + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			mkdir(dir, 0755);
			*s = '/';
		}
	mkdir(dir, 0755);
}

static void move(const char *root, const char *path, uint32_t pid)
{
	char file[1100];
	FILE *f;

	make_path(root, path);
	snprintf(file, sizeof(file), "%s%s/cgroup.procs", root, path);
	f = fopen(file, "w");
	if (f) {
		fprintf(f, "%u", pid);
		fclose(f);
	}
}

static void kill_all(const char *dir)
{
	char file[1100];
	int pid;
	FILE *f;

	snprintf(file, sizeof(file), "%s/cgroup.procs", dir);
	f = fopen(file, "r");
	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (f)
		fclose(f);
}

static void remove_tree(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	kill_all(dir);
	while (d && (entry = readdir(d))) {
		char below[1024];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", dir, entry->d_name);
		remove_tree(below);
	}
	if (d)
		closedir(d);
	for (int i = 0; i < 2000 && rmdir(dir) < 0 && errno == EBUSY; i++)
		usleep(1000);
}

static int tell_job(struct mock *k, sd_bus_message *m, const char *unit, const char *result)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/org/freedesktop/systemd1/job/%u", ++k->jobs);
	r = sd_bus_reply_method_return(m, "o", path);
	if (r < 0 || !result)
		return r;
	return sd_bus_emit_signal(bus, "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", k->jobs, path, unit,
		result);
}

static int take_property(sd_bus_message *m, uint32_t *ret_pid, char *slice, size_t size)
{
	const char *name, *text;
	const void *pids;
	size_t n;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0)
		return r;
	if (strcmp(name, "PIDs") == 0) {
		r = sd_bus_message_enter_container(m, 'v', "au");
		if (r >= 0)
			r = sd_bus_message_read_array(m, 'u', &pids, &n);
		if (r >= 0 && n >= sizeof(uint32_t))
			memcpy(ret_pid, pids, sizeof(*ret_pid));
		return r < 0 ? r : sd_bus_message_exit_container(m);
	}
	if (strcmp(name, "Slice") == 0) {
		r = sd_bus_message_read(m, "v", "s", &text);
		if (r >= 0)
			snprintf(slice, size, "%s", text);
		return r;
	}
	return sd_bus_message_skip(m, "v");
}

static int start(sd_bus_message *m, void *data, sd_bus_error *e)
{
	struct mock *k = data;
	char slice[256] = "system.slice", way[400];
	const char *unit, *mode;
	uint32_t pid = 0;
	int r = sd_bus_message_read(m, "ss", &unit, &mode);

	if (strcmp(k->mode, "hang") == 0)
		return 1;
	if (strcmp(k->mode, "exists") == 0 && !k->was_reset)
		return sd_bus_error_setf(e, "org.freedesktop.systemd1.UnitExists",
			"Unit %s was already loaded or has a fragment file.", unit);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sv)");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
		r = take_property(m, &pid, slice, sizeof(slice));
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	if (r < 0)
		return r;
	if (!pid)
		return sd_bus_error_set(e, "org.freedesktop.systemd1.NoPids", "no PIDs");
	if (strcmp(k->mode, "stuck") == 0)
		return tell_job(k, m, unit, NULL);
	expand_slice(slice, way, sizeof(way));
	snprintf(k->unit, sizeof(k->unit), "%s", unit);
	snprintf(k->path, sizeof(k->path), "%s/%s", way, unit);
	for (char *const *root = k->roots; *root; root++)
		move(*root, k->path, pid);
	return tell_job(k, m, unit, strcmp(k->mode, "failed") == 0 ? "failed" : "done");
}

static int stop(sd_bus_message *m, void *data, sd_bus_error *e)
{
	struct mock *k = data;
	const char *unit, *mode;
	int r = sd_bus_message_read(m, "ss", &unit, &mode);

	if (r < 0)
		return r;
	if (strcmp(k->unit, unit) != 0)
		return sd_bus_error_setf(
			e, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", unit);
	for (char *const *root = k->roots; *root; root++) {
		char dir[1024], *slash;

		snprintf(dir, sizeof(dir), "%s%s", *root, k->path);
		remove_tree(dir);
		/* the slices on the way, as far as they are empty now */
		while ((slash = strrchr(dir, '/')) && slash > dir + strlen(*root)) {
			*slash = '\0';
			if (rmdir(dir) < 0)
				break;
		}
	}
	k->unit[0] = '\0';
	return tell_job(k, m, unit, "done");
}

static int reset(sd_bus_message *m, void *data, sd_bus_error *e)
{
	(void)e;
	((struct mock *)data)->was_reset = true;
	return sd_bus_reply_method_return(m, NULL);
}

static int nothing(sd_bus_message *m, void *data, sd_bus_error *e)
{
	(void)data;
	(void)e;
	return sd_bus_reply_method_return(m, NULL);
}

static int show(sd_bus_message *m, void *data, sd_bus_error *e)
{
	(void)data;
	(void)e;
	if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", NULL)) {
		sd_bus_message_dump(m, stdout, SD_BUS_MESSAGE_DUMP_WITH_HEADER);
		fflush(stdout);
		sd_bus_message_rewind(m, true);
	}
	return 0;
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", "", "", nothing, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD(
		"StartTransientUnit", "ssa(sv)a(sa(sv))", "o", start, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", nothing, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", stop, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ResetFailedUnit", "s", "", reset, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};

int main(int argc, char **argv)
{
	struct mock k = { .mode = argc > 1 ? argv[1] : "good", .roots = argv + 2 };
	sd_bus *bus = NULL;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = sd_bus_add_filter(bus, NULL, show, &k);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", manager, &k);
	if (r >= 0)
		r = sd_bus_request_name(bus, "org.freedesktop.systemd1", 0);
	puts("ready");
	fflush(stdout);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "systemd_mock: %s\n", strerror(-r));
	return 1;
}
