/* SPDX-License-Identifier: ISC
 *
 * What the name server remembers; for dnsd.c and, when it is swapped, swap.c.
 */
#ifndef MOTET_DNSD_DNSD_H
#define MOTET_DNSD_DNSD_H

#include "ipc/pool.h"
#include "ipc/proto/sock.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "servers/dnsd/answer.h"

enum {
    DNS_PORT = 53,
    UDP = 17,
    HOLDER_STACK = 1, /* of lent send buffers */
    DEFERRED_MAX = 256,
    QUERY_MAX = 2048, /* bytes looked at; longer datagrams can't be queries we answer */
};

/* The answering logic's counters, then ours. */
#define DNSD_COUNTERS(COUNTER)                                                                     \
    COUNTER(deferred)       /* queries that had to wait for a send buffer or room */               \
    COUNTER(bad_message)    /* dropped: not of the protocol, or pointing outside its pool */       \
    COUNTER(deferred_full)  /* dropped: more waiting than there can be */                          \
    COUNTER(query_too_long) /* dropped */                                                          \
    COUNTER(not_returned)   /* receive buffers lost: the stack broke the connection */

enum dnsd_counter {
#define COUNTER(name) DNSD_COUNT_##name,
    DNSD_COUNTERS(COUNTER)
#undef COUNTER
        DNSD_COUNTER_COUNT
};

struct dnsd {
    struct domain *domain;
    struct conn *net;
    bool asked;   /* the stack was told which port is to be ours */
    bool binding; /* and has yet to answer */
    const struct pool *receive_pool, *send_pool;
    struct answer_counters *answer_counters;
    uint64_t *counters;
    struct answer_config config;
    struct answer_client client; /* all but the address */
    struct rrl rrl;
    struct zone_db zones;
    struct pool_owner send_buffers;
    struct sock_done returned; /* receive buffers to give back */
    uint16_t deferred_first, deferred_count;
    struct sock_datagram deferred[DEFERRED_MAX];
    uint8_t query[QUERY_MAX];
};

#endif
