/* SPDX-License-Identifier: ISC
 *
 * Aliases: CNAME records, and those made from DNAME records (RFC 1034 3.6.2, RFC 6672).
 */
#include "servers/dnsd/answer_state.h"

bool alias_seen(const struct answer *answer, uint32_t node)
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

bool alias_is_given(const struct answer *answer, uint32_t node)
{
    return answer->match.label == 0 ? alias_is_in_answer(answer, node)
                                    : alias_leads_to_question(answer, node);
}

enum dns_rcode alias_follow(struct answer *answer, const struct zone_rrset *alias)
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

enum dns_rcode alias_put_redirection(struct answer *answer)
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
        answer_classify(answer, RRL_ANSWER, node);
    enum dns_rcode rcode = synthesize(answer, &dname, &cname);
    if (rcode != DNS_SERVFAIL && !alias_seen(answer, node))
        rcode = answer_put(answer, MESSAGE_ANSWER, answer->match.label, &dname, dname.ttl, rcode);
    answer->aliases[answer->alias_count++] = node;
    if (rcode == DNS_NOERROR && !answer->truncated)
        rcode = answer_put(answer, MESSAGE_ANSWER, 0, &cname, cname.ttl, DNS_NOERROR);
    if (rcode != DNS_NOERROR || answer->query->type == DNS_TYPE_CNAME)
        return rcode;
    return leads_back(answer, &cname) ? DNS_NOERROR : alias_follow(answer, &cname);
}
