/* SPDX-License-Identifier: Apache-2.0 */
#include "init/compat.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "init/options.h"
#include "init/tell.h"
#include "init/words.h"

static const struct {
	const char *name;
	enum personality is;
} names[] = { { "tini", AS_TINI }, { "tini-static", AS_TINI }, { "docker-init", AS_TINI },
	{ "dumb-init", AS_DUMB_INIT }, { "catatonit", AS_CATATONIT },
	{ "podman-init", AS_CATATONIT }, { "pause", AS_PAUSE }, { "clade-init", AS_CLADE } };

enum personality compat_by_name(const char *name, size_t n, bool *ret_known)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0) {
			*ret_known = true;
			return names[i].is;
		}
	}
	*ret_known = false;
	return AS_CLADE;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void license(void)
{
	print(1, "clade-init " CLADE_VERSION ", in the place of the program of this name\n\n"
		 "Licensed under the Apache License, Version 2.0:\n"
		 "<https://www.apache.org/licenses/LICENSE-2.0>\n");
}

/* --- tini ------------------------------------------------------------------------------------ */

/* docker info reads it: what stands behind " - git." is the commit */
#define TINI_VERSION "tini version 0.19.0 (clade-init " CLADE_VERSION ") - git.clade"

static void tini_usage(const char *path, int fd)
{
	const char *name = base(path);

	print(fd, "%s (" TINI_VERSION ")\nUsage: %s [OPTIONS] PROGRAM -- [ARGS] | --version\n\n",
		name, name);
	print(fd,
		"Execute a program under the supervision of a valid init process (%s)\n\n"
		"Command line options:\n\n"
		"  --version: Show version and exit.\n"
		"  -h: Show this help message and exit.\n"
		"  -s: Register as a process subreaper (requires Linux >= 3.4).\n"
		"  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".\n"
		"  -v: Generate more verbose output. Repeat up to 3 times.\n"
		"  -w: Print a warning when processes are getting reaped.\n"
		"  -g: Send signals to the child's process group.\n"
		"  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.\n"
		"  -l: Show license and exit.\n\n",
		name);
	print(fd, "Environment variables:\n\n"
		  "  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).\n"
		  "  TINI_VERBOSITY: Set the verbosity level (default: 1).\n"
		  "  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.\n\n");
}

/* Names only, with SIG, upper case. */
static int tini_signal(const char *word)
{
	int signo = strncmp(word, "SIG", 3) == 0 ? options_signal(word) : -1;

	for (const char *c = word; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			return -1;
	return signo > 0 && signo < 32 && options_signal_name(signo) && signo != SIGIO &&
			       signo != SIGPWR
		       ? signo
		       : -1;
}

/* strtol(3), whose libc's kin is large; what is too much is a million. */
static long integer(const char *s, const char **ret_end)
{
	bool negative;
	long n = 0;

	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	negative = *s == '-';
	s += *s == '-' || *s == '+';
	for (; *s >= '0' && *s <= '9'; s++)
		n = n < 100000 ? n * 10 + (*s - '0') : 1000000;
	*ret_end = s;
	return negative ? -n : n;
}

static bool tini_expect(struct rules *r, const char *word)
{
	const char *end;
	long code = integer(word, &end);

	if (*end || code < 0 || code > 255)
		return false;
	r->exit_map[code] = 1;
	return true;
}

static bool tini_bad(char letter, const char *value)
{
	print(2, "[FATAL tini (%d)] Not a valid option for -%c: %s\n", getpid(), letter, value);
	return false;
}

static bool tini_option(struct rules *r, int c, const char *value)
{
	switch (c) {
	case 's':
		r->subreaper = true;
		return true;
	case 'p':
		r->parent_death = tini_signal(value);
		return r->parent_death > 0 || tini_bad('p', value);
	case 'v':
		r->verbosity++;
		return true;
	case 'w':
		return r->warns = true;
	case 'g':
		r->target = TO_GROUP;
		return true;
	default:
		return tini_expect(r, value) || tini_bad('e', value);
	}
}

static enum command_result tini(struct words *w, struct rules *r, int *ret_code)
{
	const char *verbosity = getenv("TINI_VERBOSITY"), *end;
	int c;

	r->own_group = true;
	r->verbosity = 1;
	*ret_code = 0;
	if (w->argc == 2 && strcmp(w->argv[1], "--version") == 0) {
		print(1, TINI_VERSION "\n");
		return COMMAND_DONE;
	}
	w->letters = "p:hvwgle:s";
	w->permutes = !getenv("POSIXLY_CORRECT");
	while ((c = words_next(w)) != WORDS_END && c != WORDS_MISTAKE) {
		if (c == 'h') {
			tini_usage(w->argv[0], 1);
			return COMMAND_DONE;
		}
		if (c == 'l') {
			license();
			return COMMAND_DONE;
		}
		*ret_code = 1;
		if (!tini_option(r, c, w->value))
			return COMMAND_MISTAKE;
		*ret_code = 0;
	}
	if (getenv("TINI_SUBREAPER"))
		r->subreaper = true;
	if (getenv("TINI_KILL_PROCESS_GROUP"))
		r->target = TO_GROUP;
	if (verbosity)
		r->verbosity = (unsigned)integer(verbosity, &end);
	if (c == WORDS_END && w->at < w->argc)
		return COMMAND_RUN;
	tini_usage(w->argv[0], 2);
	*ret_code = 1;
	return COMMAND_MISTAKE;
}

/* --- dumb-init ------------------------------------------------------------------------------- */

#define DUMB_VERSION "dumb-init v1.2.5 (clade-init " CLADE_VERSION ")"

static const struct long_word dumb_words[] = { { "help", 'h', false },
	{ "single-child", 'c', false }, { "rewrite", 'r', true }, { "verbose", 'v', false },
	{ "version", 'V', false }, { 0 } };

static void dumb_help(const char *name)
{
	print(2,
		DUMB_VERSION
		"\nUsage: %s [option] command [[arg] ...]\n\n"
		"dumb-init is a simple process supervisor that forwards signals to children.\n"
		"It is designed to run as PID1 in minimal container environments.\n\n",
		name);
	print(2, "Optional arguments:\n"
		 "   -c, --single-child   Run in single-child mode.\n"
		 "                        In this mode, signals are only proxied to the\n"
		 "                        direct child and not any of its descendants.\n"
		 "   -r, --rewrite s:r    Rewrite received signal s to new signal r before "
		 "proxying.\n"
		 "                        To ignore (not proxy) a signal, rewrite it to 0.\n"
		 "                        This option can be specified multiple times.\n");
	print(2, "   -v, --verbose        Print debugging information to stderr.\n"
		 "   -h, --help           Print this help message and exit.\n"
		 "   -V, --version        Print the current version and exit.\n\n"
		 "Full help is available online at https://github.com/Yelp/dumb-init\n");
}

/* "15:3", "1:0"; in the superset's way by names and with real-time signals, too. */
static bool dumb_rewrite(struct rules *r, const char *word)
{
	const char *colon = strchr(word, ':');
	int from = colon ? options_signal_of(word, (size_t)(colon - word)) : -1, to;

	to = from > 0 && strcmp(colon + 1, "0") == 0 ? DROP
	     : from > 0				     ? options_signal(colon + 1)
						     : -1;
	if (to <= 0) {
		print(2, "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 "
			 "and 31.\n"
			 "This option can be specified multiple times.\n"
			 "Use --help for full usage.\n");
		return false;
	}
	r->rewrite[from] = (unsigned char)to;
	return true;
}

static enum command_result dumb_init(struct words *w, struct rules *r, int *ret_code)
{
	const char *debug = getenv("DUMB_INIT_DEBUG"), *session = getenv("DUMB_INIT_SETSID");
	int c;

	r->own_session = r->term_group_at_end = true;
	*ret_code = 1;
	w->letters = "hvVcr:";
	w->longs = dumb_words;
	while ((c = words_next(w)) != WORDS_END) {
		if (c == 'h' || c == 'V') {
			if (c == 'h')
				dumb_help(w->argv[0]);
			else
				print(2, DUMB_VERSION "\n");
			*ret_code = 0;
			return COMMAND_DONE;
		}
		if (c == WORDS_MISTAKE || (c == 'r' && !dumb_rewrite(r, w->value)))
			return COMMAND_MISTAKE;
		if (c == 'v')
			r->verbosity = 1;
		if (c == 'c')
			r->own_session = false;
	}
	if (w->at >= w->argc) {
		print(2, "Usage: %s [option] program [args]\nTry %s --help for full usage.\n",
			w->argv[0], w->argv[0]);
		return COMMAND_MISTAKE;
	}
	if (debug && strcmp(debug, "1") == 0) {
		r->verbosity = 1;
		print(2, "[dumb-init] Running in debug mode.\n");
	}
	if (session && strcmp(session, "0") == 0) {
		r->own_session = false;
		if (r->verbosity)
			print(2, "[dumb-init] Not running in setsid mode.\n");
	}
	r->target = r->own_session ? TO_GROUP : TO_CHILD;
	return COMMAND_RUN;
}

/* --- catatonit ------------------------------------------------------------------------------- */

static const struct long_word catatonit_words[] = { { "version", 'V', false }, { 0 } };

static void catatonit_usage(void)
{
	print(2, "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n");
}

static void catatonit_help(void)
{
	catatonit_usage();
	print(2, "\noptions:\n"
		 "  -g              Forward signals to pid1's process group.\n"
		 "  -h              Print this help page.\n"
		 "  -L              Print license information.\n"
		 "  -P              Run in pause mode (no program is run and quit on SIGINT).\n"
		 "  -V, --version   Print version information.\n\n"
		 "The source code can be found at <https://github.com/openSUSE/catatonit/>.\n"
		 "For bug reporting instructions, please see: <https://bugs.opensuse.org/>.\n");
}

static enum command_result catatonit(struct words *w, struct rules *r, int *ret_code)
{
	int c;

	r->own_group = r->subreaper = true;
	r->verbosity = getenv("CATATONIT_DEBUG") ? 1 : 0;
	*ret_code = 1;
	if (getenv("CATATONIT_LOG")) {
		print(2, "ERROR (catatonit:%d): CATATONIT_LOG is reserved for future use\n",
			getpid());
		return COMMAND_MISTAKE;
	}
	w->letters = "ghLPV";
	w->longs = catatonit_words;
	w->permutes = !getenv("POSIXLY_CORRECT");
	while ((c = words_next(w)) != WORDS_END) {
		if (c == 'g')
			r->target = TO_GROUP;
		if (c == 'P')
			r->pause = true;
		if (c == WORDS_MISTAKE) {
			catatonit_usage();
			return COMMAND_MISTAKE;
		}
		if (c != 'h' && c != 'L' && c != 'V')
			continue;
		if (c == 'h')
			catatonit_help();
		else if (c == 'L')
			license();
		else /* as docker info and podman read it */
			print(1, "tini version 0.2.0_catatonit (clade-init " CLADE_VERSION ")\n");
		*ret_code = 0;
		return COMMAND_DONE;
	}
	if (w->at < w->argc || r->pause)
		return COMMAND_RUN;
	print(2, "ERROR (catatonit:%d): missing program name\n", getpid());
	catatonit_usage();
	return COMMAND_MISTAKE;
}

/* --- Kubernetes' pause ----------------------------------------------------------------------- */

static enum command_result pause_(struct words *w, struct rules *r, int *ret_code)
{
	r->pause = true;
	*ret_code = 0;
	for (int i = 1; i < w->argc; i++) {
		if (strcasecmp(w->argv[i], "-v") == 0) {
			print(1, "pause.c (clade-init " CLADE_VERSION ")\n");
			return COMMAND_DONE;
		}
	}
	if (getpid() != 1)
		print(2, "Warning: pause should be the first process\n");
	return COMMAND_RUN;
}

enum command_result compat_parse(
	enum personality as, int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code)
{
	struct words w = { .argc = argc, .argv = argv, .at = 1 };
	enum command_result result;

	*ret = (struct rules){ .as = as, .drain_ms = -1, .preserve_fds = -1 };
	switch (as) {
	case AS_TINI:
		result = tini(&w, ret, ret_code);
		break;
	case AS_DUMB_INIT:
		result = dumb_init(&w, ret, ret_code);
		break;
	case AS_CATATONIT:
		result = catatonit(&w, ret, ret_code);
		break;
	default:
		result = pause_(&w, ret, ret_code);
	}
	*ret_at = w.at;
	return result;
}
