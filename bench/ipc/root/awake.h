/* SPDX-License-Identifier: ISC
 *
 * Two domains that never sleep, in one program: what a channel costs when both ends are awake, as
 * on two processors. See awake.c.
 */
#ifndef MOTET_BENCH_AWAKE_H
#define MOTET_BENCH_AWAKE_H

#include <stdint.h>

/* Memory and a port of their own for both domains; once. */
void awake_make(void);

enum { AWAKE_BATCH_MAX = 64 }; /* what a round takes from one connection: LOOP_BATCH of loop.c */

/* Ticks of `rounds` batches of `batch` messages each (a power of two, 2 to AWAKE_BATCH_MAX) from
 * one domain to the other, both domains' rounds included. `batch` 1: of as many round trips, one
 * message there and its answer back. */
uint32_t awake_measure(uint32_t batch, uint32_t rounds);

/* The same servers with a call through a pointer between them instead of a channel. */
uint32_t awake_plain(uint32_t batch, uint32_t rounds);

#endif
