/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_con: bytes between a client and a device that are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#include "ipc/proto/console.h"
#include "tests/unit/fake_domain.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_con;

enum { QUEUES = 1, QUEUE_BYTES = 16384, STREAM_BYTES = 64 * 1024, PIECE = 256, ENTRIES = 16 };
enum { RX = 0, TX = 1 };

struct rig {
    struct domain *domain;
    struct conn *conn;
    struct fake_virtio *fake;
    uint32_t read, written; /* bytes of the streams so far */
    uint8_t in[STREAM_BYTES], out[STREAM_BYTES];
};

static struct rig *rig_make(bool mmio)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(&motet_server_virtio_con);
    rig->conn = fake_domain_connect(rig->domain, "console", 0);
    fake_domain_add_pool(rig->domain, "queues", QUEUES, 1, QUEUE_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    struct device *device = fake_domain_add_device(rig->domain);
    rig->fake = mmio ? fake_virtio_create_mmio(device) : fake_virtio_create(device);
    if (mmio) {
        device->id = VIRTIO_ID_CONSOLE;
        rig->fake->type = VIRTIO_ID_CONSOLE;
    } else {
        device->id = 0x1043;
    }
    device->vectors = mmio ? 1 : 2;
    fake_virtio_grant(rig->fake, fake_pool_memory(rig->domain, QUEUES), QUEUE_BYTES);
    return rig;
}

static int set_up(void **state)
{
    *state = rig_make(false);
    return 0;
}

static int set_up_mmio(void **state)
{
    *state = rig_make(true);
    return 0;
}

static int set_up_packed(void **state)
{
    struct rig *rig = rig_make(false);
    rig->fake->offered |= 1ull << VIRTIO_F_RING_PACKED;
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    fake_virtio_destroy(rig->fake);
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

static uint64_t counter(struct rig *rig, const char *name)
{
    return fake_domain_counter(rig->domain, name);
}

/* A round of the loop. Returns whether the device had interrupted. */
static bool rig_round(struct rig *rig)
{
    uint32_t bits = fake_virtio_interrupts(rig->fake);
    if (bits)
        fake_domain_signal(rig->domain, 0, bits);
    fake_domain_batch_end(rig->domain);
    return bits;
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    rig_round(rig);
}

/* The device received some bytes, in one piece. False: it has no buffer. */
static bool device_receives(struct rig *rig, const uint8_t *bytes, uint32_t count, uint32_t said)
{
    struct fake_chain chain;
    if (!fake_virtio_pop(rig->fake, RX, &chain))
        return false;
    assert_true(count <= chain.desc[0].len);
    memcpy((void *)(uintptr_t)chain.desc[0].addr, bytes, count);
    fake_virtio_push(rig->fake, RX, chain.head, said);
    fake_virtio_flush(rig->fake, RX);
    return true;
}

/* The device sends one piece; its bytes, 0: there is none. */
static uint32_t device_sends(struct rig *rig)
{
    struct fake_chain chain;
    if (!fake_virtio_pop(rig->fake, TX, &chain))
        return 0;
    uint32_t count = chain.desc[0].len;
    assert_true(count && count <= PIECE && rig->written + count <= STREAM_BYTES);
    memcpy(rig->out + rig->written, (void *)(uintptr_t)chain.desc[0].addr, count);
    rig->written += count;
    fake_virtio_push(rig->fake, TX, chain.head, 0);
    fake_virtio_flush(rig->fake, TX);
    return count;
}

static void client_takes(struct rig *rig)
{
    struct msg m;
    while (fake_conn_pop(rig->conn, &m)) {
        struct console_data data;
        assert_int_equal(m.op, CONSOLE_DATA);
        msg_get(&m, &data, sizeof(data));
        assert_in_range(data.length, 1, CONSOLE_DATA_MAX);
        assert_true(rig->read + data.length <= STREAM_BYTES);
        memcpy(rig->in + rig->read, data.bytes, data.length);
        rig->read += data.length;
    }
}

static bool client_gives(struct rig *rig, const uint8_t *bytes, uint32_t count)
{
    struct console_data data = {.length = (uint16_t)count};
    struct msg m;
    if (count <= CONSOLE_DATA_MAX)
        memcpy(data.bytes, bytes, count);
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    return fake_domain_deliver(rig->domain, rig->conn, &m);
}

static uint8_t state_told(struct rig *rig)
{
    struct console_state state;
    struct msg m;
    assert_true(fake_conn_pop(rig->conn, &m));
    assert_int_equal(m.op, CONSOLE_STATE);
    msg_get(&m, &state, sizeof(state));
    return state.up;
}

static void open_is_answered(void **state)
{
    struct rig *rig = *state;
    struct msg m = {.op = CONSOLE_OPEN};
    start(rig);
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    rig_round(rig);
    assert_int_equal(state_told(rig), 1);
    assert_true(fake_domain_logged(rig->domain, "ready: device "));
    assert_int_equal(fake_virtio_available(rig->fake, RX), ENTRIES);
}

/* Streams in both directions, in pieces of all sizes, with room that comes and goes: every byte
 * arrives, in order, and nobody needs to be woken without an interrupt or a doorbell. */
static void streams_arrive_whole(void **state)
{
    struct rig *rig = *state;
    static uint8_t up[STREAM_BYTES], down[STREAM_BYTES];
    uint32_t sent = 0, given = 0;
    srand(4);
    for (uint32_t i = 0; i < STREAM_BYTES; i++) {
        up[i] = (uint8_t)rand();
        down[i] = (uint8_t)rand();
    }
    start(rig);
    for (uint32_t round = 0;
         round < 200000 && (rig->read < STREAM_BYTES || rig->written < STREAM_BYTES); round++) {
        fake_conn_set_capacity(rig->conn, 1 + (uint32_t)rand() % 8);
        uint32_t count = 1 + (uint32_t)rand() % PIECE;
        if (count > STREAM_BYTES - sent)
            count = STREAM_BYTES - sent;
        if (count && rand() % 3 && device_receives(rig, up + sent, count, count))
            sent += count;
        for (uint32_t i = (uint32_t)rand() % 8; i; i--) {
            count = 1 + (uint32_t)rand() % CONSOLE_DATA_MAX;
            if (count > STREAM_BYTES - given)
                count = STREAM_BYTES - given;
            if (count && client_gives(rig, down + given, count))
                given += count;
        }
        if (rand() % 4)
            rig_round(rig);
        if (rand() % 2)
            client_takes(rig);
        for (uint32_t i = (uint32_t)rand() % 4; i; i--)
            device_sends(rig);
    }
    assert_int_equal(rig->read, STREAM_BYTES);
    assert_int_equal(rig->written, STREAM_BYTES);
    assert_memory_equal(rig->in, up, STREAM_BYTES);
    assert_memory_equal(rig->out, down, STREAM_BYTES);
    assert_int_equal(counter(rig, "rx_bytes"), STREAM_BYTES);
    assert_int_equal(counter(rig, "tx_bytes"), STREAM_BYTES);
}

static void a_full_device_holds_back_and_interrupts(void **state)
{
    struct rig *rig = *state;
    static const uint8_t bytes[CONSOLE_DATA_MAX];
    uint32_t given = 0;
    start(rig);
    fake_virtio_interrupts(rig->fake);
    while (client_gives(rig, bytes, sizeof(bytes)))
        given += sizeof(bytes);
    assert_true(given > (ENTRIES - 1) * (PIECE - CONSOLE_DATA_MAX));
    assert_true(given <= ENTRIES * PIECE);
    assert_int_equal(counter(rig, "tx_held"), 1);
    rig_round(rig);
    assert_true(device_sends(rig)); /* the device was shown it all: nothing waits for a batch */
    assert_true(rig_round(rig));
    assert_true(client_gives(rig, bytes, sizeof(bytes)));
}

static void an_idle_driver_is_woken_by_one_byte(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint8_t i = 0; i < 100; i++) {
        fake_virtio_interrupts(rig->fake);
        assert_true(device_receives(rig, &i, 1, 1));
        assert_true(rig_round(rig));
        client_takes(rig);
        assert_int_equal(rig->read, i + 1u);
        assert_int_equal(rig->in[i], i);
    }
}

static void expect_broken(struct rig *rig, const char *why)
{
    static const uint8_t bytes[4];
    rig_round(rig);
    client_takes(rig);
    assert_true(fake_domain_logged(rig->domain, why));
    assert_int_equal(rig->fake->status, 0);
    assert_int_equal(counter(rig, "devices_broken"), 1);
    assert_true(client_gives(rig, bytes, sizeof(bytes)));
    assert_int_equal(counter(rig, "tx_down"), sizeof(bytes));
}

static void a_length_beyond_the_buffer(void **state)
{
    struct rig *rig = *state;
    static const uint8_t bytes[1];
    struct msg m;
    start(rig);
    assert_true(device_receives(rig, bytes, 1, PIECE + 1));
    rig_round(rig);
    assert_true(fake_conn_pop(rig->conn, &m));
    assert_int_equal(m.op, CONSOLE_STATE);
    expect_broken(rig, "more than a buffer holds");
}

static void a_buffer_that_it_hadnt_got(void **state)
{
    struct rig *rig = *state;
    start(rig);
    rig->fake->lies = true;
    fake_virtio_push(rig->fake, RX, ENTRIES, 1);
    fake_virtio_flush(rig->fake, RX);
    rig_round(rig);
    assert_int_equal(state_told(rig), 0);
    expect_broken(rig, "a buffer that it hadn't got");
}

static void empty_buffers_end(void **state)
{
    struct rig *rig = *state;
    uint8_t byte = 9;
    start(rig);
    for (uint32_t i = 0; i < ENTRIES; i++)
        assert_true(device_receives(rig, &byte, 0, 0));
    rig_round(rig);
    client_takes(rig);
    assert_int_equal(rig->read, 0);
    assert_true(device_receives(rig, &byte, 1, 1));
    rig_round(rig);
    client_takes(rig);
    assert_int_equal(rig->read, 1);
}

static void a_wish_for_a_reset(void **state)
{
    struct rig *rig = *state;
    start(rig);
    fake_virtio_ask_reset(rig->fake);
    rig_round(rig);
    assert_int_equal(state_told(rig), 0);
    expect_broken(rig, "it asks for a reset");
}

static void refusals(void **state)
{
    struct rig *rig = *state;
    struct msg m = {.op = CONSOLE_OPEN};
    rig->fake->refuses_features = true;
    start(rig);
    assert_true(fake_domain_logged(rig->domain, "not used: it refuses our features"));
    assert_int_equal(counter(rig, "devices_refused"), 1);
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    rig_round(rig);
    assert_int_equal(state_told(rig), 0);
}

static void a_network_card_is_no_console(void **state)
{
    struct rig *rig = *state;
    rig->fake->device->id = 0x1041;
    start(rig);
    assert_true(fake_domain_logged(rig->domain, "it isn't a virtio device of this driver's type"));
}

static void a_transitional_console_is_one(void **state)
{
    struct rig *rig = *state;
    rig->fake->device->id = 0x1003;
    start(rig);
    assert_int_equal(counter(rig, "devices_refused"), 0);
}

static void a_second_start_resets_first(void **state)
{
    struct rig *rig = *state;
    uint8_t byte = 1;
    start(rig);
    assert_true(device_receives(rig, &byte, 1, 1));
    memset(fake_domain_state(rig->domain), 0, motet_server_virtio_con.state_size);
    rig->fake->trace_length = 0;
    rig->fake->trace[0] = 0;
    start(rig);
    assert_ptr_equal(strstr(rig->fake->trace, "status 0\n"), rig->fake->trace);
    assert_true(device_receives(rig, &byte, 1, 1));
    rig_round(rig);
    client_takes(rig);
    assert_int_equal(rig->read, 1);
}

static void senseless_messages_are_counted(void **state)
{
    struct rig *rig = *state;
    struct msg m = {.op = 77};
    start(rig);
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    assert_true(client_gives(rig, NULL, CONSOLE_DATA_MAX + 1));
    assert_true(client_gives(rig, (const uint8_t *)"", 0));
    assert_int_equal(counter(rig, "bad_message"), 3);
}

#define TEST(name)        cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_MMIO(name)   cmocka_unit_test_setup_teardown(name, set_up_mmio, tear_down)
#define TEST_PACKED(name) cmocka_unit_test_setup_teardown(name, set_up_packed, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_is_answered),
        TEST(streams_arrive_whole),
        TEST_MMIO(streams_arrive_whole),
        TEST_PACKED(streams_arrive_whole),
        TEST(a_full_device_holds_back_and_interrupts),
        TEST_PACKED(a_full_device_holds_back_and_interrupts),
        TEST(an_idle_driver_is_woken_by_one_byte),
        TEST_MMIO(an_idle_driver_is_woken_by_one_byte),
        TEST_PACKED(an_idle_driver_is_woken_by_one_byte),
        TEST(a_length_beyond_the_buffer),
        TEST_PACKED(a_length_beyond_the_buffer),
        TEST(a_buffer_that_it_hadnt_got),
        TEST_PACKED(a_buffer_that_it_hadnt_got),
        TEST(empty_buffers_end),
        TEST_PACKED(empty_buffers_end),
        TEST(a_wish_for_a_reset),
        TEST(refusals),
        TEST(a_network_card_is_no_console),
        TEST(a_transitional_console_is_one),
        TEST(a_second_start_resets_first),
        TEST_PACKED(a_second_start_resets_first),
        TEST(senseless_messages_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
