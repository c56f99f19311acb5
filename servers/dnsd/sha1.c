/* SPDX-License-Identifier: ISC
 *
 * SHA-1, see sha1.h.
 */
#include "servers/dnsd/sha1.h"

#include "servers/dnsd/wire.h"

enum { BLOCK = 64, WORDS = 16, ROUNDS = 80, LENGTH_SIZE = 8 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* The mixing function and constant of one round of the twenty that share them. */
static uint32_t round_mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (round < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (round < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void block_add(uint32_t *state, const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    uint32_t words[WORDS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t *word = &words[round % WORDS];
        if (round < WORDS)
            *word = load_be32(block + 4 * (size_t)round);
        else
            *word = rotate(words[(round - 3) % WORDS] ^ words[(round - 8) % WORDS] ^
                               words[(round - 14) % WORDS] ^ *word,
                           1);
        uint32_t next = rotate(a, 5) + round_mix(round, b, c, d) + e + *word;
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sha1(const uint8_t *octets, size_t length, uint8_t *hash)
{
    uint32_t state[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t last[2 * BLOCK] = {0};
    uint64_t bits = (uint64_t)length * 8;

    for (; length >= BLOCK; length -= BLOCK, octets += BLOCK)
        block_add(state, octets);
    memcpy(last, octets, length);
    last[length] = 0x80;
    size_t end = length + 1 + LENGTH_SIZE <= BLOCK ? BLOCK : 2 * BLOCK;
    store_be32(store_be32(last + end - LENGTH_SIZE, (uint32_t)(bits >> 32)), (uint32_t)bits);
    for (size_t at = 0; at < end; at += BLOCK)
        block_add(state, last + at);
    for (unsigned word = 0; word < 5; word++)
        hash = store_be32(hash, state[word]);
}
