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
 * The task's name, or its kind; and " in FUNCTION (FILE:LINE) awaiting FUNCTION" of where its own
 * code stands.
 */
void scry_task_name_text(struct scry_call *call, const struct scry_task *t);
void scry_task_place_text(struct scry_call *call, struct scry_task *t);

#endif
