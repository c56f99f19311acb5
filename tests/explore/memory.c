/* SPDX-License-Identifier: ISC
 *
 * See memory.h.
 */
#include "tests/explore/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/panic.h"
#include "motet/abi.h"

enum { LOG_MAX = 1 << 18 }; /* lines; the longest path needs some thousand */

struct saved {
    uint64_t *line;
    uint64_t was[LINE_BYTES / 8];
};

struct region {
    uintptr_t first;
    size_t bytes;
    uint32_t *stamps; /* per line: in which step it was last saved */
};

static struct {
    struct region machine, statics;
    struct saved *log;
    size_t top;
    uint32_t step;
    uint32_t accesses, accesses_max;
    uint64_t gone;
} memory = {.accesses_max = UINT32_MAX};

/* The program's writable data, from the linker. */
extern char __data_start[], _end[];

static void *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return at;
}

static void region_init(struct region *region, uintptr_t first, size_t bytes)
{
    region->first = first & ~(uintptr_t)(LINE_BYTES - 1);
    region->bytes = first + bytes - region->first;
    region->stamps = map((region->bytes / LINE_BYTES + 1) * sizeof(uint32_t));
}

void memory_init(uint8_t *first, size_t pages)
{
    region_init(&memory.machine, (uintptr_t)first, pages * PAGE_BYTES);
    region_init(&memory.statics, (uintptr_t)__data_start,
                (uintptr_t)_end - (uintptr_t)__data_start);
    memory.log = map(LOG_MAX * sizeof(struct saved));
}

size_t memory_step(uint64_t gone)
{
    memory.gone = gone;
    memory.accesses = 0;
    memory.accesses_max = ACCESSES_MAX;
    if (++memory.step == 0) { /* once in four thousand million steps: stamps start anew */
        memset(memory.machine.stamps, 0, memory.machine.bytes / LINE_BYTES * sizeof(uint32_t));
        memset(memory.statics.stamps, 0, memory.statics.bytes / LINE_BYTES * sizeof(uint32_t));
        memory.step = 1;
    }
    return memory.top;
}

void memory_undo(size_t mark)
{
    while (memory.top > mark) {
        const struct saved *saved = &memory.log[--memory.top];
        memcpy(saved->line, saved->was, LINE_BYTES);
    }
    memory.gone = 0;
}

void memory_commit(void)
{
    memory.top = 0;
    memory.gone = 0;
    memory.accesses = 0;
    memory.accesses_max = UINT32_MAX; /* until the first step: a machine is made */
}

bool memory_changed(size_t mark, const void *except, size_t lines)
{
    for (size_t i = mark; i < memory.top; i++) {
        const struct saved *saved = &memory.log[i];
        uintptr_t offset = (uintptr_t)saved->line - (uintptr_t)except;
        if (offset < lines * LINE_BYTES)
            continue;
        if (memcmp(saved->line, saved->was, LINE_BYTES) != 0)
            return true;
    }
    return false;
}

void memory_compare(size_t mark, void (*look)(const void *line, const void *was))
{
    for (size_t i = mark; i < memory.top; i++) {
        const struct saved *saved = &memory.log[i];
        if ((uintptr_t)saved->line - memory.machine.first < memory.machine.bytes)
            look(saved->line, saved->was);
    }
}

uint32_t memory_accesses(void)
{
    return memory.accesses;
}

static void save(const struct region *region, size_t line)
{
    struct saved *saved = &memory.log[memory.top++];
    if (memory.top == LOG_MAX)
        panic("explore: the log of changes is full");
    saved->line = (uint64_t *)(region->first + line * LINE_BYTES);
    memcpy(saved->was, saved->line, LINE_BYTES);
    region->stamps[line] = memory.step;
}

static inline void save_lines(const struct region *region, uintptr_t offset, size_t bytes)
{
    for (size_t line = offset / LINE_BYTES; line <= (offset + bytes - 1) / LINE_BYTES; line++)
        if (region->stamps[line] != memory.step)
            save(region, line);
}

void memory_touch(const void *address, size_t bytes)
{
    uintptr_t offset = (uintptr_t)address - memory.machine.first;
    if (offset < memory.machine.bytes) {
        save_lines(&memory.machine, offset, bytes);
        return;
    }
    offset = (uintptr_t)address - memory.statics.first;
    if (offset < memory.statics.bytes)
        save_lines(&memory.statics, offset, bytes);
}

static inline void seen(const void *address)
{
    uintptr_t offset = (uintptr_t)address - memory.machine.first;
    if (offset < memory.machine.bytes && (memory.gone >> (offset / PAGE_BYTES) & 1))
        panic("an object that is gone is touched, at page %lu, offset 0x%lx",
              (unsigned long)(offset / PAGE_BYTES), (unsigned long)(offset % PAGE_BYTES));
    if (++memory.accesses > memory.accesses_max)
        panic("a kernel entry goes on after %d loads and stores", ACCESSES_MAX);
}

static inline void loaded(const void *address, size_t bytes)
{
    seen(address);
    if (bytes > 16) { /* a range may end on another page */
        memory.accesses += (uint32_t)(bytes / 8 - 2);
        seen((const uint8_t *)address + bytes - 1);
    }
}

static inline void stored(void *address, size_t bytes)
{
    loaded(address, bytes);
    memory_touch(address, bytes);
}

/* --- what the compiler calls: gcc's and clang's names --- */

/* clang-format off */
#define SEEN(bytes)                                                                                \
    void __tsan_read##bytes(void *address);                                                        \
    void __tsan_read##bytes(void *address) { loaded(address, bytes); }                                    \
    void __tsan_write##bytes(void *address);                                                       \
    void __tsan_write##bytes(void *address) { stored(address, bytes); }                            \
    void __tsan_unaligned_read##bytes(void *address);                                              \
    void __tsan_unaligned_read##bytes(void *address) { loaded(address, bytes); }                          \
    void __tsan_unaligned_write##bytes(void *address);                                             \
    void __tsan_unaligned_write##bytes(void *address) { stored(address, bytes); }
/* clang-format on */
SEEN(1)
SEEN(2)
SEEN(4)
SEEN(8)
SEEN(16)

void __tsan_atomic64_store(volatile uint64_t *address, uint64_t value, int order);
void __tsan_atomic64_store(volatile uint64_t *address, uint64_t value, int order)
{
    (void)order;
    stored((void *)(uintptr_t)address, sizeof(value));
    *address = value;
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *address, size_t bytes);
void __tsan_read_range(void *address, size_t bytes)
{
    if (bytes)
        loaded(address, bytes);
}

void __tsan_write_range(void *address, size_t bytes);
void __tsan_write_range(void *address, size_t bytes)
{
    if (bytes)
        stored(address, bytes);
}

/* What the kernel's objects call instead of the C library: the names are changed in them. */
void *explore_memset(void *to, int byte, size_t bytes);
void *explore_memset(void *to, int byte, size_t bytes)
{
    if (bytes)
        stored(to, bytes);
    return memset(to, byte, bytes);
}

void *explore_memcpy(void *to, const void *from, size_t bytes);
void *explore_memcpy(void *to, const void *from, size_t bytes)
{
    if (bytes) {
        loaded(from, bytes);
        stored(to, bytes);
    }
    return memcpy(to, from, bytes);
}
