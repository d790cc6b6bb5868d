/* By what name the program holds an object. */
#include "command/held.h"

#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/known.h"
#include "object/object.h"
#include "object/owner.h"

#define STEPS_MAX 6
#define MET_MAX   64

/* "x of #0 f", or ", thread 7" after it where it is not the selected one's */
static bool put_variable(struct scry_runtime *r, scry_addr object, const char *behind,
			 struct scry_buf *out)
{
	struct scry_local local;
	struct scry_walk walk;
	struct scry_frame f;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		if (t->runtime != r)
			continue;
		scry_walk_thread(&walk, t);
		for (unsigned n = 0; scry_walk_next(&walk, &f) == SCRY_ITEM; n++) {
			unsigned it = 0;

			while (f.code && scry_frame_local_next(&f, &it, &local) == SCRY_ITEM) {
				if (local.value != object)
					continue;
				scry_buf_printf(out, "%s%s of #%u %s", local.name, behind, n,
						f.code->name);
				if (t != scry_thread_selected(r->session))
					scry_buf_printf(out, ", thread %" PRIu64, t->tid);
				return true;
			}
		}
	}
	return false;
}

/* The module whose variables a dict has: NULL none's. */
static const char *module_of(struct scry_runtime *r, scry_addr dict)
{
	scry_addr key, module;
	const char *name;
	uint64_t it;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		it = 0;
		while (i->modules && scry_dict_next(r, i->modules, &it, &key, &module) == SCRY_ITEM)
			if (scry_field_get(r, module, SCRY_F_MODULE_DICT) == dict &&
			    scry_is_exactly(r, module, SCRY_IS_MODULE) &&
			    scry_text_at(r, key, 200, &name) == SCRY_OK)
				return name;
	}
	return NULL;
}

/* Of the references the first that may be followed: into a container, an instance's attributes. */
static const struct scry_pointing *choose(const struct scry_owners *o, const scry_addr *met,
					  unsigned met_count)
{
	for (size_t i = 0; i < o->reference_count; i++) {
		bool known = false;

		for (unsigned n = 0; n < met_count; n++)
			known = known || met[n] == o->references[i].holder;
		if (o->references[i].kind == SCRY_HOLDER_OBJECT && !known && o->references[i].slot)
			return &o->references[i];
	}
	return NULL;
}

/* "['name']" as a variable's name. */
static void put_name(struct scry_buf *out, const char *slot)
{
	size_t len = strlen(slot);

	if (len > 4 && slot[0] == '[' && (slot[1] == '\'' || slot[1] == '"'))
		scry_buf_put(out, slot + 2, len - 4);
	else
		scry_buf_puts(out, slot);
}

static const char *in_front(struct scry_runtime *r, const char *slot, const char *path)
{
	return scry_arena_printf(&r->session->arena, "%s%s%s", slot[0] == '[' ? "" : ".", slot,
				 path);
}

bool scry_put_held(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	const char *path = "", *module;
	scry_addr met[STEPS_MAX] = { 0 };
	struct scry_owners owners;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		if (put_variable(r, object, path, out))
			return true;
		met[i] = object;
		if (scry_owners_find(r, object, object, object + 1, true, &owners) < 0)
			return false;
		for (size_t n = 0; n < owners.reference_count; n++) {
			const struct scry_pointing *ref = &owners.references[n];

			module = ref->kind == SCRY_HOLDER_OBJECT && ref->slot &&
						 ref->type->flags & TYPE_DICT
					 ? module_of(r, ref->holder)
					 : NULL;
			if (!module)
				continue;
			put_name(out, ref->slot);
			scry_buf_printf(out, "%s of %s", path, module);
			return true;
		}
		const struct scry_pointing *ref = choose(&owners, met, i + 1);
		if (!ref)
			return false;
		path = in_front(r, ref->slot, path);
		object = ref->holder;
	}
	return false;
}
