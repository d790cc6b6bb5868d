/*
 * A key's value in a dict. Its tables are not asked by the key's hash: that is known only with the
 * target's secret, and a damaged table would hide what is there.
 */
#include "base/bytes.h"
#include "object/known.h"
#include "object/printer.h"

#define PIECE 1536 /* bytes of entries that are read at once: 64 of the widest */

/* Can the entries be taken in runs? A split table's values stand elsewhere. */
static bool in_runs(const struct scry_dict_view *v)
{
	unsigned ptr = scry_ptr_size(v->runtime);

	return !v->values && !v->order && v->stride && v->stride <= PIECE &&
	       v->key + ptr <= v->stride && v->value + ptr <= v->stride;
}

/*
 * As far as entries can be read: SCRY_OK with the value, SCRY_ENOTFOUND with *it after the last
 * one looked at.
 */
static int get_in_runs(const struct scry_dict_view *v, const struct scry_wanted *w, uint64_t *it,
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

			if (key && value && scry_text_matches(r, key, w))
				return *ret = value, SCRY_OK;
		}
	}
	return SCRY_ENOTFOUND;
}

int scry_dict_view_get(const struct scry_dict_view *v, const char *name, scry_addr *ret)
{
	struct scry_wanted w = scry_wanted(v->runtime, name);
	uint64_t it = 0;
	scry_addr key, value;
	int rc;

	if (in_runs(v) && get_in_runs(v, &w, &it, ret) == SCRY_OK)
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
