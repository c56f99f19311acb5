/* SPDX-License-Identifier: ISC
 *
 * The zone database's checksum, see zone_checksum.h. Every step can be undone (an odd factor, a
 * shifted exclusive or), so a change within one word always shows.
 */
#include "servers/dnsd/zone_checksum.h"

#include "servers/dnsd/wire.h"
#include "servers/dnsd/zone_format.h"

uint64_t zone_checksum(const uint8_t *bytes, size_t size)
{
    uint64_t state = size;

    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, size - at < 8 ? size - at : 8);
        if (at == ZONE_AT_CHECKSUM)
            word = 0;
        state = (state ^ word) * 0x9e3779b97f4a7c15;
        state ^= state >> 32;
    }
    return state;
}
