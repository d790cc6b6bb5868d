/* doctor: what this machine lets one do: read processes, get cores of them. Needs no target. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/loadable.h"
#include "command/command.h"

#define CAPABILITY_PTRACE 19 /* include/uapi/linux/capability.h */
#define RIGHTS_MAX        3

struct check {
	const char *name;
	const char *state; /* "good", "problem", "unknown" */
	char says[400];
	const char *fix; /* a line to type; NULL */
};

/* The first line of a file; false: it cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool got = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (got)
		line[strcspn(line, "\n")] = 0;
	return got;
}

/* The value after "name:" in /proc/self/status, base 16. */
static bool status_word(const char *name, unsigned long long *ret)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name))) {
			*ret = strtoull(line + strlen(name), NULL, 16);
			found = true;
		}
	if (file)
		fclose(file);
	return found;
}

static bool may_trace_all(void)
{
	unsigned long long effective = 0;

	return status_word("CapEff:", &effective) && effective >> CAPABILITY_PTRACE & 1;
}

/* The marks that container managers leave, and the variable that Kubernetes sets. */
static const char *container_kind(void)
{
	static const struct {
		const char *path, *name;
	} marks[] = { { "/.dockerenv", "docker" }, { "/run/.containerenv", "podman" } };

	if (getenv("KUBERNETES_SERVICE_HOST"))
		return "Kubernetes";
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (!access(marks[i].path, F_OK))
			return marks[i].name;
	return NULL;
}

static void good(struct check *c)
{
	c->state = "good";
	c->fix = NULL;
}

static void problem(struct check *c, const char *fix)
{
	c->state = "problem";
	c->fix = fix;
}

/* --- live processes: Documentation/admin-guide/LSM/Yama.rst --- */

static void check_ptrace(struct check *c)
{
	/* by ptrace_scope, for who has CAP_SYS_PTRACE and who has not; NULL: it works */
	static const char *const who[RIGHTS_MAX + 1][2] = {
		{ "every process can be read", "processes of the same user can be read" },
		{ "every process can be read", "only processes that this one started can be read" },
		{ "every process can be read", "no process can be read without CAP_SYS_PTRACE" },
		{ "no process can be read until the next boot",
		  "no process can be read until the next boot" },
	};
	char line[32];
	bool yama = read_line("/proc/sys/kernel/yama/ptrace_scope", line, sizeof(line));
	bool rights = may_trace_all();
	unsigned scope = yama ? (unsigned)strtoul(line, NULL, 10) : 0;

	if (scope > RIGHTS_MAX)
		scope = RIGHTS_MAX;
	snprintf(c->says, sizeof(c->says), "%s (ptrace_scope %s, %s CAP_SYS_PTRACE)",
		 who[scope][!rights], yama ? line : "none", rights ? "with" : "without");
	if (scope == 0 || (rights && scope < RIGHTS_MAX))
		good(c);
	else if (scope == RIGHTS_MAX)
		problem(c, "gcore is refused, too: let the process dump core (kill -ABRT PID)");
	else if (container_kind())
		problem(c, "docker run --cap-add SYS_PTRACE ...; in Kubernetes: kubectl debug "
			   "--profile=sysadmin");
	else
		problem(c, "sudo pyscry PID, or: echo 0 | sudo tee "
			   "/proc/sys/kernel/yama/ptrace_scope");
}

/* --- cores: core(5) --- */

static void check_pattern(struct check *c)
{
	static const struct {
		const char *handler, *fix;
	} handlers[] = {
		{ "systemd-coredump", "coredumpctl dump PID -o core && pyscry core" },
		{ "apport", "look in /var/lib/apport/coredump, or: echo core.%p | sudo tee "
			    "/proc/sys/kernel/core_pattern" },
		{ "abrt", "look in /var/spool/abrt: each directory has a file coredump" },
	};
	char line[256], directory[256];

	if (!read_line("/proc/sys/kernel/core_pattern", line, sizeof(line))) {
		snprintf(c->says, sizeof(c->says), "core_pattern cannot be read: %s",
			 strerror(errno));
		return;
	}
	good(c);
	if (line[0] == '|') {
		snprintf(c->says, sizeof(c->says), "cores are handed to a program: %s", line + 1);
		c->fix = "that program knows where they are; for files: echo core.%p | sudo tee "
			 "/proc/sys/kernel/core_pattern";
		for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
			if (strstr(line, handlers[i].handler))
				c->fix = handlers[i].fix;
	} else if (!*line) {
		snprintf(c->says, sizeof(c->says), "core_pattern is empty: no cores are written");
		problem(c, "echo core.%p | sudo tee /proc/sys/kernel/core_pattern");
	} else if (line[0] != '/') {
		snprintf(c->says, sizeof(c->says),
			 "cores are files called %s, where the process works", line);
	} else {
		snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(line, '/') - line) + 1,
			 line);
		snprintf(c->says, sizeof(c->says), "cores are files called %s", line);
		if (!strchr(directory, '%') && access(directory, W_OK)) {
			snprintf(c->says, sizeof(c->says),
				 "cores are files called %s, but the directory: %s", line,
				 strerror(errno));
			problem(c, "make the directory, with write rights for the processes");
		}
	}
}

static void check_limit(struct check *c)
{
	char pattern[256] = "";
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit))
		return;
	read_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	good(c);
	if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(c->says, sizeof(c->says), "a core may have any size here");
	else if (*pattern == '|')
		snprintf(c->says, sizeof(c->says),
			 "ulimit -c is %llu, which does not hold for a program",
			 (unsigned long long)limit.rlim_cur);
	else {
		snprintf(c->says, sizeof(c->says),
			 "what is started here writes %s (ulimit -c is %llu)",
			 limit.rlim_cur ? "cores that end too early" : "no core",
			 (unsigned long long)limit.rlim_cur);
		problem(c, "ulimit -c unlimited (systemd: LimitCORE=infinity, docker: --ulimit "
			   "core=-1)");
	}
}

static void check_filter(struct check *c)
{
	/* bits: private memory, shared memory, ELF heads */
	static const unsigned long needed = 1 | 2 | 16;
	char line[32];

	if (!read_line("/proc/self/coredump_filter", line, sizeof(line))) {
		snprintf(c->says, sizeof(c->says), "coredump_filter cannot be read: %s",
			 strerror(errno));
		return;
	}
	bool whole = (strtoul(line, NULL, 16) & needed) == needed;

	snprintf(c->says, sizeof(c->says), "coredump_filter 0x%s: %s", line + strspn(line, "0"),
		 whole ? "memory and build ids are in cores" : "memory or build ids are left out");
	good(c);
	if (!whole)
		problem(c, "echo 0x33 > /proc/self/coredump_filter, before the program is started");
}

static void check_container(struct check *c)
{
	const char *kind = container_kind();

	good(c);
	if (!kind) {
		snprintf(c->says, sizeof(c->says), "no sign of a container");
		return;
	}
	snprintf(c->says, sizeof(c->says),
		 "in a container (%s): core_pattern is the host's, and cores go where the host "
		 "says, in this container's files",
		 kind);
	c->fix = "from the host: pyscry PID, with the process's number there";
}

/* --- what is loaded when a target needs it --- */

static void check_archive(struct check *c)
{
	bool there = scry_archive_library() != NULL;

	snprintf(c->says, sizeof(c->says), "compressed cores, and sources in zip files, %s be read",
		 there ? "can" : "cannot");
	there ? good(c) : problem(c, "apt install libarchive13 (libarchive13t64)");
}

static void check_capstone(struct check *c)
{
	bool there = scry_capstone_library() != NULL;

	snprintf(c->says, sizeof(c->says), "machine code %s be read: crash needs it",
		 there ? "can" : "cannot");
	there ? good(c) : problem(c, "apt install libcapstone4 (or libcapstone5)");
}

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];

	for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
		snprintf(file, sizeof(file), "%.*s/%s", (int)strcspn(path, ":"), path, name);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

static void check_debugger(struct check *c)
{
	bool gdb = in_path("gdb"), lldb = in_path("lldb");

	snprintf(c->says, sizeof(c->says), "%s",
		 gdb && lldb ? "gdb and lldb are here"
		 : gdb       ? "gdb is here"
		 : lldb      ? "lldb is here"
			     : "neither gdb nor lldb is here; pyscry works without");
	good(c);
	c->fix = gdb || lldb ? NULL : "apt install gdb";
}

static const struct {
	const char *name;
	void (*check)(struct check *c);
} checks[] = {
	{ "processes", check_ptrace },    { "core_pattern", check_pattern },
	{ "core size", check_limit },     { "core contents", check_filter },
	{ "container", check_container }, { "libarchive", check_archive },
	{ "capstone", check_capstone },   { "debuggers", check_debugger },
};

/* --- the answer --- */

static void get_says(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct check *)subject)->says);
}

#define SUBJECT struct check
static const struct scry_say check_fields[] = {
	SAY_TEXT("name", name),
	SAY_TEXT("state", state),
	SAY_GET("says", get_says),
	SAY_TEXT("fix", fix),
	SAY_END,
};
#undef SUBJECT

static const char *const check_text[] = {
	"{state%-8} {name%-14} {says}\n",
	"                          {fix}\n",
	NULL,
};
static const struct scry_facts check_facts = { "check", check_fields, check_text };

static void each_check(const void *subject, struct scry_renderer *to)
{
	(void)subject;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		struct check c = { .name = checks[i].name, .state = "unknown" };

		checks[i].check(&c);
		scry_say(to, &check_facts, &c);
	}
}

static const struct scry_say answer_fields[] = {
	SAY_LIST("checks", &check_facts, each_check),
	SAY_END,
};
static const struct scry_facts answer_facts = { "doctor", answer_fields,
						(const char *const[]) { "{checks}", NULL } };

static int run_doctor(struct scry_call *call)
{
	scry_say_fields(&call->render.to, &answer_facts, call);
	return SCRY_OK;
}

const struct scry_command_row scry_command_doctor = {
	.public = { "doctor", "",
		    "Show whether this machine lets one read processes and get cores.",
		    "Needs no target: pyscry doctor. Each line is good or a problem; below a "
		    "problem stands what to type.\n"
		    "Rights and limits are those of whoever asks: ask as the user that the program "
		    "runs as, and in its\n"
		    "container.",
		    SCRY_COMMAND_MACHINE },
	.run = run_doctor,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
