/* heap --diff: what has grown since an earlier answer, or beside another dump. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_read.h"
#include "command/heap_answer.h"

#define TEXT_MAX (1ull << 30) /* bytes of an answer */

/* --- reading an answer --- */

static bool read_type(struct scry_json_reader *r, struct scry_heap_answer *a)
{
	SCRY_AUTO_BUF(name);
	struct scry_heap_group g = { 0 };
	int64_t n;

	if (!scry_json_enter(r, SCRY_JSON_OBJECT))
		return false;
	while (scry_json_member(r)) {
		if (scry_json_key_is(r, "type")) {
			scry_json_take_text(r, &name);
		} else if (scry_json_key_is(r, "count")) {
			g.count = scry_json_take_int(r, &n) ? (uint64_t)n : 0;
		} else if (scry_json_key_is(r, "bytes")) {
			g.bytes = scry_json_take_int(r, &n) ? (uint64_t)n : 0;
		} else if (scry_json_key_is(r, "retained")) {
			g.has_retained = scry_json_take_int(r, &n);
			g.retained = g.has_retained ? (uint64_t)n : 0;
		} else {
			scry_json_skip(r);
		}
	}
	struct scry_arena *arena = &a->call->s->arena;
	struct scry_heap_group *list = scry_arena_grow(arena, a->before, a->before_count,
						       &a->before_room, sizeof(*list), 64);

	g.name = scry_arena_text(arena, name.text ? name.text : "", name.len);
	if (!list || !g.name)
		return false;
	a->before = list;
	a->before[a->before_count++] = g;
	return true;
}

static void read_heap(struct scry_json_reader *r, struct scry_heap_answer *a)
{
	int64_t n;

	if (!scry_json_enter(r, SCRY_JSON_OBJECT))
		return;
	while (scry_json_member(r)) {
		if (scry_json_key_is(r, "objects")) {
			a->before_objects = scry_json_take_int(r, &n) ? n : 0;
		} else if (scry_json_key_is(r, "bytes")) {
			a->before_bytes = scry_json_take_int(r, &n) ? n : 0;
		} else if (scry_json_key_is(r, "types") && scry_json_enter(r, SCRY_JSON_ARRAY)) {
			a->has_before = true;
			while (scry_json_element(r) && read_type(r, a))
				;
		} else if (!scry_json_key_is(r, "types")) {
			scry_json_skip(r);
		}
	}
}

static int read_answer(struct scry_heap_answer *a, const char *text, size_t len, const char *name)
{
	struct scry_json_reader r;

	scry_json_reader_init(&r, text, len);
	if (scry_json_enter(&r, SCRY_JSON_OBJECT))
		while (scry_json_member(&r)) {
			if (scry_json_key_is(&r, "heap"))
				read_heap(&r, a);
			else
				scry_json_skip(&r);
		}
	const char *failed = r.failed;

	scry_json_reader_done(&r);
	if (failed)
		return scry_fail(a->call->s, SCRY_EINVAL, 0, "%.200s is no JSON: %s", name, failed);
	return a->has_before ? SCRY_OK
			     : scry_fail(a->call->s, SCRY_EINVAL, 0,
					 "%.200s is not an answer of heap --json", name);
}

/* --- where it comes from --- */

/* The other dump says it itself: the same command in a session of its own. */
static int ask_other(struct scry_heap_answer *a, const char *path)
{
	const struct scry_options *o = &a->call->s->options;
	struct scry_session *other = scry_session_new();
	struct scry_buf *out = scry_buf_new(), *err = scry_buf_new();
	int rc = other && out && err ? SCRY_OK
				     : scry_fail(a->call->s, SCRY_ENOMEM, 0, "out of memory");

	if (rc == SCRY_OK && o->sysroot)
		scry_session_set(other, "sysroot", o->sysroot);
	if (rc == SCRY_OK && o->exe)
		scry_session_set(other, "exe", o->exe);
	if (rc == SCRY_OK && o->untrusted)
		scry_session_set(other, "untrusted", "1");
	if (rc == SCRY_OK && scry_session_open_dump(other, path) < 0)
		rc = scry_fail(a->call->s, SCRY_EINVAL, 0, "%.200s: %.300s", path,
			       scry_session_error(other));
	if (rc == SCRY_OK &&
	    scry_command_run(other, "heap", a->want_retained ? "--json --by retained" : "--json",
			     out, err) >= 2)
		rc = scry_fail(a->call->s, SCRY_EINVAL, 0, "%.200s: %.300s", path,
			       scry_session_error(other));
	if (rc == SCRY_OK)
		rc = read_answer(a, out->text, out->len, path);
	scry_buf_free(out);
	scry_buf_free(err);
	scry_session_free(other);
	return rc;
}

static int read_file(struct scry_heap_answer *a, FILE *file, uint64_t size, const char *path)
{
	char *text = size < TEXT_MAX ? malloc(size + 1) : NULL;
	size_t n = text ? fread(text, 1, size, file) : 0;
	int rc = text ? read_answer(a, text, n, path)
		      : scry_fail(a->call->s, SCRY_EINVAL, 0, "%.200s is too large", path);

	free(text);
	return rc;
}

/* An answer begins with a brace, which no dump does. */
static int read_other(struct scry_heap_answer *a, const char *path)
{
	struct stat st;
	FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
	int first, rc;

	if (!file)
		return scry_fail(a->call->s, SCRY_EINVAL, 0, "no file %.300s can be read", path);
	first = getc(file);
	rewind(file);
	rc = first == '{' ? read_file(a, file, (uint64_t)st.st_size, path) : ask_other(a, path);
	fclose(file);
	return rc;
}

/* --- growth --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct scry_heap_group *)a)->name,
		      ((const struct scry_heap_group *)b)->name);
}

static bool is_changed(const struct scry_heap_group *g)
{
	return g->count != g->before_count || g->bytes != g->before_bytes ||
	       g->retained != g->before_retained;
}

int scry_heap_diff(struct scry_heap_answer *a, const char *path)
{
	int rc = read_other(a, path);
	size_t n = 0, room = a->group_count + a->before_count + 1;
	struct scry_heap_group *all =
		rc == SCRY_OK ? scry_arena_alloc(&a->call->s->arena, room * sizeof(*all)) : NULL;

	if (rc < 0)
		return rc;
	if (!all)
		return scry_fail(a->call->s, SCRY_ENOMEM, 0, "out of memory");
	if (a->group_count)
		qsort(a->groups, a->group_count, sizeof(*a->groups), by_name);
	if (a->before_count)
		qsort(a->before, a->before_count, sizeof(*a->before), by_name);
	for (size_t i = 0, k = 0; i < a->group_count || k < a->before_count;) {
		int order = i == a->group_count    ? 1
			    : k == a->before_count ? -1
						   : by_name(&a->groups[i], &a->before[k]);
		struct scry_heap_group g = order <= 0 ? a->groups[i++]
						      : (struct scry_heap_group) {
								.name = a->before[k].name,
								.has_retained = a->want_retained,
							};

		if (order >= 0) {
			g.before_count = a->before[k].count;
			g.before_bytes = a->before[k].bytes;
			g.before_retained = a->want_retained ? a->before[k].retained : 0;
			k++;
		}
		g.diffed = true;
		if (is_changed(&g))
			all[n++] = g;
	}
	a->groups = all;
	a->group_count = n;
	a->diff = path;
	return SCRY_OK;
}
