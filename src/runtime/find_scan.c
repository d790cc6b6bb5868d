/*
 * Finders that search writable memory: for the cookie of 3.13+, and for lists of interpreters that
 * close on themselves.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/progress.h"
#include "runtime/find.h"

#define SCAN_MAX ((uint64_t)4 << 30) /* bytes of memory that one finder looks through */

/*
 * Writable mappings that may hold an interpreter's static data: of Python-like modules in the first
 * round, all others in the second. The .bss of a module is an anonymous mapping between its first
 * and last address.
 */
static struct scry_module *owner(struct scry_search *search, const struct scry_map *map)
{
	for (struct scry_module *m = NULL; (m = scry_search_module(search, m));)
		if (scry_module_owns(m, map))
			return m;
	return NULL;
}

/* Takes the bytes that it looked at from *left: holes of a sparse dump cost nothing. */
typedef void scan_fn(struct scry_search *search, struct scry_module *m, scry_addr start,
		     scry_addr end, uint64_t *left);

/* The next run that is worth looking at, of at most *left bytes. */
static bool next_run(struct scry_search *search, scry_addr *at, scry_addr end, scry_addr *ret_stop,
		     uint64_t *left)
{
	if (!*left || !scry_data_next(search->s, at, end, ret_stop))
		return false;
	if (*ret_stop - *at > *left)
		*ret_stop = *at + *left;
	*left -= *ret_stop - *at;
	return true;
}

static void scan_maps(struct scry_search *search, scan_fn *scan)
{
	struct scry_target *t = search->s->target;
	uint64_t left = SCAN_MAX;

	for (size_t i = 0; i < t->map_count && left; i++) {
		const struct scry_map *map = &t->maps[i];
		struct scry_module *m = owner(search, map);

		if (!(map->flags & SCRY_MAP_WRITE) || (!m && !search->all))
			continue;
		if (!scry_going(search->s, SCRY_PASS_FIND, SCAN_MAX - left, 0))
			break;
		scan(search, m, map->start, map->end, &left);
	}
}

static void scan_cookie(struct scry_search *search, struct scry_module *m, scry_addr start,
			scry_addr end, uint64_t *left)
{
	/*
	 * put together here, so that our own memory does not hold it where a debugger looks at
	 * itself
	 */
	static const char tail[] = "debugpy";
	char cookie[8] = { 'x' };

	memcpy(cookie + 1, tail, 7);
	scry_addr at = start, stop = 0;

	while (at < stop || next_run(search, &at, end, &stop, left)) {
		size_t len = 0;
		const uint8_t *p = scry_view(search->s, at, &len);

		if (!p) {
			at = (at | 4095) + 1;
			continue;
		}
		if (len > stop - at)
			len = stop - at;
		const uint8_t *hit = memmem(p, len, cookie, 8);
		if (!hit) {
			at += len;
			continue;
		}
		at += (scry_addr)(hit - p);
		if (at % 8 == 0)
			scry_search_try(search, m, &(struct scry_roots) { .runtime = at });
		at += 8;
	}
}

void scry_find_by_cookie(struct scry_search *search)
{
	scan_maps(search, scan_cookie);
}

/* The layout that candidates are measured with; NULL where the module has no version. */
static const struct scry_layout *scan_layout(struct scry_search *search, struct scry_module *m)
{
	struct scry_flavour flavour = { 0 };
	struct scry_layout *l;

	if (search->measured == m)
		return search->scan_layout;
	search->measured = m;
	search->scan_layout = NULL;
	scry_flavour_detect(search->s, m, &(struct scry_roots) { 0 }, &flavour);
	l = flavour.version ? scry_arena_alloc(&search->s->arena, sizeof(*l)) : NULL;
	if (l && scry_layout_from_rows(&flavour, &search->s->target->abi, l) == SCRY_OK)
		search->scan_layout = l;
	return search->scan_layout;
}

/* interp->tstate_head->interp == interp: what no chance word does. */
static bool closes(struct scry_session *s, const struct scry_layout *l, scry_addr interp)
{
	scry_addr thread, back;

	return interp && interp % s->target->abi.ptr_size == 0 &&
	       scry_read_ptr(s, interp + l->slot[SCRY_F_INTERP_THREADS].offset, &thread) ==
		       SCRY_OK &&
	       thread && thread % s->target->abi.ptr_size == 0 &&
	       scry_read_ptr(s, thread + l->slot[SCRY_F_THREAD_INTERP].offset, &back) == SCRY_OK &&
	       back == interp;
}

/*
 * A word that points to such an interpreter is interpreters.head (3.7+: the next word, main, does
 * too) or the static interp_head. Other words point there as well (autoInterpreterState):
 * scry_search_try() measures each, and of several the one that stands first and whose list is not
 * shorter wins by being tried first.
 */
static void scan_words(struct scry_search *search, struct scry_module *m, scry_addr start,
		       scry_addr end, uint64_t *left)
{
	struct scry_session *s = search->s;
	const struct scry_layout *l = m ? scan_layout(search, m) : NULL;
	unsigned size = s->target->abi.ptr_size;
	uint8_t block[4096];

	scry_addr at = start, stop = 0;

	for (; l && !search->found && (at < stop || next_run(search, &at, end, &stop, left));
	     at += sizeof(block)) {
		size_t len = scry_read_some(s, at, block,
					    sizeof(block) < stop - at ? sizeof(block) : stop - at);

		for (size_t i = 0; i + size <= len; i += size) {
			scry_addr word = scry_load(block + i, size, s->target->abi.big_endian);

			if (word < 4096 || word >= (scry_addr)1 << 48 || !closes(s, l, word))
				continue;
			struct scry_roots roots = { .interp_head = at + i };

			if (l->slot[SCRY_F_RUNTIME_INTERP_HEAD].size) {
				scry_addr main;

				if (scry_read_ptr(s, at + i + size, &main) < 0 ||
				    !closes(s, l, main))
					continue;
				roots = (struct scry_roots) {
					.runtime =
						at + i - l->slot[SCRY_F_RUNTIME_INTERP_HEAD].offset
				};
			}
			if (scry_search_try(search, m, &roots))
				return;
		}
	}
}

/*
 * Chance finds likely words too: what has no dictionaries counts only where nothing better is
 * found.
 */
void scry_find_by_scan(struct scry_search *search)
{
	search->strict = true;
	scan_maps(search, scan_words);
	search->strict = false;
	if (!search->found)
		scan_maps(search, scan_words);
}
