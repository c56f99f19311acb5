/* SPDX-License-Identifier: ISC
 *
 * netd, but when it takes over, after a rehearsal that went well, it crashes: for tests of swaps.
 */
#include "libos/start.h"
#include "libos/state.h"
#include "tests/servers/ttl/whole.h"

static enum error fall(void *state, struct domain *domain)
{
    if (domain->libos->start->swaps == START_TAKES_OVER)
        __builtin_trap();
    return netd_start(state, domain);
}

VARIANT("fall", fall, netd_receive);
