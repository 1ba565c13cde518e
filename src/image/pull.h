/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from registries. The transport is skopeo's (docs/decisions/skopeo.md), so logins, TLS,
 * mirrors, signature policy and proxies are what the user has configured for it already. What
 * it brings is verified here again: nothing unpacked is what its digest does not say.
 */
#pragma once

#include "image/add.h"
#include "image/ref.h"

struct pull_how {
	const char *platform, *authfile, *creds, *cert_dir, *tls_verify; /* NULL: not said */
	int bars; /* a terminal for skopeo's progress bars; FD_NONE: none */
	/* A line of progress ("HEX: Pull complete"); may be NULL. */
	void (*line)(void *data, const char *text);
	void *data;
};

struct pulled {
	struct image image;
	const char *name;   /* as it is kept: the registry it came from is in it */
	const char *digest; /* of what the registry calls it: an index's or a manifest's */
	bool is_new;	    /* was not here as it is now */
};

/* A repository's images, "REPOSITORY:TAG" each, as ret names them; r has no tag. In the arena. */
int image_tags(const struct image_data *d, const struct image_ref *r, const struct pull_how *how,
	struct arena *a, const char ***ret, size_t *ret_n, struct err *e);

int image_pull(const struct image_data *d, const struct image_ref *r, const struct pull_how *how,
	struct arena *a, struct pulled *ret, struct err *e);
