/* SPDX-License-Identifier: ISC
 *
 * A hostile network stack between a driver and a service: see tests/servers/rogue_client/rogue.h.
 */
#include "ipc/proto/netdev.h"
#include "ipc/proto/sock.h"
#include "tests/servers/rogue_client/rogue.h"

static const struct pool *pool_named(struct rogue *rogue, const char *name)
{
    static const struct pool none = {.buffers = 1, .buffer_size = 64};
    const struct pool *pool = domain_pool_named(rogue->domain, name);
    return pool ? pool : &none;
}

/* Towards the driver. */

static void make_provide(struct rogue *rogue, struct msg *m)
{
    const struct pool *pool = pool_named(rogue, rogue_below(rogue, 8) ? "rx" : "headers");
    struct netdev_rx_provide give = {
        .interface = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 4)),
        .pool = pool->number,
        .count = (uint16_t)rogue_wild(rogue, NETDEV_PROVIDE_MAX + 2),
    };
    for (uint32_t i = 0; i < NETDEV_PROVIDE_MAX; i++)
        give.index[i] = (uint16_t)rogue_wild(rogue, pool->buffers);
    msg_set(m, NETDEV_RX_PROVIDE, &give, sizeof(give));
}

static void make_transmit(struct rogue *rogue, struct msg *m)
{
    struct netdev_tx tx = {
        .interface = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 4)),
        .flags = (uint16_t)rogue_wild(rogue, 2),
        .csum_start = (uint16_t)rogue_wild(rogue, 64),
        .csum_offset = (uint16_t)rogue_wild(rogue, 32),
        .cookie = rogue_wild(rogue, 256),
        .segments = rogue_wild(rogue, NETDEV_TX_SEGMENTS + 2),
    };
    for (uint32_t i = 0; i < NETDEV_TX_SEGMENTS; i++) {
        const struct pool *pool = pool_named(rogue, rogue_below(rogue, 8) ? "headers" : "rx");
        tx.segment[i] = (struct buffer_ref){.pool = pool->number,
                                            .index = (uint16_t)rogue_wild(rogue, pool->buffers),
                                            .offset = (uint16_t)rogue_wild(rogue, 20),
                                            .length = (uint16_t)rogue_wild(rogue, 130)};
    }
    msg_set(m, NETDEV_TX, &tx, sizeof(tx));
}

/* Towards the service. */

static void make_receive(struct rogue *rogue, struct msg *m)
{
    static const uint8_t query[] = {0,   1,   0,   0,   0,   1,   0,   0,   0,   0,   0,
                                    0,   3,   'w', 'w', 'w', 7,   'e', 'x', 'a', 'm', 'p',
                                    'l', 'e', 3,   'o', 'r', 'g', 0,   0,   1,   0,   1};
    const struct pool *pool = pool_named(rogue, "recv0");
    struct sock_datagram datagram = {
        .socket = (uint16_t)rogue_wild(rogue, SOCK_PER_CLIENT),
        .local_port = 53,
        .peer_port = (uint16_t)rogue_wild(rogue, 65536),
        .data = {.pool = pool->number,
                 .index = (uint16_t)rogue_wild(rogue, pool->buffers),
                 .offset = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 3000)),
                 .length =
                     (uint16_t)(rogue_below(rogue, 2) ? sizeof(query)
                                                      : rogue_wild(rogue, pool->buffer_size))},
        .peer = {[10] = 0xff, [11] = 0xff, 10, 0, 2, 77},
    };
    if (pool->base && datagram.data.index < pool->buffers && !datagram.data.offset)
        memcpy(pool_data(pool, datagram.data), query, sizeof(query));
    msg_set(m, SOCK_RECV, &datagram, sizeof(datagram));
}

static void make_done(struct rogue *rogue, struct msg *m)
{
    const struct pool *pool = pool_named(rogue, "send0");
    struct sock_done done = {.pool = pool->number,
                             .count = (uint16_t)rogue_wild(rogue, SOCK_DONE_MAX + 2)};
    for (uint32_t i = 0; i < SOCK_DONE_MAX; i++)
        done.index[i] = (uint16_t)rogue_wild(rogue, pool->buffers);
    msg_set(m, SOCK_SEND_DONE, &done, sizeof(done));
}

static void make(struct rogue *rogue, struct msg *m)
{
    uint32_t kind = rogue_below(rogue, 16);
    uint16_t nothing = 0;
    if (kind < 1)
        msg_set(m, NETDEV_OPEN, &nothing, sizeof(nothing)); /* SOCK_BIND to the service */
    else if (kind < 4)
        make_provide(rogue, m);
    else if (kind < 8)
        make_transmit(rogue, m);
    else if (kind < 13)
        make_receive(rogue, m);
    else
        make_done(rogue, m);
    m->status = rogue_below(rogue, 4) ? OK : (int32_t)rogue_edge(rogue, 0);
}

static enum error start(void *state, struct domain *domain)
{
    static const struct role role = {make};
    return rogue_begin(state, domain, &role);
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = NETDEV_PROTOCOL, .version = NETDEV_VERSION, .role = CONN_CLIENT},
    {.name = "sock", .protocol = SOCK_PROTOCOL, .version = SOCK_VERSION, .role = CONN_SERVER},
};
ROGUE_SERVER(rogue_stack, start, ports, 2);
