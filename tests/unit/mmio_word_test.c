/* SPDX-License-Identifier: ISC
 *
 * servers/init/mmio_word.c: words of the command line that name a device, right ones and others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/init/mmio_word.h"

static void expect_block(const char *text, uint64_t address, uint32_t size, uint32_t line)
{
    struct mmio_block block;
    assert_null(mmio_word_parse(text, &block));
    assert_true(block.address == address);
    assert_int_equal(block.size, size);
    assert_int_equal(block.line, line);
}

static void the_words_of_qemu_and_firecracker_are_understood(void **state)
{
    (void)state;
    expect_block("512@0xfeb00e00:12", 0xfeb00e00, 512, 12);
    expect_block("4K@0xd0000000:5", 0xd0000000, 4096, 5);
    expect_block("0x200@3489660928:5:0", 0xd0000000, 512, 5);
    expect_block("4k@0XD0000000:23:17", 0xd0000000, 4096, 23);
    expect_block("64K@0x10000000000:1", 0x10000000000, 65536, 1);
}

static void expect_refused(const char *text)
{
    struct mmio_block block;
    if (!mmio_word_parse(text, &block))
        fail_msg("\"%s\" was taken", text);
}

static void other_words_are_refused(void **state)
{
    const char *const words[] = {
        "",
        "@",
        ":",
        "512",
        "512@",
        "512@0x",
        "512@0xfeb00e00",
        "512@0xfeb00e00:",
        "@0xfeb00e00:12",
        "512@0xfeb00e00:12:",
        "512@0xfeb00e00:12:x",
        "512@0xfeb00e00:12x",
        "512@0xfeb00e00:12:1 ",
        "512@feb00e00:12",
        "-512@0xfeb00e00:12",
        "512G@0xfeb00e00:12",
        "512 @0xfeb00e00:12",
        "512@0xfeb00e00:+12",
        "512@@0xfeb00e00:12",
        "512KK@0xfeb00e00:12",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        expect_refused(words[i]);
}

static void impossible_numbers_are_refused(void **state)
{
    const char *const words[] = {
        "255@0xfeb00e00:12", /* too short for the registers */
        "0@0xfeb00e00:12",
        "64M@0xfeb00000:12", /* too long */
        "65537@0xfeb00000:12",
        "512@0xfeb00e01:12",
        "512@0xfeb00e02:12", /* misaligned */
        "512@0xfeb00f00:12", /* across a page's end */
        "4K@0xd0000800:5",
        "4100@0xd0000000:5", /* parts of pages */
        "512@0xfeb00e00:0",  /* the timer's line */
        "512@0xfeb00e00:24",
        "512@0xfeb00e00:4294967308",
        "512@0xfeb00e00:18446744073709551628",
        "512@0xfffffffffffffe00:12", /* its end is 2^64 */
        "512@0xfffffffffffffffc:12",
        "512@0x1feb00e000000000000:12",
        "18446744073709552128@0xfeb00e00:12",
        "18014398509481985K@0xfeb00e00:12",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        expect_refused(words[i]);
}

/* Whatever the text: what is taken keeps its promises, and nothing behind the text is read. */
static void what_is_taken_makes_sense(void **state)
{
    static const char letters[] = "0123456789xKM@:@:afF \377";
    uint32_t taken = 0;
    (void)state;
    srand(5);
    for (uint32_t round = 0; round < 300000; round++) {
        const char *base = round & 1 ? "512@0xfeb00e00:12" : "4K@0xd0000000:5:1";
        size_t length = strlen(base);
        char *text = malloc(length + 1); /* the sanitizer watches its end */
        assert_non_null(text);
        memcpy(text, base, length + 1);
        for (int i = rand() % 3; i >= 0; i--)
            text[(size_t)rand() % length] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        if (rand() % 4 == 0)
            text[(size_t)rand() % length] = '\0';
        struct mmio_block block;
        if (!mmio_word_parse(text, &block)) {
            taken++;
            assert_in_range(block.size, 256, 65536);
            assert_in_range(block.line, 1, 23);
            assert_true(block.address % 4 == 0 && block.address + block.size > block.address);
            if (block.size < 4096)
                assert_true(mmio_first_page(&block) == mmio_last_page(&block));
            else
                assert_true(block.size % 4096 == 0 && block.address % 4096 == 0);
        }
        free(text);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_of_qemu_and_firecracker_are_understood),
        cmocka_unit_test(other_words_are_refused),
        cmocka_unit_test(impossible_numbers_are_refused),
        cmocka_unit_test(what_is_taken_makes_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
