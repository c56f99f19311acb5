/* SPDX-License-Identifier: ISC
 *
 * See backtrace_words.h. Encodings: SDM volume 2, CALL; 2.1.5, ModR/M and SIB.
 */
#include "servers/init/backtrace_words.h"

#include <stddef.h>
#include <string.h>

static bool is_direct_call(const uint8_t before[CALL_BYTES_MAX], uint64_t offset,
                           uint64_t text_bytes)
{
    int32_t distance;
    if (before[2] != 0xe8)
        return false;
    memcpy(&distance, &before[3], sizeof(distance));
    return offset + (uint64_t)(int64_t)distance < text_bytes;
}

/* Bytes of an instruction with one opcode byte and these. */
static uint32_t length_of(uint8_t modrm, uint8_t sib)
{
    const uint8_t mode = modrm >> 6, operand = modrm & 7;
    const bool has_sib = mode != 3 && operand == 4;
    uint32_t bytes = 2 + has_sib;
    if (mode == 1)
        bytes += 1;
    else if (mode == 2 || (mode == 0 && (operand == 5 || (has_sib && (sib & 7) == 5))))
        bytes += 4;
    return bytes;
}

bool is_behind_call(const uint8_t before[CALL_BYTES_MAX], uint64_t offset, uint64_t text_bytes)
{
    if (is_direct_call(before, offset, text_bytes))
        return true;
    for (uint32_t bytes = 2; bytes <= CALL_BYTES_MAX; bytes++) {
        const uint8_t *at = &before[CALL_BYTES_MAX - bytes];
        if (at[0] == 0xff && (at[1] >> 3 & 7) == 2 &&
            length_of(at[1], bytes > 2 ? at[2] : 0) == bytes)
            return true;
    }
    return false;
}

const struct image_symbol *symbol_find(const struct image_symbols *symbols, uint64_t offset)
{
    uint32_t first = 0, end = symbols->count; /* all below `first` begin at `offset` or before */
    while (first < end) {
        const uint32_t middle = first + (end - first) / 2;
        if (symbols->symbol[middle].offset <= offset)
            first = middle + 1;
        else
            end = middle;
    }
    return first ? &symbols->symbol[first - 1] : NULL;
}
