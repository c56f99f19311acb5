/* SPDX-License-Identifier: ISC
 *
 * tools/composer/elf.c on files made by hand: what is refused, and that no broken file is read
 * outside (each copy has exactly its size, so the sanitizer sees it).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/elf_image.h"
#include "tools/composer/elf.h"

static void assert_refused(const struct image *image, const char *why)
{
    struct elf elf;
    char problem[ELF_PROBLEM_BYTES];
    assert_false(elf_open(&elf, (const uint8_t *)image, sizeof *image, problem));
    if (!strstr(problem, why))
        fail_msg("\"%s\" doesn't say \"%s\"", problem, why);
    assert_non_null(strstr(problem, " — "));
}

static void whole_file_is_read(void **state)
{
    (void)state;
    struct image image = make_image();
    struct elf elf;
    char problem[ELF_PROBLEM_BYTES];
    uint64_t value = 0;
    assert_true(elf_open(&elf, (const uint8_t *)&image, sizeof image, problem));
    assert_int_equal(elf.text.address, TEXT_ADDRESS);
    assert_int_equal(elf.text.bytes, 64);
    assert_int_equal(elf.rodata.address, RODATA_ADDRESS);
    assert_true(elf_symbol(&elf, "_start", &value));
    assert_int_equal(value, TEXT_ADDRESS + 16);
    assert_false(elf_symbol(&elf, "_stop", &value));
}

static void reads_end_at_the_segment(void **state)
{
    (void)state;
    struct image image = make_image();
    struct elf elf;
    char problem[ELF_PROBLEM_BYTES];
    uint8_t out[64];
    assert_true(elf_open(&elf, (const uint8_t *)&image, sizeof image, problem));
    assert_true(elf_read(&elf, RODATA_ADDRESS, out, 32));
    assert_memory_equal(out, "first\0second", 13);
    assert_false(elf_read(&elf, RODATA_ADDRESS, out, 33));
    assert_false(elf_read(&elf, RODATA_ADDRESS + 32, out, 1));
    assert_false(elf_read(&elf, RODATA_ADDRESS - 1, out, 1));
    assert_false(elf_read(&elf, UINT64_MAX, out, 1));
    assert_true(elf_is_text(&elf, TEXT_ADDRESS + 63));
    assert_false(elf_is_text(&elf, TEXT_ADDRESS + 64));
    assert_false(elf_is_text(&elf, RODATA_ADDRESS));
}

static void strings_must_end(void **state)
{
    (void)state;
    struct image image = make_image();
    struct elf elf;
    char problem[ELF_PROBLEM_BYTES];
    assert_true(elf_open(&elf, (const uint8_t *)&image, sizeof image, problem));
    assert_string_equal(elf_string(&elf, RODATA_ADDRESS + 6, 6), "second");
    assert_null(elf_string(&elf, RODATA_ADDRESS + 6, 5));
    assert_null(elf_string(&elf, RODATA_ADDRESS + 24, 1000)); /* no end in the segment */
    assert_null(elf_string(&elf, 0, 10));
}

static void writable_data_is_named(void **state)
{
    (void)state;
    struct image image = make_image();
    image.section[DATA].sh_size = 4;
    assert_refused(&image, "writable static data in .data: tally (4 bytes, drv.c)");
    image.symbol[2].st_size = 0;
    assert_refused(&image, "no symbol names it");
}

static void wrong_headers_are_refused(void **state)
{
    (void)state;
    struct image image = make_image();
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_refused(&image, "no ELF64 file");
    image = make_image();
    image.header.e_machine = EM_AARCH64;
    assert_refused(&image, "for machine 183");
    image = make_image();
    image.header.e_type = ET_DYN;
    assert_refused(&image, "no static executable");
    image = make_image();
    image.header.e_phnum = 33;
    assert_refused(&image, "33 segments");
    image = make_image();
    image.header.e_entry = RODATA_ADDRESS;
    assert_refused(&image, "entry isn't in the text");
}

static void wrong_segments_are_refused(void **state)
{
    (void)state;
    struct image image = make_image();
    image.segment[0].p_flags |= PF_W;
    assert_refused(&image, "both writable and executable");
    image = make_image();
    image.segment[2].p_memsz = 8;
    assert_refused(&image, "a segment is writable");
    image = make_image();
    image.segment[1].p_flags |= PF_X;
    assert_refused(&image, "two text segments");
    image = make_image();
    image.segment[2].p_type = PT_TLS;
    assert_refused(&image, "thread-local storage");
    image = make_image();
    image.segment[1].p_memsz++;
    assert_refused(&image, "isn't wholly in the file");
    image = make_image();
    image.segment[1].p_offset = sizeof image - 1;
    assert_refused(&image, "isn't wholly in the file");
    image = make_image();
    image.segment[1].p_vaddr = UINT64_MAX - 8;
    assert_refused(&image, "isn't wholly in the file");
    image = make_image();
    image.segment[0].p_memsz = image.segment[0].p_filesz = 0;
    assert_refused(&image, "no text");
}

/* Everything that can be asked of a file, on a copy of exactly `size` bytes. */
static void ask_everything(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct elf elf;
    char problem[ELF_PROBLEM_BYTES];
    uint8_t out[64];
    uint64_t value;
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    if (elf_open(&elf, copy, size, problem)) {
        elf_symbol(&elf, "missing", &value);
        elf_read(&elf, elf.text.address, out, sizeof out);
        elf_read(&elf, elf.rodata.address, out, sizeof out);
        elf_string(&elf, elf.rodata.address + 6, 100);
    }
    free(copy);
}

static void truncated_files_are_read_within(void **state)
{
    (void)state;
    struct image image = make_image();
    image.section[DATA].sh_size = 4; /* so that symbols are looked at */
    for (size_t size = 0; size <= sizeof image; size++)
        ask_everything((const uint8_t *)&image, size);
    image.section[DATA].sh_size = 0;
    for (size_t size = 0; size <= sizeof image; size++)
        ask_everything((const uint8_t *)&image, size);
}

static void changed_bytes_are_read_within(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (int writable = 0; writable < 2; writable++) {
        for (size_t at = 0; at < offsetof(struct image, text); at++) {
            struct image image = make_image();
            image.section[DATA].sh_size = writable ? 4 : 0;
            for (size_t i = 0; i < sizeof values; i++) {
                ((uint8_t *)&image)[at] = values[i];
                ask_everything((const uint8_t *)&image, sizeof image);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file_is_read),
        cmocka_unit_test(reads_end_at_the_segment),
        cmocka_unit_test(strings_must_end),
        cmocka_unit_test(writable_data_is_named),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(wrong_segments_are_refused),
        cmocka_unit_test(truncated_files_are_read_within),
        cmocka_unit_test(changed_bytes_are_read_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
