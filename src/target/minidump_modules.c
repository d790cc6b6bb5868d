/* The modules that a minidump lists. */
#include <stdlib.h>
#include <string.h>

#include "target/codeview.h"
#include "target/minidump.h"

/* MINIDUMP_MODULE; VS_FIXEDFILEINFO has the file version's halves swapped in two words */
enum { M_SIZE = 8, M_TIMESTAMP = 16, M_NAME = 20, M_VERSION = 24, M_CODEVIEW = 76, M_RECORD = 108 };
enum { V_FILE_HIGH = 8, V_FILE_LOW = 12 };
#define FIXED_FILE_INFO 0xfeef04bdu
/* Breakpad's and crashpad's CodeView record of an ELF build id */
#define CODEVIEW_ELF 0x4270454cu
#define BUILD_ID_MAX 64u
/* Large processes have a few hundred. */
#define MODULES_MAX 2048

static void load_codeview(const struct scry_minidump *md, struct scry_target_module *m,
			  struct scry_blob cv)
{
	if (cv.len > 4 && scry_md32(cv.at) == CODEVIEW_ELF)
		m->build_id = scry_hex(&md->t->keep, cv.at + 4,
				       cv.len - 4 < BUILD_ID_MAX ? cv.len - 4 : BUILD_ID_MAX);
	/* Breakpad's older form for ELF has but 16 bytes of the build id */
	else if (cv.at && !md->linux_process)
		m->build_id = scry_codeview_id(&md->t->keep, cv.at, cv.len, &m->pdb);
}

static void load_version(struct scry_target_module *m, const uint8_t *info)
{
	if (scry_md32(info) != FIXED_FILE_INFO)
		return;
	m->version[0] = scry_md16(info + V_FILE_HIGH + 2);
	m->version[1] = scry_md16(info + V_FILE_HIGH);
	m->version[2] = scry_md16(info + V_FILE_LOW + 2);
	m->version[3] = scry_md16(info + V_FILE_LOW);
}

static bool load_module(const struct scry_minidump *md, struct scry_target_module *m,
			const uint8_t *p)
{
	m->start = scry_md_addr(md, p);
	m->end = m->start + scry_md32(p + M_SIZE);
	if (m->end <= m->start || m->end > SCRY_MD_USER_LIMIT)
		return false;
	m->timestamp = md->linux_process ? 0 : scry_md32(p + M_TIMESTAMP);
	m->path = scry_minidump_string(md, scry_md32(p + M_NAME));
	load_codeview(md, m, scry_minidump_location(md, p + M_CODEVIEW));
	load_version(m, p + M_VERSION);
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_target_module *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Modules that overlap: the lower one keeps its place, one inside another is dropped. */
static size_t make_disjoint(struct scry_target_module *m, size_t count)
{
	size_t out = 0;

	for (size_t i = 0; i < count; i++) {
		if (out && m[i].end <= m[out - 1].end)
			continue;
		m[out] = m[i];
		if (out && m[out].start < m[out - 1].end)
			m[out - 1].end = m[out].start;
		out++;
	}
	return out;
}

struct scry_target_module *scry_minidump_module_at(const struct scry_minidump *md, scry_addr addr)
{
	struct scry_target *t = md->t;
	size_t low = 0, high = t->module_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr < t->modules[mid].start)
			high = mid;
		else if (addr >= t->modules[mid].end)
			low = mid + 1;
		else
			return &t->modules[mid];
	}
	return NULL;
}

int scry_minidump_load_modules(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	struct scry_blob b;
	size_t n = scry_minidump_list(md, SCRY_MD_MODULES, M_RECORD, &b);
	const char *first = NULL;

	if (n > MODULES_MAX) {
		scry_target_note(
			t, "the minidump lists %zu modules: all but the first %d are left out", n,
			MODULES_MAX);
		n = MODULES_MAX;
	}
	t->modules = calloc(n ? n : 1, sizeof(*t->modules));
	if (!t->modules)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!load_module(md, &t->modules[t->module_count], b.at + i * M_RECORD)) {
			t->modules[t->module_count] = (struct scry_target_module) { 0 };
			continue;
		}
		first = first ? first : t->modules[t->module_count].path;
		t->module_count++;
	}
	t->exe = first; /* every writer lists the executable first */
	qsort(t->modules, t->module_count, sizeof(*t->modules), by_start);
	t->module_count = make_disjoint(t->modules, t->module_count);
	return SCRY_OK;
}
