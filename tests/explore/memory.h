/* SPDX-License-Identifier: ISC
 *
 * Every load and store of the kernel is seen here: its objects are compiled with the compiler's
 * thread sanitizer instrumentation, and memory.c is the run-time library behind it. So
 *
 *  - a step can be undone: a line of 64 bytes is saved before its first store, wherever it is,
 *    machine memory or the kernel's and the machine's static variables;
 *  - accesses to memory of objects that are gone are bugs, found at the access;
 *  - the length of a kernel entry is a number, and one that doesn't end is found.
 *
 * Positions of the log are marks: undoing to a mark restores what was when it was taken.
 */
#ifndef EXPLORE_MEMORY_H
#define EXPLORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINE_BYTES = 64,
    PAGES_MAX = 64,      /* of a machine: sets of pages are bits of a word */
    ACCESSES_MAX = 5000, /* of one kernel entry, words: what clears 8 pages, and 900 more */
};

/* The machine's memory; everything else that is writable and not on the stack is found by itself.
 */
void memory_init(uint8_t *first, size_t pages);

/* Begins a step; returns its mark. `gone`: pages that must not be touched. */
size_t memory_step(uint64_t gone);

void memory_undo(size_t mark);

/* What is now is where everything starts: nothing before it can be undone. */
void memory_commit(void);

/* Whether something is different from what it was at the mark, other than the lines from `except`
 * on, `lines` of them. */
bool memory_changed(size_t mark, const void *except, size_t lines);

/* Calls `look` with each line of the machine's memory that was stored to since the mark, what was
 * in it, and what is. */
void memory_compare(size_t mark, void (*look)(const void *line, const void *was));

/* Stores that aren't the kernel's: the line is saved first. */
void memory_touch(const void *address, size_t bytes);

/* Loads and stores since memory_step. */
uint32_t memory_accesses(void);

#endif
