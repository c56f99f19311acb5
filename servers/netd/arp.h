/* SPDX-License-Identifier: ISC
 *
 * ARP (RFC 826): which Ethernet address a neighbour has. The table knows nothing of frames or
 * channels: it says what to send, and keeps a list of the frames (by number) that wait.
 *
 * States of an entry:
 *
 *   FREE  --use-->  ASKED  --answer-->  KNOWN  --use, older than ARP_FRESH-->  CHECKED
 *                     |                   ^                                      |   |
 *                     |                   +---------------answer-----------------+   |
 *                     +--------no answer to ARP_REQUESTS requests: FREE--------------+
 *
 * Frames to a KNOWN or CHECKED neighbour leave at once, those to an ASKED one wait. Only ASKED and
 * CHECKED entries have a deadline, so that an idle stack has none.
 *
 * Learned is only from requests to us, and from replies that were asked for. Datagrams teach
 * nothing: a router forwards forged ones with its own Ethernet address. An announcement by a
 * neighbour that we know (it moved) makes us ask it again on next use.
 *
 * Bounds: one entry per interface for its gateway, which nothing evicts; ARP_HOSTS others, of which
 * an address may use ARP_WAYS; ARP_ASKING_MAX of these may be ASKED or CHECKED; ARP_WAITING frames
 * wait per entry, ARP_WAITING_MAX in all.
 */
#ifndef MOTET_NETD_ARP_H
#define MOTET_NETD_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/proto/netdev.h"
#include "servers/netd/counters.h"
#include "servers/netd/wire.h"

enum {
    ARP_SETS = 16,
    ARP_WAYS = 4,
    ARP_HOSTS = ARP_SETS * ARP_WAYS,
    ARP_ENTRIES = NETDEV_INTERFACES_MAX + ARP_HOSTS,
    ARP_ASKING_MAX = 16,
    ARP_WAITING = 8, /* frames: one datagram in fragments, or a few answers */
    ARP_WAITING_MAX = 32,
    ARP_REQUESTS = 3,
};

#define ARP_RETRY                                                                                  \
    1000000000ull /* ns between requests (RFC 1122, 2.3.2.1: at most one a second)                 \
                   */
#define ARP_FRESH                                                                                  \
    60000000000ull /* ns that an answer is believed (ibid.: of the order of a minute) */

enum arp_state { ARP_FREE, ARP_ASKED, ARP_KNOWN, ARP_CHECKED };

struct arp_entry {
    uint64_t time; /* KNOWN: when it was confirmed; ASKED, CHECKED: when the next request is due */
    uint32_t address; /* host order; of a gateway's entry: also when FREE; 0: no gateway */
    uint8_t state;    /* enum arp_state */
    uint8_t interface;
    uint8_t requests;              /* sent since the last answer */
    uint8_t waiting;               /* frames; only in ASKED */
    uint8_t mac[ETHERNET_ADDRESS]; /* in KNOWN and CHECKED */
    uint8_t frame[ARP_WAITING];    /* the waiting frames, oldest first */
};

struct arp {
    struct arp_entry entry[ARP_ENTRIES]; /* the gateways, then the sets */
    uint8_t asking;                      /* entries in ASKED or CHECKED */
    uint8_t waiting;                     /* frames in all entries */
};

/* The entry to send to `address` on `interface` by; NULL: no room to ask for it. `*ask` is set when
 * a request is due now: the caller sends it. */
struct arp_entry *arp_use(struct arp *arp, uint8_t interface, uint32_t address, uint64_t now,
                          uint64_t *counters, bool *ask);

static inline bool arp_usable(const struct arp_entry *entry)
{
    return entry->state >= ARP_KNOWN;
}

/* Notes that `frame` waits for the entry's answer. False: the bound is reached. */
bool arp_wait(struct arp *arp, struct arp_entry *entry, uint8_t frame);

/* Takes the oldest waiting frame off the entry; -1: none. */
int arp_next_waiting(struct arp *arp, struct arp_entry *entry);

/* An entry whose next request is due, NULL when there is none. The caller then asks again
 * (arp_asked) or, if `requests` is ARP_REQUESTS, takes the waiting frames off and gives up
 * (arp_forget). */
struct arp_entry *arp_due(struct arp *arp, uint64_t now);
void arp_asked(struct arp_entry *entry, uint64_t now);
void arp_forget(struct arp *arp, struct arp_entry *entry);

/* When the earliest request is due; 0: never. */
uint64_t arp_deadline(const struct arp *arp);

/* An ARP packet for Ethernet and IPv4, fields checked for sense. */
struct arp_packet {
    uint16_t operation;
    uint8_t sender_mac[ETHERNET_ADDRESS];
    uint32_t sender, target; /* host order; sender 0: a probe (RFC 5227) */
};

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

/* Reads ARP_BYTES bytes. False: not a request or reply of Ethernet and IPv4. */
bool arp_parse(const uint8_t *from, struct arp_packet *packet);

/* Writes ARP_BYTES bytes. `target_mac` NULL: unknown, zero. */
void arp_build(uint8_t *to, enum arp_operation operation, const uint8_t *sender_mac,
               uint32_t sender, const uint8_t *target_mac, uint32_t target);

/* Learns from a packet that was sent to us (`for_us`) or that we overheard; the sender is another
 * host on the link. Returns the entry, if it has just become usable, for its waiting frames. */
struct arp_entry *arp_learn(struct arp *arp, uint8_t interface, const struct arp_packet *packet,
                            bool for_us, uint64_t now, uint64_t *counters);

/* The invariants, whatever the table holds: counts match, states and places fit. For tests, and of
 * what was taken over. Which frames wait isn't looked at. */
bool arp_check(const struct arp *arp);

#endif
