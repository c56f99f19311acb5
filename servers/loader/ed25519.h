/* SPDX-License-Identifier: ISC
 *
 * Whether a signature is right (Ed25519, RFC 8032). Only that: nothing here is secret, and nothing
 * takes care of how long it takes.
 */
#ifndef MOTET_LOADER_ED25519_H
#define MOTET_LOADER_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ED25519_KEY_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

bool ed25519_is_right(const uint8_t signature[ED25519_SIGNATURE_BYTES],
                      const uint8_t key[ED25519_KEY_BYTES], const void *message, size_t bytes);

#endif
