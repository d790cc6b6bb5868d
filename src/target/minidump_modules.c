/* The modules that a minidump lists. */
#include <stdlib.h>
#include <string.h>

#include "target/minidump.h"

/* MINIDUMP_MODULE; VS_FIXEDFILEINFO has the file version's halves swapped in two words */
enum { M_SIZE = 8, M_TIMESTAMP = 16, M_NAME = 20, M_VERSION = 24, M_CODEVIEW = 76, M_RECORD = 108 };
enum { V_FILE_HIGH = 8, V_FILE_LOW = 12 };
#define FIXED_FILE_INFO 0xfeef04bdu
/* CodeView records: PDB 7.0 (GUID, age, path), and Breakpad's and crashpad's build id of an ELF file */
#define CODEVIEW_PDB70 0x53445352u
#define CODEVIEW_ELF 0x4270454cu
enum { CV_GUID = 4, CV_AGE = 20, CV_PATH = 24, BUILD_ID_MAX = 64 };

static const char *hex(const struct scry_minidump *md, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * BUILD_ID_MAX];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return scry_arena_text(&md->t->keep, text, 2 * len);
}

/* The id as symbol servers write it: the GUID as a number of three parts and eight bytes, and the age. */
static const char *guid(const struct scry_minidump *md, const uint8_t *cv)
{
	const uint8_t *g = cv + CV_GUID;

	return scry_arena_printf(&md->t->keep, "%08x%04x%04x%02x%02x%02x%02x%02x%02x%02x%02x%x", scry_md32(g),
				 scry_md16(g + 4), scry_md16(g + 6), g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15],
				 scry_md32(cv + CV_AGE));
}

static void load_codeview(const struct scry_minidump *md, struct scry_target_module *m, struct scry_blob cv)
{
	if (cv.len < 4)
		return;
	if (scry_md32(cv.at) == CODEVIEW_ELF) {
		m->build_id = hex(md, cv.at + 4, cv.len - 4 < BUILD_ID_MAX ? cv.len - 4 : BUILD_ID_MAX);
	} else if (scry_md32(cv.at) == CODEVIEW_PDB70 && cv.len >= CV_PATH && !md->linux_process) {
		/* Breakpad's older form for ELF puts two thirds of the build id here: of no use for matching. */
		m->build_id = guid(md, cv.at);
		m->pdb = scry_arena_text(&md->t->keep, (const char *)cv.at + CV_PATH,
					 strnlen((const char *)cv.at + CV_PATH, cv.len - CV_PATH));
	}
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

static bool load_module(const struct scry_minidump *md, struct scry_target_module *m, const uint8_t *p)
{
	m->start = scry_md_addr(md, p);
	m->end = m->start + scry_md32(p + M_SIZE);
	if (m->end <= m->start)
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

	t->modules = calloc(n ? n : 1, sizeof(*t->modules));
	if (!t->modules)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!load_module(md, &t->modules[t->module_count], b.at + i * M_RECORD)) {
			t->modules[t->module_count] = (struct scry_target_module){ 0 };
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
