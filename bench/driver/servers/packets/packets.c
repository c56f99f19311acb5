/* SPDX-License-Identifier: ISC
 *
 * The client of two network drivers whose cards are on one wire: what it gives one of them to send,
 * the other one receives. Frames go in batches: the next one when the last has come as a whole.
 * bench/driver.py counts what the drivers execute meanwhile.
 */
#include <string.h>

#include "ipc/proto/netdev.h"
#include "libos/domain.h"
#include "libos/server.h"

enum {
    SIDES = 2,
    BUFFERS = 64,       /* of each receive pool */
    FRAMES = 128,       /* buffers to send from: as many as may be under way */
    HEADER = 42,        /* what netd puts before a datagram */
    PAYLOAD = 60,       /* a short answer of a name server */
    ETHERTYPE = 0x88b5, /* for experiments (IEEE 802, 9.2.4) */
    LATE_NS = 2000000000,
};

struct side {
    struct conn *conn;
    const struct pool *rx;
    struct netdev_link link;
    uint16_t empty[BUFFERS]; /* to give back */
    uint32_t empty_count;
};

struct packets {
    struct domain *domain;
    const struct pool *send;
    struct side side[SIDES];
    uint32_t from; /* which side sends */
    uint32_t batch, batches;
    uint32_t begun;            /* batches */
    uint32_t sent, done, came; /* frames */
};

static uint32_t number(const struct packets *own, const char *key, uint32_t otherwise)
{
    const char *text = domain_setting(own->domain, key);
    uint32_t value = 0;
    for (; text && *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint32_t)(*text - '0');
    return value ? value : otherwise;
}

static void give_back(struct side *side)
{
    while (side->empty_count) {
        struct netdev_rx_provide provide = {.pool = side->rx->number};
        struct msg m;
        while (side->empty_count && provide.count < NETDEV_PROVIDE_MAX)
            provide.index[provide.count++] = side->empty[--side->empty_count];
        msg_set(&m, NETDEV_RX_PROVIDE, &provide, sizeof(provide));
        conn_send(side->conn, &m);
    }
}

/* Two pieces, as a datagram has. */
static void frame_send(struct packets *own)
{
    const uint32_t index = own->sent++ % FRAMES;
    const struct side *to = &own->side[!own->from], *by = &own->side[own->from];
    struct netdev_tx tx = {.cookie = index, .segments = 2};
    struct msg m;
    tx.segment[0] =
        (struct buffer_ref){.pool = own->send->number, .index = (uint16_t)index, .length = HEADER};
    tx.segment[1] = (struct buffer_ref){
        .pool = own->send->number, .index = (uint16_t)index, .offset = HEADER, .length = PAYLOAD};
    uint8_t *frame = pool_data(own->send, tx.segment[0]);
    memcpy(frame, to->link.mac, 6);
    memcpy(frame + 6, by->link.mac, 6);
    frame[12] = ETHERTYPE >> 8;
    frame[13] = ETHERTYPE & 0xff;
    msg_set(&m, NETDEV_TX, &tx, sizeof(tx));
    conn_send(by->conn, &m);
}

static void batch_next(struct packets *own)
{
    if (!own->side[0].link.up || !own->side[1].link.up || own->came < own->sent ||
        own->sent - own->done > FRAMES - own->batch)
        return;
    if (own->begun == own->batches) {
        domain_set_deadline(own->domain, 0);
        domain_log(own->domain, "done: %u batches of %u frames", own->batches, own->batch);
        own->begun++;
    } else if (own->begun < own->batches) {
        own->begun++;
        for (uint32_t i = 0; i < own->batch; i++)
            frame_send(own);
        domain_set_deadline(own->domain, domain_time(own->domain) + LATE_NS);
    }
}

static void rx_received(struct packets *own, struct side *side, const struct msg *m)
{
    struct netdev_rx rx;
    msg_get(m, &rx, sizeof(rx));
    own->came += rx.data.length == HEADER + PAYLOAD && side == &own->side[!own->from];
    if (side->empty_count < BUFFERS)
        side->empty[side->empty_count++] = rx.data.index;
}

static bool packets_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct packets *own = state;
    struct side *side = &own->side[conn == own->side[1].conn];
    struct netdev_tx_done done;
    msg_get(m, &done, sizeof(done));
    if (m->op == NETDEV_LINK)
        msg_get(m, &side->link, sizeof(side->link));
    else if (m->op == NETDEV_RX)
        rx_received(own, side, m);
    else if (m->op == NETDEV_TX_DONE)
        own->done += done.count;
    return true;
}

static void packets_batch_end(void *state)
{
    struct packets *own = state;
    for (uint32_t i = 0; i < SIDES; i++)
        if (own->came == own->sent) /* a batch's buffers together */
            give_back(&own->side[i]);
    batch_next(own);
}

static void packets_late(void *state)
{
    struct packets *own = state;
    domain_log(own->domain, "error: of %u frames %u came, %u were sent", own->sent, own->came,
               own->done);
}

static enum error packets_start(void *state, struct domain *domain)
{
    static const char *const ports[SIDES] = {"virtio", "e1000"}, *const pools[] = {"rx0", "rx1"};
    static const struct msg open = {.op = NETDEV_OPEN};
    struct packets *own = state;
    own->domain = domain;
    own->send = domain_pool_named(domain, "send");
    own->from = number(own, "packets.from", 0);
    own->batch = number(own, "packets.batch", 32);
    own->batches = number(own, "packets.batches", 10);
    for (uint32_t i = 0; i < SIDES; i++) {
        struct side *side = &own->side[i];
        side->conn = domain_conn(domain, ports[i], 0);
        side->rx = domain_pool_named(domain, pools[i]);
        if (!side->conn || !side->rx || side->rx->buffers != BUFFERS || own->from >= SIDES ||
            own->batch > BUFFERS / 2)
            return ERROR_BAD_ARGUMENT;
        for (uint16_t n = 0; n < BUFFERS; n++)
            side->empty[side->empty_count++] = n;
        conn_send(side->conn, &open);
    }
    return OK;
}

static const struct server_port ports[] = {
    {.name = "virtio", .protocol = NETDEV_PROTOCOL, .version = NETDEV_VERSION, .role = CONN_CLIENT},
    {.name = "e1000", .protocol = NETDEV_PROTOCOL, .version = NETDEV_VERSION, .role = CONN_CLIENT},
};

static const char *const settings[] = {"packets.from", "packets.batch", "packets.batches"};

extern const struct server motet_server_packets;
const struct server motet_server_packets = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "packets",
    .state_size = sizeof(struct packets),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = SIDES,
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .start = packets_start,
    .receive = packets_receive,
    .deadline = packets_late,
    .batch_end = packets_batch_end,
};
SERVER_EXPORT(motet_server_packets);
