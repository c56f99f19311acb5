/* SPDX-License-Identifier: ISC
 *
 * A hostile driver of network cards, below a network stack: see tests/servers/rogue_client/rogue.h.
 * It may write the receive pool, as its device could.
 */
#include "ipc/proto/netdev.h"
#include "tests/servers/rogue_client/rogue.h"

static void store16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* A question for the name server, or a part of one. */
static uint32_t write_frame(struct rogue *rogue, uint8_t *frame)
{
    static const uint8_t query[] = {0,   1,   0,   0,   0,   1,   0,   0,   0,   0,   0,
                                    0,   3,   'w', 'w', 'w', 7,   'e', 'x', 'a', 'm', 'p',
                                    'l', 'e', 3,   'o', 'r', 'g', 0,   0,   1,   0,   1};
    enum { ETHERNET = 14, IP = 20, UDP = 8, LENGTH = ETHERNET + IP + UDP + sizeof(query) };
    uint32_t kind = rogue_below(rogue, 8), sum = 0;
    memset(frame, 0, LENGTH);
    if (kind == 0)
        memset(frame, 0xff, 6);
    else
        frame[0] = 2, frame[5] = (uint8_t)rogue_below(rogue, 2); /* as make_link says */
    frame[6] = 2;
    store16(frame + 12, kind == 0 ? 0x0806 : 0x0800);
    uint8_t *ip = frame + ETHERNET;
    ip[0] = 0x45;
    store16(ip + 2, LENGTH - ETHERNET);
    store16(ip + 4, rogue_below(rogue, 4));
    store16(ip + 6, kind == 1 ? 0x2000 : kind == 2 ? rogue_below(rogue, 0x2000) : 0);
    ip[8] = 64;
    ip[9] = kind == 3 ? 1 : 17;
    memcpy(ip + 12, (const uint8_t[]){10, 0, 2, 77, 10, 0, 2, 15}, 8);
    for (uint32_t i = 0; i < IP; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    store16(ip + 10, ~(sum + (sum >> 16)));
    store16(ip + IP, 1000 + rogue_below(rogue, 100));
    store16(ip + IP + 2, 53);
    store16(ip + IP + 4, UDP + sizeof(query));
    memcpy(ip + IP + UDP, query, sizeof(query));
    if (kind == 0) /* ARP: who has 10.0.2.15? */
        memcpy(ip, (const uint8_t[]){0,  1, 8, 0,  6, 4, 0, 1, 2, 0, 0,  0, 0, 0,
                                     10, 0, 2, 77, 0, 0, 0, 0, 0, 0, 10, 0, 2, 15},
               28);
    if (!rogue_below(rogue, 3))
        frame[rogue_below(rogue, LENGTH)] = (uint8_t)rogue_random(rogue);
    return LENGTH;
}

static void make_link(struct rogue *rogue, struct msg *m)
{
    struct netdev_link link = {
        .interface = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 5)),
        .interfaces = (uint16_t)(1 + rogue_wild(rogue, 4)),
        .mac = {2, 0, 0, 0, 0, (uint8_t)rogue_below(rogue, 2)},
        .mtu = (uint16_t)(rogue_below(rogue, 4) ? 1500 : rogue_edge(rogue, 68)),
        .up = (uint8_t)(rogue_below(rogue, 8) != 0),
        .tx_csum = (uint8_t)rogue_below(rogue, 2),
        .rx_headroom = (uint8_t)rogue_wild(rogue, 13),
    };
    msg_set(m, NETDEV_LINK, &link, sizeof(link));
}

/* A buffer that it was given, mostly. */
static void make_receive(struct rogue *rogue, struct msg *m)
{
    const struct pool *pool = domain_pool_named(rogue->domain, "rx");
    struct netdev_rx rx = {
        .interface = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 4)),
        .flags = (uint16_t)(rogue_below(rogue, 4) ? 1 : rogue_wild(rogue, 4)),
        .data = {.pool = pool ? pool->number : 0,
                 .index = (uint16_t)rogue_wild(rogue, pool ? pool->buffers : 1),
                 .offset = (uint16_t)(rogue_below(rogue, 4) ? 12 : rogue_wild(rogue, 2048)),
                 .length = (uint16_t)rogue_wild(rogue, 2048)},
    };
    struct netdev_rx_provide give;
    struct msg seen;
    if (rogue_below(rogue, 8) && rogue_seen(rogue, NETDEV_RX_PROVIDE, &seen)) {
        msg_get(&seen, &give, sizeof(give));
        rx.data.index = give.index[rogue_below(rogue, NETDEV_PROVIDE_MAX)];
    }
    if (rogue_below(rogue, 8) && pool && pool->base && pool->rights & POOL_WRITE &&
        rx.data.index < pool->buffers) {
        rx.data.offset = 12;
        rx.data.length = (uint16_t)write_frame(rogue, pool_data(pool, rx.data));
    }
    msg_set(m, NETDEV_RX, &rx, sizeof(rx));
}

static void make_done(struct rogue *rogue, struct msg *m)
{
    struct netdev_tx_done done = {.count = rogue_wild(rogue, NETDEV_TX_DONE_MAX + 2)};
    struct netdev_tx tx = {0};
    struct msg seen;
    for (uint32_t i = 0; i < NETDEV_TX_DONE_MAX; i++) {
        if (rogue_seen(rogue, NETDEV_TX, &seen))
            msg_get(&seen, &tx, sizeof(tx));
        done.cookie[i] = rogue_below(rogue, 4) ? tx.cookie : rogue_edge(rogue, tx.cookie);
    }
    msg_set(m, NETDEV_TX_DONE, &done, sizeof(done));
}

static void make(struct rogue *rogue, struct msg *m)
{
    uint32_t kind = rogue_below(rogue, 16);
    if (kind < 2)
        make_link(rogue, m);
    else if (kind < 10)
        make_receive(rogue, m);
    else
        make_done(rogue, m);
}

static enum error start(void *state, struct domain *domain)
{
    static const struct role role = {make};
    return rogue_begin(state, domain, &role);
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = NETDEV_PROTOCOL, .version = NETDEV_VERSION, .role = CONN_SERVER},
};
ROGUE_SERVER(rogue_driver, start, ports, 1);
