/* SPDX-License-Identifier: ISC
 *
 * clock_check: a client that sees whether a driver of the clock class keeps its protocol, in a
 * running image: requests that are none, then one each tenth of a second. It says "conforms" and
 * what time it is, or that it was "told" that the device can't be used, or what doesn't "conform".
 */
#include "ipc/proto/clock.h"
#include "libos/domain.h"
#include "libos/restart.h"

enum { ANSWERS = 25, PERIOD_NS = 100000000, SECOND_NS = 1000000000 };

struct clock_check {
    struct domain *domain;
    struct conn *driver;
    uint32_t answers;
    struct clock_time first, last;
    bool failed;
};

static void fail(struct clock_check *own, const char *what)
{
    own->failed = true;
    domain_log(own->domain, "doesn't conform: answer %u: %s", own->answers, what);
}

/* There is no device, or none any more. */
static void told(struct clock_check *own)
{
    own->failed = true;
    domain_log(own->domain, "told: answer %u: BAD_STATE", own->answers);
}

static void ask(struct clock_check *own, uint16_t op, uint16_t flags)
{
    const struct msg m = {.op = op, .flags = flags, .tag = own->answers};
    if (conn_send(own->driver, &m) != OK)
        fail(own, "its channel is full");
}

/* No answer comes to the first three. */
static void begin(struct clock_check *own)
{
    ask(own, CLOCK_TIME + 1, 0);
    ask(own, 0xffff, 0);
    ask(own, CLOCK_TIME, MSG_REPLY);
    ask(own, CLOCK_TIME, 0);
}

/* It told both times truly: each was true to its own precision. */
static bool fits(const struct clock_time *first, const struct clock_time *last)
{
    const uint64_t passed = last->monotonic - first->monotonic;
    const uint64_t told = (last->seconds - first->seconds) * SECOND_NS;
    return told <= passed + first->precision && passed <= told + last->precision;
}

static void look(struct clock_check *own, const struct clock_time *time)
{
    const uint64_t now = domain_time(own->domain);
    if (time->nanoseconds >= SECOND_NS || !time->precision || time->reserved)
        fail(own, "a field is out of its range");
    else if (time->monotonic > now || time->monotonic < own->last.monotonic)
        fail(own, "it wasn't read when it was asked");
    else if (time->seconds < own->last.seconds)
        fail(own, "it runs backwards");
    else if (!fits(&own->first, time))
        fail(own, "it is less precise than it says");
}

static void check(struct clock_check *own, const struct msg *m)
{
    struct clock_time time;
    msg_get(m, &time, sizeof(time));
    if (!own->answers)
        own->first = own->last = time;
    if (m->op != CLOCK_TIME || m->flags != MSG_REPLY || m->tag != own->answers)
        fail(own, "the reply to something else");
    else if (m->status == ERROR_BAD_STATE)
        told(own);
    else if (m->status != OK)
        fail(own, error_name((enum error)m->status));
    else
        look(own, &time);
    own->last = time;
    own->answers++;
}

static bool check_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct clock_check *own = state;
    (void)conn; /* there is one */
    check(own, m);
    if (own->failed)
        return true;
    if (own->answers < ANSWERS)
        domain_set_deadline(own->domain, domain_time(own->domain) + PERIOD_NS);
    else
        domain_log(own->domain, "conforms: %u answers, %lu seconds since 1970, to %lu ns",
                   own->answers, (unsigned long)own->last.seconds,
                   (unsigned long)own->last.precision);
    return true;
}

static void check_deadline(void *state)
{
    ask(state, CLOCK_TIME, 0);
}

static enum error check_start(void *state, struct domain *domain)
{
    struct clock_check *own = state;
    own->domain = domain;
    own->driver = domain_conn(domain, "driver", 0);
    begin(own);
    return OK;
}

/* From the beginning, with a driver that has begun anew. */
static bool check_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct clock_check *own = state;
    (void)conn;
    domain_set_deadline(own->domain, 0);
    if (what != RESTARTED_RESUME)
        return true;
    *own = (struct clock_check){.domain = own->domain, .driver = own->driver};
    begin(own);
    return true;
}

static const struct server_port ports[] = {{"driver", CLOCK_PROTOCOL, CLOCK_VERSION, CONN_CLIENT}};

extern const struct server motet_server_clock_check;
const struct server motet_server_clock_check = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "clock_check",
    .state_size = sizeof(struct clock_check),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .start = check_start,
    .receive = check_receive,
    .deadline = check_deadline,
};
SERVER_EXPORT(motet_server_clock_check);
SERVER_RESTARTED(motet_server_clock_check, check_restarted);
