/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor's XML-RPC: what is read of a call are its method and its plain values, and what is
 * said is sent as it is found. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/ctl.h"

enum fault {
	UNKNOWN_METHOD = 1,
	INCORRECT_PARAMETERS = 2,
	BAD_ARGUMENTS = 3,
	SHUTDOWN_STATE = 6,
	BAD_NAME = 10,
	BAD_SIGNAL = 11,
	NO_FILE = 20,
	NOT_EXECUTABLE = 21,
	FAILED = 30,
	ABNORMAL_TERMINATION = 40,
	SPAWN_ERROR = 50,
	ALREADY_STARTED = 60,
	NOT_RUNNING = 70,
	SUCCESS = 80,
	ALREADY_ADDED = 90,
	STILL_RUNNING = 91,
	CANT_REREAD = 92,
};

static const char *fault_word(int code)
{
	static const struct {
		int code;
		const char *word;
	} words[] = { { UNKNOWN_METHOD, "UNKNOWN_METHOD" },
		{ INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS" },
		{ BAD_ARGUMENTS, "BAD_ARGUMENTS" }, { SHUTDOWN_STATE, "SHUTDOWN_STATE" },
		{ BAD_NAME, "BAD_NAME" }, { BAD_SIGNAL, "BAD_SIGNAL" }, { NO_FILE, "NO_FILE" },
		{ NOT_EXECUTABLE, "NOT_EXECUTABLE" }, { FAILED, "FAILED" },
		{ ABNORMAL_TERMINATION, "ABNORMAL_TERMINATION" }, { SPAWN_ERROR, "SPAWN_ERROR" },
		{ ALREADY_STARTED, "ALREADY_STARTED" }, { NOT_RUNNING, "NOT_RUNNING" },
		{ ALREADY_ADDED, "ALREADY_ADDED" }, { STILL_RUNNING, "STILL_RUNNING" },
		{ CANT_REREAD, "CANT_REREAD" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].code == code)
			return words[i].word;
	return "OK";
}

/* --- what is said ---------------------------------------------------------------------------- */

/* How much of it was taken: at its end there may be half a character. */
static size_t add_text(struct buf *b, const char *text, size_t n, bool all)
{
	size_t i = 0;

	while (i < n && b->len + 8 < b->size) {
		unsigned char c = (unsigned char)text[i];
		size_t len = out_utf8((const unsigned char *)text + i, n - i);

		if (!len && !all && n - i < 4 && c >= 0xc2)
			break;
		if (!len || (c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 127)
			buf_add(b, "?");
		else if (c == '<' || c == '>' || c == '&')
			buf_add(b, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
		else
			buf_bytes(b, text + i, len);
		i += len ? len : 1;
	}
	return i;
}

static void put(struct client *c, const struct buf *b)
{
	http_head(c, "200 OK", "text/xml");
	http_bytes(c, b->text, b->len);
}

static void raw(struct client *c, const char *text)
{
	struct buf b = { (char *)text, strlen(text), 0 };

	put(c, &b);
}

static void begin(struct client *c)
{
	raw(c, "<?xml version='1.0'?>\n<methodResponse><params><param><value>");
}

static void end(struct client *c)
{
	raw(c, "</value></param></params></methodResponse>\n");
	c->rpc = RPC_SAID;
	ctl_finish(c);
}

static void fault(struct client *c, int code, const char *extra)
{
	char text[1024];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b,
		"<?xml version='1.0'?>\n<methodResponse><fault><value><struct><member><name>"
		"faultCode</name><value><int>%d</int></value></member><member><name>faultString"
		"</name><value><string>%s",
		code, fault_word(code));
	if (extra) {
		buf_add(&b, ": ");
		add_text(&b, extra, strnlen(extra, 400), true);
	}
	buf_add(&b, "</string></value></member></struct></value></fault></methodResponse>\n");
	put(c, &b);
	c->rpc = RPC_SAID;
	ctl_finish(c);
}

static void answer_true(struct client *c)
{
	begin(c);
	raw(c, "<boolean>1</boolean>");
	end(c);
}

static void answer_text(struct client *c, const char *value)
{
	char text[600];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "<string>");
	add_text(&b, value, strnlen(value, 400), true);
	buf_add(&b, "</string>");
	begin(c);
	put(c, &b);
	end(c);
}

static void member_number(struct buf *b, const char *name, long value)
{
	buf_add(b, "<member><name>%s</name><value><int>%ld</int></value></member>", name,
		value > INT_MAX ? (long)INT_MAX : value);
}

static void member_text(struct buf *b, const char *name, const char *value)
{
	buf_add(b, "<member><name>%s</name><value><string>", name);
	add_text(b, value, strnlen(value, 400), true);
	buf_add(b, "</string></value></member>");
}

static void member_bool(struct buf *b, const char *name, bool value)
{
	buf_add(b, "<member><name>%s</name><value><boolean>%d</boolean></value></member>", name,
		value);
}

/* --- processes ------------------------------------------------------------------------------- */

static const char *log_of(const struct service *s, int which)
{
	const struct sv_stream *d = which && s->def->err.kind == LOG_SAME ? NULL
				    : which				  ? &s->def->err
									  : &s->def->out;

	return !d		     ? ""
	       : d->kind == LOG_FILE ? d->path
	       : d->kind == LOG_NULL ? ""
	       : d->target == 1	     ? "/dev/stdout"
				     : "/dev/stderr";
}

static void info(struct client *c, const struct service *s)
{
	static const int codes[SV_STATES] = { [SV_STOPPED] = 0,
		[SV_WAITING] = 10,
		[SV_STARTING] = 10,
		[SV_RUNNING] = 20,
		[SV_BACKOFF] = 30,
		[SV_STOPPING] = 40,
		[SV_CLEARING] = 40,
		[SV_EXITED] = 100,
		[SV_FATAL] = 200 };
	char text[4096], words[300];
	struct buf b = BUF(text), w = BUF(words);
	bool failed = s->state == SV_BACKOFF || s->state == SV_FATAL;

	text[0] = words[0] = '\0';
	ctl_describe(&w, s);
	buf_add(&b, "<struct>");
	member_text(&b, "name", s->def->name);
	member_text(&b, "group", s->def->group);
	member_number(&b, "start", (long)s->started);
	member_number(&b, "stop", (long)s->ended);
	member_number(&b, "now", (long)time(NULL));
	member_number(&b, "state", codes[s->state]);
	member_text(&b, "statename", s->state == SV_WAITING ? "STARTING" : services_word(s->state));
	member_text(&b, "spawnerr", failed ? words : "");
	member_number(&b, "exitstatus",
		s->pid || !s->ended	 ? 0
		: WIFSIGNALED(s->status) ? -1
					 : WEXITSTATUS(s->status));
	member_text(&b, "logfile", log_of(s, 0));
	member_text(&b, "stdout_logfile", log_of(s, 0));
	member_text(&b, "stderr_logfile", log_of(s, 1));
	member_number(&b, "pid", (long)s->pid);
	member_text(&b, "description", words);
	buf_add(&b, "</struct>");
	put(c, &b);
}

static void feed(struct client *c)
{
	const struct service *s = ctl_one(c->words[1]);
	const char *data = c->n_words > 2 ? c->words[2] : "";

	if (!s)
		fault(c, BAD_NAME, c->words[1]);
	else if (!s->pid || s->state == SV_STOPPING)
		fault(c, NOT_RUNNING, c->words[1]);
	else if (*data && !spawn_feed(s, data, strlen(data)))
		fault(c, NO_FILE, c->words[1]);
	else
		answer_true(c);
}

static void process_info(struct client *c)
{
	const struct service *s = ctl_one(c->words[1]);

	if (!s) {
		fault(c, BAD_NAME, c->words[1]);
		return;
	}
	begin(c);
	info(c, s);
	end(c);
}

static void all_info(struct client *c)
{
	begin(c);
	raw(c, "<array><data>");
	for (struct service *s = NULL; c->fd >= 0 && (s = ctl_next(s));) {
		raw(c, "<value>");
		info(c, s);
		raw(c, "</value>");
	}
	raw(c, "</data></array>");
	end(c);
}

static void all_config(struct client *c)
{
	const struct conf *conf = change_read();

	begin(c);
	raw(c, "<array><data>");
	for (const struct sv_def *d = NULL; c->fd >= 0 && (d = ctl_next_def(conf, d));) {
		char text[3000];
		struct buf b = BUF(text);

		text[0] = '\0';
		buf_add(&b, "<value><struct>");
		member_text(&b, "name", d->name);
		member_text(&b, "group", d->group);
		member_bool(&b, "inuse", d->at >= 0);
		member_bool(&b, "autostart", d->autostart);
		member_number(&b, "group_prio", d->rank);
		member_number(&b, "process_prio", d->priority);
		member_text(&b, "command", d->argv[0]);
		member_text(&b, "directory", d->dir ? d->dir : "none");
		member_number(&b, "startsecs", (long)(d->ready_ms / 1000));
		member_number(&b, "startretries", d->rule.retries);
		member_number(&b, "stopsignal", d->stop[0].signo);
		member_number(&b, "stopwaitsecs", (long)(d->stop[0].wait_ms / 1000));
		member_bool(&b, "killasgroup", d->kill_group);
		member_bool(&b, "redirect_stderr", d->err.kind == LOG_SAME);
		buf_add(&b, "</struct></value>");
		put(c, &b);
	}
	raw(c, "</data></array>");
	end(c);
}

/* --- start, stop, signal --------------------------------------------------------------------- */

/* Of one of several: an element of the answer. */
static void result(struct client *c, const struct service *s, int code)
{
	char text[1024];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "<value><struct>");
	member_text(&b, "name", s->def->name);
	member_text(&b, "group", s->def->group);
	member_number(&b, "status", code);
	member_text(&b, "description", fault_word(code));
	buf_add(&b, "</struct></value>");
	put(c, &b);
}

bool rpc_came_out(struct client *c, const struct service *s)
{
	int code = SUCCESS;

	if (c->wait == WAIT_STOP) {
		if (s->state != SV_STOPPED && s->state != SV_EXITED && s->state != SV_FATAL)
			return false;
	} else if (s->state == SV_BACKOFF || s->state == SV_FATAL) {
		code = SPAWN_ERROR;
	} else if ((s->state == SV_STOPPED && !s->start_asked) ||
		   (s->state == SV_EXITED && !s->def->rule.oneshot)) {
		code = ABNORMAL_TERMINATION;
	} else if (s->state != SV_RUNNING && s->state != SV_EXITED) {
		return false;
	}
	if (c->rpc == RPC_MANY)
		result(c, s, code);
	else
		c->fault = code;
	return true;
}

void rpc_finish(struct client *c)
{
	if (c->rpc == RPC_MANY) {
		c->rpc = RPC_SAID;
		raw(c, "</data></array></value></param></params></methodResponse>\n");
	} else if (c->rpc == RPC_ONE) {
		c->rpc = RPC_SAID;
		if (c->fault == SUCCESS)
			answer_true(c);
		else
			fault(c, c->fault, c->words[1]);
	}
}

/* The fault that it is refused with, or 0. */
static int ask(struct client *c, struct service *s, bool wait)
{
	int can;

	if (c->wait == WAIT_STOP) {
		if (!ctl_is_running(s))
			return NOT_RUNNING;
		if (wait)
			ctl_wait_for(c, s);
		note(NOTE_INFO, "waiting for %s to stop", s->def->name);
		engine_ask_stop(s);
		return 0;
	}
	if (c->wait == WAIT_NONE) {
		int signo = options_signal(c->words[c->n_words - 1]);

		if (signo <= 0)
			return BAD_SIGNAL;
		if (s->pid <= 0)
			return NOT_RUNNING;
		service_send(s, signo, false);
		return 0;
	}
	can = spawn_can(s);
	if (can)
		return can == ENOENT ? NO_FILE : NOT_EXECUTABLE;
	if (ctl_is_running(s))
		return ALREADY_STARTED;
	if (wait)
		ctl_wait_for(c, s);
	engine_ask_start(s);
	return 0;
}

/* group "": all */
static void many(struct client *c, const char *group, bool wait)
{
	bool any = !*group;

	for (struct service *s = NULL; !any && (s = ctl_next(s));)
		any = strcmp(s->def->group, group) == 0;
	if (!any) {
		fault(c, BAD_NAME, group);
		return;
	}
	c->rpc = RPC_MANY;
	begin(c);
	raw(c, "<array><data>");
	for (struct service *s = NULL; c->fd >= 0 && (s = ctl_next(s));) {
		int code;

		if (*group && strcmp(s->def->group, group) != 0)
			continue;
		/* those that are as wanted already are not in the answer */
		if (c->wait == WAIT_START      ? ctl_is_running(s)
			: c->wait == WAIT_STOP ? !ctl_is_running(s)
					       : s->pid <= 0)
			continue;
		code = ask(c, s, wait);
		if (code || !wait || c->wait == WAIT_NONE)
			result(c, s, code ? code : SUCCESS);
	}
	if (!c->n_pending)
		ctl_finish(c);
}

/* startProcess, stopProcessGroup, signalAllProcesses and the like. */
static void act(struct client *c)
{
	const char *m = c->words[0];
	bool all = strstr(m, "All") != NULL, group = strstr(m, "Group") != NULL;
	const char *name = all ? "" : c->words[1], *colon = strchr(name, ':'), *last;
	int at = all ? 1 : 2, code;
	bool wait = c->n_words <= at || strcmp(c->words[at], "0") != 0;
	struct service *s;

	c->wait = *m == 's' && m[2] == 'a'   ? WAIT_START
		  : *m == 's' && m[2] == 'o' ? WAIT_STOP
					     : WAIT_NONE;
	last = colon ? colon + 1 : "x";
	if (!all && !group && colon && (!*last || strcmp(last, "*") == 0)) {
		((char *)name)[colon - name] = '\0';
		group = true;
	}
	if (all || group) {
		many(c, name, wait);
		return;
	}
	s = ctl_one(name);
	code = s ? ask(c, s, wait) : BAD_NAME;
	if (code) {
		fault(c, code, code == BAD_SIGNAL ? c->words[at] : name);
		return;
	}
	c->rpc = RPC_ONE;
	c->fault = SUCCESS;
	if (!c->n_pending)
		ctl_finish(c);
}

/* --- logs ------------------------------------------------------------------------------------ */

static void give(void *data, const char *text, size_t n)
{
	struct client *c = data;

	while (n && c->fd >= 0) {
		char room[2048];
		struct buf b = BUF(room);
		size_t took = add_text(&b, text, n, true);

		put(c, &b);
		text += took;
		n -= took;
	}
}

static bool give_file(struct client *c, const char *path, long offset, long length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	off_t at, to;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	at = offset < 0 ? st.st_size + offset : offset;
	at = at < 0 ? 0 : at;
	to = offset < 0 || !length || at + length > st.st_size ? st.st_size : at + length;
	while (at < to && c->fd >= 0) {
		char room[1024], text[5 * 1024 + 16];
		struct buf b = BUF(text);
		ssize_t n = pread(fd, room, to - at < 1024 ? (size_t)(to - at) : 1024, at);

		if (n <= 0)
			break;
		n = (ssize_t)add_text(&b, room, (size_t)n, at + n >= to);
		put(c, &b);
		at += n;
	}
	close(fd);
	return true;
}

static bool number(const char *word, long *ret)
{
	bool minus = *word == '-';

	*ret = text_number(word + minus, strlen(word + minus), INT_MAX);
	if (*ret < 0)
		return false;
	*ret = minus ? -*ret : *ret;
	return true;
}

static void read_log(struct client *c)
{
	bool main = strcmp(c->words[0], "readLog") == 0 || strcmp(c->words[0], "readMainLog") == 0;
	int at = main ? 1 : 2, which = strstr(c->words[0], "Stderr") != NULL;
	const struct service *s = main ? NULL : ctl_one(c->words[1]);
	const char *path = main ? note_file() : s ? log_of(s, which) : NULL;
	long offset, length;

	if (!main && !s) {
		fault(c, BAD_NAME, c->words[1]);
		return;
	}
	if (!number(c->words[at], &offset) || !number(c->words[at + 1], &length) || length < 0 ||
		(offset < 0 && length)) {
		fault(c, BAD_ARGUMENTS, NULL);
		return;
	}
	if (path && !*path) {
		fault(c, NO_FILE, NULL);
		return;
	}
	begin(c);
	raw(c, "<string>");
	if (!path || !give_file(c, path, offset, length)) {
		size_t n = offset < 0 ? (size_t)-offset : 1 << 20;

		if (main)
			note_tail(n, give, c);
		else
			out_ring(s, n, give, c);
	}
	raw(c, "</string>");
	end(c);
}

static void clear(struct client *c)
{
	bool all = strcmp(c->words[0], "clearAllProcessLogs") == 0;
	struct service *s = all ? NULL : ctl_one(c->words[1]);

	if (!all && !s) {
		fault(c, BAD_NAME, c->words[1]);
	} else if (!all && !out_clear(s)) {
		fault(c, FAILED, c->words[1]);
	} else if (!all) {
		answer_true(c);
	} else {
		c->rpc = RPC_MANY;
		begin(c);
		raw(c, "<array><data>");
		while (c->fd >= 0 && (s = ctl_next(s)))
			result(c, s, out_clear(s) ? SUCCESS : FAILED);
		ctl_finish(c);
	}
}

static void clear_log(struct client *c)
{
	note_clear();
	answer_true(c);
}

/* --- the configuration ----------------------------------------------------------------------- */

struct listing {
	struct client *c;
	enum change wanted;
};

static bool list_group(void *data, const char *group, enum change what)
{
	struct listing *l = data;
	char text[600];
	struct buf b = BUF(text);

	if (what != l->wanted)
		return true;
	text[0] = '\0';
	buf_add(&b, "<value><string>");
	add_text(&b, group, strnlen(group, 300), true);
	buf_add(&b, "</string></value>");
	put(l->c, &b);
	return true;
}

static void reload_config(struct client *c)
{
	static const enum change order[] = { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED };
	char text[1024];
	struct buf b = BUF(text);
	struct conf *next;

	text[0] = '\0';
	if (change_busy() || !change_load(&next, &b)) {
		fault(c, CANT_REREAD, text[0] ? text : "earlier changes are not done yet");
		return;
	}
	begin(c);
	raw(c, "<array><data><value><array><data>");
	for (size_t i = 0; i < 3; i++) {
		struct listing l = { c, order[i] };

		raw(c, "<value><array><data>");
		change_list(next, list_group, &l);
		raw(c, "</data></array></value>");
	}
	raw(c, "</data></array></value></data></array>");
	change_keep(next);
	end(c);
}

static void add_group(struct client *c)
{
	struct conf *next = change_read();
	bool active = false, known = false;

	for (int i = 0; i < sv.n; i++)
		active |= sv.all[i].def && strcmp(sv.all[i].def->group, c->words[1]) == 0;
	for (int i = 0; i < next->n; i++)
		known |= strcmp(next->defs[i].group, c->words[1]) == 0;
	if (!known || active) {
		fault(c, known ? ALREADY_ADDED : BAD_NAME, c->words[1]);
		return;
	}
	change_group(next, c->words[1], CHANGE_ADDED);
	answer_true(c);
}

static void remove_group(struct client *c)
{
	bool known = false, runs = false;

	for (int i = 0; i < sv.n; i++) {
		if (!sv.all[i].def || strcmp(sv.all[i].def->group, c->words[1]) != 0)
			continue;
		known = true;
		runs |= ctl_is_running(&sv.all[i]) || services_is_live(sv.all[i].state);
	}
	if (!known || runs) {
		fault(c, known ? STILL_RUNNING : BAD_NAME, c->words[1]);
		return;
	}
	change_group(sv.now, c->words[1], CHANGE_REMOVED);
	answer_true(c);
}

/* --- clade-init itself ----------------------------------------------------------------------- */

static void itself(struct client *c)
{
	const char *m = c->words[0];
	char text[300];
	struct buf b = BUF(text);

	text[0] = '\0';
	if (strcmp(m, "shutdown") == 0 || strcmp(m, "restart") == 0) {
		answer_true(c);
		if (*m == 's')
			engine_end(0);
		else
			engine_restart();
	} else if (strcmp(m, "getPID") == 0) {
		buf_add(&b, "<int>%d</int>", (int)getpid());
		begin(c);
		put(c, &b);
		end(c);
	} else if (strcmp(m, "getState") == 0) {
		begin(c);
		raw(c, "<struct>");
		member_number(&b, "statecode", 1);
		member_text(&b, "statename", "RUNNING");
		put(c, &b);
		raw(c, "</struct>");
		end(c);
	} else {
		answer_text(c, strcmp(m, "getIdentification") == 0	? sv.now->set.identifier
			       : strcmp(m, "getSupervisorVersion") == 0 ? "4.2.5"
									: "3.0");
	}
}

static const struct {
	const char *name;
	void (*run)(struct client *c);
	int least, most;
} methods[] = { { "getAPIVersion", itself, 0, 0 }, { "getVersion", itself, 0, 0 },
	{ "getSupervisorVersion", itself, 0, 0 }, { "getIdentification", itself, 0, 0 },
	{ "getState", itself, 0, 0 }, { "getPID", itself, 0, 0 }, { "shutdown", itself, 0, 0 },
	{ "restart", itself, 0, 0 }, { "getAllProcessInfo", all_info, 0, 0 },
	{ "getProcessInfo", process_info, 1, 1 }, { "getAllConfigInfo", all_config, 0, 0 },
	{ "sendProcessStdin", feed, 2, 2 }, { "startProcess", act, 1, 2 },
	{ "startProcessGroup", act, 1, 2 }, { "startAllProcesses", act, 0, 1 },
	{ "stopProcess", act, 1, 2 }, { "stopProcessGroup", act, 1, 2 },
	{ "stopAllProcesses", act, 0, 1 }, { "signalProcess", act, 2, 2 },
	{ "signalProcessGroup", act, 2, 2 }, { "signalAllProcesses", act, 1, 1 },
	{ "readLog", read_log, 2, 2 }, { "readMainLog", read_log, 2, 2 },
	{ "readProcessLog", read_log, 3, 3 }, { "readProcessStdoutLog", read_log, 3, 3 },
	{ "readProcessStderrLog", read_log, 3, 3 }, { "clearProcessLog", clear, 1, 1 },
	{ "clearProcessLogs", clear, 1, 1 }, { "clearAllProcessLogs", clear, 0, 0 },
	{ "clearLog", clear_log, 0, 0 }, { "reloadConfig", reload_config, 0, 0 },
	{ "addProcessGroup", add_group, 1, 1 }, { "removeProcessGroup", remove_group, 1, 1 } };

/* --- what is asked --------------------------------------------------------------------------- */

/* Entities, in place. */
static void decode(char *text)
{
	static const struct {
		const char *name;
		char c;
	} names[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' },
		{ "&apos;", '\'' } };
	char *to = text;

	while (*text) {
		size_t i = 0;

		while (i < 5 && strncmp(text, names[i].name, strlen(names[i].name)) != 0)
			i++;
		*to++ = i < 5 ? names[i].c : *text;
		text += i < 5 ? strlen(names[i].name) : 1;
	}
	*to = '\0';
}

/* The method and its values as words; false: none that we could read. */
static bool parse(struct client *c)
{
	char *p = strstr(c->body, "<methodName>"), *end;

	c->n_words = 0;
	if (!p || !(end = strchr(p += 12, '<')))
		return false;
	*end = '\0';
	c->words[c->n_words++] = p;
	for (p = end + 1; (p = strstr(p, "<value>"));) {
		char *inner;

		p += 7;
		inner = p + strspn(p, " \t\r\n");

		if (*inner == '<' && strncmp(inner, "</value>", 8) != 0) {
			if (strncmp(inner, "<array", 6) == 0 || strncmp(inner, "<struct", 7) == 0 ||
				!(p = strchr(inner, '>')))
				return false;
			p++;
			if (p[-2] == '/') {
				p[-2] = '\0';
				p -= 2;
			}
		}
		end = p + strcspn(p, "<");
		if (c->n_words == CTL_WORDS)
			return false;
		c->words[c->n_words++] = p;
		p = *end || end < c->request + c->n ? end + 1 : end;
		*end = '\0';
		decode((char *)c->words[c->n_words - 1]);
	}
	return true;
}

void rpc_command(struct client *c)
{
	c->rpc = RPC_SAID;
	if (!parse(c)) {
		fault(c, INCORRECT_PARAMETERS, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strncmp(c->words[0], "supervisor.", 11) != 0 ||
			strcmp(c->words[0] + 11, methods[i].name) != 0)
			continue;
		c->words[0] += 11;
		if (c->n_words - 1 < methods[i].least || c->n_words - 1 > methods[i].most)
			fault(c, INCORRECT_PARAMETERS, NULL);
		else if (sv.mood != MOOD_RUNNING)
			fault(c, SHUTDOWN_STATE, NULL);
		else
			methods[i].run(c);
		return;
	}
	fault(c, UNKNOWN_METHOD, NULL);
}
