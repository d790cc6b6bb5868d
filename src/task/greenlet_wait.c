/* Who will wake a greenlet: gevent 1.3 to 25 (compiled or not), eventlet 0.26 to 0.41. */
#include "task/greenlet_wait.h"
#include "object/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/model.h"
#include "object/item.h"

#define BASES_MAX   64
#define WORDS_MAX   64      /* of an instance of a compiled class */
#define ITEMS_MAX   1000000 /* of a list of waiters */
#define HOLDERS_MAX 50000000

/* What may be in an attribute. */
enum {
	CALLABLE = 1, /* somebody's switch() or throw() */
	LIST = 2,
	DEQUE = 4,
	SET = 8,     /* of those, of Waiters, or (DIRECT) of greenlets */
	DIRECT = 16, /* a greenlet, for its switch() */
	FIRST = 32,  /* the first of a tuple */
	PAIRS = 64,  /* the second of each item, which is a tuple */
	/* arguments of gevent.Timeout._on_expiration(): the greenlet, what is raised */
	TIMEOUT = 128,
	HUB = 256,    /* the greenlet of a hub */
	IS_HUB = 512, /* it is one itself */
};

/*
 * Attributes by which a class knows whom to wake. gevent's are compiled by Cython, which keeps no
 * offsets of attributes, and their order changed often: there every word of the class's own is
 * looked at, which is safe, since only switch() and throw() of greenlets and Waiters count. Its
 * modules were renamed, too: only the package counts.
 */
static const struct scry_holder_row {
	const char *package, *name, *attributes;
	uint16_t accept;
	enum scry_wait_rank rank;
} rows[] = {
	/* _abstract_linkable.py, greenlet.py (join), queue.py, libev/corecext.pyx or _ffi/ */
	{ "gevent.", "AbstractLinkable", "_links", LIST | DEQUE | SET, SCRY_WAIT_OBJECT },
	{ "gevent.", "Greenlet", "_links", LIST | DEQUE, SCRY_WAIT_OBJECT },
	{ "gevent.", "SimpleQueue", "getters putters", DEQUE | SET, SCRY_WAIT_OBJECT },
	{ "gevent.", "Queue", "getters putters", DEQUE | SET, SCRY_WAIT_OBJECT },
	{ "gevent.", "Channel", "getters putters", DEQUE | PAIRS, SCRY_WAIT_OBJECT },
	{ "gevent.", "watcher", "_callback args", CALLABLE | TIMEOUT, SCRY_WAIT_EVENT },
	{ "gevent.", "callback", "callback", CALLABLE, SCRY_WAIT_TURN },
	{ "gevent.", "Waiter", "greenlet", DIRECT, SCRY_WAIT_WAITER },
	{ "gevent.hub.", "Hub", "", IS_HUB, SCRY_WAIT_NOTHING },
	/* eventlet/event.py, semaphore.py, queue.py, hubs/hub.py, hubs/timer.py */
	{ "eventlet.event.", "Event", "_waiters", SET | DIRECT, SCRY_WAIT_OBJECT },
	{ "eventlet.semaphore.", "Semaphore", "_waiters", SET | DEQUE | DIRECT, SCRY_WAIT_OBJECT },
	{ "eventlet.queue.", "LightQueue", "getters putters", SET, SCRY_WAIT_OBJECT },
	{ "eventlet.queue.", "Waiter", "greenlet", DIRECT, SCRY_WAIT_WAITER },
	{ "eventlet.hubs.hub.", "FdListener", "cb", CALLABLE, SCRY_WAIT_EVENT },
	{ "eventlet.hubs.timer.", "Timer", "tpl", FIRST | CALLABLE, SCRY_WAIT_EVENT },
	{ "eventlet.hubs.hub.", "BaseHub", "greenlet", HUB, SCRY_WAIT_NOTHING },
};
static const struct scry_holder_row no_row = { NULL };

/* What is remembered of a type. */
struct known {
	const struct scry_holder_row *row;
	scry_addr base;
};

/* Is it a class of the package: "gevent.", "watcher" for gevent._ffi.watcher.watcher? */
static bool is_of(const char *full, const char *package, const char *name)
{
	const char *dot = strrchr(full, '.');

	return dot && !strncmp(full, package, strlen(package)) && !strcmp(dot + 1, name);
}

/* By its own type: a program's class of that name is another. */
static bool is_gevents(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr type = object % 4 ? 0 : scry_field_get(r, object, SCRY_F_OBJECT_TYPE);
	const char *full;

	return type && scry_type_full_name(r, type, &full) == SCRY_OK &&
	       is_of(full, "gevent.", name);
}

static struct known known_type(struct scry_runtime *r, scry_addr type)
{
	const char *full;

	for (unsigned depth = 0; type && depth < BASES_MAX; depth++) {
		bool known = scry_type_full_name(r, type, &full) == SCRY_OK;

		for (size_t i = 0; known && i < sizeof(rows) / sizeof(*rows); i++)
			if (is_of(full, rows[i].package, rows[i].name))
				return (struct known) { &rows[i], type };
		type = scry_field_get(r, type, SCRY_F_TYPE_BASE);
	}
	return (struct known) { &no_row, 0 };
}

static const struct known *type_of(struct scry_holders *h, scry_addr object)
{
	static const struct known none = { &no_row, 0 };
	struct scry_runtime *r = h->runtime;
	scry_addr type = scry_field_get(r, object, SCRY_F_OBJECT_TYPE);
	struct known *known = type ? scry_hash_find(&h->types, type) : NULL;

	if (known || !type)
		return known ? known : &none;
	if (scry_type_of(r, object, &type) < 0)
		return &none;
	known = scry_arena_alloc(&r->session->arena, sizeof(*known));
	if (!known)
		return &none;
	*known = known_type(r, type);
	scry_hash_put(&h->types, type, known);
	return known;
}

void scry_holder_note(struct scry_holders *h, scry_addr object)
{
	const struct known *known = type_of(h, object);

	if (known->row == &no_row || h->count >= HOLDERS_MAX)
		return;
	if (h->count == h->room) {
		size_t room = h->room * 2 + 64;
		struct scry_holder *more = realloc(h->list, room * sizeof(*more));

		if (!more)
			return;
		h->list = more;
		h->room = room;
	}
	h->list[h->count++] = (struct scry_holder) { object, known->row, known->base };
}

void scry_holders_done(struct scry_holders *h)
{
	free(h->list);
	scry_hash_done(&h->types);
	*h = (struct scry_holders) { 0 };
}

/* --- who is woken --- */

struct visit {
	struct scry_holders *h;
	struct scry_greenlets *all;
	const struct scry_holder *holder;
};

static bool is_named(struct scry_runtime *r, scry_addr method, const char *name)
{
	scry_addr func = scry_field_get(r, method, SCRY_F_METHOD_FUNC), at;
	const char *text;
	struct scry_type *t;

	if (scry_is_exactly(r, method, SCRY_IS_BUILTIN))
		func = method;
	else if ((text = scry_attr_text(r, func, "__name__")))
		return !strcmp(text, name);
	/* begins with a PyCFunctionObject */
	else if (scry_type_for(r, func, &t) < 0 ||
		 !scry_is_cythons(r, t, "cython_function_or_method"))
		return false;
	func = scry_field_get(r, func, SCRY_F_CFUNCTION_DEF);
	return scry_field_read(r, func, SCRY_F_METHOD_DEF_NAME, &at) == SCRY_OK &&
	       scry_read_cstr(r->session, at, 100, &text) == SCRY_OK && !strcmp(text, name);
}

static void record(struct visit *v, scry_addr greenlet, bool is_throw)
{
	struct scry_task *t = scry_hash_find(&v->all->tasks, greenlet);
	struct scry_greenlet *g = t ? t->detail : NULL;
	enum scry_wait_rank rank = v->holder->row->rank;

	if (!g || g->is_hub ||
	    (t->state != SCRY_TASK_SUSPENDED && t->state != SCRY_TASK_NOT_STARTED))
		return;
	if (is_throw) {
		g->timeout = v->holder->object;
		return;
	}
	if (rank < g->wait_rank)
		return;
	if (rank > g->wait_rank)
		g->wait_count = 0;
	for (size_t i = 0; i < g->wait_count; i++)
		if (g->waits[i] == v->holder->object)
			return;
	if (g->wait_count < SCRY_WAITS_MAX)
		g->waits[g->wait_count] = v->holder->object;
	g->wait_count++;
	g->wait_rank = rank;
	t->waits_for = g->waits[0];
}

static bool own_words(struct scry_runtime *r, scry_addr object, scry_addr base,
		      scry_addr *ret_words, unsigned *ret_count);

/* The greenlet in get() of a Waiter: the attribute, else the one word of a greenlet but no hub. */
static scry_addr waiting_in(struct visit *v, scry_addr waiter, const struct known *known)
{
	struct scry_runtime *r = v->h->runtime;
	scry_addr words[WORDS_MAX], found;
	unsigned count;

	if (scry_attr(r, waiter, "greenlet", &found) == SCRY_OK &&
	    scry_hash_find(&v->all->tasks, found))
		return found;
	if (!own_words(r, waiter, known->base, words, &count))
		return 0;
	for (unsigned i = 0; i < count; i++) {
		struct scry_task *t = scry_hash_find(&v->all->tasks, words[i]);
		const struct scry_greenlet *g = t ? t->detail : NULL;

		if (g && !g->is_hub)
			return t->addr;
	}
	return 0;
}

static void wake(struct visit *v, scry_addr item)
{
	struct scry_runtime *r = v->h->runtime;
	enum scry_kind kind = scry_kind_of(v->h->kinds, item);
	scry_addr self = item;
	bool is_method = kind == SCRY_KIND_BUILTIN || kind == SCRY_KIND_METHOD;

	if (kind == SCRY_KIND_BUILTIN)
		self = scry_field_get(r, item, SCRY_F_CFUNCTION_SELF);
	else if (kind == SCRY_KIND_METHOD)
		self = scry_field_get(r, item, SCRY_F_METHOD_SELF);
	if (!self)
		return;
	if (scry_hash_find(&v->all->tasks, self)) {
		if (is_method ? is_named(r, item, "switch") : v->holder->row->accept & DIRECT)
			record(v, self, false);
		else if (is_method && is_named(r, item, "throw"))
			record(v, self, true);
		return;
	}
	const struct known *known = type_of(v->h, self);
	if (known->row->rank == SCRY_WAIT_WAITER)
		record(v, waiting_in(v, self, known), false);
}

/* --- what a holder holds --- */

static void each_item(struct visit *v, scry_addr list, int64_t length)
{
	struct scry_runtime *r = v->h->runtime;
	struct scry_item item, second;

	for (int64_t i = 0; i < length && i < ITEMS_MAX; i++) {
		if (scry_item_at(r, list, i, &item) < 0)
			continue;
		if (v->holder->row->accept & PAIRS &&
		    scry_is_exactly(r, item.addr, SCRY_IS_TUPLE) &&
		    scry_length(r, item.addr) == 2 &&
		    scry_item_at(r, item.addr, 1, &second) == SCRY_OK)
			item = second;
		wake(v, item.addr);
	}
}

/* The Timeout whose method a watcher calls, 0 where it calls something else. */
static scry_addr timeout_of(struct visit *v)
{
	struct scry_runtime *r = v->h->runtime;
	scry_addr words[WORDS_MAX], self;
	unsigned count;

	if (!own_words(r, v->holder->object, v->holder->base, words, &count))
		count = scry_attr(r, v->holder->object, "_callback", &words[0]) == SCRY_OK;
	for (unsigned i = 0; i < count; i++)
		if (scry_kind_of(v->h->kinds, words[i]) == SCRY_KIND_METHOD &&
		    (self = scry_field_get(r, words[i], SCRY_F_METHOD_SELF)) &&
		    scry_type_is(r, scry_field_get(r, self, SCRY_F_OBJECT_TYPE), SCRY_IS_TIMEOUT))
			return self;
	return 0;
}

static void look_for_timeout(struct visit *v, scry_addr args)
{
	struct scry_item greenlet;
	struct scry_task *t;

	if (scry_length(v->h->runtime, args) != 2 ||
	    scry_item_at(v->h->runtime, args, 0, &greenlet) < 0)
		return;
	t = scry_hash_find(&v->all->tasks, greenlet.addr);
	if (t && t->state == SCRY_TASK_SUSPENDED)
		((struct scry_greenlet *)t->detail)->timeout = timeout_of(v);
}

static void look_at(struct visit *v, scry_addr value)
{
	struct scry_runtime *r = v->h->runtime;
	unsigned accept = v->holder->row->accept;
	struct scry_item first;
	struct scry_type *t;
	uint64_t it = 0;
	scry_addr item;

	if (!value || value % r->session->target->abi.ptr_size || scry_type_for(r, value, &t) < 0)
		return;
	if (accept & FIRST) {
		if (t->flags & TYPE_TUPLE && scry_length(r, value) > 0 &&
		    scry_item_at(r, value, 0, &first) == SCRY_OK)
			wake(v, first.addr);
	} else if (accept & TIMEOUT && t->flags & TYPE_TUPLE) {
		look_for_timeout(v, value);
	} else if (accept & LIST && t->flags & TYPE_LIST) {
		each_item(v, value, scry_length(r, value));
	} else if (accept & DEQUE && scry_known_type(t) == SCRY_IS_DEQUE) {
		each_item(v, value, scry_length(r, value));
	} else if (accept & SET && scry_known_type(t) == SCRY_IS_SET) {
		for (unsigned n = 0;
		     n < ITEMS_MAX && scry_set_next(r, value, &it, &item) == SCRY_ITEM; n++)
			wake(v, item);
	} else if (accept & (CALLABLE | DIRECT)) {
		wake(v, value);
	}
}

/*
 * Words of a compiled class's instances that its bases do not explain, without the object's head.
 */
static bool own_words(struct scry_runtime *r, scry_addr object, scry_addr base,
		      scry_addr *ret_words, unsigned *ret_count)
{
	unsigned ptr = r->session->target->abi.ptr_size,
		 head = (unsigned)r->layout->slot[SCRY_F_OBJECT_TYPE].offset + ptr;
	struct scry_type *t;

	*ret_count = 0;
	if (scry_type_at(r, base, &t) < 0 || t->flags & TYPE_HEAP || t->basicsize <= head)
		return false;
	for (uint64_t at = head; at + ptr <= t->basicsize && *ret_count < WORDS_MAX; at += ptr)
		if (scry_word(r, object + at, &ret_words[*ret_count]) == SCRY_OK)
			++*ret_count;
	return true;
}

static void look_into(struct visit *v)
{
	const struct scry_holder *holder = v->holder;
	struct scry_runtime *r = v->h->runtime;
	scry_addr words[WORDS_MAX], value;
	unsigned count;
	char name[32];

	if (own_words(r, holder->object, holder->base, words, &count)) {
		for (unsigned i = 0; i < count; i++)
			look_at(v, words[i]);
		return;
	}
	for (const char *p = holder->row->attributes; *p;) {
		size_t len = strcspn(p, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		if (scry_attr(r, holder->object, name, &value) == SCRY_OK)
			look_at(v, value);
		p += len + (p[len] == ' ');
	}
}

/* gevent.hub.Hub keeps its loop in a member of a compiled base. */
static scry_addr loop_of(struct scry_runtime *r, scry_addr hub)
{
	scry_addr words[WORDS_MAX], found, type = scry_field_get(r, hub, SCRY_F_OBJECT_TYPE);
	unsigned count;

	if (scry_attr(r, hub, "loop", &found) == SCRY_OK && is_gevents(r, found, "loop"))
		return found;
	for (unsigned depth = 0; type && depth < BASES_MAX; depth++) {
		if (own_words(r, hub, type, words, &count))
			break;
		type = scry_field_get(r, type, SCRY_F_TYPE_BASE);
	}
	for (unsigned i = 0; type && i < count; i++)
		if (is_gevents(r, words[i], "loop"))
			return words[i];
	return 0;
}

/* gevent's hub is a greenlet of a class of its own; eventlet's runs in one. */
static void find_hubs(struct visit *v, struct scry_holders *h, struct scry_task *first)
{
	for (struct scry_task *t = first; t; t = t->next) {
		struct scry_greenlet *g = t->detail;

		g->is_hub = (type_of(h, t->addr)->row->accept & IS_HUB) != 0;
		g->loop = g->is_hub ? loop_of(h->runtime, t->addr) : 0;
	}

	scry_addr greenlet;

	for (size_t i = 0; i < h->count; i++) {
		struct scry_task *t;

		if (!(h->list[i].row->accept & HUB) ||
		    scry_attr(h->runtime, h->list[i].object, "greenlet", &greenlet) < 0 ||
		    !(t = scry_hash_find(&v->all->tasks, greenlet)))
			continue;
		struct scry_greenlet *g = t->detail;
		g->is_hub = true;
		g->loop = h->list[i].object;
	}
}

void scry_greenlet_find_waits(struct scry_holders *h, struct scry_greenlets *all,
			      struct scry_task *first)
{
	struct visit v = { .h = h, .all = all };

	find_hubs(&v, h, first);
	for (size_t i = 0; i < h->count; i++) {
		v.holder = &h->list[i];
		if (!(v.holder->row->accept & (HUB | IS_HUB)))
			look_into(&v);
	}
}

/* --- what is told of it --- */

/*
 * class io of libev/corecext.pyx ends in a struct ev_io, to which one of its members points:
 * active, pending, priority, data, cb, next, fd, events (libev's ev.h).
 */
static bool libev_file(struct scry_runtime *r, scry_addr object, int64_t *ret_fd,
		       uint64_t *ret_events)
{
	unsigned ptr = r->session->target->abi.ptr_size, data = (12 + ptr - 1) / ptr * ptr,
		 file = data + 3 * ptr;
	scry_addr words[WORDS_MAX], callback, type = scry_field_get(r, object, SCRY_F_OBJECT_TYPE);
	struct scry_type *t;
	unsigned count, i;
	uint64_t fd;

	if (!own_words(r, object, type, words, &count) || scry_type_at(r, type, &t) < 0 ||
	    t->basicsize < file + 8)
		return false;
	scry_addr at = object + t->basicsize - file - 8;
	for (i = 0; i < count && words[i] != at; i++)
		;
	if (i == count || scry_word(r, at + data + ptr, &callback) < 0 ||
	    !scry_module_at(r->session, callback) ||
	    scry_read_uint(r->session, at + file, 4, &fd) < 0 || fd > INT32_MAX ||
	    scry_read_uint(r->session, at + file + 4, 4, ret_events) < 0)
		return false;
	*ret_fd = (int64_t)fd;
	return true;
}

bool scry_holder_file(struct scry_runtime *r, scry_addr object, int64_t *ret_fd,
		      const char **ret_events)
{
	static const char *const names[] = { NULL, "read", "write", "read write" };
	int64_t events = 0;
	uint64_t bits;

	*ret_events = NULL;
	if (scry_attr_int(r, object, "fileno", ret_fd) == SCRY_OK) { /* eventlet's listeners */
		*ret_events = scry_attr_text(r, object, "evtype");
		return *ret_events != NULL;
	}
	if (!is_gevents(r, object, "io"))
		return false;
	if (libev_file(r, object, ret_fd, &bits))
		events = (int64_t)bits;
	else if (scry_attr_int(r, object, "_fd", ret_fd) < 0)
		return false;
	else
		scry_attr_int(r, object, "_events", &events);
	*ret_events = names[events & 3];
	return true;
}

const char *scry_gevent_name(struct scry_runtime *r, scry_addr greenlet)
{
	scry_addr words[WORDS_MAX], type = scry_field_get(r, greenlet, SCRY_F_OBJECT_TYPE);
	struct known known = known_type(r, type);
	unsigned count;
	int64_t ident;

	if (known.row == &no_row || strcmp(known.row->name, "Greenlet"))
		return NULL;
	/* _ident is the last member of the compiled class */
	if (own_words(r, greenlet, known.base, words, &count)
		    ? !count || scry_int_value(r, words[count - 1], &ident) < 0
		    : scry_attr_int(r, greenlet, "_ident", &ident) < 0)
		return NULL;
	return scry_arena_printf(&r->session->arena, "Greenlet-%" PRId64, ident);
}
