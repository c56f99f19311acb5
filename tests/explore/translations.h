/* SPDX-License-Identifier: ISC
 *
 * What the processor may have remembered when a step begins: every present entry of the running
 * space. A step that changes one must flush it.
 */
#ifndef EXPLORE_TRANSLATIONS_H
#define EXPLORE_TRANSLATIONS_H

/* Where the machine's flushes go (sim.flushed) from now on. */
void translations_watch(void);

/* The processor has remembered all that it could, and a step begins. */
void translations_remember(void);

/* A step begins in the same state. */
void translations_step(void);

/* Panics if the step changed an entry and didn't flush it. */
void translations_check(void);

#endif
