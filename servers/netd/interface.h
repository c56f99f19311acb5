/* SPDX-License-Identifier: ISC
 *
 * An interface: its address from the boot settings, its link from the driver, and what follows from
 * both: which addresses are neighbours, and where a datagram goes next.
 *
 * Addresses are in host byte order. An interface whose settings are malformed has address 0 and
 * never comes up.
 */
#ifndef MOTET_NETD_INTERFACE_H
#define MOTET_NETD_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/netd/wire.h"

enum {
    MTU_MIN = 576,      /* bytes: what every IPv4 host takes (RFC 791) */
    MTU_MAX = 1500,     /* bytes: a larger frame needn't fit a receive buffer */
    RECEIVE_BATCH = 16, /* receive buffers given together, if they are a quarter of the quota */
};

struct interface {
    uint32_t address, mask; /* 0: not configured */
    uint32_t gateway;       /* 0: none */
    uint16_t mtu;           /* bytes, MTU_MIN to MTU_MAX */
    uint8_t mac[ETHERNET_ADDRESS];
    bool up;           /* configured, and the driver reports a link */
    bool tx_csum;      /* the device completes UDP checksums */
    bool receives;     /* the driver reported the interface, so it takes receive buffers */
    bool rx_split;     /* the frame that is being dropped goes on in the next buffer */
    uint16_t rx_quota; /* receive buffers that the driver may have */
    uint16_t rx_lent;  /* that it has */
    uint16_t rx_low;   /* it gets new ones when it has fewer than these */
    uint64_t defended; /* when we last defended our address, ns; 0: never */
};

/* Reads "A.B.C.D"; returns what follows, or NULL if the text doesn't begin with an address. */
const char *address_parse(const char *text, uint32_t *address);

/* Sets address and mask from "A.B.C.D/LEN", 1 to 32. False, and no change, for what isn't the
 * address of one host in its network. */
bool interface_set_address(struct interface *interface, const char *text);

/* Sets the gateway. False, and no change, if it isn't another host of the interface's network. */
bool interface_set_gateway(struct interface *interface, const char *text);

/* Says how many receive buffers the driver may have. */
void interface_set_quota(struct interface *interface, uint32_t buffers);

/* Could `address` be one host somewhere? (Not 0/8, loopback, multicast or above.) */
static inline bool address_is_host(uint32_t address)
{
    uint32_t net = address >> 24;
    return net != 0 && net != 127 && net < 224;
}

static inline bool interface_on_link(const struct interface *interface, uint32_t address)
{
    return !((address ^ interface->address) & interface->mask);
}

/* Is it the broadcast address of the interface's network, or of every network? (RFC 3021: networks
 * of one or two hosts have none.) */
static inline bool interface_is_broadcast(const struct interface *interface, uint32_t address)
{
    uint32_t host_bits = ~interface->mask;
    return address == 0xffffffff || (host_bits > 1 && address == (interface->address | host_bits));
}

/* Could `address` be another host, seen from this interface? */
static inline bool interface_is_peer(const struct interface *interface, uint32_t address)
{
    uint32_t host_bits = ~interface->mask;
    bool network = host_bits > 1 && address == (interface->address & interface->mask);
    return address_is_host(address) && address != interface->address && !network &&
           !interface_is_broadcast(interface, address);
}

/* The neighbour to hand a datagram for `peer` to; 0: there is none. */
static inline uint32_t interface_next_hop(const struct interface *interface, uint32_t peer)
{
    return interface_on_link(interface, peer) ? peer : interface->gateway;
}

#endif
