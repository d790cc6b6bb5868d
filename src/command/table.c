/* THE table of commands, in the order in which help lists them. */
#include "command/command.h"

const struct scry_command_row *const scry_command_rows[] = {
#define COMMAND(name) &scry_command_##name,
	SCRY_COMMANDS(COMMAND)
#undef COMMAND
		NULL,
};
