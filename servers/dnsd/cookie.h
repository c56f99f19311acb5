/* SPDX-License-Identifier: ISC
 *
 * DNS cookies as RFC 9018 makes them: a server cookie is a keyed hash over the client's cookie, its
 * address and a time, so that nothing needs to be remembered. Called by answer.c only.
 */
#ifndef MOTET_DNSD_COOKIE_H
#define MOTET_DNSD_COOKIE_H

#include <stddef.h>
#include <stdint.h>

enum {
    COOKIE_CLIENT_SIZE = 8, /* octets of a client cookie (RFC 7873 4.1) */
    COOKIE_SERVER_MIN = 8,  /* octets of the server cookies that a client may bring */
    COOKIE_SERVER_MAX = 32,
    COOKIE_SERVER_SIZE = 16, /* octets of those that we make (RFC 9018 4) */
    COOKIE_SIZE = COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE,
    COOKIE_SECRET_SIZE = 16,
    COOKIE_ADDRESS_SIZE = 16, /* IPv4 as ::ffff:a.b.c.d */
    /* Seconds (RFC 9018 4.3): how old a cookie may be, how far ahead, from when on it is renewed.
     */
    COOKIE_AGE_MAX = 3600,
    COOKIE_AHEAD_MAX = 300,
    COOKIE_AGE_RENEW = 1800,
};

enum cookie_verdict { COOKIE_BAD, COOKIE_GOOD, COOKIE_OLD };

/* SipHash-2-4 of up to 2^32 octets with a key of 16. */
uint64_t siphash(const uint8_t *key, const uint8_t *octets, size_t length);

/* Writes the client's cookie and a server cookie made at `now` seconds: COOKIE_SIZE octets. */
void cookie_make(const uint8_t *secret, const uint8_t *address, uint32_t now, const uint8_t *client,
                 uint8_t *cookie);

/* Judges a client and server cookie of `length` octets. OLD: good still, but to be renewed. */
enum cookie_verdict cookie_check(const uint8_t *secret, const uint8_t *address, uint32_t now,
                                 const uint8_t *cookie, size_t length);

#endif
