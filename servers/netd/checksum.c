/* SPDX-License-Identifier: ISC
 *
 * The Internet checksum, eight bytes at a time.
 */
#include <string.h>

#include "servers/netd/checksum.h"

static uint64_t add_carry(uint64_t sum, uint64_t word)
{
    return __builtin_add_overflow(sum, word, &sum) ? sum + 1 : sum;
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t length)
{
    const uint8_t *at = data;
    uint64_t word;
    for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
        __builtin_memcpy(&word, at, sizeof(word));
        sum = add_carry(sum, word);
    }
    if (length) {
        word = 0;
        memcpy(&word, at, length);
        sum = add_carry(sum, word);
    }
    return sum;
}
