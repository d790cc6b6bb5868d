/** What the commands that list tasks share. */
#ifndef SCRY_COMMAND_TASKS_H
#define SCRY_COMMAND_TASKS_H

#include "command/command.h"
#include "task/task.h"

/** The facts of a struct scry_task; the view "the_name" is its name. */
extern const struct scry_facts scry_facts_task;
/** The key "tasks", a list of them; and the facts of a command that has no other keys. */
extern const struct scry_facts scry_facts_task_list;
extern const struct scry_facts *const scry_says_tasks[];
/**
 * Write every task of the list, or with `ident` only those of that thread: text, or JSON's "tasks".
 */
int scry_show_task_list(struct scry_call *call, const char *what, struct scry_task *first,
			uint64_t ident);
/**
 * The same for all tasks of a kind; negative where there are none and a reason is known.
 */
int scry_show_tasks(struct scry_call *call, const struct scry_task_ops *ops, uint64_t ident);
/** One line per task, below the one that awaits it or is its parent. */
void scry_show_task_tree(struct scry_call *call, const char *what, struct scry_task *first);
/** One line for each state and stack, the most frequent first: how many tasks have it. */
void scry_show_task_counts(struct scry_call *call, const char *what, struct scry_task *first,
			   uint64_t ident);
/**
 * The facts of a struct scry_task for a line of text: the view "title" is its name, or else its
 * kind; "place" is " in FUNCTION (FILE:LINE) awaiting FUNCTION", where its own code is.
 */
extern const struct scry_facts scry_facts_task_line;
/** Write a line that there are none. */
void scry_say_none(struct scry_call *call, const char *what);

#endif
