/* SPDX-License-Identifier: ISC
 *
 * Where record types have names in their data. Used by the zone compiler only: the database carries
 * the result with each RRset.
 */
#ifndef MOTET_ZONEC_SHAPE_H
#define MOTET_ZONEC_SHAPE_H

#include <stdint.h>

/* ZONE_SHAPE_... for a type; 0 for types whose data is copied as it is, unknown ones among them. */
uint8_t shape_of_type(uint16_t type);

#endif
