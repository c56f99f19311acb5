/* SPDX-License-Identifier: ISC
 *
 * netd, but it crashes with the first message that it takes: in its probation. For tests of swaps.
 */
#include "tests/servers/ttl/whole.h"

static bool crash(void *state, struct conn *conn, const struct msg *m)
{
    (void)state, (void)conn, (void)m;
    __builtin_trap();
}

VARIANT("late", netd_start, crash);
