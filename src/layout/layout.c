/* Names of structs and fields, from fields.def. */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "layout/sources.h"

#define STRUCT(s, title, names) { #s, title, names },
#define FIELD(s, f, names)
static const struct {
	const char *id, *title, *names;
} structs[SCRY_S_COUNT] = {
#include "layout/fields.def"
};
#undef STRUCT
#undef FIELD

#define STRUCT(s, title, names)
#define FIELD(s, f, names) { SCRY_S_##s, #f, names },
static const struct {
	uint16_t of;
	const char *id, *paths;
} fields[SCRY_F_COUNT] = {
#include "layout/fields.def"
};
#undef STRUCT
#undef FIELD

/*
 * "thread.next": constants that the preprocessor cannot spell in lower case, so they are spelt once
 * at run time
 */
static struct names {
	char text[48];
} field_names[SCRY_F_COUNT];
static enum scry_field first_fields[SCRY_S_COUNT + 1];

static void spell_names(void)
{
	for (int f = SCRY_F_COUNT - 1; f >= 0; f--) {
		char *text = field_names[f].text;
		size_t len = (size_t)snprintf(text, sizeof(field_names[f].text), "%s.",
					      structs[fields[f].of].title);

		for (const char *p = fields[f].id; *p && len < sizeof(field_names[f].text) - 1; p++)
			text[len++] = (char)tolower((unsigned char)*p);
		first_fields[fields[f].of] = (enum scry_field)f;
	}
	first_fields[SCRY_S_COUNT] = SCRY_F_COUNT;
}

static void names_ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, spell_names);
}

const char *scry_field_name(enum scry_field f)
{
	names_ready();
	return f < SCRY_F_COUNT ? field_names[f].text : "?";
}

enum scry_struct scry_field_struct(enum scry_field f)
{
	return f < SCRY_F_COUNT ? (enum scry_struct)fields[f].of : SCRY_S_COUNT;
}

enum scry_field scry_struct_first_field(enum scry_struct s)
{
	names_ready();
	return first_fields[s];
}

const char *scry_struct_name(enum scry_struct s)
{
	return s < SCRY_S_COUNT ? structs[s].title : "?";
}

enum scry_struct scry_struct_by_id(const char *id, size_t len)
{
	for (int s = 0; s < SCRY_S_COUNT; s++)
		if (strlen(structs[s].id) == len && memcmp(structs[s].id, id, len) == 0)
			return (enum scry_struct)s;
	return SCRY_S_COUNT;
}

const char *scry_struct_c_names(enum scry_struct s)
{
	return structs[s].names;
}

const char *scry_field_paths(enum scry_field f)
{
	return fields[f].paths;
}

int scry_field_path_rank(enum scry_field f, const char *path, size_t len)
{
	const char *p = fields[f].paths;

	for (int rank = 0;; rank++) {
		size_t n = strcspn(p, "|");

		if (n == len && memcmp(p, path, n) == 0)
			return rank;
		if (!p[n])
			return -1;
		p += n + 1;
	}
}

enum scry_field scry_field_by_path(enum scry_struct s, const char *path, size_t len)
{
	int f = scry_struct_first_field(s);

	for (; f < SCRY_F_COUNT && fields[f].of == s; f++)
		if (scry_field_path_rank((enum scry_field)f, path, len) >= 0)
			return (enum scry_field)f;
	return SCRY_F_COUNT;
}

void scry_layout_put(struct scry_layout *l, enum scry_field f, struct scry_slot slot,
		     enum scry_source source)
{
	if (l->slot[f].size || !slot.size)
		return;
	l->slot[f] = slot;
	l->field_source[f] = (uint8_t)source;
	if (l->source[fields[f].of] == SCRY_FROM_NOWHERE)
		l->source[fields[f].of] = (uint8_t)source;
}

const char *scry_source_name(enum scry_source source)
{
	static const char *const names[] = { "nowhere", "debug offsets", "DWARF", "member table",
					     "built-in row" };

	return (size_t)source < sizeof(names) / sizeof(*names) ? names[source] : "?";
}
