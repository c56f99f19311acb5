/* SPDX-License-Identifier: ISC
 *
 * kernel/arch/x86_64/dmar.c: ACPI's tables as firmware writes them, and as it shouldn't.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/x86_64/dmar.h"

/* Memory from BASE on; a table each 256 bytes. */
enum {
    BASE = 0x1000,
    BYTES = 2048,
    RSDP = BASE,
    ROOT = BASE + 256,
    OTHER = BASE + 512,
    DMAR = BASE + 768
};
static uint8_t memory[BYTES];
static void *shown[4096];
static int shown_count;
static struct dmar dmar;

/* A copy of exactly what was asked for: who reads beyond it is caught. */
static const void *reach(uint64_t address, uint64_t bytes)
{
    if (address < BASE || address - BASE > BYTES || bytes > BYTES - (address - BASE))
        return NULL;
    assert_true(shown_count < 4096);
    void *copy = malloc(bytes);
    memcpy(copy, memory + (address - BASE), bytes);
    return shown[shown_count++] = copy;
}

static const char *find(uint64_t rsdp)
{
    const char *wrong = dmar_find(rsdp, reach, &dmar);
    while (shown_count)
        free(shown[--shown_count]);
    return wrong;
}

static uint8_t *at(uint64_t address)
{
    return memory + (address - BASE);
}

static void put(uint64_t address, uint64_t value, size_t bytes)
{
    memcpy(at(address), &value, bytes);
}

static void sum(uint64_t address, uint64_t bytes, uint64_t where)
{
    uint8_t total = 0;
    *at(where) = 0;
    for (uint64_t i = 0; i < bytes; i++)
        total = (uint8_t)(total + at(address)[i]);
    *at(where) = (uint8_t)-total;
}

static void table(uint64_t address, const char *signature, uint32_t bytes)
{
    memcpy(at(address), signature, 4);
    put(address + 4, bytes, 4);
    sum(address, bytes, address + 9);
}

static void unit(uint64_t address, uint16_t type, uint16_t length, uint16_t segment,
                 uint64_t registers)
{
    put(address, type, 2);
    put(address + 2, length, 2);
    put(address + 6, segment, 2);
    put(address + 8, registers, 8);
}

static void rsdp(uint8_t revision)
{
    memcpy(at(RSDP), "RSD PTR ", 8);
    *at(RSDP + 15) = revision;
    put(RSDP + 16, ROOT, 4);
    put(RSDP + 24, ROOT, 8);
    sum(RSDP, 20, RSDP + 8);
    sum(RSDP, 36, RSDP + 32);
}

/* Two tables, the second of which has two units with something else between them. */
static void machine(uint8_t revision)
{
    uint32_t width = revision < 2 ? 4 : 8;
    memset(memory, 0, sizeof(memory));
    rsdp(revision);
    put(ROOT + 36, OTHER, width);
    put(ROOT + 36 + width, DMAR, width);
    table(ROOT, revision < 2 ? "RSDT" : "XSDT", 36 + 2 * width);
    table(OTHER, "APIC", 44);
    unit(DMAR + 48, 0, 24, 0, 0xfed90000);
    unit(DMAR + 72, 1, 24, 0, 1);
    unit(DMAR + 96, 0, 16, 0, 0xfed91000);
    table(DMAR, "DMAR", 112);
}

static void units_are_found(void **state)
{
    (void)state;
    for (uint8_t revision = 0; revision <= 2; revision += 2) {
        machine(revision);
        assert_null(find(RSDP));
        assert_int_equal(dmar.count, 2);
        assert_int_equal(dmar.unit[0], 0xfed90000);
        assert_int_equal(dmar.unit[1], 0xfed91000);
    }
}

static void a_machine_without_the_table_has_none(void **state)
{
    (void)state;
    machine(2);
    memcpy(at(DMAR), "SRAT", 4);
    assert_null(find(RSDP));
    assert_int_equal(dmar.count, 0);
}

static void wrong(const char *text)
{
    const char *found = find(RSDP);
    assert_non_null(found);
    assert_non_null(strstr(found, text));
    assert_int_equal(dmar.count, 0);
}

static void what_is_damaged_is_not_used(void **state)
{
    (void)state;
    machine(2);
    assert_non_null(find(0));
    assert_non_null(find(UINT64_MAX));
    *at(RSDP + 3) ^= 1;
    wrong("damaged or out of reach");
    machine(2);
    *at(RSDP + 33) ^= 1; /* the second checksum's */
    wrong("damaged or out of reach");
    machine(2);
    put(RSDP + 24, 1ull << 40, 8);
    sum(RSDP, 36, RSDP + 32);
    wrong("damaged or out of reach");
    machine(2);
    *at(ROOT + 9) ^= 1;
    wrong("damaged or out of reach");
    machine(2);
    *at(DMAR + 9) ^= 1;
    wrong("its table is damaged");
    machine(2);
    put(DMAR + 4, 35, 4);
    wrong("its table is damaged");
    machine(2);
    put(DMAR + 4, UINT32_MAX, 4);
    wrong("its table is damaged");
}

static void units_that_make_no_sense_are_not_used(void **state)
{
    (void)state;
    const uint16_t lengths[] = {0, 3, 15, 300, UINT16_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        machine(2);
        put(DMAR + 98, lengths[i], 2);
        table(DMAR, "DMAR", 112);
        wrong("cut off");
    }
    machine(2);
    unit(DMAR + 96, 0, 16, 1, 0xfed91000);
    table(DMAR, "DMAR", 112);
    wrong("another PCI segment");
    machine(2);
    unit(DMAR + 96, 0, 16, 0, 0xfed91008);
    table(DMAR, "DMAR", 112);
    wrong("no sound address");
    machine(2);
    for (int i = 0; i <= DMAR_UNITS_MAX; i++)
        unit(DMAR + 48 + 16 * (uint64_t)i, 0, 16, 0, 0xfed90000);
    table(DMAR, "DMAR", 48 + 16 * (DMAR_UNITS_MAX + 1));
    wrong("more units");
}

/* Whatever the bytes are, with checksums made right so that they are believed. */
static void random_damage_is_survived(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 30000; round++) {
        machine(rand() % 2 ? 2 : 0);
        for (int i = rand() % 6; i >= 0; i--)
            memory[rand() % (DMAR - BASE + 128)] = (uint8_t)rand();
        sum(RSDP, 20, RSDP + 8);
        sum(RSDP, 36, RSDP + 32);
        for (uint64_t address = ROOT; address <= DMAR; address += 256) {
            uint32_t bytes;
            memcpy(&bytes, at(address + 4), 4);
            if (bytes >= 36 && bytes <= BYTES - (address - BASE))
                sum(address, bytes, address + 9);
        }
        const char *text = find(RSDP);
        assert_true(!text || dmar.count == 0);
        assert_true(dmar.count <= DMAR_UNITS_MAX);
        for (uint32_t i = 0; i < dmar.count; i++)
            assert_true(dmar.unit[i] && dmar.unit[i] % 4096 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_found),
        cmocka_unit_test(a_machine_without_the_table_has_none),
        cmocka_unit_test(what_is_damaged_is_not_used),
        cmocka_unit_test(units_that_make_no_sense_are_not_used),
        cmocka_unit_test(random_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
