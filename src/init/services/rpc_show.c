/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor's clients are shown: processes, their configuration, clade-init itself. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/services/rpc.h"

const char *rpc_log_of(const struct sv_def *d, int which)
{
	const struct sv_stream *to = which ? &d->err : &d->out;

	switch (to->kind) {
	case LOG_FILE:
		return to->path;
	case LOG_NULL:
	case LOG_SAME:
		return "";
	default:
		return to->target == 1 ? "/dev/stdout" : "/dev/stderr";
	}
}

/* --- processes ------------------------------------------------------------------------------- */

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
	rpc_add_text(&b, "name", s->def->name);
	rpc_add_text(&b, "group", s->def->group);
	rpc_add_number(&b, "start", (long)s->started);
	rpc_add_number(&b, "stop", (long)s->ended);
	rpc_add_number(&b, "now", (long)time(NULL));
	rpc_add_number(&b, "state", codes[s->state]);
	rpc_add_text(
		&b, "statename", s->state == SV_WAITING ? "STARTING" : services_word(s->state));
	rpc_add_text(&b, "spawnerr", failed ? words : "");
	rpc_add_number(&b, "exitstatus",
		s->pid || !s->ended	 ? 0
		: WIFSIGNALED(s->status) ? -1
					 : WEXITSTATUS(s->status));
	rpc_add_text(&b, "logfile", rpc_log_of(s->def, 0));
	rpc_add_text(&b, "stdout_logfile", rpc_log_of(s->def, 0));
	rpc_add_text(&b, "stderr_logfile", rpc_log_of(s->def, 1));
	rpc_add_number(&b, "pid", (long)s->pid);
	rpc_add_text(&b, "description", words);
	buf_add(&b, "</struct>");
	rpc_put(c, &b);
}

void rpc_process_info(struct client *c)
{
	const struct service *s = ctl_one(c->words[1]);

	if (!s) {
		rpc_fault(c, BAD_NAME, c->words[1]);
		return;
	}
	rpc_begin(c);
	info(c, s);
	rpc_end(c);
}

void rpc_all_info(struct client *c)
{
	rpc_begin(c);
	rpc_raw(c, "<array><data>");
	for (struct service *s = NULL; c->fd >= 0 && (s = ctl_next(s));) {
		rpc_raw(c, "<value>");
		info(c, s);
		rpc_raw(c, "</value>");
	}
	rpc_raw(c, "</data></array>");
	rpc_end(c);
}

/* --- their configuration --------------------------------------------------------------------- */

static void add_exit_codes(struct buf *b, const struct sv_rule *rule)
{
	buf_add(b, "<member><name>exitcodes</name><value><array><data>");
	for (int i = 0; i < 256; i++)
		if (rule->expected[i])
			buf_add(b, "<value><int>%d</int></value>", i);
	buf_add(b, "</data></array></value></member>");
}

static void add_stream(struct buf *b, const struct sv_def *d, int which)
{
	static const char *const names[2][6] = {
		{ "stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups",
			"stdout_capture_maxbytes", "stdout_events_enabled", "stdout_syslog" },
		{ "stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups",
			"stderr_capture_maxbytes", "stderr_events_enabled", "stderr_syslog" }
	};
	const struct sv_stream *to = which ? &d->err : &d->out;
	const char *path = rpc_log_of(d, which);

	rpc_add_text(b, names[which][0], *path ? path : "none");
	rpc_add_number(b, names[which][1], (long)to->max_bytes);
	rpc_add_number(b, names[which][2], to->backups);
	/* these keys are not carried out */
	rpc_add_number(b, names[which][3], 0);
	rpc_add_bool(b, names[which][4], false);
	rpc_add_bool(b, names[which][5], false);
}

static void config(struct client *c, const struct sv_def *d)
{
	char text[6144];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "<value><struct>");
	rpc_add_text(&b, "name", d->name);
	rpc_add_text(&b, "group", d->group);
	rpc_add_bool(&b, "inuse", d->at >= 0);
	rpc_add_bool(&b, "autostart", d->autostart);
	rpc_add_number(&b, "group_prio", d->rank);
	rpc_add_number(&b, "process_prio", d->priority);
	rpc_add_text(&b, "command", d->command ? d->command : d->argv[0]);
	rpc_add_text(&b, "directory", d->dir ? d->dir : "none");
	if (d->user.set)
		rpc_add_number(&b, "uid", (long)d->user.uid);
	else
		rpc_add_text(&b, "uid", "none");
	rpc_add_number(&b, "startsecs", (long)(d->ready_ms / 1000));
	rpc_add_number(&b, "startretries", d->rule.retries);
	rpc_add_number(&b, "stopsignal", d->stop[0].signo);
	rpc_add_number(&b, "stopwaitsecs", (long)(d->stop[0].wait_ms / 1000));
	rpc_add_bool(&b, "killasgroup", d->kill_group);
	rpc_add_bool(&b, "redirect_stderr", d->err.kind == LOG_SAME);
	rpc_add_text(&b, "serverurl", "none");
	add_stream(&b, d, 0);
	add_stream(&b, d, 1);
	rpc_put(c, &b);
	b.len = 0;
	add_exit_codes(&b, &d->rule);
	buf_add(&b, "</struct></value>");
	rpc_put(c, &b);
}

void rpc_all_config(struct client *c)
{
	const struct conf *conf = change_read();

	rpc_begin(c);
	rpc_raw(c, "<array><data>");
	for (const struct sv_def *d = NULL; c->fd >= 0 && (d = ctl_next_def(conf, d));)
		config(c, d);
	rpc_raw(c, "</data></array>");
	rpc_end(c);
}

/* --- clade-init itself ----------------------------------------------------------------------- */

void rpc_itself(struct client *c)
{
	const char *m = c->words[0];
	char text[300];
	struct buf b = BUF(text);

	text[0] = '\0';
	if (strcmp(m, "shutdown") == 0 || strcmp(m, "restart") == 0) {
		rpc_true(c);
		if (*m == 's')
			engine_end(0);
		else
			engine_restart();
	} else if (strcmp(m, "sendRemoteCommEvent") == 0) {
		rpc_true(c); /* also supervisor's answer when nobody listens */
	} else if (strcmp(m, "getPID") == 0) {
		buf_add(&b, "<int>%d</int>", (int)getpid());
		rpc_begin(c);
		rpc_put(c, &b);
		rpc_end(c);
	} else if (strcmp(m, "getState") == 0) {
		rpc_begin(c);
		rpc_raw(c, "<struct>");
		rpc_add_number(&b, "statecode", 1);
		rpc_add_text(&b, "statename", "RUNNING");
		rpc_put(c, &b);
		rpc_raw(c, "</struct>");
		rpc_end(c);
	} else {
		rpc_string(c, strcmp(m, "getIdentification") == 0      ? sv.now->set.identifier
			      : strcmp(m, "getSupervisorVersion") == 0 ? "4.2.5"
								       : "3.0");
	}
}
