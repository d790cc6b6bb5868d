/**
 * Versions, and the one way to ask what a version has: rows, each of which holds from one version
 * on (until another). Algorithms do not compare versions: what differs is a field that the layout
 * has or lacks, a strategy, a trait (runtime/traits.def), or a row of their own tables.
 */
#ifndef SCRY_SINCE_H
#define SCRY_SINCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A version as PY_VERSION_HEX has it, without its level: SCRY_VERSION_OF(3, 12), or with the micro
 * number SCRY_VERSION_OF(3, 11, 4). Libraries' versions are written in the same way.
 */
#define SCRY_VERSION_OF(major, minor, ...) SCRY_VERSION_WITH_MICRO(major, minor, ##__VA_ARGS__, 0, )
#define SCRY_VERSION_WITH_MICRO(major, minor, micro, ...) \
	((uint32_t)(major) << 24 | (uint32_t)(minor) << 16 | (uint32_t)(micro) << 8)

/** The parts of a version, for texts and names of files. */
#define SCRY_VERSION_MAJOR(version) ((version) >> 24)
#define SCRY_VERSION_MINOR(version) ((version) >> 16 & 255)
#define SCRY_VERSION_MICRO(version) ((version) >> 8 & 255)

/** Is the version in [since, until)? `until` 0: there is no end. */
static inline bool scry_version_in(uint32_t version, uint32_t since, uint32_t until)
{
	return version >= since && (!until || version < until);
}

/** Are two versions of the same minor version? */
static inline bool scry_version_same_minor(uint32_t a, uint32_t b)
{
	return a >> 16 == b >> 16;
}

/** Is `version` of a later minor version than `newest`? */
static inline bool scry_version_is_newer(uint32_t version, uint32_t newest)
{
	return version >> 16 > newest >> 16;
}

/**
 * The row in force at `version`: the last whose `since`, its first member, is not later; NULL where
 * all are later. Rows are in the order of versions.
 */
static inline const void *scry_row_since(const void *rows, size_t count, size_t size,
					 uint32_t version)
{
	const char *row = rows, *found = NULL;

	for (; count--; row += size) {
		const uint32_t *since = (const void *)row;

		if (scry_version_in(version, *since, 0))
			found = row;
	}
	return found;
}

/** The same for an array, with the array's own type. */
#define SCRY_SINCE(rows, version)                                                                \
	((const __typeof__((rows)[0]) *)scry_row_since((rows), sizeof(rows) / sizeof((rows)[0]), \
						       sizeof((rows)[0]), (version)))

#endif
