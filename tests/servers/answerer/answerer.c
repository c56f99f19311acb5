/* SPDX-License-Identifier: ISC
 *
 * Answers requests over connections in every way that ipc/msgport.h and libos/fiber.h have: see
 * work.h. Two fibers, each the owner of a port; what comes is answered by a put function, or passed
 * on to them. tests/system/test_ports.py looks at what the asker finds.
 */
#include "ipc/channel.h"
#include "ipc/conn_port.h"
#include "libos/domain.h"
#include "libos/fiber.h"
#include "libos/fiber_port.h"
#include "libos/restart.h"
#include "libos/server.h"
#include "tests/servers/answerer/work.h"

enum { REQUESTS = 8, QUEUED = 2, STACK_BYTES = 8192, YIELDS = 3 };

enum answerer_counter { COUNT_AT_ONCE, COUNT_LATER, COUNT_SLEPT, COUNT_CANCELLED, COUNT_LIES };

struct answerer {
    struct domain *domain;
    uint64_t *counters;
    struct conn *conn;
    struct conn_server server;
    struct request request[REQUESTS];
    struct msgport entry, later, sleepy;
    struct fibers fibers;
    struct fiber worker, sleeper;
    _Alignas(16) char worker_stack[STACK_BYTES], sleeper_stack[STACK_BYTES];
};

static void answer(struct request *r)
{
    r->m.w[1] = work_of(r->m.w[0]);
    request_reply(r, OK);
}

static struct answerer *answerer_of(struct request *r)
{
    return CHAIN_OF(CHAIN_OF(r->reply_port, struct conn_server, reply), struct answerer, server);
}

static void give_back(struct request *r)
{
    answerer_of(r)->counters[COUNT_CANCELLED]++;
    request_reply(r, ERROR_CANCELLED);
}

/* Past the message port: what an honest server can't send. */
static void lie(struct answerer *a, const struct request *r)
{
    struct msg m = r->m;
    m.flags = MSG_REPLY;
    m.tag = r->m.tag + (1u << 16);
    conn_send(a->conn, &m);
    m.tag = ~0ull;
    conn_send(a->conn, &m);
    m.tag = r->m.tag;
    m.op = WORK_NOW;
    conn_send(a->conn, &m);
    m.op = r->m.op;
    m.w[1] = work_of(m.w[0]);
    conn_send(a->conn, &m); /* the right one; the regular answer is one too many */
    a->counters[COUNT_LIES]++;
}

/* The rings' generation goes up as if this were the next life. */
static void restart(struct answerer *a)
{
    if (domain_conn_generation(a->conn))
        ((struct channel *)a->conn->transport)->mine->generation++;
}

static int32_t entry_put(struct msgport *port, struct request *r)
{
    struct answerer *a = CHAIN_OF(port, struct answerer, entry);
    switch (r->m.op) {
    case WORK_NOW:
        r->m.w[1] = work_of(r->m.w[0]);
        a->counters[COUNT_AT_ONCE]++;
        return OK;
    case WORK_LATER:
    case WORK_SLEEP:
        return request_forward(r, &a->later);
    case WORK_LIE:
        lie(a, r);
        return OK;
    case WORK_RESTART:
        restart(a);
        request_set_abort(r, give_back);
        return REQUEST_KEPT;
    case WORK_NEVER:
        request_set_abort(r, give_back);
        return REQUEST_KEPT;
    default:
        return ERROR_UNKNOWN_CALL;
    }
}

static void work(void *argument)
{
    struct answerer *a = argument;
    for (;;) {
        struct request *r = msgport_wait(&a->fibers, &a->later, 0);
        for (int i = 0; i < YIELDS; i++)
            fiber_yield(&a->fibers);
        a->counters[COUNT_LATER]++;
        if (r->m.op != WORK_SLEEP) {
            answer(r);
            continue;
        }
        while (request_forward(r, &a->sleepy) == ERROR_FULL)
            fiber_wait(&a->fibers, domain_time(a->domain) + 1000);
    }
}

static void sleep_and_work(void *argument)
{
    struct answerer *a = argument;
    for (;;) {
        struct request *r = msgport_wait(&a->fibers, &a->sleepy, 0);
        uint64_t until = domain_time(a->domain) + r->m.w[2];
        while (!(r->flags & REQUEST_CANCELLED) && fiber_wait(&a->fibers, until) == OK)
            continue;
        a->counters[COUNT_SLEPT]++;
        answer(r);
    }
}

static enum error answerer_start(void *state, struct domain *domain)
{
    struct answerer *a = state;
    a->domain = domain;
    a->counters = domain_counters(domain);
    a->conn = domain_conn(domain, "work", 0);
    if (!a->conn)
        return ERROR_NOT_FOUND;
    msgport_init_put(&a->entry, entry_put);
    msgport_init(&a->later, QUEUED);
    msgport_init(&a->sleepy, QUEUED);
    conn_server_init(&a->server, a->conn, &a->entry, a->request, REQUESTS);
    fibers_init(&a->fibers);
    fiber_create(&a->fibers, &a->worker, a->worker_stack, STACK_BYTES, work, a);
    fiber_create(&a->fibers, &a->sleeper, a->sleeper_stack, STACK_BYTES, sleep_and_work, a);
    return OK;
}

static bool answerer_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)conn;
    return conn_server_receive(&((struct answerer *)state)->server, m);
}

static void answerer_deadline(void *state)
{
    (void)state; /* batch_end follows */
}

static void answerer_batch_end(void *state)
{
    struct answerer *a = state;
    conn_server_batch_end(&a->server);
    domain_set_deadline(a->domain, fibers_run(&a->fibers, domain_time(a->domain)));
}

static const struct server_port ports[] = {{"work", WORK_PROTOCOL, WORK_VERSION, CONN_SERVER}};
static const char *const counters[] = {"work_at_once", "work_later", "work_slept", "work_cancelled",
                                       "work_lies"};

extern const struct server motet_server_answerer;
const struct server motet_server_answerer = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "answerer",
    .state_size = sizeof(struct answerer),
    .stack_bytes = 2048,
    .ports = ports,
    .port_count = sizeof(ports) / sizeof(ports[0]),
    .counters = counters,
    .counter_count = sizeof(counters) / sizeof(counters[0]),
    .start = answerer_start,
    .receive = answerer_receive,
    .deadline = answerer_deadline,
    .batch_end = answerer_batch_end,
};
SERVER_EXPORT(motet_server_answerer);

static bool answerer_restarted(void *state, struct conn *conn, enum restarted what)
{
    (void)conn;
    if (what == RESTARTED_FORGET)
        conn_server_abort(&((struct answerer *)state)->server);
    return true;
}
SERVER_RESTARTED(motet_server_answerer, answerer_restarted);
