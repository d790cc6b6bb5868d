/** How registers are kept, in the letters of the tables of registers. Only for src/arch/NAME.c. */
#ifndef SCRY_REG_ROW_H
#define SCRY_REG_ROW_H

#include "arch/arch.h"

enum {
	V = SCRY_VOLATILE,
	P = SCRY_PRESERVED,
	SP = SCRY_STACK_POINTER,
	PC = SCRY_INSTRUCTION_POINTER
};

#endif
