/* SPDX-License-Identifier: Apache-2.0 */
#include "init/trim.h"

#include <stdint.h>
#include <sys/mman.h>

/* services.ld's: code that reads configurations and command lines and speaks to people; elsewhere
 * there is none */
extern char services_cold[] __attribute__((weak)), services_cold_end[] __attribute__((weak));

void trim(void)
{
	enum { PAGE = 4096, DEEP = 128 << 10 };
	uintptr_t cold = (uintptr_t)services_cold & ~(uintptr_t)(PAGE - 1),
		  stack = (uintptr_t)__builtin_frame_address(0);

	if ((uintptr_t)services_cold_end > (uintptr_t)services_cold)
		madvise((void *)cold, (uintptr_t)services_cold_end - cold, MADV_DONTNEED);
	stack = (stack & ~(uintptr_t)(PAGE - 1)) - PAGE;
	/* what was never part of it fails, and is left out: from the deepest down there is nothing
	 */
	for (uintptr_t at = stack - PAGE;
		stack - at < DEEP && madvise((void *)at, PAGE, MADV_DONTNEED) == 0; at -= PAGE)
		;
}
