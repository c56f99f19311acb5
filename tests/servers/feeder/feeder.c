/* SPDX-License-Identifier: ISC
 *
 * Sends messages to the eater, with one among them that it doesn't survive: to its first life, or
 * with feeder.poison=always to each. tests/system/test_restart.py.
 */
#include <string.h>

#include "libos/domain.h"
#include "libos/restart.h"
#include "libos/server.h"
#include "tests/servers/eater/food.h"

struct feeder {
    struct domain *domain;
    struct conn *conn;
    bool always;
};

/* Without room for them they are lost: nobody looks. */
static void send(struct feeder *f, uint16_t op, uint32_t count)
{
    const struct msg m = {.op = op};
    while (count--)
        conn_send(f->conn, &m);
}

static void feed(struct feeder *f, bool poison)
{
    send(f, FOOD_GOOD, FOOD_BEFORE);
    send(f, FOOD_POISON, poison);
    send(f, FOOD_GOOD, FOOD_BEHIND);
}

static enum error feeder_start(void *state, struct domain *domain)
{
    struct feeder *f = state;
    const char *poison = domain_setting(domain, "feeder.poison");
    f->domain = domain;
    f->conn = domain_conn(domain, "food", 0);
    f->always = poison && !strcmp(poison, "always");
    if (!f->conn)
        return ERROR_NOT_FOUND;
    feed(f, true);
    return OK;
}

static bool feeder_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true;
}

static const struct server_port ports[] = {{"food", FOOD_PROTOCOL, FOOD_VERSION, CONN_CLIENT}};
static const char *const settings[] = {"feeder.poison"};

extern const struct server motet_server_feeder;
const struct server motet_server_feeder = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "feeder",
    .state_size = sizeof(struct feeder),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .settings = settings,
    .setting_count = 1,
    .start = feeder_start,
    .receive = feeder_receive,
};
SERVER_EXPORT(motet_server_feeder);

static bool feeder_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct feeder *f = state;
    (void)conn;
    if (what == RESTARTED_RESUME)
        feed(f, f->always);
    return true;
}
SERVER_RESTARTED(motet_server_feeder, feeder_restarted);
