/* Modules: Lib/importlib/_bootstrap.py, _module_repr(); 2.7: Objects/moduleobject.c */
#include "object/known.h"
#include "object/printer.h"

/* What an attribute is, but for None: 0 where there is none. */
static scry_addr attribute(struct scry_printer *p, scry_addr obj, const char *name)
{
	scry_addr value;

	return scry_attr(p->runtime, obj, name, &value) == SCRY_OK &&
			       !scry_is_none(p->runtime, value)
		       ? value
		       : 0;
}

static void put_name(struct scry_printer *p, scry_addr of, const char *name)
{
	scry_addr value = attribute(p, of, name);

	scry_buf_puts(p->out, "<module ");
	if (value)
		scry_print(p, value);
	else
		scry_buf_puts(p->out, "'?'");
}

/*
 * Loaders that describe their modules themselves, up to 3.11: module_repr(); the first two are used
 * as classes.
 */
static const struct {
	enum scry_known loader;
	const char *what;
} describing[] = {
	{ SCRY_IS_BUILTIN_IMPORTER, "built-in" },
	{ SCRY_IS_FROZEN_IMPORTER, "frozen" },
	{ SCRY_IS_NAMESPACE_LOADER, "namespace" },
};

static const char *described_by(struct scry_printer *p, scry_addr loader)
{
	struct scry_type *t;

	if (!loader || scry_type_for(p->runtime, loader, &t) < 0)
		return NULL;
	if (t->flags & TYPE_TYPE && scry_type_at(p->runtime, loader, &t) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(describing) / sizeof(describing[0]); i++)
		if (scry_known_type(t) == describing[i].loader)
			return describing[i].what;
	return NULL;
}

static bool print_described(struct scry_printer *p, scry_addr module)
{
	const char *what = described_by(p, attribute(p, module, "__loader__"));

	if (!what)
		return false;
	put_name(p, module, "__name__");
	scry_printf(p, " (%s)>", what);
	return true;
}

static void print_loader(struct scry_printer *p, scry_addr loader)
{
	if (!loader)
		return;
	scry_buf_puts(p->out, " (");
	scry_print(p, loader);
	scry_buf_putc(p->out, ')');
}

/* 3.12+: "(namespace) from ['/a', '/b']" */
static bool print_namespace(struct scry_printer *p, scry_addr loader)
{
	const char *what = scry_trait(p->runtime, SCRY_TRAIT_MODULE_BY_SPEC_ONLY)
				   ? described_by(p, loader)
				   : NULL;
	scry_addr path;

	if (!what || strcmp(what, "namespace") ||
	    scry_attr_path(p->runtime, loader, "_path._path", strlen("_path._path"), &path) < 0)
		return false;
	scry_buf_puts(p->out, " (namespace) from ");
	scry_print(p, path);
	return true;
}

/*
 * _module_repr_from_spec(): a module with a location comes "from" it, one without is what its
 * origin says ("built-in", "frozen").
 */
static void print_spec(struct scry_printer *p, scry_addr spec)
{
	scry_addr origin = attribute(p, spec, "origin"),
		  located = attribute(p, spec, "_set_fileattr");

	put_name(p, spec, "name");
	if (!origin) {
		scry_addr loader = attribute(p, spec, "loader");

		if (!print_namespace(p, loader))
			print_loader(p, loader);
	} else if (located && scry_truth(p->runtime, located, false)) {
		scry_buf_puts(p->out, " from ");
		scry_print(p, origin);
	} else {
		scry_buf_puts(p->out, " (");
		scry_print_plain(p, origin);
		scry_buf_putc(p->out, ')');
	}
	scry_buf_putc(p->out, '>');
}

/*
 * Since 3.4 a module has a __spec__; what was made by hand (types.ModuleType()) has None there and
 * falls back on __file__ and __loader__.
 */
static int print_module_as(struct scry_printer *p, scry_addr addr, bool loader_first)
{
	scry_addr spec = attribute(p, addr, "__spec__"), file;

	if (loader_first && print_described(p, addr))
		return SCRY_OK;
	if (spec) {
		print_spec(p, spec);
		return SCRY_OK;
	}
	if (!scry_trait(p->runtime, SCRY_TRAIT_MODULE_BY_SPEC_ONLY) && print_described(p, addr))
		return SCRY_OK;
	put_name(p, addr, "__name__");
	if (scry_attr(p->runtime, addr, "__file__", &file) == SCRY_OK) {
		scry_buf_puts(p->out, " from ");
		scry_print(p, file);
	} else {
		print_loader(p, attribute(p, addr, "__loader__"));
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_module(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_module_as(p, addr, false);
}

/* up to 3.9 the loader is asked before the spec is */
static int print_module_3_3(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_module_as(p, addr, true);
}

/* module_repr() of 2.7: whatever has no __file__ that is a str is called built-in. */
static int print_module2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name = scry_attr_text(p->runtime, addr, "__name__");

	(void)type;
	scry_printf(p, "<module '%s'", name ? name : "?");
	const char *file = scry_attr_text(p->runtime, addr, "__file__");
	scry_addr value = file ? 0 : attribute(p, addr, "__file__");
	struct scry_type *t;
	if (file) {
		scry_printf(p, " from '%s'>", file);
	} else if (value && (scry_type_for(p->runtime, value, &t) < 0 || t->flags & TYPE_BYTES)) {
		scry_buf_puts(p->out, " from ");
		scry_print(p, value); /* says what is wrong with it */
		scry_buf_putc(p->out, '>');
	} else {
		scry_buf_puts(p->out, " (built-in)>");
	}
	return SCRY_OK;
}

/* Lib/importlib/_bootstrap.py: _module_repr() */
#define ASKED "__spec__ __loader__ __file__ __getattribute__"

const struct scry_printer_row scry_printers_module[] = {
	{ "module", 0, print_module, .since = SCRY_VERSION_OF(3, 10), .uses = ASKED },
	{ "module", 0, print_module_3_3, .since = SCRY_VERSION_OF(3, 0),
	  .until = SCRY_VERSION_OF(3, 10), .uses = ASKED },
	{ "module", 0, print_module2, .until = SCRY_VERSION_OF(3, 0) },
	{ NULL },
};
