/* SPDX-License-Identifier: ISC
 *
 * Messages through the kernel's ports, and calls that are no messages at all. See ports.c.
 */
#ifndef MOTET_BENCH_PORTS_H
#define MOTET_BENCH_PORTS_H

#include <stdbool.h>
#include <stdint.h>

enum { PORT_BATCH_MAX = 16 }; /* of the 20 messages that a port holds */

/* The receivers, one in the measuring thread's space, one in another. */
void ports_make(void);

/* Ticks of `rounds` times: `batch` messages sent, all received by another thread, and one message
 * of it back. Called by a thread of PRIORITY_LOW. */
uint32_t ports_measure(bool other_space, uint32_t batch, uint32_t rounds);

enum call_kind { CALL_NOTHING, CALL_DIRECT, CALL_POINTER };

/* Ticks of `rounds` turns of a loop that does nothing, calls a function with a message, or calls it
 * through a pointer. */
uint32_t calls_measure(enum call_kind kind, uint32_t rounds);

#endif
