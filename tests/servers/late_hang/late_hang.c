/* SPDX-License-Identifier: ISC
 *
 * netd, but it hangs with the first message that it takes: in its probation. For tests of swaps.
 */
#include "tests/servers/ttl/whole.h"

static bool hang(void *state, struct conn *conn, const struct msg *m)
{
    (void)state, (void)conn, (void)m;
    for (volatile bool on = true; on;)
        ;
    return true;
}

VARIANT("late_hang", netd_start, hang);
