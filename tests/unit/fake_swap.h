/* SPDX-License-Identifier: ISC
 *
 * libos/swap.h for unit tests: the server of a fake domain is replaced by a new life of itself,
 * which gets nothing but its records. What is outside of the server (connections, pools, devices,
 * counters, time) stays, as it does when two bodies of a domain follow each other.
 *
 * While the new one begins, it may neither send nor touch a device: the fakes end the test then.
 */
#ifndef MOTET_TESTS_FAKE_SWAP_H
#define MOTET_TESTS_FAKE_SWAP_H

#include "libos/swap.h"
#include "tests/unit/fake_domain.h"

/* What a server saved: a copy of each record of its table. */
struct fake_state {
    const struct server_swap *swap;
    uint32_t bytes[STATE_RECORDS_MAX];
    uint8_t *data[STATE_RECORDS_MAX]; /* each in memory of its own, exactly as long */
};

/* Checks on the way: no record is longer than its table says, none has an address in it, and the
 * server's memory is the same afterwards. */
void fake_state_save(struct domain *domain, struct fake_state *state);
void fake_state_free(struct fake_state *state);

/* A new life takes the state over. Not OK: it was refused, and the old life goes on. */
enum error fake_state_load(struct domain *domain, const struct fake_state *state);

/* Saves and loads; what the new life would save is what the old one saved, to the byte. False: the
 * server isn't at rest, nothing has happened. */
bool fake_swap(struct domain *domain);

/* From now on so often before each entry into the server of any domain. */
void fake_swap_always(uint32_t times);

/* Tries records that are wrong: one at a time of each length up to eight bytes more, and with each
 * of its bits flipped. A server that takes such a state must be able to go on: `after` lets it, and
 * puts the world outside of it back as it was. Returns how many were refused, and says how many
 * were taken. */
uint32_t fake_swap_damage(struct domain *domain, void (*after)(void *context), void *context,
                          uint32_t *taken);

#endif
