/* SPDX-License-Identifier: ISC
 *
 * Fails an assertion whenever it takes a certain message (food.h): tests/system/test_restart.py.
 */
#include "libos/assert.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "tests/servers/eater/food.h"

struct eater {
    struct domain *domain;
    uint64_t *counters;
    uint32_t eaten; /* in this life */
};

static enum error eater_start(void *state, struct domain *domain)
{
    struct eater *e = state;
    e->domain = domain;
    e->counters = domain_counters(domain);
    return OK;
}

static bool eater_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct eater *e = state;
    (void)conn;
    SERVER_ASSERT(m->op != FOOD_POISON);
    e->counters[0]++;
    if (++e->eaten == FOOD_BEFORE + FOOD_BEHIND)
        domain_log(e->domain, "ate %u", e->eaten);
    return true;
}

static const struct server_port ports[] = {{"food", FOOD_PROTOCOL, FOOD_VERSION, CONN_SERVER}};
static const char *const counters[] = {"eaten"};

extern const struct server motet_server_eater;
const struct server motet_server_eater = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "eater",
    .state_size = sizeof(struct eater),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .counters = counters,
    .counter_count = 1,
    .start = eater_start,
    .receive = eater_receive,
};
SERVER_EXPORT(motet_server_eater);
