/* SPDX-License-Identifier: ISC
 *
 * See translations.h.
 */
#include "tests/explore/translations.h"

#include "kernel/arch/sim/machine.h"
#include "kernel/space.h"

enum {
    REMEMBERED_MAX = 512, /* translations of the running space */
    FLUSHES_MAX = 64,     /* of one step */
    PRESENT = 1,
};
#define ENTRY_ADDRESS 0x000ffffffffff000ull

static struct {
    struct {
        const uint64_t *entry;
        uint64_t value, address;
        bool table;
    } at[REMEMBERED_MAX];
    int count;
    struct {
        uint64_t address, pages; /* 0 pages: all */
    } flush[FLUSHES_MAX];
    int flushes;
} translations;

static void flushed(uint64_t address, uint64_t pages)
{
    if (translations.flushes < FLUSHES_MAX) {
        translations.flush[translations.flushes].address = address;
        translations.flush[translations.flushes++].pages = pages;
    }
}

static void remember_table(const uint64_t *table, int level, uint64_t base)
{
    for (uint64_t i = 0; i < (level == 4 ? 256 : 512); i++) {
        uint64_t address = base | i << (3 + 9 * level);
        if (!(table[i] & PRESENT) || translations.count == REMEMBERED_MAX)
            continue;
        int n = translations.count++;
        translations.at[n].entry = &table[i];
        translations.at[n].value = table[i];
        translations.at[n].address = address;
        translations.at[n].table = level > 1;
        if (level > 1)
            remember_table(phys_to_virt(table[i] & ENTRY_ADDRESS), level - 1, address);
    }
}

void translations_remember(void)
{
    translations.count = 0;
    if (sim_cpu.space)
        remember_table(sim_cpu.space->root, 4, 0);
}

/* Any flush forgets the entries that lead to tables. */
static bool was_flushed(int n)
{
    for (int i = 0; i < translations.flushes; i++) {
        uint64_t offset = translations.at[n].address - translations.flush[i].address;
        if (translations.flush[i].pages == 0 || translations.at[n].table ||
            offset / PAGE_BYTES < translations.flush[i].pages)
            return true;
    }
    return false;
}

void translations_check(void)
{
    for (int n = 0; n < translations.count; n++)
        if (*translations.at[n].entry != translations.at[n].value && !was_flushed(n))
            panic("a translation of 0x%lx was changed and not flushed",
                  (unsigned long)translations.at[n].address);
}

void translations_watch(void)
{
    sim.flushed = flushed;
}

void translations_step(void)
{
    translations.flushes = 0;
}
