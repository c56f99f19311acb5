/* SPDX-License-Identifier: ISC
 *
 * Reading a zone database (zone_format.h). The database is trusted to be what the image was built
 * with, not to be whole: every access is checked against its size, every walk has a bound, so a
 * damaged one gives ZONE_DAMAGED or wrong data, never a stray access or an endless loop.
 *
 * Nothing here writes to the database or remembers anything; the views point into it.
 */
#ifndef MOTET_DNSD_ZONE_H
#define MOTET_DNSD_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "motet/error.h"
#include "servers/dnsd/name.h"
#include "servers/dnsd/zone_format.h"

struct zone_db {
    const uint8_t *bytes;
    uint32_t end;          /* no node reaches further: the size without padding */
    uint32_t bucket_table; /* offset, checked for bucket_count + 1 words */
    uint32_t bucket_count; /* at least 1 */
    uint32_t hash_seed;
    uint32_t zone_table; /* offset, checked for zone_count words */
    uint32_t zone_count;
    uint32_t node_count;
    uint32_t record_count;
};

enum zone_result { ZONE_FOUND, ZONE_ABSENT, ZONE_DAMAGED };

/* A node whose name and size lie inside the database. */
struct zone_node {
    uint32_t offset;
    uint32_t parent;
    uint8_t flags; /* ZONE_FLAG_... */
    uint8_t fingerprint;
    uint8_t name_length;
    const uint8_t *name;
    const uint8_t *rrsets;
    const uint8_t *end;
};

/* The deepest existing name at or above the one that was looked for. */
struct zone_match {
    struct zone_node node;
    unsigned label; /* the node is the suffix that starts with this label of the name */
};

/* An RRset that lies inside its node. */
struct zone_rrset {
    uint16_t type;
    uint8_t shape; /* ZONE_SHAPE_... */
    uint32_t ttl;  /* seconds */
    const uint8_t *records;
    const uint8_t *end;
    const uint8_t *node_end; /* what is between the two: the node's further RRsets */
};

/* A signed zone's table for proving that something isn't there. */
struct zone_denial {
    uint32_t table; /* offset, checked for `count` words */
    uint32_t count;
    uint16_t iterations;
    bool hashed; /* NSEC3 */
    uint8_t salt_length;
    const uint8_t *salt;
};

/* A record's data, inside its RRset. */
struct zone_record {
    const uint8_t *rdata;
    uint16_t length;
};

/* Opens the database of `size` octets at bytes, which the caller keeps readable; at most 4 GiB of
 * it are looked at. Checks the header only, in constant time. Errors: BAD_ARGUMENT (no zone
 * database, cut short, or a table outside of it), VERSION. */
enum error zone_db_open(struct zone_db *db, const void *bytes, size_t size);

/* The apex of zone number `index`, 0 to zone_count - 1. */
enum zone_result zone_db_zone(const struct zone_db *db, uint32_t index, struct zone_node *apex);

/* Finds the deepest existing name among those suffixes of `name` that start at label `first` or
 * later. ABSENT: the name lies in none of the zones. */
enum zone_result zone_find(const struct zone_db *db, const struct dns_name *name, unsigned first,
                           struct zone_match *match);

/* The wildcard below a node, which answers for names that don't exist if the node is the deepest
 * above them that does (RFC 4592 3.3.1). ABSENT: it has none. */
enum zone_result zone_wildcard(const struct zone_db *db, const struct zone_node *node,
                               struct zone_node *wildcard);

/* Moves a match for `name` up to the cut at or above it, or up to the apex of its zone. */
enum zone_result zone_match_cut(const struct zone_db *db, const struct dns_name *name,
                                struct zone_match *match);
enum zone_result zone_match_apex(const struct zone_db *db, const struct dns_name *name,
                                 struct zone_match *match);

/* Reads the RRset at *at, which starts at node->rrsets and is moved behind it. ABSENT at the end.
 */
enum zone_result zone_rrset_next(const struct zone_node *node, const uint8_t **at,
                                 struct zone_rrset *rrset);

enum zone_result zone_rrset_find(const struct zone_node *node, uint16_t type,
                                 struct zone_rrset *rrset);

/* The RRSIG RRset that covers an RRset, which was found by one of the two above. */
enum zone_result zone_signature(const struct zone_rrset *rrset, struct zone_rrset *signature);

/* The denial table of the zone with this apex. ABSENT: it isn't signed. */
enum zone_result zone_denial_open(const struct zone_db *db, const struct zone_node *apex,
                                  struct zone_denial *denial);

/* The last node of a denial table whose name isn't behind that suffix of `name`; the table's last
 * one when they all are. Sets *same when it is that name. */
enum zone_result zone_nsec_find(const struct zone_db *db, const struct zone_denial *denial,
                                const struct dns_name *name, unsigned label, struct zone_node *node,
                                bool *same);

/* The same for the hash whose ZONE_HASH_LABEL characters are at `hash`. */
enum zone_result zone_nsec3_find(const struct zone_db *db, const struct zone_denial *denial,
                                 const uint8_t *hash, struct zone_node *node, bool *same);

/* Writes a node's whole name to `name`, which holds DNS_NAME_MAX octets; returns its length, 0 when
 * the database is damaged. */
size_t zone_node_name(const struct zone_db *db, const struct zone_node *node, uint8_t *name);

/* Reads the record at *at, which starts at rrset->records and is moved behind it. ABSENT at the
 * end. */
enum zone_result zone_record_next(const struct zone_rrset *rrset, const uint8_t **at,
                                  struct zone_record *record);

#endif
