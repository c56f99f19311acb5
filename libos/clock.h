/* SPDX-License-Identifier: ISC
 *
 * Ticks of the processor's clock and nanoseconds since boot. Used by domain.c and loop.c.
 */
#ifndef MOTET_LIBOS_CLOCK_H
#define MOTET_LIBOS_CLOCK_H

#include <stdint.h>

#include "motet/abi.h"

__extension__ typedef unsigned __int128 uint128;

/* Nanoseconds since boot at clock tick `ticks`. */
static inline uint64_t clock_nanoseconds(const struct kernel_info *info, uint64_t ticks)
{
    return (uint64_t)(((uint128)(ticks - info->clock_base) * info->clock_multiplier) >> 32);
}

/* Ticks per nanosecond with CLOCK_FRACTION_BITS fraction bits; for frequencies below 2^40 Hz. Off
 * by 2^-23 of the length it scales (from 500 MHz up), so it's for lengths, never for points in
 * time. */
enum { CLOCK_FRACTION_BITS = 24 };

static inline uint64_t clock_scale(const struct kernel_info *info)
{
    return (info->clock_frequency << CLOCK_FRACTION_BITS) / 1000000000;
}

/* The tick at which `length` nanoseconds from `now` will have passed; never 0. */
static inline uint64_t clock_deadline(uint64_t now, uint64_t length, uint64_t scale)
{
    uint128 ticks = ((uint128)length * scale) >> CLOCK_FRACTION_BITS;
    uint64_t longest = UINT64_MAX - 1 - now;
    return now + 1 + (ticks < longest ? (uint64_t)ticks : longest);
}

#endif
