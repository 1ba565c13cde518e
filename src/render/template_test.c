/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "render/template.h"

static const char value[] = "{\"Name\":\"/one\",\"N\":3,\"Yes\":true,\"No\":false,\"Null\":null,"
			    "\"State\":{\"Pid\":7},\"Labels\":{\"a\":\"x\",\"b.c\":\"y\"},"
			    "\"List\":[\"p\",\"q\"],\"Deep\":[{\"K\":[1,2]}],\"Empty\":[]}";

static void same(const char *format, const char *wanted)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	const struct json *v;
	struct err e = { 0 };

	assert_int_equal(json_parse(value, strlen(value), &a, &v, &e), 0);
	if (template_print(format, v, false, &a, &t, &e) < 0)
		fail_msg("%s: %s", format, e.msg);
	assert_string_equal(t.p ? t.p : "", wanted);
}

static void refused(const char *format, const char *part)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	const struct json *v;
	struct err e = { 0 };

	assert_int_equal(json_parse(value, strlen(value), &a, &v, &e), 0);
	assert_true(template_print(format, v, false, &a, &t, &e) < 0);
	if (!strstr(e.msg, part))
		fail_msg("%s: \"%s\" does not say \"%s\"", format, e.msg, part);
}

static void test_values(void **state)
{
	(void)state;
	same("", "");
	same("a { b }} c", "a { b }} c");
	same("{{.Name}}{{ .N }}{{.Yes}}{{.Null}}", "/one3true<no value>");
	same("{{.State.Pid}} {{.State}} {{.List}}", "7 map[Pid:7] [p q]");
	same("{{json .State}}{{json .Name}}", "{\"Pid\":7}\"/one\"");
	same("{{.Labels.a}}{{.Labels.z}}{{index .Labels \"b.c\"}}{{index .Labels \"z\"}}",
		"x<no value>y");
	same("{{index .List 1}}{{(index .Deep 0).K}}{{index .Deep 0 \"K\" 1}}", "q[1 2]2");
	same("a \n {{- .N -}} \n b{{/* nothing */}}", "a3b");
	same("{{\"}}\"}}{{`\"`}}{{$.N}}", "}}\"3");
}

static void test_functions(void **state)
{
	(void)state;
	same("{{join .List \"-\"}}{{split \"a,b\" \",\"}}{{len .List}}{{len .Name}}", "p-q[a b]24");
	same("{{.Name | upper | lower}}{{title \"ab cd\"}}{{truncate .Name 2}}", "/oneAb Cd/o");
	same("{{printf \"%-4s|%3d|%q|%%\" \"a\" .N \"b\"}}{{println 1 2}}",
		"a   |  3|\"b\"|%1 2\n");
	same("{{eq .N 3}}{{eq .N 1 3}}{{ne .N 3}}{{lt .N 4}}{{not .Yes}}{{and .Yes .N}}{{or .No "
	     ".N}}",
		"truetruefalsetruefalse33");
}

static void test_control(void **state)
{
	(void)state;
	same("{{if .Yes}}a{{else}}b{{end}}{{if .No}}a{{else if .N}}c{{else}}d{{end}}", "ac");
	same("{{range .List}}<{{.}}>{{else}}none{{end}}{{range .Empty}}x{{else}}none{{end}}",
		"<p><q>none");
	same("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}{{range $i, $v := "
	     ".List}}{{$i}}{{end}}",
		"a=x;b.c=y;01");
	same("{{with .State}}{{.Pid}}{{$.N}}{{end}}{{with $x := .N}}{{$x}}{{end}}", "733");
	same("{{range .Deep}}{{range .K}}{{.}},{{end}}{{end}}", "1,2,");
	same("{{if .No}}{{range .List}}{{.}}{{end}}{{end}}z", "z");
}

static void test_mistakes(void **state)
{
	(void)state;
	refused("{{.Nothing}}", "no .Nothing");
	refused("{{.State.Nothing}}", "no .Nothing in .State");
	refused("{{.Name.Nothing}}", "no .Nothing");
	refused("{{.Name", "not closed");
	refused("{{\"x}}", "not closed");
	refused("{{}}", "missing");
	refused("{{if .Yes}}", "{{end}}");
	refused("{{end}}", "nothing to end");
	refused("{{range .Name}}{{end}}", "list");
	refused("{{nothing .}}", "no function nothing");
	refused("{{json}}", "other arguments");
	refused("{{index .List 9}}", "nothing at this place");
	refused("{{$x}}", "variable");
	refused("{{.Name .N}}", "not understood");
	refused("{{(.Name}}", "not closed");
	refused("{{printf \"%n\" .N}}", "printf");
}

static void test_depth(void **state)
{
	autotext deep = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		text_add(&deep, "{{if .Yes}}");
	refused(deep.p, "too deep");
	deep.len = 0;
	text_add(&deep, "{{");
	for (int i = 0; i < 1000; i++)
		text_add(&deep, "(");
	text_add(&deep, "}}");
	refused(deep.p, "too deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
