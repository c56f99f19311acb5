/* SPDX-License-Identifier: ISC
 *
 * servers/timed/ between a stack and a clock that are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/clock.h"
#include "ipc/proto/sock.h"
#include "libos/restart.h"
#include "servers/timed/sntp.h"
#include "tests/unit/fake_domain.h"

extern const struct server motet_server_timed;
extern const struct server_restarted __start_motet_restarts[], __stop_motet_restarts[];

enum { RECV = 1, SEND = 2, BUFFERS = 4, RECV_BYTES = 2048, SEND_BYTES = 64 };
#define SECOND 1000000000ull
#define TRUTH  1930367167250000000ull /* 2031-03-04 05:06:07.25, when the domain began */

static struct domain *domain;
static struct conn *net, *source;

static int set_up(void **state)
{
    struct sock_bind bind;
    struct msg m;
    (void)state;
    domain = fake_domain_create(&motet_server_timed);
    net = fake_domain_connect(domain, "net", 0);
    source = fake_domain_connect(domain, "source", 0);
    fake_domain_add_pool(domain, "recv", RECV, BUFFERS, RECV_BYTES, POOL_READ);
    fake_domain_add_pool(domain, "send", SEND, BUFFERS, SEND_BYTES, POOL_READ | POOL_WRITE);
    assert_int_equal(fake_domain_start(domain), OK);
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_BIND);
    msg_get(&m, &bind, sizeof(bind));
    assert_int_equal(bind.port, SNTP_PORT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_domain_destroy(domain);
    return 0;
}

static uint64_t counter(const char *name)
{
    return fake_domain_counter(domain, name);
}

static bool asks(void)
{
    struct msg m;
    if (!fake_conn_pop(source, &m))
        return false;
    assert_int_equal(m.op, CLOCK_TIME);
    assert_false(fake_conn_pop(source, &m)); /* one at a time */
    return true;
}

static void says(enum error status, const struct clock_time *time)
{
    struct msg m;
    msg_set(&m, CLOCK_TIME, time, sizeof(*time));
    m.flags = MSG_REPLY;
    m.status = status;
    assert_true(fake_domain_deliver(domain, source, &m));
}

/* A clock that is right and shows seconds. */
static struct clock_time shown(void)
{
    const uint64_t now = domain_time(domain);
    return (struct clock_time){
        .seconds = (TRUTH + now) / SECOND, .monotonic = now, .precision = SECOND};
}

static void series(void)
{
    for (uint32_t looks = 0; asks(); looks++) {
        const struct clock_time time = shown();
        assert_true(looks < 100);
        says(OK, &time);
        fake_domain_advance(domain, 40000000);
    }
}

/* A question's bytes are in buffer 0 of the receive pool, if `request` isn't NULL. */
static bool question(const uint8_t *request, uint16_t length)
{
    struct sock_datagram datagram = {
        .peer_port = 4000, .local_port = SNTP_PORT, .data = {.pool = RECV, .length = length}};
    struct msg m;
    if (request)
        memcpy(fake_pool_memory(domain, RECV), request, SNTP_BYTES);
    msg_set(&m, SOCK_RECV, &datagram, sizeof(datagram));
    return fake_domain_deliver(domain, net, &m);
}

/* The buffer comes back; true: with an answer behind it. */
static bool answered(uint8_t answer[SNTP_BYTES], uint16_t *index)
{
    struct sock_datagram datagram;
    struct msg m;
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_RECV_DONE);
    if (!fake_conn_pop(net, &m))
        return false;
    assert_int_equal(m.op, SOCK_SEND);
    msg_get(&m, &datagram, sizeof(datagram));
    assert_int_equal(datagram.peer_port, 4000);
    assert_int_equal(datagram.data.pool, SEND);
    assert_int_equal(datagram.data.length, SNTP_BYTES);
    *index = datagram.data.index;
    memcpy(answer, fake_pool_memory(domain, SEND) + *index * SEND_BYTES, SNTP_BYTES);
    return true;
}

static void sent(uint16_t index)
{
    struct sock_done done = {.pool = SEND, .count = 1, .index = {index}};
    struct msg m;
    msg_set(&m, SOCK_SEND_DONE, &done, sizeof(done));
    assert_true(fake_domain_deliver(domain, net, &m));
}

static uint64_t load(const uint8_t *from, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

static const uint8_t request[SNTP_BYTES] = {
    [0] = 4 << 3 | 3, [2] = 6, [40] = 0xde, [41] = 0xad, [47] = 0xef};

/* Nanoseconds that the answer is after the truth; it says how far it may be. */
static int64_t error_of(const uint8_t answer[SNTP_BYTES])
{
    const uint64_t seconds = load(answer + 40, 4) - 2208988800u, part = load(answer + 44, 4);
    const uint64_t told = seconds * SECOND + (part * SECOND >> 32);
    const int64_t error = (int64_t)(told - TRUTH - domain_time(domain));
    const uint64_t said = load(answer + 8, 4) * SECOND / 65536;
    assert_true((uint64_t)(error < 0 ? -error : error) <= said + 2);
    return error;
}

static void test_a_series_of_looks_is_better_than_one(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    (void)state;
    assert_true(asks());
    const struct clock_time first = shown();
    says(OK, &first);
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    error_of(answer);
    assert_true(load(answer + 8, 4) >= 65536 / 2); /* to half a second */
    sent(index);
    fake_domain_advance(domain, 40000000);
    series();
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    assert_in_range(error_of(answer) + 20000000, 0, 40000000);
    assert_true(load(answer + 8, 4) < 65536 / 40);
    assert_true(fake_domain_logged(domain, "the clock is known to 40 ms"));
    assert_int_equal(counter("answered"), 2);
}

static void test_the_answers_fields(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    (void)state;
    series();
    assert_true(question(request, 68)); /* what is behind isn't looked at */
    assert_true(answered(answer, &index));
    assert_int_equal(answer[0], 4 << 3 | 4);
    assert_int_equal(answer[1], 1);
    assert_int_equal(answer[2], 6);
    assert_memory_equal(answer + 12, "LOCL", 4);
    assert_memory_equal(answer + 24, request + 40, 8);
    assert_memory_equal(answer + 32, answer + 40, 8);
}

static void test_without_a_time_it_says_so(void **state)
{
    static const struct clock_time nothing;
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    (void)state;
    assert_true(asks());
    says(ERROR_BAD_STATE, &nothing);
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    assert_int_equal(answer[0], 0xc0 | 4 << 3 | 4);
    assert_int_equal(answer[1], 0);
    assert_memory_equal(answer + 12, "INIT", 4);
    assert_int_equal(load(answer + 40, 8), 0);
    assert_int_equal(counter("clock_down"), 1);
    assert_int_equal(counter("answered_unknown"), 1);
    assert_false(asks());
    fake_domain_advance(domain, 600 * SECOND); /* it may have become better */
    series();
    sent(index);
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    assert_int_equal(answer[1], 1);
}

/* What a driver that lies says changes nothing. */
static void test_a_clock_that_makes_no_sense(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    (void)state;
    series();
    for (uint32_t i = 0; i < 7; i++) {
        fake_domain_advance(domain, 600 * SECOND);
        assert_true(asks());
        struct clock_time time = shown();
        switch (i) {
        case 0:
            time.seconds = UINT64_MAX;
            break;
        case 1:
            time.nanoseconds = 1000000000;
            break;
        case 2:
            time.monotonic++;
            break;
        case 3:
            time.precision = 0;
            break;
        case 4:
            time.precision = UINT64_MAX;
            break;
        case 5:
            time.seconds = 0;
            break;
        default:
            break;
        }
        struct msg m;
        msg_set(&m, i == 6 ? CLOCK_TIME + 1 : CLOCK_TIME, &time, sizeof(time));
        m.flags = MSG_REPLY;
        assert_true(fake_domain_deliver(domain, source, &m));
        assert_int_equal(counter("bad_message"), i + 1);
    }
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    error_of(answer);
}

/* The host has set the clock: the later series counts. */
static void test_a_clock_that_was_set(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    (void)state;
    series();
    fake_domain_advance(domain, 600 * SECOND);
    for (uint32_t looks = 0; asks(); looks++) {
        struct clock_time time = shown();
        time.seconds += 3600;
        says(OK, &time);
        fake_domain_advance(domain, 40000000);
    }
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    const uint64_t told = load(answer + 40, 4) - 2208988800u;
    assert_in_range(told - (TRUTH + domain_time(domain)) / SECOND, 3599, 3601);
}

static void test_what_is_no_request(void **state)
{
    uint8_t answer[SNTP_BYTES], wrong[SNTP_BYTES];
    uint16_t index;
    uint32_t refused = 0;
    (void)state;
    series();
    for (uint32_t flags = 0; flags < 256; flags++) {
        memcpy(wrong, request, SNTP_BYTES);
        wrong[0] = (uint8_t)flags;
        const uint32_t version = flags >> 3 & 7;
        assert_true(question(wrong, SNTP_BYTES));
        const bool answers = answered(answer, &index);
        assert_int_equal(answers, (flags & 7) == 3 && version >= 1 && version <= 4);
        if (answers)
            sent(index);
        refused += !answers;
    }
    assert_true(question(request, SNTP_BYTES - 1));
    assert_false(answered(answer, &index));
    assert_int_equal(counter("no_request"), refused + 1);
}

static void test_without_a_buffer_it_drops(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index = 0;
    (void)state;
    series();
    for (uint32_t i = 0; i < BUFFERS; i++) {
        assert_true(question(request, SNTP_BYTES));
        assert_true(answered(answer, &index));
        assert_int_equal(index, i);
    }
    assert_true(question(request, SNTP_BYTES));
    assert_false(answered(answer, &index));
    assert_int_equal(counter("busy"), 1);
    sent(2);
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    assert_int_equal(index, 2);
    sent(77);
    assert_int_equal(counter("bad_message"), 1);
}

static void restarted(struct conn *conn, enum restarted what)
{
    for (const struct server_restarted *r = __start_motet_restarts; r != __stop_motet_restarts; r++)
        if (r->server == &motet_server_timed)
            assert_true(r->handle(fake_domain_state(domain), conn, what));
}

static void test_peers_that_begin_anew(void **state)
{
    uint8_t answer[SNTP_BYTES];
    uint16_t index;
    struct msg m;
    (void)state;
    assert_true(asks()); /* and the driver stops before it answers */
    restarted(source, RESTARTED_FORGET);
    restarted(source, RESTARTED_RESUME);
    series();
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    restarted(net, RESTARTED_FORGET);
    restarted(net, RESTARTED_RESUME);
    assert_true(fake_conn_pop(net, &m));
    assert_int_equal(m.op, SOCK_BIND);
    assert_true(question(request, SNTP_BYTES));
    assert_true(answered(answer, &index));
    assert_int_equal(index, 0); /* all buffers are free again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_series_of_looks_is_better_than_one),
        TEST(test_the_answers_fields),
        TEST(test_without_a_time_it_says_so),
        TEST(test_a_clock_that_makes_no_sense),
        TEST(test_a_clock_that_was_set),
        TEST(test_what_is_no_request),
        TEST(test_without_a_buffer_it_drops),
        TEST(test_peers_that_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
