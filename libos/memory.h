/* SPDX-License-Identifier: ISC
 *
 * Copying, filling and comparing, for libos/string.c (memcpy and its kin) and its test. Words of 8
 * bytes, four at a time: docs/libos.md has the figures for this against `rep movs` and musl.
 * Compiled with -fno-tree-loop-distribute-patterns, or these would become calls of themselves.
 */
#ifndef MOTET_LIBOS_MEMORY_H
#define MOTET_LIBOS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* A word anywhere: no alignment, any type underneath. */
typedef uint64_t __attribute__((may_alias, aligned(1))) memory_word;

typedef uint32_t __attribute__((may_alias, aligned(1))) memory_half;
typedef uint16_t __attribute__((may_alias, aligned(1))) memory_quarter;

/* As memcpy: the two don't overlap. */
static inline void memory_copy(void *to, const void *from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (size >= 8) {
        for (; size >= 32; size -= 32, t += 32, f += 32) {
            ((memory_word *)t)[0] = ((const memory_word *)f)[0];
            ((memory_word *)t)[1] = ((const memory_word *)f)[1];
            ((memory_word *)t)[2] = ((const memory_word *)f)[2];
            ((memory_word *)t)[3] = ((const memory_word *)f)[3];
        }
        for (; size >= 8; size -= 8, t += 8, f += 8)
            *(memory_word *)t = *(const memory_word *)f;
        /* The rest together with bytes that are there already; size may be 0. */
        *(memory_word *)(t + size - 8) = *(const memory_word *)(f + size - 8);
        return;
    }
    if (size & 4) {
        *(memory_half *)t = *(const memory_half *)f;
        t += 4;
        f += 4;
    }
    if (size & 2) {
        *(memory_quarter *)t = *(const memory_quarter *)f;
        t += 2;
        f += 2;
    }
    if (size & 1)
        *t = *f;
}

/* As memmove. */
static inline void memory_move(void *to, const void *from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f <
        size) { /* the end of `from` would be overwritten: downwards */
        for (; size >= 8; size -= 8)
            *(memory_word *)(t + size - 8) = *(const memory_word *)(f + size - 8);
        while (size--)
            t[size] = f[size];
        return;
    }
    for (; size >= 8; size -= 8, t += 8, f += 8)
        *(memory_word *)t = *(const memory_word *)f;
    while (size--)
        *t++ = *f++;
}

/* As memset. */
static inline void memory_fill(void *to, uint8_t value, size_t size)
{
    uint8_t *t = to;
    uint64_t word = value * 0x0101010101010101ull;
    for (; size >= 32; size -= 32, t += 32) {
        ((memory_word *)t)[0] = word;
        ((memory_word *)t)[1] = word;
        ((memory_word *)t)[2] = word;
        ((memory_word *)t)[3] = word;
    }
    for (; size >= 8; size -= 8, t += 8)
        *(memory_word *)t = word;
    while (size--)
        *t++ = value;
}

/* As memcmp. */
static inline int memory_compare(const void *left, const void *right, size_t size)
{
    const uint8_t *l = left, *r = right;
    while (size >= 8 && *(const memory_word *)l == *(const memory_word *)r) {
        size -= 8;
        l += 8;
        r += 8;
    }
    for (; size; size--, l++, r++)
        if (*l != *r)
            return *l - *r;
    return 0;
}

#endif
