/*
 * A key's value in a dict. Its hash leads to it, where the target's secret is known: few keys are
 * read then. What is not found so is looked for in all entries, since a damaged table would hide
 * what is there.
 */
#include "base/bytes.h"
#include "object/known.h"
#include "object/printer.h"
#include "object/text_hash.h"

#define PIECE  1536 /* bytes of entries that are read at once: 64 of the widest */
#define PROBES 64   /* slots that are looked at; sound tables have two or three */

struct goal {
	const struct scry_wanted *text;
	bool hashed;
	uint64_t hash; /* only entries that note this hash are looked at */
};

/* Can the entries be taken in runs? A split table's values stand elsewhere. */
static bool in_runs(const struct scry_dict_view *v)
{
	unsigned ptr = scry_ptr_size(v->runtime);

	return !v->values && !v->order && v->stride && v->stride <= PIECE &&
	       v->key + ptr <= v->stride && v->value + ptr <= v->stride;
}

/* Does the entry note the hash that is looked for? */
static bool may_be(const struct scry_dict_view *v, const struct goal *goal, const uint8_t *entry)
{
	const struct scry_abi *abi = &v->runtime->session->target->abi;

	return !goal->hashed ||
	       scry_load(entry + v->hash, abi->ptr_size, abi->big_endian) == goal->hash;
}

/*
 * As far as entries can be read: SCRY_OK with the value, SCRY_ENOTFOUND with *it after the last
 * one looked at.
 */
static int get_in_runs(const struct scry_dict_view *v, const struct goal *goal, uint64_t *it,
		       scry_addr *ret)
{
	struct scry_runtime *r = v->runtime;
	uint8_t bytes[PIECE];
	uint64_t most = PIECE / v->stride, got = most;
	unsigned ptr = scry_ptr_size(r);
	bool big = r->session->target->abi.big_endian;

	for (; *it < v->count && got == most; *it += got) {
		most = v->count - *it < most ? v->count - *it : most;
		got = scry_read_some(r->session, v->entries + *it * v->stride, bytes,
				     most * v->stride) /
		      v->stride;
		for (uint64_t i = 0; i < got; i++) {
			const uint8_t *entry = bytes + i * v->stride;
			scry_addr key = scry_load(entry + v->key, ptr, big);
			scry_addr value = scry_load(entry + v->value, ptr, big);

			if (!key || !value || !may_be(v, goal, entry))
				continue;
			if (scry_text_matches(r, key, goal->text))
				return *ret = value, SCRY_OK;
		}
	}
	return SCRY_ENOTFOUND;
}

struct probe {
	const struct scry_dict_view *v;
	const struct goal *goal;
	unsigned left; /* keys that may still be read */
	scry_addr value;
};

static bool is_goal(void *arg, uint64_t index)
{
	struct probe *p = arg;
	struct scry_runtime *r = p->v->runtime;
	scry_addr entry = p->v->entries + index * p->v->stride, key;

	if (!p->left--)
		return true; /* with no value */
	return index < p->v->count &&
	       scry_read_ptr(r->session, entry + p->v->key, &key) == SCRY_OK && key &&
	       scry_text_matches(r, key, p->goal->text) &&
	       scry_read_ptr(r->session, entry + p->v->value, &p->value) == SCRY_OK && p->value;
}

static int get_by_hash(const struct scry_dict_view *v, struct goal *goal, scry_addr *ret)
{
	bool notes = v->hash >= 0 && in_runs(v);
	uint64_t it = 0;

	if (v->values || v->count < 8 || (!v->indices && !notes) || !goal->text->ascii ||
	    !scry_ascii_hash(v->runtime, goal->text->text, goal->text->len, &goal->hash))
		return SCRY_ENOTFOUND;
	if (v->indices) {
		struct probe p = { .v = v, .goal = goal, .left = PROBES };

		if (scry_dict_view_probe(v, goal->hash, is_goal, &p) != SCRY_ITEM || !p.value)
			return SCRY_ENOTFOUND;
		return *ret = p.value, SCRY_OK;
	}
	goal->hashed = true;
	int rc = get_in_runs(v, goal, &it, ret);
	goal->hashed = false;
	return rc;
}

int scry_dict_view_get(const struct scry_dict_view *v, const char *name, scry_addr *ret)
{
	struct scry_wanted w = scry_wanted(v->runtime, name);
	struct goal goal = { .text = &w };
	uint64_t it = 0;
	scry_addr key, value;
	int rc;

	if (get_by_hash(v, &goal, ret) == SCRY_OK ||
	    (in_runs(v) && get_in_runs(v, &goal, &it, ret) == SCRY_OK))
		return SCRY_OK;
	while ((rc = scry_dict_view_next(v, &it, &key, &value)) == SCRY_ITEM)
		if (scry_text_matches(v->runtime, key, &w))
			return *ret = value, SCRY_OK;
	return rc < 0 ? rc : SCRY_ENOTFOUND;
}

int scry_cpython_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret)
{
	struct scry_dict_view v;
	int rc = scry_dict_open(r, dict, &v);

	rc = rc < 0 ? rc : scry_dict_view_get(&v, key, ret);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	return scry_fail(r->session, SCRY_ENOTFOUND, dict, "no key '%s'", key);
}
