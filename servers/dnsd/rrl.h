/* SPDX-License-Identifier: ISC
 *
 * Response rate limiting: how many equal answers a network gets in a second, so that forged queries
 * can't turn the server on a victim. Called by answer.c for each finished answer.
 *
 * An account is kept for each network, class of answer and name; it holds what may still be sent,
 * is refilled at `rate` answers per second and holds one second's worth at most. The table has a
 * fixed number of accounts: where there are more, the one that is least in use makes room, and
 * starts anew when it comes again, so what is limited stays limited.
 */
#ifndef MOTET_DNSD_RRL_H
#define MOTET_DNSD_RRL_H

#include <stdint.h>

enum { RRL_SETS = 128, RRL_WAYS = 4, RRL_ADDRESS_SIZE = 16, RRL_RATE_MAX = 100000 };

/* What kind of answer: each has accounts of its own. */
enum rrl_class { RRL_ERROR, RRL_ANSWER, RRL_NODATA, RRL_NXDOMAIN, RRL_REFERRAL };

enum rrl_verdict {
    RRL_SEND,
    RRL_SLIP, /* send an empty answer with TC: an honest client then asks by other means */
    RRL_DROP,
};

struct rrl_config {
    uint32_t rate; /* answers per second, 1 to RRL_RATE_MAX; 0: no limit */
    uint8_t slip;  /* each slip-th limited answer is truncated, not dropped; 0: all are dropped */
    uint8_t ipv4_prefix, ipv6_prefix; /* bits of an address that make a network */
};

struct rrl_account {
    uint32_t tag;     /* of network, class and name; 0: free */
    uint32_t time;    /* milliseconds, of the last answer; wraps */
    uint32_t credit;  /* thousandths of an answer */
    uint32_t limited; /* answers in a row that weren't sent */
};

struct rrl {
    uint8_t key[16]; /* secret: nobody may choose which accounts collide */
    struct rrl_account accounts[RRL_SETS][RRL_WAYS];
};

/* Judges one answer to `address` (IPv4 as ::ffff:a.b.c.d) about the name with number `name`. */
enum rrl_verdict rrl_judge(struct rrl *rrl, const struct rrl_config *config, const uint8_t *address,
                           enum rrl_class class, uint32_t name, uint32_t milliseconds);

#endif
