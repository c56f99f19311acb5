/* SPDX-License-Identifier: ISC
 *
 * The Internet checksum (RFC 1071). Sums are kept as they come from memory, unswapped, so that the
 * folded result is stored as it is.
 */
#ifndef MOTET_NETD_CHECKSUM_H
#define MOTET_NETD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds `length` bytes to a sum (0 at first). Only the last part may have an odd length. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length);

/* The sum as 16 bits, not complemented; 0xffff over data that contains its own checksum. */
static inline uint16_t checksum_fold(uint64_t sum)
{
    /* Adding the halves swapped gives their sum, with its carry added in, in the upper half. */
    sum += sum << 32 | sum >> 32;
    uint32_t half = (uint32_t)(sum >> 32);
    half += half << 16 | half >> 16;
    return (uint16_t)(half >> 16);
}

/* The pseudo header of UDP (RFC 768); addresses in host order, `length` of header and data. */
static inline uint64_t checksum_pseudo(uint32_t source, uint32_t destination, uint8_t protocol,
                                       uint16_t length)
{
    return (uint64_t)__builtin_bswap32(source) + __builtin_bswap32(destination) +
           __builtin_bswap16(length) + ((uint64_t)protocol << 8);
}

static inline void checksum_store(uint8_t *to, uint16_t checksum)
{
    __builtin_memcpy(to, &checksum, sizeof(checksum));
}

#endif
