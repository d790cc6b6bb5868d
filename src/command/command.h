/** A command: one function and one row in table.c. */
#ifndef SCRY_COMMAND_H
#define SCRY_COMMAND_H

#include "base/json.h"
#include "runtime/runtime.h"

enum scry_command_flags {
	SCRY_COMMAND_MOVES = 1, /* changes the selected frame (a debugger keeps the session) */
};

/** One invocation. A command writes text to `out`, or JSON where `json` is set. */
struct scry_call {
	struct scry_session *s;
	const struct scry_command_row *row;
	char **argv;      /* arguments without the command's name */
	int argc;
	struct scry_buf *out;
	struct scry_json *json; /* NULL: text */
	bool color;
	bool partial;     /* set by the command: something could not be shown (exit status 1) */
};

struct scry_command_row {
	struct scry_command public;
	/** SCRY_OK, or a negative result after scry_fail(): nothing could be shown. */
	int (*run)(struct scry_call *call);
};

extern const struct scry_command_row scry_command_rows[]; /* ends with a NULL name */

/** Colours by what they mean; "" where colour is off. */
enum scry_style { SCRY_STYLE_OFF, SCRY_STYLE_FUNCTION, SCRY_STYLE_FILE, SCRY_STYLE_LINE, SCRY_STYLE_NAME,
		  SCRY_STYLE_ERROR, SCRY_STYLE_DIM, SCRY_STYLE_MARK };
const char *scry_style(const struct scry_call *call, enum scry_style style);

#endif
