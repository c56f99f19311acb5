/* SPDX-License-Identifier: ISC
 *
 * netd, but it never comes to the end of its start: for tests of swaps.
 */
#include "tests/servers/ttl/whole.h"

static enum error hang(void *state, struct domain *domain)
{
    if (netd_start(state, domain) == OK)
        domain_log(domain, "hangs in its start");
    for (volatile bool on = true; on;)
        ;
    return OK;
}

VARIANT("hang", hang, netd_receive);
