#include "base/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int scry_fail(struct scry_session *s, int code, scry_addr addr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error.text, sizeof(s->error.text), fmt, ap);
	va_end(ap);
	s->error.addr = addr;
	return s->error.code = code;
}

int scry_fail_errno(struct scry_session *s, const char *fmt, ...)
{
	const char *why = strerror(errno);
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(s->error.text, sizeof(s->error.text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(s->error.text))
		snprintf(s->error.text + n, sizeof(s->error.text) - (size_t)n, ": %s", why);
	s->error.addr = 0;
	return s->error.code = SCRY_ESYSTEM;
}

static void add_note(struct scry_session *s, struct scry_note kind, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (struct scry_note *n = s->notes; n; n = n->next)
		if (!strcmp(n->text, text))
			return;
	struct scry_note *note = scry_arena_alloc(&s->arena, sizeof(*note));
	if (!note)
		return;
	*note = kind;
	note->text = scry_arena_text(&s->arena, text, strlen(text));
	if (!note->text)
		return;
	*(s->notes ? s->notes_end : &s->notes) = note;
	s->notes_end = &note->next;
}

void scry_note(struct scry_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, (struct scry_note) { 0 }, fmt, ap);
	va_end(ap);
}

void scry_note_answer(struct scry_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, (struct scry_note) { .passing = true }, fmt, ap);
	va_end(ap);
}

void scry_notes_pass(struct scry_session *s)
{
	struct scry_note **at = &s->notes;

	while (*at) {
		if ((*at)->passing)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	s->notes_end = at;
}

void scry_warn(struct scry_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, (struct scry_note) { .warning = true }, fmt, ap);
	va_end(ap);
}

void scry_remark(struct scry_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(s, (struct scry_note) { .remark = true }, fmt, ap);
	va_end(ap);
}

const char *scry_session_error(struct scry_session *s)
{
	return s->error.text;
}
