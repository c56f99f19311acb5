/* SPDX-License-Identifier: ISC
 *
 * servers/netd/reassembly.c: order, contradictions, bounds, age; and that no buffer gets lost.
 */
#include "tests/unit/netd_fixture.h"

enum { BUFFERS = 40, HELD_MAX = 20, STACK = 1 };
static const struct pool pool = {.buffers = BUFFERS, .buffer_size = 2048};
static struct pool_owner owner;
static struct reassembly reassembly;
static uint64_t counters[COUNTER_COUNT];
static struct reassembly_entry *whole;
static uint8_t quoted[REASSEMBLY_QUOTE];

static int reset(void **state)
{
    (void)state;
    memset(&reassembly, 0, sizeof(reassembly));
    memset(counters, 0, sizeof(counters));
    reassembly.holder = STACK;
    reassembly.held_max = HELD_MAX;
    pool_owner_init(&owner, &pool);
    for (uint32_t i = 0; i < sizeof(quoted); i++)
        quoted[i] = (uint8_t)i;
    return 0;
}

static void check(void)
{
    assert_true(reassembly_check(&reassembly, &owner));
    assert_int_equal(owner.free_count + reassembly.held, BUFFERS);
}

/* A fragment of bytes [start, start + length); its buffer goes back when it isn't kept. */
static bool add_from(uint32_t source, uint16_t id, uint32_t start, uint32_t length, bool more,
                     uint64_t now)
{
    struct ipv4_header header = {.source = source,
                                 .destination = OUR_IP,
                                 .length = (uint16_t)length,
                                 .id = id,
                                 .fragment = (uint16_t)(start / 8 | (more ? IPV4_MORE : 0)),
                                 .header_length = 20,
                                 .protocol = 17};
    struct fragment fragment = {.header = &header, .bytes = quoted};
    int index = pool_lend(&owner, STACK);
    assert_true(index >= 0);
    fragment.piece = (struct buffer_ref){.index = (uint16_t)index, .length = (uint16_t)length};
    bool kept = reassembly_add(&reassembly, &owner, &fragment, now, counters, &whole);
    if (!kept)
        assert_true(pool_take_back(&owner, (uint32_t)index, STACK));
    check();
    return kept;
}

static bool add(uint16_t id, uint32_t start, uint32_t length, bool more)
{
    return add_from(FAR_IP, id, start, length, more, 1000);
}

static void assert_whole(uint32_t pieces, uint32_t bytes)
{
    assert_non_null(whole);
    assert_int_equal(whole->pieces, pieces);
    assert_int_equal(whole->bytes, bytes);
    uint32_t at = 0;
    for (uint32_t i = 0; i < pieces; i++) {
        assert_int_equal(whole->start[i], at);
        at += whole->piece[i].length;
    }
    assert_int_equal(at, bytes);
    reassembly_drop(&reassembly, &owner, whole);
    check();
    assert_int_equal(reassembly.used, 0);
}

static void fragments_in_order(void **state)
{
    (void)state;
    assert_true(add(1, 0, 1480, true));
    assert_null(whole);
    assert_true(add(1, 1480, 1480, true));
    assert_null(whole);
    assert_true(add(1, 2960, 1041, false));
    assert_whole(3, 4001);
}

static void fragments_in_every_order(void **state)
{
    (void)state;
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int o = 0; o < 6; o++) {
        for (int i = 0; i < 3; i++) {
            assert_null(i ? whole : NULL);
            uint32_t part = orders[o][i];
            assert_true(add((uint16_t)o, part * 800, part == 2 ? 5 : 800, part != 2));
        }
        assert_whole(3, 1605);
    }
}

static void the_first_fragment_is_quoted(void **state)
{
    (void)state;
    add(1, 800, 8, false);
    assert_int_equal(reassembly.entry[0].header_length, 0);
    add(1, 0, 800, true);
    assert_int_equal(whole->header_length, 20);
    assert_memory_equal(whole->header, quoted, 28);
}

static void different_datagrams_do_not_mix(void **state)
{
    (void)state;
    add(1, 0, 800, true);
    add(2, 800, 8, false);
    assert_null(whole);
    add_from(NEIGHBOUR_IP, 1, 800, 8, false, 1000);
    assert_null(whole);
    add(1, 800, 8, false);
    assert_non_null(whole);
}

static void duplicates_are_ignored(void **state)
{
    (void)state;
    assert_true(add(1, 0, 800, true));
    assert_false(add(1, 0, 800, true));
    assert_int_equal(counters[COUNTER_FRAGMENT_DUPLICATE], 1);
    assert_true(add(1, 800, 8, false));
    assert_whole(2, 808);
}

static void overlaps_refuse_the_datagram_and_its_rest(void **state)
{
    (void)state;
    static const struct {
        uint32_t start, length;
        bool more;
    } bad[] = {
        {0, 808, true}, {0, 1600, true},  {400, 408, true}, {792, 16, true},
        {792, 8, true}, {808, 784, true}, {1592, 16, true}, {0, 800, false},
        {800, 8, true}, {0, 2400, false}, {400, 408, true}, {1592, 100, false},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset(NULL);
        assert_true(add(1, 400, 400, true));
        assert_true(add(1, 800, 800, true));
        assert_false(add(1, bad[i].start, bad[i].length, bad[i].more));
        assert_int_equal(counters[COUNTER_FRAGMENT_OVERLAP], 1);
        assert_int_equal(owner.free_count, BUFFERS);
        assert_false(add(1, 1600, 8, false));
        assert_int_equal(counters[COUNTER_FRAGMENT_REFUSED], 1);
        assert_true(add(2, 0, 8, true)); /* another one is welcome */
    }
}

static void contradictory_ends_refuse_the_datagram(void **state)
{
    (void)state;
    add(1, 800, 8, false);
    assert_false(add(1, 1600, 8, false));
    assert_int_equal(counters[COUNTER_FRAGMENT_OVERLAP], 1);
    add(2, 800, 8, false);
    assert_false(add(2, 808, 8, true));
    assert_int_equal(counters[COUNTER_FRAGMENT_OVERLAP], 2);
    add(3, 1600, 8, true);
    assert_false(add(3, 800, 8, false));
    assert_int_equal(counters[COUNTER_FRAGMENT_OVERLAP], 3);
}

static void impossible_sizes_are_malformed(void **state)
{
    (void)state;
    assert_false(add(1, 0, 0, true));
    assert_false(add(1, 0, 801, true));
    assert_false(add(1, 8, 0, false));
    assert_false(add(1, 65528, 8, false)); /* the "ping of death" */
    assert_false(add(1, 65520, 1400, false));
    assert_int_equal(counters[COUNTER_FRAGMENT_MALFORMED], 5);
    assert_int_equal(reassembly.used, 0);
    assert_true(add(1, 65504, 11, false)); /* with a header of 20: the largest datagram */
}

static void too_many_pieces_refuse_the_datagram(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < REASSEMBLY_PIECES; i++)
        assert_true(add(1, i * 8, 8, true));
    assert_false(add(1, REASSEMBLY_PIECES * 8, 8, false));
    assert_int_equal(counters[COUNTER_FRAGMENT_REFUSED], 1);
    assert_int_equal(reassembly.held, 0);
}

static void as_many_pieces_as_the_bound_are_whole(void **state)
{
    (void)state;
    for (uint32_t i = REASSEMBLY_PIECES; i-- > 0;)
        assert_true(add(1, i * 8, 8, i + 1 < REASSEMBLY_PIECES));
    assert_whole(REASSEMBLY_PIECES, REASSEMBLY_PIECES * 8);
}

static void a_source_has_two_at_a_time(void **state)
{
    (void)state;
    add_from(FAR_IP, 1, 0, 8, true, 1000);
    add_from(FAR_IP, 2, 0, 8, true, 1001);
    add_from(NEIGHBOUR_IP, 9, 0, 8, true, 1001);
    add_from(FAR_IP, 3, 0, 8, true, 1002);
    assert_int_equal(counters[COUNTER_REASSEMBLY_EVICTED], 1);
    add_from(FAR_IP, 2, 8, 8, false, 1003);
    assert_non_null(whole); /* the second is still there */
}

static void a_full_table_gives_up_the_oldest(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= REASSEMBLY_DATAGRAMS; i++)
        add_from(FAR_IP + i, 1, 0, 8, true, 1000 + i);
    assert_int_equal(counters[COUNTER_REASSEMBLY_EVICTED], 1);
    assert_int_equal(reassembly.used, REASSEMBLY_DATAGRAMS);
    add_from(FAR_IP + 1, 1, 8, 8, false, 2000);
    assert_non_null(whole);
}

static void held_buffers_are_bounded_for_all(void **state)
{
    (void)state;
    for (uint32_t source = 0; source < 4; source++)
        for (uint32_t i = 0; i < 10; i++)
            assert_true(add_from(FAR_IP + source, 1, i * 8, 8, true, 1000 + source));
    assert_int_equal(reassembly.held, HELD_MAX);
    assert_int_equal(counters[COUNTER_REASSEMBLY_EVICTED], 2);
}

static void one_datagram_alone_cannot_hold_too_many(void **state)
{
    (void)state;
    reassembly.held_max = 4;
    for (uint32_t i = 0; i < 4; i++)
        assert_true(add(1, i * 8, 8, true));
    assert_false(add(1, 32, 8, true));
    assert_int_equal(counters[COUNTER_FRAGMENT_REFUSED], 1);
    assert_int_equal(reassembly.held, 0);
}

static void age_is_counted_from_the_first_fragment(void **state)
{
    (void)state;
    assert_int_equal(reassembly_deadline(&reassembly), 0);
    add_from(FAR_IP, 1, 0, 8, true, 1000);
    add_from(FAR_IP, 1, 8, 8, true, 5000);
    add_from(NEIGHBOUR_IP, 1, 8, 8, true, 7000);
    assert_int_equal(reassembly_deadline(&reassembly), 1000 + REASSEMBLY_TIME);
    assert_null(reassembly_expired(&reassembly, 999 + REASSEMBLY_TIME));
    struct reassembly_entry *late = reassembly_expired(&reassembly, 1000 + REASSEMBLY_TIME);
    assert_non_null(late);
    reassembly_drop(&reassembly, &owner, late);
    check();
    assert_int_equal(reassembly_deadline(&reassembly), 7000 + REASSEMBLY_TIME);
}

static void random_fragments_lose_no_buffer(void **state)
{
    (void)state;
    uint32_t random = 7, completed = 0;
    for (uint32_t step = 0; step < 50000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t a = random >> 8;
        uint32_t length = 8 * (a >> 13 & 3);
        uint64_t now = 1000 + step * (REASSEMBLY_TIME / 50);
        struct reassembly_entry *late = reassembly_expired(&reassembly, now);
        if (late)
            reassembly_drop(&reassembly, &owner, late);
        add_from(FAR_IP + (a & 3), a >> 2 & 1, 8 * (a >> 3 & 7), length ? length : 5,
                 length && (a >> 16 & 3), now);
        if (whole) {
            completed++;
            reassembly_drop(&reassembly, &owner, whole);
            check();
        }
    }
    assert_true(completed > 100);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fragments_in_order),
        TEST(fragments_in_every_order),
        TEST(the_first_fragment_is_quoted),
        TEST(different_datagrams_do_not_mix),
        TEST(duplicates_are_ignored),
        TEST(overlaps_refuse_the_datagram_and_its_rest),
        TEST(contradictory_ends_refuse_the_datagram),
        TEST(impossible_sizes_are_malformed),
        TEST(too_many_pieces_refuse_the_datagram),
        TEST(as_many_pieces_as_the_bound_are_whole),
        TEST(a_source_has_two_at_a_time),
        TEST(a_full_table_gives_up_the_oldest),
        TEST(held_buffers_are_bounded_for_all),
        TEST(one_datagram_alone_cannot_hold_too_many),
        TEST(age_is_counted_from_the_first_fragment),
        TEST(random_fragments_lose_no_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
