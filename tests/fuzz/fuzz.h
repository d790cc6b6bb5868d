/** What a fuzz target offers, to libFuzzer or to driver.c. */
#ifndef SCRY_FUZZ_H
#define SCRY_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/** Run commands too, so that the layers above are met with the same dump. */
extern bool fuzz_commands;

#endif
