/* The public walks without a target, or with one that has no Python: what they refuse, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "pyscry/pyscry.h"

static void versions(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%d.%d.%d", SCRY_VERSION_NUMBER >> 16,
		 SCRY_VERSION_NUMBER >> 8 & 255, SCRY_VERSION_NUMBER & 255);
	assert_string_equal(text, SCRY_VERSION_STRING);
	/* the header's is meson.build's */
	assert_string_equal(scry_version(), SCRY_VERSION_STRING);
	assert_int_equal(scry_version_number(), SCRY_VERSION_NUMBER);
}

static void buffers(void **state)
{
	struct scry_buf *b = scry_buf_new();
	struct scry_session *s = scry_session_new();

	(void)state;
	assert_int_equal(scry_buf_len(b), 0);
	assert_string_equal(scry_buf_text(b), "");
	assert_int_equal(scry_command_run(s, "threads", "--help", b, NULL), 0);
	assert_int_equal(scry_buf_len(b), strlen(scry_buf_text(b)));
	assert_true(scry_buf_len(b) > 100);
	scry_buf_clear(b);
	assert_int_equal(scry_buf_len(b), 0);
	assert_string_equal(scry_buf_text(b), "");
	scry_session_free(s);
	scry_buf_free(b);
}

/* A session without a target. */
static void unopened(void **state)
{
	struct scry_session *s = scry_session_new();
	struct scry_object o = { 0 };
	struct scry_thread *t = NULL;
	struct scry_task *task = NULL;
	struct scry_heap_count count;
	struct scry_plain plain;
	uint64_t at = 0, length;
	unsigned it = 0;

	(void)state;
	assert_int_equal(scry_thread_next(s, &t), SCRY_EINVAL);
	assert_string_equal(scry_session_error(s), "no target is open");
	assert_null(t);
	assert_int_equal(scry_task_next(s, "tasks", &task), SCRY_EINVAL);
	assert_int_equal(scry_heap_next(s, &it, &count), SCRY_EINVAL);
	assert_int_equal(scry_instance_next(s, "x", &at, &o), SCRY_EINVAL);
	assert_int_equal(scry_object_at(s, 0x1000, &o), SCRY_EINVAL);
	assert_int_equal(scry_object_eval(s, NULL, "sys", &o), SCRY_EINVAL);
	assert_int_equal(scry_session_hold(s), SCRY_EINVAL);
	scry_session_release(s);
	/* an object that is none */
	assert_int_equal(scry_object_attr(&o, "x", &o), SCRY_EINVAL);
	assert_int_equal(scry_object_length(&o, &length), SCRY_EINVAL);
	assert_int_equal(scry_object_plain(&o, &plain, NULL), SCRY_EINVAL);
	assert_string_equal(scry_object_type(&o), "?");
	scry_session_free(s);
}

/* --- a target that a host lends --- */

static int64_t lend(void *arg, scry_addr addr, void *buf, size_t len)
{
	(void)addr;
	++*(unsigned *)arg;
	memset(buf, 0, len);
	return (int64_t)len;
}

static int lend_thread(void *arg, unsigned i, uint64_t *ret)
{
	(void)arg;
	*ret = 100 + i;
	return i < 2 ? SCRY_ITEM : SCRY_OK;
}

static struct scry_session *lent(size_t size, unsigned *calls, int *ret)
{
	/* gone once it is open: the session has a copy */
	struct scry_host_ops ops = { .size = size, .read = lend, .thread = lend_thread };
	struct scry_session *s = scry_session_new();

	*ret = scry_session_open_host(s, &ops, calls, 0);
	memset(&ops, 0xff, sizeof(ops));
	return s;
}

static void sizes(void **state)
{
	unsigned calls = 0;
	int rc;

	(void)state;
	static const struct {
		size_t size;
		int result;
	} rows[] = {
		{ 0, SCRY_EINVAL },
		{ offsetof(struct scry_host_ops, read), SCRY_EINVAL },
		{ offsetof(struct scry_host_ops, thread), SCRY_OK },
		{ sizeof(struct scry_host_ops), SCRY_OK },
		{ sizeof(struct scry_host_ops) + 64, SCRY_OK }, /* of a later version */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) - 1; i++) {
		struct scry_session *s = lent(rows[i].size, &calls, &rc);

		assert_int_equal(rc, rows[i].result);
		scry_session_free(s);
	}
	struct {
		struct scry_host_ops ops;
		char later[64];
	} wide = { .ops = { .size = rows[4].size, .read = lend } };
	struct scry_session *s = scry_session_new();
	assert_int_equal(scry_session_open_host(s, &wide.ops, &calls, 0), SCRY_OK);
	scry_session_free(s);
}

static void without_python(void **state)
{
	unsigned calls = 0, n = 0;
	int rc;
	struct scry_session *s = lent(sizeof(struct scry_host_ops), &calls, &rc);
	struct scry_thread *t = NULL, *first;
	struct scry_frame *f = NULL;
	struct scry_task *task = NULL;
	struct scry_object o;
	struct scry_buf *b = scry_buf_new();

	(void)state;
	assert_int_equal(rc, SCRY_OK);
	for (; (rc = scry_thread_next(s, &t)) == SCRY_ITEM; n++) {
		assert_int_equal(scry_thread_tid(t), 100 + n);
		assert_int_equal(scry_thread_flags(t) & SCRY_THREAD_PYTHON, 0);
		assert_int_equal(scry_frame_next(t, &f), SCRY_OK);
		assert_null(f);
		scry_buf_clear(b);
		assert_int_equal(scry_thread_json(t, b), SCRY_OK);
		assert_non_null(strstr(scry_buf_text(b), "\"tid\":10"));
	}
	assert_int_equal(rc, SCRY_OK);
	assert_int_equal(n, 2);
	first = NULL;
	assert_int_equal(scry_thread_next(s, &first), SCRY_ITEM);
	assert_int_equal(scry_thread_tid(first), 100);
	assert_int_equal(scry_task_next(s, "tasks", &task), SCRY_OK);
	assert_int_equal(scry_task_next(s, "threads", &task), SCRY_EINVAL);
	assert_int_equal(scry_object_eval(s, NULL, "sys", &o), SCRY_ENOTFOUND);
	assert_int_equal(scry_session_generation(s), 0);
	scry_session_refresh(s);
	assert_int_equal(scry_session_generation(s), 1);
	scry_buf_free(b);
	scry_session_free(s);
}

/* An object of another generation is told, not read. */
static void dead(void **state)
{
	unsigned calls = 0;
	int rc;
	struct scry_session *s = lent(sizeof(struct scry_host_ops), &calls, &rc);
	struct scry_object o = { .addr = 0x1000, .session = s, .of = s, .generation = 0 };
	struct scry_object found = { 0 };

	(void)state;
	scry_session_refresh(s);
	assert_int_equal(scry_object_attr(&o, "x", &found), SCRY_EINVAL);
	assert_non_null(strstr(scry_session_error(s), "is dead"));
	assert_int_equal(found.addr, 0);
	scry_session_free(s);
}

/* scry_session_stop() from a callback ends the walk, and the next one starts afresh. */
static struct scry_session *stopping;

static int64_t lend_and_stop(void *arg, scry_addr addr, void *buf, size_t len)
{
	if (stopping)
		scry_session_stop(stopping);
	return lend(arg, addr, buf, len);
}

static int lend_map(void *arg, unsigned i, scry_addr *ret_start, scry_addr *ret_end,
		    uint64_t *ret_offset, unsigned *ret_flags, const char **ret_path)
{
	(void)arg;
	*ret_start = 0x10000;
	*ret_end = 0x20000;
	*ret_offset = 0;
	*ret_flags = 6;
	*ret_path = "";
	return i ? SCRY_OK : SCRY_ITEM;
}

static void stopped(void **state)
{
	struct scry_host_ops ops = { sizeof(ops), lend_and_stop, lend_thread, NULL, lend_map };
	struct scry_session *s = scry_session_new();
	struct scry_thread *t = NULL;
	unsigned calls = 0;

	(void)state;
	assert_int_equal(scry_session_open_host(s, &ops, &calls, 0), SCRY_OK);
	stopping = s;
	assert_int_equal(scry_thread_next(s, &t), SCRY_ESTOPPED);
	assert_null(t);
	stopping = NULL;
	scry_session_refresh(s);
	assert_int_equal(scry_thread_next(s, &t), SCRY_ITEM);
	scry_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions), cmocka_unit_test(buffers),
		cmocka_unit_test(unopened), cmocka_unit_test(sizes),
		cmocka_unit_test(dead),     cmocka_unit_test(without_python),
		cmocka_unit_test(stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
