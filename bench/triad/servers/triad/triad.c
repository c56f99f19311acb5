/* SPDX-License-Identifier: ISC
 *
 * Measures the triad (bench/triad/triad.h) in its domain when it starts, and logs it.
 */
#include "bench/triad/triad.h"
#include "libos/domain.h"
#include "libos/server.h"

static uint64_t now(void *domain)
{
    return domain_time(domain);
}

static enum error start(void *state, struct domain *domain)
{
    domain_log(domain, "%u MB/s", (unsigned)triad_measure(state, now, domain));
    return OK;
}

const struct server motet_server_triad = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "triad",
    .state_size = sizeof(struct triad),
    .stack_bytes = 4096,
    .start = start,
};
SERVER_EXPORT(motet_server_triad);
