/* SPDX-License-Identifier: ISC
 *
 * SHA-512 (FIPS 180-4), for signatures of programs.
 */
#ifndef MOTET_LOADER_SHA512_H
#define MOTET_LOADER_SHA512_H

#include <stddef.h>
#include <stdint.h>

enum { SHA512_BYTES = 64, SHA512_BLOCK = 128 };

struct sha512 {
    uint64_t state[8];
    uint64_t bytes; /* taken so far */
    uint8_t block[SHA512_BLOCK];
};

void sha512_begin(struct sha512 *hash);
void sha512_add(struct sha512 *hash, const void *data, size_t bytes);
void sha512_end(struct sha512 *hash, uint8_t out[SHA512_BYTES]);

#endif
