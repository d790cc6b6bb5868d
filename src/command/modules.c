/* modules: what the program has imported, from where, and in which version. */
#include "command/command.h"
#include "object/model.h"
#include "object/object.h"

#include <string.h>

#define NAME_MAX_TEXT 1000
#define MODULES_MAX   100000 /* entries of sys.modules that are read */

/* What the import system leaves in a module: Lib/importlib/_bootstrap.py, Python/import.c. */
struct shown_module {
	int64_t interpreter;
	uint64_t addr;
	const char *name, *version, *file;
	const char *origin; /* without a file: "built-in", "frozen", "namespace"; NULL not known */
	bool importing;     /* its code runs just now */
	bool barred;        /* None is there: importing it is an error */
};

#define SUBJECT struct shown_module
static const struct scry_say module_fields[] = {
	SAY_TEXT("name", name),
	SAY_INT("interpreter", interpreter),
	SAY_ID("id", addr),
	SAY_TEXT("version", version),
	SAY_TEXT("file", file),
	SAY_TEXT("origin", origin),
	SAY_BOOL("importing", importing),
	SAY_BOOL("barred", barred, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const module_text[] = {
	"{name%-24:name}",
	"  {version%-10}",
	"|            ",
	"{?barred}  None: it cannot be imported",
	"|  {file:file}",
	"|  ({origin})",
	"|  no file",
	"{?importing}  {:mark}being imported{}",
	"\n",
	NULL,
};

static const struct scry_facts module_facts = { "module", module_fields, module_text };

/* --- which of them --- */

struct job {
	struct scry_call *call;
	const char *wanted; /* a module and what is below it, NULL: no such choice */
	bool all;
	const char *library; /* the directory of the standard library, "" not known */
	size_t shown, count, damaged;
	int rc; /* of the last sys.modules that could not be read */
};

static bool is_below(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(name, wanted, len) && (!name[len] || name[len] == '.');
}

/* Of the standard library, also where that has the directory of other packages in it. */
static bool is_library(const struct job *job, const struct shown_module *m)
{
	size_t len = strlen(job->library);

	if (!m->file)
		return m->origin && strcmp(m->origin, "namespace") != 0;
	return len && !strncmp(m->file, job->library, len) && !strstr(m->file, "-packages");
}

static bool is_chosen(const struct job *job, const struct shown_module *m)
{
	if (job->wanted)
		return is_below(m->name, job->wanted);
	return job->all || m->importing ||
	       (!m->barred && !strchr(m->name, '.') && !is_library(job, m));
}

/* --- what is known of one --- */

static bool attr_is_true(struct scry_runtime *r, scry_addr obj, const char *path)
{
	scry_addr value;

	return scry_attr_path(r, obj, path, strlen(path), &value) == SCRY_OK &&
	       scry_truth(r, value, false);
}

/* Up to 3.3 a module has no spec that says where it came from. */
static bool is_builtin(const struct scry_interp *interp, const char *name)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr names, items, item;
	uint64_t count;

	if (!interp->sysdict ||
	    scry_dict_get(r, interp->sysdict, "builtin_module_names", &names) < 0 ||
	    scry_sequence(r, names, &count, &items) < 0)
		return false;
	for (uint64_t i = 0; i < count && i < MODULES_MAX; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) == SCRY_OK &&
		    scry_text_is(r, item, name))
			return true;
	return false;
}

static void read_module(const struct scry_interp *interp, struct shown_module *m)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr spec, path;

	m->barred = scry_is_none(r, m->addr);
	if (m->barred)
		return;
	m->version = scry_attr_text(r, m->addr, "__version__");
	m->file = scry_attr_text(r, m->addr, "__file__");
	m->importing = attr_is_true(r, m->addr, "__spec__._initializing") ||
		       attr_is_true(r, m->addr, "__initializing__") /* 3.3 */;
	if (m->file)
		return;
	if (scry_attr(r, m->addr, "__spec__", &spec) == SCRY_OK)
		m->origin = scry_attr_text(r, spec, "origin");
	if (!m->origin && scry_attr(r, m->addr, "__path__", &path) == SCRY_OK)
		m->origin = "namespace";
	if (!m->origin && is_builtin(interp, m->name))
		m->origin = "built-in";
}

static void say_modules(struct job *job, struct scry_renderer *to, struct scry_interp *interp)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr key, addr;
	uint64_t it = 0;
	int rc = SCRY_OK;
	size_t n = 0;

	if (!interp->modules)
		scry_note_answer(r->session, "interpreter %" PRIu64 " has no sys.modules",
				 interp->id);
	for (; n < MODULES_MAX && interp->modules; n++) {
		struct shown_module m = { 0 };

		rc = scry_dict_next(r, interp->modules, &it, &key, &addr);
		if (rc != SCRY_ITEM)
			break;
		m.addr = addr;
		m.interpreter = interp->id;
		if (scry_text_at(r, key, NAME_MAX_TEXT, &m.name) < 0) {
			job->damaged++;
			continue;
		}
		read_module(interp, &m);
		job->count++;
		if (!is_chosen(job, &m))
			continue;
		job->shown++;
		scry_say(to, &module_facts, &m);
	}
	if (rc < 0) {
		job->rc = rc;
		scry_note_answer(r->session,
				 "sys.modules of interpreter %" PRIu64 " ends early: %s",
				 interp->id, r->session->error.text);
	}
	if (n == MODULES_MAX)
		scry_note_answer(r->session, "more than %u modules: the rest is left out",
				 MODULES_MAX);
}

/* "/usr/lib/python3.11/" by the file of os, which is one of its own in every version. */
static const char *library_of(struct scry_interp *interp)
{
	struct scry_session *s = interp->runtime->session;
	scry_addr os;
	const char *file, *end;

	if (!interp->modules || scry_dict_get(interp->runtime, interp->modules, "os", &os) < 0 ||
	    !(file = scry_attr_text(interp->runtime, os, "__file__")))
		return "";
	end = strrchr(file, '/') ? strrchr(file, '/') : strrchr(file, '\\');
	return end ? scry_arena_text(&s->arena, file, (size_t)(end + 1 - file)) : "";
}

static void each_module(const void *subject, struct scry_renderer *to)
{
	struct job *job = (struct job *)(uintptr_t)subject;

	for (struct scry_runtime *r = scry_runtime_first(job->call->s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next) {
			job->library = library_of(i);
			say_modules(job, to, i);
		}
}

static void get_left(const void *subject, struct scry_said *ret)
{
	const struct job *job = subject;

	scry_said_int(ret, job->wanted ? 0 : (int64_t)(job->count - job->shown));
}

#define SUBJECT struct job
static const struct scry_say answer_fields[] = {
	SAY_LIST("imported", &module_facts, each_module),
	SAY_GET("left", get_left, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("damaged", damaged, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const answer_text[] = {
	"{imported}",
	"{?left}{left,} more of the standard library and below packages: --all\n",
	"{?damaged}{damaged,} {:error}whose names cannot be read{}\n",
	NULL,
};

static const struct scry_facts answer_facts = { "modules", answer_fields, answer_text };

static int run(struct scry_call *call)
{
	struct job job = { .call = call,
			   .wanted = call->argc ? call->argv[0] : NULL,
			   .all = scry_call_flag(call, "all") != NULL };

	scry_say_fields(&call->render.to, &answer_facts, &job);
	call->partial |= job.rc < 0 || job.damaged;
	if (job.shown || (job.count && !job.wanted))
		return SCRY_OK;
	if (job.rc < 0)
		return job.rc;
	return job.wanted ? scry_fail(call->s, SCRY_ENOTFOUND, 0, "no module \"%s\" was imported",
				      job.wanted)
	       : scry_runtime_first(call->s)
		       ? scry_fail(call->s, SCRY_ENOTFOUND, 0, "no module is in sys.modules")
		       : scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Python in the target");
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "those of the standard library and below packages, too" },
	{ NULL },
};

const struct scry_command_row scry_command_modules = {
	.public = { "modules", "[--all] [NAME]",
		    "Show what was imported, from which file, and in which version.",
		    "The entries of sys.modules, in its order: since 3.7 that in which they were "
		    "imported. Without --all\n"
		    "none of the standard library and none below a package, but all that are "
		    "being imported just now.\n"
		    "With NAME that module and what is below it. The version is __version__, "
		    "where a module has one.",
		    0 },
	.run = run,
	.flags = flags,
	.max_args = 1,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
