/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/rpc.h"

#include <limits.h>
#include <string.h>

static const char *rpc_fault_word(int code)
{
	static const struct {
		int code;
		const char *word;
	} words[] = { { UNKNOWN_METHOD, "UNKNOWN_METHOD" },
		{ INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS" },
		{ BAD_ARGUMENTS, "BAD_ARGUMENTS" },
		{ SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED" },
		{ SHUTDOWN_STATE, "SHUTDOWN_STATE" }, { BAD_NAME, "BAD_NAME" },
		{ BAD_SIGNAL, "BAD_SIGNAL" }, { NO_FILE, "NO_FILE" },
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

size_t rpc_escape(struct buf *b, const char *text, size_t n, bool all)
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

void rpc_put(struct client *c, const struct buf *xml)
{
	http_head(c, "200 OK", "text/xml");
	http_bytes(c, xml->text, xml->len);
}

void rpc_raw(struct client *c, const char *xml)
{
	struct buf b = { (char *)xml, strlen(xml), 0 };

	rpc_put(c, &b);
}

void rpc_begin(struct client *c)
{
	rpc_raw(c, c->calls ? "<value>"
			    : "<?xml version='1.0'?>\n<methodResponse><params><param><value>");
}

void rpc_end(struct client *c)
{
	rpc_raw(c, c->calls ? "</value>" : "</value></param></params></methodResponse>\n");
	c->rpc = RPC_SAID;
}

void rpc_fault(struct client *c, int code, const char *extra)
{
	char text[1024];
	struct buf b = BUF(text);

	text[0] = '\0';
	if (!c->calls)
		buf_add(&b, "<?xml version='1.0'?>\n<methodResponse><fault>");
	buf_add(&b,
		"<value><struct><member><name>faultCode</name><value><int>%d</int></value></member>"
		"<member><name>faultString</name><value><string>%s",
		code, rpc_fault_word(code));
	if (extra) {
		buf_add(&b, ": ");
		rpc_escape(&b, extra, strnlen(extra, 400), true);
	}
	buf_add(&b, "</string></value></member></struct></value>");
	if (!c->calls)
		buf_add(&b, "</fault></methodResponse>\n");
	rpc_put(c, &b);
	c->rpc = RPC_SAID;
}

void rpc_true(struct client *c)
{
	rpc_begin(c);
	rpc_raw(c, "<boolean>1</boolean>");
	rpc_end(c);
}

void rpc_string(struct client *c, const char *value)
{
	char text[600];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "<string>");
	rpc_escape(&b, value, strnlen(value, 400), true);
	buf_add(&b, "</string>");
	rpc_begin(c);
	rpc_put(c, &b);
	rpc_end(c);
}

void rpc_add_number(struct buf *b, const char *name, long value)
{
	buf_add(b, "<member><name>%s</name><value><int>%ld</int></value></member>", name,
		value > INT_MAX ? (long)INT_MAX : value);
}

void rpc_add_text(struct buf *b, const char *name, const char *value)
{
	buf_add(b, "<member><name>%s</name><value><string>", name);
	rpc_escape(b, value, strnlen(value, 400), true);
	buf_add(b, "</string></value></member>");
}

void rpc_add_bool(struct buf *b, const char *name, bool value)
{
	buf_add(b, "<member><name>%s</name><value><boolean>%d</boolean></value></member>", name,
		value);
}

void rpc_result(struct client *c, const struct service *s, int code)
{
	char text[1024];
	struct buf b = BUF(text);

	text[0] = '\0';
	buf_add(&b, "<value><struct>");
	rpc_add_text(&b, "name", s->def->name);
	rpc_add_text(&b, "group", s->def->group);
	rpc_add_number(&b, "status", code);
	rpc_add_text(&b, "description", rpc_fault_word(code));
	buf_add(&b, "</struct></value>");
	rpc_put(c, &b);
}
