/* SPDX-License-Identifier: ISC
 *
 * The checksum of a zone database: finds damage in storage or transport, not malice. It reads all
 * of the database, so zone_db_open leaves it to those who have the time.
 */
#ifndef MOTET_DNSD_ZONE_CHECKSUM_H
#define MOTET_DNSD_ZONE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `size` octets, at least ZONE_HEADER_SIZE, with its own field taken as zero. */
uint64_t zone_checksum(const uint8_t *bytes, size_t size);

#endif
