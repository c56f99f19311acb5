/* SPDX-License-Identifier: ISC
 *
 * Reading a zone database, see zone.h.
 */
#include "servers/dnsd/zone.h"

/* Whether `count` words at `offset` lie inside the first `end` octets. */
static bool words_inside(uint32_t offset, uint64_t count, uint32_t end)
{
    return offset <= end && count <= (end - offset) / 4;
}

enum error zone_db_open(struct zone_db *db, const void *bytes, size_t size)
{
    const uint8_t *header = bytes;

    if (size < ZONE_HEADER_SIZE + ZONE_PADDING)
        return ERROR_BAD_ARGUMENT;
    if (memcmp(header + ZONE_AT_MAGIC, ZONE_MAGIC, sizeof ZONE_MAGIC - 1) != 0)
        return ERROR_BAD_ARGUMENT;
    if (load_le32(header + ZONE_AT_VERSION) != ZONE_VERSION)
        return ERROR_VERSION;

    uint32_t total = load_le32(header + ZONE_AT_TOTAL_SIZE);
    if (total > size || total < ZONE_HEADER_SIZE + ZONE_PADDING)
        return ERROR_BAD_ARGUMENT;
    *db = (struct zone_db){
        .bytes = bytes,
        .end = total - ZONE_PADDING,
        .bucket_table = load_le32(header + ZONE_AT_BUCKET_TABLE),
        .bucket_count = load_le32(header + ZONE_AT_BUCKET_COUNT),
        .hash_seed = load_le32(header + ZONE_AT_HASH_SEED),
        .zone_table = load_le32(header + ZONE_AT_ZONE_TABLE),
        .zone_count = load_le32(header + ZONE_AT_ZONE_COUNT),
        .node_count = load_le32(header + ZONE_AT_NODE_COUNT),
        .record_count = load_le32(header + ZONE_AT_RECORD_COUNT),
    };
    if (db->bucket_count == 0 ||
        !words_inside(db->bucket_table, (uint64_t)db->bucket_count + 1, db->end) ||
        !words_inside(db->zone_table, db->zone_count, db->end))
        return ERROR_BAD_ARGUMENT;
    return OK;
}

/* Loads the node at an offset that may be anything. Returns its size, 0 when it isn't inside. */
static uint32_t node_load(const struct zone_db *db, uint32_t offset, struct zone_node *node)
{
    if (offset > db->end || db->end - offset < ZONE_NODE_NAME)
        return 0;

    const uint8_t *bytes = db->bytes + offset;
    uint32_t size = load_le32(bytes + ZONE_NODE_SIZE) & ZONE_NODE_SIZE_MAX;
    uint32_t head = (uint32_t)ZONE_NODE_NAME + bytes[ZONE_NODE_NAME_LENGTH];
    node->flags = bytes[ZONE_NODE_FLAGS];
    if (node->flags & (ZONE_FLAG_WILDCARD | ZONE_FLAG_SIGNED)) {
        head += node->flags & ZONE_FLAG_WILDCARD ? 4 : 0;
        head += node->flags & ZONE_FLAG_SIGNED ? 4 : 0;
    }
    if (size < head || size > db->end - offset)
        return 0;
    node->offset = offset;
    node->parent = load_le32(bytes + ZONE_NODE_PARENT);
    node->fingerprint = bytes[ZONE_NODE_FINGERPRINT];
    node->name_length = bytes[ZONE_NODE_NAME_LENGTH];
    node->name = bytes + ZONE_NODE_NAME;
    node->rrsets = bytes + head;
    node->end = bytes + size;
    return size;
}

enum zone_result zone_db_zone(const struct zone_db *db, uint32_t index, struct zone_node *apex)
{
    uint32_t offset = load_le32(db->bytes + db->zone_table + (size_t)index * 4);
    return node_load(db, offset, apex) > 0 ? ZONE_FOUND : ZONE_DAMAGED;
}

/* The nodes of one bucket, and how many may still be read: a damaged table can't cost more. */
struct bucket {
    uint32_t at;
    uint32_t end;
    unsigned left;
};

static struct bucket bucket_of(const struct zone_db *db, uint32_t hash)
{
    uint32_t index = (uint32_t)((uint64_t)hash * db->bucket_count >> 32);
    const uint8_t *entry = db->bytes + db->bucket_table + (size_t)index * 4;
    return (struct bucket){load_le32(entry), load_le32(entry + 4), ZONE_BUCKET_MAX};
}

/* FOUND means that there is a node, with the hash's fingerprint or not. */
static enum zone_result bucket_next(const struct zone_db *db, struct bucket *bucket,
                                    struct zone_node *node)
{
    if (bucket->at >= bucket->end)
        return ZONE_ABSENT;
    uint32_t size = node_load(db, bucket->at, node);
    if (size == 0 || bucket->left == 0)
        return ZONE_DAMAGED;
    bucket->at += size;
    bucket->left--;
    return ZONE_FOUND;
}

/* Whether the node's own name is what the name has from that label on. */
static bool node_is_label(const struct zone_node *node, const struct dns_name *name, unsigned label)
{
    const uint8_t *folded = name->folded + name->label_at[label];
    size_t length = *folded;

    if (node->flags & ZONE_FLAG_APEX)
        length = name_suffix_length(name, label);
    else if (length == 0)
        return false;
    else
        folded++;
    return length == node->name_length && name_octets_equal(folded, node->name, length);
}

/* Compares a whole name, one node and label at a time. */
static enum zone_result node_is_name(const struct zone_db *db, const struct zone_node *node,
                                     const struct dns_name *name, unsigned label)
{
    struct zone_node parent;

    while (node_is_label(node, name, label)) {
        if (node->flags & ZONE_FLAG_APEX)
            return ZONE_FOUND;
        if (node_load(db, node->parent, &parent) == 0)
            return ZONE_DAMAGED;
        node = &parent;
        label++;
    }
    return ZONE_ABSENT;
}

static enum zone_result find_suffix(const struct zone_db *db, const struct dns_name *name,
                                    unsigned label, struct zone_node *node)
{
    uint32_t hash = name_hash(name->folded + name->label_at[label], name_suffix_length(name, label),
                              db->hash_seed);
    struct bucket bucket = bucket_of(db, hash);

    for (;;) {
        enum zone_result result = bucket_next(db, &bucket, node);
        if (result != ZONE_FOUND)
            return result;
        if (node->fingerprint != (uint8_t)hash)
            continue;
        result = node_is_name(db, node, name, label);
        if (result != ZONE_ABSENT)
            return result;
    }
}

enum zone_result zone_find(const struct zone_db *db, const struct dns_name *name, unsigned first,
                           struct zone_match *match)
{
    for (unsigned label = first; label <= name->labels; label++) {
        enum zone_result result = find_suffix(db, name, label, &match->node);
        match->label = label;
        if (result != ZONE_ABSENT)
            return result;
    }
    return ZONE_ABSENT;
}

enum zone_result zone_wildcard(const struct zone_db *db, const struct zone_node *node,
                               struct zone_node *wildcard)
{
    if (!(node->flags & ZONE_FLAG_WILDCARD))
        return ZONE_ABSENT;
    uint32_t offset = load_le32(node->name + node->name_length);
    return node_load(db, offset, wildcard) > 0 ? ZONE_FOUND : ZONE_DAMAGED;
}

/* Climbs to the first node with one of the flags. Every step takes a label off the name, so that a
 * ring of parents ends too. */
static enum zone_result match_climb(const struct zone_db *db, const struct dns_name *name,
                                    struct zone_match *match, uint8_t flags)
{
    while (!(match->node.flags & flags)) {
        if (match->label >= name->labels || node_load(db, match->node.parent, &match->node) == 0)
            return ZONE_DAMAGED;
        match->label++;
    }
    return ZONE_FOUND;
}

enum zone_result zone_match_cut(const struct zone_db *db, const struct dns_name *name,
                                struct zone_match *match)
{
    return match_climb(db, name, match, ZONE_FLAG_CUT | ZONE_FLAG_APEX);
}

enum zone_result zone_match_apex(const struct zone_db *db, const struct dns_name *name,
                                 struct zone_match *match)
{
    return match_climb(db, name, match, ZONE_FLAG_APEX);
}

enum zone_result zone_rrset_next(const struct zone_node *node, const uint8_t **at,
                                 struct zone_rrset *rrset)
{
    const uint8_t *head = *at;
    size_t left = (size_t)(node->end - head);

    if (left == 0)
        return ZONE_ABSENT;
    if (left < ZONE_RRSET_RECORDS)
        return ZONE_DAMAGED;
    size_t size = load_le16(head + ZONE_RRSET_SIZE);
    if (size < ZONE_RRSET_RECORDS || size > left)
        return ZONE_DAMAGED;
    rrset->type = load_be16(head + ZONE_RRSET_TYPE);
    rrset->shape = head[ZONE_RRSET_SHAPE];
    rrset->ttl = load_be32(head + ZONE_RRSET_TTL);
    rrset->records = head + ZONE_RRSET_RECORDS;
    rrset->end = head + size;
    rrset->node_end = node->end;
    *at = rrset->end;
    return ZONE_FOUND;
}

enum zone_result zone_rrset_find(const struct zone_node *node, uint16_t type,
                                 struct zone_rrset *rrset)
{
    const uint8_t *at = node->rrsets;

    for (;;) {
        enum zone_result result = zone_rrset_next(node, &at, rrset);
        if (result != ZONE_FOUND || rrset->type == type)
            return result;
    }
}

enum zone_result zone_record_next(const struct zone_rrset *rrset, const uint8_t **at,
                                  struct zone_record *record)
{
    size_t left = (size_t)(rrset->end - *at);

    if (left == 0)
        return ZONE_ABSENT;
    if (left < 2)
        return ZONE_DAMAGED;
    record->length = load_be16(*at);
    record->rdata = *at + 2;
    if (record->length > left - 2)
        return ZONE_DAMAGED;
    *at = record->rdata + record->length;
    return ZONE_FOUND;
}

enum zone_result zone_signature(const struct zone_rrset *rrset, struct zone_rrset *signature)
{
    const struct zone_node rest = {.end = rrset->node_end};
    const uint8_t *at = rrset->end;
    struct zone_record record;

    enum zone_result result = zone_rrset_next(&rest, &at, signature);
    if (result != ZONE_FOUND)
        return result;
    if (signature->type != DNS_TYPE_RRSIG)
        return ZONE_ABSENT;
    at = signature->records;
    result = zone_record_next(signature, &at, &record);
    if (result == ZONE_FOUND && record.length >= 2 && load_be16(record.rdata) == rrset->type)
        return ZONE_FOUND;
    return result == ZONE_DAMAGED ? ZONE_DAMAGED : ZONE_ABSENT;
}

enum zone_result zone_denial_open(const struct zone_db *db, const struct zone_node *apex,
                                  struct zone_denial *denial)
{
    if (!(apex->flags & ZONE_FLAG_SIGNED))
        return ZONE_ABSENT;
    /* The offset is what stands right before the RRsets. */
    uint32_t offset = load_le32(apex->rrsets - 4);
    if (offset > db->end || db->end - offset < ZONE_DENIAL_SALT)
        return ZONE_DAMAGED;
    const uint8_t *head = db->bytes + offset;
    *denial = (struct zone_denial){
        .count = load_le32(head + ZONE_DENIAL_COUNT),
        .iterations = load_le16(head + ZONE_DENIAL_ITERATIONS),
        .hashed = head[ZONE_DENIAL_ALGORITHM] != 0,
        .salt_length = head[ZONE_DENIAL_SALT_LENGTH],
        .salt = head + ZONE_DENIAL_SALT,
    };
    if (db->end - offset - ZONE_DENIAL_SALT < denial->salt_length)
        return ZONE_DAMAGED;
    denial->table = offset + ZONE_DENIAL_SALT + denial->salt_length;
    if (denial->count == 0 || denial->iterations > ZONE_ITERATIONS_MAX ||
        !words_inside(denial->table, denial->count, db->end))
        return ZONE_DAMAGED;
    return ZONE_FOUND;
}

static enum zone_result denial_node(const struct zone_db *db, const struct zone_denial *denial,
                                    uint32_t index, struct zone_node *node)
{
    uint32_t offset = load_le32(db->bytes + denial->table + (size_t)index * 4);
    return node_load(db, offset, node) > 0 ? ZONE_FOUND : ZONE_DAMAGED;
}

/* The nodes from one up to its zone's apex. */
struct path {
    unsigned count;
    uint32_t offsets[DNS_LABELS_MAX + 1]; /* the apex is the last */
};

static bool path_make(const struct zone_db *db, const struct zone_node *node, struct path *path)
{
    struct zone_node here = *node;

    path->count = 0;
    for (;;) {
        path->offsets[path->count++] = here.offset;
        if (here.flags & ZONE_FLAG_APEX)
            return true;
        if (path->count > DNS_LABELS_MAX || node_load(db, here.parent, &here) == 0)
            return false;
    }
}

static int label_compare(const uint8_t *left, size_t left_length, const uint8_t *right,
                         size_t right_length)
{
    int difference = memcmp(left, right, left_length < right_length ? left_length : right_length);
    return difference != 0 ? difference : (int)left_length - (int)right_length;
}

/* Compares a suffix of a name, which lies in the node's zone, with a node's name in canonical
 * order. */
static enum zone_result node_compare(const struct zone_db *db, const struct dns_name *name,
                                     unsigned label, const struct zone_node *node, int *order)
{
    struct path path;
    struct zone_node here;

    if (!path_make(db, node, &path) || node_load(db, path.offsets[path.count - 1], &here) == 0)
        return ZONE_DAMAGED;
    unsigned below = name->labels; /* the first label of the apex in `name` */
    while (below > label && name_suffix_length(name, below) < here.name_length)
        below--;
    for (unsigned at = path.count - 1; at > 0 && below > label; at--) {
        const uint8_t *own = name->folded + name->label_at[--below];
        if (node_load(db, path.offsets[at - 1], &here) == 0)
            return ZONE_DAMAGED;
        *order = label_compare(own + 1, own[0], here.name, here.name_length);
        if (*order != 0)
            return ZONE_FOUND;
        path.count--;
    }
    *order = (int)(below - label) - (int)(path.count - 1);
    return ZONE_FOUND;
}

enum zone_result zone_nsec_find(const struct zone_db *db, const struct zone_denial *denial,
                                const struct dns_name *name, unsigned label, struct zone_node *node,
                                bool *same)
{
    uint32_t low = 0, high = denial->count; /* [low] is behind all that aren't behind the name */
    int order;

    *same = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (denial_node(db, denial, middle, node) != ZONE_FOUND ||
            node_compare(db, name, label, node, &order) != ZONE_FOUND)
            return ZONE_DAMAGED;
        *same = order == 0;
        if (*same)
            return ZONE_FOUND;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return denial_node(db, denial, (low == 0 ? denial->count : low) - 1, node);
}

enum zone_result zone_nsec3_find(const struct zone_db *db, const struct zone_denial *denial,
                                 const uint8_t *hash, struct zone_node *node, bool *same)
{
    uint32_t low = 0, high = denial->count;

    *same = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (denial_node(db, denial, middle, node) != ZONE_FOUND ||
            node->name_length != ZONE_HASH_LABEL)
            return ZONE_DAMAGED;
        int order = memcmp(hash, node->name, ZONE_HASH_LABEL);
        *same = order == 0;
        if (*same)
            return ZONE_FOUND;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return denial_node(db, denial, (low == 0 ? denial->count : low) - 1, node);
}

size_t zone_node_name(const struct zone_db *db, const struct zone_node *node, uint8_t *name)
{
    struct zone_node here = *node;
    size_t length = 0;

    while (!(here.flags & ZONE_FLAG_APEX)) {
        if (length + 1 + here.name_length > DNS_NAME_MAX || here.name_length == 0)
            return 0;
        name[length] = here.name_length;
        memcpy(name + length + 1, here.name, here.name_length);
        length += 1 + (size_t)here.name_length;
        if (node_load(db, here.parent, &here) == 0)
            return 0;
    }
    if (length + here.name_length > DNS_NAME_MAX)
        return 0;
    memcpy(name + length, here.name, here.name_length);
    return length + here.name_length;
}
