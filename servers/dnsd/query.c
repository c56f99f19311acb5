/* SPDX-License-Identifier: ISC
 *
 * Parsing of queries, see query.h. Every octet must belong to something: what is behind the last
 * record is a format error.
 */
#include "servers/dnsd/query.h"

#include "servers/dnsd/cookie.h"

/* Skips a record's owner, which may end in a pointer. Returns the offset behind it, 0 when broken.
 */
static size_t owner_skip(const struct query *query, size_t at)
{
    while (at < query->length) {
        unsigned label = query->bytes[at];
        if (label >= DNS_POINTER >> 8)
            return at + 2;
        if (label > DNS_LABEL_MAX)
            return 0;
        at += 1 + label;
        if (label == 0)
            return at;
    }
    return 0;
}

/* Takes one EDNS option; those that aren't known are ignored (RFC 6891 6.1.2), and of several
 * cookies the first counts (RFC 7873 5.2). Returns whether it is well-formed. */
static bool option_take(struct query *query, unsigned code, const uint8_t *data, size_t length)
{
    enum { WITH_SERVER = COOKIE_CLIENT_SIZE + COOKIE_SERVER_MIN };

    if (code == DNS_OPTION_NSID)
        query->nsid = true;
    if (code != DNS_OPTION_COOKIE || query->cookie_length > 0)
        return true;
    if (length != COOKIE_CLIENT_SIZE &&
        (length < WITH_SERVER || length > COOKIE_CLIENT_SIZE + COOKIE_SERVER_MAX))
        return false;
    query->cookie = data;
    query->cookie_length = (uint8_t)length;
    return true;
}

/* Takes the EDNS options, which must fill their record exactly. */
static bool options_parse(struct query *query, const uint8_t *options, size_t length)
{
    size_t at = 0;

    while (at < length) {
        if (length - at < DNS_OPTION_HEAD)
            return false;
        size_t size = load_be16(options + at + 2);
        unsigned code = load_be16(options + at);
        at += DNS_OPTION_HEAD;
        if (size > length - at || !option_take(query, code, options + at, size))
            return false;
        at += size;
    }
    return true;
}

/* Reads an OPT record of which `tail` is what follows the owner. */
static enum dns_rcode opt_parse(struct query *query, const uint8_t *tail, bool allowed)
{
    bool known = tail[5] == 0;

    if (!allowed || query->edns)
        return DNS_FORMERR;
    if (known && !options_parse(query, tail + DNS_RECORD_TAIL, load_be16(tail + 8)))
        return DNS_FORMERR;
    query->edns = true;
    query->udp_size = load_be16(tail + 2);
    query->dnssec_ok = tail[6] & DNS_EDNS_DO;
    return known ? DNS_NOERROR : DNS_BADVERS;
}

/* Walks over all records behind the question, looking for OPT. Every record takes 11 octets or
 * more, so the length bounds the walk, not the counts. */
static enum dns_rcode records_walk(struct query *query, size_t at)
{
    unsigned before = load_be16(query->bytes + 6) + load_be16(query->bytes + 8);
    unsigned count = before + load_be16(query->bytes + 10);
    enum dns_rcode verdict = DNS_NOERROR;

    for (unsigned record = 0; record < count; record++) {
        size_t owner = at;
        at = owner_skip(query, owner);
        if (at == 0 || at + DNS_RECORD_TAIL > query->length)
            return DNS_FORMERR;
        const uint8_t *tail = query->bytes + at;
        at += DNS_RECORD_TAIL + (size_t)load_be16(tail + 8);
        if (at > query->length)
            return DNS_FORMERR;
        if (load_be16(tail) != DNS_TYPE_OPT)
            continue;
        verdict = opt_parse(query, tail, record >= before && query->bytes[owner] == 0);
        if (verdict == DNS_FORMERR)
            return verdict;
    }
    return at == query->length ? verdict : DNS_FORMERR;
}

/* Reads what is behind the question. Where that is broken, an OPT record in it counts for nothing.
 */
static enum dns_rcode records_parse(struct query *query, size_t at)
{
    enum dns_rcode verdict = records_walk(query, at);

    if (verdict == DNS_FORMERR)
        query->edns = false;
    return verdict;
}

/* Whether we may answer this type and class at all. */
static enum dns_rcode question_judge(const struct query *query)
{
    if (query->class == DNS_CLASS_CH)
        return DNS_NOERROR;
    if (query->class != DNS_CLASS_IN && query->class != DNS_CLASS_ANY)
        return DNS_REFUSED;
    return query->type == DNS_TYPE_AXFR ? DNS_NOTIMP : DNS_NOERROR;
}

enum dns_rcode query_parse(struct query *query, const uint8_t *bytes, size_t length)
{
    query->bytes = bytes;
    query->length = length;
    query->question_end = 0;
    query->edns = false;
    query->dnssec_ok = false;
    query->nsid = false;
    query->cookie_length = 0;
    if (bytes[2] & DNS_OPCODE_MASK)
        return DNS_NOTIMP;

    unsigned questions = load_be16(bytes + 4);
    if (questions == 0 && records_parse(query, DNS_HEADER_SIZE) == DNS_NOERROR &&
        query->cookie_length > 0)
        return DNS_NOERROR;
    if (questions != 1)
        return DNS_FORMERR;
    size_t at = name_parse(&query->name, bytes + DNS_HEADER_SIZE, length - DNS_HEADER_SIZE);
    if (at == 0 || DNS_HEADER_SIZE + at + DNS_QUESTION_TAIL > length)
        return DNS_FORMERR;
    at += DNS_HEADER_SIZE;
    query->type = load_be16(bytes + at);
    query->class = load_be16(bytes + at + 2);
    query->question_end = at + DNS_QUESTION_TAIL;
    enum dns_rcode verdict = records_parse(query, query->question_end);
    return verdict == DNS_NOERROR ? question_judge(query) : verdict;
}
