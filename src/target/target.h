/**
 * A target: bytes at addresses, mappings, OS threads with registers, and facts about the process. A
 * kind of target is one file with a `struct scry_target_ops` and a line in registry.c.
 *
 * Reading goes through `view`: a pointer to target bytes that are in memory here already (a mapped
 * core file, a cached page), so a core costs no copy and a live process one system call per run of
 * pages.
 */
#ifndef SCRY_TARGET_H
#define SCRY_TARGET_H

#include "arch/arch.h"
#include "base/session.h"

/** Sizes that decide where the members of structs are. */
struct scry_abi {
	uint8_t ptr_size;    /* 4 or 8; size_t and Py_ssize_t too */
	uint8_t long_size;   /* C long: 4 on Windows */
	uint8_t align8;      /* alignment of 8-byte integers and doubles */
	uint8_t wchar_size;  /* 4, 2 on Windows */
	uint8_t long_double; /* size of long double: 16 on x86-64 Linux, 8 with MSVC, 12 on i386 */
	bool big_endian;
	bool windows;
	uint8_t mutex_size; /* of pthread_mutex_t; 0: 40 in 64-bit, 24 in 32-bit programs */
};

/** What is known of a mapping. */
enum scry_map_flags {
	SCRY_MAP_READ = 4,
	SCRY_MAP_WRITE = 2,
	SCRY_MAP_EXEC = 1,
	SCRY_MAP_FILE = 8,  /* backed by `path`: what the dump lacks can be read there */
	SCRY_MAP_GUESS = 16 /* nothing says so: a module of which the dump has no section headers */
};

/** A mapping: [start, end). */
struct scry_map {
	scry_addr start, end;
	uint64_t offset; /* in the file */
	/* enum scry_map_flags; none of read, write, execute: either unknown or no access */
	unsigned flags;
	const char *path;    /* NULL: anonymous; in the target's own file system */
	bool deleted;        /* "(deleted)" after the path */
	uint64_t inode, dev; /* live only, else 0 */
};

/** A thread of the operating system. */
struct scry_os_thread {
	uint64_t tid;
	const char *name; /* the kernel's or the dump's name, or NULL */
	/* of the innermost frame, of the exception where it crashed: scry_os_thread_regs() */
	struct scry_regs regs;
	/* a debugger has more of them, and the thread pointer, but asking it takes a while */
	bool regs_pending;
	/* thread pointer (pthread_t with glibc), TEB on Windows, 0 unknown */
	scry_addr tls;
	bool crashed;
	int signal; /* the signal it took, 0 none */
	/* it sleeps in a system call: its number, and what it was given; else it does not, where
	 * `syscall_known`: minidumps and some machines do not say */
	bool in_syscall, syscall_known;
	uint64_t syscall, args[6];
	bool in_futex;    /* it waits in futex(2) (it does not wake others there) on ... */
	scry_addr futex;  /* ... this address, */
	bool futex_timed; /* with a timeout */
	/* it was only just cloned and has run nothing yet, so it has no caller */
	bool cloned;
	bool exited; /* it has ended, and only its id is left: a process's first thread */
};

/**
 * A module that the dump itself lists (minidumps). For targets without such a list the modules are
 * made from `maps`.
 */
struct scry_target_module {
	scry_addr start, end; /* the whole image */
	const char *path;     /* as the target knew it, UTF-8; either separator */
	/* lower-case hex: ELF build id, or CodeView GUID + age; NULL unknown */
	const char *build_id;
	const char *pdb;     /* path of the PDB in the CodeView record, or NULL */
	uint32_t timestamp;  /* PE TimeDateStamp, 0 unknown */
	uint32_t version[4]; /* of the version resource (FileVersion), zeros where unknown */
};

/** Why a dump has no bytes at an address. */
enum scry_hole {
	SCRY_HOLE_NONE,     /* it has them, or nothing is mapped there, or it is not known */
	SCRY_HOLE_CUT,      /* they were written, but the file ends before them */
	SCRY_HOLE_LEFT_OUT, /* mapped, and not written: coredump_filter, MADV_DONTDUMP */
	/*
	 * the same of private memory of a dump that has some: nobody wrote to it (the kernel leaves
	 * such out), or MADV_DONTDUMP
	 */
	SCRY_HOLE_UNTOUCHED,
};

struct scry_target_ops {
	const char *name; /* the JSON "kind": "elf-core", "live", "host", "minidump" */
	/** For dump formats: do the first bytes look like it? NULL for others. */
	bool (*probe)(const uint8_t *head, size_t len);
	/**
	 * Fill in the target from `t->path` or `t->pid` (already set). Negative after scry_fail().
	 */
	int (*open)(struct scry_target *t);
	/**
	 * A pointer to the bytes at `addr` and in *ret_len how many follow; NULL where there are
	 * none. Valid until the next call on the target.
	 */
	const uint8_t *(*view)(struct scry_target *t, scry_addr addr, size_t *ret_len);
	/** scry_target_hole_to(). NULL: no holes are known. */
	enum scry_hole (*hole)(struct scry_target *t, scry_addr addr, scry_addr *ret_end);
	/**
	 * Fetch the registers and thread pointer of a thread that says `regs_pending`. NULL: none
	 * ever does.
	 */
	void (*regs)(struct scry_target *t, struct scry_os_thread *thread);
	/** Stop the target for a consistent read, and let it go again; both may be NULL. */
	int (*hold)(struct scry_target *t);
	void (*release)(struct scry_target *t);
	/** Does it run while it is read? NULL: it never does. */
	bool (*runs)(struct scry_target *t);
	/** Forget cached bytes, of a target that runs. NULL where `runs` is. */
	void (*read_anew)(struct scry_target *t);
	/** Put them aside, and begin anew; or (false) take them back. False: out of memory. */
	bool (*set_aside)(struct scry_target *t, bool aside);
	/** Forget cached bytes and re-read maps and threads. May be NULL. */
	int (*refresh)(struct scry_target *t);
	void (*close)(struct scry_target *t);
	/**
	 * The first run of bytes at or after *at, below `end`, that are not a hole of the dump's
	 * file: *at and *ret_end; false where there is none. NULL: no hole is known. A run is
	 * either in the dump or, if anywhere, in mapped files.
	 */
	bool (*data)(struct scry_target *t, scry_addr *at, scry_addr end, scry_addr *ret_end);
	/**
	 * How many bytes of [start, end) have pages: resident ones of a process, those in a dump's
	 * file. False, or no function: it is not known.
	 */
	bool (*present)(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret);
};

#define SCRY_SEEN 4

/** Bytes of the target that are in our memory, as a view gave them. */
struct scry_seen {
	const uint8_t *bytes;
	scry_addr start;
	size_t len;
};

struct scry_target {
	const struct scry_target_ops *ops;
	struct scry_session *session;
	void *state; /* the backend's own */
	struct scry_abi abi;
	const struct scry_arch *arch; /* NULL: foreign machine, memory only */
	const char *path;             /* of the dump, or NULL */
	/* dump formats: the dump, decompressed, mapped here while the target is open */
	const uint8_t *file;
	size_t file_size;
	int file_fd; /* the mapped file, to ask for its holes; -1 none */
	int64_t pid; /* 0 unknown */
	/* that ended or stopped it, 0 none; a Windows exception code in `exception` */
	int signal;
	uint32_t exception;
	/* of a Windows exception; those beyond are left out */
	uint64_t parameters[4];
	unsigned parameter_count;
	const char *exception_name; /* static, where it is not one of Windows'; else NULL */
	bool has_fault;
	scry_addr fault_addr;
	/* si_code of that signal, where the target has it */
	bool has_signal_code;
	int signal_code;
	/* what was tried there: 1 read, 2 write, 3 execute; 0 not known */
	uint8_t fault_access;
	const char *exe;     /* path of the executable as the target knew it, or NULL */
	const char *command; /* command line, or NULL */
	/* when the process began and the dump was written, seconds since 1970; 0 unknown */
	int64_t started, taken;
	/* the same of a process here, asked for when it matters; st_mtime of the dump's file */
	int64_t began, file_written;
	struct scry_map *maps; /* in address order, disjoint; scry_target_add_map() */
	size_t map_count, map_room;
	/* in address order, disjoint; NULL: see struct scry_target_module */
	struct scry_target_module *modules;
	size_t module_count;
	/* what the dump lacks and which kind to ask for, one sentence; NULL: nothing to say */
	const char *advice;
	/* the crashed or first one first where the format says so */
	struct scry_os_thread *threads;
	size_t thread_count, thread_room; /* scry_target_add_thread() */
	/* threads by tid, made on first use by scry_os_thread_find() */
	struct scry_hash tids;
	/* strings of the target: paths, names; dies with it (live: at refresh) */
	struct scry_arena keep;
	/* what is wrong with the dump itself: said again after each refresh */
	struct scry_note *notes;
	struct scry_host_ops host; /* scry_session_open_host() */
	void *host_arg;
	/*
	 * from the auxiliary vector, 0 unknown; execfn: what execve() was given, after the
	 * environment
	 */
	scry_addr vdso, entry, phdr, execfn;
	/* the last views, so that neighbours cost nothing */
	struct scry_seen seen[SCRY_SEEN];
	unsigned next_seen;
	/* set by a view (0 before): how many bytes right before it are readable, too */
	size_t before;
	unsigned readings; /* how often scry_target_read_anew() was called */
	/*
	 * where bytes that the dump left out are looked up (mapped files, build id checked); set by
	 * the module layer
	 */
	const uint8_t *(*fallback)(struct scry_target *t, scry_addr addr, size_t *ret_len);
	/* bytes that cover the target's for a while (overlay.h), or NULL */
	struct scry_overlay *overlay;
};

/**
 * Open the session's target. A dump is mapped (decompressed first into an unlinked temporary file
 * where it is gz, bz2, xz, zst or lz4), and opened by the first format of registry.c whose probe
 * accepts it.
 */
int scry_target_open_dump(struct scry_session *s, const char *path);
int scry_target_open_pid(struct scry_session *s, int pid);
/** The ops are copied. */
int scry_target_open_host(struct scry_session *s, const struct scry_host_ops *ops, void *arg,
			  int pid);
void scry_target_close(struct scry_target *t);
/** Forget cached bytes, re-read maps and threads of a live target, say the target's notes again. */
int scry_target_refresh(struct scry_target *t);
/**
 * Stop the target for a consistent read, let it go again; nothing where there is nothing to stop.
 * NULL is fine.
 */
int scry_target_hold(struct scry_target *t);
void scry_target_release(struct scry_target *t);

/* --- for backends --- */
/** A target of the session without memory yet; NULL (and scry_fail) when out of memory. */
struct scry_target *scry_target_new(struct scry_session *s, const struct scry_target_ops *ops);
/** Append a mapping (`path` must be in t->keep or static); false when out of memory. */
bool scry_target_add_map(struct scry_target *t, const struct scry_map *map);
/**
 * Set path, `deleted` and SCRY_MAP_FILE from a path as the kernel writes it (copied); false when
 * out of memory.
 */
bool scry_map_set_path(struct scry_target *t, struct scry_map *map, const char *path, size_t len);
/** Sort the maps by address, drop empty ones and cut what overlaps an earlier one. */
void scry_target_sort_maps(struct scry_target *t);
/**
 * Append a zeroed thread; NULL when out of memory. Earlier pointers into t->threads are void then.
 */
struct scry_os_thread *scry_target_add_thread(struct scry_target *t, uint64_t tid);
/** An entry of the auxiliary vector (AT_*, linux/auxvec.h): those that are of use are kept. */
void scry_target_set_auxv(struct scry_target *t, uint64_t key, uint64_t value);
/** scry_note(), now and after each refresh. */
void scry_target_note(struct scry_target *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/**
 * Take the thread pointer and a futex wait from a register block as the kernel writes it (pr_reg of
 * NT_PRSTATUS).
 */
void scry_os_thread_load(struct scry_os_thread *thread, const struct scry_arch *arch,
			 const uint8_t *block, size_t len, bool big_endian);
/** Take a futex wait from the number and the arguments of a system call. */
void scry_os_thread_syscall(struct scry_os_thread *thread, const struct scry_arch *arch,
			    uint64_t number, const uint64_t args[6]);
/** The same with the arguments from thread->regs. */
void scry_os_thread_syscall_regs(struct scry_os_thread *thread, const struct scry_arch *arch,
				 uint64_t number);
/** Forget the last view: for backends whose memory moves. */
void scry_target_forget_view(struct scry_target *t);
/** What is read from now on is of now, not of before: for a target that runs. */
void scry_target_read_anew(struct scry_target *t);
/** The same for a while, until scry_target_take_back(). False: it is out of memory. */
bool scry_target_set_aside(struct scry_target *t);
void scry_target_take_back(struct scry_target *t);

/** Why nothing can be read at `addr`. */
enum scry_hole scry_target_hole(struct scry_target *t, scry_addr addr);
/** The same, and in *ret_end, which is above `addr`, up to where that is so. */
enum scry_hole scry_target_hole_to(struct scry_target *t, scry_addr addr, scry_addr *ret_end);
/** Fail since a thread has no registers that are known: SCRY_ENOTFOUND. */
int scry_fail_registers(struct scry_session *s);
/** Does it run while it is read? */
bool scry_target_runs(struct scry_target *t);
/** What to say of a list that makes no sense: "is damaged", or that the target runs on. */
const char *scry_target_damage(struct scry_target *t);
/** Is it certain that nothing was mapped at `addr`? */
bool scry_target_lacks(struct scry_target *t, scry_addr addr);
/**
 * The bytes at `addr` in place, or NULL (and scry_fail) where not even one is there. Valid until
 * the next read.
 */
const uint8_t *scry_view(struct scry_session *s, scry_addr addr, size_t *ret_len);
/** Copy exactly `len` bytes; SCRY_EFAULT where any of them is missing. */
int scry_read(struct scry_session *s, scry_addr addr, void *buf, size_t len);
/** Copy what is there of `len` bytes, return how many came (0: none). Records no failure. */
size_t scry_read_some(struct scry_session *s, scry_addr addr, void *buf, size_t len);
/**
 * For searches: the next run of memory in [*at, end) that may hold anything but the zeros of a hole
 * in the dump's file. Touching holes would make pages of them.
 */
bool scry_data_next(struct scry_session *s, scry_addr *at, scry_addr end, scry_addr *ret_end);
/** ops->present(); false where the target does not say. */
bool scry_target_present(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret);
/**
 * An integer of 1 to 8 bytes, or a pointer, in the target's byte order: SCRY_EFAULT where any byte
 * is missing, SCRY_EINVAL for another size.
 */
int scry_read_uint(struct scry_session *s, scry_addr addr, unsigned size, uint64_t *ret);
int scry_read_int(struct scry_session *s, scry_addr addr, unsigned size, int64_t *ret);
int scry_read_ptr(struct scry_session *s, scry_addr addr, scry_addr *ret);
/**
 * A NUL-terminated string of at most `max` bytes, copied into the session's arena; cut at `max`.
 */
int scry_read_cstr(struct scry_session *s, scry_addr addr, size_t max, const char **ret);
/** The mapping that contains `addr`, or NULL. */
const struct scry_map *scry_map_at(struct scry_target *t, scry_addr addr);
/** The thread with this id, NULL none; valid until a thread is added. */
struct scry_os_thread *scry_os_thread_find(struct scry_target *t, uint64_t tid);
/**
 * The thread's registers, fetched now where they were not yet; regs->arch is NULL where none are
 * known.
 */
const struct scry_regs *scry_os_thread_regs(struct scry_target *t,
					    const struct scry_os_thread *thread);
/** A register by name: true and *ret where it is known. */
bool scry_regs_find(const struct scry_regs *regs, const char *name, uint64_t *ret);
/** Make a register known, by name; one that the architecture does not have is ignored. */
void scry_regs_set(struct scry_regs *regs, const char *name, uint64_t value);
/** Fill regs from a raw register block, by each row's `prstatus` or `minidump` offset. */
void scry_regs_load(struct scry_regs *regs, const struct scry_arch *arch, const uint8_t *block,
		    size_t len, bool minidump, bool big_endian);
/**
 * Set abi, arch and byte order for an ELF machine; false for one that we have no row for (abi is
 * set all the same).
 */
bool scry_target_set_machine(struct scry_target *t, unsigned elf_machine, bool is64,
			     bool big_endian);

#endif
