/* SPDX-License-Identifier: Apache-2.0 */
/* clade-init's command line, and those it stands in for: the first line is argv[0], the others its
 * arguments. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/command.h"

enum { WORDS_MAX = 64 };

static void check(const struct rules *r, int n, int at)
{
	PROMISE(r->n_stop >= 0 && r->n_stop <= STOP_STEPS);
	for (int i = 0; i < r->n_stop; i++)
		PROMISE(r->stop[i].signo > 0 && r->stop[i].signo < SIGNALS);
	for (int i = 0; i < SIGNALS; i++) {
		struct decided d = decide_signal(r, i);

		PROMISE(r->rewrite[i] < SIGNALS || r->rewrite[i] == DROP);
		PROMISE(d.what != DECIDE_FORWARD || (d.signo >= 0 && d.signo < SIGNALS));
	}
	for (int i = 0; i < DELAYS; i++)
		PROMISE(r->delay[i].signo >= 0 && r->delay[i].signo < SIGNALS &&
			r->delay[i].wait_ms >= 0);
	PROMISE(at > 0 && (at < n || (r->pause && at <= n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *argv[WORDS_MAX + 1];
	const char *before[WORDS_MAX];
	int out = dup(1), err = dup(2), null = open("/dev/null", O_WRONLY);
	int n = 0, at = 1, code = -1;
	enum command_result result;
	struct rules r;

	for (char *rest = text; rest && n < WORDS_MAX;)
		argv[n++] = strsep(&rest, "\n");
	argv[n] = NULL;
	memcpy(before, argv, sizeof(before[0]) * (size_t)n);
	/* what it says is not looked at */
	dup2(null, 1);
	dup2(null, 2);
	result = command_parse(n, argv, &r, &at, &code);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(null);
	if (result == COMMAND_RUN)
		check(&r, n, at);
	else
		PROMISE(code >= 0 && code <= 2);
	/* it may put words in another order, and loses none but --compat's place */
	PROMISE(argv[n] == NULL);
	for (int i = 3; i < n; i++) {
		bool there = false;

		for (int k = 0; k < n; k++)
			there |= argv[k] == before[i];
		PROMISE(there);
	}
	free(text);
	return 0;
}
