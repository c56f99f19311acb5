/* SPDX-License-Identifier: ISC
 *
 * kernel/arch/x86_64/dmar.c over tables that are right, and over damaged and hostile ones.
 */
#include <string.h>

#include "kernel/arch/x86_64/dmar.h"
#include "tests/unit/kernel_machine.h"

enum { RSDP = 0x100, RSDT = 0x201, XSDT = 0x301, DMAR = 0x403, ROOM = 0x1000 };

static uint8_t memory[ROOM];
static struct dmar dmar;

/* What lies beyond can't be reached. */
static const void *reach(uint64_t address, uint64_t bytes)
{
    return address < ROOM && bytes <= ROOM - address ? memory + address : NULL;
}

static void put(uint64_t at, uint64_t value, uint32_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static void sum(uint64_t table, uint64_t bytes, uint64_t at)
{
    uint8_t all = 0;
    memory[at] = 0;
    for (uint64_t i = 0; i < bytes; i++)
        all = (uint8_t)(all + memory[table + i]);
    memory[at] = (uint8_t)-all;
}

static void table(uint64_t at, const char *signature, uint32_t bytes)
{
    memcpy(memory + at, signature, 4);
    put(at + 4, bytes, 4);
    sum(at, bytes, at + 9);
}

static uint32_t dmar_bytes;

/* One more unit. */
static void unit(uint64_t registers, uint16_t segment)
{
    put(DMAR + dmar_bytes, 0 | 16 << 16, 4);
    put(DMAR + dmar_bytes + 6, segment, 2);
    put(DMAR + dmar_bytes + 8, registers, 8);
    dmar_bytes += 16;
    table(DMAR, "DMAR", dmar_bytes);
}

static int setup(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    memcpy(memory + RSDP, "RSD PTR ", 8);
    put(RSDP + 15, 2, 1);
    put(RSDP + 16, RSDT, 4);
    put(RSDP + 20, 36, 4);
    put(RSDP + 24, XSDT, 8);
    sum(RSDP, 20, RSDP + 8);
    sum(RSDP, 36, RSDP + 32);
    put(RSDT + 36, DMAR, 4);
    table(RSDT, "RSDT", 40);
    put(XSDT + 36, ROOM - 2, 8); /* out of reach: passed over */
    put(XSDT + 44, DMAR, 8);
    table(XSDT, "XSDT", 52);
    dmar_bytes = 48;
    unit(0xfed90000, 0);
    return 0;
}

static void refused_because(const char *why)
{
    assert_string_equal(dmar_find(RSDP, reach, &dmar), why);
    assert_int_equal(dmar.count, 0);
}

static void units_are_found_by_both_root_tables(void **state)
{
    (void)state;
    for (uint8_t revision = 0; revision <= 2; revision += 2) {
        memory[RSDP + 15] = revision;
        sum(RSDP, 20, RSDP + 8);
        sum(RSDP, 36, RSDP + 32);
        assert_null(dmar_find(RSDP, reach, &dmar));
        assert_int_equal(dmar.count, 1);
        assert_int_equal(dmar.unit[0], 0xfed90000);
    }
}

static void other_structures_are_passed_over(void **state)
{
    (void)state;
    put(DMAR + dmar_bytes, 1 | 24 << 16, 4); /* reserved memory */
    dmar_bytes += 24;
    unit(0xfed91000, 0);
    assert_null(dmar_find(RSDP, reach, &dmar));
    assert_int_equal(dmar.count, 2);
    assert_int_equal(dmar.unit[1], 0xfed91000);
}

static void no_table_is_no_fault(void **state)
{
    (void)state;
    memory[DMAR] = 'X';
    assert_null(dmar_find(RSDP, reach, &dmar));
    assert_int_equal(dmar.count, 0);
}

static void damaged_tables(void **state)
{
    (void)state;
    const char *acpi = "ACPI's tables are damaged or out of reach";
    memory[RSDP + 30] ^= 1;
    refused_because(acpi);
    setup(NULL);
    memory[RSDP] = 'X';
    refused_because(acpi);
    setup(NULL);
    memory[XSDT + 40] ^= 1;
    refused_because(acpi);
    setup(NULL);
    memory[DMAR + 40] ^= 1;
    refused_because("its table is damaged");
    assert_string_equal(dmar_find(ROOM - 4, reach, &dmar), acpi);
    assert_string_equal(dmar_find(UINT64_MAX - 3, reach, &dmar), acpi);
}

static void hostile_lengths(void **state)
{
    static const uint32_t lengths[] = {0, 35, ROOM, ACPI_TABLE_BYTES_MAX + 1, UINT32_MAX};
    (void)state;
    for (int i = 0; i < 5; i++) {
        put(DMAR + 4, lengths[i], 4);
        refused_because("its table is damaged");
    }
    setup(NULL);
    for (uint64_t length = 0; length < 16; length++) {
        put(DMAR + 50, length, 2);
        table(DMAR, "DMAR", dmar_bytes);
        refused_because("an entry of its table is cut off");
    }
    put(DMAR + 50, 17, 2);
    table(DMAR, "DMAR", dmar_bytes);
    refused_because("an entry of its table is cut off");
    setup(NULL);
    table(DMAR, "DMAR", dmar_bytes + 3);
    refused_because("an entry of its table is cut off");
}

static void units_that_make_no_sense(void **state)
{
    (void)state;
    unit(0xfed91000, 1);
    refused_because("one is for another PCI segment");
    setup(NULL);
    unit(0, 0);
    refused_because("its registers have no sound address");
    setup(NULL);
    unit(0xfed91800, 0);
    refused_because("its registers have no sound address");
    setup(NULL);
    for (uint64_t i = 1; i <= DMAR_UNITS_MAX; i++)
        unit(0xfed90000 + i * PAGE_BYTES, 0);
    refused_because("there are more units than the kernel has room for");
}

/* Whatever one byte is, nothing is read that can't be reached, and it ends. */
static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    unit(0xfed91000, 0);
    for (uint32_t at = 0; at < dmar_bytes; at++)
        for (uint32_t value = 0; value < 256; value++) {
            uint8_t was = memory[DMAR + at];
            memory[DMAR + at] = (uint8_t)value;
            if (at != 9)
                sum(DMAR, dmar_bytes, DMAR + 9);
            dmar_find(RSDP, reach, &dmar);
            assert_true(dmar.count <= DMAR_UNITS_MAX);
            memory[DMAR + at] = was;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(units_are_found_by_both_root_tables, setup),
        cmocka_unit_test_setup(other_structures_are_passed_over, setup),
        cmocka_unit_test_setup(no_table_is_no_fault, setup),
        cmocka_unit_test_setup(damaged_tables, setup),
        cmocka_unit_test_setup(hostile_lengths, setup),
        cmocka_unit_test_setup(units_that_make_no_sense, setup),
        cmocka_unit_test_setup(any_byte_may_be_wrong, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
