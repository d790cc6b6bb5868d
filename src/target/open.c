/* A target's life: made, filled by its backend, refreshed, closed. */
#include "target/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "registry.h"
#include "target/dumpfile.h"

/*
 * All zeros but for the descriptor, of which 0 is a file: a backend that fails half-way is closed
 * like any other.
 */
struct scry_target *scry_target_new(struct scry_session *s, const struct scry_target_ops *ops)
{
	struct scry_target *t = calloc(1, sizeof(*t));

	if (!t) {
		scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
		return NULL;
	}
	t->ops = ops;
	t->session = s;
	t->file_fd = -1;
	return t;
}

void scry_target_close(struct scry_target *t)
{
	if (!t)
		return;
	/* a held process is let go before its tables are freed */
	scry_target_release(t);
	if (t->ops && t->ops->close)
		t->ops->close(t);
	if (t->file)
		munmap((void *)(uintptr_t)t->file, t->file_size);
	if (t->file_fd >= 0)
		close(t->file_fd);
	free(t->maps);
	free(t->modules);
	free(t->threads);
	scry_hash_done(&t->tids);
	scry_arena_done(&t->keep);
	free(t);
}

int scry_target_hold(struct scry_target *t)
{
	return t && t->ops->hold ? t->ops->hold(t) : SCRY_OK;
}

void scry_target_release(struct scry_target *t)
{
	if (t && t->ops && t->ops->release)
		t->ops->release(t);
}

void scry_target_read_anew(struct scry_target *t)
{
	t->readings++;
	if (t->ops->read_anew)
		t->ops->read_anew(t);
	scry_target_forget_view(t);
}

bool scry_target_set_aside(struct scry_target *t)
{
	scry_target_forget_view(t);
	return !t->ops->set_aside || t->ops->set_aside(t, true);
}

void scry_target_take_back(struct scry_target *t)
{
	if (t->ops->set_aside)
		t->ops->set_aside(t, false);
	scry_target_forget_view(t);
}

void scry_target_forget_view(struct scry_target *t)
{
	memset(t->seen, 0, sizeof(t->seen));
}

/*
 * The notes of opening (a cut core, a missing stream) hold as long as the target does, and the
 * session has forgotten them.
 */
int scry_target_refresh(struct scry_target *t)
{
	scry_target_forget_view(t);
	scry_hash_done(&t->tids);
	int rc = t->ops->refresh ? t->ops->refresh(t) : SCRY_OK;
	for (struct scry_note *n = t->notes; n; n = n->next)
		scry_note(t->session, "%s", n->text);
	return rc;
}

/* Kept twice: in the session for the answer under way, here for the answers after a refresh. */
void scry_target_note(struct scry_target *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	scry_note(t->session, "%s", text);
	struct scry_note *note = scry_arena_alloc(&t->keep, sizeof(*note));
	struct scry_note **end = &t->notes;
	if (!note || !(note->text = scry_arena_text(&t->keep, text, strlen(text))))
		return;
	while (*end)
		end = &(*end)->next;
	*end = note;
}

/* Room for one more of `size` bytes in the array at *array. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return true;
	size_t more = *room ? *room * 2 : 64;
	void *bigger = reallocarray(*array, more, size);
	if (!bigger)
		return false;
	*array = bigger;
	*room = more;
	return true;
}

bool scry_target_add_map(struct scry_target *t, const struct scry_map *map)
{
	if (!grow((void **)&t->maps, t->map_count, &t->map_room, sizeof(*t->maps)))
		return false;
	t->maps[t->map_count++] = *map;
	return true;
}

struct scry_os_thread *scry_target_add_thread(struct scry_target *t, uint64_t tid)
{
	if (!grow((void **)&t->threads, t->thread_count, &t->thread_room, sizeof(*t->threads)))
		return NULL;
	struct scry_os_thread *thread = &t->threads[t->thread_count++];
	*thread = (struct scry_os_thread) { .tid = tid };
	return thread;
}

/*
 * As d_path() writes a file that was deleted while it was mapped; its pages are still there, and
 * /proc/PID/map_files leads to it.
 */
bool scry_map_set_path(struct scry_target *t, struct scry_map *map, const char *path, size_t len)
{
	static const char mark[] = " (deleted)";
	const size_t mark_len = sizeof(mark) - 1;

	map->deleted = len > mark_len && !memcmp(path + len - mark_len, mark, mark_len);
	map->path = scry_arena_text(&t->keep, path, map->deleted ? len - mark_len : len);
	map->flags |= SCRY_MAP_FILE;
	return map->path != NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_map *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/*
 * A core lists segments by address, a hostile one as it likes, and some writers list a page twice:
 * the first keeps it, the rest of a later one is cut to what is new.
 */
void scry_target_sort_maps(struct scry_target *t)
{
	size_t kept = 0;
	scry_addr end = 0;
	bool sorted = true;

	for (size_t i = 1; i < t->map_count; i++)
		sorted = sorted && t->maps[i - 1].start <= t->maps[i].start;
	if (!sorted)
		qsort(t->maps, t->map_count, sizeof(*t->maps), by_start);
	for (size_t i = 0; i < t->map_count; i++) {
		struct scry_map map = t->maps[i];

		if (map.start < end) {
			map.offset += end - map.start;
			map.start = end;
		}
		if (map.start >= map.end)
			continue;
		end = map.end;
		t->maps[kept++] = map;
	}
	t->map_count = kept;
}

/* By content: names of dumps say nothing. */
static const struct scry_target_ops *find_format(const uint8_t *head, size_t len)
{
	for (size_t i = 0; scry_dump_formats[i]; i++)
		if (scry_dump_formats[i]->probe(head, len))
			return scry_dump_formats[i];
	return NULL;
}

int scry_target_open_dump(struct scry_session *s, const char *path)
{
	struct scry_target *t = scry_target_new(s, NULL);

	if (!t)
		return s->error.code;
	t->path = scry_arena_text(&t->keep, path, strlen(path));
	int rc = t->path ? scry_dumpfile_map(t) : scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (rc == SCRY_OK) {
		t->ops = find_format(t->file, t->file_size);
		rc = t->ops ? t->ops->open(t) : scry_dumpfile_foreign(t);
	}
	if (rc < 0) {
		scry_target_close(t);
		return rc;
	}
	s->target = t;
	return SCRY_OK;
}
