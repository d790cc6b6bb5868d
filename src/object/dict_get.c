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

/* By the table of slots, as Objects/dictobject.c, 3.11, unicodekeys_lookup_unicode() goes on. */
static int probe(const struct scry_dict_view *v, const struct goal *goal, scry_addr *ret)
{
	struct scry_runtime *r = v->runtime;
	uint64_t mask = v->slots - 1, slot = goal->hash & mask, perturb = goal->hash, index;
	uint64_t none = v->index_size == 8 ? UINT64_MAX : (1ull << 8 * v->index_size) - 1;
	scry_addr entry, key;

	for (unsigned n = 0; n < PROBES; n++) {
		if (scry_read_uint(r->session, v->indices + slot * v->index_size, v->index_size,
				   &index) < 0 ||
		    index == none)
			break;
		entry = v->entries + index * v->stride;
		if (index < v->count &&
		    scry_read_ptr(r->session, entry + v->key, &key) == SCRY_OK && key &&
		    scry_text_matches(r, key, goal->text) &&
		    scry_read_ptr(r->session, entry + v->value, ret) == SCRY_OK && *ret)
			return SCRY_OK;
		perturb >>= 5;
		slot = (slot * 5 + perturb + 1) & mask;
	}
	return SCRY_ENOTFOUND;
}

static int get_by_hash(const struct scry_dict_view *v, struct goal *goal, scry_addr *ret)
{
	bool notes = v->hash >= 0 && in_runs(v);
	uint64_t it = 0;

	if (v->values || v->count < 8 || (!v->indices && !notes) || !goal->text->ascii ||
	    !scry_ascii_hash(v->runtime, goal->text->text, goal->text->len, &goal->hash))
		return SCRY_ENOTFOUND;
	if (v->indices && v->slots && v->index_size)
		return probe(v, goal, ret);
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
