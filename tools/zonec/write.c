/* SPDX-License-Identifier: ISC
 *
 * Laying out the database, see write.h: choose a hash seed, sort the nodes by bucket, give them
 * their places, then write them.
 */
#include "tools/zonec/write.h"

#include <stdlib.h>

#include "servers/dnsd/zone_checksum.h"
#include "servers/dnsd/zone_format.h"
#include "tools/zonec/denial.h"
#include "tools/zonec/memory.h"
#include "tools/zonec/shape.h"

/* Seeds tried: overfull buckets don't happen by chance even once. */
enum { SEEDS = 16 };

struct layout {
    uint32_t bucket_count;
    uint32_t *starts;         /* of each bucket in `order`, and one more entry for the end */
    uint32_t *order;          /* nodes, by bucket, then the unlisted ones */
    uint32_t listed, written; /* nodes in buckets; and all */
    uint32_t seed;
    struct denial *denials; /* of each zone */
};

static bool node_is_listed(const struct store_node *node)
{
    return !node->hidden && !node->unlisted;
}

static uint32_t bucket_of(const struct layout *layout, const struct store_node *node)
{
    return (uint32_t)((uint64_t)node->hash * layout->bucket_count >> 32);
}

/* Counts each bucket's nodes and turns that into their starts. Returns the fullest bucket's count.
 */
static uint32_t count_buckets(const struct store *store, struct layout *layout)
{
    uint32_t fullest = 0, start = 0;

    memset(layout->starts, 0, ((size_t)layout->bucket_count + 1) * sizeof *layout->starts);
    for (size_t index = 0; index < store->node_count; index++) {
        if (node_is_listed(&store->nodes[index]))
            layout->starts[bucket_of(layout, &store->nodes[index])]++;
    }
    for (uint32_t bucket = 0; bucket <= layout->bucket_count; bucket++) {
        uint32_t count = layout->starts[bucket];
        if (count > fullest)
            fullest = count;
        layout->starts[bucket] = start;
        start += count;
    }
    return fullest;
}

static void hash_names(struct store *store, uint32_t seed)
{
    uint8_t name[STORE_NAME_SIZE];

    for (uint32_t index = 0; index < store->node_count; index++) {
        size_t length = store_node_name(store, index, name);
        store->nodes[index].hash = name_hash(name, length, seed);
    }
}

static bool choose_seed(struct store *store, struct layout *layout)
{
    for (layout->seed = 0; layout->seed < SEEDS; layout->seed++) {
        hash_names(store, layout->seed);
        if (count_buckets(store, layout) <= ZONE_BUCKET_MAX)
            return true;
    }
    report_error(store->report, (struct place){store->zones[0].file, 0},
                 "more than %d names share a hash bucket whatever the seed: they were made to, "
                 "leave that zone out",
                 ZONE_BUCKET_MAX);
    return false;
}

static void order_nodes(const struct store *store, struct layout *layout)
{
    uint32_t *next = memory_resize(NULL, (size_t)layout->bucket_count + 1, sizeof *next);

    memcpy(next, layout->starts, (size_t)layout->bucket_count * sizeof *next);
    for (uint32_t index = 0; index < store->node_count; index++) {
        if (node_is_listed(&store->nodes[index]))
            layout->order[next[bucket_of(layout, &store->nodes[index])]++] = index;
    }
    free(next);
    layout->listed = layout->starts[layout->bucket_count];
    layout->written = layout->listed;
    for (uint32_t index = 0; index < store->node_count; index++) {
        if (store->nodes[index].unlisted)
            layout->order[layout->written++] = index;
    }
}

static size_t node_size(const struct store *store, const struct store_node *node)
{
    size_t size = (size_t)ZONE_NODE_NAME + node->name_length;

    if (node->flags & ZONE_FLAG_WILDCARD)
        size += 4;
    if (node->flags & ZONE_FLAG_SIGNED)
        size += 4;
    for (uint32_t at = 0; at < node->record_count; at++) {
        const struct store_record *record = &store->records[node->first_record + at];
        if (at == 0 || store_rank(store, &record[-1]) != store_rank(store, record))
            size += ZONE_RRSET_RECORDS;
        size += 2 + (size_t)record->length;
    }
    return size;
}

/* Gives the signed zones' tables their places; returns the offset behind them. */
static size_t place_denials(struct store *store, const struct layout *layout, size_t at)
{
    for (size_t zone = 0; zone < store->zone_count; zone++) {
        store->zones[zone].denial = (uint32_t)at;
        at += denial_size(&layout->denials[zone]);
    }
    return at;
}

/* Gives all nodes their places from offset `at` on. Returns the offset behind them, 0 when that or
 * a node is too large. */
static size_t place_nodes(struct store *store, const struct layout *layout, size_t at)
{
    for (uint32_t index = 0; index < layout->written; index++) {
        struct store_node *node = &store->nodes[layout->order[index]];
        size_t size = node_size(store, node);
        if (size > ZONE_NODE_SIZE_MAX) {
            report_error(store->report, store->records[node->first_record].place,
                         "the records of this name take %zu octets, %d is the most: remove some",
                         size, ZONE_NODE_SIZE_MAX);
            return 0;
        }
        node->offset = (uint32_t)at;
        node->size = (uint32_t)size;
        at += size;
    }
    size_t tables = 0;
    for (size_t zone = 0; zone < store->zone_count; zone++)
        tables += denial_size(&layout->denials[zone]);
    if (at + tables + store->zone_count * 4 + ZONE_PADDING > UINT32_MAX) {
        report_error(store->report, (struct place){store->zones[0].file, 0},
                     "the database would be above 4 GiB, compile fewer zones at once");
        return 0;
    }
    return at;
}

static uint8_t *write_rrset(const struct store *store, const struct store_record *records,
                            uint32_t count, uint8_t *out)
{
    uint8_t *head = out;

    head[ZONE_RRSET_SHAPE] = shape_of_type(records->type);
    store_be16(head + ZONE_RRSET_TYPE, records->type);
    store_be32(head + ZONE_RRSET_TTL, records->ttl);
    out += ZONE_RRSET_RECORDS;
    for (uint32_t at = 0; at < count; at++) {
        out = store_be16(out, records[at].length);
        memcpy(out, store->octets + records[at].rdata, records[at].length);
        out += records[at].length;
    }
    store_le16(head + ZONE_RRSET_SIZE, (uint16_t)(out - head));
    return out;
}

static void write_node(const struct store *store, const struct store_node *node, uint8_t *out)
{
    const uint8_t *name = store->octets + node->label;
    uint32_t parent = 0;

    if (node->parent != STORE_NONE) {
        parent = store->nodes[node->parent].offset;
        name++;
    }
    store_le32(out + ZONE_NODE_PARENT, parent);
    store_le32(out + ZONE_NODE_SIZE, node->size | node->hash << 24);
    out[ZONE_NODE_FLAGS] = node->flags;
    out[ZONE_NODE_NAME_LENGTH] = node->name_length;
    out += ZONE_NODE_NAME;
    memcpy(out, name, node->name_length);
    out += node->name_length;
    if (node->flags & ZONE_FLAG_WILDCARD) {
        store_le32(out, store->nodes[node->wildcard].offset);
        out += 4;
    }
    if (node->flags & ZONE_FLAG_SIGNED) {
        store_le32(out, store->zones[node->zone].denial);
        out += 4;
    }

    const struct store_record *records = store->records + node->first_record;
    for (uint32_t at = 0, end; at < node->record_count; at = end) {
        uint32_t rank = store_rank(store, &records[at]);
        for (end = at + 1; end < node->record_count && store_rank(store, &records[end]) == rank;)
            end++;
        out = write_rrset(store, records + at, end - at, out);
    }
}

/* Writes the bucket table, the nodes and the denial tables. */
static void write_nodes(const struct store *store, const struct layout *layout, uint8_t *bytes,
                        size_t nodes_end)
{
    uint8_t *table = bytes + ZONE_HEADER_SIZE;

    for (uint32_t bucket = 0; bucket <= layout->bucket_count; bucket++) {
        uint32_t start = layout->starts[bucket];
        size_t offset =
            start < layout->written ? store->nodes[layout->order[start]].offset : nodes_end;
        store_le32(table + (size_t)bucket * 4, (uint32_t)offset);
    }
    for (uint32_t index = 0; index < layout->written; index++) {
        const struct store_node *node = &store->nodes[layout->order[index]];
        write_node(store, node, bytes + node->offset);
    }
    for (size_t zone = 0; zone < store->zone_count; zone++) {
        if (layout->denials[zone].count > 0)
            denial_write(store, &layout->denials[zone], bytes + store->zones[zone].denial);
    }
}

static void write_header(const struct store *store, const struct layout *layout, uint8_t *bytes,
                         size_t zone_table, size_t size)
{
    uint64_t checksum;

    memcpy(bytes + ZONE_AT_MAGIC, ZONE_MAGIC, sizeof ZONE_MAGIC - 1);
    store_le32(bytes + ZONE_AT_VERSION, ZONE_VERSION);
    store_le32(bytes + ZONE_AT_TOTAL_SIZE, (uint32_t)size);
    store_le32(bytes + ZONE_AT_HASH_SEED, layout->seed);
    store_le32(bytes + ZONE_AT_BUCKET_TABLE, ZONE_HEADER_SIZE);
    store_le32(bytes + ZONE_AT_BUCKET_COUNT, layout->bucket_count);
    store_le32(bytes + ZONE_AT_ZONE_TABLE, (uint32_t)zone_table);
    store_le32(bytes + ZONE_AT_ZONE_COUNT, (uint32_t)store->zone_count);
    store_le32(bytes + ZONE_AT_NODE_COUNT, layout->listed);
    store_le32(bytes + ZONE_AT_RECORD_COUNT, (uint32_t)store->record_count);
    checksum = zone_checksum(bytes, size);
    memcpy(bytes + ZONE_AT_CHECKSUM, &checksum, sizeof checksum);
}

/* Writes everything, once the layout's seed and buckets are chosen. */
static uint8_t *write_all(struct store *store, struct layout *layout, size_t *size)
{
    size_t nodes = ZONE_HEADER_SIZE + ((size_t)layout->bucket_count + 1) * 4;
    size_t nodes_end = place_nodes(store, layout, nodes);
    if (nodes_end == 0)
        return NULL;

    size_t zone_table = place_denials(store, layout, nodes_end);
    *size = zone_table + store->zone_count * 4 + ZONE_PADDING;
    uint8_t *bytes = memory_resize(NULL, *size, 1);
    memset(bytes, 0, *size);
    write_nodes(store, layout, bytes, nodes_end);
    for (size_t zone = 0; zone < store->zone_count; zone++)
        store_le32(bytes + zone_table + zone * 4, store->nodes[store->zones[zone].apex].offset);
    write_header(store, layout, bytes, zone_table, *size);
    return bytes;
}

/* Counts the nodes that get buckets, and marks the apexes of zones with denial tables. */
static void layout_begin(struct store *store, struct layout *layout)
{
    for (size_t index = 0; index < store->node_count; index++)
        layout->bucket_count += node_is_listed(&store->nodes[index]);
    if (layout->bucket_count == 0)
        layout->bucket_count = 1;
    for (size_t zone = 0; zone < store->zone_count; zone++) {
        if (layout->denials[zone].count > 0)
            store->nodes[store->zones[zone].apex].flags |= ZONE_FLAG_SIGNED;
    }
    layout->starts = memory_resize(NULL, (size_t)layout->bucket_count + 1, sizeof *layout->starts);
    layout->order = memory_resize(NULL, store->node_count + 1, sizeof *layout->order);
}

uint8_t *store_write(struct store *store, size_t *size)
{
    struct layout layout = {.denials = denial_make(store)};
    uint8_t *bytes = NULL;

    layout_begin(store, &layout);
    report_progress(store->report, "laying out %u names", layout.bucket_count);
    if (store->report->errors == 0 && choose_seed(store, &layout)) {
        order_nodes(store, &layout);
        bytes = write_all(store, &layout, size);
    }
    free(layout.starts);
    free(layout.order);
    denial_free(store, layout.denials);
    return bytes;
}
