/* SPDX-License-Identifier: ISC
 *
 * Additional data: the addresses of names in the answer (RFC 1034 4.3.2 step 6, RFC 9471).
 */
#include "servers/dnsd/answer_state.h"

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

void additional_put(struct answer *answer)
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
