/* SPDX-License-Identifier: ISC
 *
 * edu_demo: shows what edu_drv's device can do, each thing once, and logs it: a factorial, and some
 * bytes that go into the device and come back.
 */
#include "ipc/proto/edu.h"
#include "libos/domain.h"
#include "libos/server.h"

enum { N = 10, OFFSET = 100 };
static const char text[] = "there and back";

struct edu_demo {
    struct domain *domain;
};

enum { COUNT_ANSWERS, COUNT_BAD, COUNTERS };
static const char *const counters[COUNTERS] = {[COUNT_ANSWERS] = "answers", [COUNT_BAD] = "bad"};

/* All three at once: the driver serves them in this order. */
static enum error demo_start(void *state, struct domain *domain)
{
    struct edu_demo *demo = state;
    struct conn *driver = domain_conn(domain, "driver", 0);
    const struct edu_factorial factorial = {.n = N};
    struct edu_transfer transfer = {.offset = OFFSET, .length = sizeof(text)};
    struct msg m;
    demo->domain = domain;
    msg_set(&m, EDU_FACTORIAL, &factorial, sizeof(factorial));
    enum error error = conn_send(driver, &m);
    memcpy(transfer.bytes, text, sizeof(text));
    msg_set(&m, EDU_STORE, &transfer, sizeof(transfer));
    if (error == OK)
        error = conn_send(driver, &m);
    memset(transfer.bytes, 0, sizeof(transfer.bytes));
    msg_set(&m, EDU_FETCH, &transfer, sizeof(transfer));
    return error == OK ? conn_send(driver, &m) : error;
}

static void transfer_show(struct edu_demo *demo, const struct msg *m)
{
    struct edu_transfer transfer;
    char bytes[EDU_TRANSFER_BYTES + 1] = "";
    msg_get(m, &transfer, sizeof(transfer));
    if (transfer.length > EDU_TRANSFER_BYTES) {
        domain_counters(demo->domain)[COUNT_BAD]++;
        return;
    }
    memcpy(bytes, transfer.bytes, transfer.length);
    domain_log(demo->domain, m->op == EDU_STORE ? "stored \"%s\"" : "fetched \"%s\"", bytes);
}

static bool demo_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct edu_demo *demo = state;
    struct edu_factorial factorial;
    (void)conn; /* there is one */
    if (!(m->flags & MSG_REPLY) || m->op < EDU_FACTORIAL || m->op > EDU_FETCH) {
        domain_counters(demo->domain)[COUNT_BAD]++;
        return true;
    }
    domain_counters(demo->domain)[COUNT_ANSWERS]++;
    if (m->status != OK) {
        domain_log(demo->domain, "request %u: %s", m->op, error_name((enum error)m->status));
    } else if (m->op == EDU_FACTORIAL) {
        msg_get(m, &factorial, sizeof(factorial));
        domain_log(demo->domain, "%u! is %u", factorial.n, factorial.result);
    } else {
        transfer_show(demo, m);
    }
    return true;
}

static const struct server_port ports[] = {{"driver", EDU_PROTOCOL, EDU_VERSION, CONN_CLIENT}};

extern const struct server motet_server_edu_demo;
const struct server motet_server_edu_demo = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "edu_demo",
    .state_size = sizeof(struct edu_demo),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .counters = counters,
    .counter_count = COUNTERS,
    .start = demo_start,
    .receive = demo_receive,
};
SERVER_EXPORT(motet_server_edu_demo);
