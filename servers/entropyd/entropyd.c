/* SPDX-License-Identifier: ISC
 *
 * entropyd: random bytes over UDP. A datagram of n bytes (1 to ENTROPY_READ_MAX) is answered with n
 * bytes of the machine's source of entropy, so that an answer is never longer than its question:
 * nobody can have it sent to others in bulk. docs/entropyd.md.
 *
 * A question is one buffer of the pool `send` from its arrival to the end of its answer:
 *
 *   FREE ── datagram ──▶ ASKED ── bytes from the driver ──▶ SENT ── SEND_DONE ──▶ FREE
 *
 * Without a free one a question is dropped, and counted: it mustn't wait in the stack's ring, where
 * the SEND_DONE that it waits for would be behind it. When a peer begins anew, what it had is FREE
 * again: those questions get no answer.
 */
#include "ipc/proto/entropy.h"
#include "ipc/proto/sock.h"
#include "libos/domain.h"
#include "libos/restart.h"

enum { PORT = 4949, UDP = 17, QUESTIONS_MAX = 64 };

enum question_state { FREE, ASKED, SENT };

struct entropyd {
    struct domain *domain;
    struct conn *net, *source;
    const struct pool *receive_pool, *send_pool;
    struct sock_datagram question[QUESTIONS_MAX]; /* where answers go */
    uint8_t state[QUESTIONS_MAX];                 /* enum question_state */
    bool asked;                                   /* the stack was told the port */
};

enum { COUNT_ANSWERED, COUNT_NO_BYTES, COUNT_LENGTH, COUNT_BUSY, COUNT_BAD, COUNTERS };
static const char *const counters[COUNTERS] = {[COUNT_ANSWERED] = "answered",
                                               [COUNT_NO_BYTES] = "no_bytes",
                                               [COUNT_LENGTH] = "wrong_length",
                                               [COUNT_BUSY] = "busy",
                                               [COUNT_BAD] = "bad_message"};

static void count(const struct entropyd *own, uint32_t counter)
{
    domain_counters(own->domain)[counter]++;
}

static uint32_t questions(const struct entropyd *own)
{
    return own->send_pool->buffers < QUESTIONS_MAX ? own->send_pool->buffers : QUESTIONS_MAX;
}

/* Those in one state are free again. */
static void questions_forget(struct entropyd *own, uint8_t state)
{
    for (uint32_t i = 0; i < QUESTIONS_MAX; i++)
        if (own->state[i] == state)
            own->state[i] = FREE;
}

static void port_ask(struct entropyd *own)
{
    struct sock_bind bind = {.protocol = UDP, .port = PORT, .recv_pool = own->receive_pool->number};
    struct msg m;
    msg_set(&m, SOCK_BIND, &bind, sizeof(bind));
    own->asked = conn_send(own->net, &m) == OK;
}

static enum error entropyd_start(void *state, struct domain *domain)
{
    struct entropyd *own = state;
    own->domain = domain;
    own->net = domain_conn(domain, "net", 0);
    own->source = domain_conn(domain, "source", 0);
    own->receive_pool = domain_pool_named(domain, "recv");
    own->send_pool = domain_pool_named(domain, "send");
    if (!own->receive_pool || !own->send_pool || !(own->send_pool->rights & POOL_WRITE)) {
        domain_log(domain, "the manifest must give the pools recv, and send to be written");
        return ERROR_NOT_FOUND;
    }
    port_ask(own);
    return OK;
}

/* The question's buffer goes back: its length was all that it had to say. */
static void buffer_return(struct entropyd *own, const struct sock_datagram *datagram)
{
    struct sock_done done = {
        .pool = datagram->data.pool, .count = 1, .index = {datagram->data.index}};
    struct msg m;
    msg_set(&m, SOCK_RECV_DONE, &done, sizeof(done));
    conn_send(own->net, &m);
}

/* OK if the driver was asked for as many bytes. */
static enum error source_ask(struct entropyd *own, const struct sock_datagram *datagram)
{
    struct entropy_read read = {.length = datagram->data.length};
    struct msg m;
    uint32_t i = 0;
    while (i < questions(own) && own->state[i] != FREE)
        i++;
    if (i == questions(own))
        return ERROR_FULL;
    msg_set(&m, ENTROPY_READ, &read, sizeof(read));
    m.tag = i;
    if (conn_send(own->source, &m) != OK)
        return ERROR_FULL;
    own->question[i] = *datagram;
    own->state[i] = ASKED;
    return OK;
}

/* False: the stack's ring has no room for the buffer; it will, whatever we do. */
static bool question_received(struct entropyd *own, const struct msg *m)
{
    struct sock_datagram datagram;
    msg_get(m, &datagram, sizeof(datagram));
    if (datagram.data.pool != own->receive_pool->number ||
        pool_ref_check(own->receive_pool, datagram.data) != OK) {
        count(own, COUNT_BAD);
        return true;
    }
    if (!conn_room(own->net))
        return false;
    if (!datagram.data.length || datagram.data.length > ENTROPY_READ_MAX)
        count(own, COUNT_LENGTH);
    else if (source_ask(own, &datagram) != OK)
        count(own, COUNT_BUSY);
    buffer_return(own, &datagram);
    return true;
}

static void answers_done(struct entropyd *own, const struct msg *m)
{
    struct sock_done done;
    msg_get(m, &done, sizeof(done));
    if (done.pool != own->send_pool->number || done.count > SOCK_DONE_MAX) {
        count(own, COUNT_BAD);
        return;
    }
    for (uint32_t i = 0; i < done.count; i++)
        if (done.index[i] < QUESTIONS_MAX && own->state[done.index[i]] == SENT)
            own->state[done.index[i]] = FREE;
        else
            count(own, COUNT_BAD);
}

static void bound(const struct entropyd *own, const struct msg *m)
{
    if (m->status == OK)
        domain_log(own->domain, "serving random bytes on UDP port %u", (unsigned)PORT);
    else
        domain_log(own->domain, "port %u can't be opened: %s", (unsigned)PORT,
                   error_text((enum error)m->status));
}

/* Swaps the bytes of the driver's reply into the question's buffer. False: no room to send. */
static bool bytes_received(struct entropyd *own, const struct msg *m)
{
    struct entropy_read read;
    const uint64_t i = m->tag;
    msg_get(m, &read, sizeof(read));
    if (m->op != ENTROPY_READ || !(m->flags & MSG_REPLY) || i >= QUESTIONS_MAX ||
        own->state[i] != ASKED ||
        (m->status == OK && read.length != own->question[i].data.length)) {
        count(own, COUNT_BAD);
        return true;
    }
    if (!conn_room(own->net))
        return false;
    if (m->status != OK) {
        own->state[i] = FREE;
        count(own, COUNT_NO_BYTES);
        return true;
    }
    struct sock_datagram answer = own->question[i];
    struct msg out;
    answer.data = (struct buffer_ref){
        .pool = own->send_pool->number, .index = (uint16_t)i, .length = (uint16_t)read.length};
    memcpy(pool_data(own->send_pool, answer.data), read.bytes, read.length);
    msg_set(&out, SOCK_SEND, &answer, sizeof(answer));
    own->state[i] = SENT;
    conn_send(own->net, &out);
    count(own, COUNT_ANSWERED);
    return true;
}

static bool entropyd_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct entropyd *own = state;
    if (conn == own->source)
        return bytes_received(own, m);
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

static void entropyd_batch_end(void *state)
{
    struct entropyd *own = state;
    if (!own->asked)
        port_ask(own);
}

static bool entropyd_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct entropyd *own = state;
    if (what == RESTARTED_FORGET)
        questions_forget(own, conn == own->source ? ASKED : SENT);
    if (what == RESTARTED_RESUME && conn == own->net) {
        port_ask(own);
        return own->asked;
    }
    return true;
}

static const struct server_port ports[] = {
    {"net", SOCK_PROTOCOL, SOCK_VERSION, CONN_CLIENT},
    {"source", ENTROPY_PROTOCOL, ENTROPY_VERSION, CONN_CLIENT},
};

extern const struct server motet_server_entropyd;
const struct server motet_server_entropyd = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "entropyd",
    .state_size = sizeof(struct entropyd),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = sizeof(ports) / sizeof(ports[0]),
    .counters = counters,
    .counter_count = COUNTERS,
    .start = entropyd_start,
    .receive = entropyd_receive,
    .batch_end = entropyd_batch_end,
};
SERVER_EXPORT(motet_server_entropyd);
SERVER_RESTARTED(motet_server_entropyd, entropyd_restarted);
