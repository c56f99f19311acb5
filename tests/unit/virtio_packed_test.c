/* SPDX-License-Identifier: ISC
 *
 * What is packed virtqueues' own, beside virtio_virtqueue_test.c: laps, wishes, and what they are
 * when their driver is swapped. (Whole drivers on packed queues: virtio_rng_server_test.c,
 * virtio_blk_server_test.c, virtio_con_test.c.)
 */
#include "libos/virtio/virtqueue_packed_state.h"
#include "tests/unit/virtqueue_bench.h"

enum { SHIFT = 1, SLOTS = ENTRIES >> SHIFT, LAPS = 3000 };

/* Lengths of all kinds, so that each position is met by each of them, in both kinds of laps; some
 * of what is out stays out. Before each step all is saved and loaded, if that is wanted. */
struct walk {
    struct bench *bench;
    uint32_t put, back;
    uint16_t out[SLOTS]; /* what the device has, in its order */
    uint32_t outs;
    bool swaps;
};

static void swap(struct bench *bench)
{
    struct virtqueue_state slots;
    struct virtqueue_packed_state state;
    virtqueue_save(&bench->queue, &slots);
    virtqueue_packed_save(&bench->packed, &state);
    memset(&bench->queue, 0x55, sizeof(bench->queue));
    memset(&bench->packed, 0x55, sizeof(bench->packed));
    assert_int_equal(virtqueue_slots_load(&bench->queue, ENTRIES, slots.shift, &slots), OK);
    assert_int_equal(virtqueue_packed_load(&bench->packed, &bench->queue, bench->memory, &state),
                     OK);
    check(bench);
}

static void walk_put(struct walk *walk)
{
    for (uint32_t n = (uint32_t)rand() % (SLOTS + 1); n; n--) {
        const uint32_t reads = (uint32_t)rand() % 2;
        if (!virtqueue_full(&walk->bench->queue))
            put_chain(walk->bench, walk->put++, reads, !reads + (reads && rand() % 2));
    }
    publish(walk->bench);
    int id;
    while ((id = device_pop(walk->bench)) >= 0)
        walk->out[walk->outs++] = (uint16_t)id;
}

static void walk_use(struct walk *walk)
{
    struct virtqueue_used used;
    while (walk->outs && rand() % 4) {
        const uint32_t n = (uint32_t)rand() % walk->outs;
        const uint32_t token = walk->bench->queue.token[walk->out[n]];
        device_use(walk->bench, walk->out[n], token);
        walk->out[n] = walk->out[--walk->outs];
        assert_true(take(walk->bench, &used));
        assert_int_equal(used.token, token);
        assert_int_equal(used.length, token);
        walk->back++;
    }
    assert_false(take(walk->bench, &used));
}

static void check_walk(bool swaps)
{
    struct walk walk = {.bench = bench_create(PACKED, SHIFT, true)};
    srand(3);
    for (uint32_t i = 0; i < LAPS; i++) {
        if (swaps)
            swap(walk.bench);
        walk_put(&walk);
        if (swaps)
            swap(walk.bench);
        walk_use(&walk);
        assert_int_equal(walk.put - walk.back, walk.outs);
    }
    assert_null(walk.bench->queue.fault);
    assert_true(walk.put > LAPS);
    free(walk.bench);
}

static void laps_go_on(void **state)
{
    (void)state;
    check_walk(false);
}

static void a_swap_loses_nothing(void **state)
{
    (void)state;
    check_walk(true);
}

static void a_batch_is_seen_as_a_whole(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 2 * ENTRIES; at++) {
        struct bench *bench = bench_create(PACKED, SHIFT, true);
        turn(bench, at);
        put_chain(bench, 1, 1, 1);
        assert_int_equal(device_pop(bench), -1);
        put_chain(bench, 2, 1, 1);
        assert_int_equal(device_pop(bench), -1);
        publish(bench);
        assert_int_not_equal(device_pop(bench), -1);
        assert_int_not_equal(device_pop(bench), -1);
        assert_int_equal(device_pop(bench), -1);
        free(bench);
    }
}

/* Its buffers are the driver's still, and the driver would show them to it afterwards. */
static void a_chain_that_was_not_shown_is_not_the_devices(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, true);
    struct virtqueue_used used;
    (void)state;
    put(bench, 1);
    publish(bench);
    put(bench, 2);
    device_use(bench, 1, 0);
    assert_false(take(bench, &used));
    assert_string_equal(bench->queue.fault, "it used a buffer that it hadn't got");
    free(bench);
}

/* A descriptor with the flags of another lap, or with half of them, is nothing at all. */
static void other_flags_are_not_used(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, true);
    struct virtqueue_used used;
    (void)state;
    put(bench, 1);
    publish(bench);
    const uint16_t wrong[] = {0, AVAILABLE, USED, VRING_DESC_F_WRITE, 0x7f7f};
    for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        bench->packed.desc[0].flags = wrong[i];
        assert_false(take(bench, &used));
        assert_null(bench->queue.fault);
    }
    free(bench);
}

/* 2.7.10: position and wrap counter of the next used descriptor; what it says isn't read back. */
static void the_wish_names_the_next_used_descriptor(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, true);
    struct virtqueue_used used;
    (void)state;
    for (uint32_t i = 0; i < 4 * ENTRIES; i++) {
        put_chain(bench, i, 1, 1);
        publish(bench);
        assert_false(arm(bench));
        assert_int_equal(bench->packed.wish->flags, VRING_PACKED_EVENT_FLAG_DESC);
        assert_int_equal(bench->packed.wish->off_wrap, place_word(bench->done));
        bench->packed.wish->off_wrap = 0xffff; /* the device may write there too */
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_true(arm(bench));
        assert_int_equal(bench->packed.wish->off_wrap & ~WRAP, (i * 2) % ENTRIES);
        assert_true(take(bench, &used));
        disarm(bench);
        assert_int_equal(bench->packed.wish->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
    }
    free(bench);
}

/* With a queue without event indices a device that names a position is rung always (2.7.10). */
static void a_wish_that_makes_no_sense_rings(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, false);
    (void)state;
    for (uint16_t flags = VRING_PACKED_EVENT_FLAG_DESC; flags < 6; flags++) {
        *bench->packed.theirs = (struct vring_packed_desc_event){.off_wrap = 5, .flags = flags};
        put(bench, 0);
        assert_true(publish(bench));
        struct virtqueue_used used;
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_true(take(bench, &used));
    }
    free(bench);
}

static enum error load(struct bench *bench, const struct virtqueue_packed_state *state)
{
    struct virtqueue_state slots;
    struct virtqueue queue;
    struct virtqueue_packed packed;
    virtqueue_save(&bench->queue, &slots);
    assert_int_equal(virtqueue_slots_load(&queue, ENTRIES, SHIFT, &slots), OK);
    return virtqueue_packed_load(&packed, &queue, bench->memory, state);
}

/* Sums that are right, of parts that aren't. */
static void a_state_that_only_adds_up_is_refused(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, true);
    struct virtqueue_packed_state good, bad;
    (void)state;
    put_chain(bench, 1, 1, 1);
    put_chain(bench, 2, 0, 1);
    publish(bench);
    virtqueue_packed_save(&bench->packed, &good);
    assert_int_equal(load(bench, &good), OK);
    bad = good;
    bad.put_at += ENTRIES;
    bad.used_at += ENTRIES;
    assert_int_equal(load(bench, &bad), ERROR_BAD_ARGUMENT);
    bad = good;
    bad.length[0] = 3; /* longer than a slot's */
    bad.length[1] = 0;
    assert_int_equal(load(bench, &bad), ERROR_BAD_ARGUMENT);
    bad = good;
    bad.put_wrap = !bad.put_wrap;
    assert_int_equal(load(bench, &bad), ERROR_BAD_ARGUMENT);
    put(bench, 3);
    publish(bench); /* another chain than the state has */
    assert_int_equal(load(bench, &good), ERROR_BAD_ARGUMENT);
    free(bench);
}

/* Every bit of a state flipped: it is refused, or the queue keeps its invariants. */
static void a_damaged_state_is_refused_or_makes_sense(void **state)
{
    struct bench *bench = bench_create(PACKED, SHIFT, true);
    struct virtqueue_state slots;
    struct virtqueue_packed_state good, bad;
    uint32_t refused = 0;
    (void)state;
    turn(bench, 5);
    put_chain(bench, 1, 1, 1);
    put_chain(bench, 2, 0, 1);
    publish(bench);
    virtqueue_save(&bench->queue, &slots);
    virtqueue_packed_save(&bench->packed, &good);
    for (uint32_t bit = 0; bit < 8 * sizeof(good); bit++) {
        struct virtqueue queue;
        struct virtqueue_packed packed;
        bad = good;
        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(virtqueue_slots_load(&queue, ENTRIES, SHIFT, &slots), OK);
        if (virtqueue_packed_load(&packed, &queue, bench->memory, &bad) != OK) {
            refused++;
            continue;
        }
        assert_true(virtqueue_packed_check(&packed));
        assert_true(packed.put_at == good.put_at && packed.used_at == good.used_at);
        assert_true(packed.length[0] == 2); /* the chains that are out */
        assert_true(packed.length[1] == 1);
    }
    /* Size, positions, and the lengths of two busy slots; wrap counters by what they say. */
    assert_in_range(refused, 3 * 16 + 2 * 8, 3 * 16 + 2 * 8 + 2 * 8);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laps_go_on),
        cmocka_unit_test(a_swap_loses_nothing),
        cmocka_unit_test(a_batch_is_seen_as_a_whole),
        cmocka_unit_test(a_chain_that_was_not_shown_is_not_the_devices),
        cmocka_unit_test(other_flags_are_not_used),
        cmocka_unit_test(the_wish_names_the_next_used_descriptor),
        cmocka_unit_test(a_wish_that_makes_no_sense_rings),
        cmocka_unit_test(a_state_that_only_adds_up_is_refused),
        cmocka_unit_test(a_damaged_state_is_refused_or_makes_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
