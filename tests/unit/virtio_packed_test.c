/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtqueue_packed: the driver's side alone, over memory that the test reads and
 * writes as a device would. (Whole drivers on packed queues: virtio_rng_server_test.c,
 * virtio_blk_server_test.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/virtio/virtqueue_packed.h"

enum { SIZE = 16, SHIFT = 2, SLOTS = SIZE >> SHIFT, LAPS = 1000 };
enum { AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL, USED = 1 << VRING_PACKED_DESC_F_USED };

struct bench {
    struct virtqueue slots;
    struct virtqueue_packed queue;
    _Alignas(16) uint8_t memory[SIZE * sizeof(struct vring_packed_desc) +
                                2 * sizeof(struct vring_packed_desc_event)];
    uint16_t at; /* the device's positions */
    bool wrap;
    uint16_t used_at;
    bool used_wrap;
    uint32_t length[SLOTS]; /* of chains that it has */
};

static struct bench bench;

static int set_up(void **state)
{
    memset(&bench, 0, sizeof(bench));
    bench.wrap = bench.used_wrap = true;
    virtqueue_packed_init(&bench.queue, &bench.slots, bench.memory, SIZE, SHIFT, true);
    *state = &bench;
    return 0;
}

static struct vring_packed_desc *desc_at(uint32_t at)
{
    return (struct vring_packed_desc *)(void *)bench.memory + at;
}

static struct vring_packed_desc_event *event_of(uint32_t n)
{
    return (struct vring_packed_desc_event *)(void *)desc_at(SIZE) + n;
}

static void put(uint32_t token, uint32_t reads, uint32_t writes)
{
    const struct dma_segment segment[4] = {
        {token * 16u, 1}, {token * 16u + 1, 2}, {token * 16u + 2, 3}, {token * 16u + 3, 4}};
    virtqueue_packed_put(&bench.queue, token, segment, reads, writes);
    assert_true(virtqueue_packed_check(&bench.queue));
}

static bool is_available(void)
{
    const uint16_t flags = desc_at(bench.at)->flags;
    return !!(flags & AVAILABLE) == bench.wrap && !!(flags & USED) != bench.wrap;
}

static void step(uint16_t *at, bool *wrap, uint32_t count)
{
    *at = (uint16_t)(*at + count);
    if (*at >= SIZE) {
        *at = (uint16_t)(*at - SIZE);
        *wrap = !*wrap;
    }
}

/* The device takes the next chain; its number. */
static uint16_t device_takes(uint32_t reads, uint32_t writes)
{
    uint16_t id = 0;
    for (uint32_t i = 0; i < reads + writes; i++) {
        assert_true(is_available());
        const struct vring_packed_desc desc = *desc_at(bench.at);
        assert_int_equal(desc.len, i + 1);
        assert_int_equal(!!(desc.flags & VRING_DESC_F_WRITE), i >= reads);
        assert_int_equal(!!(desc.flags & VRING_DESC_F_NEXT), i + 1 < reads + writes);
        id = desc.id;
        step(&bench.at, &bench.wrap, 1);
    }
    assert_true(id < SLOTS);
    bench.length[id] = reads + writes;
    return id;
}

static void device_uses(uint16_t id, uint32_t length)
{
    struct vring_packed_desc *desc = desc_at(bench.used_at);
    desc->id = id;
    desc->len = length;
    desc->flags = bench.used_wrap ? AVAILABLE | USED : 0;
    step(&bench.used_at, &bench.used_wrap, id < SLOTS ? bench.length[id] : 1);
}

static uint32_t taken(uint32_t length)
{
    struct virtqueue_used used;
    assert_true(virtqueue_packed_take(&bench.queue, &used));
    assert_true(virtqueue_packed_check(&bench.queue));
    assert_int_equal(used.length, length);
    return used.token;
}

static void nothing_is_shown_before_it_is_published(void **state)
{
    (void)state;
    put(7, 1, 2);
    put(8, 0, 1);
    assert_false(is_available());
    virtqueue_packed_publish(&bench.queue);
    assert_int_equal(device_takes(1, 2), 0);
    assert_int_equal(device_takes(0, 1), 1);
    assert_false(is_available());
    assert_false(virtqueue_packed_publish(&bench.queue)); /* nothing new */
}

static void chains_come_back_in_any_order(void **state)
{
    (void)state;
    uint16_t id[SLOTS];
    struct virtqueue_used used;
    for (uint32_t i = 0; i < SLOTS; i++)
        put(100 + i, 1, i % 3);
    assert_true(virtqueue_full(&bench.slots));
    virtqueue_packed_publish(&bench.queue);
    for (uint32_t i = 0; i < SLOTS; i++)
        id[i] = device_takes(1, i % 3);
    assert_false(virtqueue_packed_take(&bench.queue, &used));
    for (uint32_t i = SLOTS; i--;) {
        device_uses(id[i], i);
        assert_int_equal(taken(i), 100 + i);
    }
    assert_false(virtqueue_packed_take(&bench.queue, &used));
}

/* Lengths of all kinds, so that each position is met by each of them, in both kinds of laps. */
static void laps_go_on(void **state)
{
    (void)state;
    uint32_t token = 0, back = 0;
    uint16_t id[SLOTS];
    srand(3);
    for (uint32_t i = 0; i < LAPS; i++) {
        const uint32_t count = 1 + (uint32_t)rand() % SLOTS;
        uint32_t reads[SLOTS], writes[SLOTS];
        for (uint32_t k = 0; k < count; k++) {
            reads[k] = (uint32_t)rand() % 3;
            writes[k] = (uint32_t)rand() % 2 + !reads[k];
            put(token++, reads[k], writes[k]);
        }
        virtqueue_packed_publish(&bench.queue);
        for (uint32_t k = 0; k < count; k++)
            id[k] = device_takes(reads[k], writes[k]);
        for (uint32_t k = 0; k < count; k++)
            device_uses(id[k], k);
        for (uint32_t k = 0; k < count; k++)
            assert_int_equal(taken(k), back++);
    }
}

static void expect_fault(const char *fault)
{
    struct virtqueue_used used;
    assert_false(virtqueue_packed_take(&bench.queue, &used));
    assert_string_equal(bench.slots.fault, fault);
    assert_false(virtqueue_packed_take(&bench.queue, &used)); /* for good */
    assert_false(virtqueue_packed_arm(&bench.queue));
}

static void a_chain_that_it_hadnt_got(void **state)
{
    (void)state;
    put(1, 0, 1);
    virtqueue_packed_publish(&bench.queue);
    device_uses(SLOTS, 1);
    expect_fault("it used a buffer that it hadn't got");
}

static void a_free_slot(void **state)
{
    (void)state;
    put(1, 0, 1);
    virtqueue_packed_publish(&bench.queue);
    device_uses(SLOTS - 1, 1);
    expect_fault("it used a buffer that it hadn't got");
}

static void the_same_chain_twice(void **state)
{
    (void)state;
    put(1, 0, 1);
    put(2, 0, 1);
    virtqueue_packed_publish(&bench.queue);
    const uint16_t id = device_takes(0, 1);
    device_uses(id, 1);
    device_uses(id, 1);
    assert_int_equal(taken(1), 1);
    expect_fault("it used a buffer that it hadn't got");
}

static void with_nothing_under_way(void **state)
{
    (void)state;
    device_uses(0, 1);
    expect_fault("it used a buffer that it hadn't got");
}

/* Its buffers are the driver's still, and it would have them twice. */
static void a_chain_that_was_not_shown(void **state)
{
    (void)state;
    put(1, 0, 1);
    virtqueue_packed_publish(&bench.queue);
    put(2, 0, 3);
    device_uses(1, 1);
    expect_fault("it used a buffer that it hadn't got");
    assert_true(virtqueue_packed_check(&bench.queue));
}

/* 2.7.10: the device hears of a batch if its wish lies in it, whichever lap that is. */
static void the_device_is_notified_when_it_asked(void **state)
{
    (void)state;
    const uint16_t wrap = 1 << VRING_PACKED_EVENT_F_WRAP_CTR;
    struct vring_packed_desc_event *wish = event_of(1);
    for (uint32_t start = 0; start < 2 * SIZE; start++) {
        for (uint32_t asked = 0; asked < 2 * SIZE; asked++) {
            set_up(state);
            for (uint32_t i = 0; i < start;
                 i++) { /* to the position `start`, counted in two laps */
                put(1, 0, 1);
                virtqueue_packed_publish(&bench.queue);
                device_uses(device_takes(0, 1), 0);
                taken(0);
            }
            wish->flags = VRING_PACKED_EVENT_FLAG_DESC;
            wish->off_wrap = (uint16_t)(asked % SIZE | (asked < SIZE ? wrap : 0));
            put(1, 1, 1);
            put(1, 0, 1);
            const uint32_t ahead = (asked + 2 * SIZE - start) % (2 * SIZE);
            assert_int_equal(virtqueue_packed_publish(&bench.queue), ahead < 3);
        }
    }
    set_up(state);
    put(1, 0, 1);
    wish->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
    assert_false(virtqueue_packed_publish(&bench.queue));
    put(1, 0, 1);
    wish->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
    assert_true(virtqueue_packed_publish(&bench.queue));
}

/* The wish names the position of the next used chain, and a look back closes the race. */
static void an_interrupt_is_asked_for(void **state)
{
    (void)state;
    const uint16_t wrap = 1 << VRING_PACKED_EVENT_F_WRAP_CTR;
    const struct vring_packed_desc_event *wish = event_of(0);
    assert_int_equal(wish->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
    for (uint32_t i = 0; i < 3 * SIZE; i++) {
        put(i, 0, 1);
        virtqueue_packed_publish(&bench.queue);
        assert_false(virtqueue_packed_arm(&bench.queue));
        assert_int_equal(wish->flags, VRING_PACKED_EVENT_FLAG_DESC);
        assert_int_equal(wish->off_wrap, bench.used_at | (bench.used_wrap ? wrap : 0));
        device_uses(device_takes(0, 1), 0);
        assert_true(virtqueue_packed_arm(&bench.queue)); /* it was used meanwhile */
        taken(0);
    }
    virtqueue_packed_init(&bench.queue, &bench.slots, memset(bench.memory, 0, sizeof(bench.memory)),
                          SIZE, SHIFT, false);
    put(1, 0, 1);
    assert_false(virtqueue_packed_arm(&bench.queue));
    assert_int_equal(wish->flags, VRING_PACKED_EVENT_FLAG_ENABLE);
    virtqueue_packed_disarm(&bench.queue);
    assert_int_equal(wish->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_shown_before_it_is_published),
        TEST(chains_come_back_in_any_order),
        TEST(laps_go_on),
        TEST(a_chain_that_it_hadnt_got),
        TEST(a_free_slot),
        TEST(the_same_chain_twice),
        TEST(with_nothing_under_way),
        TEST(a_chain_that_was_not_shown),
        TEST(the_device_is_notified_when_it_asked),
        TEST(an_interrupt_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
