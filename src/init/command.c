/* SPDX-License-Identifier: Apache-2.0 */
/* clade-init's own command line: options end at the first word. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "init/compat.h"
#include "init/options.h"
#include "init/tell.h"

/* --- values ---------------------------------------------------------------------------------- */

/* "TERM:QUIT", "15:3", "HUP:0" */
static bool add_rewrite(struct rules *r, const char *text)
{
	const char *colon = strchr(text, ':');
	int from = colon ? options_signal_of(text, (size_t)(colon - text)) : -1, to;

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
		step->signo = options_signal_of(text, name);
		step->wait_ms = name < n ? options_duration_ms(text + name + 1, n - name - 1) : -1;
		if (step->signo <= 0 || (name < n && step->wait_ms < 0))
			return false;
		r->n_stop++;
		text += n + (text[n] == ',');
	}
	return r->n_stop > 0;
}

/* "TERM:5s" */
static bool add_delay(struct rules *r, const char *text)
{
	const char *colon = strchr(text, ':');
	struct delay d = { 0 };

	if (!colon)
		return false;
	d.signo = options_signal_of(text, (size_t)(colon - text));
	d.wait_ms = options_duration_ms(colon + 1, strlen(colon + 1));
	for (int i = 0; d.signo > 0 && d.wait_ms >= 0 && i < DELAYS; i++) {
		if (r->delay[i].signo && r->delay[i].signo != d.signo)
			continue;
		r->delay[i] = d;
		return true;
	}
	return false;
}

/* "143=0" */
static bool add_map(struct rules *r, const char *text)
{
	const char *equals = strchr(text, '=');
	long from = equals ? options_number(text, (size_t)(equals - text), 255) : -1;
	long to = equals ? options_number(equals + 1, strlen(equals + 1), 254) : -1;

	if (from < 0 || to < 0)
		return false;
	r->exit_map[from] = (unsigned char)(to + 1);
	return true;
}

static bool add_expected(struct rules *r, const char *text)
{
	long code = options_number(text, strlen(text), 255);

	if (code < 0)
		return false;
	r->exit_map[code] = 1; /* to 0 */
	return true;
}

static bool set_parent_death(struct rules *r, const char *word)
{
	r->parent_death = options_signal(word);
	return r->parent_death > 0;
}

static bool set_drain(struct rules *r, const char *word)
{
	r->drain_ms = options_duration_ms(word, strlen(word));
	return r->drain_ms >= 0;
}

static bool set_orphans(struct rules *r, const char *word)
{
	static const char *const words[] = { "keep", "term", "kill" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		r->orphans = (enum orphans)i;
		return true;
	}
	return false;
}

static bool set_log(struct rules *r, const char *word)
{
	r->json = strcmp(word, "json") == 0;
	return r->json || strcmp(word, "text") == 0;
}

static bool set_preserve(struct rules *r, const char *word)
{
	long n = options_number(word, strlen(word), 1 << 20);

	r->preserve_fds = strcmp(word, "all") == 0 ? -1 : (int)n;
	return n >= 0 || r->preserve_fds == -1;
}

static bool set_control(struct rules *r, const char *word)
{
	r->control = word;
	return *word && strlen(word) < 108;
}

/* --- options --------------------------------------------------------------------------------- */

static void help(void)
{
	print(1, "Usage: clade-init [flags] [--] PROGRAM [ARG...]\n\n"
		 "PID 1 of a container: starts PROGRAM, reaps what comes home, passes signals on,\n"
		 "ends with its code.\n\n"
		 "  -g, --group            signals go to PROGRAM's process group\n"
		 "      --all              signals go to every process but this one\n"
		 "  -r, --rewrite FROM:TO  pass FROM on as TO; TO 0: not at all\n"
		 "      --delay FROM:TIME  pass FROM on when TIME has passed\n"
		 "      --stop STEPS       TERM:10s,INT:5s,KILL: on TERM or INT, one after the "
		 "other\n"
		 "      --drain TIME       when PROGRAM has ended, TERM the rest and wait so "
		 "long\n");
	print(1,
		"      --orphans WHAT     keep, term or kill whoever is adopted\n"
		"  -e, --expect CODE      make CODE a 0 (may be given again)\n"
		"      --map FROM=TO      make exit code FROM a TO\n"
		"  -p, --pdeath SIGNAL    as if SIGNAL came, when the parent dies\n"
		"  -s, --subreaper        adopt orphans (by itself when not PID 1)\n"
		"      --preserve-fds N   PROGRAM keeps N descriptors beyond the first three; all\n"
		"  -w, --warn             tell of each process that is reaped\n"
		"      --log FORMAT       text or json\n"
		"      --control PATH     a socket that clade-init ctl asks\n");
	print(1, "  -P, --pause            no program: reap and sleep until TERM or INT\n"
		 "      --compat NAME      the command line of tini, dumb-init, catatonit, pause\n"
		 "  -V, --version          show the version\n");
}

static bool use_flag(struct rules *r, char letter)
{
	switch (letter) {
	case 'g':
		r->target = TO_GROUP;
		return true;
	case 'a':
		r->target = TO_ALL;
		return true;
	case 's':
		return r->subreaper = true;
	case 'w':
		return r->warns = true;
	case 'v':
		r->verbosity++;
		return true;
	default:
		return r->pause = true;
	}
}

static const struct option {
	char letter; /* 'a': by its name only */
	const char *name;
	bool (*use)(struct rules *, const char *); /* NULL: no value */
} options[] = { { 'g', "group", NULL }, { 'a', "all", NULL }, { 's', "subreaper", NULL },
	{ 'w', "warn", NULL }, { 'v', "verbose", NULL }, { 'P', "pause", NULL },
	{ 'r', "rewrite", add_rewrite }, { 'e', "expect", add_expected },
	{ 'p', "pdeath", set_parent_death }, { 0, "map", add_map }, { 0, "stop", add_stop },
	{ 0, "delay", add_delay }, { 0, "drain", set_drain }, { 0, "orphans", set_orphans },
	{ 0, "log", set_log }, { 0, "preserve-fds", set_preserve }, { 0, "control", set_control } };

enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

struct parse {
	struct rules *r;
	int argc, at;
	char **argv;
};

static bool mistake(const char *what, const char *option)
{
	print(2, "clade-init: %s: %s\n", what, option);
	return false;
}

/* name: as it was written; attached: the value behind it, NULL: none. */
static bool use(struct parse *p, const struct option *o, const char *name, const char *attached)
{
	const char *value = attached;

	if (!o->use)
		return attached ? mistake("takes no value", name) : use_flag(p->r, o->letter);
	if (!value && p->at + 1 < p->argc)
		value = p->argv[++p->at];
	if (!value)
		return mistake("a value is missing", name);
	if (o->use(p->r, value))
		return true;
	print(2, "clade-init: %s: %s\n", name, value);
	return false;
}

static bool long_option(struct parse *p, const char *word)
{
	size_t n = strcspn(word + 2, "=");

	for (int i = 0; i < N_OPTIONS; i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, word + 2, n) == 0)
			return use(p, &options[i], word, word[2 + n] ? word + 3 + n : NULL);
	return mistake("unknown option", word);
}

static bool letters(struct parse *p, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		char name[3] = { '-', *c, '\0' };
		int i = 0;

		while (i < N_OPTIONS && (options[i].letter != *c || *c == 'a'))
			i++;
		if (i == N_OPTIONS)
			return mistake("unknown option", name);
		if (options[i].use)
			return use(p, &options[i], name, c[1] ? c + 1 : NULL);
		use(p, &options[i], name, NULL);
	}
	return true;
}

static enum command_result own(int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code)
{
	struct parse p = { ret, argc, 1, argv };

	*ret = (struct rules){ .drain_ms = -1, .own_group = true };
	*ret_code = 2;
	for (; p.at < argc && argv[p.at][0] == '-' && argv[p.at][1]; p.at++) {
		const char *word = argv[p.at];

		if (strcmp(word, "--") == 0) {
			p.at++;
			break;
		}
		if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			help();
			*ret_code = 0;
			return COMMAND_DONE;
		}
		if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
			print(1, "clade-init version " CLADE_VERSION "\n");
			*ret_code = 0;
			return COMMAND_DONE;
		}
		if (!(word[1] == '-' ? long_option(&p, word) : letters(&p, word)))
			return COMMAND_MISTAKE;
	}
	*ret_at = p.at;
	if (p.at < argc || ret->pause)
		return COMMAND_RUN;
	print(2, "clade-init: there is no program to run (--help says more)\n");
	return COMMAND_MISTAKE;
}

enum command_result command_parse(
	int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code)
{
	const char *path = argc ? argv[0] : "", *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t n = strlen(name);
	int shift = 0;
	enum personality as;
	enum command_result result;
	bool known;

	if (argc > 1 && strncmp(argv[1], "--compat", 8) == 0 &&
		(argv[1][8] == '=' || (!argv[1][8] && argc > 2))) {
		shift = argv[1][8] ? 1 : 2;
		name = argv[1][8] ? argv[1] + 9 : argv[2];
		n = strlen(name);
	}
	as = compat_by_name(name, n, &known);
	if (shift && !known) {
		mistake("--compat knows tini, dumb-init, catatonit and pause, not", name);
		*ret_code = 2;
		return COMMAND_MISTAKE;
	}
	if (shift) {
		/* the name is what is shown, as argv[0] would be */
		argv[shift] = (char *)name;
	}
	result = as == AS_CLADE
			 ? own(argc - shift, argv + shift, ret, ret_at, ret_code)
			 : compat_parse(as, argc - shift, argv + shift, ret, ret_at, ret_code);
	*ret_at += shift;
	return result;
}
