/* SPDX-License-Identifier: ISC
 *
 * CRC-32 (IEEE 802.3, reflected) with a small table: of frames of the control protocol, of programs
 * and files that are swapped in, of state that is handed over.
 */
#ifndef MOTET_LIBOS_CRC_H
#define MOTET_LIBOS_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from the CRC of what was before; 0: nothing was. */
uint32_t crc_add(uint32_t crc, const void *data, size_t bytes);

#endif
