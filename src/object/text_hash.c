/* The hashes of texts: Python/pyhash.c, before 3.4 in the types' own files. */
#include "object/text_hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "object/known.h"
#include "object/printer.h"

#define SAMPLES     24 /* strings that are asked which function is used */
#define SAMPLES_FEW 4

struct key {
	uint64_t k0, k1;
};

/* --- the functions --- */

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word, unsigned rounds)
{
	v[3] ^= word;
	while (rounds--)
		sip_round(v);
	v[0] ^= word;
}

/* SipHash, which is given its rounds for each word and at the end. */
static uint64_t sip(const struct key *key, const uint8_t *text, size_t size, unsigned each,
		    unsigned last)
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575ull, key->k1 ^ 0x646f72616e646f6dull,
			  key->k0 ^ 0x6c7967656e657261ull, key->k1 ^ 0x7465646279746573ull };
	uint64_t end = (uint64_t)size << 56;
	size_t at = 0;

	for (; size - at >= 8; at += 8)
		sip_word(v, scry_load(text + at, 8, false), each);
	for (size_t i = 0; at + i < size; i++)
		end |= (uint64_t)text[at + i] << 8 * i;
	sip_word(v, end, each);
	v[2] ^= 0xff;
	while (last--)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t siphash13(const struct key *key, const uint8_t *text, size_t size, unsigned width)
{
	(void)width;
	return sip(key, text, size, 1, 3);
}

static uint64_t siphash24(const struct key *key, const uint8_t *text, size_t size, unsigned width)
{
	(void)width;
	return sip(key, text, size, 2, 4);
}

/* Up to 3.3: string_hash(), unicode_hash(), _Py_HashBytes(); 2.7 takes unicode by characters. */
static uint64_t fnv(const struct key *key, const uint8_t *text, size_t size, unsigned width)
{
	uint64_t x = key->k0 ^ scry_load(text, width, false) << 7;

	for (size_t at = 0; at < size; at += width)
		x = 1000003 * x ^ scry_load(text + at, width, false);
	return x ^ size / width ^ key->k1;
}

static const struct function {
	uint32_t since;
	uint64_t (*hash)(const struct key *key, const uint8_t *text, size_t size, unsigned width);
	bool by_character; /* else by byte */
} functions[] = {
	{ 0, fnv, true },
	{ SCRY_VERSION_OF(3, 3), fnv, false },
	{ SCRY_VERSION_OF(3, 4), siphash24, false },
	{ SCRY_VERSION_OF(3, 11), siphash13, false },
};

/* --- which one, with which key --- */

struct hashes {
	struct key key;
	const struct function *function; /* NULL: not known */
};

static enum scry_field hash_field(const struct scry_runtime *r, bool bytes)
{
	return bytes                                             ? SCRY_F_BYTES_HASH
	       : scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH) ? SCRY_F_ASCII_HASH
								 : SCRY_F_UNICODE_HASH;
}

/* All bits of a Py_hash_t, up to 3.1 a long; as a hash it stands for "not known". */
static uint64_t hash_mask(const struct scry_runtime *r)
{
	return r->layout->slot[SCRY_F_BYTES_HASH].size == 8 ? UINT64_MAX : UINT32_MAX;
}

/* Prefix and suffix are as wide as a hash, the halves of SipHash's key have 64 bits everywhere. */
static bool read_key(struct scry_runtime *r, struct key *ret)
{
	static const struct {
		uint32_t since;
		bool wide;
	} rows[] = { { 0, false }, { SCRY_VERSION_OF(3, 4), true } };
	unsigned size = hash_mask(r) == UINT64_MAX || SCRY_SINCE(rows, r->version)->wide ? 8 : 4;
	struct scry_symbol symbol;

	return !r->session->target->abi.big_endian && r->module &&
	       scry_module_symbol(r->module, "_Py_HashSecret", &symbol) == SCRY_OK &&
	       scry_read_uint(r->session, symbol.addr, size, &ret->k0) == SCRY_OK &&
	       scry_read_uint(r->session, symbol.addr + size, size, &ret->k1) == SCRY_OK;
}

/* The hash that a text keeps: false where it keeps none yet. */
static bool kept_hash(struct scry_runtime *r, scry_addr str, bool bytes, uint64_t *ret)
{
	return scry_field_read(r, str, hash_field(r, bytes), ret) == SCRY_OK &&
	       *ret != hash_mask(r);
}

/* Of a text's bytes; `kind` is how many of them a character has. */
static uint64_t hash_of(struct scry_runtime *r, const struct function *function,
			const struct key *key, const uint8_t *text, size_t size, unsigned kind)
{
	unsigned width = function->by_character ? kind : 1;
	uint64_t hash = size ? function->hash(key, text, size, width) & hash_mask(r) : 0;

	return hash == hash_mask(r) ? hash - 1 : hash;
}

static bool make_hash(struct scry_runtime *r, const struct function *function,
		      const struct key *key, const struct scry_text_view *v, uint64_t *ret)
{
	size_t size = (size_t)v->length * v->kind;
	uint8_t *text = malloc(size + 1);
	bool read = text && scry_read(r->session, v->data, text, size) == SCRY_OK;

	if (read)
		*ret = hash_of(r, function, key, text, size, v->kind);
	free(text);
	return read;
}

/* How many of the names of builtins a function is right about, and how many it is asked for. */
static void try_function(struct scry_runtime *r, const struct hashes *h,
			 const struct function *function, unsigned *ret_right, unsigned *ret_asked)
{
	struct scry_text_view v;
	uint64_t it = 0, kept, made;
	scry_addr key, value;

	*ret_right = *ret_asked = 0;
	while (*ret_asked < SAMPLES &&
	       scry_dict_next(r, r->interps->builtins, &it, &key, &value) == SCRY_ITEM)
		if (scry_text_open(r, key, &v) == SCRY_OK && v.length && v.length < 64 &&
		    kept_hash(r, key, v.bytes, &kept) &&
		    make_hash(r, function, &h->key, &v, &made)) {
			++*ret_asked;
			*ret_right += made == kept;
		}
}

/* configure may have chosen another function: --with-hash-algorithm. */
static void find_function(struct scry_runtime *r, struct hashes *h)
{
	unsigned right, asked;

	if (!read_key(r, &h->key))
		return;
	for (size_t i = sizeof(functions) / sizeof(*functions); i-- > 0 && !h->function;) {
		if (!scry_version_in(r->version, functions[i].since, 0))
			continue;
		try_function(r, h, &functions[i], &right, &asked);
		if (right >= SAMPLES_FEW && right * 4 > asked * 3)
			h->function = &functions[i];
	}
}

static const struct hashes *hashes_of(struct scry_runtime *r)
{
	struct hashes *h = r->text_hashes;

	/* asked before there is an interpreter, it is asked again later */
	if (!h && !r->pypy && r->interps && r->interps->builtins) {
		struct scry_error error = r->session->error; /* asking is not a failure */

		h = r->text_hashes = scry_arena_alloc(&r->session->arena, sizeof(*h));
		if (h)
			find_function(r, h);
		r->session->error = error;
	}
	return h && h->function ? h : NULL;
}

bool scry_ascii_hash(struct scry_runtime *r, const char *text, size_t len, uint64_t *ret)
{
	const struct hashes *h = hashes_of(r);

	if (h)
		*ret = hash_of(r, h->function, &h->key, (const uint8_t *)text, len, 1);
	return h;
}

bool scry_text_hash_fits(struct scry_runtime *r, scry_addr str, const struct scry_text_view *v)
{
	const struct hashes *h = hashes_of(r);
	uint64_t kept, made;

	if (!h || v->length * v->kind > SCRY_HASHED_MAX || !kept_hash(r, str, v->bytes, &kept) ||
	    !make_hash(r, h->function, &h->key, v, &made) || made == kept)
		return true;
	scry_fail(r->session, SCRY_ECORRUPT, str,
		  "the hash of the text at 0x%" PRIx64 " is another text's", str);
	return false;
}

bool scry_text_is_there(struct scry_runtime *r, scry_addr addr)
{
	struct scry_text_view v = { 0 };
	struct scry_block b;
	uint64_t hash, end = 1;

	if (!scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH) || !scry_block_guess(r, addr, &b) ||
	    (addr != b.start && addr != b.start + 2ull * scry_ptr_size(r)) ||
	    scry_text_open_compact(r, addr, &v) < 0 || !v.own || !v.length || v.length > b.size ||
	    v.data + (v.length + 1) * v.kind > b.start + b.size ||
	    scry_read_uint(r->session, v.data + v.length * v.kind, v.kind, &end) < 0 || end)
		return false;
	if (!kept_hash(r, addr, false, &hash))
		return scry_field_read(r, addr, SCRY_F_ASCII_HASH, &hash) == SCRY_OK &&
		       hash == hash_mask(r);
	return hashes_of(r) && scry_text_hash_fits(r, addr, &v);
}

const char *scry_name_doubt(struct scry_runtime *r, scry_addr str)
{
	struct scry_text_view v;

	if (r->pypy || scry_text_open(r, str, &v) < 0 || v.length * v.kind > SCRY_HASHED_MAX)
		return NULL;
	if (scry_text_check(r, str, &v) < 0)
		return scry_arena_text(&r->session->arena, r->session->error.text,
				       strlen(r->session->error.text));
	return scry_text_hash_fits(r, str, &v) ? NULL : "its hash is another text's";
}

/* Numbers below the modulus of Include/pyhash.h are their own hashes, in 2.7 all of a long. */
static bool int_hash(struct scry_runtime *r, scry_addr key, uint64_t *ret)
{
	int64_t most = (hash_mask(r) == UINT64_MAX ? (int64_t)1 << 61 : (int64_t)1 << 31) - 1,
		value;

	if (scry_int_value(r, key, &value) < 0 || value >= most || value <= -most)
		return false;
	*ret = (uint64_t)(value == -1 ? -2 : value) & hash_mask(r);
	return true;
}

bool scry_key_hash(struct scry_runtime *r, scry_addr key, uint64_t *ret)
{
	switch (scry_known_of(r, key)) {
	case SCRY_IS_STR:
		return scry_field_read(r, key, hash_field(r, scry_trait(r, SCRY_TRAIT_PYTHON_2)),
				       ret) == SCRY_OK;
	case SCRY_IS_UNICODE:
		return scry_field_read(r, key, hash_field(r, false), ret) == SCRY_OK;
	case SCRY_IS_BYTES:
		return scry_field_read(r, key, hash_field(r, true), ret) == SCRY_OK;
	case SCRY_IS_INT:
	case SCRY_IS_LONG:
	case SCRY_IS_BOOL:
		return int_hash(r, key, ret);
	default:
		return false;
	}
}
