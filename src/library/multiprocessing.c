/*
 * multiprocessing's processes, by what this process knows of them: Lib/multiprocessing/process.py.
 */
#include "object/printer.h"

struct process {
	const char *status;
	scry_addr popen;    /* 0: not started from here */
	bool ended, daemon; /* ended: `code` is its exit code */
	int64_t code;
};

static scry_addr attribute(struct scry_runtime *r, scry_addr obj, const char *name)
{
	scry_addr value;

	return scry_attr(r, obj, name, &value) == SCRY_OK && !scry_is_none(r, value) ? value : 0;
}

/* A global of the module, by way of the function that is the repr. */
static int module_global(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret)
{
	scry_addr repr, globals;
	int rc = scry_type_lookup(r, type, "__repr__", &repr, NULL);

	rc = rc < 0 ? rc : scry_field_read(r, repr, SCRY_F_FUNCTION_GLOBALS, &globals);
	return rc < 0 ? rc : scry_dict_get(r, globals, name, ret);
}

/*
 * The exit code is what waitpid() gave when somebody asked last: Lib/multiprocessing/popen_fork.py
 */
static void read_exit(struct scry_runtime *r, struct process *d)
{
	d->ended = scry_attr_int(r, d->popen, "returncode", &d->code) == SCRY_OK;
	d->status = d->ended ? "stopped" : "started";
}

static bool is_daemon(struct scry_runtime *r, scry_addr addr)
{
	scry_addr config = attribute(r, addr, "_config"), value;

	if (!config)
		value = attribute(r, addr, "_daemonic"); /* 2.7 */
	else if (scry_dict_get(r, config, "daemon", &value) < 0)
		value = 0;
	return value && scry_truth(r, value, false);
}

static int read_process(struct scry_runtime *r, scry_addr addr, scry_addr type, struct process *ret)
{
	scry_addr current = 0, closed = attribute(r, addr, "_closed");
	int64_t parent = 0, pid = r->session->target->pid;
	int rc = module_global(r, type, "_current_process", &current);

	*ret = (struct process) { .popen = attribute(r, addr, "_popen"),
				  .daemon = is_daemon(r, addr) };
	if (rc < 0)
		return rc;
	scry_attr_int(r, addr, "_parent_pid", &parent); /* None: the main process has none */
	if (current == addr)
		ret->status = "started";
	else if (closed && scry_truth(r, closed, false))
		ret->status = "closed";
	else if (pid && parent != pid)
		ret->status = "unknown";
	else if (!ret->popen)
		ret->status = "initial";
	else
		read_exit(r, ret);
	return SCRY_OK;
}

/* "-SIGKILL", by the module's own table, or the number. */
static void put_code(struct scry_printer *p, scry_addr type, int64_t code)
{
	scry_addr names, key, value;
	uint64_t it = 0;
	int64_t number;

	if (module_global(p->runtime, type, "_exitcode_to_name", &names) == SCRY_OK)
		while (scry_dict_next(p->runtime, names, &it, &key, &value) == SCRY_ITEM)
			if (scry_int_value(p->runtime, key, &number) == SCRY_OK && number == code) {
				scry_print_plain(p, value);
				return;
			}
	scry_printf(p, "%" PRId64, code);
}

static void put_attribute(struct scry_printer *p, scry_addr obj, const char *name, bool plain)
{
	scry_addr value;

	if (scry_attr(p->runtime, obj, name, &value) < 0)
		scry_printer_damage(p, obj);
	else if (plain)
		scry_print_plain(p, value);
	else
		scry_print(p, value);
}

static int print_process(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct process d;
	int rc = read_process(p->runtime, addr, type, &d);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s name=", scry_type_short(p->runtime, type));
	put_attribute(p, addr, "_name", false);
	if (d.popen) {
		scry_buf_puts(p->out, " pid=");
		put_attribute(p, d.popen, "pid", true);
	}
	scry_buf_puts(p->out, " parent=");
	put_attribute(p, addr, "_parent_pid", true);
	scry_printf(p, " %s", d.status);
	if (d.ended) {
		scry_buf_puts(p->out, " exitcode=");
		put_code(p, type, d.code);
	}
	scry_buf_puts(p->out, d.daemon ? " daemon>" : ">");
	return SCRY_OK;
}

/* Up to 3.7: "<ForkProcess(ForkProcess-1, stopped[3] daemon)>" */
static int print_process_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct process d;
	int rc = read_process(p->runtime, addr, type, &d);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s(", scry_type_short(p->runtime, type));
	put_attribute(p, addr, "_name", true);
	scry_printf(p, ", %s", d.status);
	if (d.ended && d.code) {
		scry_buf_putc(p->out, '[');
		put_code(p, type, d.code);
		scry_buf_putc(p->out, ']');
	}
	scry_buf_puts(p->out, d.daemon ? " daemon)>" : ")>");
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_processes[] = {
	{ "multiprocessing.pool.Pool", .form = "<%Q state={_state:s} pool_size={_pool:n}>" },
	{ "multiprocessing.process.BaseProcess", 0, print_process, .since = SCRY_VERSION_OF(3, 8),
	  .uses = "daemon", .needs = "_name _parent_pid" },
	{ "multiprocessing.process.BaseProcess", 0, print_process_old,
	  .until = SCRY_VERSION_OF(3, 8), .uses = "daemon exitcode", .needs = "_name _parent_pid" },
	{ "multiprocessing.process.Process", 0, print_process_old, .until = SCRY_VERSION_OF(3, 0),
	  .uses = "exitcode", .needs = "_name _parent_pid" },
	{ NULL },
};
