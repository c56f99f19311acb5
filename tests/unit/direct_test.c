/* SPDX-License-Identifier: ISC
 *
 * libos/direct.c under libos/loop.c: one domain of three servers that are connected in a ring,
 * with this file as its kernel. What each server does in an entry point is a function of the test.
 * Chains in which some links are direct and others channels: tests/unit/loop_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/kernel.h"
#include "libos/state.h"

enum {
    ACTORS = 3,
    SLOTS = 4,
    CONNS = 2 * ACTORS,
    NOTES = 4096,
    PRIVATE_BYTES = LIBOS_PRIVATE_BYTES + 65536,
};

/* Each is a client of the next one ("out") and the server of the one before ("in"). */
struct actor {
    struct domain *domain;
    struct conn *out, *in;
    uint32_t number;
    bool inside, started;
    bool (*on_receive)(struct actor *actor, struct conn *conn, const struct msg *m);
    void (*on_batch_end)(struct actor *actor);
    void (*on_start)(struct actor *actor);
    uint32_t batch_ends, offers;
    uint64_t next_in, next_out, sent_in, sent_out; /* numbers of messages, for order */
    uint64_t noted[NOTES];
    uint32_t note_count;
};

static struct {
    struct start_page start;
    struct kernel_info info;
    struct log_page log;
    struct counter_page counters;
    uint8_t *memory;
    struct msg queue[CONNS][SLOTS];
    struct libos *libos;
    uint64_t pending, waited_for;
    uint32_t waits, depth, deepest;
    bool wrong;
} world;

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    (void)message;
    assert_int_equal(doorbell, 0); /* nobody to be rung */
    assert_int_equal(world.depth, 0);
    world.waits++;
    world.waited_for = deadline;
    uint64_t pending = world.pending;
    world.pending = 0;
    return pending;
}

void kernel_signal(uint64_t slot)
{
    fail_msg("slot %lu is rung", (unsigned long)slot);
}

void ring_fence(void)
{
    fail_msg("a fence inside a domain");
}

void kernel_acknowledge(uint64_t slot)
{
    (void)slot;
}

void kernel_report(const struct msg *m)
{
    (void)m;
}

uint64_t kernel_clock(void)
{
    return 1000;
}

uint64_t kernel_random(void)
{
    return 1;
}

void kernel_stop(uint64_t code)
{
    (void)code;
    abort();
}

/* Never twice at a time. */
static void enter(struct actor *actor)
{
    world.wrong |= actor->inside;
    actor->inside = true;
    if (++world.depth > world.deepest)
        world.deepest = world.depth;
}

static void leave(struct actor *actor)
{
    actor->inside = false;
    world.depth--;
}

static void note(struct actor *actor, uint64_t number)
{
    if (actor->note_count < NOTES)
        actor->noted[actor->note_count++] = number;
}

static enum error send(struct conn *conn, uint64_t number)
{
    struct msg m = {.op = 1, .w = {number}};
    return conn_send(conn, &m);
}

static enum error actor_start(void *state, struct domain *domain)
{
    struct actor *actor = state;
    actor->domain = domain;
    actor->out = domain_conn(domain, "out", 0);
    actor->in = domain_conn(domain, "in", 0);
    actor->started = true;
    if (actor->on_start)
        actor->on_start(actor);
    return OK;
}

static bool actor_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct actor *actor = state;
    enter(actor);
    actor->offers++;
    world.wrong |= !actor->started || (conn != actor->in && conn != actor->out);
    bool taken = !actor->on_receive || actor->on_receive(actor, conn, m);
    if (taken)
        note(actor, m->w[0]);
    leave(actor);
    return taken;
}

static void actor_batch_end(void *state)
{
    struct actor *actor = state;
    enter(actor);
    actor->batch_ends++;
    if (actor->on_batch_end)
        actor->on_batch_end(actor);
    leave(actor);
}

static void actor_deadline(void *state)
{
    (void)state;
}

static const struct server actor_server = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "actor",
    .state_size = sizeof(struct actor),
    .start = actor_start,
    .receive = actor_receive,
    .deadline = actor_deadline,
    .batch_end = actor_batch_end,
};

static const struct server *const actors[] = {&actor_server, &actor_server, &actor_server};

static void add_end(uint32_t n, const char *name, uint32_t server, uint32_t peer)
{
    struct start_conn *conn = &world.start.conn[n];
    *conn = (struct start_conn){
        .mine = (uint64_t)world.queue[n],
        .slots = SLOTS,
        .server = (uint8_t)server,
        .transport = START_DIRECT,
        .peer = (uint8_t)peer,
    };
    strcpy(conn->name, name);
    world.start.conns++;
}

static struct actor *actor_of(uint32_t n)
{
    return world.libos->domain[n].state;
}

static enum error domain_make(const struct transport *direct)
{
    const struct linked linked = {
        .servers = actors, .count = ACTORS, .transport = {[START_DIRECT] = direct}};
    return domain_init(world.libos, &world.start, &world.info, &linked);
}

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    world.memory = aligned_alloc(64, PRIVATE_BYTES * 3);
    memset(world.memory, 0, PRIVATE_BYTES * 3);
    world.libos = (struct libos *)world.memory;
    world.start.private_address = (uint64_t)world.memory;
    world.start.private_bytes = PRIVATE_BYTES * 3;
    world.start.log_address = (uint64_t)&world.log;
    world.start.counters_address = (uint64_t)&world.counters;
    world.info.clock_frequency = 1000000000;
    world.info.clock_multiplier = UINT64_C(1) << 32;
    for (uint32_t i = 0; i < ACTORS; i++) {
        add_end(2 * i, "out", i, 2 * i + 1);
        add_end(2 * i + 1, "in", (i + 1) % ACTORS, 2 * i);
    }
    if (domain_make(&direct_transport))
        return -1;
    for (uint32_t i = 0; i < ACTORS; i++)
        actor_of(i)->number = i;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(world.memory);
    return world.wrong ? -1 : 0;
}

static void start(void)
{
    uint32_t failed;
    assert_int_equal(loop_start(world.libos, &failed), OK);
}

/* Rounds until the domain sleeps; returns how many. */
static uint32_t settle(void)
{
    for (uint32_t rounds = 1; rounds < 100; rounds++) {
        uint32_t waits = world.waits;
        loop_round(world.libos, 0);
        if (world.waits > waits && world.waited_for != 1)
            return rounds;
    }
    fail_msg("the domain never sleeps");
    return 0;
}

/* What the loop does when something came from outside: every server's batch_end. */
static void poke(void)
{
    world.libos->happened = true;
}

/* Sends 100, 101, ... as `to_send` says. */
static uint32_t to_send;
static enum error last_error;

static void send_all(struct actor *actor)
{
    for (; to_send; to_send--) {
        last_error = send(actor->out, 100 + actor->sent_out);
        if (last_error)
            return;
        actor->sent_out++;
    }
}

static bool refuse(struct actor *actor, struct conn *conn, const struct msg *m)
{
    (void)actor, (void)conn, (void)m;
    return false;
}

static uint64_t counter(uint32_t n)
{
    return world.counters.value[n];
}

/* --- */

static void send_and_look(struct actor *actor)
{
    if (actor->sent_out++)
        return;
    assert_int_equal(send(actor->out, 7), OK);
    assert_int_equal(actor_of(1)->note_count, 1); /* received before conn_send returned */
    assert_int_equal(actor_of(1)->noted[0], 7);
}

static void a_send_is_a_call(void **state)
{
    (void)state;
    actor_of(0)->on_batch_end = send_and_look;
    start();
    settle();
    assert_int_equal(actor_of(0)->sent_out > 0, true);
    assert_int_equal(world.deepest, 2);
    assert_int_equal(conn_room(actor_of(0)->out), SLOTS);
}

static bool answer_twice(struct actor *actor, struct conn *conn, const struct msg *m)
{
    (void)actor;
    assert_int_equal(send(conn, m->w[0] + 1000), OK);
    assert_int_equal(send(conn, m->w[0] + 2000), OK);
    assert_int_equal(actor_of(0)->note_count, 0); /* not while it is active */
    return true;
}

static void an_active_server_is_not_called(void **state)
{
    (void)state;
    to_send = 1;
    actor_of(0)->on_batch_end = send_all;
    actor_of(1)->on_receive = answer_twice;
    start();
    settle();
    assert_int_equal(actor_of(0)->note_count, 2);
    assert_int_equal(actor_of(0)->noted[0], 1100);
    assert_int_equal(actor_of(0)->noted[1], 2100);
}

static bool pass_on(struct actor *actor, struct conn *conn, const struct msg *m)
{
    (void)conn;
    return actor->number == 0 || send(actor->out, m->w[0]) == OK;
}

static void calls_nest_as_deep_as_there_are_servers(void **state)
{
    (void)state;
    to_send = 1;
    actor_of(0)->on_batch_end = send_all;
    for (uint32_t i = 0; i < ACTORS; i++)
        actor_of(i)->on_receive = pass_on;
    start();
    settle();
    assert_int_equal(world.deepest, ACTORS);
    assert_int_equal(actor_of(0)->note_count, 1); /* round the ring: queued, since it was active */
}

static void send_in_start(struct actor *actor)
{
    assert_int_equal(send(actor->out, 5), OK);
    assert_int_equal(send(actor->in, 6), OK);
}

/* actor_receive notices who hasn't started. */
static void what_start_sends_comes_when_all_have_started(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ACTORS; i++)
        actor_of(i)->on_start = send_in_start;
    start();
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_int_equal(actor_of(i)->note_count, 0);
    settle();
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_int_equal(actor_of(i)->note_count, 2);
}

static void a_refused_message_waits_without_spinning(void **state)
{
    (void)state;
    to_send = SLOTS + 3;
    actor_of(0)->on_batch_end = send_all;
    actor_of(1)->on_receive = refuse;
    start();
    assert_in_range(settle(), 1, 4);
    assert_int_equal(last_error, ERROR_FULL);
    assert_int_equal(to_send, 3);
    assert_int_equal(conn_room(actor_of(0)->out), 0);
    assert_int_equal(actor_of(1)->note_count, 0);
    assert_in_range(counter(COUNT_STALLS), 1, 3);
    uint32_t offers = actor_of(1)->offers;
    assert_int_equal(settle(), 1); /* nothing happened */
    assert_in_range(actor_of(1)->offers - offers, 0, 1);

    actor_of(1)->on_receive = NULL;
    settle(); /* whatever woke it: the stall is offered again, and that is something happening */
    assert_int_equal(to_send, 0); /* who had no room was called when there was some */
    assert_int_equal(actor_of(1)->note_count, SLOTS + 3);
    for (uint32_t i = 0; i < SLOTS + 3; i++)
        assert_int_equal(actor_of(1)->noted[i], 100 + i);
}

static bool refuse_second(struct actor *actor, struct conn *conn, const struct msg *m)
{
    (void)conn, (void)m;
    return actor->offers != 2;
}

static void what_comes_behind_a_refused_message_stays_behind_it(void **state)
{
    (void)state;
    to_send = 4;
    actor_of(0)->on_batch_end = send_all;
    actor_of(1)->on_receive = refuse_second;
    start();
    settle();
    assert_int_equal(actor_of(1)->note_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(actor_of(1)->noted[i], 100 + i);
}

/* Actor 2 sends to actor 0 in its batch_end, when that of 0 has passed. */
static void send_one(struct actor *actor)
{
    if (!actor->sent_out++)
        assert_int_equal(send(actor->out, 1), OK);
}

static void who_was_called_late_has_another_batch_end(void **state)
{
    (void)state;
    actor_of(2)->on_batch_end = send_one;
    start();
    settle();
    assert_int_equal(actor_of(0)->note_count, 1);
    assert_int_equal(actor_of(0)->batch_ends, 2);
}

static bool echo(struct actor *actor, struct conn *conn, const struct msg *m)
{
    (void)actor;
    return send(conn, m->w[0]) == OK;
}

static void a_busy_domain_still_asks_for_interrupts(void **state)
{
    (void)state;
    to_send = 1;
    actor_of(0)->on_batch_end = send_all;
    actor_of(0)->on_receive = actor_of(1)->on_receive = echo;
    start();
    for (uint32_t i = 0; i < 40; i++)
        loop_round(world.libos, 0);
    assert_in_range(world.waits, 4, 6);
    assert_int_equal(world.waited_for, 1); /* long past: doesn't block */
}

static void a_transport_that_is_not_linked_is_an_error(void **state)
{
    (void)state;
    memset(world.libos, 0, sizeof(*world.libos));
    assert_int_equal(domain_make(NULL), ERROR_NOT_FOUND);
}

/* Random servers: each sends and refuses as it likes, and what arrives on each connection is what
 * was sent there, in order. Then nobody refuses nor begins any more, and all queues run empty. */

static bool calm;

static bool random_receive(struct actor *actor, struct conn *conn, const struct msg *m)
{
    uint64_t *next = conn == actor->in ? &actor->next_in : &actor->next_out;
    if (!calm && random() % 4 == 0)
        return false;
    for (int sends = calm ? 0 : (int)(random() % 3); sends; sends--) {
        struct conn *to = random() % 2 ? actor->in : actor->out;
        uint64_t *number = to == actor->in ? &actor->sent_in : &actor->sent_out;
        uint32_t room = conn_room(to);
        enum error error = send(to, *number);
        world.wrong |= (error == OK) != (room != 0);
        *number += error == OK;
    }
    if (!calm && random() % 8 == 0)
        return false; /* refused after all: what it sent is sent */
    world.wrong |= m->w[0] != *next;
    ++*next;
    return true;
}

static void random_batch_end(struct actor *actor)
{
    if (calm)
        return;
    uint64_t *number = random() % 2 ? &actor->sent_in : &actor->sent_out;
    *number += send(number == &actor->sent_in ? actor->in : actor->out, *number) == OK;
}

static void random_servers_lose_nothing(void **state)
{
    (void)state;
    uint64_t delivered = 0;
    for (unsigned seed = 0; seed < 200; seed++) {
        teardown(NULL);
        assert_int_equal(setup(NULL), 0);
        srandom(seed);
        calm = false;
        for (uint32_t i = 0; i < ACTORS; i++) {
            actor_of(i)->on_receive = random_receive;
            actor_of(i)->on_batch_end = random_batch_end;
        }
        start();
        for (uint32_t i = 0; i < 100; i++) {
            if (random() % 2)
                poke();
            loop_round(world.libos, 0);
        }
        calm = true;
        poke();
        settle();
        for (uint32_t i = 0; i < ACTORS; i++) {
            const struct actor *actor = actor_of(i), *next = actor_of((i + 1) % ACTORS);
            assert_int_equal(actor->sent_out, next->next_in);
            assert_int_equal(next->sent_in, actor->next_out);
            delivered += actor->next_in + actor->next_out;
        }
        assert_in_range(world.deepest, 2, ACTORS);
        assert_false(world.wrong);
    }
    assert_true(delivered > 200 * 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_send_is_a_call),
        TEST(an_active_server_is_not_called),
        TEST(calls_nest_as_deep_as_there_are_servers),
        TEST(what_start_sends_comes_when_all_have_started),
        TEST(a_refused_message_waits_without_spinning),
        TEST(what_comes_behind_a_refused_message_stays_behind_it),
        TEST(who_was_called_late_has_another_batch_end),
        TEST(a_busy_domain_still_asks_for_interrupts),
        TEST(a_transport_that_is_not_linked_is_an_error),
        TEST(random_servers_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
