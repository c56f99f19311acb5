/* SPDX-License-Identifier: ISC
 *
 * Writing a response: records with compressed names, whole RRsets or nothing. Called by answer.c
 * only. The buffer is written, never read: it may be shared with a peer, and slow to read.
 */
#ifndef MOTET_DNSD_MESSAGE_H
#define MOTET_DNSD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/dnsd/name.h"
#include "servers/dnsd/zone.h"

enum {
    /* Suffixes that later names can point to; further ones are written in full. The 13 servers of
     * the root zone need 15, a signed answer of 1232 octets fewer than 40. */
    MESSAGE_SUFFIXES = 48,
    /* Names whose addresses are looked up as additional data; further ones get none. A record with
     * such a name takes 16 octets or more, so 1232 octets hold 75. */
    MESSAGE_TARGETS = 76,
};

enum message_section { MESSAGE_ANSWER, MESSAGE_AUTHORITY, MESSAGE_ADDITIONAL, MESSAGE_SECTIONS };

enum message_result { MESSAGE_DONE, MESSAGE_NO_ROOM, MESSAGE_DAMAGED };

/* A suffix that stands somewhere in the message. */
struct message_suffix {
    const uint8_t *wire; /* the same name, uncompressed, in the query or the database */
    uint16_t offset;     /* in the message, at most DNS_POINTER_MAX */
    uint8_t length;
};

/* A name in record data whose addresses are wanted. */
struct message_target {
    const uint8_t *wire; /* in the database */
    uint16_t offset;     /* in the message, at most DNS_POINTER_MAX */
    uint8_t length;
    bool glue; /* addresses that aren't ours will do */
};

struct message {
    uint8_t *bytes;
    size_t length;
    size_t limit; /* no octet is written at or behind it */
    const struct dns_name *question;
    uint16_t class; /* of the records */
    uint16_t counts[MESSAGE_SECTIONS];
    uint8_t suffix_count;
    uint8_t target_count;
    bool targets_lost; /* there were more than MESSAGE_TARGETS */
    struct message_suffix suffixes[MESSAGE_SUFFIXES];
    struct message_target targets[MESSAGE_TARGETS];
    struct dns_name scratch; /* the name in record data being written */
};

/* Starts a message that already holds `length` octets, among them the question's name behind the
 * header. */
void message_begin(struct message *message, uint8_t *bytes, size_t length, size_t limit,
                   const struct dns_name *question);

/* An RRset to append: all its records, and those of its signature, or nothing. */
struct message_rrset {
    const struct zone_rrset *rrset;
    const struct zone_rrset *signature; /* NULL: none */
    uint32_t ttl;
};

/* Appends an RRset. The owner is the suffix of `owner` that starts with label `label`. Without room
 * for all of it the message stays as it was. */
enum message_result message_put_rrset(struct message *message, enum message_section section,
                                      const struct dns_name *owner, unsigned label,
                                      const struct message_rrset *rrset);

/* The same with an owner that stands in the message at `offset`. */
enum message_result message_put_rrset_at(struct message *message, enum message_section section,
                                         uint16_t offset, const struct message_rrset *rrset);

/* The same with an owner that the caller doesn't keep: later names can't point into it. */
enum message_result message_put_rrset_passing(struct message *message, enum message_section section,
                                              const struct dns_name *owner,
                                              const struct message_rrset *rrset);

/* Takes back everything behind the question. */
void message_clear(struct message *message, size_t length);

#endif
