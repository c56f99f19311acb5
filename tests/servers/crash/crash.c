/* SPDX-License-Identifier: ISC
 *
 * netd, but it crashes when it starts: for tests of swaps, and `make demo-swap`.
 */
#include "tests/servers/ttl/whole.h"

static enum error crash(void *state, struct domain *domain)
{
    const enum error error = netd_start(state, domain);
    if (!error)
        __builtin_trap();
    return error;
}

VARIANT("crash", crash, netd_receive);
