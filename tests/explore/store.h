/* SPDX-License-Identifier: ISC
 *
 * What a search keeps of the states it has seen: of each the hash of its canonical form, in a set,
 * and the way to it, which is a state and an action. Some 25 bytes a state, within a bound.
 *
 * A set of 64-bit hashes takes two states for one with a probability of about n^2 / 2^65: one in
 * four thousand for a search of 10^8 states.
 */
#ifndef EXPLORE_STORE_H
#define EXPLORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/explore/action.h"

struct store {
    uint64_t bound; /* bytes */
    uint64_t bytes; /* in use */

    uint64_t *hashes; /* open addressing; 0: empty */
    uint32_t *owners; /* which state has it; NULL unless asked for */
    uint64_t capacity;

    uint32_t *parents; /* of each state, in the order in which they were found */
    struct action *actions;
    uint64_t count, room;
};

/* `owners`: store_owner will be asked. */
void store_open(struct store *store, uint64_t bound, bool owners);
void store_close(struct store *store);

/* Whether a state with this hash is there, and which. */
bool store_has(const struct store *store, uint64_t hash);
uint32_t store_owner(const struct store *store, uint64_t hash);

/* Adds a state; false when the bound doesn't allow it. */
bool store_add(struct store *store, uint64_t hash, uint32_t parent, const struct action *action);

#endif
