/* SPDX-License-Identifier: ISC
 *
 * servers/control/frame.c: frames out of a stream that may hold anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/crc.h"
#include "servers/control/frame.h"

/* Writes a request; returns its bytes. */
static uint32_t request_make(uint8_t *out, uint16_t op, uint32_t tag, const void *payload,
                             uint16_t length)
{
    struct control_header header = {.magic = CONTROL_MAGIC, .op = op, .length = length, .tag = tag};
    header.check = crc_add(0, &header, offsetof(struct control_header, check));
    uint32_t check = crc_add(0, payload, length);
    memcpy(out, &header, sizeof(header));
    memcpy(out + sizeof(header), payload, length);
    memcpy(out + sizeof(header) + length, &check, sizeof(check));
    return length + CONTROL_FRAME_EXTRA;
}

static void expect(struct frame_input *input, uint16_t op, uint32_t tag, const void *payload,
                   uint16_t length)
{
    struct frame frame;
    assert_true(frame_next(input, &frame));
    assert_int_equal(frame.op, op);
    assert_int_equal(frame.tag, tag);
    assert_int_equal(frame.length, length);
    assert_memory_equal(frame.payload, payload, length);
}

static void feed_all(struct frame_input *input, const uint8_t *bytes, uint32_t count)
{
    assert_int_equal(frame_feed(input, bytes, count), count);
}

/* The check value of CRC-32 in every table of CRCs. */
static void the_check_is_crc32(void **state)
{
    (void)state;
    assert_int_equal(crc_add(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc_add(0, "", 0), 0);
}

static void a_frame_comes_in_any_pieces(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_INPUT_MAX];
    uint32_t argument = 7, count = request_make(bytes, CONTROL_DOMAIN, 99, &argument, 4);
    for (uint32_t cut = 0; cut <= count; cut++) {
        struct frame_input input = {0};
        struct frame frame;
        feed_all(&input, bytes, cut);
        if (cut < count) {
            assert_false(frame_next(&input, &frame));
            feed_all(&input, bytes + cut, count - cut);
        }
        expect(&input, CONTROL_DOMAIN, 99, &argument, 4);
        assert_false(frame_next(&input, &frame));
        assert_int_equal(input.dropped, 0);
    }
}

static void the_longest_and_the_shortest(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_INPUT_MAX], payload[CONTROL_REQUEST_MAX];
    struct frame_input input = {0};
    memset(payload, 0xa5, sizeof(payload));
    feed_all(&input, bytes, request_make(bytes, 3, 1, payload, sizeof(payload)));
    expect(&input, 3, 1, payload, sizeof(payload));
    feed_all(&input, bytes, request_make(bytes, 3, 2, payload, 0));
    expect(&input, 3, 2, payload, 0);
}

static void a_longer_one_is_none(void **state)
{
    (void)state;
    struct frame_input input = {0};
    struct frame frame;
    struct control_header header = {
        .magic = CONTROL_MAGIC, .op = 1, .length = CONTROL_REQUEST_MAX + 1};
    header.check = crc_add(0, &header, offsetof(struct control_header, check));
    feed_all(&input, (uint8_t *)&header, sizeof(header));
    assert_false(frame_next(&input, &frame));
    assert_int_equal(input.held, 0);
    assert_int_equal(input.dropped, sizeof(header));
}

static void any_flipped_bit_spoils_a_frame_and_not_the_next(void **state)
{
    (void)state;
    uint8_t good[FRAME_INPUT_MAX], bad[FRAME_INPUT_MAX];
    uint32_t argument = 3, count = request_make(good, CONTROL_END, 5, &argument, 4);
    for (uint32_t bit = 0; bit < 8 * count; bit++) {
        struct frame_input input = {0};
        struct frame frame;
        memcpy(bad, good, count);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        feed_all(&input, bad, count);
        assert_false(frame_next(&input, &frame));
        feed_all(&input, good, count);
        expect(&input, CONTROL_END, 5, &argument, 4);
        assert_int_equal(input.dropped, count);
    }
}

/* Somebody who was here before left the beginning of a request: what who connects sends first
 * completes it. */
static void the_flush_completes_an_unfinished_request(void **state)
{
    (void)state;
    static const uint8_t flush[CONTROL_FLUSH_BYTES];
    uint8_t bytes[FRAME_INPUT_MAX], payload[CONTROL_REQUEST_MAX];
    memset(payload, 0x5a, sizeof(payload));
    uint32_t count = request_make(bytes, 2, 1, payload, sizeof(payload));
    for (uint32_t left = 1; left < count; left++) {
        struct frame_input input = {0};
        struct frame frame;
        uint32_t argument = 1;
        feed_all(&input, bytes, left);
        for (uint32_t fed = 0; fed < sizeof(flush);) {
            assert_false(frame_next(&input, &frame));
            fed += frame_feed(&input, flush + fed, sizeof(flush) - fed);
        }
        assert_false(frame_next(&input, &frame));
        uint8_t next[FRAME_INPUT_MAX];
        feed_all(&input, next, request_make(next, CONTROL_DOMAIN, 2, &argument, 4));
        expect(&input, CONTROL_DOMAIN, 2, &argument, 4);
    }
}

/* Whatever comes: there is always room for more, and a good frame behind a flush is found. */
static void noise_never_blocks_the_input(void **state)
{
    (void)state;
    static const uint8_t flush[CONTROL_FLUSH_BYTES];
    struct frame_input input = {0};
    struct frame frame;
    srand(1);
    for (uint32_t round = 0; round < 20000; round++) {
        uint8_t bytes[FRAME_FEED_MAX];
        uint32_t count = 1 + (uint32_t)rand() % FRAME_FEED_MAX, argument = round;
        const uint32_t magic = CONTROL_MAGIC;
        for (uint32_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)rand();
        if (count > 4 && rand() % 2)
            memcpy(bytes + rand() % (int)(count - 3), &magic, 4);
        feed_all(&input, bytes, count);
        while (frame_next(&input, &frame))
            ;
        assert_true(FRAME_INPUT_MAX - input.held >= FRAME_FEED_MAX);
        if (round % 16)
            continue;
        for (uint32_t fed = 0; fed < sizeof(flush);) {
            fed += frame_feed(&input, flush + fed, sizeof(flush) - fed);
            while (frame_next(&input, &frame))
                ;
        }
        uint8_t good[FRAME_INPUT_MAX];
        feed_all(&input, good, request_make(good, CONTROL_DOMAIN, round, &argument, 4));
        expect(&input, CONTROL_DOMAIN, round, &argument, 4);
    }
}

static void a_reply_is_wrapped(void **state)
{
    (void)state;
    uint8_t out[CONTROL_REPLY_MAX + CONTROL_FRAME_EXTRA];
    struct control_header header;
    uint32_t check;
    memset(out + sizeof(header), 0x11, 10);
    assert_int_equal(frame_finish(out, CONTROL_LOG, 42, 10), 10 + CONTROL_FRAME_EXTRA);
    memcpy(&header, out, sizeof(header));
    memcpy(&check, out + sizeof(header) + 10, sizeof(check));
    assert_int_equal(header.magic, CONTROL_MAGIC);
    assert_int_equal(header.op, CONTROL_LOG | CONTROL_REPLY);
    assert_int_equal(header.tag, 42);
    assert_int_equal(header.length, 10);
    assert_int_equal(header.check, crc_add(0, &header, 12));
    assert_int_equal(check, crc_add(0, out + sizeof(header), 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_is_crc32),
        cmocka_unit_test(a_frame_comes_in_any_pieces),
        cmocka_unit_test(the_longest_and_the_shortest),
        cmocka_unit_test(a_longer_one_is_none),
        cmocka_unit_test(any_flipped_bit_spoils_a_frame_and_not_the_next),
        cmocka_unit_test(the_flush_completes_an_unfinished_request),
        cmocka_unit_test(noise_never_blocks_the_input),
        cmocka_unit_test(a_reply_is_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
