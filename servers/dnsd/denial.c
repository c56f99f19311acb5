/* SPDX-License-Identifier: ISC
 *
 * Proving that something isn't there, with the NSEC records of a signed zone (RFC 4035 3.1.3) or
 * its NSEC3 records (RFC 5155 7.2). Nothing is signed here: the zone brings all records.
 */
#include "servers/dnsd/answer_state.h"
#include "servers/dnsd/sha1.h"

/* A proof in the making. */
struct proof {
    struct answer *answer;
    struct zone_denial denial;
    const struct dns_name *name; /* what isn't there */
    bool damaged;
    uint8_t wire[2 + DNS_NAME_MAX]; /* of `owner` */
    struct dns_name owner;          /* a wildcard, then the owner of each record */
};

static bool fail(struct proof *proof)
{
    proof->damaged = true;
    return false;
}

/* Whether a node's record is in the answer; notes that it will be. */
static bool is_there(struct answer *answer, uint32_t node)
{
    for (unsigned index = 0; index < answer->proof_count; index++) {
        if (answer->proofs[index] == node)
            return true;
    }
    if (answer->proof_count == ANSWER_PROOFS_MAX) {
        answer->truncated = true;
        return true;
    }
    answer->proofs[answer->proof_count++] = node;
    return false;
}

/* Appends the NSEC or NSEC3 RRset of a node, once. */
static void put(struct proof *proof, const struct zone_node *node)
{
    struct answer *answer = proof->answer;
    struct zone_rrset rrset, signature;
    struct message_rrset made;

    if (proof->damaged || is_there(answer, node->offset))
        return;
    size_t length = zone_node_name(answer->db, node, proof->wire);
    uint16_t type = proof->denial.hashed ? DNS_TYPE_NSEC3 : DNS_TYPE_NSEC;
    if (length == 0 || name_parse(&proof->owner, proof->wire, length) != length ||
        zone_rrset_find(node, type, &rrset) != ZONE_FOUND ||
        answer_rrset(answer, &rrset, rrset.ttl, &signature, &made) != MESSAGE_DONE) {
        fail(proof);
        return;
    }
    switch (message_put_rrset_passing(&answer->message, MESSAGE_AUTHORITY, &proof->owner, &made)) {
    case MESSAGE_DONE:
        break;
    case MESSAGE_NO_ROOM:
        answer->truncated = true;
        break;
    default:
        fail(proof);
    }
}

/* Makes `owner` the wildcard below a suffix of the name. False: that would be too long, and so
 * can't be in the zone. */
static bool wildcard_make(struct proof *proof, unsigned label)
{
    size_t length = name_suffix_length(proof->name, label);

    if (length + 2 > DNS_NAME_MAX)
        return false;
    proof->wire[0] = 1;
    proof->wire[1] = '*';
    memcpy(proof->wire + 2, proof->name->wire + proof->name->label_at[label], length);
    return name_parse(&proof->owner, proof->wire, length + 2) != 0 || fail(proof);
}

/* Appends the NSEC record of a name, or the one that spans the place where it would be. */
static void nsec_put(struct proof *proof, const struct dns_name *name, unsigned label)
{
    struct zone_node node;
    bool same;

    if (zone_nsec_find(proof->answer->db, &proof->denial, name, label, &node, &same) == ZONE_FOUND)
        put(proof, &node);
    else
        fail(proof);
}

static void nsec_prove(struct proof *proof, enum denial denial, unsigned encloser)
{
    nsec_put(proof, proof->name, denial == DENIAL_DS ? encloser : 0);
    if ((denial == DENIAL_NAME || denial == DENIAL_WILDCARD_TYPE) && wildcard_make(proof, encloser))
        nsec_put(proof, &proof->owner, 0);
}

/* Writes the hash of a name's suffix (RFC 5155 5) as the label of the record that holds it. */
static void hash_label(const struct zone_denial *denial, const struct dns_name *name,
                       unsigned label, uint8_t *out)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint8_t input[DNS_NAME_MAX + UINT8_MAX], hash[SHA1_SIZE];
    size_t length = name_suffix_length(name, label);

    memcpy(input, name->folded + name->label_at[label], length);
    memcpy(input + length, denial->salt, denial->salt_length);
    sha1(input, length + denial->salt_length, hash);
    for (unsigned round = 0; round < denial->iterations; round++) {
        memcpy(input, hash, SHA1_SIZE);
        memcpy(input + SHA1_SIZE, denial->salt, denial->salt_length);
        sha1(input, (size_t)SHA1_SIZE + denial->salt_length, hash);
    }
    for (unsigned at = 0; at < ZONE_HASH_LABEL; at++) {
        unsigned bit = at * 5;
        unsigned pair = (unsigned)hash[bit / 8] << 8;
        if (bit / 8 + 1 < SHA1_SIZE)
            pair |= hash[bit / 8 + 1];
        out[at] = (uint8_t)digits[pair >> (11 - bit % 8) & 31];
    }
}

/* Finds the NSEC3 record that matches a suffix of a name, or else the one that covers its hash. */
static bool nsec3_find(struct proof *proof, const struct dns_name *name, unsigned label,
                       struct zone_node *node, bool *match)
{
    uint8_t hash[ZONE_HASH_LABEL];

    hash_label(&proof->denial, name, label, hash);
    return zone_nsec3_find(proof->answer->db, &proof->denial, hash, node, match) == ZONE_FOUND ||
           fail(proof);
}

static void nsec3_cover(struct proof *proof, const struct dns_name *name, unsigned label)
{
    struct zone_node node;
    bool match;

    if (nsec3_find(proof, name, label, &node, &match))
        put(proof, &node);
}

/* The closest provable encloser at or above a suffix of the name, and that the next closer name
 * isn't there (RFC 5155 7.2.1). Where that suffix has a record itself, only that is put. Returns
 * the encloser's label. */
static unsigned nsec3_encloser(struct proof *proof, unsigned label)
{
    struct zone_node node;
    bool match = false;

    for (; nsec3_find(proof, proof->name, label, &node, &match) && !match; label++) {
        if (label == proof->name->labels) {
            fail(proof);
            break;
        }
    }
    if (match)
        put(proof, &node);
    return label;
}

static void nsec3_prove(struct proof *proof, enum denial denial, unsigned encloser)
{
    unsigned start = denial == DENIAL_TYPE ? 0 : encloser;

    if (denial == DENIAL_WILDCARD) {
        nsec3_cover(proof, proof->name, encloser - 1);
        return;
    }
    unsigned found = nsec3_encloser(proof, start);
    if (proof->damaged)
        return;
    bool next_closer = denial == DENIAL_NAME || denial == DENIAL_WILDCARD_TYPE || found > start;
    if (next_closer && found > 0)
        nsec3_cover(proof, proof->name, found - 1);
    if ((denial == DENIAL_NAME || denial == DENIAL_WILDCARD_TYPE) && wildcard_make(proof, found))
        nsec3_cover(proof, &proof->owner, 0);
}

enum dns_rcode denial_put(struct answer *answer, enum denial denial, const struct dns_name *name,
                          const struct zone_match *encloser)
{
    struct zone_match apex = *encloser;
    struct proof proof = {.answer = answer, .name = name, .damaged = false};

    if (zone_match_apex(answer->db, name, &apex) != ZONE_FOUND)
        return answer_damaged(answer);
    switch (zone_denial_open(answer->db, &apex.node, &proof.denial)) {
    case ZONE_ABSENT:
        return DNS_NOERROR;
    case ZONE_DAMAGED:
        return answer_damaged(answer);
    default:
        break;
    }
    if (proof.denial.hashed)
        nsec3_prove(&proof, denial, encloser->label);
    else
        nsec_prove(&proof, denial, encloser->label);
    return proof.damaged ? answer_damaged(answer) : DNS_NOERROR;
}

/* The message's scratch name is free: data of NSEC, NSEC3 and RRSIG records is copied as it is. */
enum dns_rcode denial_put_expansions(struct answer *answer, enum dns_rcode rcode)
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
