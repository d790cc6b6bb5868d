/* Names of C++ functions; the grammar is that of the Itanium C++ ABI, 5.1 "External Names". */
#include "symbol/demangle.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 64 /* templates in templates */

struct reader {
	const char *at;
	struct scry_buf *out;
	unsigned depth;
	const char *last; /* the component read last: constructors are called like it */
	size_t last_len;
	unsigned parts;
};

static bool name(struct reader *r);
static bool skip_type(struct reader *r);

static bool take(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(r->at, text, len))
		return false;
	r->at += len;
	return true;
}

/* <source-name>: a decimal length and so many bytes, which must be there. */
static bool source_name(struct reader *r, const char **ret, size_t *ret_len)
{
	size_t len = 0;

	if (!isdigit((unsigned char)*r->at))
		return false;
	while (isdigit((unsigned char)*r->at) && len < 100000)
		len = len * 10 + (size_t)(*r->at++ - '0');
	if (!len || strnlen(r->at, len) < len)
		return false;
	*ret = r->at;
	*ret_len = len;
	r->at += len;
	return true;
}

static void put(struct reader *r, const char *text, size_t len)
{
	if (r->parts++)
		scry_buf_puts(r->out, "::");
	scry_buf_put(r->out, text, len);
}

static void put_text(struct reader *r, const char *text)
{
	put(r, text, strlen(text));
}

/* "5_": how manieth; a number may be left out */
static bool skip_number(struct reader *r)
{
	while (isalnum((unsigned char)*r->at))
		r->at++;
	return take(r, "_");
}

/* What stands between an opening letter and its E: types, names, literals. */
static bool skip_to_end(struct reader *r)
{
	while (*r->at && *r->at != 'E')
		if (!skip_type(r))
			return false;
	return take(r, "E");
}

/* A literal: its type, then its value, which may begin with digits. */
static bool skip_literal(struct reader *r)
{
	const char *text;
	size_t len;

	if (take(r, "_Z"))
		return skip_to_end(r);
	if (isdigit((unsigned char)*r->at) ? !source_name(r, &text, &len) : !skip_type(r))
		return false;
	while (*r->at && *r->at != 'E')
		r->at++;
	return take(r, "E");
}

static bool skip_one(struct reader *r)
{
	const char *text;
	size_t len;

	if (isdigit((unsigned char)*r->at))
		return source_name(r, &text, &len);
	switch (*r->at++) {
	case 'I':
	case 'N':
	case 'X':
	case 'J':
	case 'F':
		return skip_to_end(r);
	case 'L':
		return skip_literal(r);
	case 'Z':
		return skip_to_end(r);
	case 'S':
		return strchr("tasbiod", *r->at) && *r->at ? r->at++ != NULL : skip_number(r);
	case 'T':
		return skip_number(r);
	case 'A':
		while (isdigit((unsigned char)*r->at))
			r->at++;
		return take(r, "_");
	case 'D':
		if (*r->at == 't' || *r->at == 'T')
			return r->at++ && skip_to_end(r);
		return *r->at ? r->at++ != NULL : false;
	case 'U':
		if (take(r, "l"))
			return skip_to_end(r) && skip_number(r);
		return take(r, "t") ? skip_number(r) : source_name(r, &text, &len);
	case '\0':
		return false;
	}
	return true; /* built in, or a qualifier before another type */
}

static bool skip_type(struct reader *r)
{
	bool ok = ++r->depth < DEPTH_MAX && skip_one(r);

	r->depth--;
	return ok;
}

static bool operator_name(struct reader *r)
{
	static const char *const names[][2] = {
		{ "cl", "()" },      { "ix", "[]" },        { "pl", "+" },    { "mi", "-" },
		{ "ml", "*" },       { "dv", "/" },         { "eq", "==" },   { "ne", "!=" },
		{ "lt", "<" },       { "gt", ">" },         { "le", "<=" },   { "ge", ">=" },
		{ "aS", "=" },       { "pt", "->" },        { "de", "*" },    { "ls", "<<" },
		{ "rs", ">>" },      { "pp", "++" },        { "nw", " new" }, { "na", " new[]" },
		{ "dl", " delete" }, { "da", " delete[]" }, { "co", "~" },    { "pL", "+=" },
		{ "mI", "-=" },      { "nt", "!" },         { "ng", "-" },    { "ad", "&" },
		{ "rm", "%" },       { "an", "&" },         { "or", "|" },    { "eo", "^" },
		{ "aa", "&&" },      { "oo", "||" },        { "ss", "<=>" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!take(r, names[i][0]))
			continue;
		put_text(r, "operator");
		scry_buf_puts(r->out, names[i][1]);
		return true;
	}
	return false;
}

static bool standard(struct reader *r)
{
	static const char *const names[][2] = {
		{ "Sa", "std::allocator" },
		{ "Sb", "std::basic_string" },
		{ "Ss", "std::string" },
		{ "Si", "std::istream" },
		{ "So", "std::ostream" },
		{ "Sd", "std::iostream" },
		{ "St", "std" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!take(r, names[i][0]))
			continue;
		put_text(r, names[i][1]);
		r->last = strrchr(names[i][1], ':');
		r->last = r->last ? r->last + 1 : names[i][1];
		r->last_len = strlen(r->last);
		return true;
	}
	return false;
}

/* Rust ends its names with a component h + 16 hexadecimal digits. */
static bool is_hash(const char *text, size_t len)
{
	return len == 17 && text[0] == 'h' && strspn(text + 1, "0123456789abcdef") >= 16;
}

static bool component(struct reader *r)
{
	const char *text;
	size_t len;

	/* internal linkage, as GCC marks it */
	while (take(r, "L"))
		;
	if (source_name(r, &text, &len)) {
		if (len == 12 && !memcmp(text, "_GLOBAL__N_1", len))
			put_text(r, "(anonymous namespace)");
		else if (!is_hash(text, len) || *r->at != 'E')
			put(r, text, len);
		r->last = text;
		r->last_len = len;
		while (take(r, "B")) /* a tag of the ABI */
			if (!source_name(r, &text, &len))
				return false;
		return true;
	}
	if ((*r->at == 'C' || *r->at == 'D') && isdigit((unsigned char)r->at[1]) && r->last) {
		put_text(r, *r->at == 'D' ? "~" : "");
		scry_buf_put(r->out, r->last, r->last_len);
		r->at += 2;
		return true;
	}
	if (take(r, "Ul")) {
		put_text(r, "{lambda}");
		return skip_to_end(r) && skip_number(r);
	}
	if (take(r, "Ut")) {
		put_text(r, "{unnamed}");
		return skip_number(r);
	}
	return standard(r) || operator_name(r);
}

static bool arguments(struct reader *r)
{
	if (!take(r, "I"))
		return true;
	scry_buf_puts(r->out, "<…>");
	return skip_to_end(r);
}

/* <nested-name>: qualifiers of the function come first, scopes from the outermost in. */
static bool nested(struct reader *r)
{
	r->at += strspn(r->at, "rVK");
	r->at += strspn(r->at, "RO");
	while (*r->at && *r->at != 'E')
		if (!component(r) || !arguments(r))
			return false;
	return r->parts && take(r, "E");
}

/* Something inside a function: the function's name, its parameters' types, E. */
static bool local(struct reader *r)
{
	if (!name(r))
		return false;
	return skip_to_end(r) && (take(r, "s") || name(r));
}

static bool name(struct reader *r)
{
	bool ok;

	if (++r->depth >= DEPTH_MAX)
		return false;
	if (take(r, "N"))
		ok = nested(r);
	else if (take(r, "Z"))
		ok = local(r);
	else
		ok = (take(r, "St") ? put_text(r, "std"), component(r) : component(r)) &&
		     arguments(r);
	r->depth--;
	return ok;
}

/* All or nothing: a name that is only half understood stays as the linker has it. */
bool scry_demangle(const char *mangled, struct scry_buf *out)
{
	struct reader r = { .at = mangled, .out = out };
	size_t before = out->len;

	if (take(&r, "_Z") && name(&r) && out->len > before)
		return true;
	scry_buf_cut(out, before);
	return false;
}
