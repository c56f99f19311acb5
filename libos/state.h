/* SPDX-License-Identifier: ISC
 *
 * The libOS's own state: one struct libos per domain, at the beginning of its private memory, and
 * in it one struct domain per server, which is what that server knows as its domain. Shared by
 * domain.c, loop.c and start.c; servers see none of this.
 */
#ifndef MOTET_LIBOS_STATE_H
#define MOTET_LIBOS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "libos/counters.h"
#include "libos/domain.h"
#include "libos/log.h"
#include "libos/restart.h"
#include "libos/server.h"
#include "libos/start.h"
#include "libos/swap.h"
#include "libos/transport.h"
#include "motet/abi.h"

enum { DOMAIN_SERVERS_MAX = COUNTER_SERVERS_MAX }; /* servers fused into one domain */

/* One server's view of its domain. */
struct domain {
    struct libos *libos;
    const struct server *server;
    void *state;
    uint64_t *counters;
    uint64_t deadline; /* nanoseconds, 0: none */
    uint8_t number;    /* in link order */
    bool active;       /* in one of its entry points, or not started: it isn't called */
};

/* Messages to a server from another one of its domain: libos/direct.c. */
struct queue {
    struct msg *entry;
    uint32_t mask;       /* slots - 1 */
    uint32_t put, taken; /* free-running */
    bool stalled;        /* the server refused the next entry in this round */
};

/* One connection: the server's end, its transport, and who is called for it. */
struct link {
    struct conn conn;
    struct domain *domain;
    struct link *next; /* of the same transport */
    uint64_t doorbell; /* capability slot; channels only */
    struct {
        uint32_t peer;  /* the peer's life that we know of, 0: it has none yet */
        bool announced; /* the peer can see ours */
        bool waiting;   /* ours isn't the first, and the peer hasn't accepted it */
        bool resume;    /* RESTARTED_RESUME is due */
    } life;             /* libos/restart.c */
    union {
        struct channel channel; /* START_CHANNEL */
        struct queue queue;     /* START_DIRECT: what came for this end */
    };
};

/* The libOS's own counters, in front of those of the servers. */
enum libos_counter {
    COUNT_BROKEN_CHANNELS, /* channels given up because the peer's indices made no sense */
    COUNT_STALLS,          /* rounds that left a message, or a peer's new life, for the next */
    COUNT_PORT_MESSAGES,   /* messages to the domain's port that no server of it wants */
    COUNT_LIBOS
};

struct libos {
    const struct start_page *start;
    const struct kernel_info *info;
    struct log_page *log;
    uint64_t *counters;   /* enum libos_counter */
    uint64_t clock_scale; /* see clock.h */
    uint64_t random[2];
    uint64_t deadline;                                   /* the earliest of the servers' */
    uint32_t rounds;                                     /* rounds since the last kernel_wait */
    struct link *links_end;                              /* behind the last in use */
    struct link *links_by[START_TRANSPORTS];             /* the first of each transport's */
    const struct transport *transport[START_TRANSPORTS]; /* NULL: no connection of that kind */
    struct domain *domains_end;                          /* likewise */
    const struct restarts *restarts;                     /* NULL: nobody is restarted */
    const struct swaps *swaps;                           /* NULL: this domain isn't swapped */
    const struct swaps *resting;                         /* the same while rest is asked for */
    struct msg message;        /* came to the domain's port with the last wait; op 0: none */
    uint64_t owed;             /* a doorbell to ring before the next round, 0: none */
    bool log_new;              /* lines that the supervisor wasn't told of */
    bool stalled;              /* a message was refused in the last round, or a peer's new life */
    bool queued;               /* a message inside the domain waits for the next round */
    bool happened;             /* something happened since the last batch_end */
    bool takes_over;           /* from another body: its state isn't loaded yet */
    const struct domain *turn; /* in the round of batch_ends: those before it had theirs */
    struct domain domain[DOMAIN_SERVERS_MAX];
    struct link link[START_CONNS_MAX];
    struct pool pool[START_POOLS_MAX];
    uint8_t pool_index[256]; /* by image-wide number: 1 + index into pool, 0: no right on it */
};
_Static_assert(sizeof(struct libos) <= LIBOS_PRIVATE_BYTES, "what compose allots");

/* What a domain has linked. */
struct linked {
    const struct server *const *servers;
    uint64_t count;
    const struct transport *transport[START_TRANSPORTS]; /* NULL: not linked */
    const struct restarts *restarts;                     /* likewise */
    const struct swaps *swaps;                           /* likewise */
};

/* Sets up `libos` (zeroed) and the states of the servers from the start page. ERROR_LIMIT: more
 * servers or counters than there is room for; ERROR_NO_MEMORY: too little private memory;
 * ERROR_NOT_FOUND: a transport isn't linked that a connection needs. */
enum error domain_init(struct libos *libos, const struct start_page *start,
                       const struct kernel_info *info, const struct linked *linked);

/* Runs the domain whose start page this is, for good. */
_Noreturn void domain_run(const struct start_page *start, const struct linked *linked);

/* Calls start of each server. Not OK: *failed is the server that it came from. */
enum error loop_start(struct libos *libos, uint32_t *failed);

/* One round: what is pending, deadlines that have passed, a batch of each connection; then waits if
 * nothing is left to do. Takes the pending bits from the last wait, returns those for the next. */
uint64_t loop_round(struct libos *libos, uint64_t pending);

/* Takes at most LOOP_BATCH of `arrived` entries (1 or more), and calls the server for each. */
void channel_drain(struct libos *libos, struct link *link, uint32_t arrived);

/* The last doorbell of a round is held back: if the domain sleeps now, it is rung by the same
 * kernel entry that waits. */
void ring_later(struct libos *libos, uint64_t slot);

#endif
