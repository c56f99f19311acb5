/* SPDX-License-Identifier: ISC
 *
 * STREAM's triad, a[i] = b[i] + s * c[i], in integers: domains have no vector registers. The same
 * text and compiler options for a domain and for a process of Linux.
 */
#ifndef MOTET_BENCH_TRIAD_H
#define MOTET_BENCH_TRIAD_H

#include <stdint.h>

enum {
    TRIAD_ELEMENTS = 128 * 1024, /* of each array: 1 MiB, 3 in all */
    TRIAD_PASSES = 60,
    TRIAD_SCALE = 3,
    TRIAD_BYTES = 3 * 8 * TRIAD_ELEMENTS, /* of memory that a pass touches */
};

struct triad {
    uint64_t a[TRIAD_ELEMENTS], b[TRIAD_ELEMENTS], c[TRIAD_ELEMENTS];
};

typedef uint64_t triad_clock(void *context); /* ns */

static inline void triad_begin(struct triad *triad)
{
    for (uint32_t i = 0; i < TRIAD_ELEMENTS; i++) {
        triad->a[i] = 0;
        triad->b[i] = i;
        triad->c[i] = i + 1;
    }
}

static __attribute__((noinline)) void triad_pass(struct triad *triad)
{
    for (uint32_t i = 0; i < TRIAD_ELEMENTS; i++)
        triad->a[i] = triad->b[i] + TRIAD_SCALE * triad->c[i];
}

static inline uint32_t triad_is_right(const struct triad *triad)
{
    for (uint32_t i = 0; i < TRIAD_ELEMENTS; i++)
        if (triad->a[i] != i + TRIAD_SCALE * ((uint64_t)i + 1))
            return 0;
    return 1;
}

/* Megabytes per second of the fastest pass, as STREAM has it; 0: the sums were wrong. */
static inline uint32_t triad_measure(struct triad *triad, triad_clock *clock, void *context)
{
    uint64_t best = UINT64_MAX;

    triad_begin(triad);
    for (int pass = 0; pass < TRIAD_PASSES; pass++) {
        uint64_t start = clock(context);
        triad_pass(triad);
        uint64_t spent = clock(context) - start;
        if (spent > 0 && spent < best)
            best = spent;
    }
    return triad_is_right(triad) ? (uint32_t)(TRIAD_BYTES * UINT64_C(1000) / best) : 0;
}

#endif
