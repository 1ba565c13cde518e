/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/expand.h"

#include <stdlib.h>
#include <string.h>

enum { EXPANDED_MAX = 64 << 10 };

static bool look_up(
	const char *name, size_t n, const struct expand_name *names, struct expand_name *ret)
{
	char variable[256];

	for (; names->name; names++) {
		if (strlen(names->name) == n && strncmp(names->name, name, n) == 0) {
			*ret = *names;
			return true;
		}
	}
	if (n <= 4 || n >= sizeof(variable) || strncmp(name, "ENV_", 4) != 0)
		return false;
	memcpy(variable, name + 4, n - 4);
	variable[n - 4] = '\0';
	*ret = (struct expand_name){ name, getenv(variable), 0 };
	return ret->text != NULL;
}

/* "02d", "d", "s" behind the bracket; how many bytes that is, 0: none of them */
static size_t format(const char *f, size_t *ret_width, char *ret_fill)
{
	size_t n = 0;

	*ret_width = 0;
	*ret_fill = ' ';
	if (f[n] == '0') {
		*ret_fill = '0';
		n++;
	}
	for (; f[n] >= '0' && f[n] <= '9' && n < 3; n++)
		*ret_width = *ret_width * 10 + (size_t)(f[n] - '0');
	return f[n] == 's' || f[n] == 'd' ? n + 1 : 0;
}

static bool one(struct buf *out, const char **at, const struct expand_name *names, struct buf *what)
{
	const char *name = *at + 2, *close = strchr(name, ')');
	struct expand_name found;
	size_t width, used, begin, pad;
	char fill;

	used = close ? format(close + 1, &width, &fill) : 0;
	if (!used) {
		buf_add(what, "\"%.*s\" is no %%(name)s", 12, *at);
		return false;
	}
	if (!look_up(name, (size_t)(close - name), names, &found)) {
		buf_add(what, "there is no %%(%.*s)s; known are", (int)(close - name), name);
		for (; names->name; names++)
			buf_add(what, " %s", names->name);
		buf_add(what, " and ENV_x");
		return false;
	}
	if (close[used] == 'd' && found.text &&
		text_number(found.text, strlen(found.text), 1000000000) < 0) {
		buf_add(what, "%%(%.*s)d is not a number", (int)(close - name), name);
		return false;
	}
	begin = out->len;
	if (found.text)
		buf_add(out, "%s", found.text);
	else
		buf_add(out, "%ld", found.number);
	pad = out->len - begin < width ? width - (out->len - begin) : 0;
	if (pad && out->len + pad < out->size) {
		memmove(out->text + begin + pad, out->text + begin, out->len - begin + 1);
		memset(out->text + begin, fill, pad);
		out->len += pad;
	}
	*at = close + 1 + used;
	return true;
}

const char *expand(
	struct pool *p, const char *text, const struct expand_name *names, struct buf *what)
{
	static char room[EXPANDED_MAX];
	struct buf out = BUF(room);

	room[0] = '\0';
	while (*text) {
		size_t plain = strcspn(text, "%");

		buf_bytes(&out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (text[1] == '%') {
			buf_bytes(&out, "%", 1);
			text += 2;
		} else if (text[1] == '(') {
			if (!one(&out, &text, names, what))
				return NULL;
		} else {
			buf_add(what, "a single %% (write %%%%)");
			return NULL;
		}
	}
	if (out.len + 1 >= out.size) {
		buf_add(what, "longer than 64 KiB");
		return NULL;
	}
	return pool_text(p, out.text, out.len);
}
