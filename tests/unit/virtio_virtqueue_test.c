/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtqueue.c, with the device's side written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/virtio/virtqueue.h"

enum { ENTRIES = 8, BYTES = 4096 };

/* A queue and what the device remembers of it. */
struct bench {
    struct virtqueue queue;
    uint16_t popped, used;
    _Alignas(16) uint8_t memory[BYTES];
};

static struct bench *bench_create(uint32_t shift, bool event_idx)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_true(virtqueue_bytes(ENTRIES) <= BYTES);
    virtqueue_init(&bench->queue, bench->memory, ENTRIES, shift, event_idx);
    assert_true(virtqueue_check(&bench->queue));
    return bench;
}

/* The device takes the next chain; -1: there is none. */
static int device_pop(struct bench *bench)
{
    struct vring *ring = &bench->queue.ring;
    if (bench->popped == ring->avail->idx)
        return -1;
    return ring->avail->ring[bench->popped++ % ENTRIES];
}

static void device_use(struct bench *bench, uint32_t id, uint32_t length)
{
    struct vring *ring = &bench->queue.ring;
    ring->used->ring[bench->used++ % ENTRIES] = (struct vring_used_elem){.id = id, .len = length};
    ring->used->idx = bench->used;
}

/* Would a device that has just gone from `old` used entries to where it is now interrupt? */
static bool device_interrupts(const struct bench *bench, uint16_t old)
{
    const struct vring *ring = &bench->queue.ring;
    return vring_need_event(vring_used_event(ring), ring->used->idx, old);
}

/* Lets `count` chains go round, so that all indices stand at `count`. */
static void turn(struct bench *bench, uint32_t count)
{
    struct virtqueue_used used;
    for (uint32_t i = 0; i < count; i++) {
        virtqueue_put(&bench->queue, i);
        virtqueue_publish(&bench->queue);
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_true(virtqueue_take(&bench->queue, &used));
        assert_int_equal(used.token, i);
    }
}

static void a_chain_is_visible_only_after_publishing(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    virtqueue_put(&bench->queue, 1);
    assert_int_equal(device_pop(bench), -1);
    virtqueue_publish(&bench->queue);
    assert_int_not_equal(device_pop(bench), -1);
    assert_int_equal(device_pop(bench), -1);
    free(bench);
}

static void all_slots_can_be_out_and_no_more(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    bool seen[ENTRIES] = {false};
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_false(virtqueue_full(&bench->queue));
        virtqueue_put(&bench->queue, i);
    }
    assert_true(virtqueue_full(&bench->queue));
    virtqueue_publish(&bench->queue);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        int head = device_pop(bench);
        assert_in_range(head, 0, ENTRIES - 1);
        assert_false(seen[head]);
        seen[head] = true;
    }
    assert_true(virtqueue_check(&bench->queue));
    free(bench);
}

static void chains_come_back_in_any_order_with_their_tokens(void **state)
{
    (void)state;
    struct bench *bench = bench_create(1, true);
    struct virtqueue_used used;
    int head[4];
    for (uint32_t i = 0; i < 4; i++)
        virtqueue_put(&bench->queue, 100 + i);
    virtqueue_publish(&bench->queue);
    for (uint32_t i = 0; i < 4; i++)
        head[i] = device_pop(bench);
    for (int i = 3; i >= 0; i--)
        device_use(bench, (uint32_t)head[i], 7);
    for (int i = 3; i >= 0; i--) {
        assert_true(virtqueue_take(&bench->queue, &used));
        assert_int_equal(used.token, 100 + i);
        assert_int_equal(used.length, 7);
    }
    assert_false(virtqueue_take(&bench->queue, &used));
    assert_null(bench->queue.fault);
    free(bench);
}

static void indices_run_over(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    turn(bench, 3 * 65536 + 5);
    assert_int_equal(bench->queue.taken, 5);
    assert_true(virtqueue_check(&bench->queue));
    assert_null(bench->queue.fault);
    free(bench);
}

/* Publishes one chain with all indices at `at`; does the driver want to ring? */
static bool rings(uint16_t at, uint16_t avail_event)
{
    struct bench *bench = bench_create(0, true);
    turn(bench, at);
    vring_avail_event(&bench->queue.ring) = avail_event;
    virtqueue_put(&bench->queue, 0);
    bool rings = virtqueue_publish(&bench->queue);
    free(bench);
    return rings;
}

static void the_device_is_rung_exactly_when_its_event_index_is_passed(void **state)
{
    (void)state;
    assert_true(rings(0, 0));
    assert_false(rings(0, 1));
    assert_false(rings(0, 0xffff));
    assert_true(rings(0xffff, 0xffff));
    assert_false(rings(0xffff, 0));
    assert_false(rings(0xffff, 0xfffe));
}

static void a_batch_that_passes_the_event_index_rings_once(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    vring_avail_event(&bench->queue.ring) = 2;
    for (uint32_t i = 0; i < 5; i++)
        virtqueue_put(&bench->queue, i);
    assert_true(virtqueue_publish(&bench->queue));
    assert_false(virtqueue_publish(&bench->queue));
    free(bench);
}

static void without_event_idx_the_flag_decides(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, false);
    virtqueue_put(&bench->queue, 0);
    assert_true(virtqueue_publish(&bench->queue));
    bench->queue.ring.used->flags = VRING_USED_F_NO_NOTIFY;
    virtqueue_put(&bench->queue, 0);
    assert_false(virtqueue_publish(&bench->queue));
    free(bench);
}

static void interrupts_are_off_at_first(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    virtqueue_put(&bench->queue, 0);
    virtqueue_publish(&bench->queue);
    device_use(bench, (uint32_t)device_pop(bench), 0);
    assert_false(device_interrupts(bench, 0));
    free(bench);
    bench = bench_create(0, false);
    assert_int_equal(bench->queue.ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
    free(bench);
}

/* All indices at `at`, `out` chains out: the interrupt comes with the `count`-th used one. */
static void check_arm(uint16_t at, uint16_t out, uint16_t count)
{
    struct bench *bench = bench_create(0, true);
    turn(bench, at);
    for (uint32_t i = 0; i < out; i++)
        virtqueue_put(&bench->queue, i);
    virtqueue_publish(&bench->queue);
    assert_false(virtqueue_arm(&bench->queue, count));
    assert_true(virtqueue_armed(&bench->queue));
    for (uint32_t i = 1; i <= out; i++) {
        uint16_t old = bench->used;
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_int_equal(device_interrupts(bench, old), i == count);
    }
    free(bench);
}

static void the_interrupt_comes_with_the_wanted_chain(void **state)
{
    (void)state;
    const uint16_t places[] = {0, 1, 7, 0x7fff, 0xfffd, 0xffff};
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (uint16_t count = 1; count <= ENTRIES; count++)
            check_arm(places[i], ENTRIES, count);
}

static void a_mark_that_was_passed_is_not_armed(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    virtqueue_arm(&bench->queue, 2);
    turn(bench, 2);
    virtqueue_put(&bench->queue, 0);
    assert_false(virtqueue_armed(&bench->queue));
    free(bench);
}

static void arming_too_late_says_so(void **state)
{
    (void)state;
    for (uint32_t event_idx = 0; event_idx < 2; event_idx++) {
        struct bench *bench = bench_create(0, event_idx);
        struct virtqueue_used used;
        for (uint32_t i = 0; i < 3; i++)
            virtqueue_put(&bench->queue, i);
        virtqueue_publish(&bench->queue);
        assert_false(virtqueue_take(&bench->queue, &used));
        device_use(bench, (uint32_t)device_pop(bench), 0); /* between the two */
        assert_true(virtqueue_arm(&bench->queue, 1));
        assert_true(virtqueue_take(&bench->queue, &used));
        free(bench);
    }
}

static void arming_for_later_is_no_reason_to_look_now(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    for (uint32_t i = 0; i < 4; i++)
        virtqueue_put(&bench->queue, i);
    virtqueue_publish(&bench->queue);
    device_use(bench, (uint32_t)device_pop(bench), 0);
    assert_false(virtqueue_arm(&bench->queue, 3));
    free(bench);
}

static void arming_twice_writes_once(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    assert_false(virtqueue_arm(&bench->queue, 1));
    vring_used_event(&bench->queue.ring) = 77; /* would show a second write */
    assert_false(virtqueue_arm(&bench->queue, 1));
    assert_int_equal(vring_used_event(&bench->queue.ring), 77);
    free(bench);
}

static void without_event_idx_the_flag_is_switched(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, false);
    assert_false(virtqueue_armed(&bench->queue));
    virtqueue_arm(&bench->queue, 5);
    assert_true(virtqueue_armed(&bench->queue));
    assert_int_equal(bench->queue.ring.avail->flags, 0);
    virtqueue_disarm(&bench->queue);
    assert_false(virtqueue_armed(&bench->queue));
    assert_int_equal(bench->queue.ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
    free(bench);
}

/* A used entry that must be refused: two chains (slots of two descriptors) are out. */
static void check_bad_entry(uint32_t id)
{
    struct bench *bench = bench_create(1, true);
    struct virtqueue_used used;
    virtqueue_put(&bench->queue, 0);
    virtqueue_put(&bench->queue, 1);
    virtqueue_publish(&bench->queue);
    device_use(bench, id, 0);
    assert_false(virtqueue_take(&bench->queue, &used));
    assert_non_null(bench->queue.fault);
    /* Nothing that follows is believed, not even when the entry is put right. */
    bench->queue.ring.used->ring[0].id = (uint32_t)device_pop(bench);
    assert_false(virtqueue_take(&bench->queue, &used));
    assert_true(virtqueue_check(&bench->queue));
    free(bench);
}

static void impossible_used_entries_are_a_fault(void **state)
{
    (void)state;
    check_bad_entry(ENTRIES); /* beyond the queue */
    check_bad_entry(0xffffffff);
    check_bad_entry(0x80000000);
    check_bad_entry(1); /* the middle of a chain */
    check_bad_entry(6); /* a slot that isn't out */
}

static void a_chain_used_twice_is_a_fault(void **state)
{
    (void)state;
    struct bench *bench = bench_create(0, true);
    struct virtqueue_used used;
    virtqueue_put(&bench->queue, 0);
    virtqueue_put(&bench->queue, 1);
    virtqueue_publish(&bench->queue);
    uint32_t head = (uint32_t)device_pop(bench);
    device_use(bench, head, 0);
    device_use(bench, head, 0);
    assert_true(virtqueue_take(&bench->queue, &used));
    assert_false(virtqueue_take(&bench->queue, &used));
    assert_non_null(bench->queue.fault);
    free(bench);
}

/* Three chains out, one of them not yet published, indices at `at`: the device's index moves. */
static bool index_is_refused(uint16_t at, int move)
{
    struct bench *bench = bench_create(0, true);
    turn(bench, at);
    virtqueue_put(&bench->queue, 0);
    virtqueue_put(&bench->queue, 1);
    virtqueue_publish(&bench->queue);
    virtqueue_put(&bench->queue, 2);
    bench->queue.ring.used->idx = (uint16_t)(bench->used + move);
    virtqueue_look(&bench->queue);
    bool refused = bench->queue.fault;
    free(bench);
    return refused;
}

static void an_index_beyond_what_was_published_is_a_fault(void **state)
{
    (void)state;
    const uint16_t places[] = {0, 5, 0xffff};
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_false(index_is_refused(places[i], 0));
        assert_false(index_is_refused(places[i], 2));
        assert_true(index_is_refused(places[i], 3));
        assert_true(index_is_refused(places[i], -1));
        assert_true(index_is_refused(places[i], ENTRIES + 1));
        assert_true(index_is_refused(places[i], 0x8000));
    }
}

/* A device that writes whatever it likes: what comes back is never more than what went out, and the
 * invariants hold. */
static void a_lying_device_gets_nothing_but_its_own_chains(void **state)
{
    (void)state;
    srand(1);
    for (uint32_t round = 0; round < 2000; round++) {
        struct bench *bench = bench_create(round & 1, round & 2);
        struct virtqueue_used used;
        bool out[ENTRIES] = {false};
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t token = (uint32_t)rand() % bench->queue.slots;
            if (!virtqueue_full(&bench->queue) && !out[token]) {
                virtqueue_put(&bench->queue, token);
                out[token] = true;
            }
            if (rand() % 2)
                virtqueue_publish(&bench->queue);
            device_use(bench, (uint32_t)rand() % (ENTRIES + 1), (uint32_t)rand());
            if (!(rand() % 16))
                bench->queue.ring.used->idx = (uint16_t)rand();
            while (virtqueue_take(&bench->queue, &used)) {
                assert_true(used.token < ENTRIES && out[used.token]);
                out[used.token] = false;
            }
            assert_true(virtqueue_check(&bench->queue));
        }
        free(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_visible_only_after_publishing),
        cmocka_unit_test(all_slots_can_be_out_and_no_more),
        cmocka_unit_test(chains_come_back_in_any_order_with_their_tokens),
        cmocka_unit_test(indices_run_over),
        cmocka_unit_test(the_device_is_rung_exactly_when_its_event_index_is_passed),
        cmocka_unit_test(a_batch_that_passes_the_event_index_rings_once),
        cmocka_unit_test(without_event_idx_the_flag_decides),
        cmocka_unit_test(interrupts_are_off_at_first),
        cmocka_unit_test(the_interrupt_comes_with_the_wanted_chain),
        cmocka_unit_test(a_mark_that_was_passed_is_not_armed),
        cmocka_unit_test(arming_too_late_says_so),
        cmocka_unit_test(arming_for_later_is_no_reason_to_look_now),
        cmocka_unit_test(arming_twice_writes_once),
        cmocka_unit_test(without_event_idx_the_flag_is_switched),
        cmocka_unit_test(impossible_used_entries_are_a_fault),
        cmocka_unit_test(a_chain_used_twice_is_a_fault),
        cmocka_unit_test(an_index_beyond_what_was_published_is_a_fault),
        cmocka_unit_test(a_lying_device_gets_nothing_but_its_own_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
