/* Libraries loaded when they are needed: a list of names and one loop. */
#include "base/loadable.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT(x)         #x
#define VALUE(x)        TEXT(x)
#define ARCHIVE_SONAME  "libarchive.so.13" /* of every libarchive 3 */
#define CAPSTONE_SONAME "libcapstone.so." VALUE(CS_API_MAJOR)

#define NAME(f) #f,
static const char *const archive_names[] = { SCRY_ARCHIVE_FUNCTIONS(NAME) };
static const char *const capstone_names[] = { SCRY_CAPSTONE_FUNCTIONS(NAME) };

#define COUNT(names) (sizeof(names) / sizeof(*names))

/* All or nothing. The library stays loaded: it is the process's as much as ours. */
static bool load(const char *soname, const char *const *names, void **functions, size_t count)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < count; i++)
		if (!library || !(functions[i] = dlsym(library, names[i])))
			return false;
	return true;
}

/*
 * Filled in once, whichever session asks first; functions and data have pointers of one size
 * (POSIX, dlsym).
 */
static union {
	struct scry_archive_library library;
	void *functions[COUNT(archive_names)];
} archive;
static union {
	struct scry_capstone_library library;
	void *functions[COUNT(capstone_names)];
} capstone;
static bool has_archive, has_capstone;

static void load_archive(void)
{
	has_archive = load(ARCHIVE_SONAME, archive_names, archive.functions, COUNT(archive_names));
}

static void load_capstone(void)
{
	has_capstone =
		load(CAPSTONE_SONAME, capstone_names, capstone.functions, COUNT(capstone_names));
}

const struct scry_archive_library *scry_archive_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct scry_archive_library *linked = &scry_archive_linked;

	if (linked)
		return linked;
	pthread_once(&once, load_archive);
	return has_archive ? &archive.library : NULL;
}

const struct scry_capstone_library *scry_capstone_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct scry_capstone_library *linked = &scry_capstone_linked;

	if (linked)
		return linked;
	pthread_once(&once, load_capstone);
	return has_capstone ? &capstone.library : NULL;
}
