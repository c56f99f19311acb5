/* SPDX-License-Identifier: ISC
 *
 * servers/dnsd/dnsd.c: what happens to datagrams and buffers. The zone database is an empty one:
 * every query is refused, which is an answer too. Answering itself: dns_*_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/sock.h"
#include "servers/dnsd/wire.h"
#include "servers/dnsd/zone_checksum.h"
#include "servers/dnsd/zone_format.h"
#include "tests/unit/fake_domain.h"

extern const struct server motet_server_dnsd;

enum {
    RECV = 1,
    SEND = 2,
    RECV_BUFFERS = 64,
    SEND_BUFFERS = 4,
    BUFFER_BYTES = 4096,
    TOO_LONG = 2049,
    DATABASE_BYTES = ZONE_HEADER_SIZE + 8 + ZONE_PADDING,
};

struct rig {
    struct domain *domain;
    struct conn *net;
};

static const uint8_t query[] = {0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};

/* One bucket without nodes, no zones. */
static void database_make(uint8_t database[DATABASE_BYTES])
{
    memset(database, 0, DATABASE_BYTES);
    memcpy(database, ZONE_MAGIC, sizeof(ZONE_MAGIC) - 1);
    store_le32(database + ZONE_AT_VERSION, ZONE_VERSION);
    store_le32(database + ZONE_AT_TOTAL_SIZE, DATABASE_BYTES);
    store_le32(database + ZONE_AT_BUCKET_TABLE, ZONE_HEADER_SIZE);
    store_le32(database + ZONE_AT_BUCKET_COUNT, 1);
    store_le32(database + ZONE_AT_ZONE_TABLE, ZONE_HEADER_SIZE);
    store_le32(database + ZONE_HEADER_SIZE, ZONE_HEADER_SIZE + 8);
    store_le32(database + ZONE_HEADER_SIZE + 4, ZONE_HEADER_SIZE + 8);
    uint64_t checksum = zone_checksum(database, DATABASE_BYTES);
    memcpy(database + ZONE_AT_CHECKSUM, &checksum, sizeof(checksum));
}

static struct rig rig_make(uint32_t recv_buffers)
{
    uint8_t database[DATABASE_BYTES];
    struct rig rig = {.domain = fake_domain_create(&motet_server_dnsd)};
    database_make(database);
    rig.net = fake_domain_connect(rig.domain, "net", 0);
    fake_domain_add_pool(rig.domain, "recv", RECV, recv_buffers, BUFFER_BYTES, POOL_READ);
    fake_domain_add_pool(rig.domain, "send", SEND, SEND_BUFFERS, BUFFER_BYTES,
                         POOL_READ | POOL_WRITE);
    fake_domain_add_file(rig.domain, "zones", database, sizeof(database));
    return rig;
}

static int set_up(void **state)
{
    static struct rig rig;
    rig = rig_make(RECV_BUFFERS);
    assert_int_equal(fake_domain_start(rig.domain), OK);
    fake_conn_clear(rig.net);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    fake_domain_destroy(((struct rig *)*state)->domain);
    return 0;
}

static void deliver(struct rig *rig, uint16_t buffer, uint16_t length)
{
    struct sock_datagram datagram = {
        .local_port = 53,
        .peer_port = 4000,
        .interface = 3,
        .data = {.pool = RECV, .index = buffer, .length = length},
    };
    struct msg m;
    memset(datagram.local, 7, sizeof(datagram.local));
    memset(datagram.peer, 9, sizeof(datagram.peer));
    if (buffer < RECV_BUFFERS)
        memcpy(fake_pool_memory(rig->domain, RECV) + (size_t)buffer * BUFFER_BYTES, query,
               sizeof(query));
    msg_set(&m, SOCK_RECV, &datagram, sizeof(datagram));
    assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
}

/* Takes all that was sent: answers, and buffers given back (each one once). */
static void collect(struct rig *rig, uint32_t *answers, bool back[RECV_BUFFERS])
{
    struct msg m;
    while (fake_conn_pop(rig->net, &m)) {
        struct sock_done done;
        if (m.op == SOCK_SEND) {
            ++*answers;
            continue;
        }
        assert_int_equal(m.op, SOCK_RECV_DONE);
        msg_get(&m, &done, sizeof(done));
        assert_int_equal(done.pool, RECV);
        assert_in_range(done.count, 1, SOCK_DONE_MAX);
        for (unsigned i = 0; i < done.count; i++) {
            assert_true(done.index[i] < RECV_BUFFERS && !back[done.index[i]]);
            back[done.index[i]] = true;
        }
    }
}

static void an_answer_leaves_from_where_it_was_asked(void **state)
{
    struct rig *rig = *state;
    struct sock_datagram answer;
    struct msg m;
    deliver(rig, 5, sizeof(query));
    assert_true(fake_conn_pop(rig->net, &m));
    assert_int_equal(m.op, SOCK_SEND);
    msg_get(&m, &answer, sizeof(answer));
    assert_int_equal(answer.data.pool, SEND);
    assert_int_equal(answer.data.length, sizeof(query));
    assert_int_equal(answer.interface, 3);
    assert_int_equal(answer.peer_port, 4000);
    assert_int_equal(answer.local[0], 7);
    assert_int_equal(answer.peer[0], 9);
}

static void a_query_waits_for_a_send_buffer(void **state)
{
    struct rig *rig = *state;
    bool back[RECV_BUFFERS] = {false};
    uint32_t answers = 0;
    for (uint16_t i = 0; i < SEND_BUFFERS + 2; i++)
        deliver(rig, i, sizeof(query));
    fake_domain_batch_end(rig->domain);
    collect(rig, &answers, back);
    assert_int_equal(answers, SEND_BUFFERS);
    assert_false(back[SEND_BUFFERS]);
    assert_int_equal(fake_domain_counter(rig->domain, "deferred"), 2);

    struct sock_done done = {.pool = SEND, .count = 2, .index = {0, 1}};
    struct msg m;
    msg_set(&m, SOCK_SEND_DONE, &done, sizeof(done));
    assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
    fake_domain_batch_end(rig->domain);
    collect(rig, &answers, back);
    assert_int_equal(answers, SEND_BUFFERS + 2);
    assert_true(back[SEND_BUFFERS] && back[SEND_BUFFERS + 1]);
}

static void too_long_queries_come_back_even_when_the_connection_is_full(void **state)
{
    struct rig *rig = *state;
    bool back[RECV_BUFFERS] = {false};
    uint32_t answers = 0;
    fake_conn_set_capacity(rig->net, 0);
    for (uint16_t i = 0; i < 50; i++)
        deliver(rig, i, TOO_LONG);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
    fake_conn_set_capacity(rig->net, 16);
    fake_domain_batch_end(rig->domain);
    collect(rig, &answers, back);
    assert_int_equal(answers, 0);
    for (uint16_t i = 0; i < 50; i++)
        assert_true(back[i]);
    assert_int_equal(fake_domain_counter(rig->domain, "query_too_long"), 50);
}

static void a_reference_outside_of_the_pool_is_dropped(void **state)
{
    struct rig *rig = *state;
    deliver(rig, RECV_BUFFERS, sizeof(query));
    deliver(rig, 0, BUFFER_BYTES + 1);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 2);
}

static void whether_the_port_is_ours_is_told_once(void **state)
{
    struct rig *rig = *state;
    struct msg m = {.op = SOCK_BIND};
    assert_true(fake_domain_deliver(rig->domain, rig->net, &m)); /* no reply */
    assert_string_equal(fake_domain_log(rig->domain), "");
    m.flags = MSG_REPLY;
    assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
    assert_true(fake_domain_logged(rig->domain, "serving"));
    fake_domain_clear_log(rig->domain);
    for (int32_t i = 0; i < 100; i++) {
        m.status = i;
        assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
    }
    assert_string_equal(fake_domain_log(rig->domain), "");
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 101);
}

static void a_connection_that_is_full_at_the_start_is_waited_for(void **state)
{
    (void)state;
    struct rig rig = rig_make(RECV_BUFFERS);
    struct msg m;
    fake_conn_set_capacity(rig.net, 0);
    assert_int_equal(fake_domain_start(rig.domain), OK);
    fake_domain_batch_end(rig.domain);
    fake_conn_set_capacity(rig.net, 1);
    fake_domain_batch_end(rig.domain);
    assert_true(fake_conn_pop(rig.net, &m));
    assert_int_equal(m.op, SOCK_BIND);
    fake_domain_batch_end(rig.domain);
    assert_false(fake_conn_pop(rig.net, &m));
    fake_domain_destroy(rig.domain);
}

static void settings_that_mean_nothing_are_told(void **state)
{
    static const struct {
        const char *key, *bad, *good;
    } cases[] = {{"dnsd.minimal", "yes", "on"},
                 {"dnsd.cookies", "", "off"},
                 {"dnsd.rrl", "100001", "100000"},
                 {"dnsd.rrl", "1x", "1"},
                 {"dnsd.rrl_slip", "", "0"},
                 {"dnsd.cookie_secret", "12", "000102030405060708090a0b0c0d0e0f"},
                 {"dnsd.cookie_secret", "000102030405060708090a0b0c0d0eG0",
                  "ffffffffffffffffffffffffffffffff"}};
    (void)state;
    for (unsigned index = 0; index < 2 * sizeof(cases) / sizeof(cases[0]); index++) {
        struct rig rig = rig_make(RECV_BUFFERS);
        bool bad = index % 2;
        fake_domain_set(rig.domain, cases[index / 2].key,
                        bad ? cases[index / 2].bad : cases[index / 2].good);
        assert_int_equal(fake_domain_start(rig.domain), OK);
        assert_int_equal(fake_domain_logged(rig.domain, cases[index / 2].key), bad);
        fake_domain_destroy(rig.domain);
    }
}

static void a_rate_limit_that_is_set_limits(void **state)
{
    struct rig rig = rig_make(RECV_BUFFERS);
    (void)state;
    fake_domain_set(rig.domain, "dnsd.rrl", "2");
    fake_domain_set(rig.domain, "dnsd.rrl_slip", "0");
    assert_int_equal(fake_domain_start(rig.domain), OK);
    for (uint16_t buffer = 0; buffer < SEND_BUFFERS; buffer++)
        deliver(&rig, buffer, sizeof(query));
    assert_int_equal(fake_domain_counter(rig.domain, "dropped_rate"), SEND_BUFFERS - 2);
    assert_int_equal(fake_domain_counter(rig.domain, "refused"), 2);
    fake_domain_destroy(rig.domain);
}

static void a_pool_with_more_buffers_than_can_wait_is_refused(void **state)
{
    (void)state;
    struct rig rig = rig_make(257);
    assert_int_equal(fake_domain_start(rig.domain), ERROR_LIMIT);
    assert_true(fake_domain_logged(rig.domain, "pool recv has more than 256 buffers"));
    fake_domain_destroy(rig.domain);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_leaves_from_where_it_was_asked),
        TEST(a_query_waits_for_a_send_buffer),
        TEST(too_long_queries_come_back_even_when_the_connection_is_full),
        TEST(a_reference_outside_of_the_pool_is_dropped),
        TEST(whether_the_port_is_ours_is_told_once),
        cmocka_unit_test(settings_that_mean_nothing_are_told),
        cmocka_unit_test(a_connection_that_is_full_at_the_start_is_waited_for),
        cmocka_unit_test(a_rate_limit_that_is_set_limits),
        cmocka_unit_test(a_pool_with_more_buffers_than_can_wait_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
