/* SPDX-License-Identifier: ISC
 *
 * netd, but before it takes over, after a rehearsal that went well, it changes one bit of the state
 * that was handed to it, another one each time: for tests of swaps.
 */
#include "libos/start.h"
#include "libos/state.h"
#include "motet/swap.h"
#include "tests/servers/ttl/whole.h"

static enum error flip(void *state, struct domain *domain)
{
    const struct start_page *start = domain->libos->start;
    uint8_t *bytes = (uint8_t *)start->state_address;
    const struct state_header *header = (const struct state_header *)bytes;
    if (start->swaps == START_TAKES_OVER && header->bytes && header->bytes <= start->state_bytes) {
        const uint64_t bit = domain_random(domain) % (8ull * header->bytes);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        domain_log(domain, "changed bit %lu of its state", (unsigned long)bit);
    }
    return netd_start(state, domain);
}

VARIANT("flip", flip, netd_receive);
