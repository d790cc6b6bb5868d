/* THE list of plug-ins. An addition is a file of its own and one line here. */
#include "registry.h"

const struct scry_target_ops *const scry_dump_formats[] = {
	NULL,
};

const struct scry_arch *const scry_architectures[] = {
	NULL,
};

const struct scry_task_ops *const scry_task_kinds[] = {
	NULL,
};
