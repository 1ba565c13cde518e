/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/decide.h"

#include <sys/wait.h>

/* What a state does not name here it ignores: it stays, and nothing is done. */
static const struct sv_cell cells[SV_STATES][SV_EVENTS] = {
	[SV_STOPPED] = { [EV_START] = { SV_WAITING, ACT_LOOK } },
	[SV_WAITING] = { [EV_MAY_START] = { SV_STARTING, ACT_SPAWN },
		[EV_NEVER] = { SV_FATAL, ACT_FATAL },
		[EV_STOP] = { SV_STOPPED, ACT_STOPPED } },
	[SV_STARTING] = { [EV_READY] = { SV_RUNNING, ACT_READY },
		[EV_DUE] = { SV_CLEARING, ACT_STOP_FIRST },
		[EV_STOP] = { SV_STOPPING, ACT_STOP_FIRST },
		[EV_ENDED] = { SV_CLEARING, ACT_CLEAR },
		[EV_AGAIN] = { SV_WAITING, ACT_LOOK },
		[EV_LATER] = { SV_BACKOFF, ACT_WAIT },
		[EV_DONE] = { SV_EXITED, ACT_EXITED },
		[EV_LOST] = { SV_FATAL, ACT_FATAL } },
	[SV_RUNNING] = { [EV_STOP] = { SV_STOPPING, ACT_STOP_FIRST },
		[EV_ENDED] = { SV_CLEARING, ACT_CLEAR },
		[EV_AGAIN] = { SV_WAITING, ACT_LOOK },
		[EV_LATER] = { SV_BACKOFF, ACT_WAIT },
		[EV_DONE] = { SV_EXITED, ACT_EXITED },
		[EV_LOST] = { SV_FATAL, ACT_FATAL } },
	[SV_BACKOFF] = { [EV_START] = { SV_WAITING, ACT_LOOK },
		[EV_DUE] = { SV_WAITING, ACT_LOOK },
		[EV_STOP] = { SV_STOPPED, ACT_STOPPED } },
	[SV_STOPPING] = { [EV_START] = { SV_STOPPING, ACT_REMEMBER },
		[EV_DUE] = { SV_STOPPING, ACT_STOP_NEXT },
		[EV_ENDED] = { SV_STOPPING, ACT_CLEAR },
		[EV_AGAIN] = { SV_STOPPED, ACT_STOPPED },
		[EV_LATER] = { SV_STOPPED, ACT_STOPPED },
		[EV_DONE] = { SV_STOPPED, ACT_STOPPED },
		[EV_LOST] = { SV_STOPPED, ACT_STOPPED } },
	[SV_CLEARING] = { [EV_STOP] = { SV_STOPPING, ACT_STOP_NEXT },
		[EV_DUE] = { SV_CLEARING, ACT_STOP_NEXT },
		[EV_ENDED] = { SV_CLEARING, ACT_CLEAR },
		[EV_AGAIN] = { SV_WAITING, ACT_LOOK },
		[EV_LATER] = { SV_BACKOFF, ACT_WAIT },
		[EV_DONE] = { SV_EXITED, ACT_EXITED },
		[EV_LOST] = { SV_FATAL, ACT_FATAL } },
	[SV_EXITED] = { [EV_START] = { SV_WAITING, ACT_LOOK } },
	[SV_FATAL] = { [EV_START] = { SV_WAITING, ACT_LOOK } },
};

struct sv_cell services_decide(enum sv_state s, enum sv_event e)
{
	struct sv_cell c = cells[s][e];

	return c.act == ACT_NONE ? (struct sv_cell){ s, ACT_NONE } : c;
}

bool services_expected(const struct sv_rule *r, int status)
{
	return WIFEXITED(status) && r->expected[WEXITSTATUS(status)];
}

static struct sv_verdict fail(const struct sv_rule *r, int tries)
{
	int64_t wait = r->backoff_ms;

	if (r->retries >= 0 && tries > r->retries)
		return (struct sv_verdict){ EV_LOST, tries, 0 };
	if (r->linear)
		wait *= tries;
	else
		for (int i = 1; i < tries && wait < r->cap_ms; i++)
			wait *= 2;
	return (struct sv_verdict){ EV_LATER, tries, wait < r->cap_ms ? wait : r->cap_ms };
}

struct sv_verdict services_after(
	const struct sv_rule *r, int status, int64_t alive_ms, bool was_ready, int tries)
{
	bool good = services_expected(r, status);

	if (r->counts_starts && !was_ready)
		return fail(r, tries + 1);
	if (good && (r->oneshot || r->restart != RESTART_ALWAYS))
		return (struct sv_verdict){ EV_DONE, 0, 0 };
	if (r->restart == RESTART_NEVER)
		/* supervisord calls it EXITED whatever the code was */
		return (struct sv_verdict){ r->counts_starts ? EV_DONE : EV_LOST, tries, 0 };
	/* supervisord looks once a second: one that ends at once must not become a storm */
	if (r->counts_starts && alive_ms < 1000)
		return (struct sv_verdict){ EV_LATER, 0, 1000 - alive_ms };
	if (r->counts_starts || (alive_ms >= r->steady_ms && !r->oneshot))
		return (struct sv_verdict){ EV_AGAIN, 0, 0 };
	return fail(r, tries + 1);
}

bool services_is_live(enum sv_state s)
{
	return s == SV_STARTING || s == SV_RUNNING || s == SV_STOPPING || s == SV_CLEARING;
}

const char *services_word(enum sv_state s)
{
	static const char *const words[] = { "STOPPED", "WAITING", "STARTING", "RUNNING", "BACKOFF",
		"STOPPING", "STOPPING", "EXITED", "FATAL" };

	return words[s];
}
