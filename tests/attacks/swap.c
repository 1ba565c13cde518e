/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swap FOLDER A B: exchanges FOLDER/A and FOLDER/B without a pause until it is killed, as a
 * malicious process does with a volume that it shares with a container that is being made.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 4 || chdir(argv[1]) < 0)
		return 2;
	while (syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0)
		;
	perror("swap");
	return 1;
}
