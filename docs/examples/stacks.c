/*
 * The threads of a core or process, their Python frames and variables: stacks CORE|PID [SYSROOT].
 *
 *     cc stacks.c $(pkg-config --cflags --libs pyscry) -o stacks
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <pyscry/pyscry.h>

/* name = repr, and what `name.NAME` is where it has such an attribute. */
static void show_variable(const struct scry_named_object *v, struct scry_buf *text)
{
	struct scry_object name;

	scry_buf_clear(text);
	scry_object_repr(&v->value, text);
	printf("        %s: %s = %s\n", v->name, scry_object_type(&v->value), scry_buf_text(text));
	if (scry_object_attr(&v->value, "url", &name) == SCRY_OK) {
		struct scry_plain plain;

		scry_buf_clear(text);
		if (scry_object_plain(&name, &plain, text) == SCRY_OK)
			printf("            its url has %zu bytes: %s\n", scry_buf_len(text),
			       scry_buf_text(text));
	}
}

static void show_frame(struct scry_session *s, struct scry_frame *f, struct scry_buf *text)
{
	const char *name = scry_frame_qualname(f);
	struct scry_named_object v;
	struct scry_location at;
	unsigned it = 0;
	int rc;

	if (scry_frame_error(f))
		printf("    <%s frame: %s>\n", scry_frame_kind(f), scry_frame_error(f));
	scry_frame_place(f, &at);
	printf("    #%" PRId64 " %s (%s:%d)\n", scry_frame_depth(f),
	       name ? name : scry_frame_function(f), scry_frame_file(f), at.line);
	while ((rc = scry_frame_variable_next(f, &it, &v)) == SCRY_ITEM)
		show_variable(&v, text);
	if (rc < 0)
		printf("        (%s)\n", scry_session_error(s));
}

static int show(struct scry_session *s, struct scry_buf *text)
{
	struct scry_thread *t = NULL;
	int rc;

	while ((rc = scry_thread_next(s, &t)) == SCRY_ITEM) {
		struct scry_frame *f = NULL;

		printf("%" PRIu64 " %s%s\n", scry_thread_tid(t),
		       scry_thread_name(t) ? scry_thread_name(t) : "?",
		       scry_thread_flags(t) & SCRY_THREAD_CRASHED ? " [crashed]" : "");
		while ((rc = scry_frame_next(t, &f)) == SCRY_ITEM)
			show_frame(s, f, text);
		if (rc < 0)
			printf("    (%s)\n", scry_session_error(s));
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct scry_session *s = scry_session_new();
	struct scry_buf *text = scry_buf_new();
	int rc = SCRY_ENOMEM;

	if (argc < 2) {
		fprintf(stderr, "usage: stacks CORE|PID [SYSROOT]\n");
		return 2;
	}
	if (s && text && argc > 2)
		rc = scry_session_set(s, "sysroot", argv[2]);
	if (s && text)
		rc = isdigit((unsigned char)*argv[1]) ? scry_session_open_pid(s, atoi(argv[1]))
						      : scry_session_open_dump(s, argv[1]);
	if (rc == SCRY_OK)
		rc = show(s, text);
	if (rc < 0)
		fprintf(stderr, "stacks: %s\n", s ? scry_session_error(s) : "out of memory");
	scry_buf_free(text);
	scry_session_free(s);
	return rc < 0;
}
