/* SPDX-License-Identifier: ISC
 *
 * A hostile client of a network stack: see rogue.h.
 */
#include "ipc/proto/sock.h"
#include "tests/servers/rogue_client/rogue.h"

enum { FIRST_PORT = 5300, PORTS = 12 }; /* not dnsd's, but a wild one may be */

static void make_bind(struct rogue *rogue, struct msg *m)
{
    const struct pool *receive = domain_pool_named(rogue->domain, "recv");
    struct sock_bind bind = {
        .socket = (uint16_t)rogue_wild(rogue, SOCK_PER_CLIENT),
        .protocol = (uint16_t)(rogue_below(rogue, 8) ? 17 : rogue_random(rogue)),
        .port = (uint16_t)(FIRST_PORT + rogue_wild(rogue, PORTS)),
        .recv_pool = receive ? receive->number : 0,
    };
    msg_set(m, SOCK_BIND, &bind, sizeof(bind));
}

static void make_send(struct rogue *rogue, struct msg *m)
{
    const struct pool *pool = domain_pool_named(rogue->domain, "send");
    struct sock_datagram datagram = {
        .socket = (uint16_t)rogue_wild(rogue, SOCK_PER_CLIENT),
        .interface = (uint16_t)rogue_wild(rogue, 2),
        .local_port = (uint16_t)(FIRST_PORT + rogue_wild(rogue, PORTS)),
        .peer_port = (uint16_t)rogue_wild(rogue, 100),
        .data = {.pool = pool ? pool->number : 0,
                 .index = (uint16_t)rogue_wild(rogue, pool ? pool->buffers : 1),
                 .offset = (uint16_t)(rogue_below(rogue, 4) ? 0 : rogue_wild(rogue, 3000)),
                 .length = (uint16_t)rogue_wild(rogue, 1600)},
    };
    /* 10.0.2.x */
    const uint8_t peer[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 2, (uint8_t)rogue_random(rogue)};
    memcpy(datagram.peer, peer, sizeof(peer));
    if (rogue_below(rogue, 2))
        memcpy(datagram.local, peer, sizeof(peer));
    if (!rogue_below(rogue, 4))
        datagram.peer[rogue_below(rogue, 16)] = (uint8_t)rogue_random(rogue);
    msg_set(m, SOCK_SEND, &datagram, sizeof(datagram));
}

static void make_done(struct rogue *rogue, struct msg *m)
{
    const struct pool *pool = domain_pool_named(rogue->domain, "recv");
    struct sock_done done = {
        .pool = (uint16_t)(rogue_below(rogue, 8) && pool ? pool->number : rogue_random(rogue)),
        .count = (uint16_t)rogue_wild(rogue, SOCK_DONE_MAX + 2),
    };
    for (uint32_t i = 0; i < SOCK_DONE_MAX; i++)
        done.index[i] = (uint16_t)rogue_wild(rogue, pool ? pool->buffers : 1);
    msg_set(m, SOCK_RECV_DONE, &done, sizeof(done));
}

static void make(struct rogue *rogue, struct msg *m)
{
    uint32_t kind = rogue_below(rogue, 16);
    if (kind < 3)
        make_bind(rogue, m);
    else if (kind < 4)
        msg_set(m, SOCK_CLOSE, &kind, sizeof(uint16_t));
    else if (kind < 12)
        make_send(rogue, m);
    else
        make_done(rogue, m);
}

static enum error start(void *state, struct domain *domain)
{
    static const struct role role = {make};
    return rogue_begin(state, domain, &role);
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = SOCK_PROTOCOL, .version = SOCK_VERSION, .role = CONN_CLIENT},
};
ROGUE_SERVER(rogue_client, start, ports, 1);
