/** THE list of plug-ins; every array ends with NULL. */
#ifndef SCRY_REGISTRY_H
#define SCRY_REGISTRY_H

#include "target/target.h"

extern const struct scry_target_ops *const scry_dump_formats[];
extern const struct scry_arch *const scry_architectures[];

/* what registry.c names */
extern const struct scry_target_ops scry_target_elfcore, scry_target_minidump, scry_target_live,
	scry_target_host;

#endif
