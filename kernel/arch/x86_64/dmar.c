/* SPDX-License-Identifier: ISC
 *
 * From the root pointer to the IOMMUs' registers. See dmar.h.
 */
#include "kernel/arch/x86_64/dmar.h"

#include <stdbool.h>
#include <string.h>

#include "motet/abi.h"

/* Offsets. Nothing in these tables is aligned. */
enum {
    RSDP_BYTES = 20, /* what the first checksum covers */
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_XSDT = 24,
    RSDP_BYTES_2 = 36, /* from revision 2 on, with the second */
    TABLE_LENGTH = 4,
    TABLE_HEADER_BYTES = 36,
    DMAR_STRUCTURES = 48,
    STRUCTURE_LENGTH = 2,
    STRUCTURE_BYTES = 4, /* type and length */
    UNIT = 0,            /* type: DRHD */
    UNIT_SEGMENT = 6,
    UNIT_REGISTERS = 8,
    UNIT_BYTES = 16,
};

static uint64_t get(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static bool sums_up(const uint8_t *table, uint64_t bytes)
{
    uint8_t sum = 0;
    for (uint64_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + table[i]);
    return sum == 0;
}

/* A whole table whose checksum is right, and its length. NULL: there is none. */
static const uint8_t *table_at(uint64_t address, acpi_reach *reach, uint64_t *bytes)
{
    const uint8_t *table = reach(address, TABLE_HEADER_BYTES);
    if (!table)
        return NULL;
    *bytes = get(table + TABLE_LENGTH, 4);
    if (*bytes < TABLE_HEADER_BYTES || *bytes > ACPI_TABLE_BYTES_MAX)
        return NULL;
    table = reach(address, *bytes);
    return table && sums_up(table, *bytes) ? table : NULL;
}

/* Where the root table is, and how wide its entries are. 0: the pointer is damaged. */
static uint64_t root_table(uint64_t rsdp, acpi_reach *reach, uint32_t *width)
{
    const uint8_t *pointer = reach(rsdp, RSDP_BYTES);
    if (!pointer || memcmp(pointer, "RSD PTR ", 8) || !sums_up(pointer, RSDP_BYTES))
        return 0;
    *width = 4;
    if (pointer[RSDP_REVISION] < 2)
        return get(pointer + RSDP_RSDT, 4);
    pointer = reach(rsdp, RSDP_BYTES_2);
    if (!pointer || !sums_up(pointer, RSDP_BYTES_2))
        return 0;
    *width = 8;
    return get(pointer + RSDP_XSDT, 8);
}

static const char *unit_add(struct dmar *dmar, const uint8_t *unit, uint64_t length)
{
    if (length < UNIT_BYTES)
        return "an entry of its table is cut off";
    uint64_t registers = get(unit + UNIT_REGISTERS, 8);
    if (get(unit + UNIT_SEGMENT, 2))
        return "one is for another PCI segment";
    if (!registers || registers % PAGE_BYTES)
        return "its registers have no sound address";
    if (dmar->count == DMAR_UNITS_MAX)
        return "there are more units than the kernel has room for";
    dmar->unit[dmar->count++] = registers;
    return NULL;
}

static const char *units_read(const uint8_t *table, uint64_t bytes, struct dmar *dmar)
{
    const char *wrong = NULL;
    for (uint64_t at = DMAR_STRUCTURES, length; !wrong && at < bytes; at += length) {
        length = bytes - at < STRUCTURE_BYTES ? 0 : get(table + at + STRUCTURE_LENGTH, 2);
        if (length < STRUCTURE_BYTES || length > bytes - at)
            return "an entry of its table is cut off";
        if (get(table + at, 2) == UNIT)
            wrong = unit_add(dmar, table + at, length);
    }
    return wrong;
}

const char *dmar_find(uint64_t rsdp, acpi_reach *reach, struct dmar *dmar)
{
    uint32_t width;
    uint64_t bytes, root = root_table(rsdp, reach, &width);
    *dmar = (struct dmar){0};
    const uint8_t *list = root ? table_at(root, reach, &bytes) : NULL;
    if (!list)
        return "ACPI's tables are damaged or out of reach";
    for (uint64_t at = TABLE_HEADER_BYTES; bytes - at >= width; at += width) {
        uint64_t address = get(list + at, width), length;
        const uint8_t *signature = reach(address, 4);
        if (!signature || memcmp(signature, "DMAR", 4))
            continue;
        const uint8_t *table = table_at(address, reach, &length);
        const char *wrong = table ? units_read(table, length, dmar) : "its table is damaged";
        if (wrong)
            dmar->count = 0;
        return wrong;
    }
    return NULL;
}
