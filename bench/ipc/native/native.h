/* SPDX-License-Identifier: ISC
 *
 * The measurement of bench/ipc on the host: source and sink as two processes. Both halves print the
 * lines of bench/ipc/servers/source/source.c, in nanoseconds: motet.c with the libOS, the channels
 * and the servers that ship, linux.c with what a program would use otherwise.
 */
#ifndef MOTET_BENCH_NATIVE_H
#define MOTET_BENCH_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct how {
    const char *samples, *rounds; /* numbers, as settings of source */
    bool is_short;
    bool one_cpu; /* both processes on one processor, else each on its own */
};

/* Zeroed memory that children share. Ends the program when there is none. */
void *shared_memory(size_t bytes);

/* Forks; 0 in the child, which ends with its parent. */
int child_start(void);

/* Keeps this process, the `number`-th, where `how` says. */
void cpu_keep(const struct how *how, unsigned number);

/* Says what failed, with errno, and ends the program. */
_Noreturn void give_up(const char *what);

uint64_t now_nanoseconds(void);

/* Prints the figures of one of the libOS's doorbells, "ipc done" included, and ends the program. */
_Noreturn void motet_run(const struct how *how, const char *doorbell);
extern const char *const motet_kinds[]; /* ends with NULL */

/* The same of a mechanism of Linux. False: this kernel hasn't got it. */
bool linux_run(const struct how *how, const char *mechanism);
extern const char *const linux_kinds[]; /* ends with NULL */

#endif
