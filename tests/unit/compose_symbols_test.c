/* SPDX-License-Identifier: ISC
 *
 * tools/composer/symbols.c: which functions of a linked file get into the image, in which order,
 * and that the table is where and as large as was said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/elf_image.h"
#include "tools/composer/symbols.h"

enum { SYMBOLS_ADDED = 16, AT = 24 };

/* The image, and behind it a symbol table and names of the test's own. */
struct file {
    struct image image;
    Elf64_Sym symbol[SYMBOLS_ADDED];
    char names[256];
    uint32_t count, used;
};

static struct file *make_file(void)
{
    struct file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    file->image = make_image();
    file->image.section[SYMBOLS].sh_offset = offsetof(struct file, symbol);
    file->image.section[NAMES].sh_offset = offsetof(struct file, names);
    file->image.section[NAMES].sh_size = sizeof file->names;
    file->used = 1;
    return file;
}

static Elf64_Sym *add(struct file *file, const char *name, uint64_t address)
{
    Elf64_Sym *symbol = &file->symbol[file->count++];
    *symbol = (Elf64_Sym){.st_name = file->used,
                          .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                          .st_shndx = TEXT,
                          .st_value = address};
    strcpy(file->names + file->used, name);
    file->used += (uint32_t)strlen(name) + 1;
    file->image.section[SYMBOLS].sh_size = file->count * sizeof file->symbol[0];
    return symbol;
}

/* What is written at AT of a block that is exactly large enough. */
static uint8_t *put(const struct file *file, struct symbol_table *table, struct elf *elf)
{
    char problem[ELF_PROBLEM_BYTES];
    assert_true(elf_open(elf, (const uint8_t *)file, sizeof *file, problem));
    *table = (struct symbol_table){0};
    assert_true(symbols_read(table, elf));
    uint8_t *block = malloc(AT + symbols_bytes(table));
    assert_non_null(block);
    memset(block, 0xaa, AT + symbols_bytes(table));
    symbols_put(table, block, AT);
    for (uint32_t i = 0; i < AT; i++)
        assert_int_equal(block[i], 0xaa);
    return block;
}

static void expect(const struct file *file, const char *const *wanted, const uint32_t *offsets)
{
    struct symbol_table table;
    struct elf elf;
    uint8_t *block = put(file, &table, &elf);
    const struct image_symbols *symbols = (const void *)(block + AT);
    const uint32_t end = AT + symbols_bytes(&table);
    uint32_t name = AT + (uint32_t)sizeof *symbols;
    assert_int_equal(symbols->text_bytes, 64);
    for (uint32_t i = 0; i < symbols->count; i++) {
        assert_non_null(wanted[i]);
        assert_int_equal(symbols->symbol[i].offset, offsets[i]);
        assert_in_range(symbols->symbol[i].name, name, end - 1);
        assert_string_equal((const char *)block + symbols->symbol[i].name, wanted[i]);
    }
    assert_null(wanted[symbols->count]);
    assert_int_equal(block[end - 1], 0);
    free(table.functions);
    free(block);
}

static void functions_are_sorted_by_address(void **state)
{
    (void)state;
    struct file *file = make_file();
    add(file, "last", TEXT_ADDRESS + 63);
    add(file, "first", TEXT_ADDRESS);
    add(file, "middle.isra.0", TEXT_ADDRESS + 16);
    expect(file, (const char *const[]){"first", "middle.isra.0", "last", NULL},
           (const uint32_t[]){0, 16, 63});
    free(file);
}

static void what_is_no_function_of_the_text_is_left_out(void **state)
{
    (void)state;
    struct file *file = make_file();
    add(file, "before", TEXT_ADDRESS - 1);
    add(file, "behind", TEXT_ADDRESS + 64);
    add(file, "nowhere", UINT64_MAX);
    add(file, "constant", RODATA_ADDRESS);
    add(file, "", TEXT_ADDRESS + 1);
    add(file, "object", TEXT_ADDRESS + 2)->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
    add(file, "undefined", TEXT_ADDRESS + 3)->st_shndx = SHN_UNDEF;
    add(file, "cut", TEXT_ADDRESS + 4)->st_name = 100000;
    add(file, "function", TEXT_ADDRESS + 5);
    expect(file, (const char *const[]){"function", NULL}, (const uint32_t[]){5});
    free(file);
}

static void a_function_with_two_names_is_told_once(void **state)
{
    (void)state;
    struct file *file = make_file();
    add(file, "memmove", TEXT_ADDRESS + 8);
    add(file, "other", TEXT_ADDRESS + 9);
    add(file, "memcpy", TEXT_ADDRESS + 8);
    expect(file, (const char *const[]){"memcpy", "other", NULL}, (const uint32_t[]){8, 9});
    free(file);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    char name[IMAGE_SYMBOL_BYTES + 20], cut[IMAGE_SYMBOL_BYTES];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    memcpy(cut, name, sizeof cut);
    cut[sizeof cut - 1] = 0;
    struct file *file = make_file();
    add(file, name, TEXT_ADDRESS + 1);
    add(file, name + sizeof name - sizeof cut, TEXT_ADDRESS + 2); /* as long as can be */
    expect(file, (const char *const[]){cut, cut, NULL}, (const uint32_t[]){1, 2});
    free(file);
}

static void a_file_without_symbols_gives_an_empty_table(void **state)
{
    (void)state;
    struct file *file = make_file();
    expect(file, (const char *const[]){NULL}, (const uint32_t[]){0});
    file->image.section[SYMBOLS].sh_type = SHT_NULL;
    struct symbol_table table;
    struct elf elf;
    uint8_t *block = put(file, &table, &elf);
    assert_int_equal(table.count, 0);
    free(block);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_sorted_by_address),
        cmocka_unit_test(what_is_no_function_of_the_text_is_left_out),
        cmocka_unit_test(a_function_with_two_names_is_told_once),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(a_file_without_symbols_gives_an_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
