/* SPDX-License-Identifier: ISC
 *
 * Finding the RRsets that answer a question (RFC 1034 4.3.2): from the question's name on along its
 * aliases, through all zones that are here.
 */
#include "servers/dnsd/answer_state.h"

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
    answer_classify(answer, rcode == DNS_NXDOMAIN ? RRL_NXDOMAIN : RRL_NODATA,
                    answer->match.node.offset);
    rcode = answer_put(answer, MESSAGE_AUTHORITY, answer->match.label, &soa, ttl, rcode);
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
        return answer_put(answer, MESSAGE_AUTHORITY, answer->match.label, &ds, ds.ttl, DNS_NOERROR);
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
    answer_classify(answer, RRL_REFERRAL, answer->referral);
    if (answer->alias_count == 0)
        answer->authoritative = false;
    enum dns_rcode rcode =
        answer_put(answer, MESSAGE_AUTHORITY, answer->match.label, &ns, ns.ttl, DNS_NOERROR);
    return answer->query->dnssec_ok && !answer->truncated && rcode == DNS_NOERROR ? put_ds(answer)
                                                                                  : rcode;
}

/* The type that signatures cover, 0 when they are damaged. */
static uint16_t signatures_cover(const struct zone_rrset *signatures)
{
    return signatures->end - signatures->records >= 4 ? load_be16(signatures->records + 2) : 0;
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
        bool parents = node->flags & ZONE_FLAG_APEX && signatures_cover(rrset) == DNS_TYPE_DS;
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

/* Whether these signatures are in the answer: with the DNAME record that led to its own name. */
static bool came_with_alias(const struct answer *answer, const struct zone_node *node,
                            const struct zone_rrset *rrset)
{
    return answer->query->dnssec_ok && answer->match.label == 0 &&
           signatures_cover(rrset) == DNS_TYPE_DNAME && alias_seen(answer, node->offset);
}

/* Appends signatures from `first` on: they are several RRsets, by what they cover. */
static enum dns_rcode put_signatures(struct answer *answer, const struct zone_node *node,
                                     const struct zone_rrset *first)
{
    struct zone_rrset rrset = *first;
    enum zone_result result = ZONE_FOUND;
    enum dns_rcode rcode = DNS_NOERROR;

    while (result == ZONE_FOUND && rcode == DNS_NOERROR && !answer->truncated) {
        const uint8_t *at = rrset.end;
        if (!came_with_alias(answer, node, &rrset))
            rcode = answer_put(answer, MESSAGE_ANSWER, 0, &rrset, rrset.ttl, rcode);
        result = signatures_next(node, &at, &rrset);
    }
    return result == ZONE_DAMAGED ? answer_damaged(answer) : rcode;
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
        if (answer->alias_count == ANSWER_CHAIN_MAX || alias_is_given(answer, node->offset))
            return DNS_NOERROR;
        alias = false;
    }
    if (answer->alias_count == 0)
        answer_classify(answer, RRL_ANSWER, node->offset);
    if (alias) {
        answer->wildcard_aliases |= (uint16_t)(wildcard << answer->alias_count);
        answer->aliases[answer->alias_count++] = node->offset;
    }
    if (!wildcard && rrset.type == DNS_TYPE_DNAME && alias_seen(answer, node->offset))
        return DNS_NOERROR; /* it led here, and is in the answer */
    if (wildcard)
        expansion_add(answer);
    if (type == DNS_TYPE_RRSIG && rrset.type == type)
        return put_signatures(answer, node, &rrset);
    enum dns_rcode rcode = answer_put(answer, MESSAGE_ANSWER, 0, &rrset, rrset.ttl, DNS_NOERROR);
    return alias && rcode == DNS_NOERROR ? alias_follow(answer, &rrset) : rcode;
}

/* Answers for the current name from the zone in which it was found. */
static enum dns_rcode resolve_in_zone(struct answer *answer)
{
    const struct zone_match *match = &answer->match;
    struct zone_node wildcard;

    if (match->label == 0)
        return put_from(answer, &match->node, false);
    if (match->node.flags & ZONE_FLAG_DNAME)
        return alias_put_redirection(answer);
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

enum dns_rcode resolve_question(struct answer *answer)
{
    enum dns_rcode rcode;

    answer->name = &answer->query->name;
    do
        rcode = resolve_name(answer);
    while (answer->follow);
    if (answer->expansion_count == 0 || answer->truncated)
        return rcode;
    return denial_put_expansions(answer, rcode);
}
