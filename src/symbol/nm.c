/* Symbol maps: "ADDRESS [SIZE] TYPE NAME[@VERSION]" lines, addresses as in the file. */
#include "symbol/nm.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/locate.h"

#define MAX_MAP_SIZE (256u << 20)

struct entry {
	uint64_t value, size;
	const char *name;
	bool is_function;
};

struct scry_symbol_map {
	char *text;
	struct entry *entries; /* by address */
	size_t count, room;
};

static bool read_all(int fd, char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, text + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	size_t len = strcspn(word, " \t\r");

	*at = word + len;
	if (**at)
		*(*at)++ = 0;
	return len ? word : NULL;
}

/* At most 64 bits. */
static bool is_hex(const char *word, uint64_t *ret)
{
	char *end;

	if (!word || !isxdigit((unsigned char)*word) || strlen(word) > 16)
		return false;
	*ret = strtoull(word, &end, 16);
	return !*end;
}

/* Undefined symbols and all that is not nm's are refused. */
static bool parse_line(char *line, struct entry *ret)
{
	char *word = next_word(&line);

	*ret = (struct entry) { 0 };
	if (!is_hex(word, &ret->value))
		return false;
	char *type = next_word(&line);
	if (type && type[0] && type[1]) { /* nm -S */
		if (!is_hex(type, &ret->size))
			return false;
		type = next_word(&line);
	}
	char *name = next_word(&line);
	if (!type || type[1] || !strchr("AaBbCcDdGgiRrSsTtuVvWw", *type) || !name || !*name)
		return false;
	/* the version of a symbol, "memcpy@@GLIBC_2.14": callers ask for the name alone */
	if (strchr(name + 1, '@'))
		*strchr(name + 1, '@') = 0;
	ret->name = name;
	/* text, weak (which may be an object, too), ifunc */
	ret->is_function = strchr("TtWwi", *type) != NULL;
	return true;
}

static bool add_entry(struct scry_symbol_map *map, const struct entry *entry)
{
	if (map->count == map->room) {
		size_t room = map->room ? map->room * 2 : 4096;
		struct entry *entries = reallocarray(map->entries, room, sizeof(*entries));

		if (!entries)
			return false;
		map->entries = entries;
		map->room = room;
	}
	map->entries[map->count++] = *entry;
	return true;
}

static int by_value(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static void parse(struct scry_symbol_map *map)
{
	for (char *line = map->text, *next; line; line = next) {
		struct entry entry;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (parse_line(line, &entry) && !add_entry(map, &entry))
			break;
	}
	if (map->count)
		qsort(map->entries, map->count, sizeof(*map->entries), by_value);
}

void scry_symbol_map_open(struct scry_module *m)
{
	const char *dir = m->session->options.symbols;
	char path[PATH_MAX];
	struct stat st;

	if (m->map || !dir ||
	    snprintf(path, sizeof(path), "%s/%s.nm", dir, m->name) >= (int)sizeof(path))
		return;
	int fd = scry_open_regular(path);
	if (fd < 0)
		return;
	struct scry_symbol_map *map = calloc(1, sizeof(*map));
	if (map && !fstat(fd, &st) && st.st_size <= MAX_MAP_SIZE)
		map->text = calloc(1, (size_t)st.st_size + 1);
	if (map && map->text && read_all(fd, map->text, (size_t)st.st_size)) {
		parse(map);
		m->map = map;
	} else if (map) {
		scry_note(m->session, "cannot read the symbol map %s", path);
		free(map->text);
		free(map);
	}
	close(fd);
}

void scry_symbol_map_close(struct scry_module *m)
{
	if (!m->map)
		return;
	free(m->map->text);
	free(m->map->entries);
	free(m->map);
	m->map = NULL;
}

static int to_symbol(const struct scry_module *m, const struct entry *e, struct scry_symbol *ret)
{
	*ret = (struct scry_symbol) { e->name, m->bias + e->value, e->size, e->is_function };
	return SCRY_OK;
}

/* Asked for a few names of the interpreter's only: a table by name would take longer to make. */
int scry_symbol_map_find(struct scry_module *m, const char *name, struct scry_symbol *ret)
{
	const struct scry_symbol_map *map = m->map;

	for (size_t i = 0; map && i < map->count; i++)
		if (map->entries[i].name[0] == name[0] && !strcmp(map->entries[i].name, name))
			return to_symbol(m, &map->entries[i], ret);
	return SCRY_ENOTFOUND;
}

int scry_symbol_map_at(struct scry_module *m, scry_addr addr, struct scry_symbol *ret)
{
	const struct scry_symbol_map *map = m->map;
	size_t low = 0, high = map ? map->count : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->entries[mid].value <= addr - m->bias)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return SCRY_ENOTFOUND;
	to_symbol(m, &map->entries[low - 1], ret);
	/*
	 * nm without -S gives no sizes, but it lists all there is: a symbol reaches to the next one
	 */
	if (!ret->size)
		ret->size =
			(low < map->count ? m->bias + map->entries[low].value : m->end) - ret->addr;
	return SCRY_OK;
}
