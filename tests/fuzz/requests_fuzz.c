/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: both ends of requests over connections (ipc/conn_port.c), each with a peer that
 * sends anything. The input is a series of steps of this side and of messages. After each step the
 * tables are in order; what was sent is answered once; in the end nothing is under way and no
 * request lost.
 */
#include "tests/fuzz/input.h"

#include <stdlib.h>

#include "ipc/conn_port.h"

enum { REQUESTS = 6, PLACES = 4, SERVED = 3, QUEUED = 2, SLOTS = 8, STEPS_MAX = 300 };

static struct world {
    struct conn to_server, to_client;
    struct msg asked[SLOTS], answered[SLOTS];
    uint32_t asked_count, answered_count, asked_room, answered_room;
    struct conn_client client;
    struct conn_place place[PLACES];
    struct msgport back;
    struct request r[REQUESTS];
    bool sent[REQUESTS];
    struct conn_server server;
    struct request served[SERVED];
    struct msgport entry, queue;
    struct request *held[SERVED];
    uint32_t holds;
    uint64_t last_tag[PLACES];
} w;

static void must(bool condition)
{
    if (!condition)
        abort();
}

static enum error to_server_put(struct conn *conn, const struct msg *m)
{
    (void)conn;
    if (w.asked_count >= w.asked_room)
        return ERROR_FULL;
    w.asked[w.asked_count++] = *m;
    uint64_t *last = &w.last_tag[m->tag % (1 << 16)];
    must(m->flags ? m->tag == *last : m->tag > *last); /* no tag is used twice */
    *last = m->tag;
    return OK;
}

static uint32_t to_server_room(struct conn *conn)
{
    (void)conn;
    return w.asked_count < w.asked_room ? w.asked_room - w.asked_count : 0;
}

static enum error to_client_put(struct conn *conn, const struct msg *m)
{
    (void)conn;
    must(m->flags == MSG_REPLY);
    if (w.answered_count >= w.answered_room)
        return ERROR_FULL;
    w.answered[w.answered_count++] = *m;
    return OK;
}

static uint32_t to_client_room(struct conn *conn)
{
    (void)conn;
    return w.answered_count < w.answered_room ? w.answered_room - w.answered_count : 0;
}

/* --- the server --- */

static void held_remove(uint32_t i)
{
    w.held[i] = w.held[--w.holds];
}

static void give_back(struct request *r)
{
    for (uint32_t i = 0; i < w.holds; i++)
        if (w.held[i] == r)
            held_remove(i);
    request_reply(r, ERROR_CANCELLED);
}

static int32_t entry_put(struct msgport *port, struct request *r)
{
    (void)port;
    switch (r->m.op & 3) {
    case 0:
        return (int32_t)(r->m.w[0] % ERROR_COUNT);
    case 1:
        return request_forward(r, &w.queue);
    default:
        if (r->m.op & 1)
            request_set_abort(r, give_back);
        w.held[w.holds++] = r;
        return REQUEST_KEPT;
    }
}

static void server_message(struct input *input)
{
    struct msg m = {.op = input_8(input), .flags = input_8(input), .tag = input_8(input) & 3};
    m.w[0] = m.tag;
    conn_server_receive(&w.server, &m);
}

static void server_answer(uint8_t which)
{
    struct request *r = which & 1 ? msgport_get(&w.queue) : NULL;
    if (!r && w.holds) {
        uint32_t i = which % w.holds;
        r = w.held[i];
        held_remove(i);
    }
    if (r)
        request_reply(r, which & 2 ? OK : ERROR_NOT_FOUND);
}

/* --- the client --- */

static void client_send(uint32_t n, uint16_t op)
{
    struct request *r = &w.r[n];
    if (w.sent[n])
        return;
    request_init(r, op, &w.back);
    w.sent[n] = request_send(r, &w.client.port) == OK;
    must(w.sent[n] || r->state == REQUEST_MINE);
}

static void client_collect(void)
{
    for (struct request *r; (r = msgport_get(&w.back));) {
        uint32_t n = (uint32_t)(r - w.r);
        must(n < REQUESTS && w.sent[n] && r->state == REQUEST_MINE && r->m.flags == MSG_REPLY &&
             (uint32_t)r->m.status < ERROR_COUNT);
        w.sent[n] = false;
    }
}

static void client_message(struct input *input)
{
    uint8_t how = input_8(input);
    const struct msg *asked = &w.asked[how % SLOTS];
    struct msg m = {.op = asked->op, .flags = MSG_REPLY, .tag = asked->tag};
    if (how & 0x10)
        m.tag += (uint64_t)(int64_t)(int8_t)input_8(input) << (how & 0x20 ? 16 : 0);
    if (how & 0x40)
        m.tag = input_64(input);
    if (how & 0x80) {
        m.op = input_8(input);
        m.flags = input_8(input);
        m.status = (int32_t)input_16(input) - 8;
    }
    conn_client_receive(&w.client, &m);
}

/* --- a step, and what holds after it --- */

static void step(struct input *input)
{
    uint8_t what = input_8(input), which = what >> 4;
    switch (what & 15) {
    case 0:
    case 1:
    case 2:
        client_send(which % REQUESTS, what & 3);
        break;
    case 3:
        if (w.sent[which % REQUESTS])
            must(request_cancel(&w.r[which % REQUESTS]));
        break;
    case 4:
    case 5:
        client_message(input);
        break;
    case 6:
        conn_client_peer(&w.client, which < 14 ? which : CONN_BROKEN);
        break;
    case 7:
        w.asked_count = 0;
        w.asked_room = which & 7 ? SLOTS : which >> 3;
        conn_client_batch_end(&w.client);
        break;
    case 8:
    case 9:
    case 10:
        server_message(input);
        break;
    case 11:
    case 12:
        server_answer(which);
        break;
    case 13:
        w.answered_count = 0;
        w.answered_room = which & 3;
        conn_server_batch_end(&w.server);
        break;
    case 14:
        conn_server_abort(&w.server);
        break;
    default:
        client_collect();
    }
}

static void check(void)
{
    uint32_t away = 0;
    must(conn_client_check(&w.client) && msgport_check(&w.back) && msgport_check(&w.queue));
    for (uint32_t n = 0; n < REQUESTS; n++) {
        must(w.sent[n] == (w.r[n].state != REQUEST_MINE));
        away += w.r[n].state == REQUEST_AWAY;
    }
    must(away <= w.client.under_way && w.client.under_way <= PLACES);
    must(w.holds <= SERVED);
}

static void start(void)
{
    w = (struct world){.asked_room = SLOTS, .answered_room = 2};
    w.to_server = (struct conn){.put = to_server_put, .room = to_server_room};
    w.to_client = (struct conn){.put = to_client_put, .room = to_client_room};
    msgport_init(&w.back, 1);
    msgport_init(&w.queue, QUEUED);
    msgport_init_put(&w.entry, entry_put);
    conn_client_init(&w.client, &w.to_server, w.place, PLACES, 5, true);
    conn_server_init(&w.server, &w.to_client, &w.entry, w.served, SERVED);
    for (uint32_t n = 0; n < REQUESTS; n++)
        request_init(&w.r[n], 0, &w.back);
}

static void end(void)
{
    uint32_t free = 0;
    conn_client_abort(&w.client, ERROR_PEER_DIED);
    client_collect();
    check();
    must(w.client.under_way == 0);
    for (uint32_t n = 0; n < 2 * SERVED; n++)
        server_answer((uint8_t)(n | 1));
    w.answered_count = 0;
    w.answered_room = SLOTS;
    conn_server_batch_end(&w.server);
    while (chain_take(&w.server.free))
        free++;
    must(free == SERVED && !w.holds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    start();
    for (int i = 0; input.left && i < STEPS_MAX; i++) {
        step(&input);
        check();
    }
    end();
    return 0;
}
