/* SPDX-License-Identifier: ISC
 *
 * The zone compiler's memory of what it read: zones, names, records. Filled by master.c (and by
 * tests), judged by check.c, laid out by write.c. Knows nothing of master files.
 */
#ifndef MOTET_ZONEC_STORE_H
#define MOTET_ZONEC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/dnsd/name.h"
#include "tools/zonec/report.h"

enum { STORE_NONE = 0xffffffff }; /* no node */

struct store_node {
    uint32_t zone;
    uint32_t parent;    /* STORE_NONE at an apex; else a lower index than the node's own */
    uint32_t slot_hash; /* of parent and label; at an apex of the name */
    uint32_t label; /* in octets: length octet and label; at an apex the whole name; lower case */
    uint8_t name_length; /* octets of the label, or of the apex' name */
    uint8_t flags;       /* ZONE_FLAG_..., from check.c */
    bool hidden;         /* belongs to another zone that is compiled too: isn't written */
    bool unlisted; /* written, but found by no query: owner of NSEC3, or of NSEC at a hidden cut */
    uint32_t first_record; /* from check.c on: its records are neighbours */
    uint32_t record_count;
    uint32_t wildcard; /* the child named *, with ZONE_FLAG_WILDCARD; from check.c on */
    uint32_t hash;     /* of the whole name; from write.c on */
    uint32_t size;     /* octets in the database */
    uint32_t offset;   /* in the database */
};

struct store_record {
    uint32_t node;
    uint32_t ttl;
    uint32_t rdata; /* in octets */
    uint16_t length;
    uint16_t type;
    struct place place;
};

struct store_zone {
    uint32_t apex;
    uint32_t file;   /* the master file, for messages about the whole zone */
    uint32_t denial; /* offset of its denial table in the database; 0: none; from write.c on */
};

struct store {
    struct report *report;
    uint8_t *octets; /* names and record data */
    size_t octet_count, octet_capacity;
    struct store_zone *zones;
    size_t zone_count, zone_capacity;
    struct store_node *nodes;
    size_t node_count, node_capacity;
    struct store_record *records;
    size_t record_count, record_capacity;
    uint32_t *slots; /* hash table of nodes: index + 1, 0 is free */
    size_t slot_count;
};

void store_init(struct store *store, struct report *report);
void store_free(struct store *store);

/* Starts a zone; the records that follow belong to it. Reports an origin that is there already and
 * returns false. */
bool store_zone_add(struct store *store, const struct dns_name *origin, uint32_t file);

/* Adds a record of class IN to the last zone. Reports records outside of the zone and types that
 * can't be in a zone. */
void store_record_add(struct store *store, const struct dns_name *owner, uint16_t type,
                      uint32_t ttl, const uint8_t *rdata, uint16_t length, struct place place);

/* What an RRSIG record covers; 0 for other records. */
uint16_t store_covered(const struct store *store, const struct store_record *record);

/* A number that is the same for the records of one RRset at a node: by type, signatures behind what
 * they cover. */
uint32_t store_rank(const struct store *store, const struct store_record *record);

/* The apex node of a zone by its whole name in lower case, followed by NAME_WORD octets that may be
 * read; STORE_NONE if there is no such zone. */
uint32_t store_apex_find(const struct store *store, const uint8_t *name, size_t length);

/* The node of a name in a zone; STORE_NONE if it isn't there. */
uint32_t store_node_find(const struct store *store, uint32_t zone, const struct dns_name *name);

/* Writes the node's whole name in lower case to `name`, which holds STORE_NAME_SIZE octets; returns
 * its length. */
enum { STORE_NAME_SIZE = DNS_NAME_MAX + NAME_WORD };
size_t store_node_name(const struct store *store, uint32_t node, uint8_t *name);

/* A name as text, for messages. `text` holds NAME_TEXT_SIZE characters; returns it. */
enum { NAME_TEXT_SIZE = 4 * DNS_NAME_MAX + 1 };
const char *name_text(char *text, const uint8_t *name, size_t length);

#endif
