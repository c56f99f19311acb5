/* SPDX-License-Identifier: ISC
 *
 * Names in data whose first label is an @ of its own, written \@ or \064: ldns takes them for the
 * origin, whatever is behind it.
 */
#ifndef MOTET_ZONEC_AT_NAME_H
#define MOTET_ZONEC_AT_NAME_H

#include <ldns/ldns.h>

/* Mends such names in `record`, which ldns parsed from `entry`. Not OK: the entry is no record. */
ldns_status at_names_restore(ldns_rr *record, const char *entry, const ldns_rdf *origin);

#endif
