/* SPDX-License-Identifier: ISC
 *
 * servers/init/backtrace_words.c: what stands behind a call, and which function it is in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/init/backtrace_words.h"

enum { TEXT_BYTES = 4096, OFFSET = 100 };

/* The last `bytes` in front of OFFSET; others there are 0x90. */
static bool behind(const uint8_t *code, size_t bytes)
{
    uint8_t before[CALL_BYTES_MAX];
    memset(before, 0x90, sizeof before);
    memcpy(before + sizeof before - bytes, code, bytes);
    return is_behind_call(before, OFFSET, TEXT_BYTES);
}

#define BEHIND(...) behind((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void calls_are_known(void **state)
{
    (void)state;
    assert_true(BEHIND(0xe8, 0, 0, 0, 0));
    assert_true(BEHIND(0xff, 0xd0));                            /* call *%rax */
    assert_true(BEHIND(0x41, 0xff, 0xd4));                      /* call *%r12 */
    assert_true(BEHIND(0xff, 0x10));                            /* call *(%rax) */
    assert_true(BEHIND(0xff, 0x50, 0x08));                      /* call *8(%rax) */
    assert_true(BEHIND(0xff, 0x14, 0xc8));                      /* call *(%rax,%rcx,8) */
    assert_true(BEHIND(0xff, 0x54, 0x24, 0x08));                /* call *8(%rsp) */
    assert_true(BEHIND(0xff, 0x93, 0x80, 0, 0, 0));             /* call *128(%rbx) */
    assert_true(BEHIND(0xff, 0x15, 0x80, 0, 0, 0));             /* call *128(%rip) */
    assert_true(BEHIND(0xff, 0x94, 0x24, 0x80, 0, 0, 0));       /* call *128(%rsp) */
    assert_true(BEHIND(0xff, 0x14, 0xc5, 0x00, 0x20, 0x40, 0)); /* call *0x402000(,%rax,8) */
}

static void other_bytes_are_no_calls(void **state)
{
    (void)state;
    assert_false(BEHIND(0x90));
    assert_false(BEHIND(0xe9, 0, 0, 0, 0));       /* jmp */
    assert_false(BEHIND(0xff, 0xe0));             /* jmp *%rax */
    assert_false(BEHIND(0xff, 0xd8));             /* no instruction */
    assert_false(BEHIND(0xff, 0xd0, 0x90));       /* a call, and one more */
    assert_false(BEHIND(0xff, 0x50));             /* without its displacement */
    assert_false(BEHIND(0xff, 0x14));             /* without its SIB byte */
    assert_false(BEHIND(0xff, 0x14, 0xc5));       /* without its displacement */
    assert_false(BEHIND(0xff, 0x93, 0x80, 0, 0)); /* likewise */
}

static bool calls(int32_t distance)
{
    uint8_t code[5] = {0xe8};
    memcpy(code + 1, &distance, sizeof distance);
    return behind(code, sizeof code);
}

static void a_direct_call_goes_into_the_text(void **state)
{
    (void)state;
    assert_true(calls(-OFFSET));
    assert_false(calls(-OFFSET - 1));
    assert_true(calls(TEXT_BYTES - OFFSET - 1));
    assert_false(calls(TEXT_BYTES - OFFSET));
    assert_false(calls(INT32_MIN));
    assert_false(calls(INT32_MAX));
}

static void any_bytes_are_read_within(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 256; first++)
        for (uint32_t second = 0; second < 256; second++) {
            uint8_t *before = malloc(CALL_BYTES_MAX); /* exactly: the sanitizer looks on */
            assert_non_null(before);
            for (uint32_t i = 0; i < CALL_BYTES_MAX; i++)
                before[i] = (uint8_t)(i % 2 ? second : first);
            is_behind_call(before, first, second);
            free(before);
        }
}

static void the_function_is_the_last_one_that_begins_before(void **state)
{
    (void)state;
    const struct image_symbol entries[] = {{16, 1}, {17, 2}, {40, 3}};
    struct image_symbols *symbols = malloc(sizeof *symbols + sizeof entries);
    assert_non_null(symbols);
    for (symbols->count = 0; symbols->count <= 3; symbols->count++) {
        memcpy(symbols->symbol, entries, symbols->count * sizeof entries[0]);
        for (uint64_t offset = 0; offset < 60; offset++) {
            uint32_t expected = 0;
            for (uint32_t i = 0; i < symbols->count; i++)
                if (entries[i].offset <= offset)
                    expected = entries[i].name;
            const struct image_symbol *found = symbol_find(symbols, offset);
            assert_int_equal(found ? found->name : 0, expected);
        }
    }
    free(symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_known),
        cmocka_unit_test(other_bytes_are_no_calls),
        cmocka_unit_test(a_direct_call_goes_into_the_text),
        cmocka_unit_test(any_bytes_are_read_within),
        cmocka_unit_test(the_function_is_the_last_one_that_begins_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
