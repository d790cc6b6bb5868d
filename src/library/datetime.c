/*
 * The datetime family. The C structs hold big-endian bytes: year 2, month, day, hour, minute,
 * second, microsecond 3.
 */
#include "object/printer.h"

static int read_bytes(struct scry_printer *p, scry_addr addr, enum scry_field f, uint8_t *data,
		      size_t n)
{
	if (p->runtime->layout->slot[f].size < n)
		return scry_fail(p->runtime->session, SCRY_ENOFIELD, addr,
				 "the layout of %s is not known",
				 scry_type_name_of(p->runtime, addr));
	return scry_read(p->runtime->session, scry_field_addr(p->runtime, addr, f), data, n);
}

/* date_repr(), Modules/_datetimemodule.c. */
static int print_date(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	uint8_t d[4];
	int rc = read_bytes(p, addr, SCRY_F_DATE_DATA, d, sizeof(d));

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc == SCRY_OK)
		scry_printf(p, "%s(%d, %d, %d)", t->name, d[0] << 8 | d[1], d[2], d[3]);
	return rc;
}

/* Seconds are left out where they and what follows are 0, microseconds where they are. */
static void print_clock(struct scry_printer *p, const uint8_t d[6])
{
	int us = d[3] << 16 | d[4] << 8 | d[5];

	scry_printf(p, "%d, %d", d[0], d[1]);
	if (d[2] || us)
		scry_printf(p, ", %d", d[2]);
	if (us)
		scry_printf(p, ", %d", us);
}

/* A struct without a zone ends before that field: `hastzinfo` has to be asked first. */
static void print_zone(struct scry_printer *p, scry_addr addr, enum scry_field has,
		       enum scry_field zone)
{
	uint64_t flag = 0, tz = 0;

	if (scry_field_read(p->runtime, addr, has, &flag) < 0 || !flag)
		return;
	scry_buf_puts(p->out, ", tzinfo=");
	if (scry_field_read(p->runtime, addr, zone, &tz) < 0)
		scry_printer_damage(p, addr);
	else
		scry_print(p, tz);
}

static void print_fold(struct scry_printer *p, scry_addr addr, enum scry_field f)
{
	uint64_t fold = 0;

	if (scry_field_read(p->runtime, addr, f, &fold) == SCRY_OK && fold)
		scry_printf(p, ", fold=%d", (int)fold);
}

static int print_datetime(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	uint8_t d[10];
	int rc = read_bytes(p, addr, SCRY_F_DATETIME_DATA, d, sizeof(d));

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(%d, %d, %d, ", t->name, d[0] << 8 | d[1], d[2], d[3]);
	print_clock(p, d + 4);
	print_fold(p, addr, SCRY_F_DATETIME_FOLD);
	print_zone(p, addr, SCRY_F_DATETIME_HASTZ, SCRY_F_DATETIME_TZINFO);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* Zone before fold here: Modules/_datetimemodule.c, time_repr(). */
static int print_time(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	uint8_t d[6];
	int rc = read_bytes(p, addr, SCRY_F_TIME_DATA, d, sizeof(d));

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", t->name);
	print_clock(p, d);
	print_zone(p, addr, SCRY_F_TIME_HASTZ, SCRY_F_TIME_TZINFO);
	print_fold(p, addr, SCRY_F_TIME_FOLD);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

static int read_delta(struct scry_printer *p, scry_addr addr, int64_t d[3])
{
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_TIMEDELTA_DAYS, &d[0]);

	rc = rc < 0 ? rc : scry_field_read_int(p->runtime, addr, SCRY_F_TIMEDELTA_SECONDS, &d[1]);
	return rc < 0 ? rc
		      : scry_field_read_int(p->runtime, addr, SCRY_F_TIMEDELTA_MICROSECONDS, &d[2]);
}

/* delta_repr(): keywords since 3.7, none of them "0". */
static int print_timedelta(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const char *const names[] = { "days", "seconds", "microseconds" };
	struct scry_type *t;
	int64_t d[3];
	bool any = false;
	int rc = read_delta(p, addr, d);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", t->name);
	for (int i = 0; i < 3; i++)
		if (d[i]) {
			scry_printf(p, "%s%s=%" PRId64, any ? ", " : "", names[i], d[i]);
			any = true;
		}
	scry_buf_puts(p->out, any ? ")" : "0)");
	return SCRY_OK;
}

/* Up to 3.6: without names. */
static int print_timedelta_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	int64_t d[3];
	int rc = read_delta(p, addr, d);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(%" PRId64, t->name, d[0]);
	if (d[1] || d[2])
		scry_printf(p, ", %" PRId64, d[1]);
	if (d[2])
		scry_printf(p, ", %" PRId64, d[2]);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

static int print_timezone(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	int64_t d[3];
	scry_addr offset, name;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_TIMEZONE_OFFSET, &offset);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_TIMEZONE_NAME, &name);
	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	rc = rc < 0 ? rc : read_delta(p, offset, d);
	if (rc < 0)
		return rc;
	/* the only one without name and offset is timezone.utc: new_timezone() */
	if (!name && !d[0] && !d[1] && !d[2]) {
		scry_buf_puts(p->out, "datetime.timezone.utc");
		return SCRY_OK;
	}
	scry_printf(p, "%s(", t->name);
	scry_print(p, offset);
	if (name) {
		scry_buf_puts(p->out, ", ");
		scry_print(p, name);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_chrono[] = {
	{ "datetime.date", 0, print_date },
	{ "datetime.datetime", 0, print_datetime },
	{ "datetime.time", 0, print_time },
	{ "datetime.timedelta", 0, print_timedelta, .since = SCRY_VERSION_OF(3, 7) },
	{ "datetime.timedelta", 0, print_timedelta_old, .until = SCRY_VERSION_OF(3, 7) },
	{ "datetime.timezone", 0, print_timezone },
	{ NULL },
};
