/*
 * The standard library's own functions that wait, trio's and billiard's: known by module, file,
 * function.
 */
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "wait/wait.h"

#define VIA   SCRY_STAND_VIA
#define STOP  SCRY_STAND_STOP
#define IDLE  SCRY_STAND_IDLE
#define LOCK  SCRY_STAND_LOCK
#define SELF  SCRY_STAND_SELF
#define FILE  SCRY_STAND_FILE
#define OUTER SCRY_STAND_OUTER
#define STAND(module, function, self, kind, object, flags) \
	{ module, function, self, kind, object, flags },

static const struct scry_stand stands[] = {
#include "wait/stands.def"
};
#define STANDS (sizeof(stands) / sizeof(*stands))

/* What is known of a code object: its module, and the rows of its name (the first of them). */
struct scry_standard {
	const char *module; /* NULL: none of the standard library's */
	bool any;           /* there are rows for it */
};

/* --- variables --- */

scry_addr scry_frame_variable(const struct scry_frame *f, const char *name)
{
	struct scry_local local;

	for (unsigned it = 0; scry_frame_local_next(f, &it, &local) == SCRY_ITEM;)
		if (!strcmp(local.name, name))
			return local.value;
	return 0;
}

scry_addr scry_frame_global(const struct scry_frame *f, const char *name)
{
	scry_addr value;

	return f->globals && scry_dict_get(f->runtime, f->globals, name, &value) == SCRY_OK ? value
											    : 0;
}

static scry_addr one_path(const struct scry_frame *f, const char *path, size_t len)
{
	const char *dot = memchr(path, '.', len);
	size_t head = dot ? (size_t)(dot - path) : len;
	char name[64];
	scry_addr value;

	if (head >= sizeof(name))
		return 0;
	memcpy(name, path, head);
	name[head] = '\0';
	value = scry_frame_variable(f, name);
	if (value && dot && scry_attr_path(f->runtime, value, dot + 1, len - head - 1, &value) < 0)
		return 0;
	return value && !scry_is_none(f->runtime, value) ? value : 0;
}

scry_addr scry_stand_object(const struct scry_frame *f, const char *path)
{
	scry_addr found = 0;

	while (path && *path && !found) {
		size_t len = strcspn(path, "|");

		found = one_path(f, path, len);
		path += len + (path[len] == '|');
	}
	return found;
}

/* --- which file is the standard library's --- */

/* A module whose file says where the library's files are: the last one is of all other modules. */
static const struct {
	const char *package, *module;
	unsigned levels; /* of the path that are cut off */
} packages[SCRY_WAIT_PACKAGES] = {
	{ "trio", "trio", 2 }, /* trio/__init__.py */
	{ "billiard", "billiard", 2 }, { "curio", "curio", 2 },
	{ "gevent", "gevent", 2 },     { "", "os", 1 },
};

static unsigned package_of(const char *module)
{
	unsigned i = 0;

	for (; i < SCRY_WAIT_PACKAGES - 1; i++) {
		size_t len = strlen(packages[i].package);

		if (!strncmp(module, packages[i].package, len) &&
		    (!module[len] || module[len] == '.'))
			break;
	}
	return i;
}

/* Of the interpreter that the frame belongs to: ends in a slash. */
static const char *find_directory(struct scry_waits *w, struct scry_runtime *r, unsigned package)
{
	scry_addr module, file;
	const char *text = NULL;

	for (struct scry_interp *i = r->interps; i && !text; i = i->next) {
		module = scry_loop_module(i, packages[package].module);
		if (!module || scry_attr(r, module, "__file__", &file) < 0 ||
		    scry_text_at(r, file, 4096, &text) < 0)
			text = NULL;
	}
	size_t len = text ? strlen(text) : 0;
	for (unsigned i = 0; i < packages[package].levels; i++) {
		len -= len > 0;
		while (len && text[len - 1] != '/' && text[len - 1] != '\\')
			len--;
	}
	const char *copy = scry_arena_text(&w->session->arena, text ? text : "", len);
	return copy ? copy : "";
}

/* "DIRECTORY/concurrent/futures/_base.py", or "<frozen importlib._bootstrap>" */
static bool is_file_of(const char *file, const char *library, const char *module)
{
	size_t len = strlen(library), n = strlen(module), at = strlen(file);

	if (!strncmp(file, "<frozen ", 8))
		return !strncmp(file + 8, module, n) && !strcmp(file + 8 + n, ">");
	if (strncmp(file, library, len))
		return false;
	if (at < n + 3 || strcmp(file + at - 3, ".py"))
		return false;
	const char *p = file + at - 3 - n;
	if (at > n + 12 && !strcmp(file + at - 12, "/__init__.py"))
		p = file + at - 12 - n;
	if (len ? p != file + len : p != file && p[-1] != '/' && p[-1] != '\\')
		return false;
	for (; *module; module++, p++)
		if (*p != *module && !(*module == '.' && (*p == '/' || *p == '\\')))
			return false;
	return true;
}

/* Frozen modules have another name until somebody imports importlib: Lib/importlib/__init__.py */
static const char *const frozen[][2] = {
	{ "_frozen_importlib", "importlib._bootstrap" },
	{ "_frozen_importlib_external", "importlib._bootstrap_external" },
};

static const char *find_module(struct scry_waits *w, const struct scry_frame *f)
{
	scry_addr name = scry_frame_global(f, "__name__");
	const char *text;

	if (!name || scry_text_at(f->runtime, name, 100, &text) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(frozen) / sizeof(*frozen); i++)
		if (!strcmp(text, frozen[i][0]))
			text = frozen[i][1];
	unsigned package = package_of(text);
	if (!w->directories[package])
		w->directories[package] = find_directory(w, f->runtime, package);
	return is_file_of(f->code->file, w->directories[package], text) ? text : NULL;
}

static struct scry_standard *standard_of(struct scry_waits *w, const struct scry_frame *f)
{
	struct scry_standard *s;

	if (!f->code || f->code->damaged)
		return NULL;
	s = scry_hash_find(&w->codes, f->code->addr);
	if (s)
		return s;
	s = scry_arena_alloc(&w->session->arena, sizeof(*s));
	if (!s || !scry_hash_put(&w->codes, f->code->addr, s))
		return NULL;
	s->module = find_module(w, f);
	for (size_t i = 0; s->module && i < STANDS; i++)
		s->any |= !strcmp(stands[i].module, s->module) &&
			  !strcmp(stands[i].function, f->code->name);
	return s;
}

const char *scry_standard_module(struct scry_waits *w, const struct scry_frame *f)
{
	const struct scry_standard *s = standard_of(w, f);

	return s ? s->module : NULL;
}

/* --- rows --- */

/* 2.7: of a class that does not derive from object, or one of its bases. */
static bool old_class_is(struct scry_runtime *r, scry_addr class, const char *full)
{
	const char *dot = strrchr(full, '.'), *text, *module;
	uint64_t it = 0;
	scry_addr each, str;

	while (scry_mro_next(r, class, &it, &each) == SCRY_ITEM)
		if (scry_text_at(r, scry_field_get(r, each, SCRY_F_CLASSOBJ_NAME), 80, &text) ==
			    SCRY_OK &&
		    !strcmp(text, dot + 1) &&
		    scry_dict_get(r, scry_field_get(r, each, SCRY_F_CLASSOBJ_DICT), "__module__",
				  &str) == SCRY_OK &&
		    scry_text_at(r, str, 80, &module) == SCRY_OK &&
		    strlen(module) == (size_t)(dot - full) &&
		    !strncmp(module, full, strlen(module)))
			return true;
	return false;
}

bool scry_is_of_class(struct scry_runtime *r, scry_addr object, const char *classes)
{
	scry_addr type;

	if (!object || scry_type_of(r, object, &type) < 0)
		return false;
	bool old = scry_is_exactly(r, object, SCRY_IS_OLD_INSTANCE);
	if (old)
		type = scry_field_get(r, object, SCRY_F_OLD_INSTANCE_CLASS);
	while (*classes) {
		size_t len = strcspn(classes, "|");
		char name[80];

		if (len < sizeof(name)) {
			memcpy(name, classes, len);
			name[len] = '\0';
			if (old ? old_class_is(r, type, name) : scry_type_derives(r, type, name))
				return true;
		}
		classes += len + (classes[len] == '|');
	}
	return false;
}

const struct scry_stand *scry_stand_of(struct scry_waits *w, const struct scry_frame *f)
{
	const struct scry_standard *s = standard_of(w, f);

	for (size_t i = 0; s && s->any && i < STANDS; i++)
		if (!strcmp(stands[i].module, s->module) &&
		    !strcmp(stands[i].function, f->code->name) &&
		    (!stands[i].self ||
		     scry_is_of_class(f->runtime, scry_frame_variable(f, "self"), stands[i].self)))
			return &stands[i];
	return NULL;
}
