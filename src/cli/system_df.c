/* SPDX-License-Identifier: Apache-2.0 */
/* system df -v: every image, container and volume with what it takes. */
#include <string.h>

#include "base/cols.h"
#include "base/str.h"
#include "cli/images.h"

static const struct life_usage *of(const void *data)
{
	return data;
}

/* --- images ---------------------------------------------------------------------------------- */

static const struct life_image *image_at(const void *data, size_t row)
{
	return &of(data)->image_items[row];
}

/* The name that a person knows it by, cut at its tag or digest. */
static void add_name(const struct life_image *i, bool tag, struct text *t)
{
	const char *name = i->image.n_names ? ref_familiar(i->image.names[0]) : NULL;
	const char *slash = name ? strrchr(name, '/') : NULL, *end;

	if (!name) {
		text_add(t, "<none>");
		return;
	}
	end = strchr(slash ? slash : name, '@');
	if (!end)
		end = strrchr(slash ? slash : name, ':');
	if (tag)
		text_add(t, end && *end == ':' ? end + 1 : "<none>");
	else
		text_add_n(t, name, end ? (size_t)(end - name) : strlen(name));
}

static void image_repository(const void *data, size_t row, struct text *t)
{
	add_name(image_at(data, row), false, t);
}

static void image_its_tag(const void *data, size_t row, struct text *t)
{
	add_name(image_at(data, row), true, t);
}

static void image_id(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.12s", image_at(data, row)->image.id + strlen("sha256:"));
}

static void image_created(const void *data, size_t row, struct text *t)
{
	if (image_at(data, row)->created_ns)
		format_ago(t, image_at(data, row)->created_ns);
	else
		text_add(t, "N/A");
}

static void image_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, image_at(data, row)->bytes);
}

static void image_shared(const void *data, size_t row, struct text *t)
{
	format_bytes(t, of(data)->image_shared[row]);
}

static void image_unique(const void *data, size_t row, struct text *t)
{
	format_bytes(t, image_at(data, row)->bytes - of(data)->image_shared[row]);
}

static void image_containers(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", image_at(data, row)->containers);
}

static const struct col image_cols[] = {
	{ "repository", COL_TEXT, "its name", image_repository },
	{ "tag", COL_TEXT, "which of that name", image_its_tag },
	{ "id", COL_TEXT, "its ID", image_id, "image id" },
	{ "created", COL_TEXT, "how long ago", image_created },
	{ "size", COL_TEXT, "of its files", image_size },
	{ "shared", COL_TEXT, "in layers of others, too", image_shared, "shared size" },
	{ "unique", COL_TEXT, "in layers of its own", image_unique, "unique size" },
	{ "containers", COL_NUMBER, "how many use it", image_containers },
	{ 0 },
};

/* --- containers ------------------------------------------------------------------------------ */

static const struct life_info *container_at(const void *data, size_t row)
{
	return &of(data)->container_items[row];
}

static void container_id(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.12s", container_at(data, row)->id);
}

static void container_image(const void *data, size_t row, struct text *t)
{
	text_add(t, container_at(data, row)->image);
}

static void container_command(const void *data, size_t row, struct text *t)
{
	const char *command = container_at(data, row)->command;

	if (strlen(command) <= 20)
		text_addf(t, "\"%s\"", command);
	else
		text_addf(t, "\"%.19s…\"", command);
}

static void container_volumes(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", container_at(data, row)->n_volumes);
}

static void container_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, container_at(data, row)->own_bytes);
}

static void container_created(const void *data, size_t row, struct text *t)
{
	format_ago(t, container_at(data, row)->created_ns);
}

static void container_status(const void *data, size_t row, struct text *t)
{
	format_status(t, container_at(data, row));
}

static void container_names(const void *data, size_t row, struct text *t)
{
	text_add(t, container_at(data, row)->name);
}

static const struct col container_cols[] = {
	{ "id", COL_TEXT, "the short ID", container_id, "container id" },
	{ "image", COL_TEXT, "as it was named", container_image },
	{ "command", COL_TEXT, "what runs in it", container_command },
	{ "volumes", COL_NUMBER, "how many it has", container_volumes, "local volumes" },
	{ "size", COL_TEXT, "what it has changed", container_size },
	{ "created", COL_TEXT, "how long ago", container_created },
	{ "status", COL_TEXT, "state and since when", container_status },
	{ "names", COL_TEXT, "its name", container_names },
	{ 0 },
};

/* --- volumes --------------------------------------------------------------------------------- */

static void volume_name(const void *data, size_t row, struct text *t)
{
	text_add(t, of(data)->volume_items[row].volume.name);
}

static void volume_links(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", of(data)->volume_items[row].volume.links);
}

static void volume_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, of(data)->volume_items[row].bytes);
}

static const struct col volume_cols[] = {
	{ "name", COL_TEXT, "its name", volume_name, "volume name" },
	{ "links", COL_NUMBER, "how many containers have it", volume_links },
	{ "size", COL_TEXT, "of its files", volume_size },
	{ 0 },
};

/* --- all ------------------------------------------------------------------------------------- */

static void add_table(const struct col *cols, const char *title, const struct life_usage *u,
	size_t n, struct text *t)
{
	const struct col *all[16];
	struct cols_style style = { 0 };
	size_t i = 0;

	for (; cols[i].name; i++)
		all[i] = &cols[i];
	all[i] = NULL;
	text_addf(t, "%s%s:\n\n", t->len ? "\n" : "", title);
	cols_table(all, u, n, &style, t);
}

void cli_df_verbose(const struct life_usage *u, struct text *t)
{
	add_table(image_cols, "Images space usage", u, u->images, t);
	add_table(container_cols, "Containers space usage", u, u->containers, t);
	add_table(volume_cols, "Local Volumes space usage", u, u->volumes, t);
}
