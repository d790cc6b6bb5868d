/* Dump formats and architectures. An addition is a file of its own and one line here. */
#include "registry.h"

const struct scry_target_ops *const scry_dump_formats[] = {
	&scry_target_elfcore,
	&scry_target_minidump,
	NULL,
};

const struct scry_arch *const scry_architectures[] = {
	&scry_arch_x86_64,
	&scry_arch_i386,
	&scry_arch_aarch64,
	NULL,
};
