/* SPDX-License-Identifier: ISC
 *
 * ipc/msgport.c: every kind of port and every operation, then random operations against a model
 * that keeps its own books of where each request is and who is next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/msgport.h"

/* What the put function of these tests is to do next. */
enum act { ANSWER, KEEP, REFUSE, ANSWER_THEN_KEEP };

static struct {
    enum act act;
    enum error status;
    struct request *kept;
    uint32_t puts, replies, receipts, wakes, aborts;
} now;

static int32_t act_put(struct msgport *port, struct request *r)
{
    (void)port;
    now.puts++;
    switch (now.act) {
    case REFUSE:
        return ERROR_FULL;
    case KEEP:
        now.kept = r;
        return REQUEST_KEPT;
    case ANSWER_THEN_KEEP:
        r->m.w[0] += 100;
        request_reply(r, now.status);
        return REQUEST_KEPT;
    default:
        r->m.w[0] += 100;
        return (int32_t)now.status;
    }
}

static void note_reply(struct msgport *port, struct request *r)
{
    (void)port;
    assert_int_equal(r->state, REQUEST_MINE);
    now.replies++;
}

static void note_receipt(struct request *r)
{
    assert_false(request_is_done(r));
    now.receipts++;
}

static void note_wake(struct waiter *waiter)
{
    assert_true(chain_empty(&waiter->link));
    now.wakes++;
}

static int setup(void **state)
{
    (void)state;
    memset(&now, 0, sizeof(now));
    return 0;
}

/* --- one at a time --- */

static void a_queue_gives_requests_and_answers_in_order(void **state)
{
    struct msgport to, back;
    struct request r[3];
    (void)state;
    msgport_init(&to, 3);
    msgport_init(&back, 1);
    for (int i = 0; i < 3; i++) {
        request_init(&r[i], 7, &back);
        r[i].m.w[0] = (uint64_t)i;
        assert_true(request_is_done(&r[i]));
        assert_int_equal(request_send(&r[i], &to), OK);
        assert_false(request_is_done(&r[i]));
    }
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(msgport_get(&to), &r[i]);
        assert_int_equal(r[i].state, REQUEST_HELD);
        assert_int_equal(r[i].m.flags, 0);
    }
    assert_null(msgport_get(&to));
    for (int i = 2; i >= 0; i--) {
        r[i].m.w[0] = 50;
        request_reply(&r[i], ERROR_NOT_FOUND);
        assert_true(request_is_done(&r[i]));
    }
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(msgport_get(&back), &r[i]); /* more than its limit: answers find room */
        assert_int_equal(r[i].m.flags, MSG_REPLY);
        assert_int_equal(r[i].m.status, ERROR_NOT_FOUND);
        assert_int_equal(r[i].state, REQUEST_MINE);
    }
    assert_null(msgport_get(&back));
}

static void urgent_ones_come_first(void **state)
{
    struct msgport to, back;
    struct request r[4];
    (void)state;
    msgport_init(&to, 4);
    msgport_init(&back, 1);
    for (int i = 0; i < 4; i++) {
        request_init(&r[i], 1, &back);
        r[i].flags = i & 1 ? REQUEST_URGENT : 0;
        request_send(&r[i], &to);
    }
    static const int order[] = {1, 3, 0, 2};
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(msgport_get(&to), &r[order[i]]);
    for (int i = 0; i < 4; i++)
        request_reply(&r[i], OK);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(msgport_get(&back), &r[order[i]]); /* answers too */
}

static void a_full_queue_says_so_and_tells_of_room(void **state)
{
    struct msgport to, back;
    struct request a, b;
    struct waiter waiter = {.wake = note_wake};
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&back, 1);
    request_init(&a, 1, &back);
    request_init(&b, 1, &back);
    assert_int_equal(request_send(&a, &to), OK);
    assert_int_equal(request_send(&b, &to), ERROR_FULL);
    assert_int_equal(b.state, REQUEST_MINE);
    assert_int_equal(b.m.flags, 0); /* not an answer */
    assert_null(msgport_get(&back));
    chain_append(&to.room, &waiter.link);
    assert_ptr_equal(msgport_get(&to), &a);
    assert_int_equal(now.wakes, 1);
    assert_int_equal(request_send(&b, &to), OK);
}

static void a_put_function_answers_at_once_or_keeps(void **state)
{
    struct msgport to, back;
    struct request r;
    (void)state;
    msgport_init_put(&to, act_put);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    now.status = ERROR_LIMIT;
    assert_int_equal(request_begin(&r, &to, 0), ERROR_LIMIT);
    assert_int_equal(r.state, REQUEST_MINE);
    assert_int_equal(r.m.w[0], 100);
    assert_int_equal(r.m.flags, MSG_REPLY);
    assert_null(msgport_get(&back));

    request_reinit(&r, &back);
    assert_int_equal(r.m.flags, 0);
    assert_int_equal(request_send(&r, &to), OK);
    assert_ptr_equal(msgport_get(&back), &r); /* the same for the sender as if it had been kept */
    assert_int_equal(r.m.status, ERROR_LIMIT);

    request_reinit(&r, &back);
    now.act = KEEP;
    assert_int_equal(request_send(&r, &to), OK);
    assert_null(msgport_get(&back));
    request_reply(now.kept, OK);
    assert_ptr_equal(msgport_get(&back), &r);

    request_reinit(&r, &back);
    now.act = ANSWER_THEN_KEEP;
    assert_int_equal(request_send(&r, &to), OK);
    assert_ptr_equal(msgport_get(&back), &r);

    request_reinit(&r, &back);
    now.act = REFUSE;
    assert_int_equal(request_send(&r, &to), ERROR_FULL);
    assert_int_equal(r.state, REQUEST_MINE);
}

static void reply_only_ports_call_or_only_mark(void **state)
{
    struct msgport to, back, sink;
    struct request r;
    (void)state;
    msgport_init_put(&to, act_put);
    msgport_init_reply(&back, note_reply);
    msgport_init_reply(&sink, NULL);
    request_init(&r, 1, &back);
    assert_int_equal(request_send(&r, &to), OK);
    assert_int_equal(now.replies, 1);
    request_reinit(&r, &sink);
    now.act = KEEP;
    assert_int_equal(request_send(&r, &to), OK);
    assert_false(request_is_done(&r));
    request_reply(&r, OK);
    assert_true(request_is_done(&r));
    assert_int_equal(r.state, REQUEST_MINE);
    assert_int_equal(now.replies, 1);
}

static void a_synchronous_one_is_not_queued_when_done(void **state)
{
    struct msgport to, back;
    struct request r;
    struct waiter waiter = {.wake = note_wake};
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&back, 1);
    chain_init(&waiter.link);
    request_init(&r, 1, &back);
    r.waiter = &waiter;
    assert_int_equal(request_begin(&r, &to, REQUEST_SYNC), REQUEST_KEPT);
    request_reply(msgport_get(&to), OK);
    assert_int_equal(r.state, REQUEST_MINE);
    assert_int_equal(now.wakes, 1);
    assert_null(msgport_get(&back));
}

static void forwarding_is_not_noticed_by_the_sender(void **state)
{
    struct msgport first, second, act, back;
    struct request r;
    (void)state;
    msgport_init(&first, 1);
    msgport_init(&second, 1);
    msgport_init_put(&act, act_put);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    r.m.tag = 99;
    request_send(&r, &first);
    msgport_get(&first);
    assert_int_equal(request_forward(&r, &second), REQUEST_KEPT);
    assert_int_equal(r.state, REQUEST_QUEUED);
    msgport_get(&second);
    now.act = REFUSE;
    assert_int_equal(request_forward(&r, &act), ERROR_FULL);
    assert_int_equal(r.state, REQUEST_HELD);
    now.act = ANSWER;
    now.status = ERROR_VERSION;
    assert_int_equal(request_forward(&r, &act), ERROR_VERSION);
    assert_ptr_equal(msgport_get(&back), &r);
    assert_int_equal(r.m.status, ERROR_VERSION);
    assert_int_equal(r.m.tag, 99);
}

static void a_queued_request_is_taken_back_at_once(void **state)
{
    struct msgport to, back;
    struct request r;
    struct waiter waiter = {.wake = note_wake};
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    request_send(&r, &to);
    chain_append(&to.room, &waiter.link);
    assert_true(request_cancel(&r));
    assert_int_equal(now.wakes, 1);
    assert_null(msgport_get(&to));
    assert_ptr_equal(msgport_get(&back), &r);
    assert_int_equal(r.m.status, ERROR_CANCELLED);
    assert_true(request_cancel(&r)); /* done, and stays so */
    assert_int_equal(r.state, REQUEST_MINE);
}

static void give_back(struct request *r)
{
    now.aborts++;
    request_reply(r, ERROR_CANCELLED);
}

static void a_held_request_comes_back_when_its_holder_lets_it(void **state)
{
    struct msgport to, other, back;
    struct request r;
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&other, 1);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    request_send(&r, &to);
    msgport_get(&to);
    assert_false(request_cancel(&r));
    assert_true(r.flags & REQUEST_CANCELLED);
    assert_null(msgport_get(&back));
    assert_int_equal(request_forward(&r, &other), ERROR_CANCELLED); /* not passed on any more */
    assert_ptr_equal(msgport_get(&back), &r);

    request_reinit(&r, &back);
    assert_int_equal(r.flags, 0);
    request_send(&r, &to);
    msgport_get(&to);
    request_set_abort(&r, give_back);
    assert_true(request_cancel(&r));
    assert_int_equal(now.aborts, 1);
    assert_ptr_equal(msgport_get(&back), &r);
    assert_int_equal(r.m.status, ERROR_CANCELLED);

    request_reinit(&r, &back);
    request_send(&r, &to);
    msgport_get(&to);
    request_set_abort(&r, give_back);
    request_forward(&r, &other);
    msgport_get(&other);
    assert_false(request_cancel(&r)); /* the function was the former holder's */
    assert_int_equal(now.aborts, 1);
    request_reply(&r, OK);
}

static void what_is_dropped_leaves_its_queue_without_an_answer(void **state)
{
    struct msgport to, back;
    struct request r;
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    assert_false(request_drop(&r));
    request_send(&r, &to);
    assert_true(request_drop(&r));
    assert_null(msgport_get(&to));
    assert_null(msgport_get(&back));
    request_send(&r, &to);
    msgport_get(&to);
    assert_false(request_drop(&r)); /* held */
    request_reply(&r, OK);
    assert_true(request_drop(&r)); /* its answer */
    assert_null(msgport_get(&back));
    assert_int_equal(r.state, REQUEST_MINE);
}

static void a_receipt_comes_once_and_only_from_a_queue(void **state)
{
    struct msgport to, other, act, back;
    struct request r;
    (void)state;
    msgport_init(&to, 1);
    msgport_init(&other, 1);
    msgport_init_put(&act, act_put);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    request_set_receipt(&r, note_receipt);
    request_send(&r, &to);
    assert_int_equal(now.receipts, 1);
    request_forward(msgport_get(&to), &other);
    assert_int_equal(now.receipts, 1);
    request_reply(msgport_get(&other), OK);
    msgport_get(&back);
    request_reinit(&r, &back);
    request_set_receipt(&r, note_receipt);
    request_send(&r, &act);
    assert_int_equal(now.receipts, 1);
    assert_ptr_equal(msgport_get(&back), &r);
}

static struct msgport *to_oneself;

static int32_t handle_own(struct msgport *port, struct request *r)
{
    assert_ptr_equal(port, to_oneself);
    now.puts++;
    r->m.w[0]++;
    return OK;
}

static int32_t handle_nested(struct msgport *port, struct request *r)
{
    static struct request inner;
    static struct msgport sink;
    (void)r;
    msgport_init_reply(&sink, NULL);
    request_init(&inner, 2, &sink);
    assert_int_equal(request_begin(&inner, port, REQUEST_SYNC), ERROR_BAD_STATE);
    request_reinit(&inner, &sink);
    assert_int_equal(request_send(&inner, port), OK); /* queued: not in the middle of this one */
    assert_int_equal(inner.state, REQUEST_QUEUED);
    port->handler = handle_own;
    return OK;
}

static void sending_to_oneself_is_a_call(void **state)
{
    struct msgport own, back;
    struct request r;
    (void)state;
    to_oneself = &own;
    msgport_init(&own, 1);
    msgport_init(&back, 1);
    request_init(&r, 1, &back);
    struct fiber *const owner = (struct fiber *)&own;
    msgport_set_handler(&own, NULL, owner, &owner);
    assert_int_equal(request_begin(&r, &own, REQUEST_SYNC), ERROR_BAD_STATE);
    msgport_set_handler(&own, handle_own, NULL, NULL);
    request_reinit(&r, &back);
    assert_int_equal(request_begin(&r, &own, REQUEST_SYNC), OK);
    assert_int_equal(r.m.w[0], 1);

    request_reinit(&r, &back);
    msgport_set_handler(&own, handle_nested, NULL, NULL);
    assert_int_equal(request_begin(&r, &own, REQUEST_SYNC), OK);
    assert_int_equal(msgport_serve(&own), 1);
    assert_int_equal(now.puts, 2);
}

static void what_somebody_else_sends_is_queued_and_served(void **state)
{
    struct msgport own, back;
    struct request r[2];
    struct fiber *const owner = (struct fiber *)&own, *running = NULL;
    (void)state;
    to_oneself = &own;
    msgport_init(&own, 2);
    msgport_init(&back, 1);
    msgport_set_handler(&own, handle_own, owner, &running);
    for (int i = 0; i < 2; i++) {
        request_init(&r[i], 1, &back);
        assert_int_equal(request_send(&r[i], &own), OK);
        assert_int_equal(r[i].state, REQUEST_QUEUED);
    }
    running = owner;
    assert_int_equal(msgport_serve(&own), 2);
    assert_int_equal(now.puts, 2);
    assert_ptr_equal(msgport_get(&back), &r[0]);
    assert_ptr_equal(msgport_get(&back), &r[1]);
}

/* --- against a model --- */

enum { REQUESTS = 12, QUEUES = 3, STEPS = 400000, SEEDS = 4 };

enum place { MINE, IN_QUEUE, HELD, IN_REPLIES };

struct book {
    enum place place;
    int queue;
    bool urgent, cancelled, abortable, receipt;
    uint32_t sent, back; /* how often */
    enum error status;   /* expected, when back */
};

static struct {
    struct msgport queue[QUEUES], act, replies, called;
    struct request r[REQUESTS];
    struct book book[REQUESTS];
    int line[QUEUES + 1][2][REQUESTS], length[QUEUES + 1][2]; /* the last: replies */
    uint32_t limit[QUEUES];
    uint64_t random;
    uint32_t full, cancels;
} w;

static uint32_t draw(uint32_t below)
{
    w.random = w.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w.random >> 33) % below;
}

static void line_add(int line, int n)
{
    int urgent = w.book[n].urgent;
    w.line[line][urgent][w.length[line][urgent]++] = n;
}

static void line_remove(int line, int n)
{
    int urgent = w.book[n].urgent, *at = w.line[line][urgent];
    int i = 0, length = --w.length[line][urgent];
    while (at[i] != n)
        assert_in_range(++i, 0, length);
    memmove(at + i, at + i + 1, (size_t)(length - i) * sizeof(*at));
}

static int line_first(int line)
{
    for (int urgent = 1; urgent >= 0; urgent--)
        if (w.length[line][urgent])
            return w.line[line][urgent][0];
    return -1;
}

static void book_done(int n, enum error status)
{
    struct book *book = &w.book[n];
    book->status = status;
    book->cancelled = book->abortable = false;
    if (w.r[n].reply_port == &w.replies) {
        book->place = IN_REPLIES;
        line_add(QUEUES, n);
    } else {
        book->place = MINE;
        book->back++;
    }
}

static void model_called(struct msgport *port, struct request *r)
{
    (void)port;
    assert_in_range(r - w.r, 0, REQUESTS - 1);
    now.replies++;
}

/* Draws what the put function does. */
static void draw_act(void)
{
    now.act = (enum act)draw(4);
    now.status = (enum error)draw(ERROR_COUNT);
    if (now.status == ERROR_FULL)
        now.status = OK;
}

/* What must follow from putting r: it is the model's HELD. Returns the expected answer. */
static int32_t model_put(int n, int queue)
{
    struct book *book = &w.book[n];
    if (queue == QUEUES) {
        if (now.act == ANSWER || now.act == ANSWER_THEN_KEEP)
            book_done(n, now.status);
        return now.act == REFUSE   ? (int32_t)ERROR_FULL
               : now.act == ANSWER ? (int32_t)now.status
                                   : REQUEST_KEPT;
    }
    if ((uint32_t)(w.length[queue][0] + w.length[queue][1]) == w.limit[queue])
        return ERROR_FULL;
    book->place = IN_QUEUE;
    book->queue = queue;
    book->receipt = false;
    line_add(queue, n);
    return REQUEST_KEPT;
}

static struct msgport *target(int queue)
{
    return queue == QUEUES ? &w.act : &w.queue[queue];
}

static void step_send(int n)
{
    struct book *book = &w.book[n];
    int queue = (int)draw(QUEUES + 1);
    if (book->place != MINE)
        return;
    book->urgent = draw(4) == 0;
    request_reinit(&w.r[n], draw(2) ? &w.replies : &w.called);
    w.r[n].flags = book->urgent ? REQUEST_URGENT : 0;
    if (draw(2))
        request_set_receipt(&w.r[n], note_receipt);
    draw_act();
    book->place = HELD;
    int32_t expected = model_put(n, queue);
    enum error sent = request_send(&w.r[n], target(queue));
    if (expected == ERROR_FULL) {
        assert_int_equal(sent, ERROR_FULL);
        book->place = MINE;
        w.full++;
        return;
    }
    assert_int_equal(sent, OK);
    book->sent++;
}

static void step_get(int line)
{
    int n = line_first(line);
    struct msgport *port = line == QUEUES ? &w.replies : &w.queue[line];
    struct request *r = msgport_get(port);
    if (n < 0) {
        assert_null(r);
        return;
    }
    assert_ptr_equal(r, &w.r[n]);
    line_remove(line, n);
    if (line < QUEUES) {
        w.book[n].place = HELD;
        return;
    }
    w.book[n].place = MINE;
    w.book[n].back++;
    assert_int_equal(r->m.status, w.book[n].status);
    assert_int_equal(r->m.flags, MSG_REPLY);
}

static void step_held(int n)
{
    struct book *book = &w.book[n];
    if (book->place != HELD)
        return;
    enum error status = (enum error)draw(ERROR_COUNT);
    int queue = (int)draw(QUEUES + 1);
    switch (draw(3)) {
    case 0:
        book_done(n, status);
        request_reply(&w.r[n], status);
        return;
    case 1:
        book->abortable = true;
        request_set_abort(&w.r[n], give_back);
        return;
    default:
        draw_act();
        book->abortable = false;
        if (book->cancelled) {
            book_done(n, ERROR_CANCELLED);
            assert_int_equal(request_forward(&w.r[n], target(queue)), ERROR_CANCELLED);
            return;
        }
        int32_t expected = model_put(n, queue);
        if (expected != REQUEST_KEPT && expected != ERROR_FULL && now.act != ANSWER_THEN_KEEP)
            assert_int_equal(queue, QUEUES);
        assert_int_equal(request_forward(&w.r[n], target(queue)), expected);
    }
}

static void step_cancel(int n)
{
    struct book *book = &w.book[n];
    bool done = true;
    if (book->place == IN_QUEUE) {
        line_remove(book->queue, n);
        book_done(n, ERROR_CANCELLED);
    } else if (book->place == HELD && book->abortable) {
        book_done(n, ERROR_CANCELLED);
    } else if (book->place == HELD) {
        book->cancelled = true;
        done = false;
    }
    assert_int_equal(request_cancel(&w.r[n]), done);
    w.cancels++;
}

static void step_drop(int n)
{
    struct book *book = &w.book[n];
    bool queued = book->place == IN_QUEUE || book->place == IN_REPLIES;
    if (queued) {
        line_remove(book->place == IN_QUEUE ? book->queue : QUEUES, n);
        book->place = MINE;
        book->back++;
    }
    assert_int_equal(request_drop(&w.r[n]), queued);
}

static void compare(void)
{
    static const enum request_state states[] = {
        [MINE] = REQUEST_MINE,
        [IN_QUEUE] = REQUEST_QUEUED,
        [HELD] = REQUEST_HELD,
        [IN_REPLIES] = REQUEST_RETURNED,
    };
    for (int n = 0; n < REQUESTS; n++) {
        const struct book *book = &w.book[n];
        assert_int_equal(w.r[n].state, states[book->place]);
        assert_int_equal(book->sent - book->back, book->place != MINE);
        assert_int_equal(request_is_done(&w.r[n]),
                         book->place == MINE || book->place == IN_REPLIES);
    }
    for (int q = 0; q < QUEUES; q++)
        assert_true(msgport_check(&w.queue[q]));
    assert_true(msgport_check(&w.replies));
}

static void any_sequence_is_as_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(&w, 0, sizeof(w));
        memset(&now, 0, sizeof(now));
        w.random = seed;
        for (int q = 0; q < QUEUES; q++) {
            w.limit[q] = 1 + (uint32_t)q * 2;
            msgport_init(&w.queue[q], w.limit[q]);
        }
        msgport_init_put(&w.act, act_put);
        msgport_init(&w.replies, 1);
        msgport_init_reply(&w.called, model_called);
        for (int n = 0; n < REQUESTS; n++)
            request_init(&w.r[n], 1, &w.replies);
        for (int step = 0; step < STEPS; step++) {
            int n = (int)draw(REQUESTS);
            switch (draw(6)) {
            case 0:
            case 1:
                step_send(n);
                break;
            case 2:
                step_get((int)draw(QUEUES + 1));
                break;
            case 3:
                step_held(n);
                break;
            case 4:
                step_cancel(n);
                break;
            default:
                if (draw(4) == 0)
                    step_drop(n);
            }
            compare();
        }
        uint32_t sent = 0;
        for (int n = 0; n < REQUESTS; n++)
            sent += w.book[n].sent;
        assert_true(sent > STEPS / 20 && w.full > STEPS / 100 && now.replies > STEPS / 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_queue_gives_requests_and_answers_in_order, setup),
        cmocka_unit_test_setup(urgent_ones_come_first, setup),
        cmocka_unit_test_setup(a_full_queue_says_so_and_tells_of_room, setup),
        cmocka_unit_test_setup(a_put_function_answers_at_once_or_keeps, setup),
        cmocka_unit_test_setup(reply_only_ports_call_or_only_mark, setup),
        cmocka_unit_test_setup(a_synchronous_one_is_not_queued_when_done, setup),
        cmocka_unit_test_setup(forwarding_is_not_noticed_by_the_sender, setup),
        cmocka_unit_test_setup(a_queued_request_is_taken_back_at_once, setup),
        cmocka_unit_test_setup(a_held_request_comes_back_when_its_holder_lets_it, setup),
        cmocka_unit_test_setup(what_is_dropped_leaves_its_queue_without_an_answer, setup),
        cmocka_unit_test_setup(a_receipt_comes_once_and_only_from_a_queue, setup),
        cmocka_unit_test_setup(sending_to_oneself_is_a_call, setup),
        cmocka_unit_test_setup(what_somebody_else_sends_is_queued_and_served, setup),
        cmocka_unit_test_setup(any_sequence_is_as_the_model_says, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
