/* Method resolution orders, and names along them: each pair of type and name is looked up once. */
#include "object/mro.h"

#include <string.h>

#include "object/known.h"
#include "object/printer.h"

#define MRO_MAX 2000

/*
 * 2.7: depth first, left to right; the iterator counts classes, found anew each time: old
 * hierarchies are small.
 */
static int old_class_find(struct scry_runtime *r, scry_addr cls, unsigned depth, uint64_t *skip,
			  scry_addr *ret)
{
	scry_addr bases, items, base;
	uint64_t n;

	if ((*skip)-- == 0) {
		*ret = cls;
		return SCRY_ITEM;
	}
	if (depth > 30 || scry_field_read(r, cls, SCRY_F_CLASSOBJ_BASES, &bases) < 0 ||
	    scry_sequence(r, bases, &n, &items) < 0)
		return SCRY_OK;
	for (uint64_t i = 0; i < n && i < 100; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &base) < 0)
			break;
		if (old_class_find(r, base, depth + 1, skip, ret) == SCRY_ITEM)
			return SCRY_ITEM;
	}
	return SCRY_OK;
}

bool scry_is_old_class(struct scry_runtime *r, scry_addr addr)
{
	scry_addr type;
	struct scry_type *t;

	return scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT) &&
	       scry_type_pointer(r, addr, &type) == SCRY_OK &&
	       scry_type_at(r, type, &t) == SCRY_OK && scry_known_type(t) == SCRY_IS_OLD_CLASS;
}

static int base_next(struct scry_runtime *r, scry_addr type, uint64_t it, scry_addr *ret)
{
	struct scry_type *t;

	for (uint64_t i = 0; i < it; i++) {
		if (!type || scry_type_at(r, type, &t) < 0)
			return SCRY_OK;
		type = t->base;
	}
	*ret = type;
	return type ? SCRY_ITEM : SCRY_OK;
}

int scry_mro_next(struct scry_runtime *r, scry_addr type, uint64_t *it, scry_addr *ret)
{
	uint64_t n, skip = *it;
	scry_addr items;
	struct scry_type *t;

	if (*it >= MRO_MAX)
		return SCRY_OK;
	if (scry_is_old_class(r, type))
		return ++*it, old_class_find(r, type, 0, &skip, ret);
	int rc = scry_type_at(r, type, &t);
	if (rc < 0)
		return rc;
	/* no usable MRO: not readied yet, or damaged */
	if (!t->mro || scry_sequence(r, t->mro, &n, &items) < 0 || n == 0)
		return base_next(r, type, (*it)++, ret);
	if (*it >= n)
		return SCRY_OK;
	rc = scry_word(r, items + *it * r->session->target->abi.ptr_size, ret);
	++*it;
	return rc < 0 ? rc : SCRY_ITEM;
}

static scry_addr class_dict(struct scry_runtime *r, scry_addr cls)
{
	struct scry_type *t;

	if (scry_is_old_class(r, cls))
		return scry_field_get(r, cls, SCRY_F_CLASSOBJ_DICT);
	return scry_type_at(r, cls, &t) == SCRY_OK ? scry_type_dict(r, t) : 0;
}

bool scry_type_has_base(struct scry_runtime *r, scry_addr type, scry_addr base)
{
	uint64_t it = 0;
	scry_addr cls;

	while (scry_mro_next(r, type, &it, &cls) == SCRY_ITEM)
		if (cls == base)
			return true;
	return false;
}

bool scry_type_derives(struct scry_runtime *r, scry_addr type, const char *full)
{
	uint64_t it = 0;
	scry_addr cls;
	const char *name;

	while (scry_mro_next(r, type, &it, &cls) == SCRY_ITEM)
		if (scry_type_full_name(r, cls, &name) == SCRY_OK && !strcmp(name, full))
			return true;
	return false;
}

/* --- what was looked up --- */

#define PLACES          1024 /* a power of two */
#define NAME_MAX_LENGTH 39

/* One question and its answer: 64 bytes. Free while `type` is 0. */
struct lookup {
	scry_addr type, value;
	scry_addr owner; /* 0: none along the MRO has it */
	char name[NAME_MAX_LENGTH + 1];
};

struct scry_lookups {
	struct lookup place[PLACES];
};

/* Where the answer is, or would be, or NULL: out of memory, or the name is too long. */
static struct lookup *place_of(struct scry_runtime *r, scry_addr type, const char *name)
{
	struct scry_type_state *state = scry_type_state(r);
	size_t len = strnlen(name, NAME_MAX_LENGTH + 1);

	if (!state || !type || len > NAME_MAX_LENGTH)
		return NULL;
	uint64_t hash = scry_fnv1a(type >> 4, name, len);
	if (!state->lookups)
		state->lookups = scry_arena_alloc(&r->session->arena, sizeof(struct scry_lookups));
	return state->lookups ? &state->lookups->place[hash * 0x9e3779b97f4a7c15ull >> 54] : NULL;
}

/* True where the answer is sure: every class on the way could be read. */
static bool look(struct scry_runtime *r, scry_addr type, const char *name, struct lookup *ret)
{
	uint64_t it = 0;
	scry_addr cls;
	bool sure = true;
	int rc;

	ret->owner = 0;
	while ((rc = scry_mro_next(r, type, &it, &cls)) == SCRY_ITEM) {
		scry_addr dict = class_dict(r, cls);

		rc = dict ? scry_dict_get(r, dict, name, &ret->value) : SCRY_ENOTFOUND;
		if (rc == SCRY_OK) {
			ret->owner = cls;
			break;
		}
		sure = sure && rc == SCRY_ENOTFOUND;
	}
	return sure && rc == SCRY_OK;
}

int scry_type_find(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret,
		   scry_addr *ret_owner)
{
	struct lookup found, *place = place_of(r, type, name);

	if (place && place->type == type && !strcmp(place->name, name)) {
		found = *place;
	} else if (look(r, type, name, &found) && place && !r->session->stopped) {
		found.type = type;
		strcpy(found.name, name);
		*place = found;
	}
	if (!found.owner)
		return SCRY_ENOTFOUND;
	*ret = found.value;
	if (ret_owner)
		*ret_owner = found.owner;
	return SCRY_OK;
}

int scry_type_lookup(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret,
		     scry_addr *ret_owner)
{
	if (scry_type_find(r, type, name, ret, ret_owner) == SCRY_OK)
		return SCRY_OK;
	return scry_fail(r->session, SCRY_ENOTFOUND, type, "no attribute '%s'", name);
}
