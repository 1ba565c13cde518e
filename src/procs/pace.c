/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/pace.h"

enum { ONE = 1000000 };

int pace_gather_ms(struct pace *p, int64_t now_us)
{
	const int64_t most = (int64_t)PACE_SAVED_MAX * ONE;
	int64_t since = now_us - p->at_us;

	/* the first time, or a clock that went back: as after a quiet time */
	if (p->at_us == 0 || since < 0 || since > ONE)
		p->saved_micros = most;
	else
		p->saved_micros += since * PACE_PER_SECOND;
	if (p->saved_micros > most)
		p->saved_micros = most;
	p->at_us = now_us;
	if (p->saved_micros < ONE)
		return PACE_GATHER_MS;
	p->saved_micros -= ONE;
	return 0;
}
