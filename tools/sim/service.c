/* SPDX-License-Identifier: ISC
 *
 * See service.h. Its variables are the machine's state: what answers were so far.
 */
#include "tools/sim/service.h"

#include <string.h>

#include "ipc/proto/entropy.h"
#include "tools/sim/composition.h"

static uint16_t get16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint64_t hash_of(const uint8_t *bytes, uint32_t length)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    return hash | 1;
}

/* --- DNS: the same question must always get the same answer --- */

enum { QUESTIONS = 12, DNS_HEADER = 12, DNS_PORT = 53 };

static const struct question {
    const char *name; /* in wire form, without the root */
    uint16_t type;
} questions[QUESTIONS] = {
    {"\3www\7example\3org", 1},    {"\3www\7example\3org", 28},   {"\7example\3org", 6},
    {"\7example\3org", 2},         {"\7example\3org", 15},        {"\3ftp\7example\3org", 1},
    {"\6absent\7example\3org", 1}, {"\1x\3sub\7example\3org", 1}, {"\3www\7example\3com", 1},
    {"\7example\3org", 255},       {"\4mail\7example\3org", 16},  {"\2ns\7example\3org", 1},
};

static uint64_t expected[QUESTIONS]; /* hash of the answer's bytes; 0: not seen yet */

static uint32_t dns_ask(uint8_t *to, uint16_t id, uint8_t number)
{
    const struct question *question = &questions[number];
    uint32_t name = (uint32_t)strlen(question->name) + 1;
    memset(to, 0, DNS_HEADER);
    put16(to, id);
    to[5] = 1; /* one question */
    memcpy(to + DNS_HEADER, question->name, name);
    put16(to + DNS_HEADER + name, question->type);
    put16(to + DNS_HEADER + name + 2, 1);
    return DNS_HEADER + name + 4;
}

static int32_t dns_id(const uint8_t *dns, uint32_t length)
{
    return length < DNS_HEADER || !(dns[2] & 0x80) ? -1 : get16(dns);
}

/* But for its ID. */
static bool dns_is_right(const uint8_t *dns, uint32_t length, uint8_t question)
{
    uint64_t hash = hash_of(dns + 2, length - 2);
    if (!expected[question])
        expected[question] = hash;
    return expected[question] == hash;
}

static const struct service dns = {DNS_PORT, QUESTIONS, dns_ask, dns_id, dns_is_right};

/* --- bytes: as many as were asked for, and others each time (docs/entropyd.md) --- */

enum { BYTES_PORT = 4949, SEEN_MAX = 256, LONG = 8 };

static uint64_t seen[SEEN_MAX]; /* hashes of the last answers that are too long to be the same */
static uint32_t seen_next;

static uint32_t bytes_ask(uint8_t *to, uint16_t id, uint8_t question)
{
    (void)id;
    memset(to, 0, question + 1u);
    return question + 1u;
}

static bool bytes_is_right(const uint8_t *bytes, uint32_t length, uint8_t question)
{
    const uint64_t hash = hash_of(bytes, length);
    if (length != question + 1u)
        return false;
    if (length < LONG)
        return true;
    for (uint32_t i = 0; i < SEEN_MAX; i++)
        if (seen[i] == hash)
            return false;
    seen[seen_next++ % SEEN_MAX] = hash;
    return true;
}

static const struct service bytes = {BYTES_PORT, ENTROPY_READ_MAX, bytes_ask, NULL, bytes_is_right};

/* --- */

const struct service *service_of_image(void)
{
    for (uint32_t d = 1; d < domain_count(); d++)
        if (!strcmp(domain_at(d)->name, "entropyd"))
            return &bytes;
    return &dns;
}
