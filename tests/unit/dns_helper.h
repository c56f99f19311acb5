/* SPDX-License-Identifier: ISC
 *
 * For tests of dnsd and the zone compiler: zones from text, queries from text, answers as text.
 * Every function is static inline, so that a test uses what it needs.
 */
#ifndef MOTET_TESTS_DNS_HELPER_H
#define MOTET_TESTS_DNS_HELPER_H

#define _GNU_SOURCE 1 /* open_memstream, strsep */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/dnsd/answer.h"
#include "tools/zonec/check.h"
#include "tools/zonec/write.h"

/* ---- names and record data from text ---- */

/* Writes a name; one without a final dot is completed with the origin, @ is the origin. */
static inline size_t name_from_text(uint8_t *out, const char *text, const char *origin)
{
    size_t at = 0;

    if (strcmp(text, "@") == 0)
        return name_from_text(out, origin, ".");
    for (const char *rest = text; *rest != '\0' && strcmp(rest, ".") != 0;) {
        size_t length = strcspn(rest, ".");
        out[at++] = (uint8_t)length;
        memcpy(out + at, rest, length);
        at += length;
        rest += length;
        if (*rest == '\0')
            return at + name_from_text(out + at, origin, ".");
        rest += rest[1] != '\0';
    }
    out[at++] = 0;
    return at;
}

static const struct {
    const char *name;
    uint16_t type;
} type_names[] = {{"A", 1},      {"NS", 2},          {"CNAME", 5},  {"SOA", 6},    {"PTR", 12},
                  {"MX", 15},    {"TXT", 16},        {"AAAA", 28},  {"SRV", 33},   {"DNAME", 39},
                  {"OPT", 41},   {"DS", 43},         {"RRSIG", 46}, {"NSEC", 47},  {"DNSKEY", 48},
                  {"NSEC3", 50}, {"NSEC3PARAM", 51}, {"IXFR", 251}, {"AXFR", 252}, {"ANY", 255}};

static inline uint16_t type_from_text(const char *text)
{
    for (size_t index = 0; index < sizeof type_names / sizeof *type_names; index++) {
        if (strcmp(type_names[index].name, text) == 0)
            return type_names[index].type;
    }
    assert_int_equal(strncmp(text, "TYPE", 4), 0);
    return (uint16_t)atoi(text + 4);
}

static inline const char *type_to_text(uint16_t type, char *text)
{
    for (size_t index = 0; index < sizeof type_names / sizeof *type_names; index++) {
        if (type_names[index].type == type)
            return type_names[index].name;
    }
    sprintf(text, "TYPE%u", type);
    return text;
}

static inline char *word_take(char **rest)
{
    char *word;

    do
        word = strsep(rest, " ");
    while (word != NULL && *word == '\0');
    assert_non_null(word);
    return word;
}

/* What record data consists of: n a name, 2 and 4 numbers of so many octets, a and A addresses, t
 * one character-string, x octets in hexadecimal. */
static inline const char *rdata_format(uint16_t type)
{
    switch (type) {
    case DNS_TYPE_A:
        return "a";
    case DNS_TYPE_AAAA:
        return "A";
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_PTR:
    case DNS_TYPE_DNAME:
        return "n";
    case DNS_TYPE_SOA:
        return "nn44444";
    case DNS_TYPE_MX:
        return "2n";
    case DNS_TYPE_SRV:
        return "222n";
    case DNS_TYPE_TXT:
        return "t";
    default:
        return "x";
    }
}

static inline size_t rdata_from_text(uint8_t *out, uint16_t type, char *text, const char *origin)
{
    uint8_t *start = out;

    for (const char *format = rdata_format(type); *format != '\0'; format++) {
        char *word = word_take(&text);
        unsigned octet;
        switch (*format) {
        case 'n':
            out += name_from_text(out, word, origin);
            break;
        case '2':
            out = store_be16(out, (unsigned)atoi(word));
            break;
        case '4':
            out = store_be32(out, (uint32_t)strtoul(word, NULL, 10));
            break;
        case 'a':
            assert_int_equal(inet_pton(AF_INET, word, out), 1);
            out += 4;
            break;
        case 'A':
            assert_int_equal(inet_pton(AF_INET6, word, out), 1);
            out += 16;
            break;
        case 't':
            *out++ = (uint8_t)strlen(word);
            memcpy(out, word, strlen(word));
            out += strlen(word);
            break;
        default:
            for (; sscanf(word, "%2x", &octet) == 1; word += 2)
                *out++ = (uint8_t)octet;
        }
    }
    return (size_t)(out - start);
}

/* ---- zones ---- */

/* Zones compiled from text, with all that is needed to free them. */
struct zones {
    char *messages; /* what the compiler reported */
    size_t messages_size;
    struct report report;
    struct store store;
    bool good;      /* no errors */
    uint8_t *bytes; /* the database, exactly as large as it is: a stray access is found */
    size_t size;
    struct zone_db db;
};

static inline void zones_begin(struct zones *zones)
{
    memset(zones, 0, sizeof *zones);
    report_init(&zones->report, open_memstream(&zones->messages, &zones->messages_size));
    store_init(&zones->store, &zones->report);
}

static inline void record_add(struct zones *zones, const char *origin, char *line,
                              struct place place)
{
    uint8_t owner_wire[DNS_NAME_MAX], rdata[4096];
    struct dns_name owner;

    assert_in_range(name_from_text(owner_wire, word_take(&line), origin), 1, DNS_NAME_MAX);
    assert_int_not_equal(name_parse(&owner, owner_wire, sizeof owner_wire), 0);
    uint32_t ttl = (uint32_t)strtoul(word_take(&line), NULL, 10);
    uint16_t type = type_from_text(word_take(&line));
    size_t length = rdata_from_text(rdata, type, line, origin);
    store_record_add(&zones->store, &owner, type, ttl, rdata, (uint16_t)length, place);
}

/* Adds a zone: lines of "OWNER TTL TYPE DATA". */
static inline void zones_add(struct zones *zones, const char *origin, const char *text)
{
    uint8_t wire[DNS_NAME_MAX];
    struct dns_name name;
    struct place place = {report_file(&zones->report, origin), 0};
    char *copy = strdup(text), *rest = copy;

    name_from_text(wire, origin, ".");
    assert_int_not_equal(name_parse(&name, wire, sizeof wire), 0);
    if (!store_zone_add(&zones->store, &name, place.file))
        rest = NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        place.line++;
        if (*line != '\0')
            record_add(zones, origin, line, place);
    }
    free(copy);
}

/* Checks and, if that went well, writes and opens. */
static inline void zones_end(struct zones *zones)
{
    zones->good = store_check(&zones->store);
    if (zones->good)
        zones->bytes = store_write(&zones->store, &zones->size);
    zones->good = zones->bytes != NULL;
    fflush(zones->report.stream);
    if (zones->good)
        assert_int_equal(zone_db_open(&zones->db, zones->bytes, zones->size), OK);
}

static inline void zones_make(struct zones *zones, const char *origin, const char *text)
{
    zones_begin(zones);
    zones_add(zones, origin, text);
    zones_end(zones);
    if (!zones->good)
        fail_msg("%s", zones->messages);
}

static inline void zones_free(struct zones *zones)
{
    fclose(zones->report.stream);
    store_free(&zones->store);
    report_free(&zones->report);
    free(zones->messages);
    free(zones->bytes);
}

/* ---- queries ---- */

struct packet {
    uint8_t bytes[4096];
    size_t length;
};

/* A query with RD set and identifier 0x1234. The name must end in a dot. */
static inline struct packet query_make(const char *name, const char *type)
{
    struct packet packet = {{0x12, 0x34, DNS_FLAG_RD, 0, 0, 1}, DNS_HEADER_SIZE};

    packet.length += name_from_text(packet.bytes + packet.length, name, ".");
    store_be16(packet.bytes + packet.length, type_from_text(type));
    store_be16(packet.bytes + packet.length + 2, DNS_CLASS_IN);
    packet.length += DNS_QUESTION_TAIL;
    return packet;
}

/* Appends a record to the additional section of a query. */
static inline void query_add(struct packet *packet, const char *owner, unsigned type,
                             unsigned class, uint32_t ttl, const void *rdata, size_t length)
{
    uint8_t *out = packet->bytes + packet->length;

    out += name_from_text(out, owner, ".");
    out = store_be16(out, type);
    out = store_be16(out, class);
    out = store_be32(out, ttl);
    out = store_be16(out, (unsigned)length);
    memcpy(out, rdata, length);
    packet->length = (size_t)(out - packet->bytes) + length;
    store_be16(packet->bytes + 10, load_be16(packet->bytes + 10) + 1u);
}

/* Appends an OPT record without options. */
static inline void query_add_opt(struct packet *packet, unsigned size)
{
    query_add(packet, ".", DNS_TYPE_OPT, size, 0, "", 0);
}

/* ---- answers ---- */

enum { REPLY_RECORDS_MAX = 256 };

struct reply {
    size_t length; /* 0: no answer */
    uint8_t bytes[65535];
    unsigned rcode; /* with the upper bits from OPT */
    bool aa, tc, rd, ra;
    unsigned questions, answers, authorities, additionals;
    bool edns;
    unsigned edns_size;
    bool edns_do;
    unsigned records;
    char text[REPLY_RECORDS_MAX]
             [600]; /* "an|OWNER TTL TYPE DATA", ns|, ar|; OPT isn't among them */
};

/* Reads a name at *at, which is moved behind it. Pointers must lead backwards. */
static inline void reply_name(const struct reply *reply, size_t *at, char *text)
{
    size_t place = *at;
    bool jumped = false;
    char *out = text;

    for (;;) {
        assert_true(place < reply->length);
        unsigned label = reply->bytes[place];
        if (label >= 0xc0) {
            size_t target = load_be16(reply->bytes + place) & DNS_POINTER_MAX;
            if (!jumped)
                *at = place + 2;
            jumped = true;
            assert_true(target < place && target >= DNS_HEADER_SIZE);
            place = target;
            continue;
        }
        assert_true(label <= DNS_LABEL_MAX);
        place++;
        if (label == 0)
            break;
        memcpy(out, reply->bytes + place, label);
        out += label;
        *out++ = '.';
        place += label;
    }
    if (out == text)
        *out++ = '.';
    *out = '\0';
    assert_true(out - text <= DNS_NAME_MAX);
    if (!jumped)
        *at = place;
}

static inline char *reply_rdata(const struct reply *reply, size_t at, size_t end, uint16_t type,
                                char *out)
{
    char address[INET6_ADDRSTRLEN], name[DNS_NAME_MAX + 1];
    const char *format = rdata_format(type);

    for (; *format != '\0'; format++) {
        const uint8_t *data = reply->bytes + at;
        out += sprintf(out, " ");
        switch (*format) {
        case 'n':
            reply_name(reply, &at, name);
            out += sprintf(out, "%s", name);
            break;
        case '2':
            out += sprintf(out, "%u", load_be16(data));
            at += 2;
            break;
        case '4':
            out += sprintf(out, "%u", load_be32(data));
            at += 4;
            break;
        case 'a':
            out += sprintf(out, "%s", inet_ntop(AF_INET, data, address, sizeof address));
            at += 4;
            break;
        case 'A':
            out += sprintf(out, "%s", inet_ntop(AF_INET6, data, address, sizeof address));
            at += 16;
            break;
        case 't':
            out += sprintf(out, "%.*s", data[0], (const char *)data + 1);
            at += 1 + (size_t)data[0];
            break;
        default:
            for (; at < end; at++)
                out += sprintf(out, "%02x", reply->bytes[at]);
        }
    }
    assert_int_equal(at, end);
    return out;
}

static inline void reply_record(struct reply *reply, size_t *at, const char *section)
{
    char owner[DNS_NAME_MAX + 1], type_text[16];

    reply_name(reply, at, owner);
    assert_true(*at + DNS_RECORD_TAIL <= reply->length);
    const uint8_t *tail = reply->bytes + *at;
    uint16_t type = load_be16(tail);
    *at += DNS_RECORD_TAIL;
    size_t end = *at + load_be16(tail + 8);
    assert_true(end <= reply->length);
    if (type == DNS_TYPE_OPT) {
        assert_false(reply->edns);
        assert_string_equal(owner, ".");
        assert_string_equal(section, "ar");
        reply->edns = true;
        reply->edns_size = load_be16(tail + 2);
        reply->rcode |= (unsigned)tail[4] << 4;
        reply->edns_do = tail[6] & DNS_EDNS_DO;
        *at = end;
        return;
    }
    assert_int_equal(load_be16(tail + 2), DNS_CLASS_IN);
    assert_true(reply->records < REPLY_RECORDS_MAX);
    char *out = reply->text[reply->records++];
    out += sprintf(out, "%s|%s %u %s", section, owner, load_be32(tail + 4),
                   type_to_text(type, type_text));
    reply_rdata(reply, *at, end, type, out);
    *at = end;
}

/* Takes an answer apart. Everything in it must be well-formed, and belong to the query. */
static inline void reply_parse(struct reply *reply, const struct packet *query)
{
    size_t at = DNS_HEADER_SIZE;
    char name[DNS_NAME_MAX + 1];

    assert_true(reply->length >= DNS_HEADER_SIZE);
    assert_memory_equal(reply->bytes, query->bytes, 2);
    assert_true(reply->bytes[2] & DNS_FLAG_QR);
    assert_int_equal(reply->bytes[2] & DNS_OPCODE_MASK, query->bytes[2] & DNS_OPCODE_MASK);
    assert_int_equal(reply->bytes[3] & 0xf0, 0);
    reply->aa = reply->bytes[2] & DNS_FLAG_AA;
    reply->tc = reply->bytes[2] & DNS_FLAG_TC;
    reply->rd = reply->bytes[2] & DNS_FLAG_RD;
    reply->rcode = reply->bytes[3] & 0x0f;
    reply->questions = load_be16(reply->bytes + 4);
    reply->answers = load_be16(reply->bytes + 6);
    reply->authorities = load_be16(reply->bytes + 8);
    reply->additionals = load_be16(reply->bytes + 10);
    reply->edns = false;
    reply->records = 0;
    assert_in_range(reply->questions, 0, 1);
    if (reply->questions == 1) {
        reply_name(reply, &at, name);
        at += DNS_QUESTION_TAIL;
        assert_memory_equal(reply->bytes + DNS_HEADER_SIZE, query->bytes + DNS_HEADER_SIZE,
                            at - DNS_HEADER_SIZE);
    }
    for (unsigned count = 0; count < reply->answers; count++)
        reply_record(reply, &at, "an");
    for (unsigned count = 0; count < reply->authorities; count++)
        reply_record(reply, &at, "ns");
    for (unsigned count = 0; count < reply->additionals; count++)
        reply_record(reply, &at, "ar");
    assert_int_equal(at, reply->length);
}

/* Answers a packet. The query's and the answer's buffer are exactly as large as they are said to
 * be, and nothing behind the answer may be written. */
static inline struct reply *reply_get(const struct zones *zones, const struct packet *query,
                                      unsigned udp_size, size_t capacity,
                                      struct answer_counters *counters)
{
    struct answer_config config = {.udp_size = (uint16_t)udp_size};
    struct reply *reply = calloc(1, sizeof *reply);
    uint8_t *question = malloc(query->length + (query->length == 0));
    uint8_t *answer = malloc(capacity);

    memcpy(question, query->bytes, query->length);
    memset(answer, 0xa5, capacity);
    reply->length =
        answer_query(&zones->db, &config, counters, question, query->length, answer, capacity);
    assert_true(reply->length <= capacity);
    for (size_t at = reply->length; at < capacity && capacity <= 2048 && reply->length == 0; at++)
        assert_int_equal(answer[at], 0xa5);
    memcpy(reply->bytes, answer, reply->length);
    free(question);
    free(answer);
    if (reply->length > 0)
        reply_parse(reply, query);
    return reply;
}

/* Asks as an ordinary client does: with EDNS and a large buffer. The caller frees the reply. */
static inline struct reply *ask(const struct zones *zones, const char *name, const char *type)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make(name, type);

    query_add_opt(&query, 4096);
    struct reply *reply = reply_get(zones, &query, ANSWER_UDP_SIZE_DEFAULT, 2048, &counters);
    assert_true(reply->length > 0);
    return reply;
}

static inline bool reply_has(const struct reply *reply, const char *record)
{
    for (unsigned index = 0; index < reply->records; index++) {
        if (strcmp(reply->text[index], record) == 0)
            return true;
    }
    return false;
}

/* Fails with everything that is there, unless the reply has the response code, of AA and TC those
 * in `flags` ("a", "t"), and, in any order, exactly the records that follow, up to NULL. */
#define expect_reply(reply, code, flags, ...)                                                      \
    reply_check(reply, code, flags, (const char *const[]){__VA_ARGS__}, __FILE__, __LINE__)

static inline void reply_check(const struct reply *reply, unsigned rcode, const char *flags,
                               const char *const *records, const char *file, int line)
{
    unsigned count = 0;
    bool good = reply->rcode == rcode && reply->aa == (strchr(flags, 'a') != NULL) &&
                reply->tc == (strchr(flags, 't') != NULL);

    for (; records[count] != NULL; count++)
        good = good && reply_has(reply, records[count]);
    if (good && count == reply->records)
        return;
    for (unsigned index = 0; index < reply->records; index++)
        print_error("    %s\n", reply->text[index]);
    print_error("%s:%d: rcode %u, aa %d, tc %d, %u records, as above\n", file, line, reply->rcode,
                reply->aa, reply->tc, reply->records);
    _fail(file, line);
}

#endif
