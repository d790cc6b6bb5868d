/* Which Python this is and how it was built: read in the target, never by running anything. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "runtime/find.h"
#include "symbol/pe.h"

static bool has_symbol(struct scry_module *m, const char *name)
{
	struct scry_symbol symbol;

	return scry_module_symbol(m, name, &symbol) == SCRY_OK;
}

/*
 * "3.8.18", "2.7.18+", "3.15.0rc2" at `p`: PY_VERSION_HEX, and in *ret_len how long it was; 0 for
 * no version.
 */
static uint32_t parse_version(const char *p, size_t len, size_t *ret_len)
{
	unsigned part[3] = { 0 }, level = 0xf, serial = 0;
	size_t i = 0;

	for (int k = 0; k < 3; k++) {
		size_t start = i;

		while (i < len && p[i] >= '0' && p[i] <= '9' && i - start < 3)
			part[k] = part[k] * 10 + (unsigned)(p[i++] - '0');
		if (i == start || (k < 2 && (i >= len || p[i++] != '.')))
			return 0;
	}
	if (i < len && (p[i] == 'a' || p[i] == 'b' || p[i] == 'r' || p[i] == 'c')) {
		level = p[i] == 'a' ? 0xa : p[i] == 'b' ? 0xb : 0xc;
		i += p[i] == 'r' ? 2 : 1;
		while (i < len && p[i] >= '0' && p[i] <= '9' && serial < 16)
			serial = serial * 10 + (unsigned)(p[i++] - '0');
	}
	if (i < len && p[i] == '+')
		i++;
	*ret_len = i;
	bool known =
		(part[0] == 2 && part[1] == 7) || (part[0] == 3 && part[1] >= 3 && part[1] < 100);
	return known && part[2] < 256 ? (uint32_t)part[0] << 24 | part[1] << 16 | part[2] << 8 |
						level << 4 | (serial & 15)
				      : 0;
}

/*
 * Py_GetVersion() keeps "3.8.18 (default, ..." or "2.7.17 Stackless 3.1b3 ..." in a static buffer:
 * Python/getversion.c
 */
static uint32_t version_in(const char *p, size_t len, bool *ret_stackless)
{
	const char *at = p;

	for (; at < p + len && (at = memchr(at, '.', (size_t)(p + len - at))); at++) {
		size_t n = 0;

		if (at == p || (at[-1] != '2' && at[-1] != '3') || (at - 1 > p && at[-2] != '\0'))
			continue;
		uint32_t version = parse_version(at - 1, (size_t)(p + len - at + 1), &n);
		const char *behind = at - 1 + n;
		if (!version || p + len - behind < 12)
			continue;
		bool stackless = !memcmp(behind, " Stackless ", 11);

		if (!stackless && memcmp(behind, " (", 2))
			continue;
		*ret_stackless = stackless;
		return version;
	}
	return 0;
}

static uint32_t version_from_memory(struct scry_session *s, struct scry_module *m,
				    bool *ret_stackless)
{
	for (size_t i = 0; i < s->target->map_count; i++) {
		const struct scry_map *map = &s->target->maps[i];
		scry_addr at = map->start;

		if (!scry_module_owns(m, map))
			continue;
		while (at < map->end) {
			size_t len = 0;
			const uint8_t *p = scry_view(s, at, &len);

			if (!p) { /* not in the dump */
				at = (at | 4095) + 1;
				continue;
			}
			if (len > map->end - at)
				len = map->end - at;
			uint32_t version = version_in((const char *)p, len, ret_stackless);
			if (version)
				return version;
			at += len;
		}
	}
	return 0;
}

/* libpython3.8d.so.1.0, python3.11, python27.dll, python313.dll, python313t_d.dll */
static void from_name(const struct scry_module *m, struct scry_flavour *ret)
{
	const char *p = m->name ? strcasestr(m->name, "python") : NULL;
	unsigned major = 0, minor = 0;
	int n = 0;

	if (!p)
		return;
	p += 6;
	if (sscanf(p, "%1u.%2u%n", &major, &minor, &n) != 2 &&
	    sscanf(p, "%1u%2u%n", &major, &minor, &n) != 2)
		return;
	for (p += n; *p && *p != '.'; p++) {
		ret->debug |= *p == 'd';
		ret->free_threaded |= *p == 't';
	}
	if (!ret->version && ((major == 3 && minor >= 3) || (major == 2 && minor == 7)))
		ret->version = SCRY_VERSION_OF(major, minor);
}

static uint32_t version_from_symbol(struct scry_session *s, struct scry_module *m)
{
	struct scry_symbol symbol;
	uint64_t word;

	/* const unsigned long Py_Version, Python/getversion.c, 3.11+ */
	if (scry_module_symbol(m, "Py_Version", &symbol) < 0 ||
	    scry_read_uint(s, symbol.addr, s->target->abi.long_size, &word) < 0)
		return 0;
	return word <= UINT32_MAX && SCRY_VERSION_MAJOR(word) == 3 ? (uint32_t)word : 0;
}

/*
 * A pythonXY.dll has its micro version in its version resource, of which minidumps have a copy.
 */
static void from_resource(struct scry_module *m, struct scry_flavour *ret)
{
	struct scry_pe_version version;

	if (ret->version && !(ret->version & 0xffff) && m->session->target->abi.windows &&
	    scry_pe_version(m, &version) == SCRY_OK &&
	    scry_version_same_minor(scry_pe_python_version(&version), ret->version))
		ret->version = scry_pe_python_version(&version);
}

void scry_flavour_detect(struct scry_session *s, struct scry_module *m,
			 const struct scry_roots *roots, struct scry_flavour *ret)
{
	*ret = (struct scry_flavour) { 0 };
	struct scry_layout offsets;

	if (roots->debug_offsets &&
	    scry_layout_from_offsets(s, roots->debug_offsets, &offsets) == SCRY_OK) {
		ret->version = offsets.flavour.version;
		ret->free_threaded = offsets.flavour.free_threaded;
	}
	if (!m)
		return;
	bool free_threaded = ret->free_threaded, stackless = false;

	if (!ret->version)
		ret->version = version_from_symbol(s, m);
	if (!ret->version)
		ret->version = version_from_memory(s, m, &stackless);
	from_name(m, ret);
	from_resource(m, ret);
	if (roots->debug_offsets)
		ret->free_threaded = free_threaded;
	ret->stackless = stackless || has_symbol(m, "PyTasklet_Type");
	/*
	 * compiled only with Py_REF_DEBUG, and with Py_TRACE_REFS; Objects/object.c, v2.7 to v3.15
	 */
	ret->debug |= has_symbol(m, "_Py_NegativeRefcount") || has_symbol(m, "_Py_RefTotal");
	ret->trace_refs =
		has_symbol(m, "_Py_AddToAllObjects") || has_symbol(m, "_Py_PrintReferences");
	ret->narrow = SCRY_VERSION_MAJOR(ret->version) == 2 &&
		      (s->target->abi.windows || has_symbol(m, "PyUnicodeUCS2_FromUnicode"));
}
