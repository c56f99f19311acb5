/* SPDX-License-Identifier: ISC
 *
 * A server that attacks everything it can reach without being stopped at once: capability numbers
 * it doesn't hold, senseless arguments to every call and operation, its peers' queues, the rings
 * and buffers it shares. At the end it unmaps what it shares and touches it, which stops it.
 *
 * One phase per deadline, so that the image works on in between. It counts what was refused; what
 * was accepted though it must not be is logged with the word ACCEPTED, which tests look for.
 */
#include <string.h>

#include "ipc/proto/sock.h"
#include "ipc/ring_layout.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "libos/start.h"
#include "libos/syscall.h"

enum {
    SLOTS_TRIED = 600,
    GARBAGE_ROUNDS = 300,
    FLOOD_MESSAGES = 2000,
    PHASE_NS = 10000000, /* 10 ms between phases */
    PHASE_GARBAGE_FIRST = 4,
};

struct hostile {
    struct domain *domain;
    struct conn *net;
    uint32_t phase;
    uint64_t refused, accepted;
};

static const uint64_t values[] = {
    0,
    1,
    2,
    63,
    64,
    4096,
    0x400000,
    0x7fffffffffff,
    0x800000000000,
    0xffff800000000000,
    0xffffffff80100000,
    UINT32_MAX,
    UINT64_MAX,
    UINT64_MAX - 4095,
    1ull << 63,
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

static void result(struct hostile *h, enum error error, const char *what, uint64_t slot, uint64_t n)
{
    if (error != OK) {
        h->refused++;
        return;
    }
    h->accepted++;
    domain_log(h->domain, "ACCEPTED: %s slot %lu, %lu", what, (unsigned long)slot,
               (unsigned long)n);
}

/* Slots beyond what this domain was given, and numbers that are none. */
static void phase_slots(struct hostile *h)
{
    struct msg m = {.op = 1};
    for (uint64_t i = 40; i < SLOTS_TRIED + VALUES; i++) {
        uint64_t slot = i < SLOTS_TRIED ? i : values[i - SLOTS_TRIED] | 1ull << 40;
        result(h, sys_send(slot, &m, 0), "send", slot, 0);
        result(h, sys_signal(slot), "signal", slot, 0);
        struct received received = {0};
        result(h, sys_wait(slot, 0, 1, &received), "wait", slot, 0);
        for (unsigned operation = 0; operation < OPERATION_COUNT; operation++)
            result(h, sys_invoke(slot, (enum operation)operation, 1, 1, 1, 1, 1, NULL), "invoke",
                   slot, operation);
    }
}

/* Every operation on every capability it holds. Looking at and unmapping its own pages is its
 * right, the latter comes last. */
static void phase_operations(struct hostile *h)
{
    for (uint64_t slot = 0; slot < 40; slot++)
        for (unsigned operation = 0; operation < OPERATION_COUNT + 3; operation++)
            for (unsigned v = 0; v < VALUES; v++) {
                if (operation == OPERATION_page_info || operation == OPERATION_page_unmap)
                    continue;
                result(h,
                       sys_invoke(slot, (enum operation)operation, values[v],
                                  values[(v + 3) % VALUES], values[(v + 7) % VALUES],
                                  values[(v + 5) % VALUES], values[(v + 1) % VALUES], NULL),
                       "operation", slot, operation);
            }
}

/* Senseless arguments to the calls themselves. */
static void phase_calls(struct hostile *h)
{
    struct msg none = {.op = 0}, some = {.op = 1};
    for (unsigned v = 0; v < VALUES; v++) {
        struct received io = {.msg = some};
        result(h, sys_send(SLOT_SUPERVISOR, &none, 0), "send of op 0", SLOT_SUPERVISOR, v);
        result(h, sys_send(SLOT_SUPERVISOR, &some, 1000 + v), "send of nothing", SLOT_SUPERVISOR,
               v);
        result(h, sys_send(SLOT_OWN_PORT, &some, 0), "send to own port", SLOT_OWN_PORT, v);
        result(h, sys_signal(SLOT_OWN_PORT), "signal to own port", SLOT_OWN_PORT, v);
        result(h, sys_exchange(CALL_wait, SLOT_SUPERVISOR, 0, 0, 1, &io), "wait", SLOT_SUPERVISOR,
               v);
        result(h, sys_exchange(CALL_wait, SLOT_OWN_PORT, values[v] | 1ull << 50, 0, 1, &io),
               "wait with a doorbell", SLOT_OWN_PORT, v);
        result(h, sys_exchange(CALL_wait, SLOT_OWN_PORT, SLOT_OWN_PORT, 0, 1, &io),
               "wait with own port as doorbell", SLOT_OWN_PORT, v);
        result(h, sys_exchange(CALL_send_wait, SLOT_SUPERVISOR, values[v] | 1ull << 50, 0, 1, &io),
               "send_wait", SLOT_SUPERVISOR, v);
        result(h, sys_exchange((enum call)(CALL_COUNT + v), 1, 1, 1, 1, &io), "unknown call", 1, v);
        result(h, sys_exchange((enum call)values[v], 0, 0, 0, 1, &io), "call", 0, v);
        result(h, sys_exchange(CALL_wait, SLOT_OWN_PORT, 0, values[v] | 2000, 1, &io),
               "wait into a slot", SLOT_OWN_PORT, v);
    }
}

/* More than any queue takes: the supervisor's port, and the connection. */
static void phase_flood(struct hostile *h)
{
    struct msg m = {.op = 0x7777};
    uint64_t full = 0;
    for (int i = 0; i < FLOOD_MESSAGES; i++)
        full += sys_send(SLOT_SUPERVISOR, &m, 0) == ERROR_FULL;
    h->refused += full;
    for (int i = 0; i < FLOOD_MESSAGES; i++)
        full += conn_send(h->net, &m) == ERROR_FULL;
    domain_log(h->domain, "flooded: %lu messages met FULL", (unsigned long)full);
}

static void garbage(struct hostile *h, uint64_t address, uint64_t bytes)
{
    volatile uint64_t *word = (volatile uint64_t *)address;
    for (int i = 0; i < 64; i++)
        word[domain_random(h->domain) % (bytes / 8)] = domain_random(h->domain);
}

/* Well-formed entries with senseless contents, then anything anywhere in what it may write. */
static void phase_garbage(struct hostile *h)
{
    const struct start_page *start = (const struct start_page *)START_ADDRESS;
    for (int i = 0; i < 8; i++) {
        struct msg m = {.op = (uint16_t)(domain_random(h->domain) % 9)};
        for (int w = 0; w < MSG_WORDS; w++)
            m.w[w] = domain_random(h->domain) >> (domain_random(h->domain) % 64);
        conn_send(h->net, &m);
    }
    if (h->phase < PHASE_GARBAGE_FIRST + GARBAGE_ROUNDS / 2)
        return;
    for (uint32_t i = 0; i < start->pools; i++)
        if (start->pool[i].base && (start->pool[i].rights & POOL_WRITE))
            garbage(h, start->pool[i].base,
                    (uint64_t)start->pool[i].buffers * start->pool[i].buffer_size);
    for (uint32_t i = 0; i < start->conns; i++) {
        garbage(h, start->conn[i].mine, ring_bytes(start->conn[i].slots));
        sys_signal(start->conn[i].doorbell);
    }
}

/* The end: takes away its own side of what it shares, and touches it. */
static void phase_unmap(struct hostile *h)
{
    const struct start_page *start = (const struct start_page *)START_ADDRESS;
    domain_log(h->domain, "finished: %lu refused, %lu accepted", (unsigned long)h->refused,
               (unsigned long)h->accepted);
    struct received now = {0};
    sys_signal(SLOT_SUPERVISOR); /* its log is read before it goes on */
    sys_wait(SLOT_OWN_PORT, 0, 1, &now);
    for (uint64_t slot = SLOT_FIRST_FREE; slot < 64; slot++) {
        struct invoked info;
        if (sys_invoke(slot, OPERATION_page_info, 0, 0, 0, 0, 0, &info) == OK &&
            info.a[2] == start->conn[0].mine)
            sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    }
    *(volatile uint64_t *)start->conn[0].mine = 0;
    domain_log(h->domain, "ACCEPTED: a write to what was unmapped");
}

static void hostile_deadline(void *state)
{
    struct hostile *h = state;
    uint32_t phase = h->phase++;
    if (phase == 0)
        phase_slots(h);
    else if (phase == 1)
        phase_operations(h);
    else if (phase == 2)
        phase_calls(h);
    else if (phase == 3)
        phase_flood(h);
    else if (phase < PHASE_GARBAGE_FIRST + GARBAGE_ROUNDS)
        phase_garbage(h);
    else
        phase_unmap(h);
    domain_set_deadline(h->domain, domain_time(h->domain) + PHASE_NS);
}

static bool hostile_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true; /* and never gives a buffer back */
}

static enum error hostile_start(void *state, struct domain *domain)
{
    struct hostile *h = state;
    h->domain = domain;
    h->net = domain_conn(domain, "net", 0);
    struct sock_bind bind = {.protocol = 17, .port = 5300, .recv_pool = 0};
    const struct pool *pool = domain_pool_named(domain, "recv");
    if (pool)
        bind.recv_pool = pool->number;
    struct msg m;
    msg_set(&m, SOCK_BIND, &bind, sizeof(bind));
    domain_set_deadline(domain, domain_time(domain) + PHASE_NS);
    return conn_send(h->net, &m);
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = SOCK_PROTOCOL, .version = SOCK_VERSION, .role = CONN_CLIENT},
};

extern const struct server motet_server_hostile;
const struct server motet_server_hostile = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "hostile",
    .state_size = sizeof(struct hostile),
    .stack_bytes = 4096,
    .ports = ports,
    .port_count = 1,
    .start = hostile_start,
    .receive = hostile_receive,
    .deadline = hostile_deadline,
};
SERVER_EXPORT(motet_server_hostile);
