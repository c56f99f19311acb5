/* SPDX-License-Identifier: ISC
 *
 * servers/entropyd/ between a stack and a driver that are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/entropy.h"
#include "ipc/proto/sock.h"
#include "libos/restart.h"
#include "tests/unit/fake_domain.h"

extern const struct server motet_server_entropyd;
extern const struct server_restarted __start_motet_restarts[], __stop_motet_restarts[];

enum { RECV = 1, SEND = 2, BUFFERS = 8, RECV_BYTES = 2048, SEND_BYTES = 64 };

static struct domain *domain;
static struct conn *net, *source;

static int set_up(void **state)
{
    struct sock_bind bind;
    struct msg m;
    (void)state;
    domain = fake_domain_create(&motet_server_entropyd);
    net = fake_domain_connect(domain, "net", 0);
    source = fake_domain_connect(domain, "source", 0);
    fake_domain_add_pool(domain, "recv", RECV, BUFFERS, RECV_BYTES, POOL_READ);
    fake_domain_add_pool(domain, "send", SEND, BUFFERS, SEND_BYTES, POOL_READ | POOL_WRITE);
    assert_int_equal(fake_domain_start(domain), OK);
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_BIND);
    msg_get(&m, &bind, sizeof(bind));
    assert_int_equal(bind.port, 4949);
    assert_int_equal(bind.recv_pool, RECV);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_domain_destroy(domain);
    return 0;
}

static bool question(uint16_t index, uint16_t length, uint16_t peer_port)
{
    struct sock_datagram datagram = {.peer_port = peer_port,
                                     .local_port = 4949,
                                     .data = {.pool = RECV, .index = index, .length = length}};
    struct msg m;
    msg_set(&m, SOCK_RECV, &datagram, sizeof(datagram));
    return fake_domain_deliver(domain, net, &m);
}

static void expect_returned(uint16_t index)
{
    struct sock_done done;
    struct msg m;
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_RECV_DONE);
    msg_get(&m, &done, sizeof(done));
    assert_int_equal(done.pool, RECV);
    assert_int_equal(done.count, 1);
    assert_int_equal(done.index[0], index);
}

static uint64_t expect_asked(uint32_t length)
{
    struct entropy_read read;
    struct msg m;
    assert_true(fake_conn_pop(source, &m));
    assert_int_equal(m.op, ENTROPY_READ);
    msg_get(&m, &read, sizeof(read));
    assert_int_equal(read.length, length);
    return m.tag;
}

static bool bytes(uint64_t tag, enum error status, uint32_t length, uint8_t value)
{
    struct entropy_read read = {.length = length};
    struct msg m;
    memset(read.bytes, value, sizeof(read.bytes));
    msg_set(&m, ENTROPY_READ, &read, sizeof(read));
    m.flags = MSG_REPLY;
    m.status = status;
    m.tag = tag;
    return fake_domain_deliver(domain, source, &m);
}

static uint16_t expect_sent(uint16_t length, uint16_t peer_port, uint8_t value)
{
    struct sock_datagram answer;
    struct msg m;
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_SEND);
    msg_get(&m, &answer, sizeof(answer));
    assert_int_equal(answer.peer_port, peer_port);
    assert_int_equal(answer.local_port, 4949);
    assert_int_equal(answer.data.pool, SEND);
    assert_int_equal(answer.data.length, length);
    const uint8_t *data = fake_pool_memory(domain, SEND) + answer.data.index * SEND_BYTES;
    for (uint16_t i = 0; i < length; i++)
        assert_int_equal(data[i], value);
    return answer.data.index;
}

static void sent_done(uint16_t pool, uint16_t index)
{
    struct sock_done done = {.pool = pool, .count = 1, .index = {index}};
    struct msg m;
    msg_set(&m, SOCK_SEND_DONE, &done, sizeof(done));
    assert_true(fake_domain_deliver(domain, net, &m));
}

static uint64_t counter(const char *name)
{
    return fake_domain_counter(domain, name);
}

/* More than there are buffers, two at a time and answered the other way round. */
static void each_question_gets_its_answer(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 3 * BUFFERS; i++) {
        uint16_t length = (uint16_t)(1 + i % ENTROPY_READ_MAX);
        assert_true(question(0, length, 1000));
        assert_true(question(1, 40, 2000));
        expect_returned(0);
        expect_returned(1);
        uint64_t first = expect_asked(length), second = expect_asked(40);
        assert_int_not_equal(first, second);
        assert_true(bytes(second, OK, 40, 2));
        assert_true(bytes(first, OK, length, 1));
        sent_done(SEND, expect_sent(40, 2000, 2));
        sent_done(SEND, expect_sent(length, 1000, 1));
    }
    assert_int_equal(counter("answered"), 6 * BUFFERS);
}

static void other_lengths_are_dropped(void **state)
{
    (void)state;
    assert_true(question(2, 0, 1));
    assert_true(question(3, ENTROPY_READ_MAX + 1, 1));
    expect_returned(2);
    expect_returned(3);
    assert_int_equal(fake_conn_waiting(source), 0);
    assert_int_equal(counter("wrong_length"), 2);
}

static void what_there_is_no_buffer_for_is_dropped(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < BUFFERS + 2; i++) {
        assert_true(question(i % BUFFERS, 8, i));
        expect_returned(i % BUFFERS);
    }
    assert_int_equal(fake_conn_waiting(source), BUFFERS);
    assert_int_equal(counter("busy"), 2);
    assert_true(bytes(expect_asked(8), OK, 8, 5)); /* a place is free again when it is sent */
    uint16_t index = expect_sent(8, 0, 5);
    assert_true(question(0, 8, 77));
    expect_returned(0);
    assert_int_equal(counter("busy"), 3);
    sent_done(SEND, index);
    assert_true(question(0, 8, 78));
    assert_int_equal(fake_conn_waiting(source), BUFFERS);
}

static void without_bytes_there_is_no_answer(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 2 * BUFFERS; i++) {
        assert_true(question(0, 8, 1));
        expect_returned(0);
        assert_true(bytes(expect_asked(8), ERROR_BAD_STATE, 0, 0));
    }
    assert_int_equal(fake_conn_waiting(net), 0);
    assert_int_equal(counter("no_bytes"), 2 * BUFFERS);
}

static void a_stack_without_room_is_waited_for(void **state)
{
    (void)state;
    fake_conn_set_capacity(net, 1);
    assert_true(question(0, 8, 1));
    uint64_t tag = expect_asked(8);
    assert_false(question(1, 8, 1));
    assert_false(bytes(tag, OK, 8, 3));
    expect_returned(0);
    assert_true(bytes(tag, OK, 8, 3));
    expect_sent(8, 1, 3);
}

static void what_peers_invent_is_counted(void **state)
{
    static const struct buffer_ref bad[] = {
        {.pool = SEND, .length = 8},
        {.pool = RECV, .index = BUFFERS, .length = 8},
        {.pool = RECV, .offset = RECV_BYTES, .length = 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sock_datagram datagram = {.data = bad[i]};
        struct msg m;
        msg_set(&m, SOCK_RECV, &datagram, sizeof(datagram));
        assert_true(fake_domain_deliver(domain, net, &m));
    }
    assert_int_equal(counter("bad_message"), 3);
    assert_true(bytes(0, OK, 8, 1)); /* nobody asked */
    assert_true(bytes(UINT64_MAX, OK, 8, 1));
    assert_int_equal(counter("bad_message"), 5);
    assert_true(question(0, 8, 1));
    expect_returned(0);
    uint64_t tag = expect_asked(8);
    assert_true(bytes(tag, OK, 9, 1)); /* another length */
    sent_done(SEND, 0);                /* it wasn't sent */
    sent_done(RECV, 0);
    sent_done(SEND, UINT16_MAX);
    assert_int_equal(counter("bad_message"), 9);
    assert_int_equal(fake_conn_waiting(net), 0);
    assert_true(bytes(tag, OK, 8, 1));
    expect_sent(8, 1, 1);
}

static bool restarted(struct conn *conn, enum restarted what)
{
    for (const struct server_restarted *r = __start_motet_restarts; r != __stop_motet_restarts; r++)
        if (r->server == &motet_server_entropyd)
            return r->handle(fake_domain_state(domain), conn, what);
    fail();
    return false;
}

static void peers_that_begin_anew_are_gone_on_with(void **state)
{
    struct msg m;
    (void)state;
    for (uint16_t i = 0; i < BUFFERS; i++) {
        assert_true(question(i, 8, i));
        expect_returned(i);
    }
    assert_true(bytes(expect_asked(8), OK, 8, 5));
    expect_sent(8, 0, 5);
    assert_true(restarted(source, RESTARTED_FORGET)); /* all but the one that is being sent */
    fake_conn_clear(source);
    for (uint16_t i = 0; i < BUFFERS; i++) {
        assert_true(question(i, 8, i));
        expect_returned(i);
    }
    assert_int_equal(fake_conn_waiting(source), BUFFERS - 1);
    assert_true(restarted(net, RESTARTED_FORGET));
    assert_true(restarted(net, RESTARTED_RESUME));
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_BIND);
    assert_true(question(0, 8, 1));
    assert_int_equal(fake_conn_waiting(source), BUFFERS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_question_gets_its_answer),          TEST(other_lengths_are_dropped),
        TEST(what_there_is_no_buffer_for_is_dropped), TEST(without_bytes_there_is_no_answer),
        TEST(a_stack_without_room_is_waited_for),     TEST(what_peers_invent_is_counted),
        TEST(peers_that_begin_anew_are_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
