/* SPDX-License-Identifier: ISC
 *
 * Answering, see answer.h: parse the query, resolve its name to RRsets in the message (resolve.c),
 * add addresses (additional.c), then the OPT record (opt.c), then the header.
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

enum dns_rcode answer_put(struct answer *answer, enum message_section section, unsigned label,
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

/* Zones aren't transferred: REFUSED for those that we have. */
static enum dns_rcode judge_transfer(struct answer *answer)
{
    if (zone_find(answer->db, &answer->query->name, 0, &answer->match) == ZONE_FOUND &&
        answer->match.label == 0 && answer->match.node.flags & ZONE_FLAG_APEX)
        return DNS_REFUSED;
    return DNS_NOTAUTH;
}

/* Resolves a query that has nothing wrong with it. */
static enum dns_rcode resolve(struct answer *answer)
{
    enum dns_rcode rcode;

    if (answer->query->class == DNS_CLASS_CH)
        return chaos_resolve(answer);
    if (answer->query->type == DNS_TYPE_IXFR)
        return judge_transfer(answer);
    rcode = resolve_question(answer);
    if (rcode == DNS_SERVFAIL) {
        message_clear(&answer->message, answer->query->question_end);
        answer->authoritative = false;
        answer->truncated = false;
    }
    additional_put(answer);
    return rcode;
}

static void put_header(const struct answer *answer, enum dns_rcode rcode)
{
    const struct query *query = answer->query;
    const uint8_t *in = query->bytes;
    uint8_t *out = answer->message.bytes;

    copy_octets(out, in, 2);
    out[2] = (uint8_t)((in[2] & (DNS_OPCODE_MASK | DNS_FLAG_RD)) | DNS_FLAG_QR |
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
        answer_classify(answer, RRL_ERROR, 0);
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
    answer_classify(answer, RRL_ERROR, 0);
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
