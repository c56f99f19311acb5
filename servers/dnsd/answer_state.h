/* SPDX-License-Identifier: ISC
 *
 * An answer in the making: what answer.c and its parts (resolve.c, alias.c, additional.c, denial.c,
 * opt.c, chaos.c) share. Lives on the stack for one query.
 */
#ifndef MOTET_DNSD_ANSWER_STATE_H
#define MOTET_DNSD_ANSWER_STATE_H

#include "servers/dnsd/answer.h"
#include "servers/dnsd/message.h"
#include "servers/dnsd/query.h"

enum {
    /* Aliases followed for one query: longer chains are mistakes. */
    ANSWER_CHAIN_MAX = 16,
    /* CNAME records made from DNAME records for one query: each needs a name's worth of stack. */
    ANSWER_SYNTHESIZED_MAX = 4,
    /* NSEC and NSEC3 records in one answer: four at most are needed to say no, one for each alias
     * from a wildcard. Further ones are left out, and the answer is truncated. */
    ANSWER_PROOFS_MAX = 8,
};

/* A CNAME RRset's only record: RDLENGTH and a name. */
struct synthesized {
    uint8_t record[2 + DNS_NAME_MAX];
};

/* A name that a wildcard answered for: it is to be proved that there is none of its own. */
struct expansion {
    const uint8_t *wire; /* in the query, the database or `synthesized` */
    uint8_t length;
    uint8_t encloser; /* the label at which the closest encloser starts */
};

struct answer {
    const struct zone_db *db;
    const struct answer_config *config;
    const struct answer_client *client; /* NULL: unknown */
    const struct query *query;
    struct answer_counters *counters;
    bool authoritative;
    bool truncated;
    bool follow;      /* an alias leads to `target`, which is to be resolved next */
    bool cookie_sent; /* `cookie` goes into the answer */
    bool cookie_good; /* the client has shown that its address isn't forged */
    uint8_t alias_count;
    uint8_t synthesized_count;
    uint8_t expansion_count;
    uint8_t proof_count;
    uint16_t extended_error;     /* enum dns_extended_error: why, told to who has EDNS */
    enum rrl_class class;        /* what kind of answer it is, and about what */
    uint32_t class_node;         /* a node, 0 for none */
    uint32_t referral;           /* the cut's node, 0 when the answer isn't a referral */
    const struct dns_name *name; /* being resolved: the question's or `target` */
    struct zone_match match;     /* where it was found */
    struct dns_name target;      /* of the last alias; later each name whose addresses are added */
    uint32_t aliases[ANSWER_CHAIN_MAX]; /* the CNAME nodes followed */
    uint16_t wildcard_aliases;          /* a bit for each that was a wildcard's */
    struct synthesized synthesized[ANSWER_SYNTHESIZED_MAX];
    struct expansion expansions[ANSWER_PROOFS_MAX];
    uint32_t proofs[ANSWER_PROOFS_MAX]; /* the nodes whose NSEC or NSEC3 is in the answer */
    uint8_t cookie[COOKIE_SIZE];
    struct message message;
};

/* Counts a damaged database; returns SERVFAIL. */
enum dns_rcode answer_damaged(struct answer *answer);

/* Makes what message.h wants of an RRset: with its signature when DNSSEC was asked for. */
enum message_result answer_rrset(const struct answer *answer, const struct zone_rrset *rrset,
                                 uint32_t ttl, struct zone_rrset *signature,
                                 struct message_rrset *made);

/* Appends an RRset whose owner is the current name from label `label` on, and returns `rcode`. What
 * doesn't fit truncates the answer. */
enum dns_rcode answer_put(struct answer *answer, enum message_section section, unsigned label,
                          const struct zone_rrset *rrset, uint32_t ttl, enum dns_rcode rcode);

/* Notes what kind of answer this is, for the rate limit. */
static inline void answer_classify(struct answer *answer, enum rrl_class class, uint32_t node)
{
    answer->class = class;
    answer->class_node = node;
}

/* Answers the question from the zones. */
enum dns_rcode resolve_question(struct answer *answer);

/* Whether the alias at this node has been followed already. */
bool alias_seen(const struct answer *answer, uint32_t node);

/* Whether the record of an alias that was followed is in the answer with the current name as its
 * owner: unless it had or has another one, which a wildcard gave it. */
bool alias_is_given(const struct answer *answer, uint32_t node);

/* Goes on with the name in an alias' record, which is in the message already. */
enum dns_rcode alias_follow(struct answer *answer, const struct zone_rrset *alias);

/* Answers from the DNAME record above the current name: that, unless it is in the answer already,
 * and a CNAME record made from it. */
enum dns_rcode alias_put_redirection(struct answer *answer);

/* Appends the addresses of the names in the answer that fit. */
void additional_put(struct answer *answer);

/* Why a record is missing, and so what is to be proved. `encloser` is where the deepest existing
 * name was found. */
enum denial {
    DENIAL_NAME,          /* neither the name nor a wildcard for it */
    DENIAL_TYPE,          /* the name is there, the type isn't */
    DENIAL_WILDCARD_TYPE, /* a wildcard answers for the name, but hasn't the type */
    DENIAL_WILDCARD,      /* a wildcard has answered: the name isn't there */
    DENIAL_DS,            /* a delegation isn't signed: `encloser` is the cut */
};

/* Appends the NSEC or NSEC3 records that prove it, if the zone is signed (RFC 4035 3.1.3, RFC 5155
 * 7.2). Returns NOERROR or SERVFAIL. */
enum dns_rcode denial_put(struct answer *answer, enum denial denial, const struct dns_name *name,
                          const struct zone_match *encloser);

/* Proves for each name that a wildcard answered for that it isn't there itself. Returns `rcode` or
 * SERVFAIL. */
enum dns_rcode denial_put_expansions(struct answer *answer, enum dns_rcode rcode);

/* Answers a question of class CH. */
enum dns_rcode chaos_resolve(struct answer *answer);

/* Judges the query's cookie; octets that the OPT record with its options will take. */
size_t opt_begin(struct answer *answer);

/* Appends the OPT record, for which room was kept. */
void opt_put(struct answer *answer, unsigned udp_size, enum dns_rcode rcode);

/* Octets of a configured text, at most ANSWER_TEXT_MAX; 0 for NULL. */
size_t answer_text_length(const char *text);

#endif
