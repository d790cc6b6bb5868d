/* array, memoryview, re, itertools, operator. */
#include "object/printer.h"

/* --- array.array --- */

static void put_real(struct scry_printer *p, uint64_t bits, unsigned size)
{
	char text[64];

	scry_format_double(scry_float_of_bits(bits, size), true, text);
	scry_buf_puts(p->out, text);
}

/* Two floats, since 3.15: 'F' of C floats, 'D' of doubles. */
static int print_complex(struct scry_printer *p, scry_addr at, unsigned half)
{
	uint64_t bits[2];
	int rc = scry_read_uint(p->runtime->session, at, half, &bits[0]);

	rc = rc < 0 ? rc : scry_read_uint(p->runtime->session, at + half, half, &bits[1]);
	if (rc == SCRY_OK)
		scry_put_complex(p->out, scry_float_of_bits(bits[0], half),
				 scry_float_of_bits(bits[1], half), NULL);
	return rc;
}

static int print_element_of(struct scry_printer *p, scry_addr at, unsigned size, char code)
{
	bool old = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);
	uint64_t value;
	int64_t number;

	if (code == 'F' || code == 'D')
		return print_complex(p, at, size / 2);
	int rc = scry_read_uint(p->runtime->session, at, size, &value);
	if (rc < 0)
		return rc;
	if (strchr("efd", code))
		put_real(p, value, size);
	else if (code < 'a')
		scry_printf(p, "%" PRIu64 "%s", value, old && strchr("IL", code) ? "L" : "");
	else if ((rc = scry_read_int(p->runtime->session, at, size, &number)) == SCRY_OK)
		scry_printf(p, "%" PRId64, number);
	return rc;
}

static void print_element(struct scry_printer *p, scry_addr at, unsigned size, char code)
{
	if (print_element_of(p, at, size, code) < 0)
		scry_printer_damage(p, at);
}

/* The last byte first: an array that says it has more than there is memory is not shown at all. */
static int print_array_items(struct scry_printer *p, scry_addr items, uint64_t n, unsigned size,
			     char code)
{
	uint8_t byte;
	bool old = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);
	int rc = SCRY_OK;

	if (n > 1ull << 40 || scry_read(p->runtime->session, items + n * size - 1, &byte, 1) < 0)
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, items,
				 "array of %" PRId64 " items", scry_signed_size(p->runtime, n));
	if (code == 'u' || code == 'w')
		return scry_print_units(p, items, n, size, old ? "u" : "");
	if (code == 'c')
		return scry_print_units(p, items, n, 1, "");
	scry_buf_putc(p->out, '[');
	for (uint64_t i = 0; scry_printer_more(p, i, n); i++)
		print_element(p, items + i * size, size, code);
	scry_buf_putc(p->out, ']');
	return rc;
}

char scry_array_code(struct scry_runtime *r, scry_addr array)
{
	uint64_t code;
	scry_addr descr;

	if (scry_field_read(r, array, SCRY_F_ARRAY_DESCR, &descr) < 0 ||
	    scry_field_read(r, descr, SCRY_F_ARRAY_DESCR_CODE, &code) < 0 || code < 0x20 ||
	    code > 0x7e)
		return '?';
	return (char)code;
}

int scry_print_array_item(struct scry_printer *p, scry_addr array, uint64_t index)
{
	char code = scry_array_code(p->runtime, array);
	scry_addr items, descr;
	uint64_t size;
	int rc = scry_field_read(p->runtime, array, SCRY_F_ARRAY_DESCR, &descr);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, descr, SCRY_F_ARRAY_DESCR_ITEMSIZE, &size);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, array, SCRY_F_ARRAY_ITEMS, &items);
	if (rc < 0)
		return rc;
	if (strchr("uwc?", code) || size == 0 || size > 16)
		return scry_fail(p->runtime->session, SCRY_EUNSUPPORTED, array,
				 "items of array('%c') are parts of a text", code);
	return print_element_of(p, items + index * size, (unsigned)size, code);
}

static int print_array_as(struct scry_printer *p, scry_addr addr, const char *name)
{
	struct scry_runtime *r = p->runtime;
	uint64_t n, code, size;
	scry_addr items, descr;
	int rc = scry_field_read(r, addr, SCRY_F_VAR_SIZE, &n);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_ARRAY_ITEMS, &items);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_ARRAY_DESCR, &descr);
	rc = rc < 0 ? rc : scry_field_read(r, descr, SCRY_F_ARRAY_DESCR_CODE, &code);
	rc = rc < 0 ? rc : scry_field_read(r, descr, SCRY_F_ARRAY_DESCR_ITEMSIZE, &size);
	if (rc < 0)
		return rc;
	if (code < 0x20 || code > 0x7e || size == 0 || size > (strchr("FD", (int)code) ? 16 : 8))
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "array of items of %" PRIu64 " bytes", size);
	scry_printf(p, "%s('%c'", name, (char)code);
	if (n) {
		scry_buf_puts(p->out, ", ");
		rc = print_array_items(p, items, n, (unsigned)size, (char)code);
	}
	scry_buf_putc(p->out, ')');
	return rc;
}

static int print_array(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_array_as(p, addr, scry_type_short(p->runtime, type));
}

static int print_array_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_array_as(p, addr, "array");
}

/* --- memoryview: Objects/memoryobject.c, _Py_MEMORYVIEW_RELEASED is 1 --- */

static int print_memoryview(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t flags = 0;
	scry_addr exporter = 0;

	(void)type;
	if (scry_layout_has(p->runtime->layout, SCRY_F_MEMORYVIEW_FLAGS))
		scry_field_read(p->runtime, addr, SCRY_F_MEMORYVIEW_FLAGS, &flags);
	scry_printf(p, "<%s at 0x%" PRIx64, flags & 1 ? "released memory" : "memory", addr);
	if (p->verbose &&
	    scry_field_read(p->runtime, addr, SCRY_F_MEMORYVIEW_OBJ, &exporter) == SCRY_OK &&
	    exporter) {
		scry_buf_puts(p->out, " of ");
		scry_print(p, exporter);
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- re: Modules/_sre --- */

/*
 * SRE_FLAG_*, Modules/_sre/sre_constants.h, in the order of their bits; pattern_repr() writes what
 * it has no name for in hexadecimal.
 */
static void print_flags(struct scry_printer *p, uint64_t flags)
{
	static const char *const names[] = { "TEMPLATE",  "IGNORECASE", "LOCALE",
					     "MULTILINE", "DOTALL",     "UNICODE",
					     "VERBOSE",   "DEBUG",      "ASCII" };
	const char *between = ", ";

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags >> i & 1) {
			scry_printf(p, "%sre.%s", between, names[i]);
			between = "|";
		}
	if (flags >> 9)
		scry_printf(p, "%s0x%" PRIx64, between, flags >> 9 << 9);
}

static int print_pattern(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_text_view v = { 0 };
	scry_addr pattern;
	uint64_t flags;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_PATTERN_PATTERN, &pattern);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_PATTERN_FLAGS, &flags);
	if (rc < 0)
		return rc;
	bool text = scry_text_open(p->runtime, pattern, &v) == SCRY_OK && !v.bytes;
	if (text && (flags & (4 | 32 | 256)) == 32) /* UNICODE is what a str pattern has anyway */
		flags &= ~32ull;
	scry_buf_puts(p->out, "re.compile(");
	size_t start = p->out->len;
	scry_print(p, pattern);
	scry_printer_cut(p, start, 200);
	print_flags(p, flags);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/*
 * match_repr(): `mark` has start and end of each group in turn, group 0 first. The text is cut at
 * 50 characters ("%.50R"), a pattern's at 200.
 */
static int print_match(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr string, marks = scry_field_addr(r, addr, SCRY_F_MATCH_MARK);
	int64_t start, end;
	struct scry_type *t;
	int rc = scry_field_read(r, addr, SCRY_F_MATCH_STRING, &string);

	rc = rc < 0 ? rc : scry_read_int(r->session, marks, ptr, &start);
	rc = rc < 0 ? rc : scry_read_int(r->session, marks + ptr, ptr, &end);
	rc = rc < 0 ? rc : scry_type_at(r, type, &t);
	if (rc < 0)
		return rc;
	size_t at = p->out->len;
	scry_printf(p, "<%s object; span=(%" PRId64 ", %" PRId64 "), match=", t->name, start, end);
	rc = scry_print_text_range(p, string, start < 0 ? 0 : (uint64_t)start,
				   end < 0 ? 0 : (uint64_t)end, 50);
	if (rc < 0) { /* in an array, say */
		scry_buf_cut(p->out, at);
		return scry_print_unknown(p, addr, type);
	}
	scry_buf_putc(p->out, '>');
	return rc;
}

/* --- itertools, operator --- */

static bool is_one(struct scry_runtime *r, scry_addr obj)
{
	int64_t value;

	return scry_int_value(r, obj, &value) == SCRY_OK && value == 1;
}

/* long_cnt is set once the count has left Py_ssize_t, or is not an int at all */
static int print_count_as(struct scry_printer *p, scry_addr addr, const char *title)
{
	int64_t n;
	scry_addr number = 0, step = 0;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_ITER_COUNT_CNT, &n);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_ITER_COUNT_LONG_CNT, &number);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_ITER_COUNT_LONG_STEP, &step);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", title);
	if (number)
		scry_print(p, number);
	else
		scry_printf(p, "%" PRId64, n);
	if (number && step && !is_one(p->runtime, step)) {
		scry_buf_puts(p->out, ", ");
		scry_print(p, step);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* up to 3.6 a subclass's name is not written, here and in repeat */
static int print_count_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_count_as(p, addr, "count");
}

static int print_count(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_count_as(p, addr, scry_type_short(p->runtime, type));
}

/* repeat_repr(), Modules/itertoolsmodule.c: -1 is for ever. */
static int print_repeat_as(struct scry_printer *p, scry_addr addr, const char *title)
{
	int64_t n;
	scry_addr element;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_REPEAT_CNT, &n);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_REPEAT_ELEMENT, &element);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", title);
	scry_print(p, element);
	if (n != -1)
		scry_printf(p, ", %" PRId64, n);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

static int print_repeat_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_repeat_as(p, addr, "repeat");
}

static int print_repeat(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_repeat_as(p, addr, scry_type_short(p->runtime, type));
}

/* One item is held bare, more of them in a tuple. */
static int print_itemgetter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t count, n;
	scry_addr value, items;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_ITEMGETTER_NITEMS, &count);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_ITEMGETTER_ITEM, &value);
	if (rc == SCRY_OK && count != 1)
		rc = scry_sequence(p->runtime, value, &n, &items);
	if (rc < 0)
		return rc;
	scry_printf(p, "operator.%s(", scry_type_short(p->runtime, type));
	if (count == 1)
		scry_print(p, value);
	else
		scry_print_items(p, items, n);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* Dotted names are kept split: a tuple of their parts. */
static void print_dotted(struct scry_printer *p, scry_addr name)
{
	uint64_t n;
	scry_addr items, part;

	if (scry_sequence(p->runtime, name, &n, &items) < 0) {
		scry_print(p, name);
		return;
	}
	scry_buf_putc(p->out, '\'');
	for (uint64_t i = 0; i < n && i < 100; i++) {
		scry_buf_puts(p->out, i ? "." : "");
		if (scry_word(p->runtime, items + i * p->runtime->session->target->abi.ptr_size,
			      &part) == SCRY_OK)
			scry_print_str(p, part);
	}
	scry_buf_putc(p->out, '\'');
}

static int print_attrgetter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr names, items, name;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_ATTRGETTER_ATTR, &names);

	rc = rc < 0 ? rc : scry_sequence(p->runtime, names, &n, &items);
	if (rc < 0)
		return rc;
	scry_printf(p, "operator.%s(", scry_type_short(p->runtime, type));
	for (uint64_t i = 0; scry_printer_more(p, i, n); i++) {
		if (scry_word(p->runtime, items + i * p->runtime->session->target->abi.ptr_size,
			      &name) == SCRY_OK)
			print_dotted(p, name);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_misc[] = {
	{ "array.array", 0, print_array, .since = SCRY_VERSION_OF(3, 7) },
	{ "array.array", 0, print_array_old, .until = SCRY_VERSION_OF(3, 7) },
	{ "memoryview", 0, print_memoryview },
	{ "re.Pattern", 0, print_pattern },
	{ "_sre.SRE_Pattern", 0, print_pattern, .since = SCRY_VERSION_OF(3, 0) },
	{ "re.Match", 0, print_match },
	{ "_sre.SRE_Match", 0, print_match, .since = SCRY_VERSION_OF(3, 0) },
	{ "itertools.count", 0, print_count, .since = SCRY_VERSION_OF(3, 7) },
	{ "itertools.count", 0, print_count_old, .until = SCRY_VERSION_OF(3, 7) },
	{ "itertools.repeat", 0, print_repeat, .since = SCRY_VERSION_OF(3, 7) },
	{ "itertools.repeat", 0, print_repeat_old, .until = SCRY_VERSION_OF(3, 7) },
	{ "operator.itemgetter", 0, print_itemgetter },
	{ "operator.attrgetter", 0, print_attrgetter },
	{ NULL },
};
