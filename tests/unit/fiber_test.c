/* SPDX-License-Identifier: ISC
 *
 * libos/fiber.c and fiber_port.c: switching, waiting and waking, message ports in synchronous
 * style; then fibers that do anything at random against a model that says whose turn it is.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/conn_port.h"
#include "libos/fiber.h"
#include "libos/fiber_port.h"

enum { FIBERS = 8, STACK = 64 * 1024, NOTES = 256 }; /* printing a failure takes some */

static struct {
    struct fibers fibers;
    struct fiber fiber[FIBERS];
    _Alignas(16) char stack[FIBERS][STACK];
    char notes[NOTES];
    uint32_t noted;
    struct msgport port, back;
} t;

static int setup(void **state)
{
    (void)state;
    memset(&t.fiber, 0, sizeof(t.fiber));
    memset(t.notes, 0, sizeof(t.notes));
    t.noted = 0;
    fibers_init(&t.fibers);
    msgport_init(&t.port, 2);
    msgport_init(&t.back, 1);
    return 0;
}

static void start(uint32_t n, void (*function)(void *), void *argument)
{
    fiber_create(&t.fibers, &t.fiber[n], t.stack[n], STACK, function, argument);
}

static void note(char what)
{
    t.notes[t.noted++ % (NOTES - 1)] = what;
}

static uint64_t run(uint64_t now)
{
    uint64_t again = fibers_run(&t.fibers, now);
    assert_null(t.fibers.running);
    assert_true(fibers_check(&t.fibers));
    return again;
}

/* --- switching --- */

static void three_times(void *argument)
{
    for (int i = 0; i < 3; i++) {
        note(*(const char *)argument);
        fiber_yield(&t.fibers);
    }
}

static void they_take_turns(void **state)
{
    (void)state;
    start(0, three_times, "a");
    start(1, three_times, "b");
    start(2, three_times, "c");
    assert_int_equal(run(0), 0);
    assert_string_equal(t.notes, "abcabcabc");
    for (int i = 0; i < 3; i++)
        assert_int_equal(t.fiber[i].state, FIBER_DONE);
}

static void for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        note('.');
        fiber_yield(&t.fibers);
    }
}

static void who_only_yields_leaves_the_domain_its_work(void **state)
{
    (void)state;
    start(0, for_ever, NULL);
    assert_int_equal(run(0), 1); /* at once again */
    assert_int_equal(t.noted, FIBER_SWITCHES);
    start(1, for_ever, NULL);
    assert_int_equal(run(0), 1);
    assert_int_equal(t.noted, 2 * FIBER_SWITCHES);
}

/* Values that live in registers over a switch. */
static void compute(void *argument)
{
    uint64_t a = *(uint64_t *)argument, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13;
    for (int i = 0; i < 100; i++) {
        fiber_yield(&t.fibers);
        a += b;
        b += c;
        c += d;
        d += e;
        e += f;
        f += a;
    }
    *(uint64_t *)argument = a ^ b ^ c ^ d ^ e ^ f;
}

static void registers_are_a_fibers_own(void **state)
{
    uint64_t alone[FIBERS], together[FIBERS];
    (void)state;
    for (uint32_t n = 0; n < FIBERS; n++) {
        alone[n] = together[n] = n + 1;
        start(0, compute, &alone[n]);
        while (run(0))
            continue;
    }
    for (uint32_t n = 0; n < FIBERS; n++)
        start(n, compute, &together[n]);
    while (run(0))
        continue;
    assert_memory_equal(alone, together, sizeof(alone));
}

static void wait_and_note(void *argument)
{
    uint64_t deadline = *(const uint64_t *)argument;
    note(fiber_wait(&t.fibers, deadline) == OK ? 'w' : 't');
}

static void who_waits_goes_on_when_woken_or_late(void **state)
{
    static const uint64_t none = 0, soon = 100, later = 200;
    (void)state;
    start(0, wait_and_note, (void *)&none);
    start(1, wait_and_note, (void *)&later);
    start(2, wait_and_note, (void *)&soon);
    assert_int_equal(run(1), soon);
    assert_int_equal(run(99), soon);
    assert_int_equal(t.noted, 0);
    assert_int_equal(run(100), later);
    assert_string_equal(t.notes, "t");
    fiber_wake(&t.fiber[1]);
    fiber_wake(&t.fiber[1]); /* twice is once */
    assert_int_equal(run(100), 0);
    assert_string_equal(t.notes, "tw");
    fiber_wake(&t.fiber[0]);
    assert_int_equal(run(1000), 0);
    assert_string_equal(t.notes, "tww");
    fiber_wake(&t.fiber[0]); /* done: nothing */
    assert_int_equal(run(1000), 0);
}

static void wait_twice(void *argument)
{
    (void)argument;
    fiber_wake(&t.fiber[0]); /* itself */
    note(fiber_wait(&t.fibers, 0) == OK ? '1' : '?');
    note(fiber_wait(&t.fibers, 0) == OK ? '2' : '?');
}

static void a_wake_up_before_the_wait_is_not_lost(void **state)
{
    (void)state;
    start(0, wait_twice, NULL);
    run(0);
    assert_string_equal(t.notes, "1");
    fiber_wake(&t.fiber[0]);
    run(0);
    assert_string_equal(t.notes, "12");
}

static void leave_early(void *argument)
{
    (void)argument;
    note('x');
    fiber_exit(&t.fibers);
}

static void one_that_is_done_is_created_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        start(0, leave_early, NULL);
        run(0);
        assert_int_equal(t.fiber[0].state, FIBER_DONE);
    }
    assert_string_equal(t.notes, "xxxxx");
}

static void *loop_stack_seen;

static void look_at_stack(void *argument)
{
    loop_stack_seen = __builtin_frame_address(0);
    note(*(char *)argument);
}

static void call_on_loop(void *argument)
{
    fiber_on_loop_stack(&t.fibers, look_at_stack, argument);
    char *here = __builtin_frame_address(0);
    assert_in_range(here - t.stack[0], 0, STACK);
    note('b');
}

static void a_call_can_run_on_the_loops_stack(void **state)
{
    (void)state;
    start(0, call_on_loop, "a");
    run(0);
    assert_string_equal(t.notes, "ab");
    char *here = __builtin_frame_address(0), *seen = loop_stack_seen;
    assert_true(seen < here && here - seen < 64 * 1024);
}

static void use_stack(void *argument)
{
    volatile char used[4096];
    for (size_t i = 0; i < sizeof(used); i++)
        used[i] = *(char *)argument;
    fiber_yield(&t.fibers);
}

static void how_much_of_a_stack_was_used_is_known(void **state)
{
    (void)state;
    start(0, leave_early, NULL);
    run(0);
    size_t little = STACK - fiber_stack_unused(&t.fiber[0]);
    start(0, use_stack, "a");
    run(0);
    size_t much = STACK - fiber_stack_unused(&t.fiber[0]);
    assert_in_range(little, 64, 3000);
    assert_in_range(much, 4096 + 64, 4096 + 4000);
}

static void write_over_the_end(void *argument)
{
    (void)argument;
    *t.fiber[0].stack = 0;
    fiber_yield(&t.fibers);
    _exit(0);
}

static void a_stack_that_was_too_small_ends_the_domain(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        signal(SIGILL, SIG_DFL); /* cmocka has its own */
        start(0, write_over_the_end, NULL);
        fibers_run(&t.fibers, 0);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

/* --- message ports in synchronous style --- */

static int32_t twice(struct msgport *port, struct request *r)
{
    (void)port;
    r->m.w[0] *= 2;
    return ERROR_LIMIT;
}

static void call_port(void *argument)
{
    struct request r;
    request_init(&r, 1, NULL); /* no reply port needed */
    r.m.w[0] = 21;
    note(request_call(&t.fibers, &r, argument, 0) == ERROR_LIMIT && r.m.w[0] == 42 ? 'y' : 'n');
    assert_int_equal(r.state, REQUEST_MINE);
}

static void serve_port(void *argument)
{
    struct request *r = msgport_wait(&t.fibers, argument, 0);
    assert_non_null(r);
    r->m.w[0] *= 2;
    request_reply(r, ERROR_LIMIT);
}

static void a_call_that_is_answered_at_once_does_not_wait(void **state)
{
    struct msgport direct;
    (void)state;
    msgport_init_put(&direct, twice);
    start(0, call_port, &direct);
    start(1, leave_early, NULL);
    run(0);
    assert_string_equal(t.notes, "yx");
}

static void a_call_waits_for_its_answer_and_nobody_else_does(void **state)
{
    (void)state;
    start(0, call_port, &t.port);
    start(1, leave_early, NULL);
    run(0);
    assert_string_equal(t.notes, "x");
    start(1, serve_port, &t.port);
    run(0);
    assert_string_equal(t.notes, "xy");
}

static void a_call_to_a_full_port_waits_for_room(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 5; n++)
        start(n, call_port, &t.port); /* that takes two */
    run(0);
    assert_int_equal(t.port.requests, 2);
    assert_int_equal(t.noted, 0);
    for (int i = 0; i < 5; i++) {
        start(5, serve_port, &t.port);
        run(0);
        assert_true(msgport_check(&t.port));
    }
    assert_string_equal(t.notes, "yyyyy");
}

static void call_until(void *argument)
{
    struct request r;
    request_init(&r, 1, NULL);
    enum error error = request_call(&t.fibers, &r, &t.port, *(const uint64_t *)argument);
    assert_int_equal(r.state, REQUEST_MINE);
    note(error == ERROR_TIMEOUT ? 't' : error == ERROR_LIMIT ? 'y' : '?');
}

static void a_late_answer_is_not_waited_for(void **state)
{
    static const uint64_t deadline = 50;
    (void)state;
    for (uint32_t n = 0; n < 3; n++)
        start(n, call_until, (void *)&deadline); /* two queued, one waits for room */
    assert_int_equal(run(0), deadline);
    assert_int_equal(run(50), 0);
    assert_string_equal(t.notes, "ttt");
    assert_null(msgport_get(&t.port));
    assert_true(chain_empty(&t.port.room));
}

static void get_one(void *argument)
{
    assert_int_equal(fiber_wait(&t.fibers, *(const uint64_t *)argument), ERROR_TIMEOUT);
    assert_non_null(msgport_get(&t.port));
}

static void room_that_comes_too_late_is_the_next_ones(void **state)
{
    static const uint64_t deadline = 50, before = 49, none = 0;
    (void)state;
    start(0, call_port, &t.port);
    start(1, call_port, &t.port);
    start(2, call_until, (void *)&deadline); /* waits for room, and is late when told of it */
    start(3, call_until, (void *)&none);
    start(4, get_one, (void *)&before);
    run(0);
    assert_int_equal(t.port.requests, 2);
    run(50);
    assert_string_equal(t.notes, "t");
    assert_true(chain_empty(&t.port.room));
    assert_int_equal(t.port.requests, 2);
}

static void what_is_held_is_waited_for_all_the_same(void **state)
{
    static const uint64_t deadline = 50;
    (void)state;
    start(0, call_until, (void *)&deadline);
    run(0);
    struct request *r = msgport_get(&t.port);
    assert_int_equal(run(60), 0);
    assert_int_equal(t.noted, 0); /* the request is on the fiber's stack, and here */
    assert_true(r->flags & REQUEST_CANCELLED);
    request_reply(r, ERROR_LIMIT);
    run(60);
    assert_string_equal(t.notes, "y");
}

static void give_back(struct request *r)
{
    request_reply(r, ERROR_CANCELLED);
}

static void who_holds_it_can_give_it_back(void **state)
{
    static const uint64_t deadline = 50;
    (void)state;
    start(0, call_until, (void *)&deadline);
    run(0);
    request_set_abort(msgport_get(&t.port), give_back);
    run(50);
    assert_string_equal(t.notes, "t");
}

static void send_then_wait(void *argument)
{
    struct request r[2];
    (void)argument;
    for (int i = 0; i < 2; i++) {
        request_init(&r[i], 1, &t.back);
        r[i].m.w[0] = 1;
        assert_int_equal(request_send(&r[i], &t.port), OK);
    }
    assert_int_equal(request_wait(&t.fibers, &r[1], 50), ERROR_TIMEOUT);
    note('t');
    assert_int_equal(request_wait(&t.fibers, &r[1], 0), ERROR_LIMIT); /* not in their order */
    note('1');
    assert_ptr_equal(msgport_wait(&t.fibers, &t.back, 0), &r[0]);
    note('0');
    assert_null(msgport_wait(&t.fibers, &t.back, 200));
    note('e');
}

static void what_was_sent_is_waited_for_later(void **state)
{
    (void)state;
    start(0, send_then_wait, NULL);
    assert_int_equal(run(0), 50);
    assert_int_equal(run(50), 0);
    struct request *first = msgport_get(&t.port), *second = msgport_get(&t.port);
    request_reply(first, ERROR_LIMIT);
    request_reply(second, ERROR_LIMIT);
    assert_int_equal(run(60), 200);
    assert_int_equal(run(200), 0);
    assert_string_equal(t.notes, "t10e");
    assert_null(t.back.arrival);
}

static int32_t own_handler(struct msgport *port, struct request *r)
{
    return twice(port, r);
}

static void a_fiber_that_calls_itself_is_called(void **state)
{
    (void)state;
    msgport_set_handler(&t.port, own_handler, &t.fiber[0], &t.fibers.running);
    start(0, call_port, &t.port);
    run(0);
    assert_string_equal(t.notes, "y");
    start(1, call_port, &t.port); /* another one's is queued */
    run(0);
    assert_string_equal(t.notes, "y");
    assert_int_equal(msgport_serve(&t.port), 1);
    run(0);
    assert_string_equal(t.notes, "yy");
}

/* Over a connection: two fibers ask, messages go to and fro by hand. */
static struct msg sent[16];
static uint32_t sent_count, sent_room;

static enum error conn_put(struct conn *conn, const struct msg *m)
{
    (void)conn;
    if (sent_count == sent_room)
        return ERROR_FULL;
    sent[sent_count++] = *m;
    return OK;
}

static uint32_t room_left(struct conn *conn)
{
    (void)conn;
    return sent_room - sent_count;
}

static void calls_go_over_a_connection(void **state)
{
    struct conn conn = {.put = conn_put, .room = room_left};
    struct conn_place place[4];
    struct conn_client client;
    (void)state;
    sent_count = 0;
    sent_room = 2;
    conn_client_init(&client, &conn, place, 4, 1, false);
    for (uint32_t n = 0; n < 4; n++)
        start(n, call_port, &client.port);
    run(0);
    assert_int_equal(sent_count, 2); /* two wait for room */
    for (int round = 0; round < 2; round++) {
        uint32_t count = sent_count;
        struct msg asked[2] = {sent[0], sent[1]};
        sent_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            struct msg m = asked[i];
            m.flags = MSG_REPLY;
            m.status = ERROR_LIMIT;
            m.w[0] *= 2;
            conn_client_receive(&client, &m);
        }
        conn_client_batch_end(&client);
        run(0);
        assert_true(conn_client_check(&client));
    }
    assert_string_equal(t.notes, "yyyy");
}

static void a_dead_peer_is_told_to_all_who_wait(void **state)
{
    struct conn conn = {.put = conn_put, .room = room_left};
    struct conn_place place[4];
    struct conn_client client;
    (void)state;
    sent_count = 0;
    sent_room = 2;
    conn_client_init(&client, &conn, place, 4, 1, false);
    for (uint32_t n = 0; n < 2; n++)
        start(n, call_port, &client.port);
    run(0);
    conn_client_abort(&client, ERROR_PEER_DIED);
    run(0);
    assert_string_equal(t.notes, "nn");
}

/* --- against a model --- */

enum { MODEL_ROUNDS = 60000, MODEL_SEEDS = 3 };

static struct {
    int ready[FIBERS];
    int count;
    bool waiting[FIBERS], woken[FIBERS], late[FIBERS], done[FIBERS];
    uint64_t deadline[FIBERS], order[FIBERS];
    uint64_t now, next_order, random, actions, timeouts;
    int left; /* in this round */
} model;

static uint32_t draw(uint32_t below)
{
    model.random = model.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model.random >> 33) % below;
}

static void model_ready(int n)
{
    model.ready[model.count++] = n;
    model.waiting[n] = false;
}

static void model_leave(void)
{
    memmove(model.ready, model.ready + 1, (size_t)--model.count * sizeof(model.ready[0]));
    model.left--;
}

static void model_wake(int n)
{
    if (model.done[n])
        return;
    if (!model.waiting[n])
        model.woken[n] = true;
    else
        model_ready(n);
}

static void my_turn(int me)
{
    assert_true(model.count && model.ready[0] == me);
    assert_true(model.left >= 0);
    assert_ptr_equal(t.fibers.running, &t.fiber[me]);
    assert_true(fibers_check(&t.fibers));
}

static void act_yield(int me)
{
    memmove(model.ready, model.ready + 1, (size_t)(model.count - 1) * sizeof(model.ready[0]));
    model.ready[model.count - 1] = me;
    model.left--;
    fiber_yield(&t.fibers);
}

static void act_wait(int me)
{
    uint64_t deadline = draw(2) ? model.now + 1 + draw(50) : 0;
    bool at_once = model.woken[me];
    model.woken[me] = model.late[me] = false;
    if (!at_once) {
        model.waiting[me] = true;
        model.deadline[me] = deadline;
        model.order[me] = model.next_order++;
        model_leave();
    }
    enum error error = fiber_wait(&t.fibers, deadline);
    assert_int_equal(error, model.late[me] ? ERROR_TIMEOUT : OK);
    model.timeouts += model.late[me];
}

static void anything(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (;;) {
        my_turn(me);
        model.actions++;
        int other = (int)draw(FIBERS);
        switch (draw(8)) {
        case 0:
        case 1:
            act_yield(me);
            break;
        case 2:
        case 3:
        case 4:
            act_wait(me);
            break;
        case 5:
        case 6:
            model_wake(other);
            fiber_wake(&t.fiber[other]);
            break;
        default:
            if (draw(4))
                break;
            model.done[me] = true;
            model_leave();
            return;
        }
    }
}

/* The loop's side: time goes on, somebody is woken, one that is done begins again. */
static uint64_t model_expire(void)
{
    uint64_t next = 0;
    for (;;) {
        int first = -1;
        for (int n = 0; n < FIBERS; n++)
            if (model.waiting[n] && model.deadline[n] &&
                (first < 0 || model.deadline[n] < model.deadline[first] ||
                 (model.deadline[n] == model.deadline[first] &&
                  model.order[n] < model.order[first])))
                first = n;
        next = first < 0 ? 0 : model.deadline[first];
        if (first < 0 || next > model.now)
            return next;
        model.late[first] = true;
        model_ready(first);
    }
}

static void any_sequence_is_as_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MODEL_SEEDS; seed++) {
        setup(NULL);
        memset(&model, 0, sizeof(model));
        model.random = seed;
        memset(model.done, true, sizeof(model.done));
        for (int round = 0; round < MODEL_ROUNDS; round++) {
            int n = (int)draw(FIBERS);
            if (model.done[n]) {
                model.done[n] = model.woken[n] = false;
                model_ready(n);
                start((uint32_t)n, anything, (void *)(intptr_t)n);
            } else if (draw(2)) {
                model_wake(n);
                fiber_wake(&t.fiber[n]);
            }
            model.now += draw(20);
            model_expire();
            model.left = FIBER_SWITCHES;
            uint64_t again = run(model.now);
            assert_int_equal(model.left > 0 ? 0 : model.count, model.count);
            uint64_t earliest = UINT64_MAX;
            for (int i = 0; i < FIBERS; i++)
                if (model.waiting[i] && model.deadline[i] && model.deadline[i] < earliest)
                    earliest = model.deadline[i];
            assert_int_equal(again, model.count ? 1 : earliest == UINT64_MAX ? 0 : earliest);
        }
        assert_true(model.actions > MODEL_ROUNDS && model.timeouts > MODEL_ROUNDS / 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(they_take_turns, setup),
        cmocka_unit_test_setup(who_only_yields_leaves_the_domain_its_work, setup),
        cmocka_unit_test_setup(registers_are_a_fibers_own, setup),
        cmocka_unit_test_setup(who_waits_goes_on_when_woken_or_late, setup),
        cmocka_unit_test_setup(a_wake_up_before_the_wait_is_not_lost, setup),
        cmocka_unit_test_setup(one_that_is_done_is_created_again, setup),
        cmocka_unit_test_setup(a_call_can_run_on_the_loops_stack, setup),
        cmocka_unit_test_setup(how_much_of_a_stack_was_used_is_known, setup),
        cmocka_unit_test_setup(a_stack_that_was_too_small_ends_the_domain, setup),
        cmocka_unit_test_setup(a_call_that_is_answered_at_once_does_not_wait, setup),
        cmocka_unit_test_setup(a_call_waits_for_its_answer_and_nobody_else_does, setup),
        cmocka_unit_test_setup(a_call_to_a_full_port_waits_for_room, setup),
        cmocka_unit_test_setup(a_late_answer_is_not_waited_for, setup),
        cmocka_unit_test_setup(room_that_comes_too_late_is_the_next_ones, setup),
        cmocka_unit_test_setup(what_is_held_is_waited_for_all_the_same, setup),
        cmocka_unit_test_setup(who_holds_it_can_give_it_back, setup),
        cmocka_unit_test_setup(what_was_sent_is_waited_for_later, setup),
        cmocka_unit_test_setup(a_fiber_that_calls_itself_is_called, setup),
        cmocka_unit_test_setup(calls_go_over_a_connection, setup),
        cmocka_unit_test_setup(a_dead_peer_is_told_to_all_who_wait, setup),
        cmocka_unit_test_setup(any_sequence_is_as_the_model_says, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
