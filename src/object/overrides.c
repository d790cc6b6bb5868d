/* Methods that a class overrides, and descriptors. */
#include "object/overrides.h"

#include <string.h>

#include "object/item.h"
#include "object/known.h"
#include "object/mro.h"
#include "object/printer.h"

#define NAME_MAX_LENGTH 200
#define ASKED_MAX       400

/* --- what a __repr__ asks its object for --- */

struct asked {
	const char *name[ASKED_MAX];
	unsigned n, near; /* those that it asks for itself, or through one method, come first */
	const char *knows;
};

/* What every class's dict has, whoever made it. */
#define EVERYONES "__module__ __qualname__ __name__ __doc__ __dict__ __weakref__"

static bool is_among(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = words; p && (p = strstr(p, name)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static void ask(struct asked *a, const char *name)
{
	for (unsigned i = 0; i < a->n; i++)
		if (!strcmp(a->name[i], name))
			return;
	if (a->n < ASKED_MAX && *name && !is_among(EVERYONES, name) && !is_among(a->knows, name))
		a->name[a->n++] = name;
}

static void ask_words(struct scry_runtime *r, struct asked *a, const char *words)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");
		const char *name = scry_arena_text(&r->session->arena, p, n);

		if (name)
			ask(a, name);
		p += n + (p[n] == ' ');
	}
}

/* The names that a function's code loads. Globals are among them, which do no harm. */
static void ask_function(struct scry_runtime *r, struct asked *a, scry_addr function)
{
	scry_addr code, names, items, item;
	const char *name;
	uint64_t n;

	if (!scry_is_exactly(r, function, SCRY_IS_FUNCTION) ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code) < 0 ||
	    scry_field_read(r, code, SCRY_F_CODE_NAMES, &names) < 0 ||
	    scry_sequence(r, names, &n, &items) < 0)
		return;
	for (uint64_t i = 0; i < n && i < ASKED_MAX; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) == SCRY_OK &&
		    scry_text_at(r, item, NAME_MAX_LENGTH, &name) == SCRY_OK)
			ask(a, name);
}

static scry_addr function_of(struct scry_runtime *r, scry_addr value)
{
	enum scry_known known = scry_known_of(r, value);
	enum scry_field field = known == SCRY_IS_PROPERTY       ? SCRY_F_PROPERTY_GET
				: known == SCRY_IS_CLASSMETHOD  ? SCRY_F_CLASSMETHOD_CALLABLE
				: known == SCRY_IS_STATICMETHOD ? SCRY_F_STATICMETHOD_CALLABLE
								: SCRY_F_COUNT;

	return field == SCRY_F_COUNT ? value : scry_field_get(r, value, field);
}

/* What the methods behind the names from `from` on ask for; returns how many names were there. */
static unsigned ask_methods(struct scry_runtime *r, struct asked *a, scry_addr owner, unsigned from)
{
	unsigned end = a->n;
	scry_addr value;

	for (unsigned i = from; i < end; i++)
		if (scry_type_find(r, owner, a->name[i], &value, NULL) == SCRY_OK)
			ask_function(r, a, function_of(r, value));
	return end;
}

/* What the row says, what the code of the repr names, and what the methods of these names do. */
static void ask_all(struct scry_runtime *r, struct asked *a, const struct scry_type *t)
{
	a->knows = t->row->knows;
	ask_words(r, a, t->row->uses ? t->row->uses : "");
	if (t->repr_function) {
		ask(a, "__getattribute__");
		ask_function(r, a, t->repr_function);
	}
	unsigned done = ask_methods(r, a, t->repr_owner, 0);
	a->near = a->n;
	while (done < a->n)
		done = ask_methods(r, a, t->repr_owner, done);
}

/* Text, a number, None: what a printer finds as Python does. */
static bool is_plain(struct scry_runtime *r, scry_addr value)
{
	struct scry_type *t;
	enum scry_known known = scry_known_of(r, value);

	return known == SCRY_IS_NONE ||
	       (scry_type_for(r, value, &t) == SCRY_OK &&
		t->flags & (TYPE_INT | TYPE_LONG | TYPE_UNICODE | TYPE_BYTES));
}

/* Far down, where a class only sets a value (daemon = True of a Thread), the base's code copes. */
static bool has_any(struct scry_runtime *r, const struct scry_type *t, const struct asked *a)
{
	scry_addr dict = scry_type_dict(r, t), value;

	for (unsigned i = 0; i < a->n; i++) {
		bool far = i >= a->near;

		if (scry_dict_get(r, dict, a->name[i], &value) == SCRY_OK &&
		    !(far && is_plain(r, value)))
			return true;
	}
	return false;
}

static bool same_package(struct scry_runtime *r, scry_addr a, scry_addr b)
{
	const char *x = scry_type_module(r, a), *y = scry_type_module(r, b);
	size_t n = strcspn(x, "."), m = strcspn(y, ".");

	return n == m && !strncmp(x, y, n);
}

/* Has the class of the repr itself a say? Where the repr was made for it: what it does to all. */
static bool owner_has_any(struct scry_runtime *r, const struct scry_type *owner,
			  const struct asked *a, enum scry_repr_origin origin)
{
	struct asked all = { .name = { "__getattribute__" }, .n = 1, .near = 1 };

	return origin == SCRY_REPR_BORROWED ? has_any(r, owner, a)
	       : origin == SCRY_REPR_MADE   ? has_any(r, owner, &all)
					    : false;
}

bool scry_repr_overridden(struct scry_runtime *r, const struct scry_type *t,
			  enum scry_repr_origin origin)
{
	struct asked a = { .n = 0 };
	uint64_t it = 0;
	struct scry_type *c;
	scry_addr cls;

	if (t->repr_owner == t->addr && origin == SCRY_REPR_OWN)
		return false;
	ask_all(r, &a, t);
	while (scry_mro_next(r, t->addr, &it, &cls) == SCRY_ITEM) {
		if (scry_type_at(r, cls, &c) < 0 || !(c->flags & TYPE_HEAP))
			continue;
		if (cls == t->repr_owner)
			return owner_has_any(r, c, &a, origin);
		bool its_own = origin != SCRY_REPR_MADE && same_package(r, cls, t->repr_owner);
		if (!its_own && has_any(r, c, &a))
			return true;
	}
	return false;
}

const char *scry_type_own_method(struct scry_runtime *r, scry_addr type, const char *name)
{
	scry_addr value, owner;
	enum scry_known known;

	if (scry_type_lookup(r, type, name, &value, &owner) < 0)
		return NULL;
	known = scry_known_of(r, value);
	return known == SCRY_IS_WRAPPER_DESCRIPTOR || known == SCRY_IS_NONE ||
			       known == SCRY_IS_METHOD_DESCRIPTOR
		       ? NULL
		       : scry_type_short(r, owner);
}

static bool type_has(struct scry_runtime *r, scry_addr value, const char *name)
{
	scry_addr type, found;

	return scry_type_of(r, value, &type) == SCRY_OK &&
	       scry_type_lookup(r, type, name, &found, NULL) == SCRY_OK;
}

bool scry_is_own_descriptor(struct scry_runtime *r, scry_addr value)
{
	enum scry_known known = scry_known_of(r, value);

	return known == SCRY_IS_CTYPES_FIELD || known == SCRY_IS_LRU_CACHE ||
	       ((known == SCRY_IS_OTHER || known == SCRY_IS_PARTIAL) &&
		type_has(r, value, "__get__"));
}

/*
 * It has a __get__, and a __set__ or a __delete__: without the first an instance's own attribute
 * comes before it. Objects/object.c, _PyObject_GenericGetAttrWithDict()
 */
bool scry_is_data_descriptor(struct scry_runtime *r, scry_addr value)
{
	enum scry_known known = scry_known_of(r, value);

	if (known != SCRY_IS_OTHER)
		return known == SCRY_IS_PROPERTY || known == SCRY_IS_CTYPES_FIELD ||
		       known == SCRY_IS_MEMBER_DESCRIPTOR;
	return (type_has(r, value, "__set__") || type_has(r, value, "__delete__")) &&
	       type_has(r, value, "__get__");
}

/* --- what a container holds, without its class --- */

static void print_items(struct scry_printer *p, scry_addr addr, int64_t n)
{
	struct scry_item item;

	scry_buf_putc(p->out, '[');
	for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)n); i++) {
		if (scry_item_at(p->runtime, addr, i, &item) < 0)
			break;
		scry_print(p, item.addr);
	}
	scry_buf_putc(p->out, ']');
}

static void print_members(struct scry_printer *p, scry_addr addr, int64_t n)
{
	scry_addr value;
	uint64_t it = 0;

	scry_buf_putc(p->out, '{');
	for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)n); i++) {
		if (scry_set_next(p->runtime, addr, &it, &value) != SCRY_ITEM)
			break;
		scry_print(p, value);
	}
	scry_buf_putc(p->out, '}');
}

void scry_print_content(struct scry_printer *p, scry_addr addr, const struct scry_type *t,
			const struct scry_printer_row *row)
{
	int64_t n = scry_length(p->runtime, addr);
	bool set = scry_type_is(p->runtime, t->addr, SCRY_IS_SET) ||
		   scry_type_is(p->runtime, t->addr, SCRY_IS_FROZENSET);

	if (n < 0)
		return;
	scry_buf_puts(p->out, " holding ");
	if (row) {
		if (row->print(p, addr, t->addr) < 0)
			scry_printer_damage(p, addr);
	} else if (scry_printer_enter(p, addr, "...")) {
		if (set)
			print_members(p, addr, n);
		else
			print_items(p, addr, n);
		scry_printer_leave(p);
	}
}
