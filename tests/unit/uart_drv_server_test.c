/* SPDX-License-Identifier: ISC
 *
 * servers/uart_drv/, with a model of a 16550 (fake_uart.h): it keeps the protocol of its class
 * (conform_console.h), and what is the device's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/console.h"
#include "tests/unit/conform_console.h"
#include "tests/unit/fake_uart.h"

extern const struct server motet_server_uart_drv;

static void *attach(struct domain *domain, bool device)
{
    if (!device)
        return NULL;
    struct fake_uart *uart = calloc(1, sizeof(*uart));
    assert_non_null(uart);
    fake_uart_attach(uart, fake_domain_add_device(domain));
    return uart;
}

/* The other end keeps to RTS, but for what the FIFO has room for. */
static uint32_t receive(void *fake, const uint8_t *bytes, uint32_t count)
{
    struct fake_uart *uart = fake;
    const uint32_t room = FAKE_UART_FIFO - uart->rx.count;
    if (count > room)
        count = room;
    for (uint32_t i = 0; i < count; i++)
        fake_uart_come(uart, bytes[i], 0);
    return count;
}

static uint32_t transmit(void *fake, uint8_t *bytes, uint32_t most)
{
    return fake_uart_go(fake, bytes, most);
}

static uint32_t interrupts(void *fake)
{
    struct fake_uart *uart = fake;
    const uint32_t edges = uart->edges;
    uart->edges = 0;
    return edges != 0;
}

enum { ABSENT, NO_FIFO, DEAF, MAD, UNUSABLE };

static void unusable(void *fake, uint32_t n)
{
    struct fake_uart *uart = fake;
    uart->absent = n == ABSENT;
    uart->no_fifo = n == NO_FIFO;
    uart->deaf = n == DEAF;
    uart->mad = n == MAD;
}

/* It is pulled out. */
static void misbehave(void *fake, uint32_t n)
{
    ((struct fake_uart *)fake)->absent = true;
    (void)n; /* there is one way */
}

/* The device's own */

static struct domain *domain;
static struct conn *client;
static struct fake_uart uart;

static int set_up(void **state)
{
    (void)state;
    domain = fake_domain_create(&motet_server_uart_drv);
    client = fake_domain_connect(domain, "console", 0);
    fake_uart_attach(&uart, fake_domain_add_device(domain));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_domain_destroy(domain);
    return 0;
}

static void start(void)
{
    assert_int_equal(fake_domain_start(domain), OK);
    fake_domain_batch_end(domain);
}

static bool wake(void)
{
    if (!interrupts(&uart))
        return false;
    fake_domain_signal(domain, 0, 1);
    fake_domain_batch_end(domain);
    return true;
}

static uint32_t heard(uint8_t *bytes)
{
    struct console_data data;
    struct msg m;
    uint32_t count = 0;
    while (fake_conn_pop(client, &m)) {
        assert_int_equal(m.op, CONSOLE_DATA);
        msg_get(&m, &data, sizeof(data));
        memcpy(bytes + count, data.bytes, data.length);
        count += data.length;
    }
    return count;
}

static bool say(uint32_t count)
{
    struct console_data data = {.length = (uint16_t)count};
    struct msg m;
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    return fake_domain_deliver(domain, client, &m);
}

static void test_start_sets_the_line_and_forgets_what_was(void **state)
{
    uint8_t bytes[64];
    (void)state;
    start();
    assert_true(fake_domain_logged(domain, "ready: device isa 0x2f8 (41d0:0501), pin"));
    assert_int_equal(uart.line, 0x03);
    assert_int_equal(uart.divisor[0] | uart.divisor[1] << 8, 1);
    assert_true(uart.fifo_on);
    assert_int_equal(uart.modem, 0x0b);
    assert_int_equal(uart.enabled, 0x05);
    assert_int_equal(uart.rx.count, 0);
    assert_int_equal(heard(bytes), 0);
    assert_false(uart.high);
}

/* No room towards the client: bytes stay in the device, the other end is told, and the line is low,
 * so that what else happens makes an edge. */
static void test_a_slow_client_holds_the_device_back(void **state)
{
    uint8_t bytes[4096];
    uint32_t came = 0, got = 0, rounds = 0;
    (void)state;
    start();
    fake_conn_set_capacity(client, 2);
    do {
        came += receive(&uart, (const uint8_t *)"0123456789abcdef", 16);
        assert_true(rounds++ < 100);
    } while (wake());
    assert_int_equal(uart.rx.count, FAKE_UART_FIFO);
    assert_int_equal(uart.modem, 0x09);
    assert_false(uart.high);
    assert_true(say(3)); /* sending goes on */
    fake_domain_batch_end(domain);
    assert_int_equal(uart.tx.count, 3);
    while ((got += heard(bytes + got)) < came) {
        assert_true(got < sizeof(bytes) - 256);
        fake_domain_batch_end(domain); /* the doorbell for room */
    }
    fake_domain_batch_end(domain);
    assert_int_equal(got, came);
    for (uint32_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], "0123456789abcdef"[i % 16]);
    assert_int_equal(uart.modem, 0x0b);
    assert_int_equal(uart.lost, 0);
    assert_int_equal(receive(&uart, (const uint8_t *)"!", 1), 1);
    assert_true(wake());
    assert_int_equal(heard(bytes), 1);
    assert_int_equal(bytes[0], '!');
}

static void test_damaged_bytes_are_dropped_and_counted(void **state)
{
    static const uint8_t errors[] = {0, 0x04, 0x08, 0x10, 0, 0x0c};
    uint8_t bytes[64];
    (void)state;
    start();
    for (uint8_t i = 0; i < 6; i++)
        fake_uart_come(&uart, (uint8_t)('a' + i), errors[i]);
    assert_true(wake());
    assert_int_equal(heard(bytes), 2);
    assert_memory_equal(bytes, "ae", 2);
    assert_int_equal(fake_domain_counter(domain, "rx_damaged"), 4);
    assert_int_equal(fake_domain_counter(domain, "rx_bytes"), 2);
}

static void test_bytes_that_it_lost_are_counted(void **state)
{
    uint8_t bytes[64];
    (void)state;
    start();
    for (uint8_t i = 0; i < 20; i++)
        fake_uart_come(&uart, i, 0);
    assert_true(wake());
    assert_int_equal(heard(bytes), 16);
    assert_int_equal(fake_domain_counter(domain, "rx_overruns"), 1);
}

/* Nothing runs but what an interrupt or a message that was taken brings: no edge is missed. */
static void test_all_is_sent(void **state)
{
    enum { ALL = 5000, MESSAGE = 40 };
    uint8_t bytes[64];
    uint32_t given = 0, sent = 0;
    (void)state;
    start();
    while (sent < ALL) {
        uint32_t before = given;
        while (given < ALL && say(MESSAGE))
            given += MESSAGE;
        if (given > before)
            fake_domain_batch_end(domain);
        uint32_t now = fake_uart_go(&uart, bytes, sizeof(bytes));
        assert_true(now || given > before);
        sent += now;
        while (wake())
            ;
    }
    assert_int_equal(given, ALL);
    assert_int_equal(uart.enabled, 0x05);
}

/* More damaged bytes than are looked at in one go: the rest make an edge again. */
static void test_noise_ends(void **state)
{
    uint8_t bytes[64];
    uint32_t rounds = 0;
    (void)state;
    start();
    uart.noise = 200;
    fake_uart_come(&uart, 0, 0x08);
    while (wake())
        rounds++;
    assert_int_equal(fake_domain_counter(domain, "rx_damaged"), 201);
    assert_in_range(rounds, 3, 20);
    fake_uart_come(&uart, 'a', 0);
    assert_true(wake());
    assert_int_equal(heard(bytes), 1);
}

/* Whoever drove it before may have been stopped while the divisor was in the interrupts' place. */
static void test_refused_it_is_silent(void **state)
{
    (void)state;
    uart.line = 0x83;
    uart.no_fifo = true;
    start();
    assert_true(fake_domain_logged(domain, "not used: it is older than a 16550A"));
    assert_int_equal(uart.enabled, 0);
    assert_int_equal(uart.modem, 0);
}

static void test_pulled_out_it_is_given_up(void **state)
{
    (void)state;
    start();
    uart.absent = true;
    fake_uart_come(&uart, 'a', 0);
    fake_domain_batch_end(domain);
    assert_true(fake_domain_logged(domain, "broken: it is gone"));
    assert_true(fake_domain_logged(domain, "it can't be silenced"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct conform_console conform = {
        .server = &motet_server_uart_drv,
        .attach = attach,
        .detach = free,
        .receive = receive,
        .transmit = transmit,
        .interrupts = interrupts,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = UNUSABLE,
        .misbehaviours = 1,
    };
    const struct CMUnitTest tests[] = {
        TEST(test_start_sets_the_line_and_forgets_what_was),
        TEST(test_a_slow_client_holds_the_device_back),
        TEST(test_damaged_bytes_are_dropped_and_counted),
        TEST(test_bytes_that_it_lost_are_counted),
        TEST(test_all_is_sent),
        TEST(test_noise_ends),
        TEST(test_refused_it_is_silent),
        TEST(test_pulled_out_it_is_given_up),
    };
    return conform_console(&conform) + cmocka_run_group_tests(tests, NULL, NULL);
}
