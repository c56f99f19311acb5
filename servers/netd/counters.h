/* SPDX-License-Identifier: ISC
 *
 * netd's counters: one enumeration, from counters.def. Functions that check something return the
 * counter of the reason for a drop, or NO_DROP.
 */
#ifndef MOTET_NETD_COUNTERS_H
#define MOTET_NETD_COUNTERS_H

enum counter {
    NO_DROP = -1,
#define COUNTER(name, text, meaning) COUNTER_##name,
#include "servers/netd/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

#endif
