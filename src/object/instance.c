/* Instances of library classes: dataclasses, namespaces, paths, UUIDs, addresses. */
#include "object/internal.h"

#include <stdlib.h>

#define PY3 SCRY_VERSION_OF(3, 0)

/* --- dataclasses: what the generated __repr__ would give from __dataclass_fields__ --- */

static bool is_plain_field(struct scry_runtime *r, scry_addr field)
{
	scry_addr kind, shown;
	const char *name = NULL;

	if (scry_attr(r, field, "_field_type", &kind) == SCRY_OK)
		name = scry_attr_text(r, kind, "name");
	if (name && strcmp(name, "_FIELD"))
		return false;
	return scry_attr(r, field, "repr", &shown) < 0 || scry_truth(r, shown, true);
}

static void print_field(struct scry_printer *p, scry_addr obj, const char *name)
{
	scry_printf(p, "%s=", name);
	if (!scry_print_attr(p, obj, name))
		scry_buf_puts(p->out, "<unset>");
}

static int print_dataclass(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	struct scry_dict_view v;
	scry_addr fields, key, field;
	uint64_t it = 0, shown = 0;
	int rc = scry_type_lookup(r, type, "__dataclass_fields__", &fields, NULL);

	rc = rc < 0 ? rc : scry_dict_open(r, fields, &v);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s(", scry_type_qualname(r, type));
	while (scry_dict_view_next(&v, &it, &key, &field) == SCRY_ITEM) {
		const char *name;

		if (!is_plain_field(r, field) || scry_text_at(r, key, 500, &name) < 0)
			continue;
		if (!scry_printer_more(p, shown, v.used))
			break;
		shown++;
		print_field(p, addr, name);
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* attrs: a tuple of Attribute objects; the name is what follows the last ">." of the qualified name */
static int print_attrs(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	uint64_t n, shown = 0;
	scry_addr tuple, items, attribute, repr;
	int rc = scry_type_lookup(r, type, "__attrs_attrs__", &tuple, NULL);

	rc = rc < 0 ? rc : scry_sequence(r, tuple, &n, &items);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	const char *name = scry_type_qualname(r, type), *tail = strstr(name, ">.");
	for (const char *next = tail; next; next = strstr(next + 2, ">."))
		tail = next;
	scry_printf(p, "%s(", tail ? tail + 2 : name);
	for (uint64_t i = 0; i < n; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &attribute) < 0)
			break;
		name = scry_attr_text(r, attribute, "name");
		if (!name || (scry_attr(r, attribute, "repr", &repr) == SCRY_OK && !scry_truth(r, repr, true)))
			continue;
		if (!scry_printer_more(p, shown, n))
			break;
		shown++;
		print_field(p, addr, name);
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* --- namespaces: "namespace(a=1)"; sorted up to 3.8 --- */

struct named {
	const char *name;
	scry_addr value;
};

#define NAMED_MAX 1000

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int print_namespace_as(struct scry_printer *p, scry_addr addr, const char *name, bool sorted)
{
	struct named *all = calloc(NAMED_MAX, sizeof(*all));
	uint64_t it = 0, n = 0;
	int rc = all ? SCRY_ITEM : scry_fail(p->runtime->session, SCRY_ENOMEM, 0, "out of memory");

	while (rc == SCRY_ITEM && n < NAMED_MAX) {
		rc = scry_attr_next(p->runtime, addr, &it, &all[n].name, &all[n].value);
		n += rc == SCRY_ITEM;
	}
	if (rc >= 0 && scry_printer_enter(p, addr, "")) {
		if (sorted)
			qsort(all, n, sizeof(*all), by_name);
		scry_printf(p, "%s(", name);
		for (uint64_t i = 0; scry_printer_more(p, i, n); i++) {
			scry_printf(p, "%s=", all[i].name);
			scry_print(p, all[i].value);
		}
		scry_buf_putc(p->out, ')');
		scry_printer_leave(p);
	} else if (rc >= 0) {
		scry_printf(p, "%s(...)", name);
	}
	free(all);
	return rc < 0 ? rc : SCRY_OK;
}

static const char *namespace_name(struct scry_printer *p, scry_addr type)
{
	const char *name = scry_type_short(p->runtime, type);

	return !strcmp(name, "SimpleNamespace") ? "namespace" : name;
}

static int print_namespace(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_namespace_as(p, addr, namespace_name(p, type), false);
}

static int print_namespace_sorted(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_namespace_as(p, addr, namespace_name(p, type), true);
}

/* --- pathlib: "PosixPath('/a/b')" --- */

static bool put_raw_part(struct scry_buf *out, const char *part, bool *rooted)
{
	size_t slashes = strspn(part, "/");

	if (slashes) { /* an absolute part drops what stood before; exactly two slashes are kept */
		scry_buf_cut(out, 0);
		scry_buf_puts(out, slashes == 2 ? "//" : "/");
		*rooted = true;
	}
	for (part += slashes; *part;) {
		size_t n = strcspn(part, "/");

		if (n && !(n == 1 && *part == '.')) {
			if (out->len && out->text[out->len - 1] != '/')
				scry_buf_putc(out, '/');
			scry_buf_put(out, part, n);
		}
		part += n;
		part += strspn(part, "/");
	}
	return true;
}

/* 3.12+: _raw_paths, a list of what the constructor got */
static bool path_from_raw(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	scry_addr list, items, part;
	uint64_t n;
	bool rooted = false;
	const char *text;

	if (scry_attr(r, addr, "_raw_paths", &list) < 0 || scry_sequence(r, list, &n, &items) < 0)
		return false;
	for (uint64_t i = 0; i < n && i < 1000; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &part) < 0 ||
		    scry_text_at(r, part, 5000, &text) < 0 || !put_raw_part(out, text, &rooted))
			return false;
	return true;
}

/* up to 3.11: drive, root, and parts of which the first is drive and root again */
static bool path_from_parts(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	const char *drive = scry_attr_text(r, addr, "_drv"), *root = scry_attr_text(r, addr, "_root"), *text;
	scry_addr list, items, part;
	uint64_t n;

	if (!drive || !root || scry_attr(r, addr, "_parts", &list) < 0 || scry_sequence(r, list, &n, &items) < 0)
		return false;
	bool anchored = *drive || *root;
	scry_buf_puts(out, drive);
	scry_buf_puts(out, root);
	for (uint64_t i = anchored; i < n && i < 1000; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &part) < 0 ||
		    scry_text_at(r, part, 5000, &text) < 0)
			return false;
		if (i > anchored)
			scry_buf_putc(out, '/');
		scry_buf_puts(out, text);
	}
	return true;
}

static int print_path(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_buf text = SCRY_BUF_INIT;
	const char *known = scry_attr_text(p->runtime, addr, "_str");

	if (known)
		scry_buf_puts(&text, known);
	else if (!path_from_raw(p->runtime, addr, &text) && !path_from_parts(p->runtime, addr, &text)) {
		scry_buf_done(&text);
		return scry_print_unknown(p, addr, type);
	}
	if (!text.len)
		scry_buf_putc(&text, '.');
	const char *name = scry_type_short(p->runtime, type);
	for (size_t i = 0; strstr(name, "Windows") && i < text.len; i++)
		if (text.text[i] == '\\')
			text.text[i] = '/';
	scry_printf(p, "%s(", name);
	scry_print_quoted(p, text.text ? text.text : ".");
	scry_buf_putc(p->out, ')');
	scry_buf_done(&text);
	return SCRY_OK;
}

/* --- ints that stand for something: UUID, IP addresses --- */

/* An int of up to 128 bits as bytes, the highest first. */
static int read_bytes16(struct scry_runtime *r, scry_addr obj, const char *name, uint8_t bytes[16])
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;
	scry_addr value;
	int rc = scry_attr(r, obj, name, &value);

	if (rc < 0)
		return rc;
	scry_printer_init(&p, r, &text);
	scry_print(&p, value);
	memset(bytes, 0, 16);
	for (const char *c = text.text; c && *c >= '0' && *c <= '9'; c++) {
		unsigned carry = (unsigned)(*c - '0');

		for (int i = 15; i >= 0; i--) {
			carry += bytes[i] * 10u;
			bytes[i] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	scry_buf_done(&text);
	return SCRY_OK;
}

static int print_uuid(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint8_t b[16];
	int rc = read_bytes16(p->runtime, addr, "int", b);

	if (rc < 0)
		return rc;
	scry_printf(p, "%s('", scry_type_short(p->runtime, type));
	for (int i = 0; i < 16; i++)
		scry_printf(p, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	scry_buf_puts(p->out, "')");
	return SCRY_OK;
}

static int print_ipv6(struct scry_printer *p, scry_addr addr, scry_addr type);

static int print_ip(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t ip;

	if (scry_type_is(p->runtime, type, "IPv6Address"))
		return print_ipv6(p, addr, type);
	int rc = scry_attr_int(p->runtime, addr, "_ip", &ip);
	if (rc == SCRY_OK)
		scry_printf(p, "%s('%d.%d.%d.%d')", scry_type_short(p->runtime, type), (int)(ip >> 24 & 255),
			    (int)(ip >> 16 & 255), (int)(ip >> 8 & 255), (int)(ip & 255));
	return rc;
}

/* The longest run of zero words, of at least two, becomes "::": ipaddress.py, _compress_hextets(). */
static int print_ipv6(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint8_t b[16];
	int best = -1, best_len = 1;
	int rc = read_bytes16(p->runtime, addr, "_ip", b);

	if (rc < 0)
		return rc;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !b[2 * (i + n)] && !b[2 * (i + n) + 1])
			n++;
		if (n > best_len) {
			best = i;
			best_len = n;
		}
	}
	scry_printf(p, "%s('", scry_type_short(p->runtime, type));
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			scry_buf_puts(p->out, i ? ":" : "::");
			i += best_len - 1;
			continue;
		}
		scry_printf(p, "%x%s", b[2 * i] << 8 | b[2 * i + 1], i < 7 ? ":" : "");
	}
	scry_buf_puts(p->out, "')");
	return SCRY_OK;
}

/* --- logging: the level is that of the nearest ancestor that has one --- */

static const char *level_name(int64_t level)
{
	static const char *const names[] = { "NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };

	return level >= 0 && level <= 50 && level % 10 == 0 ? names[level / 10] : NULL;
}

static int print_logger(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name = scry_attr_text(p->runtime, addr, "name");
	scry_addr at = addr;
	int64_t level = 0;

	for (int i = 0; i < 100; i++)
		if (scry_attr_int(p->runtime, at, "level", &level) < 0 || level ||
		    scry_attr(p->runtime, at, "parent", &at) < 0 || scry_is_none(p->runtime, at))
			break;
	scry_printf(p, "<%s %s (", scry_type_short(p->runtime, type), name ? name : "?");
	if (level_name(level))
		scry_printf(p, "%s)>", level_name(level));
	else
		scry_printf(p, "Level %" PRId64 ")>", level);
	return SCRY_OK;
}

#define SPEC "%C(name={name}, loader={loader}[origin:, origin={origin}]" \
	     "[submodule_search_locations:, submodule_search_locations={submodule_search_locations}])"
#define PY35 SCRY_VERSION_OF(3, 5)
#define PY39 SCRY_VERSION_OF(3, 9)

const struct scry_printer_row scry_printers_instance[] = {
	{ "<dataclass>", 0, print_dataclass },
	{ "<attrs>", 0, print_attrs },
	{ "types.SimpleNamespace", 0, print_namespace, .since = PY39 },
	{ "types.SimpleNamespace", 0, print_namespace_sorted, .until = PY39 },
	{ "namespace", 0, print_namespace_sorted, .until = PY39 },
	{ "argparse._AttributeHolder", 0, print_namespace, .since = PY39 },
	{ "argparse._AttributeHolder", 0, print_namespace_sorted, .until = PY39 },
	{ "argparse.Namespace", 0, print_namespace_sorted, .until = PY3 },
	{ "pathlib.PurePath", 0, print_path },
	{ "pathlib._local.PurePath", 0, print_path },
	{ "uuid.UUID", 0, print_uuid },
	{ "ipaddress._BaseAddress", 0, print_ip },
	{ "ipaddress.IPv6Address", 0, print_ipv6 },
	{ "logging.Logger", 0, print_logger },
	{ "logging.RootLogger", 0, print_logger },
	{ "collections.UserDict", .form = "{data}" },
	{ "collections.UserList", .form = "{data}" },
	{ "collections.UserString", .form = "{data}" },
	{ "UserDict.UserDict", .form = "{data}" },
	{ "collections.ChainMap", .form = "%C({maps:*})" },
	{ "zoneinfo.ZoneInfo", .form = "%Q(key={key})" },
	{ "_frozen_importlib.ModuleSpec", .form = SPEC },
	{ "importlib._bootstrap.ModuleSpec", .form = SPEC },
	{ "weakref.WeakValueDictionary", .form = "<%C at %A>", .since = PY35 },
	{ "weakref.WeakKeyDictionary", .form = "<%C at %A>", .since = PY35 },
	{ "weakref.WeakValueDictionary", .form = "<%C at %D>", .until = PY35 },
	{ "weakref.WeakKeyDictionary", .form = "<%C at %D>", .until = PY35 },
	{ "_weakrefset.WeakSet", .form = "{data}" },
	{ NULL },
};
