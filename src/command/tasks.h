/** What the commands that list tasks share. */
#ifndef SCRY_COMMAND_TASKS_H
#define SCRY_COMMAND_TASKS_H

#include "command/command.h"
#include "task/task.h"

/** What is said of a struct scry_task: its name by the view "the_name". */
extern const struct scry_facts scry_facts_task;
/** Of a list of them: the key "tasks"; and what a command says that has no other keys. */
extern const struct scry_facts scry_facts_task_list;
extern const struct scry_facts *const scry_says_tasks[];
/**
 * Every task of the list, or with `ident` only those of that thread: text, or the JSON's "tasks".
 */
int scry_show_task_list(struct scry_call *call, const char *what, struct scry_task *first,
			uint64_t ident);
/**
 * All tasks of a kind, or only those of a thread: negative where there is none and a reason why.
 */
int scry_show_tasks(struct scry_call *call, const struct scry_task_ops *ops, uint64_t ident);
/** One line a task, below the one that awaits it or is its parent. */
void scry_show_task_tree(struct scry_call *call, const char *what, struct scry_task *first);
/** One line for each state and stack, the most frequent first: how many tasks have it. */
void scry_show_task_counts(struct scry_call *call, const char *what, struct scry_task *first,
			   uint64_t ident);
/**
 * For a line of text: what is said of a struct scry_task, its name or else its kind by the view
 * "title", and " in FUNCTION (FILE:LINE) awaiting FUNCTION", where its own code stands, by "place".
 */
extern const struct scry_facts scry_facts_task_line;
/** A line that there are none. */
void scry_say_none(struct scry_call *call, const char *what);

#endif
