/* SPDX-License-Identifier: ISC
 *
 * A hostile peer: what rogue_client, rogue_driver and rogue_stack have in common. Each plays one
 * role of a protocol (struct role makes messages that nearly make sense) and writes whatever it can
 * reach: entries, also those that the peer may be reading; the header of its ring; the pools that
 * it may write; and it rings doorbells. All of that the hardware lets it: it must do harm to nobody
 * but itself. docs/ipc.md, Hostile peers.
 *
 * It attacks in bursts, one per deadline, so that the others get the processor. Everything is drawn
 * from domain_random. Settings: rogue.chaos (one in so many actions spoils a ring's header, after
 * which the peer gives the channel up; 0: never; otherwise drawn), rogue.burst (actions at a time
 * at most).
 */
#ifndef ROGUE_H
#define ROGUE_H

#include <string.h>

#include "libos/domain.h"
#include "libos/kernel.h"
#include "libos/server.h"
#include "libos/state.h"

enum {
    ROGUE_PAUSE_NS = 1000000, /* at most, between two bursts */
    ROGUE_SEEN = 16,          /* messages of the peer remembered, to answer and to repeat */
    ROGUE_BURST = 32,
};

struct rogue;

struct role {
    /* A message that the peer might take for a good one. */
    void (*make)(struct rogue *rogue, struct msg *m);
};

#define ROGUE_COUNTERS(X) X(sent) X(full) X(received) X(refused) X(scribbled) X(spoiled) X(rung)

enum rogue_counter {
#define COUNTER(name) ROGUE_##name,
    ROGUE_COUNTERS(COUNTER)
#undef COUNTER
        ROGUE_COUNTER_COUNT
};

struct rogue {
    struct domain *domain;
    const struct role *role;
    uint64_t *counters;
    uint64_t random;
    uint32_t chaos, burst;
    uint32_t seen_count;
    struct msg seen[ROGUE_SEEN];
};

static inline uint64_t rogue_random(struct rogue *rogue)
{
    rogue->random ^= rogue->random << 13;
    rogue->random ^= rogue->random >> 7;
    rogue->random ^= rogue->random << 17;
    return rogue->random >> 8;
}

static inline uint32_t rogue_below(struct rogue *rogue, uint32_t bound)
{
    return (uint32_t)(rogue_random(rogue) % bound);
}

/* Mostly a number below `sensible`, now and then any. */
static inline uint32_t rogue_wild(struct rogue *rogue, uint32_t sensible)
{
    return rogue_below(rogue, 16) ? rogue_below(rogue, sensible) : (uint32_t)rogue_random(rogue);
}

/* Numbers at the edges of ranges. */
static inline uint32_t rogue_edge(struct rogue *rogue, uint32_t near)
{
    static const uint32_t values[] = {0,      1,          0x7fff,     0x8000,
                                      0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    uint32_t n = rogue_below(rogue, 12);
    return n < 8 ? values[n] : near + rogue_below(rogue, 5) - 2;
}

/* A message of the peer, if there was one. */
static inline bool rogue_seen(struct rogue *rogue, uint16_t op, struct msg *m)
{
    uint32_t have = rogue->seen_count < ROGUE_SEEN ? rogue->seen_count : ROGUE_SEEN;
    for (uint32_t tries = 0; have && tries < 8; tries++) {
        *m = rogue->seen[rogue_below(rogue, have)];
        if (m->op == op)
            return true;
    }
    return false;
}

static inline void rogue_spoil_message(struct rogue *rogue, struct msg *m)
{
    uint8_t *bytes = (uint8_t *)m;
    for (uint32_t n = 1 + rogue_below(rogue, 3); n; n--) {
        uint32_t at = rogue_below(rogue, sizeof(*m) - 3);
        uint32_t value = rogue_edge(rogue, 0);
        if (rogue_below(rogue, 2))
            bytes[at] = (uint8_t)rogue_random(rogue);
        else
            memcpy(bytes + at, &value, sizeof(value));
    }
}

static inline void rogue_make(struct rogue *rogue, struct msg *m)
{
    uint32_t kind = rogue_below(rogue, 16);
    rogue->role->make(rogue, m);
    if (kind < 4) {
        rogue_spoil_message(rogue, m);
    } else if (kind == 4 && rogue->seen_count) {
        *m = rogue->seen[rogue_below(rogue, rogue->seen_count < ROGUE_SEEN ? rogue->seen_count
                                                                           : ROGUE_SEEN)];
    } else if (kind == 5) {
        for (uint32_t i = 0; i < MSG_WORDS; i++)
            m->w[i] = rogue_random(rogue) << 8 ^ rogue_random(rogue);
        m->op = (uint16_t)rogue_wild(rogue, 9);
    }
}

/* Any of the server's connections to another domain. */
static inline struct link *rogue_link(struct rogue *rogue)
{
    struct libos *libos = rogue->domain->libos;
    uint32_t count = (uint32_t)(libos->links_end - libos->link);
    return count ? &libos->link[rogue_below(rogue, count)] : NULL;
}

static inline void rogue_send(struct rogue *rogue, struct link *link)
{
    struct msg m;
    rogue_make(rogue, &m);
    rogue->counters[conn_send(&link->conn, &m) == OK ? ROGUE_sent : ROGUE_full]++;
}

/* An entry that may be published, or being read. */
static inline void rogue_rewrite(struct rogue *rogue, struct link *link)
{
    struct channel *channel = &link->channel;
    struct msg *entry = &channel->mine->entry[rogue_random(rogue) & channel->mask];
    struct msg m;
    rogue_make(rogue, &m);
    if (rogue_below(rogue, 2))
        ring_entry_write(entry, &m);
    else
        rogue_spoil_message(rogue, entry);
    rogue->counters[ROGUE_scribbled]++;
}

static inline void rogue_scribble(struct rogue *rogue)
{
    struct libos *libos = rogue->domain->libos;
    const struct pool *pool = &libos->pool[rogue_below(rogue, START_POOLS_MAX)];
    if (!(pool->rights & POOL_WRITE) || !pool->base)
        return;
    uint64_t bytes = (uint64_t)pool->buffers * pool->buffer_size;
    uint64_t at = rogue_random(rogue) % pool->buffers * pool->buffer_size;
    at += rogue_below(rogue, 4) ? rogue_below(rogue, 64) : rogue_below(rogue, pool->buffer_size);
    for (uint32_t n = 1 + rogue_below(rogue, 8); n && at < bytes; n--, at++)
        pool->base[at] = (uint8_t)rogue_random(rogue);
    rogue->counters[ROGUE_scribbled]++;
}

static inline void rogue_wish(struct rogue *rogue, struct link *link)
{
    struct ring *ring = link->channel.mine;
    uint64_t *wish = rogue_below(rogue, 2) ? &ring->sleeping : &ring->want_room;
    ring_wish_set(wish, rogue_below(rogue, 2) ? *wish + 1 : rogue_random(rogue));
}

/* What the peer doesn't forgive. The own libOS is to believe in it: else it would put it right at
 * the end of the round, or stop over it in a debug build. */
static inline void rogue_spoil_header(struct rogue *rogue, struct link *link)
{
    struct channel *channel = &link->channel;
    struct ring *ring = channel->mine;
    uint32_t *index = rogue_below(rogue, 2) ? &ring->produced : &ring->done;
    if (!rogue_below(rogue, 4))
        index = rogue_below(rogue, 2) ? &ring->current : &ring->generation;
    ring_publish(index, rogue_edge(rogue, *index));
    channel->produced = channel->put_end = ring->produced;
    channel->taken = ring->done;
    channel->broken = false;
    rogue->counters[ROGUE_spoiled]++;
}

static inline void rogue_ring(struct rogue *rogue, struct link *link)
{
    for (uint32_t n = 1 + rogue_below(rogue, 4); n; n--)
        kernel_signal(link->doorbell);
    rogue->counters[ROGUE_rung]++;
}

static inline void rogue_act(struct rogue *rogue)
{
    struct link *link = rogue_link(rogue);
    uint32_t action = rogue_below(rogue, 16);
    if (!link)
        return;
    if (rogue->chaos && !rogue_below(rogue, rogue->chaos))
        rogue_spoil_header(rogue, link);
    else if (action < 9)
        rogue_send(rogue, link);
    else if (action < 11)
        rogue_rewrite(rogue, link);
    else if (action < 14)
        rogue_scribble(rogue);
    else if (action < 15)
        rogue_wish(rogue, link);
    else
        rogue_ring(rogue, link);
}

static inline void rogue_deadline(void *state)
{
    struct rogue *rogue = state;
    for (uint32_t n = 1 + rogue_below(rogue, rogue->burst); n; n--)
        rogue_act(rogue);
    domain_set_deadline(rogue->domain,
                        domain_time(rogue->domain) + 1 + rogue_below(rogue, ROGUE_PAUSE_NS));
}

/* Takes most messages, and remembers some. */
static inline bool rogue_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct rogue *rogue = state;
    (void)conn;
    if (!rogue_below(rogue, 8)) {
        rogue->counters[ROGUE_refused]++;
        return false;
    }
    uint32_t place = rogue->seen_count++;
    rogue->seen[place < ROGUE_SEEN ? place : rogue_below(rogue, ROGUE_SEEN)] = *m;
    rogue->counters[ROGUE_received]++;
    return true;
}

static inline uint32_t rogue_setting(const struct rogue *rogue, const char *key, uint32_t otherwise)
{
    const char *text = domain_setting(rogue->domain, key);
    uint32_t value = 0;
    for (; text && *text; text++)
        value = value * 10 + (uint32_t)(*text - '0');
    return domain_setting(rogue->domain, key) ? value : otherwise;
}

static inline enum error rogue_begin(struct rogue *rogue, struct domain *domain,
                                     const struct role *role)
{
    rogue->domain = domain;
    rogue->role = role;
    rogue->counters = domain_counters(domain);
    rogue->random = domain_random(domain) | 1;
    static const uint32_t chaos[] = {0, 5000, 200};
    rogue->chaos = rogue_setting(rogue, "rogue.chaos", chaos[rogue_below(rogue, 3)]);
    rogue->burst = rogue_setting(rogue, "rogue.burst", ROGUE_BURST);
    domain_set_deadline(domain, domain_time(domain) + ROGUE_PAUSE_NS);
    return OK;
}

static const char *const rogue_settings[] = {"rogue.chaos", "rogue.burst"};
static const char *const rogue_counters[] = {
#define COUNTER(name) #name,
    ROGUE_COUNTERS(COUNTER)
#undef COUNTER
};

#define ROGUE_SERVER(server_name, first, server_ports, count)                                      \
    const struct server motet_server_##server_name;                                                \
    const struct server motet_server_##server_name = {                                             \
        .magic = SERVER_MAGIC,                                                                     \
        .abi = SERVER_ABI,                                                                         \
        .name = #server_name,                                                                      \
        .state_size = sizeof(struct rogue),                                                        \
        .stack_bytes = 4096,                                                                       \
        .ports = server_ports,                                                                     \
        .port_count = count,                                                                       \
        .settings = rogue_settings,                                                                \
        .setting_count = 2,                                                                        \
        .counters = rogue_counters,                                                                \
        .counter_count = ROGUE_COUNTER_COUNT,                                                      \
        .start = first,                                                                            \
        .receive = rogue_receive,                                                                  \
        .deadline = rogue_deadline,                                                                \
    };                                                                                             \
    SERVER_EXPORT(motet_server_##server_name)

#endif
