/* logging: loggers, handlers, adapters, records; with the program's own names of levels. */
#include "object/printer.h"

/* The dict of a module that is in use already: what a method of its class calls its globals. */
static int module_global(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret)
{
	scry_addr repr, globals;
	int rc = scry_type_lookup(r, type, "__repr__", &repr, NULL);

	rc = rc < 0 ? rc : scry_field_read(r, repr, SCRY_F_FUNCTION_GLOBALS, &globals);
	return rc < 0 ? rc : scry_dict_get(r, globals, name, ret);
}

static void put_known_level(struct scry_printer *p, int64_t level)
{
	static const char *const names[] = { "NOTSET",  "DEBUG", "INFO",
					     "WARNING", "ERROR", "CRITICAL" };

	if (level >= 0 && level <= 50 && level % 10 == 0)
		scry_buf_puts(p->out, names[level / 10]);
	else
		scry_printf(p, "Level %" PRId64, level);
}

/*
 * getLevelName(): _levelToName, which addLevelName() changes; 3.3 and before had names and numbers
 * in one dict
 */
static void put_level(struct scry_printer *p, scry_addr type, int64_t level)
{
	struct scry_dict_view v;
	scry_addr dict, key, name;
	int64_t number;
	uint64_t it = 0;

	if ((module_global(p->runtime, type, "_levelToName", &dict) < 0 &&
	     module_global(p->runtime, type, "_levelNames", &dict) < 0) ||
	    scry_dict_open(p->runtime, dict, &v) < 0) {
		put_known_level(p, level);
		return;
	}
	while (scry_dict_view_next(&v, &it, &key, &name) == SCRY_ITEM)
		if (scry_int_value(p->runtime, key, &number) == SCRY_OK && number == level) {
			scry_print_plain(p, name);
			return;
		}
	scry_printf(p, "Level %" PRId64, level);
}

/* The level is that of the nearest ancestor that has one. */
static int64_t effective_level(struct scry_runtime *r, scry_addr logger)
{
	int64_t level = 0;

	for (int i = 0; i < 1000; i++)
		if (scry_attr_int(r, logger, "level", &level) < 0 || level ||
		    scry_attr(r, logger, "parent", &logger) < 0 || scry_is_none(r, logger))
			break;
	return level;
}

static int print_logger_of(struct scry_printer *p, scry_addr logger, scry_addr type)
{
	scry_addr name;
	int rc = scry_attr(p->runtime, logger, "name", &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s ", scry_type_short(p->runtime, type));
	scry_print_plain(p, name);
	scry_buf_puts(p->out, " (");
	put_level(p, type, effective_level(p->runtime, logger));
	scry_buf_puts(p->out, ")>");
	return SCRY_OK;
}

static int print_logger(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_logger_of(p, addr, type);
}

static int print_adapter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr logger;
	int rc = scry_attr(p->runtime, addr, "logger", &logger);

	return rc < 0 ? rc : print_logger_of(p, logger, type);
}

/* --- handlers: "<StreamHandler <stderr> (NOTSET)>" --- */

static void put_handler_level(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t level = 0;

	scry_attr_int(p->runtime, addr, "level", &level);
	scry_buf_putc(p->out, '(');
	put_level(p, type, level);
	scry_buf_puts(p->out, ")>");
}

static int print_handler(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_printf(p, "<%s ", scry_type_short(p->runtime, type));
	put_handler_level(p, addr, type);
	return SCRY_OK;
}

/* logging's handler of last resort has a property: the stderr of now */
static int handler_stream(struct scry_runtime *r, scry_addr addr, scry_addr type, scry_addr *ret)
{
	scry_addr sys;

	if (!scry_type_derives(r, type, "logging._StderrHandler"))
		return scry_attr(r, addr, "stream", ret);
	int rc = module_global(r, type, "sys", &sys);
	return rc < 0 ? rc : scry_attr(r, sys, "stderr", ret);
}

static int print_stream_handler(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr stream, name;

	scry_printf(p, "<%s ", scry_type_short(p->runtime, type));
	if (handler_stream(p->runtime, addr, type, &stream) == SCRY_OK &&
	    scry_stream_name(p->runtime, stream, &name) && scry_truth(p->runtime, name, true)) {
		scry_print_plain(p, name);
		scry_buf_putc(p->out, ' ');
	}
	put_handler_level(p, addr, type);
	return SCRY_OK;
}

static int print_file_handler(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *file = scry_attr_text(p->runtime, addr, "baseFilename");

	scry_printf(p, "<%s %s ", scry_type_short(p->runtime, type), file ? file : "?");
	put_handler_level(p, addr, type);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_logging[] = {
	{ "logging.Logger", 0, print_logger, .uses = "getEffectiveLevel", .needs = "level" },
	{ "logging.RootLogger", 0, print_logger, .uses = "getEffectiveLevel", .needs = "level" },
	{ "logging.LoggerAdapter", 0, print_adapter },
	{ "logging.Handler", 0, print_handler, .needs = "level" },
	{ "logging.StreamHandler", 0, print_stream_handler, .needs = "level stream" },
	{ "logging.FileHandler", 0, print_file_handler, .needs = "level baseFilename" },
	{ "logging.Filter", .form = "<%C ({name:s})>" },
	{ "logging.LogRecord",
	  .form = "<LogRecord: {name:s}, {levelno}, {pathname:s}, {lineno}, \"{msg:s}\">" },
	{ NULL },
};
