/* SPDX-License-Identifier: ISC
 *
 * Shapes of record data, see shape.h. Only the types of RFC 1035 may be compressed (RFC 3597 4);
 * DNAME and other younger types with names are copied.
 */
#include "tools/zonec/shape.h"

#include <stddef.h>

#include "servers/dnsd/wire.h"
#include "servers/dnsd/zone_format.h"

#define NAMES(count) ((count) << ZONE_SHAPE_NAMES_SHIFT)

static const struct {
    uint16_t type;
    uint8_t shape;
} shapes[] = {
    {DNS_TYPE_NS, NAMES(1) | ZONE_SHAPE_COMPRESS | ZONE_SHAPE_ADDRESSES | ZONE_SHAPE_GLUE},
    {3, NAMES(1) | ZONE_SHAPE_COMPRESS}, /* MD */
    {4, NAMES(1) | ZONE_SHAPE_COMPRESS}, /* MF */
    {DNS_TYPE_CNAME, NAMES(1) | ZONE_SHAPE_COMPRESS},
    {DNS_TYPE_SOA, NAMES(2) | ZONE_SHAPE_COMPRESS},
    {7, NAMES(1) | ZONE_SHAPE_COMPRESS}, /* MB */
    {8, NAMES(1) | ZONE_SHAPE_COMPRESS}, /* MG */
    {9, NAMES(1) | ZONE_SHAPE_COMPRESS}, /* MR */
    {DNS_TYPE_PTR, NAMES(1) | ZONE_SHAPE_COMPRESS},
    {14, NAMES(2) | ZONE_SHAPE_COMPRESS}, /* MINFO */
    {DNS_TYPE_MX, 2 | NAMES(1) | ZONE_SHAPE_COMPRESS | ZONE_SHAPE_ADDRESSES},
    {DNS_TYPE_SRV, 6 | NAMES(1) | ZONE_SHAPE_ADDRESSES},
};

uint8_t shape_of_type(uint16_t type)
{
    for (size_t index = 0; index < sizeof shapes / sizeof *shapes; index++) {
        if (shapes[index].type == type)
            return shapes[index].shape;
    }
    return 0;
}
