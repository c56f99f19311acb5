/* SPDX-License-Identifier: ISC
 *
 * A client in synchronous style: several fibers ask the answerer (tests/servers/answerer/work.h) at
 * the same time and look at each answer. Then, one after the other: requests that are cancelled
 * under way, a peer that lies, a peer that starts again, and the kernel as a transport. Each leaves
 * a line in the log, for tests/system/test_ports.py and test_sim.py.
 */
#include "ipc/conn_port.h"
#include "libos/domain.h"
#include "libos/fiber.h"
#include "libos/fiber_port.h"
#include "libos/kernel.h"
#include "libos/restart.h"
#include "libos/kernel_conn.h"
#include "libos/server.h"
#include "libos/start.h"
#include "motet/control.h"
#include "motet/supervisor.h"
#include "tests/servers/answerer/work.h"

enum {
    WORKERS = 6,
    CALLS = 60, /* of each worker */
    PLACES = 4, /* fewer than workers: some wait for room */
    STACK_BYTES = 8192,
    NEVER = 3,
    SLEEP_NS = 20000,
    PATIENCE_NS = 1000000,
    MEASURED = 64,
    SWITCHES = 40, /* measured: no more than a fibers_run has */
};

struct asker;

struct worker {
    struct fiber fiber;
    struct asker *asker;
    uint32_t number, calls, wrong, deaths;
    _Alignas(16) char stack[STACK_BYTES];
};

struct asker {
    struct domain *domain;
    struct conn_client client;
    struct conn_place place[PLACES];
    struct kernel_conn kernel; /* to init */
    struct conn_client init;
    struct conn_place init_place;
    struct fibers fibers;
    struct fiber main;
    struct worker worker[WORKERS];
    uint32_t working, receipts;
    _Alignas(16) char main_stack[STACK_BYTES];
};

static struct worker *worker_of(struct asker *a)
{
    return CHAIN_OF(a->fibers.running, struct worker, fiber);
}

/* --- many at a time --- */

static void count_receipt(struct request *r)
{
    struct conn_client *client = CHAIN_OF(r->at, struct conn_client, port);
    CHAIN_OF(client, struct asker, client)->receipts++;
}

static bool is_right(const struct request *r, enum error error, uint64_t value)
{
    return !error && r->state == REQUEST_MINE && r->m.flags == MSG_REPLY && r->m.w[0] == value &&
           r->m.w[1] == work_of(value);
}

static void ask(struct worker *w, uint64_t value)
{
    static const uint16_t ops[] = {WORK_NOW, WORK_LATER, WORK_SLEEP, WORK_LATER};
    struct asker *a = w->asker;
    struct request r;
    request_init(&r, ops[value % 4], NULL);
    r.m.w[0] = value;
    r.m.w[2] = SLEEP_NS;
    request_set_receipt(&r, count_receipt);
    enum error error;
    do
        error = request_call(&a->fibers, &r, &a->client.port, 0);
    while (error == ERROR_PEER_DIED && ++w->deaths);
    w->calls++;
    w->wrong += !is_right(&r, error, value);
}

/* Two under way at a time, waited for in the other order. */
static void ask_two(struct worker *w, uint64_t value)
{
    struct asker *a = w->asker;
    struct msgport back;
    struct request r[2];
    msgport_init(&back, 1);
    for (uint32_t i = 0; i < 2; i++) {
        request_init(&r[i], WORK_LATER, &back);
        r[i].m.w[0] = value + i;
        request_set_receipt(&r[i], count_receipt);
        while (request_send(&r[i], &a->client.port) == ERROR_FULL)
            fiber_wait(&a->fibers, domain_time(a->domain) + SLEEP_NS);
    }
    for (uint32_t i = 2; i--;) {
        enum error error = request_wait(&a->fibers, &r[i], 0);
        w->calls++;
        w->deaths += error == ERROR_PEER_DIED;
        w->wrong += error != ERROR_PEER_DIED && !is_right(&r[i], error, value + i);
    }
}

static void worker_run(void *argument)
{
    struct asker *a = argument;
    struct worker *w = worker_of(a);
    for (uint64_t value = w->number * 1000; w->calls < CALLS; value += 2) {
        ask(w, value);
        if (w->number == 0)
            ask_two(w, value + 500);
    }
    if (!--a->working)
        fiber_wake(&a->main);
}

static void many(struct asker *a)
{
    uint32_t calls = 0, wrong = 0, deaths = 0;
    size_t unused = STACK_BYTES;
    a->working = WORKERS;
    for (uint32_t n = 0; n < WORKERS; n++) {
        struct worker *w = &a->worker[n];
        w->asker = a;
        w->number = n;
        fiber_create(&a->fibers, &w->fiber, w->stack, STACK_BYTES, worker_run, a);
    }
    while (a->working)
        fiber_wait(&a->fibers, 0);
    for (uint32_t n = 0; n < WORKERS; n++) {
        size_t left = fiber_stack_unused(&a->worker[n].fiber);
        unused = left < unused ? left : unused;
        calls += a->worker[n].calls;
        wrong += a->worker[n].wrong;
        deaths += a->worker[n].deaths;
    }
    domain_log(a->domain, "%u fibers: %u calls, %u wrong, %u receipts, %u deaths", WORKERS, calls,
               wrong, a->receipts, deaths);
    domain_log(a->domain, "%u bytes of a stack used", (uint32_t)(STACK_BYTES - unused));
}

/* --- what goes wrong --- */

static enum error call(struct asker *a, uint16_t op, uint64_t deadline)
{
    struct request r;
    request_init(&r, op, NULL);
    r.m.w[0] = op;
    enum error error = request_call(&a->fibers, &r, &a->client.port, deadline);
    return !error && !is_right(&r, error, op) ? ERROR_BAD_STATE : error;
}

static void never(struct asker *a)
{
    uint32_t late = 0;
    for (uint32_t i = 0; i < NEVER; i++)
        late += call(a, WORK_NEVER, domain_time(a->domain) + PATIENCE_NS) == ERROR_TIMEOUT;
    while (a->client.under_way) /* their answers are still to come */
        fiber_wait(&a->fibers, domain_time(a->domain) + SLEEP_NS);
    domain_log(a->domain, "%u of %u cancelled, %lu late answers", late, NEVER,
               (unsigned long)a->client.wrong.late);
}

static void lies(struct asker *a)
{
    struct conn_wrong *wrong = &a->client.wrong;
    enum error error = call(a, WORK_LIE, 0);
    while (wrong->unknown < WORK_LIES_UNKNOWN)
        fiber_wait(&a->fibers, domain_time(a->domain) + SLEEP_NS);
    domain_log(a->domain, "lied to: %s, %lu unknown, %lu of another operation", error_name(error),
               (unsigned long)wrong->unknown, (unsigned long)wrong->op);
}

static void restarts(struct asker *a)
{
    enum error error = call(a, WORK_RESTART, domain_time(a->domain) + 20 * PATIENCE_NS);
    domain_log(a->domain, "the peer started again: %s, then %s", error_name(error),
               error_name(call(a, WORK_NOW, 0)));
}

/* Two fibers that only yield to each other; a tick is an instruction in QEMU with icount. */
static void yielder(void *argument)
{
    struct asker *a = argument;
    for (int i = 0; i < SWITCHES / 2; i++)
        fiber_yield(&a->fibers);
}

static void measure(struct asker *a)
{
    struct worker *w = a->worker;
    fiber_create(&a->fibers, &w->fiber, w->stack, STACK_BYTES, yielder, a);
    fiber_yield(&a->fibers); /* a round of its own; the other has begun */
    uint64_t from = kernel_clock();
    for (int i = 0; i < SWITCHES / 2 - 1; i++)
        fiber_yield(&a->fibers);
    uint64_t ticks = kernel_clock() - from;
    fiber_yield(&a->fibers);
    domain_log(a->domain, "%u switches in %lu ticks", SWITCHES - 2, (unsigned long)ticks);
}

static int32_t do_work(struct msgport *port, struct request *r)
{
    (void)port;
    r->m.w[1] = work_of(r->m.w[0]);
    return OK;
}

/* Requests one after the other, to the answerer and to a function. */
static void measure_calls(struct asker *a)
{
    struct msgport function, *port[] = {&a->client.port, &function};
    uint64_t ticks[2];
    struct request r;
    msgport_init_put(&function, do_work);
    request_init(&r, WORK_NOW, NULL);
    for (int p = 0; p < 2; p++) {
        uint64_t from = kernel_clock();
        for (int i = 0; i < MEASURED; i++)
            request_call(&a->fibers, &r, port[p], 0);
        ticks[p] = (kernel_clock() - from) / MEASURED;
    }
    domain_log(a->domain, "a call takes %lu ticks, of a function %lu", (unsigned long)ticks[0],
               (unsigned long)ticks[1]);
}

/* Over the kernel, there and back: what only the controller is answered. */
static enum error ask_init(struct asker *a, uint64_t domain, struct control_domain *told)
{
    struct request r;
    request_init(&r, SUPERVISOR_CONTROL + CONTROL_DOMAIN, NULL);
    r.m.w[0] = domain;
    enum error error =
        request_call(&a->fibers, &r, &a->init.port, domain_time(a->domain) + 1000 * PATIENCE_NS);
    msg_get(&r.m, told, sizeof(*told));
    return error;
}

static void control(struct asker *a)
{
    struct control_domain told;
    enum error error = ask_init(a, 1, &told), none = ask_init(a, 99, &told);
    domain_log(a->domain, "init answers: %s, of a domain that isn't there: %s", error_name(error),
               error_name(none));
}

/* Over the kernel: init is told that this domain failed, and stops it. */
static void tell(struct asker *a)
{
    struct supervisor_failed failed = {.error = ERROR_CANCELLED};
    struct msg m;
    msg_set(&m, SUPERVISOR_FAILED, &failed, sizeof(failed));
    conn_send(&a->kernel.conn, &m);
}

static void main_run(void *argument)
{
    struct asker *a = argument;
    many(a);
    never(a);
    lies(a);
    if (domain_conn_generation(a->client.conn))
        restarts(a);
    measure(a);
    measure_calls(a);
    if (domain_setting(a->domain, "asker.control"))
        control(a);
    if (domain_setting(a->domain, "asker.tell"))
        tell(a);
    domain_log(a->domain, "asked all");
}

static enum error asker_start(void *state, struct domain *domain)
{
    struct asker *a = state;
    a->domain = domain;
    struct conn *conn = domain_conn(domain, "work", 0);
    if (!conn)
        return ERROR_NOT_FOUND;
    conn_client_init(&a->client, conn, a->place, PLACES, domain_random(domain), true);
    conn_client_peer(&a->client, domain_conn_generation(conn));
    kernel_conn_init(&a->kernel, SLOT_SUPERVISOR);
    conn_client_init(&a->init, &a->kernel.conn, &a->init_place, 1, domain_random(domain), false);
    fibers_init(&a->fibers);
    fiber_create(&a->fibers, &a->main, a->main_stack, STACK_BYTES, main_run, a);
    return OK;
}

static bool asker_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)conn;
    conn_client_receive(&((struct asker *)state)->client, m);
    return true;
}

static void asker_message(void *state, const struct msg *m)
{
    struct asker *a = state;
    struct msg answer = kernel_conn_answer(&a->kernel, m);
    conn_client_receive(&a->init, &answer);
}

static void asker_deadline(void *state)
{
    (void)state; /* batch_end follows */
}

static void asker_batch_end(void *state)
{
    struct asker *a = state;
    conn_client_peer(&a->client, domain_conn_generation(a->client.conn));
    conn_client_batch_end(&a->client);
    conn_client_batch_end(&a->init);
    domain_set_deadline(a->domain, fibers_run(&a->fibers, domain_time(a->domain)));
}

static const struct server_port ports[] = {{"work", WORK_PROTOCOL, WORK_VERSION, CONN_CLIENT}};
static const char *const settings[] = {"asker.control", "asker.tell"};

extern const struct server motet_server_asker;
const struct server motet_server_asker = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "asker",
    .state_size = sizeof(struct asker),
    .stack_bytes = 2048,
    .ports = ports,
    .port_count = sizeof(ports) / sizeof(ports[0]),
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .start = asker_start,
    .receive = asker_receive,
    .message = asker_message,
    .deadline = asker_deadline,
    .batch_end = asker_batch_end,
};
SERVER_EXPORT(motet_server_asker);

static bool asker_restarted(void *state, struct conn *conn, enum restarted what)
{
    (void)conn;
    if (what == RESTARTED_FORGET)
        conn_client_abort(&((struct asker *)state)->client, ERROR_PEER_DIED);
    return true;
}
SERVER_RESTARTED(motet_server_asker, asker_restarted);
