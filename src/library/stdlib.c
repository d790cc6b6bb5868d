/* More of the standard library: classes that are met in programs' variables. */
#include "object/known.h"
#include "object/printer.h"

#include "base/utf8.h"

#include <stdlib.h>

#define ENVIRON_TEXT_MAX (1u << 20) /* the kernel takes 128 KB */

/* "<Popen: returncode: None args: ['x']>", cut at 80: Lib/subprocess.py */
static int print_popen(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	size_t start = p->out->len;
	int rc = scry_print_form(p, addr, type, "<%C: returncode: {returncode} args: {args}>");

	if (rc == SCRY_OK && p->out->len - start > 80) {
		size_t len = p->out->len;

		scry_printer_cut(p, start, 80);
		if (p->out->len < len) {
			scry_printer_cut(p, start, 76);
			scry_buf_puts(p->out, "...>");
		}
	}
	return rc;
}

/* --- os.environ: bytes decoded as the file system's names are --- */

/* os.environb passes the bytes on: its decodekey is the type bytes (Lib/os.py). */
static bool is_of_bytes(struct scry_runtime *r, scry_addr mapping)
{
	scry_addr decode;

	return scry_attr(r, mapping, "decodekey", &decode) == SCRY_OK &&
	       scry_is_type(r, decode, SCRY_IS_BYTES);
}

/*
 * The encoding that its functions have in a closure; the functions of 2.7 and of Windows have none,
 * which decode nothing.
 */
static const char *encoding_of(struct scry_runtime *r, scry_addr mapping)
{
	scry_addr decode, closure, items, cell, name;
	const char *text;
	uint64_t n;

	if (scry_attr(r, mapping, "decodekey", &decode) < 0 ||
	    scry_field_read(r, decode, SCRY_F_FUNCTION_CLOSURE, &closure) < 0 || !closure ||
	    scry_sequence(r, closure, &n, &items) < 0 || n != 1 || scry_word(r, items, &cell) < 0 ||
	    scry_field_read(r, cell, SCRY_F_CELL_REF, &name) < 0 ||
	    scry_text_at(r, name, 50, &text) < 0)
		return "";
	return text;
}

/* The error handler "surrogateescape": bytes that do not fit become U+DC80 and so on. */
static void print_escaped(struct scry_printer *p, const char *bytes, size_t len, bool ascii)
{
	struct scry_buf text = SCRY_BUF_INIT;

	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)bytes[i];
		bool single = ascii || c < 0x80;
		unsigned code = single ? (i++, c) : scry_utf8_next(bytes, len, &i);
		bool surrogate = code >= 0xd800 && code < 0xe000;

		i -= surrogate ? 2 : 0; /* WTF-8, of which Python takes no byte */
		bool fits = code != SCRY_UTF8_BAD && !surrogate && !(ascii && c >= 0x80);
		scry_buf_put_char(&text, fits ? code : 0xdc00u + c);
	}
	scry_print_quoted_text(p, text.text ? text.text : "", text.len, false);
	scry_buf_done(&text);
}

static void print_decoded(struct scry_printer *p, scry_addr obj, const char *encoding)
{
	bool ascii = !strcmp(encoding, "ascii");
	struct scry_text_view v;
	char *bytes;

	if (scry_text_open(p->runtime, obj, &v) < 0 || !v.bytes) {
		scry_print(p, obj);
		return;
	}
	bool known = ascii || !strcmp(encoding, "utf-8") || !*encoding;
	if (!known || v.length > ENVIRON_TEXT_MAX || !(bytes = malloc(v.length + 1))) {
		scry_printf(p, "<%" PRIu64 " bytes of %s>", v.length, encoding);
		return;
	}
	print_escaped(p, bytes, scry_read_some(p->runtime->session, v.data, bytes, v.length),
		      ascii);
	free(bytes);
}

/* `encoding` NULL: bytes, as they are. */
static void print_text(struct scry_printer *p, scry_addr obj, const char *encoding)
{
	if (encoding)
		print_decoded(p, obj, encoding);
	else
		scry_print(p, obj);
}

static int print_environ(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_dict_view v;
	scry_addr data, key, value;
	uint64_t it = 0;
	int rc = scry_attr(p->runtime, addr, "_data", &data);

	(void)type;
	rc = rc < 0 ? rc : scry_dict_open(p->runtime, data, &v);
	if (rc < 0)
		return rc;
	const char *encoding = is_of_bytes(p->runtime, addr) ? NULL : encoding_of(p->runtime, addr);
	scry_buf_puts(p->out, "environ({");
	for (uint64_t i = 0; scry_printer_more(p, i, v.used); i++) {
		if (scry_dict_view_next(&v, &it, &key, &value) != SCRY_ITEM)
			break;
		print_text(p, key, encoding);
		scry_buf_puts(p->out, ": ");
		print_text(p, value, encoding);
	}
	scry_buf_puts(p->out, "})");
	return SCRY_OK;
}

/*
 * Lib/threading.py, 3.11+: _state is 0 filling, 1 draining, -1 resetting, -2 broken; while it
 * drains
 * nobody waits (n_waiting).
 */
static int print_barrier(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t state;
	int rc = scry_attr_int(p->runtime, addr, "_state", &state);

	if (rc < 0)
		return rc;
	return scry_print_form(p, addr, type,
			       state == -2  ? "<%Q at %A: broken>"
			       : state == 0 ? "<%Q at %A: waiters={_count}/{_parties}>"
					    : "<%Q at %A: waiters=0/{_parties}>");
}

/* --- concurrent.futures --- */

static int print_concurrent_future(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const struct {
		const char *state, *shown; /* Lib/concurrent/futures/_base.py */
		bool has_outcome;
	} states[] = { { "PENDING", "pending", false },
		       { "RUNNING", "running", false },
		       { "CANCELLED", "cancelled", false },
		       { "CANCELLED_AND_NOTIFIED", "cancelled", false },
		       { "FINISHED", "finished", true } };
	const size_t n = sizeof(states) / sizeof(states[0]);
	const char *state = scry_attr_text(p->runtime, addr, "_state");
	scry_addr value, of;
	size_t i = 0;

	while (i < n && (!state || strcmp(state, states[i].state)))
		i++;
	scry_printf(p, "<%s at 0x%" PRIx64 " state=%s", scry_type_short(p->runtime, type), addr,
		    i < n ? states[i].shown : "?");
	if (i < n && states[i].has_outcome &&
	    scry_attr(p->runtime, addr, "_exception", &value) == SCRY_OK) {
		bool raised = !scry_is_none(p->runtime, value);

		if ((raised || scry_attr(p->runtime, addr, "_result", &value) == SCRY_OK) &&
		    scry_type_of(p->runtime, value, &of) == SCRY_OK)
			scry_printf(p, " %s %s", raised ? "raised" : "returned",
				    scry_type_short(p->runtime, of));
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_element(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr tag;
	int rc = SCRY_OK;

	(void)type;
	/* a build without _elementtree has the Python class, under the same name */
	if (scry_attr(p->runtime, addr, "tag", &tag) < 0 ||
	    scry_is_exactly(p->runtime, tag, SCRY_IS_GETSET_DESCRIPTOR))
		rc = scry_field_read(p->runtime, addr, SCRY_F_ELEMENT_TAG, &tag);
	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, "<Element ");
	scry_print(p, tag);
	scry_printf(p, " at 0x%" PRIx64 ">", addr);
	return SCRY_OK;
}

/* os.scandir(): Modules/posixmodule.c */
static int print_dir_entry(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr name;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DIR_ENTRY_NAME, &name);

	(void)type;
	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, "<DirEntry ");
	scry_print(p, name);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/*
 * What it finalizes is in a dict of the class, by the finalizer; dead ones were taken out of
 * it.
 */
static int print_finalize(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	struct scry_dict_view v;
	scry_addr registry, key, info, weak, obj = 0, of;
	uint64_t it = 0;
	int rc = scry_type_lookup(r, type, "_registry", &registry, NULL);

	rc = rc < 0 ? rc : scry_dict_open(r, registry, &v);
	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &info)) == SCRY_ITEM)
		if (key == addr && (rc = scry_attr(r, info, "weakref", &weak)) == SCRY_OK) {
			rc = scry_field_read(r, weak, SCRY_F_WEAKREF_OBJECT, &obj);
			break;
		}
	if (rc < 0)
		return rc;
	scry_printf(p, "<%s object at 0x%" PRIx64 "; ", scry_type_short(r, type), addr);
	if (!obj || scry_is_none(r, obj) || scry_type_of(r, obj, &of) < 0) {
		scry_buf_puts(p->out, "dead>");
		return SCRY_OK;
	}
	scry_printf(p, "for '%s' at 0x%" PRIx64 ">", scry_type_short(r, of), obj);
	return SCRY_OK;
}

static int print_zip_file(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr fp, passed, name;
	int rc = scry_attr(r, addr, "fp", &fp);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s.%s", scry_type_module(r, type), scry_type_qualname(r, type));
	if (scry_is_none(r, fp)) {
		scry_buf_puts(p->out, " [closed]");
	} else {
		bool given = scry_attr(r, addr, "_filePassed", &passed) == SCRY_OK &&
			     scry_truth(r, passed, false);

		if (given) {
			scry_buf_puts(p->out, " file=");
			scry_print(p, fp);
		} else if (scry_attr(r, addr, "filename", &name) == SCRY_OK &&
			   !scry_is_none(r, name)) {
			scry_buf_puts(p->out, " filename=");
			scry_print(p, name);
		}
		scry_buf_puts(p->out, " mode=");
		if (!scry_print_attr(p, addr, "mode"))
			scry_printer_damage(p, addr);
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/*
 * --- dataclasses: names without spaces between them; new ones came with versions, what is there is
 * shown ---
 */

static int print_attributes(struct scry_printer *p, scry_addr addr, const char *title,
			    const char *const *names)
{
	const char *between = "";
	scry_addr value;

	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", title);
	for (; *names; names++) {
		if (scry_attr(p->runtime, addr, *names, &value) < 0)
			continue;
		scry_printf(p, "%s%s=", between, *names);
		scry_print(p, value);
		between = ",";
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_dataclass_field(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const char *const names[] = { "name",     "type",    "default", "default_factory",
					     "init",     "repr",    "hash",    "compare",
					     "metadata", "kw_only", "doc",     "_field_type",
					     NULL };

	(void)type;
	return print_attributes(p, addr, "Field", names);
}

static int print_dataclass_params(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const char *const names[] = { "init",        "repr",         "eq",         "order",
					     "unsafe_hash", "frozen",       "match_args", "kw_only",
					     "slots",       "weakref_slot", NULL };

	(void)type;
	return print_attributes(p, addr, "_DataclassParams", names);
}

/* "dataclasses.InitVar[int]" */
static int print_init_var(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr value;
	struct scry_type *t;
	int rc = scry_attr(p->runtime, addr, "type", &value);

	(void)type;
	rc = rc < 0 ? rc : scry_type_for(p->runtime, value, &t);
	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, "dataclasses.InitVar[");
	if (t->flags & TYPE_TYPE)
		scry_buf_puts(p->out, scry_type_short(p->runtime, value));
	else
		scry_print(p, value);
	scry_buf_putc(p->out, ']');
	return SCRY_OK;
}

/* 3.13+ */
static int print_struct(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr format;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_STRUCT_FORMAT, &format);

	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
	print_decoded(p, format, "utf-8");
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

#define ADDRESS "%C(display_name={_display_name}, username={_username}, domain={_domain})"

#define HELP "Type help() for interactive help, or help(object) for help about object."

const struct scry_printer_row scry_printers_library[] = {
	{ "subprocess.CompletedProcess", .form = "%C(args={args}, returncode={returncode}[stdout:, "
						 "stdout={stdout}][stderr:, stderr={stderr}])" },
	{ "subprocess.Popen", 0, print_popen },
	{ "tempfile._TemporaryFileWrapper", .form = "<%C file={file}>" },
	{ "tempfile.TemporaryDirectory", .form = "<%C {name}>" },
	{ "os._Environ", 0, print_environ, .uses = "decodekey decodevalue" },
	{ "traceback.FrameSummary",
	  .form = "<FrameSummary file {filename:s}, line {lineno} in {name:s}>" },
	{ "concurrent.futures._base.Future", 0, print_concurrent_future,
	  .needs = "_condition _state" },
	{ "threading.Barrier", 0, print_barrier, .uses = "broken n_waiting parties" },
	{ "statistics.NormalDist", .form = "%C(mu={_mu}, sigma={_sigma})" },
	{ "xml.etree.ElementTree.Element", 0, print_element },
	{ "xml.etree.ElementTree.QName", .form = "<%C {text}>" },
	{ "xml.dom.minidom.Element", .form = "<DOM Element: {tagName:s} at %A>" },
	{ "os.DirEntry", 0, print_dir_entry },
	{ "posix.DirEntry", 0, print_dir_entry },
	{ "codecs.CodecInfo", .form = "<%Q object for encoding {name:s} at %A>" },
	{ "configparser.SectionProxy", .form = "<Section: {_name:s}>" },
	{ "dis.Bytecode", .form = "%C({_original_object})" },
	{ "email.headerregistry.Address", .form = ADDRESS },
	{ "unittest.suite.BaseTestSuite", .form = "<%Q tests={_tests}>", .uses = "__iter__" },
	{ "unittest.case.TestCase", .form = "<%Q testMethod={_testMethodName:s}>" },
	{ "unittest.result.TestResult",
	  .form = "<%Q run={testsRun} errors={errors:n} failures={failures:n}>" },
	{ "unittest.mock._SentinelObject", .form = "sentinel.{name:s}" },
	{ "unittest.mock._ANY", .form = "<ANY>" },
	{ "weakref.finalize", 0, print_finalize },
	{ "_frozen_importlib_external.FileFinder", .form = "FileFinder({path})" },
	{ "importlib._bootstrap_external.FileFinder", .form = "FileFinder({path})" },
	{ "zipimport.zipimporter", .form = "<zipimporter object \"{archive:s}/{prefix:s}\">",
	  .since = SCRY_VERSION_OF(3, 8) },
	{ "zipfile.ZipFile", 0, print_zip_file },
	{ "_struct.Struct", 0, print_struct },
	{ "attr._make._Nothing", .form = "NOTHING" },
	{ "attr._make.Attribute", 0, scry_print_unknown },
	{ "dataclasses.InitVar", 0, print_init_var },
	{ "dataclasses.Field", 0, print_dataclass_field },
	{ "dataclasses._DataclassParams", 0, print_dataclass_params },
	{ "dataclasses._FIELD_BASE", .form = "{name:s}" },
	{ "sentinel", .form = "{__name__:s}" },
	{ "asyncio.base_events.BaseEventLoop",
	  .form = "<%C running={_thread_id:True|False} closed={_closed} debug={_debug}>" },
	{ "_sitebuiltins._Helper", .form = HELP }, /* Lib/_sitebuiltins.py; 2.7: Lib/site.py */
	{ "site._Helper", .form = HELP },
	{ NULL },
};
