/* SPDX-License-Identifier: ISC
 *
 * What the domains do: 0 sends numbered messages, 1 answers or passes them on, 2 takes them. Each
 * word of a message says which it is, so that one that was read while it was written shows.
 */
#include <stddef.h>

#include "libos/domain.h"
#include "tests/cpus/memory.h"
#include "tests/cpus/run.h"

struct state {
    struct domain *domain;
    bool held;
};

static uint32_t answers_each(void)
{
    return run.mode == MODE_TWICE ? 2 : run.mode == MODE_ECHO ? 1 : 0;
}

static void message_make(struct msg *m, uint32_t number)
{
    *m = (struct msg){.op = 1, .tag = number};
    for (uint64_t i = 0; i < 6; i++)
        m->w[i] = number * UINT64_C(0x100000001) + i;
}

static uint32_t message_number(const struct msg *m)
{
    uint32_t number = (uint32_t)m->w[0];
    struct msg whole;
    message_make(&whole, number);
    for (int i = 0; i < 6; i++)
        if (m->w[i] != whole.w[i] || m->op != whole.op || m->tag != whole.tag)
            run_fail("a message is part %u, part another", number);
    return number;
}

/* The next one, or after a crash one that was had before. */
static void handle(int domain, uint32_t number)
{
    uint32_t next = run.handled[domain] + 1;
    if (number > next || (number < next && run.end != END_CRASH))
        run_fail("message %u reached domain %d instead of %u", number, domain, next);
}

static enum error start(void *data, struct domain *domain)
{
    ((struct state *)data)->domain = domain;
    return OK;
}

static bool source_receive(void *data, struct conn *conn, const struct msg *m)
{
    (void)conn;
    struct state *state = data;
    uint32_t number = message_number(m), each = answers_each();
    if (state->held)
        return false;
    state->held = run.reluctant;
    uint32_t next = each ? run.answers / each + 1 : 0;
    if (run.end == END_CRASH ? number > run.answered + 1 : number != next)
        run_fail("answer %u came after %u of them", number, run.answers);
    if (run.answered < number)
        run.answered = number;
    run.answers++;
    return true;
}

static void source_batch_end(void *data)
{
    struct state *state = data;
    state->held = false;
    for (struct msg m; run.sent < run.messages; run.sent++) {
        message_make(&m, run.sent + 1);
        if (conn_send(domain_conn(state->domain, "out", 0), &m) != OK)
            return;
    }
}

static bool middle_take(struct state *state, struct conn *conn, const struct msg *m)
{
    switch (run.mode) {
    case MODE_ECHO:
        return conn_send(conn, m) == OK;
    case MODE_TWICE:
        return conn_room(conn) >= 2 && conn_send(conn, m) == OK && conn_send(conn, m) == OK;
    case MODE_RELAY:
        return conn_send(domain_conn(state->domain, "out", 0), m) == OK;
    default:
        if (state->held)
            return false;
        return state->held = true;
    }
}

static bool middle_receive(void *data, struct conn *conn, const struct msg *m)
{
    run.in_hand = message_number(m);
    handle(1, run.in_hand);
    run_point();
    bool taken = middle_take(data, conn, m);
    run_point();
    if (taken && run.handled[1] < run.in_hand)
        run.handled[1] = run.in_hand;
    run.in_hand = 0;
    return taken;
}

static void middle_batch_end(void *data)
{
    ((struct state *)data)->held = false;
}

static bool sink_receive(void *data, struct conn *conn, const struct msg *m)
{
    (void)data;
    (void)conn;
    uint32_t number = message_number(m);
    handle(2, number);
    if (run.handled[2] < number)
        run.handled[2] = number;
    return true;
}

static const struct server source = {.name = "source",
                                     .state_size = sizeof(struct state),
                                     .start = start,
                                     .receive = source_receive,
                                     .batch_end = source_batch_end};
static const struct server middle = {.name = "middle",
                                     .state_size = sizeof(struct state),
                                     .start = start,
                                     .receive = middle_receive,
                                     .batch_end = middle_batch_end};
static const struct server sink = {
    .name = "sink", .state_size = sizeof(struct state), .start = start, .receive = sink_receive};
const struct server *const run_server[CPUS] = {&source, &middle, &sink};

void servers_finished(void)
{
    uint32_t total = run.messages, each = answers_each();
    if (run.sent != total || run.handled[1] != total)
        run_fail("a wake-up got lost: all sleep, %u of %u messages were sent, %u arrived", run.sent,
                 total, run.handled[1]);
    if (run.mode == MODE_RELAY && run.handled[2] != total)
        run_fail("a wake-up got lost: all sleep, %u of %u messages were passed on", run.handled[2],
                 total);
    if (each && (run.answered != total || run.answers < total * each))
        run_fail("a wake-up got lost: all sleep, %u of %u answers came", run.answers, total * each);
    if (each && run.answers > (total + run.slots) * each)
        run_fail("%u messages got %u answers", total, run.answers);
}
