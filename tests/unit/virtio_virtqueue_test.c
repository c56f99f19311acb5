/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtqueue.c and virtqueue_packed.c, with the device's side written by hand: what
 * holds for both formats, and what split queues have alone. virtio_packed_test.c has what is packed
 * ones' own.
 */
#include "tests/unit/virtqueue_bench.h"

/* What holds for both: each gets its format. */

static enum format formats[FORMATS] = {SPLIT, PACKED};
#define ONE(f, format)                                                                             \
    {                                                                                              \
#f ", " #format, f, NULL, NULL, &formats[format]                                           \
    }
#define BOTH(f)       ONE(f, SPLIT), ONE(f, PACKED)
#define FORMAT(state) (*(const enum format *)*(state))

static void a_chain_is_visible_only_after_publishing(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    put(bench, 1);
    assert_int_equal(device_pop(bench), -1);
    publish(bench);
    assert_int_not_equal(device_pop(bench), -1);
    assert_int_equal(device_pop(bench), -1);
    assert_false(publish(bench)); /* nothing new */
    free(bench);
}

static void a_chain_arrives_as_it_was_put(void **state)
{
    for (uint32_t reads = 0; reads <= 4; reads++)
        for (uint32_t writes = !reads; reads + writes <= 4; writes++) {
            struct bench *bench = bench_create(FORMAT(state), 2, true);
            put_chain(bench, 5, reads, writes);
            publish(bench);
            assert_int_not_equal(device_pop(bench), -1);
            assert_int_equal(bench->count, reads + writes);
            for (uint32_t i = 0; i < bench->count; i++) {
                assert_int_equal(bench->desc[i].addr, 5 * 16 + i);
                assert_int_equal(bench->desc[i].len, i + 1);
                assert_int_equal(!!(bench->desc[i].flags & VRING_DESC_F_WRITE), i >= reads);
            }
            free(bench);
        }
}

static void all_slots_can_be_out_and_no_more(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    bool seen[ENTRIES] = {false};
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_false(virtqueue_full(&bench->queue));
        put(bench, i);
    }
    assert_true(virtqueue_full(&bench->queue));
    publish(bench);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        int head = device_pop(bench);
        assert_in_range(head, 0, ENTRIES - 1);
        assert_false(seen[head]);
        seen[head] = true;
    }
    free(bench);
}

static void chains_come_back_in_any_order_with_their_tokens(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 1, true);
    struct virtqueue_used used;
    int head[4];
    for (uint32_t i = 0; i < 4; i++)
        put_chain(bench, 100 + i, 1, i % 2);
    publish(bench);
    for (uint32_t i = 0; i < 4; i++)
        head[i] = device_pop(bench);
    assert_false(take(bench, &used));
    for (int i = 3; i >= 0; i--)
        device_use(bench, (uint32_t)head[i], 7);
    for (int i = 3; i >= 0; i--) {
        assert_true(take(bench, &used));
        assert_int_equal(used.token, 100 + i);
        assert_int_equal(used.length, 7);
    }
    assert_false(take(bench, &used));
    assert_null(bench->queue.fault);
    free(bench);
}

static void counts_run_over(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    turn(bench, 3 * 65536 + 5);
    assert_int_equal(bench->queue.taken, 5);
    assert_null(bench->queue.fault);
    free(bench);
}

/* Publishes so many chains with all counts at `at`; does the driver want to ring? */
static bool rings(enum format format, uint16_t at, int ahead, uint32_t chains)
{
    struct bench *bench = bench_create(format, 0, true);
    turn(bench, at);
    device_asks(bench, ahead);
    for (uint32_t i = 0; i < chains; i++)
        put(bench, i);
    bool rings = publish(bench);
    free(bench);
    return rings;
}

static void the_device_is_rung_exactly_when_its_event_index_is_passed(void **state)
{
    const uint16_t places[] = {0, 1, ENTRIES - 1, ENTRIES, 2 * ENTRIES - 1, 2 * ENTRIES, 0xffff};
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (int ahead = -ENTRIES; ahead < ENTRIES; ahead++)
            for (uint32_t chains = 1; chains <= 3; chains++)
                assert_int_equal(rings(FORMAT(state), places[i], ahead, chains),
                                 ahead >= 0 && ahead < (int)chains);
}

static void a_batch_that_passes_the_event_index_rings_once(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    device_asks(bench, 2);
    for (uint32_t i = 0; i < 5; i++)
        put(bench, i);
    assert_true(publish(bench));
    assert_false(publish(bench));
    put(bench, 5);
    assert_false(publish(bench));
    free(bench);
}

static void without_event_idx_the_device_says_whether_it_is_rung(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, false);
    put(bench, 0);
    assert_true(publish(bench));
    device_wants(bench, false);
    put(bench, 0);
    assert_false(publish(bench));
    device_wants(bench, true);
    put(bench, 0);
    assert_true(publish(bench));
    free(bench);
}

static void interrupts_are_off_at_first(void **state)
{
    for (uint32_t event_idx = 0; event_idx < 2; event_idx++) {
        struct bench *bench = bench_create(FORMAT(state), 0, event_idx);
        put(bench, 0);
        publish(bench);
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_false(device_interrupts(bench, 1));
        free(bench);
    }
}

static void the_interrupt_comes_with_the_next_chain(void **state)
{
    const uint16_t places[] = {0, 1, ENTRIES - 1, ENTRIES, 2 * ENTRIES - 1, 0x7fff, 0xffff};
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct bench *bench = bench_create(FORMAT(state), 0, true);
        turn(bench, places[i]);
        for (uint32_t k = 0; k < ENTRIES; k++)
            put(bench, k);
        publish(bench);
        assert_false(arm(bench));
        for (uint32_t k = 0; k < ENTRIES; k++) {
            device_use(bench, (uint32_t)device_pop(bench), 0);
            assert_int_equal(device_interrupts(bench, 1), k == 0);
        }
        free(bench);
    }
}

static void arming_too_late_says_so(void **state)
{
    for (uint32_t event_idx = 0; event_idx < 2; event_idx++) {
        struct bench *bench = bench_create(FORMAT(state), 0, event_idx);
        struct virtqueue_used used;
        for (uint32_t i = 0; i < 3; i++)
            put(bench, i);
        publish(bench);
        assert_false(take(bench, &used));
        device_use(bench, (uint32_t)device_pop(bench), 0); /* between the two */
        assert_true(arm(bench));
        assert_true(take(bench, &used));
        assert_false(arm(bench));
        free(bench);
    }
}

static void without_event_idx_interrupts_are_switched(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, false);
    assert_false(device_interrupts(bench, 0));
    assert_false(arm(bench));
    assert_true(device_interrupts(bench, 0));
    disarm(bench);
    assert_false(device_interrupts(bench, 0));
    assert_false(arm(bench));
    assert_true(device_interrupts(bench, 0));
    free(bench);
}

/* A used entry that must be refused: two chains, of slots 0 and 1, are out. */
static void check_bad_entry(enum format format, uint32_t id)
{
    struct bench *bench = bench_create(format, 1, true);
    struct virtqueue_used used;
    put(bench, 0);
    put(bench, 1);
    publish(bench);
    uint32_t head = (uint32_t)device_pop(bench);
    device_use(bench, id, 0);
    assert_false(take(bench, &used));
    assert_string_equal(bench->queue.fault, "it used a buffer that it hadn't got");
    /* Nothing that follows is believed, not even when the entry is put right. */
    if (format == PACKED)
        bench->packed.desc[0].id = (uint16_t)head;
    else
        bench->queue.ring.used->ring[0].id = head;
    assert_false(take(bench, &used));
    assert_false(arm(bench));
    free(bench);
}

static void impossible_used_entries_are_a_fault(void **state)
{
    check_bad_entry(FORMAT(state), ENTRIES); /* beyond the queue */
    check_bad_entry(FORMAT(state), 0xffff);
    check_bad_entry(FORMAT(state), 0x8000);
    check_bad_entry(FORMAT(state), FORMAT(state) == PACKED ? 3 : 6); /* a slot that isn't out */
}

static void a_chain_used_twice_is_a_fault(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    struct virtqueue_used used;
    put(bench, 0);
    put(bench, 1);
    publish(bench);
    uint32_t head = (uint32_t)device_pop(bench);
    device_use(bench, head, 0);
    device_use(bench, head, 0);
    assert_true(take(bench, &used));
    assert_false(take(bench, &used));
    assert_non_null(bench->queue.fault);
    free(bench);
}

static void more_used_than_it_had_is_a_fault(void **state)
{
    struct bench *bench = bench_create(FORMAT(state), 0, true);
    struct virtqueue_used used;
    device_use(bench, 0, 0);
    assert_false(take(bench, &used));
    assert_non_null(bench->queue.fault);
    free(bench);
}

/* A device that writes whatever it likes: what comes back is never more than what went out, and the
 * invariants hold, which put and take look at. */
static void a_lying_device_gets_nothing_but_its_own_chains(void **state)
{
    srand(1);
    for (uint32_t round = 0; round < 2000; round++) {
        struct bench *bench = bench_create(FORMAT(state), round & 1, round & 2);
        struct virtqueue_used used;
        bool out[ENTRIES] = {false};
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t token = (uint32_t)rand() % bench->queue.slots;
            if (!virtqueue_full(&bench->queue) && !out[token]) {
                put_chain(bench, token, round & 1 & (uint32_t)rand(), 1);
                out[token] = true;
            }
            if (rand() % 2)
                publish(bench);
            device_use(bench, (uint32_t)rand() % (ENTRIES + 1), (uint32_t)rand());
            if (!(rand() % 16))
                memset(bench->memory + (uint32_t)rand() % virtqueue_packed_bytes(ENTRIES), rand(),
                       1);
            if (bench->format == SPLIT && !(rand() % 16))
                bench->queue.ring.used->idx = (uint16_t)rand();
            while (take(bench, &used)) {
                assert_true(used.token < ENTRIES && out[used.token]);
                out[used.token] = false;
            }
            if (rand() % 4)
                arm(bench);
            else
                disarm(bench);
        }
        free(bench);
    }
}

/* Split queues alone */

static void check_arm(uint16_t at, uint16_t out, uint16_t count)
{
    struct bench *bench = bench_create(SPLIT, 0, true);
    turn(bench, at);
    for (uint32_t i = 0; i < out; i++)
        put(bench, i);
    publish(bench);
    assert_false(virtqueue_arm(&bench->queue, count));
    assert_true(virtqueue_armed(&bench->queue));
    for (uint32_t i = 1; i <= out; i++) {
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_int_equal(device_interrupts(bench, 1), i == count);
    }
    free(bench);
}

static void the_interrupt_comes_with_the_wanted_chain(void **state)
{
    const uint16_t places[] = {0, 1, 7, 0x7fff, 0xfffd, 0xffff};
    (void)state;
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (uint16_t count = 1; count <= ENTRIES; count++)
            check_arm(places[i], ENTRIES, count);
}

static void a_mark_that_was_passed_is_not_armed(void **state)
{
    struct bench *bench = bench_create(SPLIT, 0, true);
    (void)state;
    virtqueue_arm(&bench->queue, 2);
    turn(bench, 2);
    put(bench, 0);
    assert_false(virtqueue_armed(&bench->queue));
    free(bench);
}

static void without_event_idx_it_is_armed_or_not(void **state)
{
    struct bench *bench = bench_create(SPLIT, 0, false);
    (void)state;
    assert_false(virtqueue_armed(&bench->queue));
    virtqueue_arm(&bench->queue, 5);
    assert_true(virtqueue_armed(&bench->queue));
    virtqueue_disarm(&bench->queue);
    assert_false(virtqueue_armed(&bench->queue));
    free(bench);
}

static void arming_for_later_is_no_reason_to_look_now(void **state)
{
    struct bench *bench = bench_create(SPLIT, 0, true);
    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        put(bench, i);
    publish(bench);
    device_use(bench, (uint32_t)device_pop(bench), 0);
    assert_false(virtqueue_arm(&bench->queue, 3));
    free(bench);
}

static void arming_twice_writes_once(void **state)
{
    struct bench *bench = bench_create(SPLIT, 0, true);
    (void)state;
    assert_false(virtqueue_arm(&bench->queue, 1));
    vring_used_event(&bench->queue.ring) = 77; /* would show a second write */
    assert_false(virtqueue_arm(&bench->queue, 1));
    assert_int_equal(vring_used_event(&bench->queue.ring), 77);
    free(bench);
}

static void an_entry_in_the_middle_of_a_chain_is_a_fault(void **state)
{
    (void)state;
    check_bad_entry(SPLIT, 1);
    check_bad_entry(SPLIT, 0xffffffff);
    check_bad_entry(SPLIT, 0x80000000);
}

/* Three chains out, one of them not yet published, indices at `at`: the device's index moves. */
static bool index_is_refused(uint16_t at, int move)
{
    struct bench *bench = bench_create(SPLIT, 0, true);
    turn(bench, at);
    put(bench, 0);
    put(bench, 1);
    publish(bench);
    put(bench, 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_chain_is_visible_only_after_publishing),
        BOTH(a_chain_arrives_as_it_was_put),
        BOTH(all_slots_can_be_out_and_no_more),
        BOTH(chains_come_back_in_any_order_with_their_tokens),
        BOTH(counts_run_over),
        BOTH(the_device_is_rung_exactly_when_its_event_index_is_passed),
        BOTH(a_batch_that_passes_the_event_index_rings_once),
        BOTH(without_event_idx_the_device_says_whether_it_is_rung),
        BOTH(interrupts_are_off_at_first),
        BOTH(the_interrupt_comes_with_the_next_chain),
        BOTH(arming_too_late_says_so),
        BOTH(without_event_idx_interrupts_are_switched),
        BOTH(impossible_used_entries_are_a_fault),
        BOTH(a_chain_used_twice_is_a_fault),
        BOTH(more_used_than_it_had_is_a_fault),
        BOTH(a_lying_device_gets_nothing_but_its_own_chains),
        cmocka_unit_test(the_interrupt_comes_with_the_wanted_chain),
        cmocka_unit_test(a_mark_that_was_passed_is_not_armed),
        cmocka_unit_test(without_event_idx_it_is_armed_or_not),
        cmocka_unit_test(arming_for_later_is_no_reason_to_look_now),
        cmocka_unit_test(arming_twice_writes_once),
        cmocka_unit_test(an_entry_in_the_middle_of_a_chain_is_a_fault),
        cmocka_unit_test(an_index_beyond_what_was_published_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
