/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "procs/reap.h"

struct reap_opts {
	bool own, unknown, dry_run, watch, json;
};

static const struct opt reap_opts[] = {
	{ "dry-run", 'n', OPT_FLAG, offsetof(struct reap_opts, dry_run), NULL,
		"say what would be reaped, and touch nothing" },
	{ "own", 0, OPT_FLAG, offsetof(struct reap_opts, own), NULL,
		"also children that the parent forked itself: it will miss their exit status" },
	{ "unknown", 0, OPT_FLAG, offsetof(struct reap_opts, unknown), NULL,
		"also children that may be the parent's own" },
	{ "watch", 0, OPT_FLAG, offsetof(struct reap_opts, watch), NULL,
		"keep reaping, once a second, until the parent ends" },
	{ "json", 0, OPT_FLAG, offsetof(struct reap_opts, json), NULL,
		"one JSON object a line for each zombie" },
	{ 0 },
};

/* What one run of the command counts. */
struct tally {
	const struct reap_opts *opts;
	bool silent;	 /* the first round only remembers */
	struct err last; /* refusal said: a watch says it once */
	unsigned reaped, adopted, left_own, left_unknown, failed, refused;
};

static const char *fate_word(enum reap_fate fate, bool dry_run, bool refused)
{
	static const char *const words[] = { "", "left", "left", "left", "left", "left", "reaped",
		"vanished", "failed" };

	if (fate == REAP_REAPABLE)
		return refused ? "refused" : dry_run ? "would reap" : "left";
	return words[fate];
}

/* Why a zombie was left where it is; NULL where the fate says all. */
static const char *fate_reason(const struct reap_zombie *z)
{
	switch (z->fate) {
	case REAP_LEFT_OWN:
		return "its parent may still ask for its exit status: --own takes it";
	case REAP_LEFT_UNKNOWN:
		return "it may be its parent's own child: --unknown takes it";
	case REAP_LEFT_YOUNG:
		return "it died less than a second ago";
	case REAP_LEFT_THREADS:
		return "only its first thread has exited";
	case REAP_LEFT_TRACED:
		return "its tracer must wait for it first";
	case REAP_VANISHED:
		return "its parent was quicker";
	case REAP_FAILED:
		return z->result < 0 ? strerror((int)-z->result) : "its parent cannot wait for it";
	default:
		return NULL;
	}
}

static void add_exit(struct text *t, int status)
{
	if (status < 0)
		text_add(t, "exit unknown");
	else if (WIFSIGNALED(status))
		text_addf(t, "killed by signal %d", WTERMSIG(status));
	else
		text_addf(t, "exit %d", WEXITSTATUS(status));
}

static void print_line(
	const struct tally *c, const struct reap_report *r, const struct reap_zombie *z)
{
	const char *reason = fate_reason(z);
	autotext t = { 0 };

	text_addf(&t, "%-10s %d/%d ", fate_word(z->fate, c->opts->dry_run, r->why), z->host_pid,
		z->ns_pid);
	text_add_escaped(&t, z->comm, strlen(z->comm));
	text_add(&t, "  ");
	add_exit(&t, z->wait_status);
	text_addf(&t, "  %s%s%s", reap_origin_word(z->origin), z->proof ? ": " : "",
		z->proof ? z->proof : "");
	if (reason)
		text_addf(&t, "  (%s)", reason);
	puts(t.p);
}

/* A name in JSON: control bytes, quotes and what is not UTF-8 made harmless. */
static void add_json_name(struct text *t, const char *s)
{
	for (size_t n = strlen(s), i = 0, len; i < n; i += len) {
		len = str_utf8_len(s + i, n - i);
		if (len == 0) {
			text_add(t, "\\ufffd");
			len = 1;
		} else if ((unsigned char)s[i] < ' ' || s[i] == '"' || s[i] == '\\') {
			text_addf(t, "\\u%04x", (unsigned char)s[i]);
		} else {
			text_add_n(t, s + i, len);
		}
	}
}

static void print_json(
	const struct tally *c, const struct reap_report *r, const struct reap_zombie *z)
{
	const struct reap_parent *p = &r->family->parent;
	const char *reason = fate_reason(z);
	autotext t = { 0 };

	text_addf(&t, "{\"pid\":%d,\"ipid\":%d,\"comm\":\"", z->host_pid, z->ns_pid);
	add_json_name(&t, z->comm);
	text_addf(&t, "\",\"ppid\":%d,\"result\":\"%s\",\"origin\":\"%s\"", p->host_pid,
		fate_word(z->fate, c->opts->dry_run, r->why), reap_origin_word(z->origin));
	if (z->proof)
		text_addf(&t, ",\"proof\":\"%s\"", z->proof);
	if (z->wait_status >= 0 && WIFSIGNALED(z->wait_status))
		text_addf(&t, ",\"signal\":%d", WTERMSIG(z->wait_status));
	else if (z->wait_status >= 0)
		text_addf(&t, ",\"exit\":%d", WEXITSTATUS(z->wait_status));
	if (reason)
		text_addf(&t, ",\"reason\":\"%s\"", reason);
	if (r->attaches)
		text_addf(&t, ",\"held_us\":%llu", (unsigned long long)r->held_ns / 1000);
	text_add(&t, "}");
	puts(t.p);
}

/* In a watch only what happened is said, not every second what was left. */
static bool is_news(const struct tally *c, const struct reap_zombie *z)
{
	return !c->opts->watch || z->fate == REAP_DONE || z->fate == REAP_FAILED;
}

static void told(void *data, const struct reap_report *r)
{
	struct tally *c = data;
	const struct reap_parent *p = &r->family->parent;
	unsigned reaped = 0;

	if (c->silent)
		return;
	for (size_t i = 0; i < r->family->n; i++) {
		const struct reap_zombie *z = &r->family->zombies[i];

		reaped += z->fate == REAP_DONE;
		c->adopted += z->fate == REAP_DONE && z->origin == REAP_ORIGIN_ADOPTED;
		c->left_own += z->fate == REAP_LEFT_OWN;
		c->left_unknown += z->fate == REAP_LEFT_UNKNOWN;
		c->failed += z->fate == REAP_FAILED;
		if (!is_news(c, z))
			continue;
		if (c->opts->json)
			print_json(c, r, z);
		else
			print_line(c, r, z);
	}
	c->reaped += reaped;
	if (r->why && !str_eq(r->why->msg, c->last.msg)) {
		log_err(r->why);
		c->last = *r->why;
		c->refused++;
	}
	if (!r->why && !r->family->n && !c->opts->watch && !c->opts->json)
		printf("process %d has no zombies\n", p->host_pid);
	if (r->attaches && !c->opts->json) {
		autotext t = { 0 };

		text_add_escaped(&t, p->comm, strlen(p->comm));
		printf("%u of %zu reaped by their parent %d/%d %s, held %.0f us in %u attach%s\n",
			reaped, r->family->n, p->host_pid, p->ns_pid, t.p ? t.p : "",
			(double)r->held_ns / 1e3, r->attaches, r->attaches == 1 ? "" : "es");
	}
	fflush(stdout);
}

static void slow(void *data, const struct reap_parent *p)
{
	(void)data;
	log_warn("process %d (%s) does not answer; it is not let go of before it is as it was",
		p->host_pid, p->comm);
}

/* What --own and --unknown may cost, said before it is done. */
static void warn_of_wish(const struct reap_wish *w)
{
	if (w->dry_run || (!w->own && !w->unknown))
		return;
	log_warn("--%s: a child that its parent forked itself may be taken; should the parent wait "
		 "for it after all, it gets ECHILD, and the exit status is known only from here",
		w->own ? "own" : "unknown");
}

/* It cures the symptom only. */
static void advise(const struct tally *c)
{
	if (c->adopted && !c->opts->json)
		puts("they will come again until the container has an init that waits: clade run "
		     "--init, docker run --init, shareProcessNamespace, or clade-init in the "
		     "image");
}

/* The parent to attach to, and the one zombie that is meant, if the word names a zombie. */
static int resolve(
	const struct cmd_call *call, struct reap_wish *w, pid_t *ret_parent, struct err *e)
{
	autolife life = LIFE_NONE;
	struct life_info info;
	struct err ignored;
	pid_t pid;

	if (cli_process(call, call->args[0], &pid, &info, e) < 0)
		return -e->code;
	w->may_wait = info.pid && cli_life(call, &life, &ignored) == 0 &&
		      life_filter_lets(&life, info.id, "wait4");
	*ret_parent = reap_family_parent_of_zombie(pid);
	if (*ret_parent)
		w->only = pid;
	else
		*ret_parent = pid;
	return 0;
}

static int reap(const struct cmd_call *call, struct err *e)
{
	const struct reap_opts *o = call->opts;
	struct reap_wish wish = {
		.own = o->own, .unknown = o->unknown, .may_load = !o->watch, .dry_run = o->dry_run
	};
	struct reap_memory before = { 0 }, now = { 0 };
	struct tally c = { .opts = o, .silent = true };
	const struct reap_listener listener = { told, slow, &c };
	pid_t parent = 0;
	int r;

	if (resolve(call, &wish, &parent, e) < 0)
		return -e->code;
	reap_raise_limits();
	warn_of_wish(&wish);
	do {
		r = reap_round(parent, &wish, &before, &now, &listener, e);
		reap_memory_turn(&before, &now);
		if (r == 0 && (c.silent || o->watch))
			reap_pause();
		else
			break;
		c.silent = false;
	} while (true);
	reap_memory_done(&before);
	advise(&c);
	return r < 0 ? r : c.refused || c.failed ? 1 : 0;
}

const struct cmd cmd_reap = {
	.name = "reap",
	.group = CMD_PROCESSES,
	.args = "CONTAINER|PID",
	.brief = "remove zombies of a running container without a restart",
	.more = "The zombies' parent is made to wait for them. Only adopted ones are taken unless\n"
		"--own or --unknown say otherwise, and only those dead for a second.",
	.min_args = 1,
	.max_args = 1,
	.opts = reap_opts,
	.opts_size = sizeof(struct reap_opts),
	.run = reap,
};
