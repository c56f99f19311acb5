/* SPDX-License-Identifier: ISC
 *
 * timed: what time it is, over UDP (SNTP, RFC 4330), from the machine's clock. An answer is as long
 * as the shortest question: nobody can have it sent to others in bulk. docs/timed.md.
 *
 * The clock is coarse: an answer of its driver is a span in which the truth lies. Several of them,
 * asked for at different moments of a second, have less in common than each has: a series of looks
 * narrows the span to the time between two looks. Between series domain_time goes on alone.
 */
#include "ipc/proto/clock.h"
#include "ipc/proto/sock.h"
#include "libos/domain.h"
#include "libos/restart.h"
#include "servers/timed/sntp.h"

enum { UDP = 17, BUFFERS_MAX = 64, LOOKS = 40 };
#define SECOND_NS     1000000000ull
#define LOOK_NS       31000000ull       /* 40 of them are more than a second */
#define SERIES_NS     (600 * SECOND_NS) /* two clocks part by some 10 to 100 us a second */
#define DRIFT_PPM     100               /* so much is allowed for meanwhile */
#define SECONDS_LIMIT (1ull << 33)      /* no clock is right that shows 2242 */

/* Nanoseconds from boot back to 1970: the truth is in between. high 0: nothing is known. */
struct span {
    uint64_t low, high;
};

struct timed {
    struct domain *domain;
    struct conn *net, *source;
    const struct pool *receive_pool, *send_pool;
    struct span now, next;  /* what is told, and what the series has come to */
    uint64_t since;         /* domain_time of the last look that `now` is of */
    uint32_t looks;         /* of the series */
    bool asked;             /* the stack was told the port */
    bool sent[BUFFERS_MAX]; /* answers that are the stack's */
};

enum { COUNT_ANSWERED, COUNT_UNKNOWN, COUNT_REQUEST, COUNT_BUSY, COUNT_CLOCK, COUNT_BAD, COUNTERS };
static const char *const counters[COUNTERS] = {
    [COUNT_ANSWERED] = "answered",  [COUNT_UNKNOWN] = "answered_unknown",
    [COUNT_REQUEST] = "no_request", [COUNT_BUSY] = "busy",
    [COUNT_CLOCK] = "clock_down",   [COUNT_BAD] = "bad_message"};

static void count(const struct timed *own, uint32_t counter)
{
    domain_counters(own->domain)[counter]++;
}

/* The clock */

static void look(void *state)
{
    struct timed *own = state;
    const struct msg m = {.op = CLOCK_TIME};
    if (conn_send(own->source, &m) != OK) /* the driver stands still */
        domain_set_deadline(own->domain, domain_time(own->domain) + SECOND_NS);
}

static bool is_sound(const struct timed *own, const struct clock_time *time)
{
    return time->seconds < SECONDS_LIMIT && time->nanoseconds < SECOND_NS && time->precision &&
           time->precision <= SERIES_NS && time->monotonic <= domain_time(own->domain) &&
           time->seconds * SECOND_NS >= time->monotonic;
}

/* What both spans have in common; if that is nothing, the later one. */
static void span_narrow(struct span *span, struct span by)
{
    const uint64_t low = by.low > span->low ? by.low : span->low;
    const uint64_t high = by.high < span->high ? by.high : span->high;
    *span = low < high ? (struct span){low, high} : by;
}

static void series_go_on(struct timed *own, const struct clock_time *time)
{
    struct span seen = {.low = time->seconds * SECOND_NS + time->nanoseconds - time->monotonic};
    seen.high = seen.low + time->precision;
    if (!own->looks++)
        own->next = seen;
    span_narrow(&own->next, seen);
    if (own->looks < LOOKS && own->now.high)
        return;
    if (own->looks >= LOOKS && !own->since)
        domain_log(own->domain, "the clock is known to %lu ms",
                   (unsigned long)((own->next.high - own->next.low) / 1000000));
    own->now = own->next;
    if (own->looks >= LOOKS)
        own->since = time->monotonic;
}

static void clock_received(struct timed *own, const struct msg *m)
{
    struct clock_time time;
    msg_get(m, &time, sizeof(time));
    const bool sound =
        m->op == CLOCK_TIME && m->flags == MSG_REPLY && (m->status != OK || is_sound(own, &time));
    if (!sound)
        count(own, COUNT_BAD);
    else if (m->status != OK)
        count(own, COUNT_CLOCK);
    else
        series_go_on(own, &time);
    const bool again = sound && m->status == OK && own->looks < LOOKS;
    if (!again)
        own->looks = 0;
    domain_set_deadline(own->domain, domain_time(own->domain) + (again ? LOOK_NS : SERIES_NS));
}

static struct sntp_time time_now(const struct timed *own)
{
    const uint64_t now = domain_time(own->domain), half = (own->now.high - own->now.low) / 2;
    return (struct sntp_time){.known = own->now.high != 0,
                              .now = now + own->now.low + half,
                              .error = half + (now - own->since) / 1000000 * DRIFT_PPM};
}

/* The network */

static void port_ask(struct timed *own)
{
    struct sock_bind bind = {
        .protocol = UDP, .port = SNTP_PORT, .recv_pool = own->receive_pool->number};
    struct msg m;
    msg_set(&m, SOCK_BIND, &bind, sizeof(bind));
    own->asked = conn_send(own->net, &m) == OK;
}

static enum error timed_start(void *state, struct domain *domain)
{
    struct timed *own = state;
    own->domain = domain;
    own->net = domain_conn(domain, "net", 0);
    own->source = domain_conn(domain, "source", 0);
    own->receive_pool = domain_pool_named(domain, "recv");
    own->send_pool = domain_pool_named(domain, "send");
    if (!own->receive_pool || !(own->receive_pool->rights & POOL_READ) || !own->send_pool ||
        !(own->send_pool->rights & POOL_WRITE) || own->send_pool->buffer_size < SNTP_BYTES) {
        domain_log(domain, "the manifest must give the pools recv, to be read, and send, to be "
                           "written, of at least 48 bytes");
        return ERROR_NOT_FOUND;
    }
    port_ask(own);
    look(own);
    return OK;
}

static void buffer_return(struct timed *own, const struct sock_datagram *datagram)
{
    struct sock_done done = {
        .pool = datagram->data.pool, .count = 1, .index = {datagram->data.index}};
    struct msg m;
    msg_set(&m, SOCK_RECV_DONE, &done, sizeof(done));
    conn_send(own->net, &m);
}

/* A buffer for an answer; the pool's count: there is none. */
static uint32_t buffer_find(const struct timed *own)
{
    const uint32_t all =
        own->send_pool->buffers < BUFFERS_MAX ? own->send_pool->buffers : BUFFERS_MAX;
    for (uint32_t i = 0; i < all; i++)
        if (!own->sent[i])
            return i;
    return UINT32_MAX;
}

static void answer_send(struct timed *own, struct sock_datagram datagram,
                        const uint8_t request[SNTP_BYTES])
{
    const struct sntp_time time = time_now(own);
    const uint32_t i = buffer_find(own);
    uint8_t answer[SNTP_BYTES];
    struct msg m;
    if (!sntp_answer(request, &time, answer)) {
        count(own, COUNT_REQUEST);
        return;
    }
    datagram.data = (struct buffer_ref){
        .pool = own->send_pool->number, .index = (uint16_t)i, .length = SNTP_BYTES};
    msg_set(&m, SOCK_SEND, &datagram, sizeof(datagram));
    if (i == UINT32_MAX || !conn_room(own->net)) {
        count(own, COUNT_BUSY);
        return;
    }
    memcpy(pool_data(own->send_pool, datagram.data), answer, SNTP_BYTES);
    own->sent[i] = conn_send(own->net, &m) == OK;
    count(own, time.known ? COUNT_ANSWERED : COUNT_UNKNOWN);
}

/* False: the stack's ring has no room for the buffer; it will, whatever we do. */
static bool question_received(struct timed *own, const struct msg *m)
{
    struct sock_datagram datagram;
    uint8_t request[SNTP_BYTES];
    msg_get(m, &datagram, sizeof(datagram));
    if (datagram.data.pool != own->receive_pool->number ||
        pool_ref_check(own->receive_pool, datagram.data) != OK) {
        count(own, COUNT_BAD);
        return true;
    }
    if (!conn_room(own->net))
        return false;
    const bool whole = datagram.data.length >= SNTP_BYTES;
    if (whole)
        memcpy(request, pool_data(own->receive_pool, datagram.data), SNTP_BYTES);
    buffer_return(own, &datagram);
    if (whole)
        answer_send(own, datagram, request);
    else
        count(own, COUNT_REQUEST);
    return true;
}

static void answers_done(struct timed *own, const struct msg *m)
{
    struct sock_done done;
    msg_get(m, &done, sizeof(done));
    if (done.pool != own->send_pool->number || done.count > SOCK_DONE_MAX) {
        count(own, COUNT_BAD);
        return;
    }
    for (uint32_t i = 0; i < done.count; i++)
        if (done.index[i] < BUFFERS_MAX && own->sent[done.index[i]])
            own->sent[done.index[i]] = false;
        else
            count(own, COUNT_BAD);
}

static void bound(const struct timed *own, const struct msg *m)
{
    if (m->status == OK)
        domain_log(own->domain, "serving the time on UDP port %u", (unsigned)SNTP_PORT);
    else
        domain_log(own->domain, "port %u can't be opened: %s", (unsigned)SNTP_PORT,
                   error_text((enum error)m->status));
}

static bool timed_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct timed *own = state;
    if (conn == own->source) {
        clock_received(own, m);
        return true;
    }
    switch (m->op) {
    case SOCK_RECV:
        return question_received(own, m);
    case SOCK_SEND_DONE:
        answers_done(own, m);
        return true;
    case SOCK_BIND:
        bound(own, m);
        return true;
    default:
        count(own, COUNT_BAD);
        return true;
    }
}

static void timed_batch_end(void *state)
{
    struct timed *own = state;
    if (!own->asked)
        port_ask(own);
}

/* A driver that begins anew has lost the question; a stack, what it was to send, and the port. */
static bool timed_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct timed *own = state;
    if (what == RESTARTED_FORGET && conn == own->net)
        memset(own->sent, 0, sizeof(own->sent));
    if (what != RESTARTED_RESUME)
        return true;
    if (conn == own->source) {
        own->looks = 0;
        look(own);
        return true;
    }
    port_ask(own);
    return own->asked;
}

static const struct server_port ports[] = {
    {"net", SOCK_PROTOCOL, SOCK_VERSION, CONN_CLIENT},
    {"source", CLOCK_PROTOCOL, CLOCK_VERSION, CONN_CLIENT},
};

extern const struct server motet_server_timed;
const struct server motet_server_timed = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "timed",
    .state_size = sizeof(struct timed),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = sizeof(ports) / sizeof(ports[0]),
    .counters = counters,
    .counter_count = COUNTERS,
    .start = timed_start,
    .receive = timed_receive,
    .deadline = look,
    .batch_end = timed_batch_end,
};
SERVER_EXPORT(motet_server_timed);
SERVER_RESTARTED(motet_server_timed, timed_restarted);
