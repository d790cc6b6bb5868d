/*
 * Dump formats, architectures, models of objects, families of printers. An addition is a file of
 * its own and one line here.
 */
#include "registry.h"

#include "object/printer.h"
#include "object/text_hash.h"
#include "task/stackless.h"

const struct scry_target_ops *const scry_dump_formats[] = {
	&scry_target_elfcore,
	&scry_target_minidump,
	NULL,
};

const struct scry_arch *const scry_architectures[] = {
	&scry_arch_x86_64,  &scry_arch_i386,  &scry_arch_aarch64,
	&scry_arch_riscv64, &scry_arch_ppc64, NULL,
};

const struct scry_model *const scry_models[SCRY_MODEL_COUNT] = {
	[SCRY_MODEL_CPYTHON] = &scry_model_cpython,
	[SCRY_MODEL_PYPY] = &scry_model_pypy,
};

const char *(*const scry_text_doubt)(struct scry_runtime *r, scry_addr str) = scry_name_doubt;

void (*const scry_c_stack_put_in_saved)(struct scry_thread *t,
					struct scry_c_stack *stack) = scry_tasklet_put_in_saved;

/*
 * A family is an array of rows in a file of src/object or src/library: scry_printers_NAME. The
 * first that fits is taken.
 */
/* clang-format off */
#define SCRY_PRINTER_FAMILIES(X) \
	X(number) X(text) X(sequence) X(mapping) X(callable) X(class) X(instance) \
	X(exception) X(chrono) X(decimal) X(enum) X(io) X(sync) X(ctypes) X(misc) \
	X(numpy) X(asyncio) X(library) X(module) X(functools) X(counter) X(path) \
	X(network) X(logging) X(argparse) X(pandas) X(typing) X(inspect) X(processes) \
	X(callback)
/* clang-format on */

#define DECLARE(name) extern const struct scry_printer_row scry_printers_##name[];
SCRY_PRINTER_FAMILIES(DECLARE)
#undef DECLARE

const struct scry_printer_row *const scry_printer_families[] = {
#define FAMILY(name) scry_printers_##name,
	SCRY_PRINTER_FAMILIES(FAMILY)
#undef FAMILY
		NULL,
};
