/* SPDX-License-Identifier: ISC
 *
 * A server for tests that never waits: it counts, for ever. How far it got is in its counter.
 */
#include "libos/domain.h"
#include "libos/server.h"

struct busy {
    uint64_t unused;
};

static enum error start(void *state, struct domain *domain)
{
    volatile uint64_t *turns = domain_counters(domain);
    (void)state;
    while (turns)
        ++*turns;
    return OK;
}

static const char *const counters[] = {"turns"};

extern const struct server motet_server_busy;
const struct server motet_server_busy = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "busy",
    .state_size = sizeof(struct busy),
    .stack_bytes = 1024,
    .counters = counters,
    .counter_count = 1,
    .start = start,
};
SERVER_EXPORT(motet_server_busy);
