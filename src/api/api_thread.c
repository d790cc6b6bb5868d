/* Threads as they are handed out, and what every call of the public walks does. */
#include "api/api.h"

#include "heap/index.h"

int scry_api_begin(struct scry_session *s)
{
	s->stopped = 0;
	return s->target ? SCRY_OK : scry_fail(s, SCRY_EINVAL, 0, "no target is open");
}

int scry_api_end(struct scry_session *s, int rc)
{
	return s->stopped ? scry_fail(s, SCRY_ESTOPPED, 0, "stopped") : rc;
}

struct scry_handed *scry_api_handed(struct scry_session *s)
{
	if (!s->handed) {
		s->handed = scry_arena_alloc(&s->arena, sizeof(struct scry_handed));
		if (s->handed)
			*(struct scry_handed *)s->handed = (struct scry_handed) { 0 };
		else
			scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	}
	return s->handed;
}

int scry_session_hold(struct scry_session *s)
{
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	scry_command_hold(s, false);
	s->held = true;
	return scry_api_end(s, SCRY_OK);
}

void scry_session_release(struct scry_session *s)
{
	s->held = false;
	scry_target_release(s->target);
}

/* A live process: all stacks of one moment. Others are read when they are walked. */
static void read_all(struct scry_session *s)
{
	bool stops = s->target->ops->hold && !s->threads_done;

	if (s->threads_done)
		return;
	scry_command_hold(s, false);
	for (struct scry_thread *t = scry_thread_first(s); stops && t; t = t->next) {
		scry_thread_name(t);
		scry_api_read_stack(t);
	}
	scry_command_release(s);
}

int scry_thread_next(struct scry_session *s, struct scry_thread **it)
{
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	if (!*it)
		read_all(s);
	struct scry_thread *t = *it ? (*it)->next : scry_thread_first(s);
	if (!*it && !t)
		return scry_api_end(s,
				    scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no threads"));
	rc = scry_api_end(s, t ? SCRY_ITEM : SCRY_OK);
	if (rc == SCRY_ITEM)
		*it = t;
	return rc;
}

uint64_t scry_thread_tid(const struct scry_thread *t)
{
	return t->tid;
}

unsigned scry_thread_flags(const struct scry_thread *t)
{
	return (t->runtime ? SCRY_THREAD_PYTHON : 0u) | (t->main ? SCRY_THREAD_MAIN : 0u) |
	       (t->crashed ? SCRY_THREAD_CRASHED : 0u) |
	       (t->gil == SCRY_GIL_HELD ? SCRY_THREAD_HAS_GIL : 0u) |
	       (t->gil == SCRY_GIL_WAITING ? SCRY_THREAD_WANTS_GIL : 0u) |
	       (t->in_gc ? SCRY_THREAD_IN_GC : 0u);
}

const char *scry_thread_error(struct scry_thread *t)
{
	return scry_api_begin(t->session) < 0 ? NULL : scry_thread_trouble(t);
}

int scry_thread_json(struct scry_thread *t, struct scry_buf *out)
{
	return scry_api_json(t->session, &scry_facts_thread, t, out);
}
