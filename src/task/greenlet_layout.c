/*
 * The structs of the extension greenlet. Their members depend on its own version and on Python's:
 * src/greenlet/greenlet.h (up to 1.1), greenlet_greenlet.hpp (2.0 to 3.1.0) and TGreenlet.hpp
 * (3.1.1 to 3.5.3).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "layout/rows.h"
#include "object/known.h"
#include "object/model.h"
#include "task/greenlet.h"

#define FITS_MAX 1000 /* greenlets that are looked at */

/* Greenlet.__version__: "3.1.1", "1.0.0rc1"; the package's, or up to 0.4 the module's own. */
static bool find_version(struct scry_runtime *r, uint32_t *ret)
{
	static const char *const modules[] = { "greenlet", "greenlet._greenlet" };
	unsigned v[3] = { 0 };
	scry_addr module, version;
	const char *text;

	for (struct scry_interp *i = r->interps; i; i = i->next)
		for (size_t m = 0; m < sizeof(modules) / sizeof(*modules); m++)
			if (i->modules &&
			    scry_dict_get(r, i->modules, modules[m], &module) == SCRY_OK &&
			    scry_attr(r, module, "__version__", &version) == SCRY_OK &&
			    scry_text_at(r, version, 32, &text) == SCRY_OK &&
			    sscanf(text, "%3u.%3u.%3u", &v[0], &v[1], &v[2]) >= 2) {
				*ret = SCRY_VERSION_OF(v[0] & 0xff, v[1] & 0xff, v[2] & 0xff);
				return true;
			}
	return false;
}

/*
 * Members that some versions of greenlet have, built for some versions of Python: [since, until), 0
 * any.
 */
struct part {
	uint32_t since, until, python, python_until;
	const char *text;
};

#define V(major, minor, micro) SCRY_VERSION_OF(major, minor, micro)
#define PY(minor)              SCRY_VERSION_OF(3, minor)
/* typedef struct _greenlet, greenlet.h up to 1.1 */
static const struct part plain[] = {
	{ 0, 0, 0, 0,
	  "O p=stack_start p=stack_stop p=stack_copy p=stack_saved p p=parent p=run_info "
	  "p=top_frame 4" },
	{ V(1, 1, 3), 0, PY(11), 0, "[4]p" }, /* current_frame, datastack_* */
	{ 0, 0, 0, 0, "p" },                  /* weakreflist */
	{ V(0, 4, 14), 0, PY(7), 0, "p=exc_info @EXC_INFO=exc_state" },
	{ V(0, 4, 14), 0, 0, PY(7), "p p=exc_value p" },
	{ 0, V(0, 4, 14), 0, 0, "p p=exc_value p" },
	{ 0, 0, 0, 0, "p=dict" },
	{ V(0, 4, 17), 0, PY(7), 0, "p=context" },
};
/* class Greenlet with what it consists of, after the vtable: from 2.0 on */
static const struct part implementation[] = {
	{ 0, 0, 0, 0, "p" },
	{ V(3, 1, 1), 0, 0, 0, "p=self" },
	{ 0, 0, PY(7), 0, "p=exc_info @EXC_INFO=exc_state" },
	{ 0, 0, 0, PY(7), "p=exc_value [2]p" },
	{ 0, 0, 0, 0, "[2]p p=stack_start p=stack_stop p=stack_copy p=stack_saved p" },
	{ 0, 0, PY(7), 0, "p=context" },
	{ 0, 0, 0, 0, "p=top_frame" },
	{ 0, 0, PY(10), PY(13), "p 4" }, /* cframe, use_tracing */
	/* py_recursion_depth, current_executor, stackpointer, c_stack_refs */
	{ V(3, 3, 0), 0, PY(14), 0, "4 p p f:p" },
	{ V(3, 2, 4), V(3, 3, 0), PY(14), 0, "4 p" },
	/* py_recursion_depth, c_recursion_depth */
	{ V(3, 0, 0), V(3, 2, 4), PY(14), 0, "[2]4" },
	{ V(3, 0, 0), 0, PY(12), PY(14), "[2]4" },
	{ 0, V(3, 0, 0), PY(12), 0, "4" },
	{ 0, 0, 0, PY(12), "4" },          /* recursion_depth */
	{ 0, 0, PY(13), 0, "p" },          /* delete_later */
	{ V(3, 5, 3), 0, PY(13), 0, "p" }, /* critical_section */
	{ 0, 0, 0, PY(13), "4" },          /* trash_delete_nesting */
	{ 0, 0, PY(11), 0, "[4]p" },       /* current_frame, datastack_* */
	{ V(3, 0, 0), V(3, 0, 3), PY(12), 0, "p=prev_frame" },
};
static const struct part user[] = {
	{ 0, V(3, 1, 1), 0, 0, "p=self" },
	{ 0, 0, 0, 0, "p=main_greenlet p=run_callable p=parent" },
};
static const struct part main_greenlet[] = {
	{ 0, 0, 0, 0, "p p=thread_state" },
};
#undef V

struct parts {
	uint32_t version, python;
	struct scry_buf text;
};

static bool applies(const struct parts *to, const struct part *p)
{
	return scry_version_in(to->version, p->since, p->until) &&
	       scry_version_in(to->python, p->python, p->python_until);
}

static void add(struct parts *to, const struct part *parts, size_t count, bool named)
{
	for (const struct part *p = parts; p < parts + count; p++) {
		const char *end;

		if (!applies(to, p))
			continue;
		/* member by member: "type=name" */
		for (const char *c = p->text; *c; c = end + (*end == ' ')) {
			end = c + strcspn(c, " ");
			int len = (int)(named ? (size_t)(end - c) : strcspn(c, "= "));
			scry_buf_printf(&to->text, "%s%.*s", to->text.len ? " " : "", len, c);
		}
	}
}

#define ADD(to, parts, named) add(to, parts, sizeof(parts) / sizeof(*(parts)), named)

static bool lay_out(struct scry_runtime *r, enum scry_struct s, const char *text)
{
	const char *texts[SCRY_S_COUNT] = { NULL };

	scry_rows_choose(&scry_rows_cpython, r->layout->flavour.version, texts);
	texts[s] = text;
	return scry_row_lay_out(texts, s, &r->layout->flavour, &r->session->target->abi, r->layout);
}

static bool lay_out_parts(struct scry_runtime *r, enum scry_struct s, struct parts *parts)
{
	bool done = !parts->text.failed && lay_out(r, s, parts->text.text);

	scry_buf_done(&parts->text);
	return done;
}

static void forget(struct scry_layout *l)
{
	static const enum scry_struct structs[] = { SCRY_S_GREENLET, SCRY_S_GREENLET_IMPL,
						    SCRY_S_GREENLET_MAIN, SCRY_S_GREENLET_THREAD };

	for (size_t i = 0; i < sizeof(structs) / sizeof(*structs); i++)
		for (unsigned f = scry_struct_first_field(structs[i]);
		     scry_field_struct(f) == structs[i]; f++)
			l->slot[f] = (struct scry_slot) { 0 };
}

static bool lay_out_version(struct scry_runtime *r, uint32_t version)
{
	struct parts parts = { version, r->version, SCRY_BUF_INIT };
	bool done;

	forget(r->layout);
	if (scry_version_in(version, 0, SCRY_VERSION_OF(2, 0))) {
		ADD(&parts, plain, true);
		return lay_out_parts(r, SCRY_S_GREENLET, &parts);
	}
	ADD(&parts, implementation, true);
	ADD(&parts, user, true);
	done = lay_out_parts(r, SCRY_S_GREENLET_IMPL, &parts);
	ADD(&parts, implementation, false); /* the same members, but those are known already */
	ADD(&parts, main_greenlet, true);
	done = done && lay_out_parts(r, SCRY_S_GREENLET_MAIN, &parts);
	scry_buf_done(&parts.text);
	return done &&
	       lay_out(r, SCRY_S_GREENLET_THREAD, "p=main_greenlet p=current_greenlet ...") &&
	       lay_out(r, SCRY_S_GREENLET, "O p p=dict p=pimpl");
}

/* --- does it fit? --- */

/* The fields that both generations have, each by its own name. */
struct names {
	enum scry_field start, stop, copy, saved, top_frame, parent;
};
#define NAMES(s)                                                                              \
	{                                                                                     \
		SCRY_F_##s##_STACK_START, SCRY_F_##s##_STACK_STOP, SCRY_F_##s##_STACK_COPY,   \
			SCRY_F_##s##_STACK_SAVED, SCRY_F_##s##_TOP_FRAME, SCRY_F_##s##_PARENT \
	}

static bool is_frame(struct scry_runtime *r, scry_addr object)
{
	return !object || scry_is_exactly(r, object, SCRY_IS_FRAME);
}

static bool is_greenlet(struct scry_kinds *kinds, scry_addr object)
{
	return !object || scry_kind_of(kinds, object) == SCRY_KIND_GREENLET;
}

static bool stack_fits(struct scry_runtime *r, scry_addr base, const struct names *n, bool main)
{
	uint64_t start = scry_field_get(r, base, n->start), stop = scry_field_get(r, base, n->stop);
	uint64_t copy = scry_field_get(r, base, n->copy), saved = scry_field_get(r, base, n->saved);

	if (!saved != !copy || (!stop && (start || saved)))
		return false;
	return main || !stop || (start <= stop && saved <= stop - start);
}

/* 1 it does, and it is a main greenlet; 2 it does; 0 it does not. */
static int fits(struct scry_runtime *r, struct scry_kinds *kinds, scry_addr addr)
{
	static const struct names names[] = { NAMES(GREENLET), NAMES(GREENLET_IMPL) };
	bool old = scry_layout_has(r->layout, SCRY_F_GREENLET_STACK_START);
	scry_addr base = old ? addr : scry_field_get(r, addr, SCRY_F_GREENLET_PIMPL);
	const struct names *n = &names[!old];
	unsigned bits = 8 * r->session->target->abi.ptr_size;
	bool main = scry_field_get(r, base, n->stop) == UINT64_MAX >> (64 - bits);

	if (!old && scry_field_get(r, base, SCRY_F_GREENLET_IMPL_SELF) != addr)
		return 0;
	if (!stack_fits(r, base, n, main) || !is_frame(r, scry_field_get(r, base, n->top_frame)))
		return 0;
	if (main)
		return 1;
	scry_addr owner = old ? 0 : scry_field_get(r, base, SCRY_F_GREENLET_IMPL_MAIN);
	if (!is_greenlet(kinds, owner) || (!old && !owner && scry_field_get(r, base, n->stop)))
		return 0; /* what was started belongs to a main greenlet */
	return is_greenlet(kinds, scry_field_get(r, base, n->parent)) ? 2 : 0;
}

/*
 * Most of the greenlets make sense, and one is a main greenlet: every thread that has any has such.
 */
static bool all_fit(struct scry_runtime *r, struct scry_kinds *kinds, const scry_addr *list,
		    size_t count)
{
	size_t good = 0, mains = 0;

	count = count < FITS_MAX ? count : FITS_MAX;
	for (size_t i = 0; i < count; i++) {
		int rc = fits(r, kinds, list[i]);

		good += rc != 0;
		mains += rc == 1;
	}
	return good > count / 2 && mains;
}

bool scry_greenlet_lay_out(struct scry_runtime *r, struct scry_kinds *kinds, const scry_addr *list,
			   size_t count)
{
	/* one of each generation, newest first */
	static const uint32_t generations[] = {
		SCRY_VERSION_OF(3, 5, 3), SCRY_VERSION_OF(3, 3, 0), SCRY_VERSION_OF(3, 2, 4),
		SCRY_VERSION_OF(3, 1, 1), SCRY_VERSION_OF(3, 0, 3), SCRY_VERSION_OF(3, 0, 0),
		SCRY_VERSION_OF(2, 0, 0), SCRY_VERSION_OF(1, 1, 3), SCRY_VERSION_OF(0, 4, 17),
	};
	uint32_t version = 0;

	find_version(r, &version);
	if (version && lay_out_version(r, version) && (!count || all_fit(r, kinds, list, count)))
		return true;
	for (size_t i = 0; i < sizeof(generations) / sizeof(*generations); i++)
		if (count && lay_out_version(r, generations[i]) && all_fit(r, kinds, list, count)) {
			scry_remark(
				r->session,
				"greenlet's version is not known: its objects look like those of "
				"%u.%u.%u",
				generations[i] >> 24, generations[i] >> 16 & 0xff,
				generations[i] >> 8 & 0xff);
			return true;
		}
	if (!version) {
		scry_note(r->session,
			  "the version of greenlet was not found: its greenlets are not shown");
		return false;
	}
	scry_note(r->session,
		  "greenlets look like those of no known version of greenlet: they may be wrong");
	return lay_out_version(r, version);
}
