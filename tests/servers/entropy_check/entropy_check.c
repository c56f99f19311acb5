/* SPDX-License-Identifier: ISC
 *
 * entropy_check: a client that sees whether a driver of the entropy class keeps its protocol, in a
 * running image: one request after the other, first bad ones, then all lengths, then many. It says
 * "conforms", or that it was "told" that the device can't be used, or what doesn't "conform".
 */
#include "ipc/proto/entropy.h"
#include "libos/domain.h"
#include "libos/restart.h"

enum { MANY = 100, BAD = 3, REQUESTS = BAD + ENTROPY_READ_MAX + MANY };

struct entropy_check {
    struct domain *domain;
    struct conn *driver;
    uint32_t asked; /* requests so far, the present one included */
    uint64_t ones;  /* bits set in all bytes, and how many bytes there were */
    uint64_t bytes;
    uint64_t last; /* first bytes of the last long answer */
    bool failed, due;
};

static uint32_t length_of(uint32_t request)
{
    static const uint32_t bad[BAD] = {0, ENTROPY_READ_MAX + 1, UINT32_MAX};
    if (request < BAD)
        return bad[request];
    request -= BAD - 1; /* lengths 1, 2, ... */
    return request < ENTROPY_READ_MAX ? request : ENTROPY_READ_MAX;
}

static void fail(struct entropy_check *own, const char *what)
{
    own->failed = true;
    domain_log(own->domain, "doesn't conform: request %u of %u bytes: %s", own->asked,
               length_of(own->asked - 1), what);
}

/* There is no device, or none any more. */
static void told(struct entropy_check *own)
{
    own->failed = true;
    domain_log(own->domain, "told: request %u of %u bytes: BAD_STATE", own->asked,
               length_of(own->asked - 1));
}

static void ask(struct entropy_check *own)
{
    struct entropy_read read = {.length = length_of(own->asked)};
    struct msg m;
    msg_set(&m, ENTROPY_READ, &read, sizeof(read));
    m.tag = own->asked + 1;
    own->due = conn_send(own->driver, &m) != OK;
    if (!own->due)
        own->asked++;
}

static void look(struct entropy_check *own, const struct entropy_read *read)
{
    uint64_t first;
    for (uint32_t i = 0; i < read->length; i++)
        for (uint32_t byte = read->bytes[i]; byte; byte &= byte - 1)
            own->ones++;
    for (uint32_t i = read->length; i < ENTROPY_READ_MAX; i++)
        if (read->bytes[i])
            fail(own, "bytes beyond its length");
    own->bytes += read->length;
    memcpy(&first, read->bytes, sizeof(first));
    if (read->length >= sizeof(first) && first == own->last)
        fail(own, "the same bytes twice");
    own->last = first;
}

static void check(struct entropy_check *own, const struct msg *m)
{
    const uint32_t length = length_of(own->asked - 1);
    const bool bad = !length || length > ENTROPY_READ_MAX;
    struct entropy_read read;
    msg_get(m, &read, sizeof(read));
    if (m->op != ENTROPY_READ || m->flags != MSG_REPLY || m->tag != own->asked)
        fail(own, "the reply to something else");
    else if (!bad && m->status == ERROR_BAD_STATE)
        told(own);
    else if (m->status != (bad ? ERROR_BAD_ARGUMENT : OK))
        fail(own, error_name((enum error)m->status));
    else if (read.length != (bad ? 0 : length))
        fail(own, "another length");
    else
        look(own, &read);
}

/* Of random bits half are ones: five standard deviations are 2.5 * sqrt(bits), a failure in a
 * million runs. */
static void end(struct entropy_check *own)
{
    const uint64_t bits = own->bytes * 8;
    const int64_t off = 2 * (int64_t)own->ones - (int64_t)bits;
    if ((uint64_t)(off * off) > 25 * bits)
        fail(own, "far more ones than zeros, or the other way round");
    if (!own->failed)
        domain_log(own->domain, "conforms: %u requests, %lu bytes", own->asked,
                   (unsigned long)own->bytes);
}

static bool check_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct entropy_check *own = state;
    (void)conn; /* there is one */
    check(own, m);
    if (own->asked < REQUESTS && !own->failed)
        ask(own);
    else if (!own->failed)
        end(own);
    return true;
}

static void check_batch_end(void *state)
{
    struct entropy_check *own = state;
    if (own->due)
        ask(own);
}

static enum error check_start(void *state, struct domain *domain)
{
    struct entropy_check *own = state;
    own->domain = domain;
    own->driver = domain_conn(domain, "driver", 0);
    ask(own);
    return OK;
}

/* From the beginning, with a driver that has begun anew. */
static bool check_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct entropy_check *own = state;
    (void)conn;
    if (what != RESTARTED_RESUME)
        return true;
    *own = (struct entropy_check){.domain = own->domain, .driver = own->driver};
    ask(own);
    return !own->due;
}

static const struct server_port ports[] = {
    {"driver", ENTROPY_PROTOCOL, ENTROPY_VERSION, CONN_CLIENT}};

extern const struct server motet_server_entropy_check;
const struct server motet_server_entropy_check = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "entropy_check",
    .state_size = sizeof(struct entropy_check),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .start = check_start,
    .receive = check_receive,
    .batch_end = check_batch_end,
};
SERVER_EXPORT(motet_server_entropy_check);
SERVER_RESTARTED(motet_server_entropy_check, check_restarted);
