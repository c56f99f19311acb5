/* SPDX-License-Identifier: ISC
 *
 * See hooks.h: what -fsanitize=thread calls (the names are the compilers', see their sources of
 * libtsan). Belongs to the host process. Itself compiled without, and without vector registers,
 * since it runs inside user code too.
 */
#include "kernel/arch/sim/hooks.h"

#include <stddef.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"

#define SIM_WINDOWS_END (SIM_WINDOWS + IMAGE_DOMAINS_MAX * SIM_WINDOW_BYTES)

static uint8_t written[SIM_PAGES_MAX];
static uint16_t changes[SIM_PAGES_MAX];
static uint32_t change_count;

bool sim_changes_known(void)
{
    return true;
}

bool sim_change_take(uint64_t *index)
{
    if (!change_count)
        return false;
    *index = changes[--change_count];
    written[*index] = 0;
    return true;
}

void sim_changes_forget(void)
{
    uint64_t index;
    while (sim_change_take(&index))
        ;
}

extern char __executable_start[], end[];

/* What the host process has for all: its text and constants, to read; and what counts points. */
static bool is_host(uint64_t address, bool write)
{
    if (address - (uint64_t)&sim_points < sizeof(sim_points))
        return true;
    return !write && address >= (uint64_t)__executable_start && address < (uint64_t)end;
}

/* User code whose own data may be wrong: it has gone on for too long, or astray. */
static bool is_lost(uint64_t address, bool write, bool outside)
{
    return sim_user_accesses_most &&
           (++sim_user_accesses > sim_user_accesses_most || (outside && !is_host(address, write)));
}

/* User code: its own window, or what the host process has for all. */
static void user_access(uint64_t address, bool write)
{
    const bool outside = address < SIM_WINDOWS || address >= SIM_WINDOWS_END;
    if (is_lost(address, write, outside) ||
        (!outside && sim_window(address) != sim_window(sim_cpu.current->registers.rsp)))
        __builtin_trap(); /* as the processor would: a fault of this thread */
}

static bool in_arena(uint64_t address, uint64_t *index)
{
    *index = (address - SIM_ARENA) / PAGE_BYTES;
    return address >= SIM_ARENA && *index < SIM_PAGES_MAX;
}

static inline void reads(const void *at)
{
    uint64_t address = (uint64_t)at, index;
    if (sim_in_user) {
        user_access(address, false);
        if (sim_user_reads)
            sim_user_reads(address);
    } else if (in_arena(address, &index)) {
        check_kernel_access(index);
    }
}

static inline void writes(const void *at)
{
    uint64_t address = (uint64_t)at, index;
    if (sim_in_user) {
        user_access(address, true);
    } else if (in_arena(address, &index)) {
        check_kernel_access(index);
        if (!written[index]) {
            written[index] = 1;
            changes[change_count++] = (uint16_t)index;
        }
    }
}

#define PLAIN(size)                                                                                \
    void __tsan_read##size(void *at);                                                              \
    void __tsan_write##size(void *at);                                                             \
    void __tsan_unaligned_read##size(void *at);                                                    \
    void __tsan_unaligned_write##size(void *at);                                                   \
    void __tsan_volatile_read##size(void *at);                                                     \
    void __tsan_volatile_write##size(void *at);                                                    \
    void __tsan_read##size(void *at)                                                               \
    {                                                                                              \
        reads(at);                                                                                 \
    }                                                                                              \
    void __tsan_write##size(void *at)                                                              \
    {                                                                                              \
        writes(at);                                                                                \
    }                                                                                              \
    void __tsan_unaligned_read##size(void *at)                                                     \
    {                                                                                              \
        reads(at);                                                                                 \
    }                                                                                              \
    void __tsan_unaligned_write##size(void *at)                                                    \
    {                                                                                              \
        writes(at);                                                                                \
    }                                                                                              \
    void __tsan_volatile_read##size(void *at)                                                      \
    {                                                                                              \
        reads(at);                                                                                 \
    }                                                                                              \
    void __tsan_volatile_write##size(void *at)                                                     \
    {                                                                                              \
        writes(at);                                                                                \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_init(void);
void __tsan_func_entry(void *from);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *from)
{
    (void)from;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, size_t size)
{
    if (size)
        reads((char *)at + size - 1);
    reads(at);
}

void __tsan_write_range(void *at, size_t size)
{
    if (size)
        writes((char *)at + size - 1);
    writes(at);
}

/* Atomic accesses come as calls too; the orders are as strong here as can be. */
#define ATOMIC(bits)                                                                               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *at, int order);       \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *at, uint##bits##_t value,            \
                                     int order);                                                   \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *at, int order)        \
    {                                                                                              \
        (void)order;                                                                               \
        reads((const void *)at);                                                                   \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                              \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *at, uint##bits##_t value, int order) \
    {                                                                                              \
        (void)order;                                                                               \
        writes((void *)(uintptr_t)at);                                                             \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                             \
    }
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

/* What reads and writes at once: of 64 bits only, nobody uses others. */
#define ATOMIC_UPDATE(name, how)                                                                   \
    uint64_t __tsan_atomic64_##name(volatile uint64_t *at, uint64_t value, int order);             \
    uint64_t __tsan_atomic64_##name(volatile uint64_t *at, uint64_t value, int order)              \
    {                                                                                              \
        (void)order;                                                                               \
        reads((const void *)(uintptr_t)at);                                                        \
        writes((void *)(uintptr_t)at);                                                             \
        return how(at, value, __ATOMIC_SEQ_CST);                                                   \
    }
ATOMIC_UPDATE(exchange, __atomic_exchange_n)
ATOMIC_UPDATE(fetch_and, __atomic_fetch_and)
ATOMIC_UPDATE(fetch_or, __atomic_fetch_or)

/* gcc calls the one, clang the other. */
int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *at, uint64_t *expected,
                                            uint64_t value, int order, int failed);
uint64_t __tsan_atomic64_compare_exchange_val(volatile uint64_t *at, uint64_t expected,
                                              uint64_t value, int order, int failed);

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *at, uint64_t *expected,
                                            uint64_t value, int order, int failed)
{
    (void)order;
    (void)failed;
    reads((const void *)(uintptr_t)at);
    writes((void *)(uintptr_t)at);
    return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

uint64_t __tsan_atomic64_compare_exchange_val(volatile uint64_t *at, uint64_t expected,
                                              uint64_t value, int order, int failed)
{
    __tsan_atomic64_compare_exchange_strong(at, &expected, value, order, failed);
    return expected;
}

void __tsan_atomic_thread_fence(int order);

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
