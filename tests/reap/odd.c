/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odd vfork | odd no-wait4: a parent with one zombie that waits in vfork(2), uninterruptibly; or
 * one whose seccomp filter would kill it for a wait4(2).
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void forbid_wait4(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fork() == 0)
		_exit(0);
	if (strcmp(argv[1], "vfork") == 0) {
		if (vfork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sleep(3600);
			_exit(0);
		}
	} else {
		forbid_wait4();
	}
	for (;;)
		pause();
}
