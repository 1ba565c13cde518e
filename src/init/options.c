/* SPDX-License-Identifier: Apache-2.0 */
#include "init/options.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifndef CLADE_VERSION
#define CLADE_VERSION "0"
#endif

enum personality { CLADE, TINI, DUMB_INIT, CATATONIT, PAUSE };

static const struct {
	const char *name;
	enum personality is;
} personalities[] = { { "tini", TINI }, { "tini-static", TINI }, { "docker-init", TINI },
	{ "dumb-init", DUMB_INIT }, { "catatonit", CATATONIT }, { "podman-init", CATATONIT },
	{ "pause", PAUSE }, { "clade-init", CLADE } };

void say(const char *a, const char *b, const char *c, const char *d)
{
	const char *parts[] = { a, b, c, d };
	char text[1024];
	size_t len = 0;

	for (size_t i = 0; i < 4 && parts[i]; i++) {
		size_t n = strlen(parts[i]);

		if (n > sizeof(text) - 1 - len)
			n = sizeof(text) - 1 - len;
		memcpy(text + len, parts[i], n);
		len += n;
	}
	text[len++] = '\n';
	if (write(STDERR_FILENO, text, len) < 0)
		return;
}

static void print(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		return;
}

static const char *const names[] = { [SIGHUP] = "HUP",
	[SIGINT] = "INT",
	[SIGQUIT] = "QUIT",
	[SIGILL] = "ILL",
	[SIGTRAP] = "TRAP",
	[SIGABRT] = "ABRT",
	[SIGBUS] = "BUS",
	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL",
	[SIGUSR1] = "USR1",
	[SIGSEGV] = "SEGV",
	[SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE",
	[SIGALRM] = "ALRM",
	[SIGTERM] = "TERM",
	[SIGCHLD] = "CHLD",
	[SIGCONT] = "CONT",
	[SIGSTOP] = "STOP",
	[SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN",
	[SIGTTOU] = "TTOU",
	[SIGURG] = "URG",
	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ",
	[SIGVTALRM] = "VTALRM",
	[SIGPROF] = "PROF",
	[SIGWINCH] = "WINCH",
	[SIGIO] = "IO",
	[SIGPWR] = "PWR",
	[SIGSYS] = "SYS" };

/* Digits only, at most max; -1 otherwise. */
static long number(const char *s, size_t n, long max)
{
	long value = 0;

	if (!n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

static int signal_of(const char *word, size_t n)
{
	long value = number(word, n, SIGNALS - 1);

	if (value > 0)
		return (int)value;
	if (n > 3 && strncasecmp(word, "SIG", 3) == 0) {
		word += 3;
		n -= 3;
	}
	for (int i = 1; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		if (names[i] && strlen(names[i]) == n && strncasecmp(names[i], word, n) == 0)
			return i;
	if (n >= 5 && strncasecmp(word, "RTMIN", 5) == 0) {
		value = n == 5 ? 0 : word[5] == '+' ? number(word + 6, n - 6, 30) : -1;
		return value >= 0 && SIGRTMIN + value <= SIGRTMAX ? SIGRTMIN + (int)value : -1;
	}
	return -1;
}

int options_signal(const char *word)
{
	return signal_of(word, strlen(word));
}

const char *options_signal_name(int signo)
{
	return signo > 0 && signo < (int)(sizeof(names) / sizeof(names[0])) ? names[signo] : NULL;
}

/* "10s", "250ms", "10", "2m": to milliseconds; -1 for what is none. */
static int64_t duration_ms(const char *s, size_t n)
{
	size_t digits = 0;
	int64_t unit = 1000;
	long value;

	while (digits < n && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	value = number(s, digits, 1000000);
	if (n - digits == 2 && strncmp(s + digits, "ms", 2) == 0)
		unit = 1;
	else if (n - digits == 1 && s[digits] == 'm')
		unit = 60000;
	else if (n != digits && !(n - digits == 1 && s[digits] == 's'))
		return -1;
	return value < 0 ? -1 : value * unit;
}

/* "TERM:QUIT", "15:3", "HUP:0" */
static bool add_rewrite(struct rules *r, const char *text)
{
	const char *colon = strchr(text, ':');
	int from = colon ? signal_of(text, (size_t)(colon - text)) : -1, to;

	if (from <= 0)
		return false;
	to = strcmp(colon + 1, "0") == 0 ? DROP : options_signal(colon + 1);
	if (to <= 0)
		return false;
	r->rewrite[from] = (unsigned char)to;
	return true;
}

/* "TERM:10s,INT:5s,KILL" */
static bool add_stop(struct rules *r, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ","), name = strcspn(text, ":,");
		struct stop_step *step = &r->stop[r->n_stop];

		if (r->n_stop == STOP_STEPS)
			return false;
		step->signo = signal_of(text, name);
		step->wait_ms = name < n ? duration_ms(text + name + 1, n - name - 1) : -1;
		if (step->signo <= 0 || (name < n && step->wait_ms < 0))
			return false;
		r->n_stop++;
		text += n + (text[n] == ',');
	}
	return r->n_stop > 0;
}

/* "143=0" */
static bool add_map(struct rules *r, const char *text)
{
	const char *equals = strchr(text, '=');
	long from = equals ? number(text, (size_t)(equals - text), 255) : -1;
	long to = equals ? number(equals + 1, strlen(equals + 1), 254) : -1;

	if (from < 0 || to < 0)
		return false;
	r->exit_map[from] = (unsigned char)(to + 1);
	return true;
}

static bool expect(struct rules *r, const char *text)
{
	long code = number(text, strlen(text), 255);

	if (code < 0)
		return false;
	r->exit_map[code] = 1; /* to 0 */
	return true;
}

static const char help[] =
	"Usage: clade-init [flags] [--] PROGRAM [ARG...]\n\n"
	"PID 1 of a container: starts PROGRAM, reaps what comes home, passes signals on, ends with "
	"its code.\n\n"
	"  -g, --group            signals go to PROGRAM's process group\n"
	"      --all              signals go to every process but this one\n"
	"  -r, --rewrite FROM:TO  pass FROM on as TO; TO 0: not at all\n"
	"      --stop STEPS       TERM:10s,INT:5s,KILL: on TERM or INT, each after the other\n"
	"      --drain TIME       when PROGRAM has ended, TERM the rest and wait so long\n"
	"      --control PATH     a socket there, of which clade-init ctl gets counters\n"
	"  -e, --expect CODE      make CODE a 0 (may be given again)\n"
	"      --map FROM=TO      make exit code FROM a TO\n"
	"  -p, --pdeath SIGNAL    be sent SIGNAL when the parent dies\n"
	"  -s, --subreaper        adopt orphans (by itself when not PID 1)\n"
	"  -w, --warn             tell of each process that is reaped\n"
	"  -P, --pause            no program: reap and sleep until TERM or INT\n"
	"      --compat NAME      the command line of tini, dumb-init, catatonit, pause\n"
	"  -V, --version          show the version\n";

struct parse {
	struct rules *r;
	int argc, at;
	char **argv;
};

/* The value of an option: what stands behind it, or the next word. */
static const char *value(struct parse *p, const char *attached)
{
	if (attached && *attached)
		return attached;
	return p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
}

static bool mistake(const char *what, const char *option)
{
	say("clade-init: ", what, ": ", option);
	return false;
}

static bool with_value(struct parse *p, const char *option, const char *attached,
	bool (*use)(struct rules *, const char *))
{
	const char *v = value(p, attached);

	if (!v)
		return mistake("a value is missing", option);
	return use(p->r, v) || mistake(option, v);
}

static bool set_parent_death(struct rules *r, const char *word)
{
	r->parent_death = options_signal(word);
	return r->parent_death > 0;
}

static bool set_drain(struct rules *r, const char *word)
{
	r->drain_ms = duration_ms(word, strlen(word));
	return r->drain_ms >= 0;
}

static bool set_control(struct rules *r, const char *word)
{
	r->control = word;
	return *word == '/';
}

/* One letter; tail: what is left of the word behind it. Returns how it went; *ret_ate: the tail
 * too. */
static bool letter(struct parse *p, enum personality is, char c, const char *tail, bool *ret_ate)
{
	char name[3] = { '-', c, '\0' };

	*ret_ate = false;
	switch (c) {
	case 'g':
		p->r->target = TO_GROUP;
		return true;
	case 's':
		p->r->subreaper = true;
		return true;
	case 'w':
		p->r->warns = true;
		return true;
	case 'v':
		p->r->verbosity++;
		return true;
	case 'P':
		p->r->pause = true;
		return true;
	case 'c':
		if (is != DUMB_INIT)
			break;
		p->r->own_session = false;
		p->r->target = TO_CHILD;
		p->r->term_group_at_end = p->r->stops_with_it = false;
		return true;
	case 'r':
		*ret_ate = true;
		return with_value(p, name, tail, add_rewrite);
	case 'e':
		*ret_ate = true;
		return with_value(p, name, tail, expect);
	case 'p':
		*ret_ate = true;
		return with_value(p, name, tail, set_parent_death);
	}
	return mistake("unknown option", name);
}

static bool long_option(struct parse *p, enum personality is, const char *word)
{
	static const struct {
		const char *name;
		char letter;
		bool (*use)(struct rules *, const char *);
	} all[] = { { "group", 'g', NULL }, { "subreaper", 's', NULL }, { "warn", 'w', NULL },
		{ "pause", 'P', NULL }, { "verbose", 'v', NULL }, { "single-child", 'c', NULL },
		{ "rewrite", 0, add_rewrite }, { "expect", 0, expect }, { "map", 0, add_map },
		{ "stop", 0, add_stop }, { "drain", 0, set_drain }, { "control", 0, set_control },
		{ "pdeath", 0, set_parent_death } };
	size_t n = strcspn(word + 2, "=");
	const char *attached = word[2 + n] ? word + 3 + n : NULL;
	bool ate;

	if (n == 3 && strncmp(word + 2, "all", 3) == 0) {
		p->r->target = TO_ALL;
		return true;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strlen(all[i].name) != n || strncmp(all[i].name, word + 2, n) != 0)
			continue;
		if (all[i].use)
			return with_value(p, word, attached, all[i].use);
		if (attached)
			return mistake("takes no value", word);
		return letter(p, is, all[i].letter, "", &ate);
	}
	return mistake("unknown option", word);
}

static bool is_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v && strcmp(v, "0") != 0;
}

static void begin(struct rules *r, enum personality is)
{
	*r = (struct rules){ .drain_ms = -1, .own_group = true };
	if (is == TINI) {
		r->subreaper = getenv("TINI_SUBREAPER") != NULL;
		r->target = getenv("TINI_KILL_PROCESS_GROUP") ? TO_GROUP : TO_CHILD;
		r->verbosity = getenv("TINI_VERBOSITY") ? atoi(getenv("TINI_VERBOSITY")) : 1;
	} else if (is == DUMB_INIT) {
		const char *setsid = getenv("DUMB_INIT_SETSID");
		bool session = !(setsid && strcmp(setsid, "0") == 0);

		r->own_session = r->term_group_at_end = r->stops_with_it = session;
		r->target = session ? TO_GROUP : TO_CHILD;
		r->verbosity = is_set("DUMB_INIT_DEBUG");
	} else if (is == PAUSE) {
		r->pause = true;
	}
}

static void print_version(enum personality is)
{
	switch (is) {
	case TINI:
		print("tini version 0.19.0 (clade-init " CLADE_VERSION ") - git.clade\n");
		break;
	case DUMB_INIT:
		say("dumb-init v1.2.5 (clade-init ", CLADE_VERSION, ")", NULL);
		break;
	case CATATONIT: /* as docker info and podman read it */
		print("tini version 0.2.0_catatonit (clade-init " CLADE_VERSION ")\n");
		break;
	default:
		print("clade-init version " CLADE_VERSION "\n");
	}
}

static enum personality by_name(const char *name, bool *ret_known)
{
	const char *slash = strrchr(name, '/');

	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++) {
		if (strcmp(personalities[i].name, slash ? slash + 1 : name) == 0) {
			*ret_known = true;
			return personalities[i].is;
		}
	}
	*ret_known = false;
	return CLADE;
}

static bool is_version(enum personality is, const char *word)
{
	return strcmp(word, "--version") == 0 || (strcmp(word, "-V") == 0 && is != TINI);
}

enum option_result options_parse(
	int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code)
{
	struct parse p = { ret, argc, 1, argv };
	bool known;
	enum personality is = by_name(argc ? argv[0] : "", &known);

	if (argc > 2 && strcmp(argv[1], "--compat") == 0) {
		is = by_name(argv[2], &known);
		if (!known) {
			mistake("--compat knows tini, dumb-init, catatonit and pause, not",
				argv[2]);
			*ret_code = 1;
			return OPTIONS_MISTAKE;
		}
		p.at = 3;
	}
	begin(ret, is);
	*ret_code = is == CLADE ? 2 : 1;
	for (; p.at < argc && argv[p.at][0] == '-' && argv[p.at][1]; p.at++) {
		const char *word = argv[p.at];

		if (strcmp(word, "--") == 0) {
			p.at++;
			break;
		}
		if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 ||
			is_version(is, word)) {
			if (is_version(is, word))
				print_version(is);
			else
				print(help);
			*ret_code = 0;
			return OPTIONS_DONE;
		}
		if (word[1] == '-') {
			if (!long_option(&p, is, word))
				return OPTIONS_MISTAKE;
			continue;
		}
		for (const char *c = word + 1; *c; c++) {
			bool ate;

			if (!letter(&p, is, *c, c + 1, &ate))
				return OPTIONS_MISTAKE;
			if (ate)
				break;
		}
	}
	*ret_at = p.at;
	if (p.at < argc || ret->pause)
		return OPTIONS_RUN;
	say("clade-init: there is no program to run (--help says more)", NULL, NULL, NULL);
	return OPTIONS_MISTAKE;
}
