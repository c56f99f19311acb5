/* SPDX-License-Identifier: ISC
 *
 * Answering, see answer.h: parse the query, resolve its name to RRsets in the message, add
 * addresses, then the OPT record, then the header.
 */
#include "servers/dnsd/answer.h"

#include "servers/dnsd/answer_state.h"

#define COUNTER(name) #name,
const char answer_counter_names[ANSWER_COUNTER_COUNT][20] = {ANSWER_COUNTERS(COUNTER)};
#undef COUNTER

_Static_assert(ANSWER_COUNT_yxdomain - ANSWER_COUNT_noerror == DNS_YXDOMAIN,
               "the counters of response codes are in the order of the codes");

enum dns_rcode answer_damaged(struct answer *answer)
{
    answer->counters->count[ANSWER_COUNT_database_damaged]++;
    return DNS_SERVFAIL;
}

enum message_result answer_rrset(const struct answer *answer, const struct zone_rrset *rrset,
                                 uint32_t ttl, struct zone_rrset *signature,
                                 struct message_rrset *made)
{
    *made = (struct message_rrset){.rrset = rrset, .ttl = ttl};
    if (!answer->query->dnssec_ok)
        return MESSAGE_DONE;
    switch (zone_signature(rrset, signature)) {
    case ZONE_FOUND:
        made->signature = signature;
        return MESSAGE_DONE;
    case ZONE_ABSENT:
        return MESSAGE_DONE;
    default:
        return MESSAGE_DAMAGED;
    }
}

/* Appends an RRset whose owner is the current name from label `label` on, and returns `rcode`. What
 * doesn't fit truncates the answer. */
static enum dns_rcode put(struct answer *answer, enum message_section section, unsigned label,
                          const struct zone_rrset *rrset, uint32_t ttl, enum dns_rcode rcode)
{
    struct zone_rrset signature;
    struct message_rrset made;
    enum message_result result = MESSAGE_DONE;

    if (answer->query->dnssec_ok)
        result = answer_rrset(answer, rrset, ttl, &signature, &made);
    else
        made = (struct message_rrset){.rrset = rrset, .ttl = ttl};
    if (result == MESSAGE_DONE)
        result = message_put_rrset(&answer->message, section, answer->name, label, &made);
    switch (result) {
    case MESSAGE_DONE:
        return rcode;
    case MESSAGE_NO_ROOM:
        answer->truncated = true;
        return rcode;
    default:
        return answer_damaged(answer);
    }
}

/* Notes what kind of answer this is, for the rate limit. */
static void classify(struct answer *answer, enum rrl_class class, uint32_t node)
{
    answer->class = class;
    answer->class_node = node;
}

/* NODATA or NXDOMAIN: the SOA record, living no longer than its MINIMUM field (RFC 2308 3), and
 * the proof. */
static enum dns_rcode put_negative(struct answer *answer, enum dns_rcode rcode, enum denial denial)
{
    struct zone_match encloser = answer->match;
    struct zone_rrset soa;

    if (zone_match_apex(answer->db, answer->name, &answer->match) != ZONE_FOUND ||
        zone_rrset_find(&answer->match.node, DNS_TYPE_SOA, &soa) != ZONE_FOUND ||
        soa.end - soa.records < 4)
        return answer_damaged(answer);
    uint32_t minimum = load_be32(soa.end - 4);
    uint32_t ttl = minimum < soa.ttl ? minimum : soa.ttl;
    classify(answer, rcode == DNS_NXDOMAIN ? RRL_NXDOMAIN : RRL_NODATA, answer->match.node.offset);
    rcode = put(answer, MESSAGE_AUTHORITY, answer->match.label, &soa, ttl, rcode);
    if (!answer->query->dnssec_ok || answer->truncated || rcode == DNS_SERVFAIL)
        return rcode;
    enum dns_rcode proved = denial_put(answer, denial, answer->name, &encloser);
    return proved == DNS_NOERROR ? rcode : proved;
}

/* Appends what says whether the zone behind a cut is signed: its DS RRset, or the proof that there
 * is none (RFC 4035 3.1.4). A zone that isn't signed itself can't say. */
static enum dns_rcode put_ds(struct answer *answer)
{
    struct zone_match apex = answer->match;
    struct zone_rrset ds;

    if (zone_match_apex(answer->db, answer->name, &apex) != ZONE_FOUND)
        return answer_damaged(answer);
    if (!(apex.node.flags & ZONE_FLAG_SIGNED))
        return DNS_NOERROR;
    switch (zone_rrset_find(&answer->match.node, DNS_TYPE_DS, &ds)) {
    case ZONE_FOUND:
        return put(answer, MESSAGE_AUTHORITY, answer->match.label, &ds, ds.ttl, DNS_NOERROR);
    case ZONE_ABSENT:
        return denial_put(answer, DENIAL_DS, answer->name, &answer->match);
    default:
        return answer_damaged(answer);
    }
}

/* Refers to the name servers of the cut at or above the match. */
static enum dns_rcode put_referral(struct answer *answer)
{
    struct zone_rrset ns;

    if (zone_match_cut(answer->db, answer->name, &answer->match) != ZONE_FOUND ||
        zone_rrset_find(&answer->match.node, DNS_TYPE_NS, &ns) != ZONE_FOUND)
        return answer_damaged(answer);
    answer->referral = answer->match.node.offset;
    classify(answer, RRL_REFERRAL, answer->referral);
    if (answer->alias_count == 0)
        answer->authoritative = false;
    enum dns_rcode rcode =
        put(answer, MESSAGE_AUTHORITY, answer->match.label, &ns, ns.ttl, DNS_NOERROR);
    return answer->query->dnssec_ok && !answer->truncated && rcode == DNS_NOERROR ? put_ds(answer)
                                                                                  : rcode;
}

/* Whether the alias at this node has been followed already. */
static bool alias_seen(const struct answer *answer, uint32_t node)
{
    for (unsigned index = 0; index < answer->alias_count; index++) {
        if (answer->aliases[index] == node)
            return true;
    }
    return false;
}

/* Whether the alias at this node is in the answer with the node's own name as its owner: where a
 * wildcard was followed it has another. */
static bool alias_is_in_answer(const struct answer *answer, uint32_t node)
{
    for (unsigned index = 0; index < answer->alias_count; index++) {
        if (answer->aliases[index] == node && !(answer->wildcard_aliases >> index & 1))
            return true;
    }
    return false;
}

/* Whether the aliases led from the question's name, which this wildcard's alias was given for, back
 * to it. */
static bool alias_leads_to_question(const struct answer *answer, uint32_t wildcard)
{
    const struct dns_name *name = &answer->query->name;

    return answer->alias_count > 0 && answer->aliases[0] == wildcard &&
           answer->name->length == name->length &&
           name_suffix_is(answer->name, 0, name->wire, name->length);
}

/* Goes on with the name in an alias' record, which is in the message already. */
static enum dns_rcode follow(struct answer *answer, const struct zone_rrset *alias)
{
    const uint8_t *at = alias->records;
    struct zone_record record;

    if (zone_record_next(alias, &at, &record) != ZONE_FOUND ||
        name_parse(&answer->target, record.rdata, record.length) == 0)
        return answer_damaged(answer);
    answer->name = &answer->target;
    answer->follow = !answer->truncated;
    return DNS_NOERROR;
}

/* Puts the labels of the current name below the match before the target of its DNAME record.
 * Returns the length of the name made, 0 when that is above 255 octets. */
static size_t substitute(const struct answer *answer, const struct zone_record *dname,
                         uint8_t *name)
{
    size_t prefix = answer->name->label_at[answer->match.label];

    if (prefix + dname->length > DNS_NAME_MAX)
        return 0;
    memcpy(name, answer->name->wire, prefix);
    memcpy(name + prefix, dname->rdata, dname->length);
    return prefix + dname->length;
}

/* Makes a CNAME RRset for the current name from the DNAME record above it (RFC 6672 2.2). */
static enum dns_rcode synthesize(struct answer *answer, const struct zone_rrset *dname,
                                 struct zone_rrset *cname)
{
    uint8_t *made = answer->synthesized[answer->synthesized_count++].record;
    const uint8_t *at = dname->records;
    struct zone_record record;

    if (zone_record_next(dname, &at, &record) != ZONE_FOUND)
        return answer_damaged(answer);
    size_t length = substitute(answer, &record, made + 2);
    store_be16(made, (unsigned)length);
    *cname = (struct zone_rrset){
        .type = DNS_TYPE_CNAME,
        .shape = 1 << ZONE_SHAPE_NAMES_SHIFT | ZONE_SHAPE_COMPRESS,
        .ttl = dname->ttl,
        .records = made,
        .end = made + 2 + length,
        .node_end = made + 2 + length,
    };
    return length == 0 ? DNS_YXDOMAIN : DNS_NOERROR;
}

/* Whether the name made from a DNAME record is below that record again, and so would be for ever.
 */
static bool leads_back(const struct answer *answer, const struct zone_rrset *cname)
{
    unsigned label = answer->match.label;
    size_t owner = name_suffix_length(answer->name, label);
    size_t made = (size_t)(cname->end - cname->records) - 2;

    return made >= owner + answer->name->label_at[label] &&
           name_suffix_is(answer->name, label, cname->end - owner, owner);
}

/* Answers from the DNAME record above the current name: that, unless it is in the answer already,
 * and a CNAME record made from it. */
static enum dns_rcode put_redirection(struct answer *answer)
{
    uint32_t node = answer->match.node.offset;
    struct zone_rrset dname, cname;

    if (zone_rrset_find(&answer->match.node, DNS_TYPE_DNAME, &dname) != ZONE_FOUND)
        return answer_damaged(answer);
    if (answer->synthesized_count == ANSWER_SYNTHESIZED_MAX ||
        answer->alias_count == ANSWER_CHAIN_MAX) {
        answer->counters->count[ANSWER_COUNT_chain_cut]++;
        return DNS_NOERROR;
    }
    if (answer->alias_count == 0)
        classify(answer, RRL_ANSWER, node);
    enum dns_rcode rcode = synthesize(answer, &dname, &cname);
    if (rcode != DNS_SERVFAIL && !alias_seen(answer, node))
        rcode = put(answer, MESSAGE_ANSWER, answer->match.label, &dname, dname.ttl, rcode);
    answer->aliases[answer->alias_count++] = node;
    if (rcode == DNS_NOERROR && !answer->truncated)
        rcode = put(answer, MESSAGE_ANSWER, 0, &cname, cname.ttl, DNS_NOERROR);
    if (rcode != DNS_NOERROR || answer->query->type == DNS_TYPE_CNAME)
        return rcode;
    return leads_back(answer, &cname) ? DNS_NOERROR : follow(answer, &cname);
}

/* Finds the next RRset of signatures that belong to the node's own zone: with the DS RRset an apex
 * has its signatures from the parent's. */
static enum zone_result signatures_next(const struct zone_node *node, const uint8_t **at,
                                        struct zone_rrset *rrset)
{
    for (;;) {
        enum zone_result result = zone_rrset_next(node, at, rrset);
        if (result != ZONE_FOUND)
            return result;
        bool parents = node->flags & ZONE_FLAG_APEX && rrset->end - rrset->records >= 4 &&
                       load_be16(rrset->records + 2) == DNS_TYPE_DS;
        if (rrset->type == DNS_TYPE_RRSIG && !parents)
            return ZONE_FOUND;
    }
}

/* Finds the RRset that the query wants: of its type, a CNAME, or the first for ANY, of which one is
 * enough (RFC 8482 4.1). */
static enum zone_result choose_rrset(const struct answer *answer, const struct zone_node *node,
                                     struct zone_rrset *rrset)
{
    const uint8_t *at = node->rrsets;

    if (answer->query->type == DNS_TYPE_ANY)
        return zone_rrset_next(node, &at, rrset);
    enum zone_result result = answer->query->type == DNS_TYPE_RRSIG
                                  ? signatures_next(node, &at, rrset)
                                  : zone_rrset_find(node, answer->query->type, rrset);
    return result == ZONE_ABSENT ? zone_rrset_find(node, DNS_TYPE_CNAME, rrset) : result;
}

/* Notes that a wildcard answers for the current name. */
static void expansion_add(struct answer *answer)
{
    if (!answer->query->dnssec_ok)
        return;
    if (answer->expansion_count == ANSWER_PROOFS_MAX) {
        answer->truncated = true;
        return;
    }
    answer->expansions[answer->expansion_count++] =
        (struct expansion){answer->name->wire, answer->name->length, (uint8_t)answer->match.label};
}

/* Appends the RRset that was asked for. RRSIG records are several RRsets, by what they cover. */
static enum dns_rcode put_chosen(struct answer *answer, const struct zone_node *node,
                                 const struct zone_rrset *chosen)
{
    const uint8_t *at = chosen->end;
    struct zone_rrset rrset = *chosen;
    enum dns_rcode rcode = put(answer, MESSAGE_ANSWER, 0, chosen, chosen->ttl, DNS_NOERROR);

    if (answer->query->type != DNS_TYPE_RRSIG)
        return rcode;
    while (rcode == DNS_NOERROR && !answer->truncated) {
        enum zone_result result = signatures_next(node, &at, &rrset);
        if (result == ZONE_DAMAGED)
            return answer_damaged(answer);
        if (result == ZONE_ABSENT)
            break;
        rcode = put(answer, MESSAGE_ANSWER, 0, &rrset, rrset.ttl, rcode);
    }
    return rcode;
}

/* Answers from the RRsets of a node, which is the current name or the wildcard it matches. */
static enum dns_rcode put_from(struct answer *answer, const struct zone_node *node, bool wildcard)
{
    struct zone_rrset rrset;
    uint16_t type = answer->query->type;

    switch (choose_rrset(answer, node, &rrset)) {
    case ZONE_DAMAGED:
        return answer_damaged(answer);
    case ZONE_ABSENT:
        return put_negative(answer, DNS_NOERROR, wildcard ? DENIAL_WILDCARD_TYPE : DENIAL_TYPE);
    default:
        break;
    }
    bool alias = rrset.type == DNS_TYPE_CNAME && type != DNS_TYPE_CNAME && type != DNS_TYPE_ANY;
    if (alias && (alias_seen(answer, node->offset) || answer->alias_count == ANSWER_CHAIN_MAX)) {
        answer->counters->count[ANSWER_COUNT_chain_cut]++;
        /* In a loop the record is in the answer, unless it had or has another owner, which a
         * wildcard gave it. */
        if (answer->match.label == 0
                ? !alias_seen(answer, node->offset) || alias_is_in_answer(answer, node->offset)
                : alias_leads_to_question(answer, node->offset))
            return DNS_NOERROR;
        alias = false;
    }
    if (answer->alias_count == 0)
        classify(answer, RRL_ANSWER, node->offset);
    if (alias) {
        answer->wildcard_aliases |= (uint16_t)(wildcard << answer->alias_count);
        answer->aliases[answer->alias_count++] = node->offset;
    }
    if (!wildcard && rrset.type == DNS_TYPE_DNAME && alias_seen(answer, node->offset))
        return DNS_NOERROR; /* it led here, and is in the answer */
    if (wildcard)
        expansion_add(answer);
    enum dns_rcode rcode = put_chosen(answer, node, &rrset);
    return alias && rcode == DNS_NOERROR ? follow(answer, &rrset) : rcode;
}

/* Answers for the current name from the zone in which it was found. */
static enum dns_rcode resolve_in_zone(struct answer *answer)
{
    const struct zone_match *match = &answer->match;
    struct zone_node wildcard;

    if (match->label == 0)
        return put_from(answer, &match->node, false);
    if (match->node.flags & ZONE_FLAG_DNAME)
        return put_redirection(answer);
    switch (zone_wildcard(answer->db, &match->node, &wildcard)) {
    case ZONE_DAMAGED:
        return answer_damaged(answer);
    case ZONE_ABSENT:
        return put_negative(answer, DNS_NXDOMAIN, DENIAL_NAME);
    default:
        return put_from(answer, &wildcard, true);
    }
}

/* DS records of a zone belong to its parent's zone, if we serve that too (RFC 4035 3.1.4.1). */
static enum dns_rcode resolve_ds(struct answer *answer)
{
    struct zone_node apex = answer->match.node;
    struct zone_match parent;

    switch (zone_find(answer->db, answer->name, 1, &parent)) {
    case ZONE_DAMAGED:
        return answer_damaged(answer);
    case ZONE_ABSENT:
        break;
    default:
        answer->match = parent;
        if (parent.node.flags & (ZONE_FLAG_CUT | ZONE_FLAG_OCCLUDED))
            return put_referral(answer);
    }
    return put_from(answer, &apex, false);
}

static enum dns_rcode resolve_name(struct answer *answer)
{
    bool ds = answer->query->type == DNS_TYPE_DS;

    answer->follow = false;
    switch (zone_find(answer->db, answer->name, 0, &answer->match)) {
    case ZONE_DAMAGED:
        return answer_damaged(answer);
    case ZONE_ABSENT:
        if (answer->authoritative)
            return DNS_NOERROR;
        answer->extended_error = DNS_ERROR_NOT_AUTHORITATIVE;
        return DNS_REFUSED;
    default:
        break;
    }
    bool exact = answer->match.label == 0;
    uint8_t flags = answer->match.node.flags;
    answer->authoritative = true;
    if (ds && exact && flags & ZONE_FLAG_APEX)
        return resolve_ds(answer);
    if (flags & ZONE_FLAG_OCCLUDED || (flags & ZONE_FLAG_CUT && !(ds && exact)))
        return put_referral(answer);
    return resolve_in_zone(answer);
}

/* Zones aren't transferred: REFUSED for those that we have. */
static enum dns_rcode judge_transfer(struct answer *answer)
{
    if (zone_find(answer->db, &answer->query->name, 0, &answer->match) == ZONE_FOUND &&
        answer->match.label == 0 && answer->match.node.flags & ZONE_FLAG_APEX)
        return DNS_REFUSED;
    return DNS_NOTAUTH;
}

/* Whether a name lies at or below an apex. */
static bool is_below(const struct dns_name *name, const struct zone_node *apex)
{
    for (unsigned label = 0; label <= name->labels; label++) {
        if (name_suffix_is(name, label, apex->name, apex->name_length))
            return true;
    }
    return false;
}

/* Finds the node with the addresses of a target, which must lie in the zone with this apex; a name
 * server's may lie in a zone below, whose data stand for the glue of this one. Sets *cut to the cut
 * that it lies at or below, or 0. */
static bool find_addresses(struct answer *answer, const struct message_target *target,
                           const struct zone_node *apex, struct zone_node *node, uint32_t *cut)
{
    const struct zone_db *db = answer->db;
    struct zone_match match;

    *cut = 0;
    if (name_parse(&answer->target, target->wire, target->length) == 0 ||
        zone_find(db, &answer->target, 0, &match) != ZONE_FOUND)
        return false;
    if (match.label == 0)
        *node = match.node;
    else if (zone_wildcard(db, &match.node, node) != ZONE_FOUND)
        return false;
    if (match.node.flags & (ZONE_FLAG_CUT | ZONE_FLAG_OCCLUDED)) {
        if (!target->glue || zone_match_cut(db, &answer->target, &match) != ZONE_FOUND)
            return false;
        *cut = match.node.offset;
    }
    return zone_match_apex(db, &answer->target, &match) == ZONE_FOUND &&
           (match.node.offset == apex->offset || (target->glue && is_below(&answer->target, apex)));
}

/* Appends the A and the AAAA RRset of a target, those that fit. Without those that are needed the
 * answer is truncated. */
static void put_addresses(struct answer *answer, const struct message_target *target,
                          const struct zone_node *node, bool needed)
{
    static const uint8_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
    struct zone_rrset rrset, signature;
    struct message_rrset made;

    for (unsigned index = 0; index < sizeof types; index++) {
        if (zone_rrset_find(node, types[index], &rrset) != ZONE_FOUND ||
            answer_rrset(answer, &rrset, rrset.ttl, &signature, &made) != MESSAGE_DONE ||
            message_put_rrset_at(&answer->message, MESSAGE_ADDITIONAL, target->offset, &made) !=
                MESSAGE_NO_ROOM)
            continue;
        if (needed)
            answer->truncated = true;
        else
            answer->counters->count[ANSWER_COUNT_additional_omitted]++;
    }
}

/* Appends the addresses of either the needed targets, which are those at or below the cut that a
 * referral names (RFC 9471), or the others. Returns how many were left to the other call. */
static unsigned put_targets(struct answer *answer, const struct zone_node *apex, bool needed)
{
    unsigned left = 0;

    for (unsigned index = 0; index < answer->message.target_count; index++) {
        const struct message_target *target = &answer->message.targets[index];
        struct zone_node node;
        uint32_t cut;
        if (!find_addresses(answer, target, apex, &node, &cut))
            continue;
        if ((answer->referral != 0 && cut == answer->referral) == needed)
            put_addresses(answer, target, &node, needed);
        else
            left++;
    }
    return left;
}

static void put_additional(struct answer *answer)
{
    if (answer->message.target_count == 0 || answer->truncated ||
        (answer->config->minimal && answer->referral == 0) ||
        zone_match_apex(answer->db, answer->name, &answer->match) != ZONE_FOUND)
        return;
    struct zone_node apex = answer->match.node;
    if (answer->referral == 0 || put_targets(answer, &apex, true) > 0)
        put_targets(answer, &apex, false);
    if (answer->referral != 0 && answer->message.targets_lost)
        answer->truncated = true;
}

/* Proves for each name that a wildcard answered for that it isn't there itself. The message's
 * scratch name is free: data of NSEC, NSEC3 and RRSIG records is copied as it is. */
static enum dns_rcode put_expansions(struct answer *answer, enum dns_rcode rcode)
{
    for (unsigned index = 0; index < answer->expansion_count && rcode != DNS_SERVFAIL; index++) {
        const struct expansion *expansion = &answer->expansions[index];
        struct dns_name *name = &answer->message.scratch;
        struct zone_match match;
        if (name_parse(name, expansion->wire, expansion->length) == 0 ||
            zone_find(answer->db, name, expansion->encloser, &match) != ZONE_FOUND)
            return answer_damaged(answer);
        enum dns_rcode proved = denial_put(answer, DENIAL_WILDCARD, name, &match);
        if (proved != DNS_NOERROR)
            rcode = proved;
    }
    return rcode;
}

/* Resolves a query that has nothing wrong with it. */
static enum dns_rcode resolve(struct answer *answer)
{
    enum dns_rcode rcode;

    if (answer->query->class == DNS_CLASS_CH)
        return chaos_resolve(answer);
    if (answer->query->type == DNS_TYPE_IXFR)
        return judge_transfer(answer);
    answer->name = &answer->query->name;
    do
        rcode = resolve_name(answer);
    while (answer->follow);
    if (!answer->truncated)
        rcode = put_expansions(answer, rcode);

    if (rcode == DNS_SERVFAIL) {
        message_clear(&answer->message, answer->query->question_end);
        answer->authoritative = false;
        answer->truncated = false;
    }
    put_additional(answer);
    return rcode;
}

static void put_header(const struct answer *answer, enum dns_rcode rcode)
{
    const struct query *query = answer->query;
    uint8_t *out = answer->message.bytes;

    out[0] = query->bytes[0];
    out[1] = query->bytes[1];
    out[2] = (uint8_t)((query->bytes[2] & (DNS_OPCODE_MASK | DNS_FLAG_RD)) | DNS_FLAG_QR |
                       (answer->authoritative && query->class == DNS_CLASS_IN ? DNS_FLAG_AA : 0) |
                       (answer->truncated ? DNS_FLAG_TC : 0));
    out[3] = rcode & 0x0f;
    out = store_be16(out + 4, query->question_end > 0);
    for (unsigned section = 0; section < MESSAGE_SECTIONS; section++)
        out = store_be16(out, answer->message.counts[section]);
}

static enum answer_counter rcode_counter(enum dns_rcode rcode)
{
    switch (rcode) {
    case DNS_BADVERS:
        return ANSWER_COUNT_badvers;
    case DNS_NOTAUTH:
        return ANSWER_COUNT_notauth;
    default:
        return (enum answer_counter)(ANSWER_COUNT_noerror + rcode);
    }
}

static void count_answer(struct answer_counters *counters, const struct answer *answer,
                         enum dns_rcode rcode)
{
    counters->count[rcode_counter(rcode)]++;
    if (answer->truncated)
        counters->count[ANSWER_COUNT_truncated]++;
}

/* The octets an answer to this query may take (RFC 6891 6.2.5). */
static size_t size_limit(const struct query *query, unsigned udp_size, size_t capacity)
{
    size_t limit = DNS_UDP_SIZE_MIN;

    if (query->edns && query->udp_size > limit)
        limit = query->udp_size < udp_size ? query->udp_size : udp_size;
    return limit < capacity ? limit : capacity;
}

/* Whether the rate limit lets the answer go out; it may empty it. */
static bool rate_allows(struct answer *answer, enum dns_rcode rcode)
{
    const struct answer_client *client = answer->client;
    enum { MILLISECOND = 1000000 };

    if (answer->config->rrl.rate == 0 || client == NULL || answer->cookie_good)
        return true;
    if (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
        classify(answer, RRL_ERROR, 0);
    uint32_t now = (uint32_t)(client->time(client->context) / MILLISECOND);
    enum rrl_verdict verdict = rrl_judge(client->rrl, &answer->config->rrl, client->address,
                                         answer->class, answer->class_node, now);
    if (verdict == RRL_SLIP) {
        answer->counters->count[ANSWER_COUNT_rate_slipped]++;
        message_clear(&answer->message, answer->query->question_end > 0
                                            ? answer->query->question_end
                                            : DNS_HEADER_SIZE);
        answer->truncated = true;
    }
    return verdict != RRL_DROP;
}

/* Starts an answer with nothing in it. */
static void answer_begin(struct answer *answer, const struct query *query)
{
    answer->query = query;
    answer->authoritative = false;
    answer->truncated = false;
    answer->follow = false;
    answer->cookie_sent = false;
    answer->cookie_good = false;
    answer->alias_count = 0;
    answer->wildcard_aliases = 0;
    answer->synthesized_count = 0;
    answer->expansion_count = 0;
    answer->proof_count = 0;
    answer->referral = 0;
    answer->extended_error = DNS_ERROR_NONE;
    classify(answer, RRL_ERROR, 0);
}

/* Answers a checked query, or one in which the parser found `rcode` wrong. */
static size_t answer_parsed(struct answer *answer, const struct query *query, unsigned udp_size,
                            enum dns_rcode rcode, uint8_t *bytes, size_t capacity)
{
    size_t limit = size_limit(query, udp_size, capacity);
    size_t length = query->question_end > 0 ? query->question_end : DNS_HEADER_SIZE;

    answer_begin(answer, query);
    copy_octets(bytes + DNS_HEADER_SIZE, query->bytes + DNS_HEADER_SIZE, length - DNS_HEADER_SIZE);
    message_begin(&answer->message, bytes, length, limit - (query->edns ? opt_begin(answer) : 0),
                  &query->name);
    if (rcode == DNS_NOERROR && query->question_end > 0)
        rcode = resolve(answer);
    else if (rcode == DNS_NOERROR && !answer->cookie_sent)
        rcode = DNS_FORMERR; /* no question, nor a cookie for which it would be allowed */
    if (!rate_allows(answer, rcode)) {
        answer->counters->count[ANSWER_COUNT_dropped_rate]++;
        return 0;
    }
    if (query->edns)
        opt_put(answer, udp_size, rcode);
    put_header(answer, rcode);
    count_answer(answer->counters, answer, rcode);
    return answer->message.length;
}

size_t answer_client_query(const struct zone_db *db, const struct answer_config *config,
                           const struct answer_client *client, struct answer_counters *counters,
                           const uint8_t *query, size_t query_length, uint8_t *answer,
                           size_t answer_capacity)
{
    unsigned udp_size = config->udp_size < DNS_UDP_SIZE_MIN ? DNS_UDP_SIZE_MIN : config->udp_size;
    enum answer_counter drop = ANSWER_COUNTER_COUNT;
    struct query parsed;
    struct answer state;

    if (query_length < DNS_HEADER_SIZE)
        drop = ANSWER_COUNT_dropped_short;
    else if (query[2] & DNS_FLAG_QR)
        drop = ANSWER_COUNT_dropped_response;
    else if (answer_capacity < ANSWER_CAPACITY_MIN)
        drop = ANSWER_COUNT_dropped_no_capacity;
    if (drop != ANSWER_COUNTER_COUNT) {
        counters->count[drop]++;
        return 0;
    }
    enum dns_rcode rcode = query_parse(&parsed, query, query_length);
    state.db = db;
    state.config = config;
    state.client = client;
    state.counters = counters;
    return answer_parsed(&state, &parsed, udp_size, rcode, answer, answer_capacity);
}

size_t answer_query(const struct zone_db *db, const struct answer_config *config,
                    struct answer_counters *counters, const uint8_t *query, size_t query_length,
                    uint8_t *answer, size_t answer_capacity)
{
    return answer_client_query(db, config, NULL, counters, query, query_length, answer,
                               answer_capacity);
}
