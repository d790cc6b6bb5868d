/* Prints objects of a dump: reprs DUMP [EXE [LAYOUT [SYSROOT]]] < addresses, one a line; gives one line of JSON for each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "object/expr.h"
#include "object/object.h"
#include "object/whatis.h"

static int usage(void)
{
	fputs("usage: reprs DUMP [EXE [LAYOUT [SYSROOT]]] < addresses or expressions\n", stderr);
	return 2;
}

static void print_one(struct scry_session *s, struct scry_runtime *r, const char *line)
{
	struct scry_buf text = SCRY_BUF_INIT, out = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	struct scry_whatis w;
	struct scry_value value;
	char *end;
	scry_addr addr = strtoull(line, &end, 16);
	bool is_addr = end != line && *end == '\0';
	const char *type = NULL;
	struct scry_printer p;

	scry_printer_init(&p, r, &text);
	if (is_addr) {
		scry_print(&p, addr);
		scry_type_of(r, addr, &w.type) == SCRY_OK ? scry_type_name(r, w.type, &type) : 0;
	} else if (scry_eval(s, NULL, line, &value) < 0) {
		scry_buf_printf(&text, "error: %s", scry_session_error(s));
	} else {
		scry_print_value(&p, &value);
		type = value.type;
	}
	scry_json_open(&j, '{');
	scry_json_key(&j, "repr");
	scry_json_text(&j, text.text ? text.text : "");
	scry_json_key(&j, "type");
	scry_json_text(&j, type);
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&text);
	scry_buf_done(&out);
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc < 2)
		return usage();
	struct scry_session *s = scry_session_new();
	if (argc > 2 && *argv[2])
		scry_session_set(s, "exe", argv[2]);
	if (argc > 3 && *argv[3])
		scry_session_set(s, "layout", argv[3]);
	if (argc > 4)
		scry_session_set(s, "sysroot", argv[4]);
	for (int i = 0; i < SCRY_LIMIT_COUNT; i++)
		scry_session_set_limit(s, (enum scry_limit)i, getenv("REPRS_DEFAULT_LIMITS") ? 100 : 1000000);
	scry_session_set_limit(s, SCRY_LIMIT_DEPTH, 60);
	struct scry_runtime *r = scry_session_open_dump(s, argv[1]) < 0 ? NULL : scry_runtime_first(s);
	if (!r) {
		fprintf(stderr, "%s\n", scry_session_error(s));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		print_one(s, r, line);
	}
	scry_session_free(s);
	return 0;
}
