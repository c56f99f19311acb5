/* SPDX-License-Identifier: ISC
 *
 * See symbols.h.
 */
#include "tools/composer/symbols.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    const struct elf_function *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return strcmp(a->name, b->name);
}

bool symbols_read(struct symbol_table *table, const struct elf *elf)
{
    const uint32_t count = elf_functions(elf, NULL, 0);
    table->text_bytes = (uint32_t)elf->text.bytes;
    if (!count)
        return true;
    table->functions = calloc(count, sizeof table->functions[0]);
    if (!table->functions)
        return false;
    elf_functions(elf, table->functions, count);
    qsort(table->functions, count, sizeof table->functions[0], compare);
    for (uint32_t i = 0; i < count; i++) /* a function with several names is told once */
        if (!i || table->functions[i].offset != table->functions[table->count - 1].offset)
            table->functions[table->count++] = table->functions[i];
    return true;
}

static uint32_t name_length(const char *name)
{
    return (uint32_t)strnlen(name, IMAGE_SYMBOL_BYTES - 1);
}

static uint32_t entry_bytes(const struct symbol_table *table)
{
    return (uint32_t)(sizeof(struct image_symbols) + table->count * sizeof(struct image_symbol));
}

uint32_t symbols_bytes(const struct symbol_table *table)
{
    uint32_t bytes = entry_bytes(table);
    for (uint32_t i = 0; i < table->count; i++)
        bytes += name_length(table->functions[i].name) + 1;
    return bytes;
}

void symbols_put(const struct symbol_table *table, uint8_t *block, uint32_t at)
{
    const struct image_symbols header = {.count = table->count, .text_bytes = table->text_bytes};
    uint8_t *entry = block + at + sizeof header;
    uint32_t name = at + entry_bytes(table);
    memcpy(block + at, &header, sizeof header);
    for (uint32_t i = 0; i < table->count; i++, entry += sizeof(struct image_symbol)) {
        const char *text = table->functions[i].name;
        const struct image_symbol symbol = {table->functions[i].offset, name};
        memcpy(entry, &symbol, sizeof symbol);
        memcpy(block + name, text, name_length(text));
        block[name + name_length(text)] = 0;
        name += name_length(text) + 1;
    }
}
