/* SPDX-License-Identifier: ISC
 *
 * Denial tables, see denial.h.
 */
#define _GNU_SOURCE 1 /* qsort_r */
#include "tools/zonec/denial.h"

#include <stdlib.h>

#include "servers/dnsd/zone_format.h"
#include "tools/zonec/memory.h"

/* Where things are in NSEC3 and NSEC3PARAM data (RFC 5155 3.2, 4.2). */
enum { AT_ALGORITHM = 0, AT_ITERATIONS = 2, AT_SALT_LENGTH = 4, AT_SALT = 5, SHA1_ALGORITHM = 1 };

/* The node's first record of a type; NULL without. */
static const struct store_record *record_find(const struct store *store, uint32_t node,
                                              uint16_t type)
{
    const struct store_record *record = store->records + store->nodes[node].first_record;

    for (uint32_t left = store->nodes[node].record_count; left > 0; left--, record++) {
        if (record->type == type)
            return record;
    }
    return NULL;
}

/* Whether data starts with NSEC3 parameters, none of them cut short. */
static bool has_parameters(const uint8_t *rdata, size_t length)
{
    return length >= AT_SALT && length - AT_SALT >= rdata[AT_SALT_LENGTH];
}

/* Takes how the zone says no from its apex. */
static void parameters_read(struct store *store, uint32_t apex, struct denial *denial)
{
    const struct store_record *record = record_find(store, apex, DNS_TYPE_NSEC3PARAM);

    if (record == NULL)
        return;
    const uint8_t *rdata = store->octets + record->rdata;
    if (!has_parameters(rdata, record->length) || rdata[AT_ALGORITHM] != SHA1_ALGORITHM)
        report_error(store->report, record->place,
                     "NSEC3PARAM of another hash than SHA-1 (1), sign the zone with that");
    else if (load_be16(rdata + AT_ITERATIONS) > ZONE_ITERATIONS_MAX)
        report_error(store->report, record->place,
                     "NSEC3 with %u iterations, resolvers accept %d at most: sign with 0",
                     load_be16(rdata + AT_ITERATIONS), ZONE_ITERATIONS_MAX);
    else
        *denial = (struct denial){
            .algorithm = SHA1_ALGORITHM,
            .salt_length = rdata[AT_SALT_LENGTH],
            .iterations = load_be16(rdata + AT_ITERATIONS),
            .salt = record->rdata + AT_SALT,
        };
}

/* Whether the node has a record that belongs into its zone's table. */
static bool node_denies(const struct store *store, uint32_t index, const struct denial *denial)
{
    const struct store_node *node = &store->nodes[index];

    if (node->hidden && !node->unlisted)
        return false;
    if (denial->algorithm == 0)
        return record_find(store, index, DNS_TYPE_NSEC) != NULL;
    const struct store_record *record = record_find(store, index, DNS_TYPE_NSEC3);
    if (record == NULL || node->name_length != ZONE_HASH_LABEL ||
        node->parent != store->zones[node->zone].apex)
        return false;
    const uint8_t *rdata = store->octets + record->rdata;
    return has_parameters(rdata, record->length) && rdata[AT_ALGORITHM] == denial->algorithm &&
           load_be16(rdata + AT_ITERATIONS) == denial->iterations &&
           rdata[AT_SALT_LENGTH] == denial->salt_length &&
           memcmp(rdata + AT_SALT, store->octets + denial->salt, denial->salt_length) == 0;
}

/* A name whose labels are in reverse order, so that octets in order are names in canonical order:
 * each label ends with 0 0, and a 0 in it is 0 1. */
enum { KEY_MAX = 2 * DNS_NAME_MAX + 2 };

static size_t key_make(const struct store *store, uint32_t index, uint8_t *key)
{
    uint8_t wire[STORE_NAME_SIZE];
    struct dns_name name;
    size_t length = 0;

    name_parse(&name, wire, store_node_name(store, index, wire));
    for (unsigned label = name.labels; label-- > 0;) {
        const uint8_t *octets = name.folded + name.label_at[label];
        for (unsigned at = 1; at <= octets[0]; at++) {
            key[length++] = octets[at];
            if (octets[at] == 0)
                key[length++] = 1;
        }
        key[length++] = 0;
        key[length++] = 0;
    }
    return length;
}

struct entry {
    uint32_t zone, node;
    size_t key; /* in keys */
    uint32_t key_length;
};

struct entries {
    struct entry *list;
    size_t count, capacity;
    uint8_t *keys;
    size_t key_count, key_capacity;
};

static int compare_entries(const void *left_entry, const void *right_entry, void *keys)
{
    const struct entry *left = left_entry, *right = right_entry;
    uint32_t length = left->key_length < right->key_length ? left->key_length : right->key_length;

    if (left->zone != right->zone)
        return left->zone < right->zone ? -1 : 1;
    int difference = memcmp((uint8_t *)keys + left->key, (uint8_t *)keys + right->key, length);
    return difference != 0 ? difference : (int)left->key_length - (int)right->key_length;
}

static void entry_add(const struct store *store, struct entries *entries, uint32_t node)
{
    entries->keys =
        memory_grow(entries->keys, &entries->key_capacity, entries->key_count + KEY_MAX, 1);
    size_t length = key_make(store, node, entries->keys + entries->key_count);
    entries->list =
        memory_grow(entries->list, &entries->capacity, ++entries->count, sizeof *entries->list);
    entries->list[entries->count - 1] =
        (struct entry){store->nodes[node].zone, node, entries->key_count, (uint32_t)length};
    entries->key_count += length;
}

/* Without a record at the apex a chain of NSEC can't be whole: the zone then counts as unsigned. */
static void check_chain(struct store *store, uint32_t zone, struct denial *denial)
{
    struct place place = {store->zones[zone].file, 0};

    if (denial->algorithm == 0 && denial->count > 0 &&
        denial->nodes[0] != store->zones[zone].apex) {
        report_warning(store->report, place,
                       "NSEC records, but none for the zone's name, nothing is proved with them: "
                       "sign the zone again");
        denial->count = 0;
    }
    if (denial->algorithm != 0 && denial->count == 0)
        report_error(store->report, place,
                     "NSEC3PARAM, but no NSEC3 record to go with it: sign the zone again");
}

struct denial *denial_make(struct store *store)
{
    struct denial *denials = memory_resize(NULL, store->zone_count + 1, sizeof *denials);
    struct entries entries = {0};

    memset(denials, 0, (store->zone_count + 1) * sizeof *denials);
    for (uint32_t zone = 0; zone < store->zone_count; zone++)
        parameters_read(store, store->zones[zone].apex, &denials[zone]);
    for (uint32_t node = 0; node < store->node_count; node++) {
        if (node_denies(store, node, &denials[store->nodes[node].zone]))
            entry_add(store, &entries, node);
    }
    if (entries.count > 0)
        qsort_r(entries.list, entries.count, sizeof *entries.list, compare_entries, entries.keys);
    for (size_t at = 0; at < entries.count;) {
        struct denial *denial = &denials[entries.list[at].zone];
        size_t end = at;
        while (end < entries.count && entries.list[end].zone == entries.list[at].zone)
            end++;
        denial->nodes = memory_resize(NULL, end - at, sizeof *denial->nodes);
        for (; at < end; at++)
            denial->nodes[denial->count++] = entries.list[at].node;
    }
    for (uint32_t zone = 0; zone < store->zone_count; zone++)
        check_chain(store, zone, &denials[zone]);
    free(entries.list);
    free(entries.keys);
    return denials;
}

void denial_free(struct store *store, struct denial *denials)
{
    for (size_t zone = 0; zone < store->zone_count; zone++)
        free(denials[zone].nodes);
    free(denials);
}

size_t denial_size(const struct denial *denial)
{
    if (denial->count == 0)
        return 0;
    return ZONE_DENIAL_SALT + (size_t)denial->salt_length + (size_t)denial->count * 4;
}

void denial_write(const struct store *store, const struct denial *denial, uint8_t *out)
{
    store_le32(out + ZONE_DENIAL_COUNT, denial->count);
    store_le16(out + ZONE_DENIAL_ITERATIONS, denial->iterations);
    out[ZONE_DENIAL_ALGORITHM] = denial->algorithm;
    out[ZONE_DENIAL_SALT_LENGTH] = denial->salt_length;
    out += ZONE_DENIAL_SALT;
    memcpy(out, store->octets + denial->salt, denial->salt_length);
    out += denial->salt_length;
    for (uint32_t at = 0; at < denial->count; at++, out += 4)
        store_le32(out, store->nodes[denial->nodes[at]].offset);
}
