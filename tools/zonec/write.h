/* SPDX-License-Identifier: ISC
 *
 * Laying out a zone database (servers/dnsd/zone_format.h). Called after store_check.
 */
#ifndef MOTET_ZONEC_WRITE_H
#define MOTET_ZONEC_WRITE_H

#include "tools/zonec/store.h"

/* Makes the database. The caller frees it; *size is set to its octets. NULL, reported, when it
 * would not fit the format: 4 GiB in all, 16 MiB for one name. */
uint8_t *store_write(struct store *store, size_t *size);

#endif
