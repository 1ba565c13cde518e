/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network a container is to have, and, with nothing left open, the one it has. As a file of
 * JSON it lies in the container's folder: "network" as asked for, "net" as it is while it lives.
 * All memory lies in the arena it was read into, or is lent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum want_mode {
	WANT_PRIVATE, /* of its own, outbound and published ports by pasta */
	WANT_NONE,    /* of its own, loopback alone */
	WANT_HOST,
	WANT_JOINED, /* another container's or a path's */
	WANT_BRIDGE, /* bridges by netavark: links says which */
};

struct want_words {
	const char **items;
	size_t n;
};

/* count ports one after the other: host + i is container + i. */
struct want_port {
	const char *host_ip; /* "": every address of the host */
	uint16_t host;	     /* 0: any that is free */
	uint16_t host_last;  /* one container port, and the first free one of host..host_last */
	uint16_t container, count;
	bool udp;
};

struct want_link {
	const char *network;
	const char *interface;	    /* "eth0" */
	const char *ip, *ip6, *mac; /* NULL: any */
	struct want_words aliases;
};

struct want {
	enum want_mode mode;
	bool asked; /* in so many words: it has to be there */
	bool publish_all;
	const char *hostname, *domainname;
	const char *mac;       /* WANT_PRIVATE; NULL: any */
	const char *container; /* its name, for other containers of a bridge */
	struct want_port *ports;
	size_t n_ports;
	struct want_link *links;
	size_t n_links;
	struct want_words dns, dns_search, dns_options;
	struct want_words hosts; /* "NAME IP", or "NAME host-gateway" */
};

const char *want_mode_word(enum want_mode m);
void want_word_add(struct arena *a, struct want_words *w, const char *word);

int want_read(int dir, const char *file, struct arena *a, struct want *ret, struct err *e);
struct text;
void want_dump(const struct want *w, struct text *t);

/* -p's value: "[IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/tcp|udp]", added to w. */
int want_port_parse(const char *text, struct arena *a, struct want *w, struct err *e);
/* --expose's and an image's: "80", "80-90/udp"; published on any free port. */
int want_expose_parse(const char *text, struct arena *a, struct want *w, struct err *e);

/* "0.0.0.0:8080->80/tcp" */
void want_port_text(const struct want_port *p, struct text *t);
