/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry sends: manifests, indexes, configurations; and instructions of --change. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "image/change.h"
#include "image/manifest.h"
#include "image/ref.h"

static void manifest(const char *text, size_t n)
{
	const struct platform machine = { "linux", "amd64", "" };
	autoarena a = { 0 };
	struct manifest m;
	struct err e = { 0 };

	if (manifest_parse(text, n, &a, &m, &e) < 0) {
		PROMISE(e.msg[0]);
		return;
	}
	PROMISE(m.n <= MANIFEST_MAX_LAYERS);
	for (size_t i = 0; i < m.n; i++)
		PROMISE(ref_is_sha256(m.items[i].digest) && m.items[i].size >= 0);
	if (m.is_index)
		manifest_choose(&m, &machine);
	else
		PROMISE(ref_is_sha256(m.config.digest));
}

static void config(const char *text, size_t n)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct image_change change;
	struct image_config c;
	struct err e = { 0 };

	if (config_parse(text, n, &a, &c, &e) < 0) {
		PROMISE(e.msg[0]);
		return;
	}
	PROMISE(!c.cmd.items[c.cmd.n] && !c.env.items[c.env.n]);
	change_from(&change, &c, &a);
	json_begin(&w, NULL, '{');
	change_write(&change, &w);
	json_end(&w, '}');
}

static void change(const char *text)
{
	autoarena a = { 0 };
	struct image_change c = { 0 };
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	const struct json *all;
	struct err e = { 0 };

	if (change_apply(&c, text, &a, &e) < 0) {
		PROMISE(e.msg[0]);
		return;
	}
	json_begin(&w, NULL, '{');
	change_write(&c, &w);
	json_end(&w, '}');
	PROMISE(json_parse(t.p, t.len, &a, &all, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	PROMISE(text);
	memcpy(text, data, n);
	text[n] = '\0';
	manifest(text, n);
	config(text, n);
	change(text);
	free(text);
	return 0;
}
