/* SPDX-License-Identifier: Apache-2.0 */
/* Which methods there are, and one call after the other. */
#include "init/services/rpc.h"

#include <string.h>

struct method {
	const char *name;
	void (*run)(struct client *c);
	int least, most;       /* values */
	const char *signature; /* what it returns, then what it takes */
	const char *help;
};

static void list_methods(struct client *c);
static void show_help(struct client *c);
static void show_signature(struct client *c);

#define PROCESS "A name is that of a process, or GROUP:NAME. "
#define WAIT	"With wait (default true) it answers when that has happened. "
#define OFFSETS                                                                                    \
	"A negative offset and a length of 0 mean the end of the log; a length of 0 all from the " \
	"offset on."

/* By name, as system.listMethods has them. */
static const struct method methods[] = {
	{ "supervisor.addProcessGroup", rpc_add_group, 1, 1, "boolean string",
		"Take a group of the configuration that was read last into service." },
	{ "supervisor.clearAllProcessLogs", rpc_clear, 0, 0, "array", "Empty all log files." },
	{ "supervisor.clearLog", rpc_clear_main, 0, 0, "boolean", "Empty the main log." },
	{ "supervisor.clearProcessLog", rpc_clear, 1, 1, "boolean string",
		"The same as clearProcessLogs." },
	{ "supervisor.clearProcessLogs", rpc_clear, 1, 1, "boolean string",
		"Empty the log files of a process." },
	{ "supervisor.getAPIVersion", rpc_itself, 0, 0, "string", "Version of this interface." },
	{ "supervisor.getAllConfigInfo", rpc_all_config, 0, 0, "array",
		"What is configured of every process." },
	{ "supervisor.getAllProcessInfo", rpc_all_info, 0, 0, "array", "What every process does." },
	{ "supervisor.getIdentification", rpc_itself, 0, 0, "string",
		"The identifier of the configuration." },
	{ "supervisor.getPID", rpc_itself, 0, 0, "int", "The process ID of clade-init." },
	{ "supervisor.getProcessInfo", rpc_process_info, 1, 1, "struct string",
		PROCESS "What it does." },
	{ "supervisor.getState", rpc_itself, 0, 0, "struct", "The state of clade-init." },
	{ "supervisor.getSupervisorVersion", rpc_itself, 0, 0, "string",
		"Version of the supervisor this stands for." },
	{ "supervisor.getVersion", rpc_itself, 0, 0, "string", "The same as getAPIVersion." },
	{ "supervisor.readLog", rpc_read_log, 2, 2, "string int int", "The main log. " OFFSETS },
	{ "supervisor.readMainLog", rpc_read_log, 2, 2, "string int int", "The same as readLog." },
	{ "supervisor.readProcessLog", rpc_read_log, 3, 3, "string string int int",
		"The same as readProcessStdoutLog." },
	{ "supervisor.readProcessStderrLog", rpc_read_log, 3, 3, "string string int int",
		"What a process wrote to standard error. " OFFSETS },
	{ "supervisor.readProcessStdoutLog", rpc_read_log, 3, 3, "string string int int",
		"What a process wrote to standard output. " OFFSETS },
	{ "supervisor.reloadConfig", rpc_reload_config, 0, 0, "array",
		"Read the configuration; answer with the groups that are new, changed, gone." },
	{ "supervisor.removeProcessGroup", rpc_remove_group, 1, 1, "boolean string",
		"Take a group that has stopped out of service." },
	{ "supervisor.restart", rpc_itself, 0, 0, "boolean", "Stop everything and begin again." },
	{ "supervisor.sendProcessStdin", rpc_feed, 2, 2, "boolean string string",
		PROCESS "Text for its standard input." },
	{ "supervisor.sendRemoteCommEvent", rpc_itself, 2, 2, "boolean string string",
		"An event for event listeners, of which there are none here." },
	{ "supervisor.shutdown", rpc_itself, 0, 0, "boolean", "Stop everything and end." },
	{ "supervisor.signalAllProcesses", rpc_act, 1, 1, "array string",
		"A signal for every process that runs." },
	{ "supervisor.signalProcess", rpc_act, 2, 2, "boolean string string",
		PROCESS "A signal for it." },
	{ "supervisor.signalProcessGroup", rpc_act, 2, 2, "array string string",
		"A signal for every process of a group that runs." },
	{ "supervisor.startAllProcesses", rpc_act, 0, 1, "array boolean",
		WAIT "Start every process." },
	{ "supervisor.startProcess", rpc_act, 1, 2, "boolean string boolean",
		PROCESS WAIT "Start it." },
	{ "supervisor.startProcessGroup", rpc_act, 1, 2, "array string boolean",
		WAIT "Start every process of a group." },
	{ "supervisor.stopAllProcesses", rpc_act, 0, 1, "array boolean",
		WAIT "Stop every process." },
	{ "supervisor.stopProcess", rpc_act, 1, 2, "boolean string boolean",
		PROCESS WAIT "Stop it." },
	{ "supervisor.stopProcessGroup", rpc_act, 1, 2, "array string boolean",
		WAIT "Stop every process of a group." },
	{ "supervisor.tailProcessLog", rpc_tail_log, 3, 3, "array string int int",
		"The same as tailProcessStdoutLog." },
	{ "supervisor.tailProcessStderrLog", rpc_tail_log, 3, 3, "array string int int",
		"As tailProcessStdoutLog, of standard error." },
	{ "supervisor.tailProcessStdoutLog", rpc_tail_log, 3, 3, "array string int int",
		"The end of what a process wrote to standard output, at most length bytes; the "
		"offset to ask with next; whether more than length bytes came since." },
	{ "system.listMethods", list_methods, 0, 0, "array", "The names of all methods." },
	{ "system.methodHelp", show_help, 1, 1, "string string", "What a method does." },
	{ "system.methodSignature", show_signature, 1, 1, "array string",
		"The type a method returns, and those it takes." },
	{ "system.multicall", NULL, 0, 0, "array array",
		"Several calls, each a struct of methodName and params, one after the other: an "
		"array of what each returns, or of a struct of faultCode and faultString." },
};

static const struct method *method_of(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

/* --- about the methods ----------------------------------------------------------------------- */

/* A word of n bytes, as an element of an array. */
static void add_element(struct client *c, const char *word, size_t n)
{
	char text[200];
	struct buf b = BUF(text);

	buf_add(&b, "<value><string>%.*s</string></value>", (int)n, word);
	rpc_put(c, &b);
}

static void list_methods(struct client *c)
{
	rpc_begin(c);
	rpc_raw(c, "<array><data>");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		add_element(c, methods[i].name, strlen(methods[i].name));
	rpc_raw(c, "</data></array>");
	rpc_end(c);
}

static void show_help(struct client *c)
{
	const struct method *m = method_of(c->words[1]);

	if (m)
		rpc_string(c, m->help);
	else
		rpc_fault(c, SIGNATURE_UNSUPPORTED, NULL);
}

static void show_signature(struct client *c)
{
	const struct method *m = method_of(c->words[1]);

	if (!m) {
		rpc_fault(c, SIGNATURE_UNSUPPORTED, NULL);
		return;
	}
	rpc_begin(c);
	rpc_raw(c, "<array><data>");
	for (const char *s = m->signature; *s; s += strcspn(s, " "), s += *s == ' ')
		add_element(c, s, strcspn(s, " "));
	rpc_raw(c, "</data></array>");
	rpc_end(c);
}

/* --- calls ----------------------------------------------------------------------------------- */

/* words: what to wait for is in c->n_pending; else it has been answered, but for its last words. */
static void call(struct client *c)
{
	static const char prefix[] = "supervisor.";
	const struct method *m = method_of(c->words[0]);

	c->rpc = RPC_SAID;
	c->wait = WAIT_NONE;
	if (!m) {
		rpc_fault(c, UNKNOWN_METHOD, NULL);
	} else if (!m->run) {
		rpc_fault(c, INCORRECT_PARAMETERS, "Recursive system.multicall forbidden");
	} else if (c->n_words - 1 < m->least || c->n_words - 1 > m->most) {
		rpc_fault(c, INCORRECT_PARAMETERS, NULL);
	} else if (strncmp(m->name, prefix, sizeof(prefix) - 1) != 0) {
		m->run(c);
	} else if (sv.mood != MOOD_RUNNING) {
		rpc_fault(c, SHUTDOWN_STATE, NULL);
	} else {
		c->words[0] = m->name + sizeof(prefix) - 1;
		m->run(c);
	}
}

void rpc_command(struct client *c)
{
	c->rpc = RPC_SAID;
	if (!rpc_read(c))
		rpc_fault(c, INCORRECT_PARAMETERS, NULL);
	else if (!c->calls)
		call(c);
	else
		rpc_raw(c, "<?xml version='1.0'?>\n<methodResponse><params><param><value><array>"
			   "<data>");
	if (!c->n_pending)
		ctl_finish(c);
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
		rpc_result(c, s, code);
	else
		c->fault = code;
	return true;
}

/* The last words of a call that had to wait, or of one about many. */
static void conclude(struct client *c)
{
	if (c->rpc == RPC_MANY) {
		rpc_raw(c, "</data></array>");
		rpc_end(c);
	} else if (c->rpc == RPC_ONE && c->fault == SUCCESS) {
		rpc_true(c);
	} else if (c->rpc == RPC_ONE) {
		rpc_fault(c, c->fault, c->words[1]);
	}
}

bool rpc_finish(struct client *c)
{
	int r;

	c->n_pending = 0; /* at the end of everything there may be some yet */
	conclude(c);
	while (c->calls && c->fd >= 0 && (r = rpc_read_next(c)) != 0) {
		if (r > 0)
			call(c);
		else
			rpc_fault(c, INCORRECT_PARAMETERS, c->n_words ? NULL : "No methodName");
		if (c->n_pending)
			return false;
		conclude(c);
	}
	if (c->calls) {
		c->calls = NULL;
		rpc_raw(c, "</data></array></value></param></params></methodResponse>\n");
	}
	return true;
}
