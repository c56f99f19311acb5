/* SPDX-License-Identifier: ISC
 *
 * Deadlines wait in a balanced tree through the threads themselves: no memory, and a number of
 * steps that is logarithmic in the number of waiting threads.
 */
#ifndef KERNEL_DEADLINE_H
#define KERNEL_DEADLINE_H

#include "kernel/thread.h"

/* `node` is in no tree and its time isn't 0. Equal times stay in order of insertion. */
void deadline_insert(struct deadline **root, struct deadline *node);

/* Afterwards node->time is 0. Does nothing if it is 0 already. */
void deadline_remove(struct deadline **root, struct deadline *node);

/* Panics if the tree isn't one: order, balance, links. */
void deadline_check(const struct deadline *root);

/* The earliest, or NULL. */
struct deadline *deadline_first(struct deadline *root);

#endif
