/* Files, sockets, memory maps. */
#include "object/known.h"
#include "object/printer.h"

/* BytesIO, BufferedRWPair and classes of the program's have no `raw` in their struct. */
static bool is_buffered(struct scry_runtime *r, const struct scry_type *t)
{
	static const char *const names[] = { "_io.BufferedReader", "_io.BufferedWriter",
					     "_io.BufferedRandom" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_type_derives(r, t->addr, names[i]))
			return true;
	return false;
}

/*
 * The raw file at the end of textio.buffer, buffered.raw. Ten steps: streams of streams are three
 * deep, and a damaged one may lead back to itself.
 */
static int raw_stream(struct scry_runtime *r, scry_addr stream, scry_addr *ret)
{
	for (int i = 0; i < 10 && stream; i++) {
		enum scry_field next = SCRY_F_BUFFERED_RAW;
		struct scry_type *t;

		int rc = scry_type_for(r, stream, &t);

		if (rc < 0)
			return rc;
		if (scry_type_is(r, t->addr, SCRY_IS_TEXT_IO_WRAPPER))
			next = SCRY_F_TEXTIO_BUFFER;
		else if (!is_buffered(r, t))
			return *ret = stream, SCRY_OK;
		rc = scry_field_read(r, stream, next, &stream);
		if (rc < 0)
			return rc;
	}
	return SCRY_ENOTFOUND;
}

static bool is_property(struct scry_runtime *r, scry_addr value)
{
	return scry_is_exactly(r, value, SCRY_IS_PROPERTY);
}

bool scry_stream_name(struct scry_runtime *r, scry_addr stream, scry_addr *ret)
{
	return raw_stream(r, stream, &stream) == SCRY_OK &&
	       scry_attr(r, stream, "name", ret) == SCRY_OK && !is_property(r, *ret);
}

/* Lib/socket.py: the property `name` of a SocketIO is its file descriptor, -1 once it is closed */
static int socket_stream_fd(struct scry_runtime *r, scry_addr stream, int64_t *ret)
{
	scry_addr sock;
	struct scry_type *t;
	int rc = scry_type_for(r, stream, &t);

	if (rc < 0 || !scry_type_derives(r, t->addr, "socket.SocketIO"))
		return rc < 0 ? rc : SCRY_ENOTFOUND;
	rc = scry_attr(r, stream, "_sock", &sock);
	*ret = -1;
	return rc < 0 || scry_is_none(r, sock)
		       ? rc
		       : scry_field_read_int(r, sock, SCRY_F_SOCKET_FD, ret);
}

/* Whether there is such an attribute cannot be told: its dict is damaged. */
static bool is_lost(int rc)
{
	return rc == SCRY_EFAULT || rc == SCRY_ECORRUPT;
}

/* " name=..." where there is one; SCRY_ENOTFOUND where only code would know. */
static int print_stream_name(struct scry_printer *p, scry_addr addr)
{
	scry_addr stream, name;
	int64_t fd;

	int rc = raw_stream(p->runtime, addr, &stream);
	rc = rc < 0 ? rc : scry_attr(p->runtime, stream, "name", &name);
	if (is_lost(rc)) {
		scry_buf_puts(p->out, " name=");
		scry_printer_damage(p, addr);
	}
	if (rc < 0)
		return SCRY_OK;
	if (!is_property(p->runtime, name)) {
		scry_buf_puts(p->out, " name=");
		scry_print(p, name);
		return SCRY_OK;
	}
	rc = socket_stream_fd(p->runtime, stream, &fd);
	if (rc == SCRY_OK)
		scry_printf(p, " name=%" PRId64, fd);
	return rc;
}

/*
 * Up to 3.12 FileIO and TextIOWrapper write their own names, also for classes that derive from them
 * (Modules/_io/fileio.c, textio.c); later the type's. The rest always did that.
 */
static const char *stream_type(const struct scry_printer *p, const struct scry_type *t,
			       const char *own)
{
	return scry_trait(p->runtime, SCRY_TRAIT_IO_OWN_NAME) ? own : t->name;
}

/*
 * textiowrapper_repr(), Modules/_io/textio.c. Its name is the raw file's, which a class in Python
 * may compute.
 */
static int print_textio_as(struct scry_printer *p, scry_addr addr, scry_addr type, bool with_mode)
{
	size_t start = p->out->len;
	scry_addr value;
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s", stream_type(p, t, "_io.TextIOWrapper"));
	if (print_stream_name(p, addr) < 0) {
		scry_buf_cut(p->out, start);
		return scry_print_unknown(p, addr, type);
	}
	rc = with_mode ? scry_attr(p->runtime, addr, "mode", &value) : SCRY_ENOTFOUND;
	if (rc == SCRY_OK || is_lost(rc))
		scry_buf_puts(p->out, " mode=");
	if (rc == SCRY_OK)
		scry_print(p, value);
	else if (is_lost(rc))
		scry_printer_damage(p, addr);
	scry_buf_puts(p->out, " encoding=");
	rc = scry_field_read(p->runtime, addr, SCRY_F_TEXTIO_ENCODING, &value);
	if (rc < 0)
		scry_printer_damage(p, addr);
	else
		scry_print(p, value);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_textio(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_textio_as(p, addr, type, true);
}

/* 2.7 does not write the mode; closefd below came with 3.5 */
static int print_textio2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_textio_as(p, addr, type, false);
}

/* buffered_repr(), Modules/_io/bufferedio.c. */
static int print_buffered(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	size_t start = p->out->len;
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s", t->name);
	if (print_stream_name(p, addr) < 0) {
		scry_buf_cut(p->out, start);
		return scry_print_unknown(p, addr, type);
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* Modules/_io/fileio.c, mode_string() */
static const char *file_mode(struct scry_runtime *r, scry_addr addr)
{
	uint64_t created = 0, readable = 0, writable = 0, appending = 0;

	scry_field_read(r, addr, SCRY_F_FILEIO_CREATED, &created);
	scry_field_read(r, addr, SCRY_F_FILEIO_READABLE, &readable);
	scry_field_read(r, addr, SCRY_F_FILEIO_WRITABLE, &writable);
	scry_field_read(r, addr, SCRY_F_FILEIO_APPENDING, &appending);
	if (created)
		return readable ? "xb+" : "xb";
	if (appending)
		return readable ? "ab+" : "ab";
	return readable && writable ? "rb+" : readable ? "rb" : "wb";
}

/*
 * fileio_repr(): without a name (opened by number, or deleted from the dict) the descriptor stands
 * for it.
 */
static int print_fileio_as(struct scry_printer *p, scry_addr addr, scry_addr type,
			   bool with_closefd)
{
	int64_t fd;
	uint64_t closefd = 1;
	scry_addr name;
	struct scry_type *t;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_FILEIO_FD, &fd);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "<%s ", stream_type(p, t, "_io.FileIO"));
	if (fd < 0) {
		scry_buf_puts(p->out, "[closed]>");
		return SCRY_OK;
	}
	scry_field_read(p->runtime, addr, SCRY_F_FILEIO_CLOSEFD, &closefd);
	rc = scry_attr(p->runtime, addr, "name", &name);
	if (rc == SCRY_OK || is_lost(rc)) {
		scry_buf_puts(p->out, "name=");
		if (rc == SCRY_OK)
			scry_print(p, name);
		else
			scry_printer_damage(p, addr);
	} else {
		scry_printf(p, "fd=%" PRId64, fd);
	}
	scry_printf(p, " mode='%s'", file_mode(p->runtime, addr));
	if (with_closefd)
		scry_printf(p, " closefd=%s", closefd ? "True" : "False");
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_fileio(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_fileio_as(p, addr, type, true);
}

static int print_fileio_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_fileio_as(p, addr, type, false);
}

/* 2.7: Objects/fileobject.c */
static int print_file2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr fp, name, mode;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_OLD_FILE_FP, &fp);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_OLD_FILE_NAME, &name);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_OLD_FILE_MODE, &mode);
	if (rc < 0)
		return rc;
	scry_printf(p, "<%s file ", fp ? "open" : "closed");
	scry_print(p, name);
	scry_buf_puts(p->out, ", mode '");
	scry_print_plain(p, mode);
	scry_printf(p, "' at 0x%" PRIx64 ">", addr);
	return SCRY_OK;
}

/* --- sockets: Lib/socket.py. Local and remote addresses are the kernel's, not in memory --- */

/*
 * Up to 3.10 str() of a family is its name, "AddressFamily.AF_INET": by the class in socket's own
 * globals.
 */
static void print_constant(struct scry_printer *p, scry_addr type, const char *cls, int64_t value)
{
	struct scry_runtime *r = p->runtime;
	struct scry_dict_view v;
	scry_addr repr, globals, found, map, key, member;
	int64_t number;
	uint64_t it = 0;

	if (scry_trait(r, SCRY_TRAIT_CONVERTED_BY_GLOBALS) &&
	    scry_type_lookup(r, type, "__repr__", &repr, NULL) == SCRY_OK &&
	    scry_field_read(r, repr, SCRY_F_FUNCTION_GLOBALS, &globals) == SCRY_OK &&
	    scry_dict_get(r, globals, cls, &found) == SCRY_OK &&
	    scry_attr(r, found, "_member_map_", &map) == SCRY_OK &&
	    scry_dict_open(r, map, &v) == SCRY_OK)
		while (scry_dict_view_next(&v, &it, &key, &member) == SCRY_ITEM)
			if (scry_attr_int(r, member, "_value_", &number) == SCRY_OK &&
			    number == value) {
				scry_printf(p, "%s.", cls);
				scry_print_plain(p, key);
				return;
			}
	scry_printf(p, "%" PRId64, value);
}

static int read_socket(struct scry_printer *p, scry_addr addr, int64_t v[4])
{
	static const enum scry_field f[] = { SCRY_F_SOCKET_FD, SCRY_F_SOCKET_FAMILY,
					     SCRY_F_SOCKET_TYPE, SCRY_F_SOCKET_PROTO };
	int rc = SCRY_OK;

	for (int i = 0; i < 4 && rc == SCRY_OK; i++)
		rc = scry_field_read_int(p->runtime, addr, f[i], &v[i]);
	return rc;
}

/*
 * socket.__repr__(), which asks the kernel for both addresses while the socket is open: these are
 * left out.
 */
static int print_socket(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t v[4];
	scry_addr closed;
	int rc = read_socket(p, addr, v);

	if (rc < 0)
		return rc;
	bool is_closed = scry_attr(p->runtime, addr, "_closed", &closed) == SCRY_OK &&
			 scry_truth(p->runtime, closed, false);
	scry_printf(p, "<%s.%s%s fd=%" PRId64 ", family=", scry_type_module(p->runtime, type),
		    scry_type_qualname(p->runtime, type), is_closed ? " [closed]" : "", v[0]);
	print_constant(p, type, "AddressFamily", v[1]);
	scry_buf_puts(p->out, ", type=");
	print_constant(p, type, "SocketKind", v[2]);
	scry_printf(p, ", proto=%" PRId64 ">", v[3]);
	return SCRY_OK;
}

/* sock_repr(), Modules/socketmodule.c. */
static int print_raw_socket_as(struct scry_printer *p, scry_addr addr, const char *proto)
{
	int64_t v[4];
	int rc = read_socket(p, addr, v);

	if (rc == SCRY_OK)
		scry_printf(p,
			    "<socket object, fd=%" PRId64 ", family=%" PRId64 ", type=%" PRId64
			    ", %s=%" PRId64 ">",
			    v[0], v[1], v[2], proto, v[3]);
	return rc;
}

static int print_raw_socket(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_raw_socket_as(p, addr, "proto");
}

static int print_raw_socket2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_raw_socket_as(p, addr, "protocol");
}

/* `data` is NULL once it is closed; what it maps is the mapping at that address. */
static int print_mmap(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const char *const access[] = { "ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE",
					      "ACCESS_COPY" };
	scry_addr data;
	uint64_t size, pos, offset, how;
	struct scry_type *t;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_MMAP_DATA, &data);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_MMAP_SIZE, &size);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_MMAP_POS, &pos);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_MMAP_OFFSET, &offset);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_MMAP_ACCESS, &how);
	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	if (!data)
		scry_printf(p, "<%s closed=True>", t->name);
	else
		scry_printf(p,
			    "<%s closed=False, access=%s, length=%" PRIu64 ", pos=%" PRIu64
			    ", offset=%" PRIu64 ">",
			    t->name, how < 4 ? access[how] : "?", size, pos, offset);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_io[] = {
	{ "_io.TextIOWrapper", 0, print_textio, .since = SCRY_VERSION_OF(3, 0),
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.TextIOWrapper", 0, print_textio2, .until = SCRY_VERSION_OF(3, 0),
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.BufferedReader", 0, print_buffered,
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.BufferedWriter", 0, print_buffered,
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.BufferedRandom", 0, print_buffered,
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.FileIO", 0, print_fileio, .since = SCRY_VERSION_OF(3, 5),
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "_io.FileIO", 0, print_fileio_old, .until = SCRY_VERSION_OF(3, 5),
	  .uses = "name mode raw buffer __getattribute__ __getattr__" },
	{ "file", 0, print_file2, .until = SCRY_VERSION_OF(3, 0) },
	{ "socket.socket", 0, print_socket, .uses = "fileno family type proto" },
	{ "_socket.socket", 0, print_raw_socket, .since = SCRY_VERSION_OF(3, 0) },
	{ "_socket.socket", 0, print_raw_socket2, .until = SCRY_VERSION_OF(3, 0) },
	{ "mmap.mmap", 0, print_mmap },
	{ NULL },
};
