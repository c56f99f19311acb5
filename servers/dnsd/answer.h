/* SPDX-License-Identifier: ISC
 *
 * Answering DNS queries from a zone database: the authoritative side of RFC 1034 4.3.2 over UDP.
 * Plain functions over buffers: who moves the datagrams, and where the database comes from, is the
 * caller's business. Does not recurse, transfer zones, or change anything but the counters.
 */
#ifndef MOTET_DNSD_ANSWER_H
#define MOTET_DNSD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/dnsd/cookie.h"
#include "servers/dnsd/rrl.h"
#include "servers/dnsd/zone.h"

enum {
    /* Octets of a UDP answer that pass nearly every path in one piece (DNS flag day 2020). */
    ANSWER_UDP_SIZE_DEFAULT = 1232,
    /* The answer buffer must hold what every client takes. */
    ANSWER_CAPACITY_MIN = DNS_UDP_SIZE_MIN,
};

enum { ANSWER_TEXT_MAX = 64 }; /* octets of each text below; longer ones are cut */

struct answer_config {
    uint16_t
        udp_size; /* octets: the largest answer sent, and the size told in OPT; below 512: 512 */
    bool minimal; /* no additional data but what a referral needs */
    bool cookies; /* answer to DNS cookies (RFC 7873), made with this secret */
    uint8_t cookie_secret[COOKIE_SECRET_SIZE];
    const char *nsid;     /* told to who asks with NSID (RFC 5001); NULL: nothing */
    const char *identity; /* of id.server and hostname.bind, class CH; NULL: REFUSED */
    const char *version;  /* of version.server and version.bind, class CH; NULL: REFUSED */
    struct rrl_config rrl;
};

/* Who asks, for what depends on it: cookies and rate limiting. */
struct answer_client {
    const uint8_t *address;          /* 16 octets, IPv4 as ::ffff:a.b.c.d */
    uint64_t (*time)(void *context); /* monotonic nanoseconds; called when they matter only */
    void *context;
    struct rrl *rrl;
};

/* COUNTER(name): the first four are queries without an answer; then one for each response code;
 * then what happened to answers besides. */
#define ANSWER_COUNTERS(COUNTER)                                                                   \
    COUNTER(dropped_short)       /* shorter than a header */                                       \
    COUNTER(dropped_response)    /* a response, not a query: never answered, against loops */      \
    COUNTER(dropped_no_capacity) /* the answer buffer is below ANSWER_CAPACITY_MIN */              \
    COUNTER(dropped_rate)        /* more equal answers than the rate limit allows */               \
    COUNTER(noerror)                                                                               \
    COUNTER(formerr)                                                                               \
    COUNTER(servfail)                                                                              \
    COUNTER(nxdomain)                                                                              \
    COUNTER(notimp)                                                                                \
    COUNTER(refused)                                                                               \
    COUNTER(yxdomain)                                                                              \
    COUNTER(notauth)                                                                               \
    COUNTER(badvers)                                                                               \
    COUNTER(truncated)          /* sent with TC: a section didn't fit */                           \
    COUNTER(additional_omitted) /* RRsets of additional data that didn't fit */                    \
    COUNTER(chain_cut)          /* alias chains ended by ANSWER_CHAIN_MAX or a loop */             \
    COUNTER(rate_slipped)       /* sent empty with TC: above the rate limit */                     \
    COUNTER(cookie_good)        /* queries with a server cookie of ours */                         \
    COUNTER(cookie_bad)         /* with one that isn't, or is too old: treated as without */       \
    COUNTER(cookie_new)         /* with a client cookie only */                                    \
    COUNTER(database_damaged)   /* found while answering; also counted as servfail */

enum answer_counter {
#define COUNTER(name) ANSWER_COUNT_##name,
    ANSWER_COUNTERS(COUNTER)
#undef COUNTER
        ANSWER_COUNTER_COUNT
};

struct answer_counters {
    uint64_t count[ANSWER_COUNTER_COUNT];
};

/* Names for people, in the order of enum answer_counter. */
extern const char answer_counter_names[ANSWER_COUNTER_COUNT][20];

/* Answers one query, of an unknown client: without cookies, without a limit. The query has
 * query_length octets. The query must be private to the caller: it is read
 * more than once. The answer buffer, which may be shared, is only written, up to answer_capacity
 * octets. Returns the answer's length in octets, or 0 when nothing is to be sent. Exactly one of
 * the counters for drops and response codes goes up by one. */
size_t answer_query(const struct zone_db *db, const struct answer_config *config,
                    struct answer_counters *counters, const uint8_t *query, size_t query_length,
                    uint8_t *answer, size_t answer_capacity);

/* The same for a known client: with cookies and rate limiting, as configured. */
size_t answer_client_query(const struct zone_db *db, const struct answer_config *config,
                           const struct answer_client *client, struct answer_counters *counters,
                           const uint8_t *query, size_t query_length, uint8_t *answer,
                           size_t answer_capacity);

#endif
