/* SPDX-License-Identifier: ISC
 *
 * netd: the network stack server. Everything that it remembers is in struct netd (24 KiB).
 *
 * The protocols' logic (checksum, interface, arp, ipv4, reassembly, icmp, udp, sockets, transmit)
 * sees no connection. The glue is here:
 *
 *   driver.c  the connection to the driver: link, receive buffers, transmit
 *   input.c   a received frame: what it is and who gets it
 *   output.c  everything that leaves, and waiting for ARP
 *   client.c  the connections to the clients: bind, send, receive
 *   netd.c    the server's descriptor: start, messages, time
 *
 * Every buffer is at any time in exactly one place:
 *   receive pool: free, with the driver (RECEIVE_DRIVER + interface), or with the stack
 *     (RECEIVE_STACK: the frame being looked at, a fragment held, the payload of an echo reply);
 *   a client's receive pool: free, or with the client;
 *   a client's send buffer, once sent: in a slot, or in the client's list of done ones.
 */
#ifndef MOTET_NETD_NETD_H
#define MOTET_NETD_NETD_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/conn.h"
#include "ipc/pool.h"
#include "ipc/proto/netdev.h"
#include "ipc/proto/sock.h"
#include "libos/domain.h"
#include "servers/netd/arp.h"
#include "servers/netd/counters.h"
#include "servers/netd/icmp.h"
#include "servers/netd/interface.h"
#include "servers/netd/ipv4.h"
#include "servers/netd/reassembly.h"
#include "servers/netd/sockets.h"
#include "servers/netd/transmit.h"
#include "servers/netd/udp.h"

enum {
    RECEIVE_BUFFER_MIN = 2048, /* bytes: a frame of MTU_MAX and a device's headroom fit into one */
    RECEIVE_BUFFERS_MIN = 16,
    CLIENT_SENDS_MAX = 128, /* sends of a client not yet reported done; then its channel waits */
    CLIENT_HOLDER = 1,      /* in the owner table of a client's receive pool */
};

/* Holders in the owner table of the receive pool. */
enum { RECEIVE_STACK = 1, RECEIVE_DRIVER = 2 };

struct client {
    struct conn *conn;               /* NULL: the manifest has no such client */
    const struct pool *receive_pool; /* "recvN" */
    const struct pool *send_pool;    /* "sendN" */
    uint16_t sending;                /* its sends in slots */
    uint16_t done_count;             /* its buffers to report done */
    uint16_t done_batch;             /* reported together, from this many on */
    bool driver_asked;               /* restarted.c: to look what has been sent */
    uint16_t done[CLIENT_SENDS_MAX];
    struct pool_owner receive;
};

struct netd {
    struct domain *domain;
    uint64_t *counters;
    struct conn *net;
    const struct pool *receive_pool; /* "rx" */
    uint64_t now;                    /* ns; 0: not asked for yet in this batch */
    uint16_t id, id_step; /* of the next datagram; the step is odd: no early repetition */
    uint8_t clients;      /* connected, numbered from 0 */
    uint8_t interfaces;   /* reported by the driver, numbered from 0 */
    bool opened;          /* the driver was asked for its interfaces */
    bool deadline_moved;  /* ARP or reassembly have or had something to wait for */
    struct interface interface[NETDEV_INTERFACES_MAX];
    struct icmp_limit icmp_limit;
    struct sockets sockets;
    struct transmit transmit;
    struct arp arp;
    struct reassembly reassembly;
    struct pool_owner receive;
    struct client client[CLIENTS_MAX];
};

static inline uint64_t netd_now(struct netd *netd)
{
    if (!netd->now)
        netd->now = domain_time(netd->domain);
    return netd->now;
}

static inline void netd_count(struct netd *netd, enum counter counter)
{
    netd->counters[counter]++;
}

/* driver.c */

/* Asks the driver for its interfaces; again with each batch_end while the connection is full: an
 * earlier life left it so, or the driver lies. */
void driver_open(struct netd *netd);
void driver_receive(struct netd *netd, const struct msg *m);
/* Sends the frame in slot `n`. False: the channel is full, nothing has happened. */
bool driver_transmit(struct netd *netd, uint32_t n);
/* Gives the driver receive buffers, as many as it may have and there are. */
void driver_provide(struct netd *netd, uint32_t interface);

/* input.c */

/* A frame in a buffer that the stack holds. True: the buffer stays in use; false: the caller takes
 * it back. `flags`: enum netdev_rx_flags. */
bool input_frame(struct netd *netd, uint8_t interface, struct buffer_ref frame, uint32_t flags);
/* Drops a datagram whose time is over. */
void input_expired(struct netd *netd, struct reassembly_entry *entry);

/* output.c */

/* A datagram from a client, checked. */
struct udp_send {
    const struct pool *pool;
    struct buffer_ref data;
    struct udp_header header;
    uint32_t source, destination, next_hop;
    uint8_t client;
    uint8_t interface;
};

/* True: the datagram is on its way or was dropped and counted, and its buffer goes (or went) back
 * by client_done. False: no room now, nothing has happened. */
bool output_udp(struct netd *netd, const struct udp_send *send);
/* True: the reply is on its way and answers for the request's buffers. */
bool output_echo_reply(struct netd *netd, const struct datagram *request);
void output_icmp_error(struct netd *netd, enum icmp_type type, enum icmp_code code,
                       const struct datagram *datagram);
/* `target_mac` NULL: to all. */
void output_arp(struct netd *netd, uint8_t interface, enum arp_operation operation,
                const uint8_t *target_mac, uint32_t target);
/* Sends what waited for the entry's answer. */
void output_waiting(struct netd *netd, struct arp_entry *entry);
/* Asks again, or gives up and drops what waited. */
void output_retry(struct netd *netd, struct arp_entry *entry);
/* The frame in slot `n` is done with: what it used goes back. */
void output_done(struct netd *netd, uint32_t n);

/* client.c */

/* Finds the client's pools; logs what is wrong. */
enum error client_start(struct netd *netd, uint32_t number);
/* False: no room for what the message leads to. */
bool client_receive(struct netd *netd, struct conn *conn, const struct msg *m);
/* A datagram with a checked UDP header for `socket` (sockets.h). */
void client_deliver(struct netd *netd, uint32_t socket, const struct datagram *datagram,
                    const struct udp_header *header);
/* The client's send buffer `index` is its own again. */
void client_done(struct netd *netd, uint32_t number, uint32_t index);
/* Reports what is done. */
void client_flush(struct client *client);

#endif
