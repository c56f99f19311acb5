/* SPDX-License-Identifier: ISC
 *
 * See mappings.h. Bounds: SPACES_MAX spaces, RUNS_MAX runs of pages each; a machine with more ends
 * the process. A page of device memory holds what the simulator put there (device_window).
 */
#include "kernel/arch/sim/mappings.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "kernel/arch/sim/arena.h"
#include "kernel/arch/sim/machine.h"

enum {
    SPACES_MAX = 64,
    RUNS_MAX = 256,
    ENTRIES = 512,
    USER_ENTRIES = 256,
    PRESENT = 1,
    WRITABLE = 2,
    LARGE = 128,
};
#define PHYSICAL_BITS 0x000ffffffffff000ull

/* Pages with consecutive addresses, in the space and in memory, and the same rights. */
struct run {
    uint64_t address, physical, pages;
    bool writable;
};

struct view {
    uint64_t root; /* physical address of the root table; 0: unused */
    bool stale;    /* its tables may say something else by now */
    bool evicted;  /* another space has taken some of its addresses */
    uint32_t count;
    struct run runs[RUNS_MAX];
};

static struct view views[SPACES_MAX];
static struct run found[RUNS_MAX];
static uint32_t found_count;

void sim_mappings_changed(void)
{
    for (int i = 0; i < SPACES_MAX; i++)
        views[i].stale = true;
}

void sim_mappings_replaced(void)
{
    sim_mappings_changed();
    for (int i = 0; i < SPACES_MAX; i++)
        for (uint32_t n = 0; n < views[i].count; n++)
            ASAN_UNPOISON_MEMORY_REGION((void *)views[i].runs[n].address,
                                        views[i].runs[n].pages * PAGE_BYTES);
}

static bool continues(const struct run *run, uint64_t address, uint64_t physical, bool writable)
{
    return run->address + run->pages * PAGE_BYTES == address &&
           run->physical + run->pages * PAGE_BYTES == physical && run->writable == writable;
}

static void found_add(uint64_t address, uint64_t entry)
{
    uint64_t physical = entry & PHYSICAL_BITS;
    bool writable = entry & WRITABLE;
    if (found_count && continues(&found[found_count - 1], address, physical, writable)) {
        found[found_count - 1].pages++;
        return;
    }
    if (found_count == RUNS_MAX)
        panic("the simulator can show a space %d pieces of memory at most", RUNS_MAX);
    found[found_count++] = (struct run){address, physical, 1, writable};
}

static void found_add_large(uint64_t address, uint64_t entry)
{
    for (uint64_t i = 0; i < ENTRIES; i++)
        found_add(address + i * PAGE_BYTES, entry + i * PAGE_BYTES);
}

static void walk(const uint64_t *table, int level, uint64_t address)
{
    for (uint64_t i = 0; i < (level == 4 ? USER_ENTRIES : ENTRIES); i++) {
        uint64_t here = address | i << (3 + 9 * level);
        if (!(table[i] & PRESENT))
            continue;
        if (level == 1)
            found_add(here, table[i]);
        else if (table[i] & LARGE)
            found_add_large(here, table[i]);
        else
            walk(phys_to_virt(table[i] & PHYSICAL_BITS), level - 1, here);
    }
}

uint64_t sim_translate(const struct space *space, uint64_t address)
{
    const uint64_t *table = space->root;
    for (int level = 4;; level--) {
        uint64_t entry = table[address >> (3 + 9 * level) & (ENTRIES - 1)];
        if (!(entry & PRESENT))
            return 0;
        if (level == 1)
            return (entry & PHYSICAL_BITS) | address % PAGE_BYTES;
        if (entry & LARGE)
            return (entry & PHYSICAL_BITS) | address % (ENTRIES * PAGE_BYTES);
        table = phys_to_virt(entry & PHYSICAL_BITS);
    }
}

static bool is_memory(uint64_t physical)
{
    return physical >= SIM_MEMORY_FIRST && physical < SIM_MEMORY_FIRST + sim_pages * PAGE_BYTES;
}

static void unmap(const struct run *run)
{
    munmap((void *)run->address, run->pages * PAGE_BYTES);
}

/* False: the host has something else there, so the domain meets a fault. */
static bool map(const struct run *run)
{
    bool memory = is_memory(run->physical);
    int protection = PROT_READ | (run->writable && memory ? PROT_WRITE : 0);
    int flags = MAP_FIXED_NOREPLACE | (memory ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    void *at =
        mmap((void *)run->address, run->pages * PAGE_BYTES,
             memory ? protection : PROT_READ | PROT_WRITE, flags, memory ? sim_arena_file() : -1,
             memory ? (off_t)(run->physical - SIM_MEMORY_FIRST) : 0);
    if (at == MAP_FAILED)
        return false;
    if (memory)
        return true;
    for (uint64_t i = 0; i < run->pages; i++)
        sim.device_page((void *)(run->address + i * PAGE_BYTES), run->physical + i * PAGE_BYTES);
    mprotect(at, run->pages * PAGE_BYTES, PROT_READ);
    return true;
}

static bool overlap(const struct run *a, const struct run *b)
{
    return a->address < b->address + b->pages * PAGE_BYTES &&
           b->address < a->address + a->pages * PAGE_BYTES;
}

/* No other space has anything where `run` will be. */
static void evict(const struct view *except, const struct run *run)
{
    for (int i = 0; i < SPACES_MAX; i++) {
        struct view *view = &views[i];
        if (view == except || !view->root || view->evicted)
            continue;
        bool meets = false;
        for (uint32_t n = 0; n < view->count; n++)
            meets |= overlap(&view->runs[n], run);
        if (!meets)
            continue;
        for (uint32_t n = 0; n < view->count; n++)
            unmap(&view->runs[n]);
        view->evicted = true;
    }
}

static struct view *view_of(uint64_t root)
{
    struct view *unused = NULL;
    for (int i = 0; i < SPACES_MAX; i++) {
        if (views[i].root == root)
            return &views[i];
        if (!views[i].root && !unused)
            unused = &views[i];
    }
    if (!unused)
        panic("the simulator can show %d spaces at most", SPACES_MAX);
    *unused = (struct view){.root = root, .stale = true};
    return unused;
}

static bool same(const struct run *a, const struct run *b)
{
    return a->address == b->address && a->physical == b->physical && a->pages == b->pages &&
           a->writable == b->writable;
}

static const struct run *find(const struct run *runs, uint32_t count, const struct run *wanted)
{
    for (uint32_t i = 0; i < count; i++)
        if (same(&runs[i], wanted))
            return &runs[i];
    return NULL;
}

/* What is mapped becomes what was found. */
static void update(struct view *view)
{
    for (uint32_t i = 0; i < view->count && !view->evicted; i++)
        if (!find(found, found_count, &view->runs[i]))
            unmap(&view->runs[i]);
    for (uint32_t i = 0; i < found_count; i++) {
        if (!view->evicted && find(view->runs, view->count, &found[i]))
            continue;
        evict(view, &found[i]);
        map(&found[i]);
    }
    memcpy(view->runs, found, found_count * sizeof(found[0]));
    view->count = found_count;
    view->stale = view->evicted = false;
}

void sim_mappings_load(const struct space *space)
{
    static struct view *last;
    if (last && last->root == space->root_physical && !last->stale && !last->evicted)
        return;
    struct view *view = last = view_of(space->root_physical);
    if (!view->stale && !view->evicted)
        return;
    found_count = 0;
    walk(space->root, 4, 0);
    update(view);
}
