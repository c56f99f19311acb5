/* SPDX-License-Identifier: ISC
 *
 * netd, but when it takes over, after a rehearsal that went well, it hangs: for tests of swaps.
 */
#include "libos/start.h"
#include "libos/state.h"
#include "tests/servers/ttl/whole.h"

static enum error stall(void *state, struct domain *domain)
{
    if (domain->libos->start->swaps == START_TAKES_OVER)
        for (volatile bool on = true; on;)
            ;
    return netd_start(state, domain);
}

VARIANT("stall", stall, netd_receive);
