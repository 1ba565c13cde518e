/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/docker.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static const char *const command[] = { "ls", "-l", NULL };

static struct docker_run plain(void)
{
	return (struct docker_run){ .args = command, .n_args = 2, .cwd = "/home/me" };
}

static struct opt_list list(const char **items, size_t n)
{
	return (struct opt_list){ .items = items, .n = n };
}

static const struct spec_mount *mount_at(const struct spec *s, const char *where)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, where))
			return &s->mounts[i];
	return NULL;
}

static bool has_word(const struct spec_strings *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i], word))
			return true;
	return false;
}

static bool has_namespace(const struct spec *s, int flag)
{
	for (size_t i = 0; i < s->linux_.n_namespaces; i++)
		if (s->linux_.namespaces[i].flag == flag)
			return true;
	return false;
}

static void the_defaults_are_dockers(void **state)
{
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_int_equal(s.process.args.n, 2);
	assert_null(s.process.args.items[2]);
	assert_string_equal(s.process.cwd, "/");
	assert_true(
		s.process.capabilities.bounding == 0xa80425fb); /* as in every docker container */
	assert_true(s.linux_.seccomp.set);
	assert_true(has_namespace(&s, CLONE_NEWPID) && has_namespace(&s, CLONE_NEWNET));
	assert_false(has_namespace(&s, CLONE_NEWUSER));
	assert_non_null(mount_at(&s, "/dev/mqueue"));
	assert_true(has_word(&s.linux_.masked_paths, "/proc/kcore"));
	spec_done(&s);
}

static void what_is_made_passes_the_specifications_rules(void **state)
{
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s, again;
	struct err e = { 0 };
	autotext text = { 0 };

	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	s.root_path = "/r";
	assert_int_equal(spec_check(&s, &e), 0);
	spec_dump(&s, &text);
	assert_int_equal(spec_parse(text.p, text.len, &again, &e), 0);
	assert_int_equal(again.n_mounts, s.n_mounts);
	spec_done(&s);
	spec_done(&again);
}

static void a_later_variable_replaces_an_earlier_one(void **state)
{
	const char *env[] = { "A=1", "PATH=/x", "A=2", "NOT_SET_ANYWHERE" };
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.env = list(env, 4);
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_int_equal(s.process.env.n, 2);
	assert_string_equal(s.process.env.items[0], "PATH=/x");
	assert_string_equal(s.process.env.items[1], "A=2");
	spec_done(&s);
}

static void volumes_have_names_or_get_one(void **state)
{
	const char *volumes[] = { "/a:/same", "keep:/k:ro,nocopy", "/anon", "last:/same" };
	const char *images[] = { "/k", "/img" };
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	(void)state;
	run.volumes = list(volumes, 4);
	run.image_volumes = (struct spec_strings){ images, 2 };
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_int_equal(rest.n_volumes, 4);
	assert_string_equal(rest.volumes[0].name, "keep");
	assert_true(rest.volumes[0].nocopy);
	assert_null(rest.volumes[1].name);
	assert_string_equal(rest.volumes[1].destination, "/anon");
	assert_string_equal(rest.volumes[2].name, "last");
	assert_null(rest.volumes[3].name);
	assert_string_equal(rest.volumes[3].destination, "/img");
	spec_done(&s);
}

static void volumes_are_binds_and_their_folders_are_made(void **state)
{
	const char *volumes[] = { "./data:/data:ro", "/a:/b:rshared" };
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.volumes = list(volumes, 2);
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_string_equal(mount_at(&s, "/data")->source, "/home/me/./data");
	assert_true(has_word(&mount_at(&s, "/data")->options, "ro"));
	assert_true(has_word(&mount_at(&s, "/data")->options, "rprivate"));
	assert_true(has_word(&mount_at(&s, "/b")->options, "rshared"));
	assert_false(has_word(&mount_at(&s, "/b")->options, "rprivate"));
	assert_int_equal(rest.make_folders.n, 2);
	spec_done(&s);
}

static void other_containers_are_named_not_joined(void **state)
{
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.pid = "container:web";
	run.net = "host";
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_string_equal(rest.pid_of, "web");
	assert_false(has_namespace(&s, CLONE_NEWPID) || has_namespace(&s, CLONE_NEWNET));
	spec_done(&s);
}

static void privileged_has_everything_but_no_filter(void **state)
{
	const char *drop[] = { "net_raw" };
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.privileged = true;
	run.cap_drop = list(drop, 1);
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_true(s.process.capabilities.bounding ==
		    (((UINT64_C(1) << 41) - 1) & ~(UINT64_C(1) << 13)));
	assert_false(s.linux_.seccomp.set);
	assert_int_equal(s.linux_.masked_paths.n, 0);
	assert_true(s.linux_.resources.devices[0].allow);
	spec_done(&s);
}

static void init_goes_before_the_command_and_entrypoint_replaces_the_images(void **state)
{
	const char *image[] = { "/usr/sbin/nginx" };
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.init = true;
	run.has_entrypoint = true;
	run.entrypoint = "/bin/busybox";
	run.image_args = (struct spec_strings){ image, 1 };
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_int_equal(s.process.args.n, 5);
	assert_string_equal(s.process.args.items[0], "/dev/init");
	assert_string_equal(s.process.args.items[2], "/bin/busybox");
	assert_string_equal(s.process.args.items[3], "ls");
	spec_done(&s);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		size_t offset;
		const char *value, *says;
	} cases[] = {
		{ offsetof(struct docker_run, cap_add), "flying", "--cap-add flying" },
		{ offsetof(struct docker_run, ulimits), "nofile=9:3", "above the hard one" },
		{ offsetof(struct docker_run, ulimits), "nofile", "--ulimit nofile" },
		{ offsetof(struct docker_run, ulimits), "nofile=", "no number" },
		{ offsetof(struct docker_run, volumes), ":/x", "nothing before" },
		{ offsetof(struct docker_run, volumes), "data", "not absolute" },
		{ offsetof(struct docker_run, volumes), "/a:b", "not absolute" },
		{ offsetof(struct docker_run, volumes), "/a:/", "cannot be mounted over" },
		{ offsetof(struct docker_run, volumes), "/a:/b:rx", "option rx" },
		{ offsetof(struct docker_run, mounts), "type=bind,target=/x", "source is missing" },
		{ offsetof(struct docker_run, mounts), "type=bind,source=/nowhere/x,dst=/x",
			"/nowhere/x" },
		{ offsetof(struct docker_run, mounts), "type=npipe,dst=/x", "type=npipe" },
		{ offsetof(struct docker_run, mounts), "colour=red", "colour" },
		{ offsetof(struct docker_run, tmpfs), "x", "not absolute" },
		{ offsetof(struct docker_run, env), "=x", "no name" },
		{ offsetof(struct docker_run, env_files), "/nowhere", "--env-file" },
		{ offsetof(struct docker_run, security_opts), "nonsense", "nonsense" },
		{ offsetof(struct docker_run, devices), "/nowhere", "/nowhere" },
		{ offsetof(struct docker_run, devices), "/dev/null:/x:q", "r, w and m" },
		{ offsetof(struct docker_run, sysctls), "a", "name=value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct docker_run run = plain();
		const char *items[] = { cases[i].value };
		struct docker_rest rest;
		struct spec s;
		struct err e = { 0 };

		*(struct opt_list *)((char *)&run + cases[i].offset) = list(items, 1);
		assert_true(docker_spec(&run, &s, &rest, &e) < 0);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", e.msg, cases[i].says);
		spec_done(&s);
	}
}

static void limits_have_dockers_units(void **state)
{
	struct docker_run run = plain();
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	run.cpus = "1.5";
	run.memory = 64 << 20;
	run.pids_limit = -1;
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_int_equal(s.linux_.resources.cpu.quota.value, 150000);
	assert_int_equal(s.linux_.resources.cpu.period.value, 100000);
	assert_int_equal(s.linux_.resources.pids_limit.value, -1);
	spec_done(&s);
	run.memory = 1;
	assert_true(docker_spec(&run, &s, &rest, &e) < 0);
	spec_done(&s);
	run.memory = 0;
	run.cpus = "many";
	assert_true(docker_spec(&run, &s, &rest, &e) < 0);
	spec_done(&s);
}

static void systemd_gets_what_it_needs_where_it_is_pid_1(void **state)
{
	static const char *const init[] = { "/sbin/init", NULL };
	struct docker_run run = { .args = init, .n_args = 1, .cgroup_v2 = true };
	struct docker_rest rest;
	struct spec s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_true(rest.systemd);
	assert_true(has_word(&s.process.env, "container=oci"));
	assert_string_equal(mount_at(&s, "/var/log/journal")->type, "tmpfs");
	assert_true(has_word(&mount_at(&s, "/run")->options, "mode=755"));
	assert_false(has_word(&mount_at(&s, "/sys/fs/cgroup")->options, "ro"));
	assert_null(mount_at(&s, "/sys/fs/cgroup/systemd"));
	spec_done(&s);
	/* v1: what limits stays read-only */
	run.cgroup_v2 = false;
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_true(has_word(&mount_at(&s, "/sys/fs/cgroup")->options, "ro"));
	assert_true(has_word(&mount_at(&s, "/sys/fs/cgroup/systemd")->options, "remount"));
	spec_done(&s);
	run.init = true; /* something else is PID 1 */
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_false(rest.systemd);
	assert_null(mount_at(&s, "/run"));
	spec_done(&s);
	run.systemd = "always";
	assert_true(docker_spec(&run, &s, &rest, &e) < 0);
	spec_done(&s);
	run.init = false;
	run.args = command;
	assert_int_equal(docker_spec(&run, &s, &rest, &e), 0);
	assert_true(rest.systemd);
	spec_done(&s);
	run.systemd = "perhaps";
	assert_true(docker_spec(&run, &s, &rest, &e) < 0);
	spec_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_dockers),
		cmocka_unit_test(what_is_made_passes_the_specifications_rules),
		cmocka_unit_test(a_later_variable_replaces_an_earlier_one),
		cmocka_unit_test(volumes_have_names_or_get_one),
		cmocka_unit_test(volumes_are_binds_and_their_folders_are_made),
		cmocka_unit_test(other_containers_are_named_not_joined),
		cmocka_unit_test(privileged_has_everything_but_no_filter),
		cmocka_unit_test(init_goes_before_the_command_and_entrypoint_replaces_the_images),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(limits_have_dockers_units),
		cmocka_unit_test(systemd_gets_what_it_needs_where_it_is_pid_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
