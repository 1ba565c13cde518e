/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"

static void every_kind_stands_at_its_place(void **state)
{
	(void)state;
	for (int i = 0; i < NS_KINDS; i++) {
		assert_int_equal(ns_types[i].kind, i);
		assert_ptr_equal(ns_by_oci(ns_types[i].oci), &ns_types[i]);
		assert_ptr_equal(ns_by_file(ns_types[i].file), &ns_types[i]);
	}
	assert_true(ns_types[NS_MOUNT].clone_flag == CLONE_NEWNS);
	assert_null(ns_by_oci("mnt"));
	assert_null(ns_by_file(""));
}

static void a_link_is_its_word_and_a_number(void **state)
{
	uint64_t ino = 7;

	(void)state;
	assert_int_equal(ns_link_parse("pid:[]", "pid", &ino), -EINVAL);
	assert_int_equal(ns_link_parse("pid:[-1]", "pid", &ino), -EINVAL);
	assert_int_equal(ns_link_parse("pid:[12", "pid", &ino), -EINVAL);
	assert_int_equal(ns_link_parse("pid:[12]x", "pid", &ino), -EINVAL);
	assert_int_equal(ns_link_parse("mnt:[12]", "pid", &ino), -EINVAL);
	assert_int_equal(ns_link_parse("pid:[99999999999999999999999]", "pid", &ino), -EINVAL);
	assert_int_equal(ino, 7);
	assert_int_equal(ns_link_parse("pid:[4026531836]", "pid", &ino), 0);
	assert_true(ino == 4026531836);
}

static void link_and_descriptor_agree(void **state)
{
	autofd self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autofd ns = ns_open(self, NS_PID);
	uint64_t by_fd = 0, by_link = 1, next = 2;

	(void)state;
	assert_true(ns >= 0);
	assert_int_equal(ns_inode(ns, &by_fd), 0);
	assert_int_equal(ns_inode_of(self, NS_PID, &by_link), 0);
	assert_int_equal(ns_inode_for_children(self, NS_PID, &next), 0);
	assert_true(by_fd == by_link && by_link == next);
}

static void a_mount_namespace_has_no_parent(void **state)
{
	autofd self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autofd ns = ns_open(self, NS_MOUNT);

	(void)state;
	assert_true(ns >= 0);
	assert_int_equal(ns_parent(ns), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_stands_at_its_place),
		cmocka_unit_test(a_link_is_its_word_and_a_number),
		cmocka_unit_test(link_and_descriptor_agree),
		cmocka_unit_test(a_mount_namespace_has_no_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
