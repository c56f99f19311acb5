/* SPDX-License-Identifier: ISC
 *
 * What the threads of the program bench/ipc/root share: see main.c.
 */
#ifndef MOTET_BENCH_ROOT_H
#define MOTET_BENCH_ROOT_H

#include "bench/kernel/rig.h"

struct partner {
    uint32_t in; /* port */
    volatile uint32_t received;
};

struct root {
    struct rig rig;
    uint32_t answers, done; /* ports */
    struct partner partner[2];
    uint64_t sum;
    uint32_t sample[SAMPLES];
};
_Static_assert(sizeof(struct root) <= 2 * PAGE_BYTES, "stacks begin behind");

static inline struct root *root(void)
{
    return (struct root *)SHARED;
}

#endif
