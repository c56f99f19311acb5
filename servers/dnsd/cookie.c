/* SPDX-License-Identifier: ISC
 *
 * DNS cookies, see cookie.h.
 */
#include "servers/dnsd/cookie.h"

#include <stdbool.h>

#include "servers/dnsd/wire.h"

enum {
    VERSION = 1, /* first octet of a server cookie, three of zeros follow */
    AT_VERSION = COOKIE_CLIENT_SIZE,
    AT_TIME = AT_VERSION + 4,
    AT_HASH = AT_TIME + 4,
    IPV4_PREFIX = 12, /* octets before the four of a mapped address */
};

struct siphash {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void siphash_rounds(struct siphash *state, unsigned rounds)
{
    uint64_t *v = state->v;

    for (; rounds > 0; rounds--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void siphash_word(struct siphash *state, uint64_t word)
{
    state->v[3] ^= word;
    siphash_rounds(state, 2);
    state->v[0] ^= word;
}

uint64_t siphash(const uint8_t *key, const uint8_t *octets, size_t length)
{
    uint64_t low = load_le64(key), high = load_le64(key + 8);
    uint64_t last = (uint64_t)length << 56;
    struct siphash state = {{low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d,
                             low ^ 0x6c7967656e657261, high ^ 0x7465646279746573}};

    for (; length >= 8; length -= 8, octets += 8)
        siphash_word(&state, load_le64(octets));
    for (size_t at = 0; at < length; at++)
        last |= (uint64_t)octets[at] << 8 * at;
    siphash_word(&state, last);
    state.v[2] ^= 0xff;
    siphash_rounds(&state, 4);
    return state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3];
}

/* The hash of a cookie whose first AT_HASH octets are there. */
static uint64_t cookie_hash(const uint8_t *secret, const uint8_t *address, const uint8_t *cookie)
{
    static const uint8_t mapped[IPV4_PREFIX] = {[10] = 0xff, [11] = 0xff};
    uint8_t input[AT_HASH + COOKIE_ADDRESS_SIZE];
    size_t skipped = memcmp(address, mapped, IPV4_PREFIX) == 0 ? IPV4_PREFIX : 0;

    memcpy(input, cookie, AT_HASH);
    memcpy(input + AT_HASH, address + skipped, COOKIE_ADDRESS_SIZE - skipped);
    return siphash(secret, input, sizeof input - skipped);
}

void cookie_make(const uint8_t *secret, const uint8_t *address, uint32_t now, const uint8_t *client,
                 uint8_t *cookie)
{
    memcpy(cookie, client, COOKIE_CLIENT_SIZE);
    store_be32(cookie + AT_VERSION, (uint32_t)VERSION << 24);
    store_be32(cookie + AT_TIME, now);
    store_le64(cookie + AT_HASH, cookie_hash(secret, address, cookie));
}

enum cookie_verdict cookie_check(const uint8_t *secret, const uint8_t *address, uint32_t now,
                                 const uint8_t *cookie, size_t length)
{
    if (length != COOKIE_SIZE || cookie[AT_VERSION] != VERSION)
        return COOKIE_BAD;
    /* Serial number arithmetic: the time wraps in 2106 (RFC 9018 4.3). */
    int32_t age = (int32_t)(now - load_be32(cookie + AT_TIME));
    bool equal = cookie_hash(secret, address, cookie) == load_le64(cookie + AT_HASH);
    if (!equal || age > COOKIE_AGE_MAX || age < -COOKIE_AHEAD_MAX)
        return COOKIE_BAD;
    return age > COOKIE_AGE_RENEW ? COOKIE_OLD : COOKIE_GOOD;
}
