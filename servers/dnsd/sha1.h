/* SPDX-License-Identifier: ISC
 *
 * SHA-1 (RFC 3174): the hash of NSEC3 names, where it protects nothing. Used by denial.c.
 */
#ifndef MOTET_DNSD_SHA1_H
#define MOTET_DNSD_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_SIZE = 20 }; /* octets */

void sha1(const uint8_t *octets, size_t length, uint8_t *hash);

#endif
