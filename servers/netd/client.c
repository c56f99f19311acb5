/* SPDX-License-Identifier: ISC
 *
 * The connections to the clients. Client n has two pools of its own, which the manifest names
 * "recvN" and "sendN"; it can neither have datagrams written elsewhere nor send from elsewhere. A
 * hostile client can lose its own datagrams and wait on its own channel: no more.
 */
#include "servers/netd/netd.h"

/* ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */
static void address_write(uint8_t *to, uint32_t address)
{
    store_be32(to, 0);
    store_be32(to + 4, 0);
    store_be32(to + 8, 0xffff);
    store_be32(to + 12, address);
}

/* 0 for what isn't an IPv4 address. */
static uint32_t address_read(const uint8_t *from)
{
    uint64_t high;
    __builtin_memcpy(&high, from, sizeof(high));
    return !high && load_be32(from + 8) == 0xffff ? load_be32(from + 12) : 0;
}

static uint32_t client_number(const struct netd *netd, const struct client *client)
{
    return (uint32_t)(client - netd->client);
}

COLD enum error client_start(struct netd *netd, uint32_t number)
{
    struct client *client = &netd->client[number];
    char receive_name[] = "recv0", send_name[] = "send0";
    receive_name[4] = send_name[4] = (char)('0' + number);
    client->receive_pool = domain_pool_named(netd->domain, receive_name);
    client->send_pool = domain_pool_named(netd->domain, send_name);
    if (!client->receive_pool || !client->send_pool) {
        domain_log(netd->domain, "netd: client %u needs the pools %s and %s", number, receive_name,
                   send_name);
        return ERROR_NOT_FOUND;
    }
    if (!(client->receive_pool->rights & POOL_WRITE)) {
        domain_log(netd->domain, "netd: pool %s needs the right to write", receive_name);
        return ERROR_NO_RIGHT;
    }
    pool_owner_init(&client->receive, client->receive_pool);
    /* Until then the client has at least three quarters of its buffers. */
    client->done_batch = SOCK_DONE_MAX;
    if (client->send_pool->buffers / 4 < SOCK_DONE_MAX)
        client->done_batch = (uint16_t)(1 + client->send_pool->buffers / 4);
    return OK;
}

static enum error client_bind(struct netd *netd, const struct client *client, const struct msg *m)
{
    struct sock_bind bind;
    msg_get(m, &bind, sizeof(bind));
    if (bind.socket >= SOCK_PER_CLIENT || bind.protocol != IP_UDP ||
        bind.recv_pool != client->receive_pool->number)
        return ERROR_BAD_ARGUMENT;
    return sockets_bind(&netd->sockets, client_number(netd, client) * SOCK_PER_CLIENT + bind.socket,
                        bind.port);
}

static enum error client_close(struct netd *netd, const struct client *client, const struct msg *m)
{
    struct sock_close close;
    msg_get(m, &close, sizeof(close));
    if (close.socket >= SOCK_PER_CLIENT)
        return ERROR_BAD_ARGUMENT;
    sockets_close(&netd->sockets, client_number(netd, client) * SOCK_PER_CLIENT + close.socket);
    return OK;
}

/* Does a request and replies, or neither. */
COLD static bool client_request(struct netd *netd, struct client *client, const struct msg *m)
{
    struct msg reply = *m;
    if (!conn_room(client->conn))
        return false;
    reply.flags = MSG_REPLY;
    reply.status =
        m->op == SOCK_BIND ? client_bind(netd, client, m) : client_close(netd, client, m);
    conn_send(client->conn, &reply);
    return true;
}

static void client_recv_done(struct netd *netd, struct client *client, const struct msg *m)
{
    struct sock_done done;
    msg_get(m, &done, sizeof(done));
    if (done.count > SOCK_DONE_MAX || done.pool != client->receive_pool->number) {
        netd_count(netd, COUNTER_SOCK_BAD_MESSAGE);
        return;
    }
    for (uint32_t i = 0; i < done.count; i++)
        if (!pool_take_back(&client->receive, done.index[i], CLIENT_HOLDER))
            netd_count(netd, COUNTER_RECV_DONE_BAD);
}

/* The interface for a datagram that may leave by any: one that the peer is a neighbour of, or else
 * one with a gateway. NETDEV_INTERFACES_MAX: there is none. */
COLD static uint32_t route(const struct netd *netd, uint32_t peer)
{
    uint32_t found = NETDEV_INTERFACES_MAX;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        const struct interface *interface = &netd->interface[i];
        if (interface->up && interface_on_link(interface, peer))
            return i;
        if (interface->up && interface->gateway && found == NETDEV_INTERFACES_MAX)
            found = i;
    }
    return found;
}

static bool all_zero(const uint8_t *address)
{
    uint64_t half[2];
    __builtin_memcpy(half, address, sizeof(half));
    return !(half[0] | half[1]);
}

/* Says from where to where a datagram goes; or the counter of why it doesn't. */
static enum counter send_route(const struct netd *netd, const struct sock_datagram *datagram,
                               struct udp_send *send)
{
    uint32_t number = datagram->interface;
    send->destination = address_read(datagram->peer);
    if (all_zero(datagram->local))
        number = route(netd, send->destination);
    else if (number >= NETDEV_INTERFACES_MAX ||
             address_read(datagram->local) != netd->interface[number].address)
        return COUNTER_SEND_REFUSED;
    if (number >= NETDEV_INTERFACES_MAX)
        return COUNTER_SEND_UNROUTABLE;
    const struct interface *interface = &netd->interface[number];
    send->interface = (uint8_t)number;
    send->source = interface->address;
    send->next_hop = interface_next_hop(interface, send->destination);
    if (!interface->up || !send->next_hop || !interface_is_peer(interface, send->destination))
        return COUNTER_SEND_UNROUTABLE;
    return NO_DROP;
}

static enum counter send_check(const struct netd *netd, const struct client *client,
                               const struct sock_datagram *datagram, struct udp_send *send)
{
    uint32_t number = client_number(netd, client);
    if (pool_ref_check(client->send_pool, datagram->data) != OK)
        return COUNTER_SEND_BAD_BUFFER;
    if (datagram->socket >= SOCK_PER_CLIENT || !datagram->local_port || !datagram->peer_port ||
        datagram->local_port != netd->sockets.port[number * SOCK_PER_CLIENT + datagram->socket])
        return COUNTER_SEND_REFUSED;
    send->pool = client->send_pool;
    send->data = datagram->data;
    send->header.source = datagram->local_port;
    send->header.destination = datagram->peer_port;
    send->header.length = datagram->data.length;
    send->client = (uint8_t)number;
    return send_route(netd, datagram, send);
}

static bool client_send(struct netd *netd, struct client *client, const struct msg *m)
{
    struct sock_datagram datagram;
    struct udp_send send;
    if (client->sending + client->done_count >= CLIENT_SENDS_MAX)
        return false; /* room to report it done comes first */
    msg_get(m, &datagram, sizeof(datagram));
    enum counter drop = send_check(netd, client, &datagram, &send);
    if (drop == NO_DROP)
        return output_udp(netd, &send);
    netd_count(netd, drop);
    if (datagram.data.pool == client->send_pool->number &&
        datagram.data.index < client->send_pool->buffers)
        client_done(netd, client_number(netd, client), datagram.data.index);
    return true;
}

bool client_receive(struct netd *netd, struct conn *conn, const struct msg *m)
{
    struct client *client = &netd->client[conn->instance];
    switch (m->op) {
    case SOCK_SEND:
        return client_send(netd, client, m);
    case SOCK_RECV_DONE:
        client_recv_done(netd, client, m);
        return true;
    case SOCK_BIND:
    case SOCK_CLOSE:
        return client_request(netd, client, m);
    default:
        netd_count(netd, COUNTER_SOCK_BAD_MESSAGE);
        return true;
    }
}

void client_deliver(struct netd *netd, uint32_t socket, const struct datagram *datagram,
                    const struct udp_header *header)
{
    struct client *client = &netd->client[socket / SOCK_PER_CLIENT];
    if (header->length > client->receive_pool->buffer_size) {
        netd_count(netd, COUNTER_UDP_TOO_LONG);
        return;
    }
    int index = pool_lend(&client->receive, CLIENT_HOLDER);
    if (index < 0) {
        netd_count(netd, COUNTER_UDP_NO_BUFFER);
        return;
    }
    struct sock_datagram to = {
        .socket = (uint16_t)(socket % SOCK_PER_CLIENT),
        .interface = datagram->interface,
        .local_port = header->destination,
        .peer_port = header->source,
        .data = {.pool = client->receive_pool->number,
                 .index = (uint16_t)index,
                 .length = header->length},
    };
    /* Never the broadcast address: the answer couldn't leave from there. */
    address_write(to.local, netd->interface[datagram->interface].address);
    address_write(to.peer, datagram->source);
    datagram_copy(datagram, netd->receive_pool, pool_data(client->receive_pool, to.data),
                  header->length);
    struct msg m;
    msg_set(&m, SOCK_RECV, &to, sizeof(to));
    if (conn_send(client->conn, &m) == OK) {
        netd_count(netd, COUNTER_UDP_RECEIVED);
        return;
    }
    pool_take_back(&client->receive, (uint32_t)index, CLIENT_HOLDER);
    netd_count(netd, COUNTER_UDP_CLIENT_FULL);
}

void client_done(struct netd *netd, uint32_t number, uint32_t index)
{
    struct client *client = &netd->client[number];
    client->done[client->done_count++] = (uint16_t)index;
}

COLD void client_flush(struct client *client)
{
    while (client->done_count) {
        struct sock_done done = {.pool = client->send_pool->number};
        struct msg m;
        while (done.count < SOCK_DONE_MAX && done.count < client->done_count) {
            done.index[done.count] = client->done[client->done_count - done.count - 1u];
            done.count++;
        }
        msg_set(&m, SOCK_SEND_DONE, &done, sizeof(done));
        if (conn_send(client->conn, &m) != OK)
            return; /* the next batch's end tries again */
        client->done_count -= done.count;
    }
}
