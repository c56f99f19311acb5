/* SPDX-License-Identifier: ISC
 *
 * Zones, names and records in memory, see store.h.
 */
#include "tools/zonec/store.h"

#include <stdlib.h>

#include "servers/dnsd/zone_format.h"
#include "tools/zonec/memory.h"

void store_init(struct store *store, struct report *report)
{
    *store = (struct store){.report = report};
}

void store_free(struct store *store)
{
    free(store->octets);
    free(store->zones);
    free(store->nodes);
    free(store->records);
    free(store->slots);
}

/* Copies octets, followed by a word of zeros for hashing. Returns where they are. */
static uint32_t octets_add(struct store *store, const uint8_t *octets, size_t length)
{
    size_t at = store->octet_count;

    store->octets = memory_grow(store->octets, &store->octet_capacity, at + length + NAME_WORD, 1);
    memcpy(store->octets + at, octets, length);
    memset(store->octets + at + length, 0, NAME_WORD);
    store->octet_count = at + length;
    if (store->octet_count > UINT32_MAX) {
        fprintf(stderr, "zonec: more than 4 GiB of zone data, compile fewer zones at once\n");
        exit(1);
    }
    return (uint32_t)at;
}

static void slot_set(struct store *store, uint32_t node)
{
    size_t slot = store->nodes[node].slot_hash & (store->slot_count - 1);

    while (store->slots[slot] != 0)
        slot = (slot + 1) & (store->slot_count - 1);
    store->slots[slot] = node + 1;
}

/* Keeps at least half of the slots free. */
static void slots_grow(struct store *store)
{
    if (store->slot_count >= store->node_count * 2)
        return;
    store->slot_count = store->slot_count == 0 ? 64 : store->slot_count * 2;
    store->slots = memory_resize(store->slots, store->slot_count, sizeof *store->slots);
    memset(store->slots, 0, store->slot_count * sizeof *store->slots);
    for (uint32_t node = 0; node < store->node_count; node++)
        slot_set(store, node);
}

static uint32_t node_add(struct store *store, uint32_t parent, uint32_t hash, const uint8_t *label,
                         size_t label_size, uint8_t name_length, bool unlisted)
{
    uint32_t index = (uint32_t)store->node_count++;

    store->nodes =
        memory_grow(store->nodes, &store->node_capacity, store->node_count, sizeof *store->nodes);
    store->nodes[index] = (struct store_node){
        .zone = (uint32_t)store->zone_count - 1,
        .parent = parent,
        .slot_hash = hash,
        .label = octets_add(store, label, label_size),
        .name_length = name_length,
        .unlisted = unlisted,
    };
    if (store->slot_count < store->node_count * 2)
        slots_grow(store);
    else
        slot_set(store, index);
    return index;
}

/* Where to look for the child of a node with this label, length octet first. */
static uint32_t child_hash(uint32_t parent, const uint8_t *label)
{
    return name_hash(label, 1 + (size_t)label[0], parent);
}

/* That child; STORE_NONE if there is none. */
static uint32_t child_find(const struct store *store, uint32_t parent, const uint8_t *label,
                           bool unlisted)
{
    uint32_t hash = child_hash(parent, label);
    size_t slot = hash & (store->slot_count - 1);

    for (; store->slots[slot] != 0; slot = (slot + 1) & (store->slot_count - 1)) {
        const struct store_node *node = &store->nodes[store->slots[slot] - 1];
        if (node->slot_hash == hash && node->parent == parent && node->unlisted == unlisted &&
            memcmp(store->octets + node->label, label, 1 + (size_t)label[0]) == 0)
            return store->slots[slot] - 1;
    }
    return STORE_NONE;
}

uint32_t store_apex_find(const struct store *store, const uint8_t *name, size_t length)
{
    uint32_t hash = name_hash(name, length, STORE_NONE);

    if (store->slot_count == 0)
        return STORE_NONE;
    size_t slot = hash & (store->slot_count - 1);
    for (; store->slots[slot] != 0; slot = (slot + 1) & (store->slot_count - 1)) {
        const struct store_node *node = &store->nodes[store->slots[slot] - 1];
        if (node->slot_hash == hash && node->parent == STORE_NONE && node->name_length == length &&
            memcmp(store->octets + node->label, name, length) == 0)
            return store->slots[slot] - 1;
    }
    return STORE_NONE;
}

bool store_zone_add(struct store *store, const struct dns_name *origin, uint32_t file)
{
    char text[NAME_TEXT_SIZE];
    uint32_t twin = store_apex_find(store, origin->folded, origin->length);

    if (twin != STORE_NONE) {
        uint32_t other = store->zones[store->nodes[twin].zone].file;
        report_error(store->report, (struct place){file, 0},
                     "zone %s is in %s too, give each zone one file",
                     name_text(text, origin->folded, origin->length), store->report->files[other]);
        return false;
    }
    store->zones =
        memory_grow(store->zones, &store->zone_capacity, ++store->zone_count, sizeof *store->zones);
    uint32_t apex =
        node_add(store, STORE_NONE, name_hash(origin->folded, origin->length, STORE_NONE),
                 origin->folded, origin->length, origin->length, false);
    store->zones[store->zone_count - 1] = (struct store_zone){.apex = apex, .file = file};
    return true;
}

/* The label of the name at which the zone's apex starts; -1 when the name isn't in the zone. */
static int apex_label(const struct store *store, uint32_t zone, const struct dns_name *name)
{
    const struct store_node *apex = &store->nodes[store->zones[zone].apex];
    int label = 0;

    while (label < name->labels && name->length - name->label_at[label] > apex->name_length)
        label++;
    size_t length = (size_t)(name->length - name->label_at[label]);
    if (length != apex->name_length ||
        memcmp(name->folded + name->label_at[label], store->octets + apex->label, length) != 0)
        return -1;
    return label;
}

/* The node of a name in the last zone, made with all nodes between it and the apex; STORE_NONE when
 * the name lies outside. An unlisted node is another one than the listed one of the same name. */
static uint32_t owner_get(struct store *store, const struct dns_name *owner, bool unlisted)
{
    uint32_t zone = (uint32_t)store->zone_count - 1;
    uint32_t node = store->zones[zone].apex;
    int label = apex_label(store, zone, owner);

    if (label < 0)
        return STORE_NONE;
    while (label-- > 0) {
        const uint8_t *octets = owner->folded + owner->label_at[label];
        bool last = unlisted && label == 0;
        uint32_t child = child_find(store, node, octets, last);
        if (child == STORE_NONE)
            child = node_add(store, node, child_hash(node, octets), octets, 1 + (size_t)octets[0],
                             octets[0], last);
        node = child;
    }
    return node;
}

uint32_t store_node_find(const struct store *store, uint32_t zone, const struct dns_name *name)
{
    uint32_t node = store->zones[zone].apex;
    int label = apex_label(store, zone, name);

    if (label < 0)
        return STORE_NONE;
    while (label-- > 0 && node != STORE_NONE)
        node = child_find(store, node, name->folded + name->label_at[label], false);
    return node;
}

/* Types that are questions or signatures of messages, never records of a zone (RFC 6895 3.1). */
static bool type_is_meta(uint16_t type)
{
    return type == 0 || type == DNS_TYPE_OPT || (type >= 128 && type <= 255);
}

void store_record_add(struct store *store, const struct dns_name *owner, uint16_t type,
                      uint32_t ttl, const uint8_t *rdata, uint16_t length, struct place place)
{
    char text[NAME_TEXT_SIZE], zone[NAME_TEXT_SIZE];

    if (type_is_meta(type)) {
        report_error(store->report, place, "type %u can't be in a zone, remove the record", type);
        return;
    }
    if (ttl > DNS_TTL_MAX) {
        report_error(store->report, place, "TTL %u is above %u seconds, lower it", ttl,
                     DNS_TTL_MAX);
        return;
    }
    bool hashed = type == DNS_TYPE_NSEC3 ||
                  (type == DNS_TYPE_RRSIG && length >= 2 && load_be16(rdata) == DNS_TYPE_NSEC3);
    uint32_t node = owner_get(store, owner, hashed);
    if (node == STORE_NONE) {
        const struct store_node *apex = &store->nodes[store->zones[store->zone_count - 1].apex];
        report_error(store->report, place,
                     "%s is outside of zone %s, move it to its own zone or mend the name",
                     name_text(text, owner->folded, owner->length),
                     name_text(zone, store->octets + apex->label, apex->name_length));
        return;
    }
    store->records = memory_grow(store->records, &store->record_capacity, ++store->record_count,
                                 sizeof *store->records);
    store->records[store->record_count - 1] = (struct store_record){
        .node = node,
        .ttl = ttl,
        .rdata = octets_add(store, rdata, length),
        .length = length,
        .type = type,
        .place = place,
    };
}

uint16_t store_covered(const struct store *store, const struct store_record *record)
{
    if (record->type != DNS_TYPE_RRSIG || record->length < 2)
        return 0;
    return load_be16(store->octets + record->rdata);
}

uint32_t store_rank(const struct store *store, const struct store_record *record)
{
    if (record->type == DNS_TYPE_RRSIG)
        return (uint32_t)store_covered(store, record) << 1 | 1;
    return (uint32_t)record->type << 1;
}

size_t store_node_name(const struct store *store, uint32_t node, uint8_t *name)
{
    size_t length = 0;

    for (;; node = store->nodes[node].parent) {
        const struct store_node *here = &store->nodes[node];
        size_t part =
            here->parent == STORE_NONE ? here->name_length : 1 + (size_t)here->name_length;
        memcpy(name + length, store->octets + here->label, part);
        length += part;
        if (here->parent == STORE_NONE)
            return length;
    }
}

const char *name_text(char *text, const uint8_t *name, size_t length)
{
    char *out = text;
    size_t at = 0;

    if (length <= 1)
        return strcpy(text, ".");
    while (at < length && name[at] != 0) {
        size_t end = at + 1 + name[at];
        for (at++; at < end; at++) {
            if (name[at] <= ' ' || name[at] > '~')
                out += sprintf(out, "\\%03u", name[at]);
            else if (strchr(".\\\"();@$", name[at]) != NULL)
                out += sprintf(out, "\\%c", name[at]);
            else
                *out++ = (char)name[at];
        }
        *out++ = '.';
    }
    *out = '\0';
    return text;
}
