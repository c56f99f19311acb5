/* SPDX-License-Identifier: ISC
 *
 * The denial tables of signed zones: which nodes prove that something isn't there, in which order.
 * Called by write.c, and by check.c for what is wrong with them.
 */
#ifndef MOTET_ZONEC_DENIAL_H
#define MOTET_ZONEC_DENIAL_H

#include <stdbool.h>

#include "tools/zonec/store.h"

/* How a zone says no. */
struct denial {
    uint8_t algorithm; /* 0: NSEC; 1: NSEC3 with SHA-1 */
    uint8_t salt_length;
    uint16_t iterations;
    uint32_t salt;   /* in octets */
    uint32_t *nodes; /* in order; the caller frees them */
    uint32_t count;
};

/* The denial of each zone, with a count of 0 for those that aren't signed, as an array that
 * denial_free ends. Called when the records are sorted. Reports NSEC3 parameters that can't be
 * served and chains that can't be whole. */
struct denial *denial_make(struct store *store);
void denial_free(struct store *store, struct denial *denials);

/* Octets of a denial table in the database. */
size_t denial_size(const struct denial *denial);

/* Writes it; the nodes have their offsets. */
void denial_write(const struct store *store, const struct denial *denial, uint8_t *out);

#endif
