/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/stream.h"
#include "os/file.h"

struct pack {
	struct archive *out;
	struct archive_entry *entry;
};

static int complain(struct pack *p, const char *name, struct err *e)
{
	int code = archive_errno(p->out);

	return code > 0 ? err_set(e, code, "write %s", name)
			: err_say(e, "write %s: %s", name, archive_error_string(p->out));
}

struct pack *pack_open(int fd, struct err *e)
{
	struct pack *p = mem_alloc(sizeof(*p));

	p->out = archive_write_new();
	p->entry = archive_entry_new();
	archive_write_set_format_pax_restricted(p->out);
	archive_write_set_bytes_in_last_block(p->out, 1);
	if (archive_write_open_fd(p->out, fd) == ARCHIVE_OK)
		return p;
	complain(p, "the archive", e);
	archive_entry_free(p->entry);
	archive_write_free(p->out);
	free(p);
	return NULL;
}

static int header(struct pack *p, const char *name, int64_t size, struct err *e)
{
	archive_entry_clear(p->entry);
	archive_entry_set_pathname(p->entry, name);
	archive_entry_set_filetype(p->entry, AE_IFREG);
	archive_entry_set_perm(p->entry, 0644);
	archive_entry_set_size(p->entry, size);
	archive_entry_set_mtime(p->entry, 0, 0);
	return archive_write_header(p->out, p->entry) == ARCHIVE_OK ? 0 : complain(p, name, e);
}

int pack_fd(struct pack *p, const char *name, int fd, struct err *e)
{
	enum { BLOCK = 1 << 18 };
	autofree char *buf = mem_alloc(BLOCK);
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "look at %s", name);
	if (header(p, name, st.st_size, e) < 0)
		return -e->code;
	while ((n = read(fd, buf, BLOCK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read %s", name);
		if (archive_write_data(p->out, buf, (size_t)n) < 0)
			return complain(p, name, e);
	}
	return 0;
}

int pack_text(struct pack *p, const char *name, const char *text, size_t n, struct err *e)
{
	if (header(p, name, (int64_t)n, e) < 0)
		return -e->code;
	return archive_write_data(p->out, text, n) < 0 ? complain(p, name, e) : 0;
}

int pack_close(struct pack *p, int r, struct err *e)
{
	if (r < 0)
		archive_write_fail(p->out);
	else if (archive_write_close(p->out) != ARCHIVE_OK)
		r = complain(p, "the archive", e);
	archive_entry_free(p->entry);
	archive_write_free(p->out);
	free(p);
	return r;
}

int pack_plain(int from, int to, struct digest *ret, int *ret_filter, struct err *e)
{
	autostream s = stream_open(from, STREAM_PLAIN, e);

	if (!s)
		return -e->code;
	if (ret_filter)
		*ret_filter = archive_filter_code(s->raw, 0);
	for (;;) {
		const void *data;
		la_int64_t at;
		size_t n = 0;
		int r = archive_read_data_block(s->raw, &data, &n, &at);

		if (r == ARCHIVE_EOF)
			break;
		if (r < ARCHIVE_WARN)
			return err_say(e, "unpack: %s", archive_error_string(s->raw));
		digester_add(&s->unpacked, data, n);
		r = to < 0 ? 0 : file_write_all(to, data, n);
		if (r < 0)
			return err_set(e, -r, "write");
	}
	digester_end(&s->unpacked, ret);
	return 0;
}
