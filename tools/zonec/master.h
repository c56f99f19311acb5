/* SPDX-License-Identifier: ISC
 *
 * Reading master files (RFC 1035 5) with ldns. Called by main.c for every file.
 */
#ifndef MOTET_ZONEC_MASTER_H
#define MOTET_ZONEC_MASTER_H

#include "tools/zonec/store.h"

/* Reads the zone `origin` from a master file into the store; problems are reported, with their
 * line. `origin` is text, such as "example.org". */
void master_read(struct store *store, const char *origin, const char *path);

#endif
