/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections of "key = value" lines, each with the file and line it stands in: clade-init-services(5)
 * and supervisord.conf. Sections and keys that stand twice are one, the later value counts
 * (Python's configparser, not strict).
 */
#pragma once

#include "init/services/text.h"

enum ini_style {
	INI_OWN,	/* "=" only; comments are lines of their own that begin with # or ; */
	INI_SUPERVISOR, /* "=" or ":"; a ; or # after a blank begins a comment, too; keys in any
			   case */
};

struct ini_key {
	const char *name, *value; /* continuation lines are joined by newlines */
	const char *file;
	int line;
	bool used; /* a reader took it */
	struct ini_key *next;
};

/* Sections of a file and keys of a section at most: they are searched one by one. */
enum { INI_MOST = 4096 };

struct ini_section {
	int n;		  /* keys */
	const char *name; /* between the brackets */
	const char *file;
	int line;
	struct ini_key *keys, **end;
	struct ini_section *next;
};

struct ini {
	int n; /* sections */
	struct ini_section *sections, **end;
	char error[512]; /* "file:line: what" */
};

void ini_init(struct ini *ini);
/* text: changed and kept for as long as ini; n bytes and a terminating NUL. false: ini->error. */
bool ini_parse(struct ini *ini, struct pool *p, enum ini_style style, const char *file, char *text,
	size_t n);

struct ini_section *ini_find(const struct ini *ini, const char *name);
/* Marks it used; NULL when there is none. */
struct ini_key *ini_get(struct ini_section *s, const char *name);
