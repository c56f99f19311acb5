/* SPDX-License-Identifier: ISC
 *
 * What the kernel counts, motet/kernel_counters.h. Nothing is counted where all goes well.
 */
#ifndef KERNEL_COUNTERS_H
#define KERNEL_COUNTERS_H

#include "kernel/arch.h"
#include "motet/kernel_counters.h"

/* A call, or an operation of invoke, returns `error`, which isn't OK. */
static inline void counters_refused(uint64_t row, enum error error)
{
    arch_counters()->refused[row][error]++;
}

#endif
