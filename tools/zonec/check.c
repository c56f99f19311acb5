/* SPDX-License-Identifier: ISC
 *
 * Judging what was read, see check.h.
 */
#define _GNU_SOURCE 1 /* qsort_r */
#include "tools/zonec/check.h"

#include <stdlib.h>

#include "servers/dnsd/zone_format.h"
#include "tools/zonec/shape.h"

/* What an RRset takes in the database is a 16-bit number. */
enum { RRSET_SIZE_MAX = 0xffff };

static const char *node_text(const struct store *store, uint32_t node, char *text)
{
    uint8_t name[STORE_NAME_SIZE];
    return name_text(text, name, store_node_name(store, node, name));
}

static bool node_is_apex(const struct store *store, uint32_t node)
{
    return store->nodes[node].parent == STORE_NONE;
}

static struct place zone_place(const struct store *store, uint32_t node)
{
    return (struct place){store->zones[store->nodes[node].zone].file, 0};
}

/* Hides what other zones hold at and below the apex of a zone that is compiled too. Parents come
 * before their children. */
static void hide_nodes(struct store *store)
{
    uint8_t name[STORE_NAME_SIZE];

    if (store->zone_count < 2)
        return;
    for (uint32_t index = 0; index < store->node_count; index++) {
        struct store_node *node = &store->nodes[index];
        if (node->parent == STORE_NONE || node->unlisted)
            continue;
        size_t length = store_node_name(store, index, name);
        node->hidden =
            store->nodes[node->parent].hidden || store_apex_find(store, name, length) != STORE_NONE;
    }
}

/* Types that are expected in the parent's zone at a cut and below it. */
static bool type_is_at_cut(uint16_t type)
{
    return type == DNS_TYPE_NS || type == DNS_TYPE_DS || type == DNS_TYPE_A ||
           type == DNS_TYPE_AAAA || type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC;
}

/* Decides about a record of a hidden node: DS moves to the apex of the same name, with its
 * signatures; NSEC and its signatures stay, to prove that there is no DS. Returns whether the
 * record stays. */
static bool hidden_record_stays(struct store *store, struct store_record *record)
{
    uint8_t name[STORE_NAME_SIZE];
    char text[NAME_TEXT_SIZE];
    size_t length = store_node_name(store, record->node, name);
    struct store_node *node = &store->nodes[record->node];
    uint32_t apex = store_apex_find(store, name, length);
    uint16_t type = record->type == DNS_TYPE_RRSIG ? store_covered(store, record) : record->type;

    if (type == DNS_TYPE_DS && apex != STORE_NONE) {
        record->node = apex;
        return true;
    }
    if (type == DNS_TYPE_NSEC && apex != STORE_NONE && !store->nodes[node->parent].hidden) {
        node->unlisted = true;
        return true;
    }
    if (!type_is_at_cut(record->type))
        report_warning(store->report, record->place,
                       "%s is answered from another zone compiled with this one, record dropped",
                       name_text(text, name, length));
    return false;
}

/* Drops records that have no place where they are, before anything is sorted. */
static void sift_records(struct store *store)
{
    size_t kept = 0;

    for (size_t index = 0; index < store->record_count; index++) {
        struct store_record record = store->records[index];
        if (store->nodes[record.node].hidden) {
            if (!hidden_record_stays(store, &record))
                continue;
        } else if (record.type == DNS_TYPE_DS && node_is_apex(store, record.node)) {
            report_warning(store->report, record.place,
                           "DS at the apex belongs to the parent's zone, record dropped");
            continue;
        }
        store->records[kept++] = record;
    }
    store->record_count = kept;
}

/* Compares two runs of octets as names: without case. */
static int compare_folded(const uint8_t *left, const uint8_t *right, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        int difference = name_fold(left[at]) - name_fold(right[at]);
        if (difference != 0)
            return difference;
    }
    return 0;
}

static int compare_rdata(const struct store *store, const struct store_record *left,
                         const struct store_record *right)
{
    const uint8_t *left_data = store->octets + left->rdata;
    const uint8_t *right_data = store->octets + right->rdata;
    uint8_t shape = shape_of_type(left->type);
    size_t length = left->length < right->length ? left->length : right->length;
    size_t prefix = length;

    /* The names of SOA records are followed by numbers, but there may be only one. */
    if (shape != 0 && left->type != DNS_TYPE_SOA && (shape & ZONE_SHAPE_PREFIX) < length)
        prefix = shape & ZONE_SHAPE_PREFIX;
    int difference = memcmp(left_data, right_data, prefix);
    if (difference == 0)
        difference = compare_folded(left_data + prefix, right_data + prefix, length - prefix);
    return difference != 0 ? difference : left->length - right->length;
}

static int compare_places(struct place left, struct place right)
{
    if (left.file != right.file)
        return left.file < right.file ? -1 : 1;
    return left.line < right.line ? -1 : left.line > right.line;
}

static int compare_records(const void *left_record, const void *right_record, void *store)
{
    const struct store_record *left = left_record, *right = right_record;

    if (left->node != right->node)
        return left->node < right->node ? -1 : 1;
    uint32_t left_rank = store_rank(store, left), right_rank = store_rank(store, right);
    if (left_rank != right_rank)
        return left_rank < right_rank ? -1 : 1;
    int difference = compare_rdata(store, left, right);
    return difference != 0 ? difference : compare_places(left->place, right->place);
}

/* Removes records that are equal but for their TTL; of the TTLs the first one stays. */
static void drop_duplicates(struct store *store)
{
    char text[NAME_TEXT_SIZE];
    size_t kept = 0;

    for (size_t index = 0; index < store->record_count; index++) {
        const struct store_record *record = &store->records[index];
        const struct store_record *last = kept > 0 ? &store->records[kept - 1] : NULL;
        if (last != NULL && last->node == record->node && last->type == record->type &&
            compare_rdata(store, last, record) == 0) {
            report_warning(store->report, record->place,
                           "the same record of %s is in line %u, this one is dropped",
                           node_text(store, record->node, text), last->place.line);
            continue;
        }
        store->records[kept++] = *record;
    }
    store->record_count = kept;
}

static void assign_records(struct store *store)
{
    for (uint32_t index = 0; index < store->record_count; index++) {
        struct store_node *node = &store->nodes[store->records[index].node];
        if (node->record_count++ == 0)
            node->first_record = index;
    }
}

/* The records of one type at one node. */
struct run {
    struct store_record *records;
    uint32_t count;
};

static struct run find_run(const struct store *store, uint32_t index, uint16_t type)
{
    const struct store_node *node = &store->nodes[index];
    struct run run = {NULL, 0};

    for (uint32_t at = 0; at < node->record_count; at++) {
        struct store_record *record = &store->records[node->first_record + at];
        if (record->type != type)
            continue;
        if (run.count++ == 0)
            run.records = record;
    }
    return run;
}

/* Marks cuts and what lies below them, wildcards and DNAME owners. Parents come before their
 * children, so one pass does. */
static void set_flags(struct store *store)
{
    for (uint32_t index = 0; index < store->node_count; index++) {
        struct store_node *node = &store->nodes[index];
        if (node->unlisted)
            continue;
        if (find_run(store, index, DNS_TYPE_DNAME).count > 0)
            node->flags |= ZONE_FLAG_DNAME;
        if (node->parent == STORE_NONE) {
            node->flags |= ZONE_FLAG_APEX;
            continue;
        }
        struct store_node *parent = &store->nodes[node->parent];
        bool star = node->name_length == 1 && store->octets[node->label + 1] == '*';
        if (star && !node->hidden) {
            parent->flags |= ZONE_FLAG_WILDCARD;
            parent->wildcard = index;
        }
        if (parent->flags & (ZONE_FLAG_CUT | ZONE_FLAG_OCCLUDED))
            node->flags |= ZONE_FLAG_OCCLUDED;
        else if (!star && find_run(store, index, DNS_TYPE_NS).count > 0)
            node->flags |= ZONE_FLAG_CUT;
    }
}

static void check_apex(struct store *store, uint32_t apex)
{
    char text[NAME_TEXT_SIZE];
    struct run soa = find_run(store, apex, DNS_TYPE_SOA);

    node_text(store, apex, text);
    if (soa.count == 0)
        report_error(store->report, zone_place(store, apex),
                     "zone %s has no SOA record, add one for that name", text);
    else if (soa.count > 1)
        report_error(store->report, soa.records[1].place,
                     "zone %s has a second SOA record, remove one", text);
    if (find_run(store, apex, DNS_TYPE_NS).count == 0)
        report_error(store->report, zone_place(store, apex),
                     "zone %s has no NS record, add one for that name", text);
}

/* Types that may stand beside a CNAME record (RFC 2181 10.1, RFC 4034 4). */
static bool type_is_beside_cname(uint16_t type)
{
    return type == DNS_TYPE_CNAME || type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC;
}

static void check_cname(struct store *store, uint32_t index)
{
    const struct store_node *node = &store->nodes[index];
    struct run cname = find_run(store, index, DNS_TYPE_CNAME);
    char text[NAME_TEXT_SIZE];

    if (cname.count == 0)
        return;
    if (cname.count > 1)
        report_error(store->report, cname.records[1].place,
                     "%s has a second CNAME record, remove one", node_text(store, index, text));
    for (uint32_t at = 0; at < node->record_count; at++) {
        const struct store_record *other = &store->records[node->first_record + at];
        if (type_is_beside_cname(other->type))
            continue;
        report_error(store->report, cname.records[0].place,
                     "%s has a CNAME record and, in line %u, other data: remove one",
                     node_text(store, index, text), other->place.line);
        return;
    }
}

/* A DNAME record is alone of its kind, not at a cut, and above nothing (RFC 6672 2.3, 2.4). */
static void check_dname(struct store *store, uint32_t index)
{
    const struct store_node *node = &store->nodes[index];
    struct run dname = find_run(store, index, DNS_TYPE_DNAME);
    struct run above = {NULL, 0};
    char text[NAME_TEXT_SIZE];

    if (node->parent != STORE_NONE)
        above = find_run(store, node->parent, DNS_TYPE_DNAME);
    if (above.count > 0 && !node->hidden && !node->unlisted)
        report_error(store->report, above.records[0].place,
                     "a DNAME record, and below it %s: remove one", node_text(store, index, text));
    if (dname.count > 1)
        report_error(store->report, dname.records[1].place,
                     "%s has a second DNAME record, remove one", node_text(store, index, text));
    if (dname.count > 0 && node->flags & ZONE_FLAG_CUT)
        report_error(store->report, dname.records[0].place,
                     "%s has a DNAME record and is delegated, remove one",
                     node_text(store, index, text));
}

static bool node_is_below(const struct store *store, uint32_t node, uint32_t ancestor)
{
    while (node != STORE_NONE && node != ancestor)
        node = store->nodes[node].parent;
    return node == ancestor;
}

static bool name_ends_with(const struct dns_name *name, const struct dns_name *end)
{
    return name->labels >= end->labels &&
           name_suffix_length(name, name->labels - end->labels) == end->length &&
           memcmp(name->folded + name->length - end->length, end->folded, end->length) == 0;
}

/* A name server inside what is delegated to it can't be found without its address. */
static void check_glue(struct store *store, uint32_t cut, const struct store_record *ns)
{
    char text[NAME_TEXT_SIZE], server[NAME_TEXT_SIZE];
    uint32_t zone = store->nodes[cut].zone;
    struct dns_name name, cut_name;
    uint8_t octets[STORE_NAME_SIZE];

    if (name_parse(&name, store->octets + ns->rdata, ns->length) == 0 ||
        name_parse(&cut_name, octets, store_node_name(store, cut, octets)) == 0 ||
        !name_ends_with(&name, &cut_name))
        return;
    uint32_t node = store_node_find(store, zone, &name);
    if (node != STORE_NONE && node_is_below(store, node, cut) &&
        find_run(store, node, DNS_TYPE_A).count + find_run(store, node, DNS_TYPE_AAAA).count > 0)
        return;
    report_warning(store->report, ns->place,
                   "%s is delegated to %s, which has no address here: add an A or AAAA record",
                   node_text(store, cut, text), name_text(server, name.folded, name.length));
}

/* A delegation hides all but its own records. */
static void check_cut(struct store *store, uint32_t index)
{
    const struct store_node *node = &store->nodes[index];
    char text[NAME_TEXT_SIZE];

    for (uint32_t at = 0; at < node->record_count; at++) {
        const struct store_record *record = &store->records[node->first_record + at];
        if (record->type == DNS_TYPE_NS)
            check_glue(store, index, record);
        if (!type_is_at_cut(record->type))
            report_warning(store->report, record->place,
                           "%s is delegated, this record is never answered",
                           node_text(store, index, text));
    }
}

static void check_rrset_size(struct store *store, uint32_t index)
{
    const struct store_node *node = &store->nodes[index];
    char text[NAME_TEXT_SIZE];
    size_t size = 0;
    uint32_t count = 0;

    for (uint32_t at = 0; at < node->record_count; at++) {
        const struct store_record *record = &store->records[node->first_record + at];
        bool first = at == 0 || store_rank(store, &record[-1]) != store_rank(store, record);
        size = (first ? ZONE_RRSET_RECORDS : size) + 2 + record->length;
        count = first ? 1 : count + 1;
        if (size > RRSET_SIZE_MAX) {
            report_error(store->report, record->place,
                         "%s has %u records of type %u, more than an answer can hold: remove some",
                         node_text(store, index, text), count, record->type);
            return;
        }
    }
}

/* All records of an RRset get the lowest of its TTLs (RFC 2181 5.2). */
static void level_ttls(struct store *store, uint32_t index)
{
    const struct store_node *node = &store->nodes[index];
    char text[NAME_TEXT_SIZE];

    if (node->record_count == 0)
        return;
    struct store_record *records = store->records + node->first_record;
    for (uint32_t at = 1; at < node->record_count; at++) {
        uint32_t rank = store_rank(store, &records[at]);
        if (store_rank(store, &records[at - 1]) != rank || records[at].ttl == records[at - 1].ttl)
            continue;
        uint32_t lowest =
            records[at].ttl < records[at - 1].ttl ? records[at].ttl : records[at - 1].ttl;
        report_warning(store->report, records[at].place,
                       "the records of %s, type %u, differ in TTL: %u is used",
                       node_text(store, index, text), records[at].type, lowest);
        for (uint32_t back = at + 1; back-- > 0 && store_rank(store, &records[back]) == rank;)
            records[back].ttl = lowest;
    }
}

static void check_node(struct store *store, uint32_t index)
{
    struct store_node *node = &store->nodes[index];
    struct run soa = find_run(store, index, DNS_TYPE_SOA);
    char text[NAME_TEXT_SIZE];

    if (node->parent == STORE_NONE)
        check_apex(store, index);
    else if (soa.count > 0)
        report_error(store->report, soa.records[0].place,
                     "SOA record of %s, which isn't the zone's name: remove it or mend the name",
                     node_text(store, index, text));
    check_cname(store, index);
    check_dname(store, index);
    if (node->flags & ZONE_FLAG_CUT)
        check_cut(store, index);
    check_rrset_size(store, index);
    level_ttls(store, index);
}

bool store_check(struct store *store)
{
    hide_nodes(store);
    sift_records(store);
    report_progress(store->report, "sorting %zu records", store->record_count);
    if (store->record_count > 0)
        qsort_r(store->records, store->record_count, sizeof *store->records, compare_records,
                store);
    drop_duplicates(store);
    assign_records(store);
    set_flags(store);
    for (uint32_t index = 0; index < store->node_count; index++)
        check_node(store, index);
    return store->report->errors == 0;
}

bool rdata_is_whole(uint16_t type, const uint8_t *rdata, size_t length)
{
    unsigned shape = shape_of_type(type);
    size_t at = shape & ZONE_SHAPE_PREFIX;
    struct dns_name name;

    if (shape == 0)
        return true;
    if (at > length)
        return false;
    for (unsigned names = (shape & ZONE_SHAPE_NAMES) >> ZONE_SHAPE_NAMES_SHIFT; names > 0;
         names--) {
        size_t part = name_parse(&name, rdata + at, length - at);
        if (part == 0)
            return false;
        at += part;
    }
    return at + (type == DNS_TYPE_SOA ? 20 : 0) == length;
}
