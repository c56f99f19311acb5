/* SPDX-License-Identifier: ISC
 *
 * ipc/conn_port.c: the same requests over every transport (a function, a queue, a channel, the
 * kernel), answers that lie, cancellation under way, a peer that starts again; then random
 * operations with a hostile peer against a model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/channel.h"
#include "ipc/conn_port.h"
#include "libos/domain.h"
#include "libos/kernel.h"
#include "libos/kernel_conn.h"

void ring_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- two sides and what is between them --- */

enum { SLOTS = 8, PLACES = 6, SERVED = 5, BADGE = 1 << 5, OP_NOW = 1, OP_LATER, OP_NEVER, OP_FULL };

/* A transport of this test: a queue in private memory, or, if nobody is in the receiver, a call. */
struct pipe {
    struct conn conn;
    struct msg m[SLOTS];
    uint32_t put, taken;
    bool (*call)(const struct msg *m); /* NULL: only queued */
    bool *busy;                        /* the receiver is in one of its entry points */
};

static struct world {
    struct pipe to_server, to_client;
    struct kernel_conn kernel;
    struct channel channel[2];
    struct conn channel_conn[2];
    struct ring *ring[2];
    uint64_t broken;

    bool server_busy, client_busy;
    struct conn_client client;
    struct conn_place place[PLACES];
    struct conn_server server;
    struct request served[SERVED];
    struct msgport target, back;
    struct request *held[SERVED];
    uint32_t holds, cancelled_there;
    bool target_full;
} w;

static enum error pipe_put(struct conn *conn, const struct msg *m)
{
    struct pipe *pipe = CHAIN_OF(conn, struct pipe, conn);
    if (pipe->call && !*pipe->busy && pipe->put == pipe->taken) {
        *pipe->busy = true;
        bool taken = pipe->call(m);
        *pipe->busy = false;
        if (taken)
            return OK;
    }
    if (pipe->put - pipe->taken == SLOTS)
        return ERROR_FULL;
    pipe->m[pipe->put++ % SLOTS] = *m;
    return OK;
}

static uint32_t pipe_room(struct conn *conn)
{
    struct pipe *pipe = CHAIN_OF(conn, struct pipe, conn);
    return SLOTS - (pipe->put - pipe->taken);
}

enum error kernel_send(uint64_t slot, const struct msg *m)
{
    struct msg sent = *m;
    assert_int_equal(slot, 2);
    sent.tag = BADGE; /* as the kernel does */
    return pipe_put(&w.to_server.conn, &sent);
}

/* --- the server: answers, keeps, or keeps for good --- */

static void give_back(struct request *r)
{
    for (uint32_t i = 0; i < w.holds; i++)
        if (w.held[i] == r)
            w.held[i] = w.held[--w.holds];
    w.cancelled_there++;
    request_reply(r, ERROR_CANCELLED);
}

static int32_t serve(struct msgport *port, struct request *r)
{
    (void)port;
    if (w.target_full || r->m.op == OP_FULL)
        return ERROR_FULL;
    if (r->m.op == OP_NOW) {
        r->m.w[1] = r->m.w[0] * 3;
        return ERROR_LIMIT; /* any status */
    }
    request_set_abort(r, give_back);
    w.held[w.holds++] = r;
    return REQUEST_KEPT;
}

static void answer_held(uint32_t i)
{
    struct request *r = w.held[i];
    w.held[i] = w.held[--w.holds];
    r->m.w[1] = r->m.w[0] * 3;
    request_reply(r, OK);
}

static bool server_receive(const struct msg *m)
{
    return conn_server_receive(&w.server, m);
}

static bool client_receive(const struct msg *m)
{
    conn_client_receive(&w.client, m);
    return true;
}

/* --- the transports --- */

static void setup_world(void)
{
    free(w.ring[0]);
    free(w.ring[1]);
    w = (struct world){0};
    w.to_server.conn = w.to_client.conn = (struct conn){.put = pipe_put, .room = pipe_room};
    w.to_server.busy = &w.server_busy;
    w.to_client.busy = &w.client_busy;
    msgport_init_put(&w.target, serve);
    msgport_init(&w.back, 1);
}

static void setup_ends(struct conn *to_server, struct conn *to_client, bool cancels)
{
    conn_client_init(&w.client, to_server, w.place, PLACES, 0x1234, cancels);
    conn_server_init(&w.server, to_client, &w.target, w.served, SERVED);
}

static void setup_queue(void)
{
    setup_world();
    setup_ends(&w.to_server.conn, &w.to_client.conn, true);
}

static void setup_direct(void)
{
    setup_queue();
    w.to_server.call = server_receive;
    w.to_client.call = client_receive;
}

static void setup_kernel(void)
{
    setup_world();
    kernel_conn_init(&w.kernel, 2);
    setup_ends(&w.kernel.conn, &w.to_client.conn, false);
}

static void setup_channel(void)
{
    setup_world();
    for (int i = 0; i < 2; i++) {
        w.ring[i] = aligned_alloc(64, ring_bytes(SLOTS));
        memset(w.ring[i], 0, ring_bytes(SLOTS));
    }
    for (int i = 0; i < 2; i++) {
        channel_init(&w.channel[i], w.ring[i], w.ring[!i], SLOTS, &w.broken);
        w.channel_conn[i] =
            (struct conn){.put = channel_put, .room = channel_room, .transport = &w.channel[i]};
    }
    setup_ends(&w.channel_conn[0], &w.channel_conn[1], true);
}

static void (*const setups[])(void) = {setup_queue, setup_direct, setup_channel, setup_kernel};
enum { TRANSPORTS = sizeof(setups) / sizeof(setups[0]) };

/* One round of one side: what has arrived, then batch_end, as the loop does. */
static void channel_round(int side, bool (*receive)(const struct msg *m))
{
    struct channel *channel = &w.channel[side];
    uint32_t taken = channel->taken, end = taken + channel_arrived(channel);
    for (; taken != end; taken++) {
        struct msg m;
        channel_read(channel, taken, &m);
        if (!receive(&m))
            break;
    }
    channel_took(channel, taken);
}

static void channel_end(int side)
{
    channel_publish_put(&w.channel[side]);
    channel_publish_taken(&w.channel[side]);
}

static void pipe_round(struct pipe *pipe, bool (*receive)(const struct msg *m))
{
    for (uint32_t end = pipe->put; pipe->taken != end; pipe->taken++) {
        struct msg m = pipe->m[pipe->taken % SLOTS];
        if (w.kernel.slot && pipe == &w.to_server)
            assert_int_equal(m.tag, BADGE);
        if (w.kernel.slot && pipe == &w.to_client)
            m = kernel_conn_answer(&w.kernel, &m);
        if (!receive(&m))
            return;
    }
}

static void server_round(void)
{
    w.server_busy = true;
    if (w.ring[0])
        channel_round(1, server_receive);
    else
        pipe_round(&w.to_server, server_receive);
    conn_server_batch_end(&w.server);
    if (w.ring[0])
        channel_end(1);
    w.server_busy = false;
}

static void client_round(void)
{
    w.client_busy = true;
    if (w.ring[0])
        channel_round(0, client_receive);
    else
        pipe_round(&w.to_client, client_receive);
    conn_client_batch_end(&w.client);
    if (w.ring[0])
        channel_end(0);
    w.client_busy = false;
}

static void rounds(void)
{
    for (int i = 0; i < 4; i++) {
        client_round();
        server_round();
        assert_true(conn_client_check(&w.client));
    }
    client_round();
}

/* Requests that can be under way. */
static uint32_t most(void)
{
    return w.kernel.slot ? 1 : PLACES;
}

static void send_one(struct request *r, uint16_t op, uint64_t value)
{
    request_init(r, op, &w.back);
    r->m.w[0] = value;
    r->m.tag = value + 7;
    assert_int_equal(request_send(r, &w.client.port), OK);
}

static struct msg reply_to(uint32_t place, uint16_t op)
{
    return (struct msg){.op = op, .flags = MSG_REPLY, .tag = w.place[place].tag, .w = {0, 42}};
}

/* --- over every transport --- */

static void collect(uint32_t count)
{
    rounds();
    while (w.holds)
        answer_held(0);
    rounds();
    for (uint32_t i = 0; i < count; i++) {
        struct request *back = msgport_get(&w.back);
        assert_non_null(back);
        assert_int_equal(back->m.w[1], back->m.w[0] * 3);
        assert_int_equal(back->m.tag, back->m.w[0] + 7); /* the sender's own */
        assert_int_equal(back->m.status, back->m.op == OP_NOW ? ERROR_LIMIT : OK);
        assert_int_equal(back->m.flags, MSG_REPLY);
    }
    assert_null(msgport_get(&w.back));
    assert_int_equal(w.client.under_way, 0);
}

static void answers_come_back_over_every_transport(void **state)
{
    (void)state;
    for (int t = 0; t < TRANSPORTS; t++) {
        struct request r[4];
        setups[t]();
        for (uint16_t i = 0; i < 4; i++) {
            send_one(&r[i], i & 1 ? OP_LATER : OP_NOW, i + 10u);
            if (most() == 1)
                collect(1);
        }
        if (most() > 1)
            collect(4);
    }
}

static void a_request_is_cancelled_under_way_over_every_transport(void **state)
{
    (void)state;
    for (int t = 0; t < TRANSPORTS; t++) {
        struct request r;
        setups[t]();
        send_one(&r, OP_NEVER, 1);
        rounds();
        assert_int_equal(w.holds, 1);
        w.client_busy = true;            /* as it is in its entry points */
        assert_true(request_cancel(&r)); /* at once */
        w.client_busy = false;
        assert_ptr_equal(msgport_get(&w.back), &r);
        assert_int_equal(r.m.status, ERROR_CANCELLED);
        assert_int_equal(w.client.under_way, 1); /* the peer may still answer: its room is kept */
        rounds();
        assert_int_equal(w.cancelled_there, w.client.cancels); /* and was told */
        while (w.holds)
            answer_held(0);
        rounds();
        assert_int_equal(w.client.wrong.late, 1);
        assert_int_equal(w.client.under_way, 0);
        assert_null(msgport_get(&w.back));
        send_one(&r, OP_NOW, 2);
        collect(1);
    }
}

static void what_is_full_says_so_and_nothing_is_lost_over_every_transport(void **state)
{
    (void)state;
    for (int t = 0; t < TRANSPORTS; t++) {
        struct request r[PLACES + 1];
        setups[t]();
        for (uint16_t i = 0; i < most(); i++)
            send_one(&r[i], OP_LATER, i);
        request_init(&r[PLACES], OP_NOW, &w.back);
        assert_int_equal(request_send(&r[PLACES], &w.client.port), ERROR_FULL);
        rounds();
        uint32_t waits = most() > SERVED; /* the last one, in the transport */
        assert_int_equal(w.holds, most() - waits);
        while (w.holds)
            answer_held(0);
        rounds();
        assert_int_equal(w.holds, waits);
        collect(most());
        assert_int_equal(request_send(&r[PLACES], &w.client.port), OK);
        rounds();
        assert_ptr_equal(msgport_get(&w.back), &r[PLACES]);
    }
}

static void the_kernels_refusal_is_full(void **state)
{
    struct request r;
    (void)state;
    setup_kernel();
    w.to_server.put = SLOTS; /* of others */
    request_init(&r, OP_NOW, &w.back);
    assert_int_equal(request_send(&r, &w.client.port), ERROR_FULL);
    assert_int_equal(w.kernel.refused, 1);
    assert_int_equal(w.client.under_way, 0);
    w.to_server.taken = SLOTS;
    send_one(&r, OP_NOW, 1);
    collect(1);
}

static void a_full_target_stalls_the_connection(void **state)
{
    struct request r;
    (void)state;
    setup_channel();
    send_one(&r, OP_NOW, 1);
    w.target_full = true;
    rounds();
    assert_null(msgport_get(&w.back));
    assert_int_equal(w.server.refused, 0);
    w.target_full = false;
    rounds();
    assert_ptr_equal(msgport_get(&w.back), &r);
}

/* A server that is a client of the next one: what came over one connection leaves over another. */
static struct conn_client *next_hop;

static int32_t pass_on(struct msgport *port, struct request *r)
{
    (void)port;
    return request_forward(r, &next_hop->port);
}

static void a_request_is_forwarded_over_another_connection(void **state)
{
    struct conn_client hop;
    struct conn_place place[2];
    struct pipe pipe = {.conn = {.put = pipe_put, .room = pipe_room}};
    struct request r;
    (void)state;
    setup_channel();
    conn_client_init(&hop, &pipe.conn, place, 2, 9, true);
    next_hop = &hop;
    msgport_init_put(&w.target, pass_on);
    send_one(&r, OP_NOW, 5);
    rounds();
    assert_int_equal(pipe.put, 1);
    assert_int_equal(hop.under_way, 1);
    struct msg answer = pipe.m[0];
    assert_int_equal(answer.w[0], 5);
    assert_int_equal(answer.tag, place[0].tag);
    answer.flags = MSG_REPLY;
    answer.status = ERROR_NOT_FOUND;
    answer.w[1] = 77;
    conn_client_receive(&hop, &answer);
    rounds();
    assert_ptr_equal(msgport_get(&w.back), &r);
    assert_int_equal(r.m.status, ERROR_NOT_FOUND);
    assert_int_equal(r.m.w[1], 77);

    /* Cancelled by who asked first: the wish goes along. */
    send_one(&r, OP_NOW, 6);
    rounds();
    assert_int_equal(pipe.put, 2);
    assert_true(request_cancel(&r));
    rounds();
    assert_int_equal(pipe.put, 3);
    assert_int_equal(pipe.m[2].flags, MSG_CANCEL);
    assert_int_equal(pipe.m[2].tag, place[0].tag);
    assert_int_equal(w.client.wrong.late, 1);
}

/* --- a peer that lies --- */

static void answers_to_nothing_are_counted_and_change_nothing(void **state)
{
    struct request r;
    (void)state;
    setup_queue();
    send_one(&r, OP_LATER, 3);
    struct msg right = reply_to(0, OP_LATER), m = right;
    struct conn_wrong *wrong = &w.client.wrong;
    static const uint64_t tags[] = {0,      1,          UINT64_MAX,          PLACES,
                                    0xffff, 0x12340001, 0x12340000 + 0x10000};
    for (uint32_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        m.tag = tags[i];
        conn_client_receive(&w.client, &m);
        assert_int_equal(wrong->unknown, i + 1);
        assert_int_equal(r.state, REQUEST_AWAY);
    }
    uint64_t unknown = wrong->unknown;
    m = right;
    m.flags = 0; /* no answer */
    conn_client_receive(&w.client, &m);
    assert_int_equal(wrong->unknown, ++unknown);
    m = right;
    m.op = OP_NOW;
    conn_client_receive(&w.client, &m);
    assert_int_equal(wrong->op, 1);
    assert_int_equal(r.state, REQUEST_AWAY);
    conn_client_receive(&w.client, &right);
    assert_ptr_equal(msgport_get(&w.back), &r);
    conn_client_receive(&w.client, &right); /* again */
    assert_int_equal(wrong->unknown, ++unknown);
    assert_null(msgport_get(&w.back));
    assert_true(conn_client_check(&w.client));
}

static void a_status_that_is_none_is_another_version(void **state)
{
    static const int32_t statuses[] = {-1, INT32_MIN, INT32_MAX, ERROR_COUNT, REQUEST_KEPT};
    (void)state;
    setup_queue();
    for (uint32_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct request r;
        send_one(&r, OP_LATER, 3);
        struct msg m = reply_to(w.client.free == 1 ? 0 : r.slot, OP_LATER);
        m.status = statuses[i];
        conn_client_receive(&w.client, &m);
        assert_ptr_equal(msgport_get(&w.back), &r);
        assert_int_equal(r.m.status, ERROR_VERSION);
        assert_int_equal(w.client.wrong.status, i + 1);
    }
}

static void a_belated_answer_is_not_taken_for_the_next_requests(void **state)
{
    struct request r, next;
    (void)state;
    setup_queue();
    send_one(&r, OP_LATER, 1);
    struct msg late = reply_to(r.slot, OP_LATER);
    request_cancel(&r);
    send_one(&next, OP_LATER, 2);
    assert_int_not_equal(next.slot, r.slot); /* that place still waits for the belated answer */
    conn_client_receive(&w.client, &late);
    assert_int_equal(w.client.wrong.late, 1);
    assert_int_equal(next.state, REQUEST_AWAY);
    conn_client_receive(&w.client, &late);
    assert_int_equal(w.client.wrong.late, 1);
    assert_int_equal(w.client.wrong.unknown, 1);
}

static void answers_for_an_earlier_life_are_unknown(void **state)
{
    struct request r;
    (void)state;
    setup_queue();
    send_one(&r, OP_LATER, 1);
    struct msg old = reply_to(r.slot, OP_LATER);
    conn_client_init(&w.client, &w.to_server.conn, w.place, PLACES, 0x77777777, true);
    send_one(&r, OP_LATER, 2);
    conn_client_receive(&w.client, &old);
    assert_int_equal(w.client.wrong.unknown, 1);
    assert_int_equal(r.state, REQUEST_AWAY);
}

static void what_is_no_request_is_refused_by_the_server(void **state)
{
    (void)state;
    setup_queue();
    struct msg m = {.op = OP_LATER, .flags = MSG_REPLY};
    assert_true(conn_server_receive(&w.server, &m));
    m.flags = MSG_CANCEL; /* of nothing */
    assert_true(conn_server_receive(&w.server, &m));
    m.flags = 0x8000;
    assert_true(conn_server_receive(&w.server, &m));
    assert_int_equal(w.server.refused, 3);
    assert_int_equal(w.holds, 0);
}

static void a_client_that_takes_no_answers_waits_alone(void **state)
{
    (void)state;
    setup_queue();
    struct msg m = {.op = OP_NOW};
    uint32_t taken = 0;
    while (conn_server_receive(&w.server, &m)) {
        assert_in_range(++taken, 1, SLOTS + SERVED);
        m.w[0] = taken;
    }
    assert_int_equal(taken, SLOTS + SERVED); /* answers in the transport, and all requests */
    w.to_client.taken += 2;
    conn_server_batch_end(&w.server);
    assert_true(conn_server_receive(&w.server, &m)); /* its answer waits behind the others */
    w.to_client.taken = w.to_client.put;
    conn_server_batch_end(&w.server);
    assert_int_equal(w.to_client.put - w.to_client.taken, SERVED - 2 + 1);
    for (uint64_t value = SLOTS + 2; w.to_client.taken != w.to_client.put; value++)
        assert_int_equal(w.to_client.m[w.to_client.taken++ % SLOTS].w[0], value);
    assert_true(conn_server_receive(&w.server, &m));
}

static void answers_do_not_overtake_those_that_wait_for_room(void **state)
{
    (void)state;
    setup_queue();
    struct msg m = {.op = OP_LATER, .w = {100}};
    assert_true(conn_server_receive(&w.server, &m));
    m.op = OP_NOW;
    for (m.w[0] = 0; m.w[0] < SLOTS + 2; m.w[0]++)
        assert_true(conn_server_receive(&w.server, &m));
    w.to_client.taken = w.to_client.put; /* room, and two that don't know yet */
    answer_held(0);
    conn_server_batch_end(&w.server);
    assert_int_equal(w.to_client.put - w.to_client.taken, 3);
    assert_int_equal(w.to_client.m[(w.to_client.put - 1) % SLOTS].w[0], 100);
}

/* --- a peer that dies --- */

static void a_server_that_starts_again_owes_no_answers(void **state)
{
    struct request r[3];
    (void)state;
    setup_channel();
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    for (uint16_t i = 0; i < 3; i++)
        send_one(&r[i], OP_NEVER, i);
    request_cancel(&r[2]);
    assert_ptr_equal(msgport_get(&w.back), &r[2]);
    client_round();
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    assert_int_equal(w.client.under_way, 3);

    channel_init(&w.channel[1], w.ring[1], w.ring[0], SLOTS, &w.broken); /* its next life */
    w.holds = 0;
    conn_server_init(&w.server, &w.channel_conn[1], &w.target, w.served, SERVED);
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    assert_int_equal(w.client.under_way, 0);
    for (int i = 0; i < 2; i++) {
        struct request *back = msgport_get(&w.back);
        assert_non_null(back);
        assert_int_equal(back->m.status, ERROR_PEER_DIED);
    }
    assert_null(msgport_get(&w.back));

    /* What stood in the ring is served by its next life: nobody wants that any more. */
    rounds();
    while (w.holds)
        answer_held(0);
    rounds();
    assert_int_equal(w.client.wrong.unknown, 3);
    send_one(&r[0], OP_NOW, 8);
    rounds();
    assert_ptr_equal(msgport_get(&w.back), &r[0]);
}

static void a_server_that_starts_later_is_not_a_dead_one(void **state)
{
    struct request r;
    (void)state;
    setup_channel();
    w.ring[1]->generation = 0; /* as if it hadn't run yet */
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    send_one(&r, OP_NOW, 1);
    client_round();
    w.ring[1]->generation = 1;
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    assert_int_equal(w.client.under_way, 1);
    rounds();
    assert_ptr_equal(msgport_get(&w.back), &r);
    assert_int_equal(r.m.status, ERROR_LIMIT);
}

static uint32_t told;

static void tell(struct waiter *waiter)
{
    (void)waiter;
    told++;
}

static void nothing_is_sent_over_a_broken_connection(void **state)
{
    struct request r, later;
    struct waiter waiter[2] = {{.wake = tell}, {.wake = tell}};
    (void)state;
    setup_channel();
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    send_one(&r, OP_NEVER, 1);
    told = 0;
    for (int i = 0; i < 2; i++)
        chain_append(&w.client.port.room, &waiter[i].link);
    w.ring[1]->produced = 1000; /* more than a ring holds */
    client_round();
    conn_client_peer(&w.client, domain_conn_generation(&w.channel_conn[0]));
    assert_int_equal(w.broken, 1);
    assert_ptr_equal(msgport_get(&w.back), &r);
    assert_int_equal(r.m.status, ERROR_PEER_DIED);
    assert_int_equal(told, 2); /* they won't wait for ever */
    request_init(&later, OP_NOW, &w.back);
    assert_int_equal(request_send(&later, &w.client.port), OK);
    assert_ptr_equal(msgport_get(&w.back), &later);
    assert_int_equal(later.m.status, ERROR_PEER_DIED);
    assert_int_equal(domain_conn_generation(&w.to_server.conn), 0); /* other transports have none */
}

static struct request *others;

static void replied_cancels_the_rest(struct msgport *port, struct request *r)
{
    (void)port;
    assert_int_equal(r->m.status, ERROR_PEER_DIED);
    assert_true(request_cancel(others));
    assert_int_equal(others->m.status, ERROR_CANCELLED);
    request_reinit(r, port);
    assert_int_equal(request_send(r, &w.client.port), ERROR_FULL); /* not now */
}

static void who_is_told_of_a_death_may_cancel_and_sends_later(void **state)
{
    struct request r, other;
    struct msgport called;
    (void)state;
    setup_queue();
    msgport_init_reply(&called, replied_cancels_the_rest);
    others = &other;
    request_init(&r, OP_NEVER, &called);
    request_send(&r, &w.client.port);
    send_one(&other, OP_NEVER, 1);
    struct waiter waiter = {.wake = tell};
    told = 0;
    chain_append(&w.client.port.room, &waiter.link);
    uint32_t put = w.to_server.put;
    conn_client_abort(&w.client, ERROR_PEER_DIED);
    assert_int_equal(w.to_server.put, put);
    assert_int_equal(told, 1);
    assert_int_equal(request_send(&r, &w.client.port), OK);
    conn_client_abort(&w.client, ERROR_PEER_DIED);
    assert_ptr_equal(msgport_get(&w.back), &other);
    assert_null(msgport_get(&w.back));
    assert_int_equal(w.client.under_way, 0);
}

static void a_client_that_died_gets_no_answers(void **state)
{
    struct request r[3];
    (void)state;
    setup_queue();
    for (uint16_t i = 0; i < 3; i++)
        send_one(&r[i], OP_LATER, i);
    server_round();
    assert_int_equal(w.holds, 3);
    request_set_abort(w.held[1], NULL); /* that one takes its time */
    struct request *slow = w.held[1];
    conn_server_abort(&w.server);
    assert_int_equal(w.cancelled_there, 2);
    assert_int_equal(w.to_client.put, 0);
    request_reply(slow, OK);
    assert_int_equal(w.to_client.put, 0);
    w.holds = 0;
    struct msg m = {.op = OP_LATER, .tag = 5};
    for (int i = 0; i < SERVED; i++)
        assert_true(conn_server_receive(&w.server, &m)); /* all requests are free again */
    answer_held(0);
    assert_int_equal(w.to_client.put, 1);
}

static uint32_t receipts;

static void note_receipt(struct request *r)
{
    (void)r;
    receipts++;
}

static void a_receipt_says_that_the_transport_has_it(void **state)
{
    (void)state;
    for (int t = 0; t < TRANSPORTS; t++) {
        struct request r;
        setups[t]();
        receipts = 0;
        request_init(&r, OP_LATER, &w.back);
        request_set_receipt(&r, note_receipt);
        assert_int_equal(request_send(&r, &w.client.port), OK);
        assert_int_equal(receipts, 1);
        rounds();
        answer_held(0);
        rounds();
        assert_ptr_equal(msgport_get(&w.back), &r);
        assert_int_equal(receipts, 1);
    }
}

/* --- against a model, with a peer that makes things up --- */

enum { REQUESTS = 10, STEPS = 200000, SEEDS = 6, REMEMBERED = 32 };

static struct {
    struct request r[REQUESTS];
    bool away[REQUESTS];
    uint64_t value[REQUESTS];
    uint64_t sent, back, cancelled, died, full, lies;
    struct msg seen[REMEMBERED];
    uint64_t random, next;
} model;

static uint32_t draw(uint32_t below)
{
    model.random = model.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model.random >> 33) % below;
}

static void model_send(uint32_t n)
{
    struct request *r = &model.r[n];
    if (model.away[n])
        return;
    request_init(r, draw(2) ? OP_NOW : OP_LATER, &w.back);
    r->m.w[0] = model.value[n] = ++model.next;
    if (request_send(r, &w.client.port) == OK) {
        model.away[n] = true;
        model.sent++;
    } else {
        model.full++;
        assert_true(w.client.under_way || !conn_room(w.client.conn));
    }
}

/* Whatever came back is what was asked for, once, and right. */
static void model_collect(void)
{
    struct request *r;
    while ((r = msgport_get(&w.back))) {
        uint32_t n = (uint32_t)(r - model.r);
        assert_in_range(n, 0, REQUESTS - 1);
        assert_true(model.away[n]);
        model.away[n] = false;
        model.back++;
        if (r->m.status == ERROR_CANCELLED || r->m.status == ERROR_PEER_DIED)
            continue;
        assert_int_equal(r->m.w[0], model.value[n]);
        assert_int_equal(r->m.w[1], model.value[n] * 3);
    }
}

/* An answer that was seen before, one that is made up, or a right one spoiled. */
static void model_lie(void)
{
    struct conn_wrong *wrong = &w.client.wrong;
    uint64_t before = wrong->unknown + wrong->op;
    struct msg m = model.seen[draw(REMEMBERED)];
    uint32_t kind = draw(4), n = draw(PLACES);
    if (kind == 1)
        m.tag = (uint64_t)draw(1u << 30) << draw(34);
    if (kind == 2)
        m.tag = w.place[n].tag + ((uint64_t)(draw(2) ? 1 : -1) << 16);
    if (kind == 3) {
        m = reply_to(n, OP_FULL);
        if (draw(2))
            m.flags = 0;
    }
    m.flags = kind == 3 ? m.flags : MSG_REPLY;
    for (n = 0; n < PLACES; n++)
        if (kind != 3 && w.place[n].taken && w.place[n].tag == m.tag)
            return; /* it would be none */
    conn_client_receive(&w.client, &m);
    assert_int_equal(wrong->unknown + wrong->op, before + 1);
    model.lies++;
}

static void model_remember(void)
{
    for (uint32_t i = w.to_client.taken; i != w.to_client.put; i++)
        model.seen[draw(REMEMBERED)] = w.to_client.m[i % SLOTS];
}

static void model_step(void)
{
    uint32_t n = draw(REQUESTS);
    switch (draw(12)) {
    case 0:
    case 1:
    case 2:
        model_send(n);
        break;
    case 3:
    case 4:
        server_round();
        break;
    case 5:
    case 6:
        model_remember();
        client_round();
        break;
    case 7:
        if (w.holds)
            answer_held(draw(w.holds));
        break;
    case 8:
        if (model.away[n] && draw(3) == 0) {
            assert_true(request_cancel(&model.r[n]));
            model.cancelled++;
        }
        break;
    case 9:
        if (draw(100) == 0) {
            conn_client_abort(&w.client, ERROR_PEER_DIED);
            model.died++;
        }
        break;
    default:
        model_lie();
    }
    model_collect();
    assert_true(conn_client_check(&w.client));
    assert_in_range(w.client.under_way, 0, PLACES);
}

static void any_sequence_with_a_hostile_peer_is_as_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(&model, 0, sizeof(model));
        model.random = seed;
        if (seed & 1)
            setup_queue();
        else
            setup_direct();
        w.client.cancels = seed % 3 != 0;
        for (int step = 0; step < STEPS; step++)
            model_step();
        for (int i = 0; i < 4 * SERVED; i++) {
            rounds();
            while (w.holds)
                answer_held(0);
        }
        rounds();
        model_collect();
        for (int n = 0; n < REQUESTS; n++)
            assert_false(model.away[n]);
        assert_int_equal(model.sent, model.back);
        assert_int_equal(w.client.under_way, 0);
        assert_true(model.sent > STEPS / 50 && model.cancelled > 100 && model.died > 10 &&
                    model.lies > STEPS / 20 && model.full > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_back_over_every_transport),
        cmocka_unit_test(a_request_is_cancelled_under_way_over_every_transport),
        cmocka_unit_test(what_is_full_says_so_and_nothing_is_lost_over_every_transport),
        cmocka_unit_test(the_kernels_refusal_is_full),
        cmocka_unit_test(a_full_target_stalls_the_connection),
        cmocka_unit_test(a_request_is_forwarded_over_another_connection),
        cmocka_unit_test(answers_to_nothing_are_counted_and_change_nothing),
        cmocka_unit_test(a_status_that_is_none_is_another_version),
        cmocka_unit_test(a_belated_answer_is_not_taken_for_the_next_requests),
        cmocka_unit_test(answers_for_an_earlier_life_are_unknown),
        cmocka_unit_test(what_is_no_request_is_refused_by_the_server),
        cmocka_unit_test(a_client_that_takes_no_answers_waits_alone),
        cmocka_unit_test(answers_do_not_overtake_those_that_wait_for_room),
        cmocka_unit_test(a_server_that_starts_again_owes_no_answers),
        cmocka_unit_test(a_server_that_starts_later_is_not_a_dead_one),
        cmocka_unit_test(nothing_is_sent_over_a_broken_connection),
        cmocka_unit_test(who_is_told_of_a_death_may_cancel_and_sends_later),
        cmocka_unit_test(a_client_that_died_gets_no_answers),
        cmocka_unit_test(a_receipt_says_that_the_transport_has_it),
        cmocka_unit_test(any_sequence_with_a_hostile_peer_is_as_the_model_says),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(w.ring[0]);
    free(w.ring[1]);
    return failed;
}
