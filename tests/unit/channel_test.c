/* SPDX-License-Identifier: ISC
 *
 * ipc/channel.c: two sides of one channel in one process, one step at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/channel.h"

enum { SLOTS = 8 };

/* Two sides; side n writes ring n. */
struct pair {
    struct ring *ring[2];
    struct channel channel[2];
    struct conn conn[2];
    uint64_t broken[2];
};

static void side_init(struct pair *pair, int n)
{
    channel_init(&pair->channel[n], pair->ring[n], pair->ring[!n], SLOTS, &pair->broken[n]);
    pair->conn[n] =
        (struct conn){.put = channel_put, .room = channel_room, .transport = &pair->channel[n]};
}

/* All indices begin at `first`. */
static struct pair *pair_create_at(uint32_t first)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    for (int n = 0; n < 2; n++) {
        pair->ring[n] = aligned_alloc(64, ring_bytes(SLOTS));
        memset(pair->ring[n], 0, ring_bytes(SLOTS));
        pair->ring[n]->produced = pair->ring[n]->done = pair->ring[n]->current = first;
    }
    side_init(pair, 0);
    side_init(pair, 1);
    return pair;
}

static struct pair *pair_create(void)
{
    return pair_create_at(0);
}

static void pair_free(struct pair *pair)
{
    free(pair->ring[0]);
    free(pair->ring[1]);
    free(pair);
}

static enum error put(struct pair *pair, int n, uint64_t number)
{
    struct msg m = {.op = 7, .w = {number, 0, 0, 0, 0, ~number}};
    return conn_send(&pair->conn[n], &m);
}

static void publish(struct pair *pair, int n)
{
    channel_publish_put(&pair->channel[n]);
    channel_publish_taken(&pair->channel[n]);
}

static void take_next(struct channel *channel, struct msg *m)
{
    channel_read(channel, channel->taken, m);
    channel_took(channel, channel->taken + 1);
}

static uint64_t take(struct pair *pair, int n)
{
    struct msg m;
    assert_true(channel_arrived(&pair->channel[n]) > 0);
    take_next(&pair->channel[n], &m);
    assert_int_equal(m.op, 7);
    assert_int_equal(m.w[5], ~m.w[0]);
    return m.w[0];
}

/* Publishes what `n` has done. Does it ring? */
static bool rings(struct pair *pair, int n)
{
    publish(pair, n);
    return channel_bell(&pair->channel[n]);
}

static void messages_arrive_in_order_after_publish(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(put(pair, 0, i), OK);
    assert_int_equal(channel_arrived(&pair->channel[1]), 0);
    publish(pair, 0);
    assert_int_equal(channel_arrived(&pair->channel[1]), 5);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(take(pair, 1), i);
    assert_int_equal(channel_arrived(&pair->channel[1]), 0);
    assert_int_equal(channel_arrived(&pair->channel[0]), 0);
    pair_free(pair);
}

static void a_full_ring_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < SLOTS; i++) {
        assert_int_equal(conn_room(&pair->conn[0]), SLOTS - i);
        assert_int_equal(put(pair, 0, i), OK);
    }
    assert_int_equal(put(pair, 0, 99), ERROR_FULL);
    assert_int_equal(conn_room(&pair->conn[0]), 0);
    publish(pair, 0);
    for (uint64_t i = 0; i < SLOTS; i++)
        assert_int_equal(take(pair, 1), i);
    pair_free(pair);
}

static void room_comes_when_the_taker_publishes(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < SLOTS; i++)
        put(pair, 0, i);
    publish(pair, 0);
    take(pair, 1);
    take(pair, 1);
    assert_int_equal(put(pair, 0, 99), ERROR_FULL); /* taken, but not done */
    publish(pair, 1);
    assert_int_equal(conn_room(&pair->conn[0]), 2);
    assert_int_equal(put(pair, 0, 99), OK);
    pair_free(pair);
}

static void both_ways_go_on_across_the_wrap_of_indices(void **state)
{
    (void)state;
    struct pair *pair = pair_create_at(UINT32_MAX - 20);
    for (uint64_t i = 0; i < 100; i++) {
        for (int n = 0; n < 2; n++) {
            assert_int_equal(put(pair, n, i), OK);
            publish(pair, n);
            assert_int_equal(take(pair, !n), i);
            publish(pair, !n);
        }
    }
    assert_int_equal(conn_room(&pair->conn[0]), SLOTS);
    assert_int_equal(pair->broken[0] + pair->broken[1], 0);
    pair_free(pair);
}

static void an_entry_put_back_comes_again(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    put(pair, 0, 2);
    publish(pair, 0);
    struct msg m;
    channel_read(&pair->channel[1], 0, &m);
    assert_int_equal(m.w[0], 1);
    assert_int_equal(pair->ring[1]->current, 1);
    channel_took(&pair->channel[1], 0); /* refused */
    assert_int_equal(pair->ring[1]->current, 0);
    assert_int_equal(take(pair, 1), 1);
    assert_int_equal(take(pair, 1), 2);
    pair_free(pair);
}

static void current_names_what_is_in_hand(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    put(pair, 0, 2);
    publish(pair, 0);
    take(pair, 1);
    assert_int_equal(pair->ring[1]->done, 0);
    assert_int_equal(pair->ring[1]->current, 1);
    publish(pair, 1);
    assert_int_equal(pair->ring[1]->done, 1);
    pair_free(pair);
}

static void a_new_life_takes_again_what_was_in_hand(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < 4; i++)
        put(pair, 0, i);
    publish(pair, 0);
    take(pair, 1);
    publish(pair, 1);
    take(pair, 1);
    put(pair, 1, 50); /* never published */
    side_init(pair, 1);
    assert_int_equal(pair->ring[1]->generation, 2);
    assert_int_equal(pair->ring[1]->current, 1);
    assert_int_equal(take(pair, 1), 1);
    assert_int_equal(take(pair, 1), 2);
    assert_int_equal(put(pair, 1, 60), OK);
    publish(pair, 1);
    assert_int_equal(take(pair, 0), 60);
    pair_free(pair);
}

/* Between publishing and ringing a life may end: the next one can't know, so it rings. */
static void a_new_life_rings_for_what_the_last_one_published(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    channel_sleep(&pair->channel[0], false);
    assert_int_equal(put(pair, 1, 1), OK);
    publish(pair, 1);
    side_init(pair, 1);
    assert_true(channel_bell(&pair->channel[1]));
    assert_false(channel_bell(&pair->channel[1]));
    channel_sleep(&pair->channel[1], false); /* and again, by who now dies asleep */
    side_init(pair, 1);
    assert_true(channel_bell(&pair->channel[1]));
    pair_free(pair);
}

/* A wish that nobody fulfilled is over when its life is: the next one is another. */
static void a_new_life_can_be_rung_as_the_last_one(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 1; i <= 3; i++) {
        channel_sleep(&pair->channel[1], false);
        assert_int_equal(put(pair, 0, i), OK);
        assert_true(rings(pair, 0));
        side_init(pair, 1);
        channel_awake(&pair->channel[1]); /* as each round begins */
        assert_int_equal(pair->ring[1]->sleeping & 1, 0);
    }
    pair_free(pair);
}

static void nobody_is_rung_while_awake(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    assert_false(rings(pair, 0));
    take(pair, 1);
    assert_false(rings(pair, 1));
    pair_free(pair);
}

static void a_sleeper_is_rung_once_per_sleep(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    channel_sleep(&pair->channel[1], false);
    assert_false(channel_changed(&pair->channel[1], false));
    put(pair, 0, 1);
    assert_true(rings(pair, 0));
    put(pair, 0, 2);
    assert_false(rings(pair, 0)); /* the first ring is still pending */
    channel_awake(&pair->channel[1]);
    put(pair, 0, 3);
    assert_false(rings(pair, 0));
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(take(pair, 1), i);
    channel_sleep(&pair->channel[1], false);
    assert_false(channel_changed(&pair->channel[1], false));
    put(pair, 0, 4);
    assert_true(rings(pair, 0));
    pair_free(pair);
}

static void a_sleeper_is_not_rung_for_room_it_does_not_want(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    publish(pair, 0);
    channel_sleep(&pair->channel[0], false);
    take(pair, 1);
    assert_false(rings(pair, 1));
    pair_free(pair);
}

static void who_found_the_ring_full_is_rung_for_room(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < SLOTS; i++)
        put(pair, 0, i);
    publish(pair, 0);
    assert_int_equal(put(pair, 0, 99), ERROR_FULL);
    channel_sleep(&pair->channel[0], false);
    assert_false(channel_changed(&pair->channel[0], false));
    take(pair, 1);
    assert_true(rings(pair, 1));
    take(pair, 1);
    assert_false(rings(pair, 1));
    channel_awake(&pair->channel[0]);
    assert_true(channel_room_came(&pair->channel[0]));
    assert_int_equal(put(pair, 0, 99), OK);
    assert_false(channel_room_came(&pair->channel[0]));
    pair_free(pair);
}

static void room_that_came_before_sleep_is_seen(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    for (uint64_t i = 0; i < SLOTS; i++)
        put(pair, 0, i);
    publish(pair, 0);
    conn_room(&pair->conn[0]);
    take(pair, 1);
    publish(pair, 1);
    channel_sleep(&pair->channel[0], false);
    assert_true(channel_changed(&pair->channel[0], false));
    pair_free(pair);
}

static void a_message_that_came_before_sleep_is_seen(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    publish(pair, 0);
    channel_sleep(&pair->channel[1], false);
    assert_true(channel_changed(&pair->channel[1], false));
    pair_free(pair);
}

static void a_stalled_channel_wants_room_but_no_messages(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 0, 1);
    put(pair, 1, 2);
    publish(pair, 0);
    publish(pair, 1);
    pair->channel[1].stalled = true;
    channel_note_room(&pair->channel[1]);
    channel_sleep(&pair->channel[1], true);
    assert_false(channel_changed(&pair->channel[1], true));
    put(pair, 0, 3);
    assert_false(rings(pair, 0));
    take(pair, 0);
    assert_true(rings(pair, 0));
    assert_true(channel_changed(&pair->channel[1], true));
    pair_free(pair);
}

static void a_peer_that_claims_too_many_entries_is_given_up(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    pair->ring[1]->produced = SLOTS + 1;
    assert_int_equal(channel_arrived(&pair->channel[0]), 0);
    assert_int_equal(channel_arrived(&pair->channel[0]), 0);
    assert_int_equal(pair->broken[0], 1);
    pair->ring[1]->produced = 1; /* too late */
    assert_int_equal(channel_arrived(&pair->channel[0]), 0);
    assert_int_equal(conn_room(&pair->conn[0]), 0);
    assert_int_equal(put(pair, 0, 1), ERROR_FULL);
    channel_sleep(&pair->channel[0], true);
    assert_false(channel_changed(&pair->channel[0], true));
    pair_free(pair);
}

static void a_peer_that_takes_entries_back_is_given_up(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    put(pair, 1, 1);
    publish(pair, 1);
    take(pair, 0);
    pair->ring[1]->produced = 0;
    assert_int_equal(channel_arrived(&pair->channel[0]), 0);
    assert_int_equal(pair->broken[0], 1);
    pair_free(pair);
}

static void a_peer_that_is_done_with_what_was_never_sent_is_given_up(void **state)
{
    (void)state;
    struct pair *pair = pair_create();
    pair->ring[1]->done = 1;
    assert_int_equal(put(pair, 0, 1), ERROR_FULL);
    assert_int_equal(conn_room(&pair->conn[0]), 0);
    assert_int_equal(pair->broken[0], 1);
    pair_free(pair);
}

/* Whatever the peer's page holds, at any moment: no access outside (the sanitizer's part), never
 * more than `slots` messages from one look, no room beyond `slots`. */
static void random_peers_do_no_harm(void **state)
{
    (void)state;
    srandom(1);
    for (int run = 0; run < 300; run++) {
        struct pair *pair = pair_create();
        for (int step = 0; step < 60; step++) {
            uint8_t *bytes = (uint8_t *)pair->ring[1];
            size_t at = (size_t)random() % sizeof(struct ring);
            if (random() % 2)
                bytes[at] = (uint8_t)random();
            else
                pair->ring[1]->produced += (uint32_t)random() % 3;
            uint32_t arrived = channel_arrived(&pair->channel[0]);
            assert_in_range(arrived, 0, SLOTS);
            for (struct msg m; arrived; arrived--)
                take_next(&pair->channel[0], &m);
            assert_in_range(conn_room(&pair->conn[0]), 0, SLOTS);
            put(pair, 0, (uint64_t)step);
            rings(pair, 0);
            channel_sleep(&pair->channel[0], step & 1);
            channel_changed(&pair->channel[0], step & 1);
            channel_awake(&pair->channel[0]);
        }
        assert_in_range(pair->broken[0], 0, 1);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_order_after_publish),
        cmocka_unit_test(a_full_ring_refuses_and_keeps_what_it_has),
        cmocka_unit_test(room_comes_when_the_taker_publishes),
        cmocka_unit_test(both_ways_go_on_across_the_wrap_of_indices),
        cmocka_unit_test(an_entry_put_back_comes_again),
        cmocka_unit_test(current_names_what_is_in_hand),
        cmocka_unit_test(a_new_life_takes_again_what_was_in_hand),
        cmocka_unit_test(a_new_life_rings_for_what_the_last_one_published),
        cmocka_unit_test(a_new_life_can_be_rung_as_the_last_one),
        cmocka_unit_test(nobody_is_rung_while_awake),
        cmocka_unit_test(a_sleeper_is_rung_once_per_sleep),
        cmocka_unit_test(a_sleeper_is_not_rung_for_room_it_does_not_want),
        cmocka_unit_test(who_found_the_ring_full_is_rung_for_room),
        cmocka_unit_test(room_that_came_before_sleep_is_seen),
        cmocka_unit_test(a_message_that_came_before_sleep_is_seen),
        cmocka_unit_test(a_stalled_channel_wants_room_but_no_messages),
        cmocka_unit_test(a_peer_that_claims_too_many_entries_is_given_up),
        cmocka_unit_test(a_peer_that_takes_entries_back_is_given_up),
        cmocka_unit_test(a_peer_that_is_done_with_what_was_never_sent_is_given_up),
        cmocka_unit_test(random_peers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
