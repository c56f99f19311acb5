/* SPDX-License-Identifier: ISC
 *
 * The rules a set of zones must keep before it is written. Called between the last record and
 * write.c.
 */
#ifndef MOTET_ZONEC_CHECK_H
#define MOTET_ZONEC_CHECK_H

#include <stdbool.h>

#include "tools/zonec/store.h"

/* Sorts the records by owner, type and data, drops duplicates, sets flags and record ranges of all
 * nodes, and reports what is wrong. Returns whether there were no errors, here or before. */
bool store_check(struct store *store);

/* The names that a type's data must hold are there, and nothing behind them. */
bool rdata_is_whole(uint16_t type, const uint8_t *rdata, size_t length);

#endif
