/* SPDX-License-Identifier: ISC
 *
 * Measures the kernel from inside: stands in init's place in an image of its own, with every
 * capability there is. One thread measures, in init's address space; its partners run in a second
 * one made here. When all is measured init prints a line per figure on the serial port, raw, and
 * ends the machine; bench/kernel.py reads them. Meant for -icount shift=0,sleep=off, where the
 * clock counts instructions. Refuses to go on when a call fails: a figure of a failed call is none.
 */
#include <stdarg.h>

#include "libos/format.h"
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "motet/image.h"

enum {
    SAMPLES = 65, /* odd: the median is one of them */
    WARM = 8,     /* runs before that count for nothing */
    PRIORITY_LOW = 10,
    PRIORITY_HIGH = 20,
    SHARED_PAGES = 16, /* results, then stacks from the end, one page each */
    UART = 0x3f8,
    UART_STATUS = UART + 5,
    UART_EMPTY = 0x20,
    DEBUG_EXIT = 0xf4,
    RESET_CONTROL = 0xcf9,
};
#define SHARED    0x60000000ull /* in both spaces */
#define TARGET    0x60100000ull /* what is mapped and unmapped */
#define LONGEST   0x60200000ull
#define RUN_BYTES (PAGE_RUN_MAX * 4096ull)

uint32_t bench_empty(void);
uint32_t bench_null_call(uint64_t empty_slot);
uint32_t bench_round_trip(uint64_t to, uint64_t own);
_Noreturn void bench_echo(uint64_t to, uint64_t own);
uint32_t bench_signal(uint64_t slot);
uint32_t bench_touch(const void *address);
void _start(void);

enum figure { NULL_CALL, ROUND_TRIP, SIGNAL, MAP, UNMAP, FAULT, FAULT_MAP, FIGURES };

static const char *const figure_names[FIGURES] = {[NULL_CALL] = "null_call",
                                                  [ROUND_TRIP] = "ipc_round_trip",
                                                  [SIGNAL] = "signal_switch",
                                                  [MAP] = "map_page",
                                                  [UNMAP] = "unmap_page",
                                                  [FAULT] = "fault_round_trip",
                                                  [FAULT_MAP] = "fault_map_and_retry"};

/* Slots that all threads use: they share init's table. */
struct bench {
    uint32_t next_slot;
    uint32_t second_space, thread;
    uint32_t ping, pong, bell, faults, done;
    uint32_t stacks; /* pages given out */
    uint32_t page;   /* mapped at TARGET and taken away */
    uint32_t empty;
    volatile uint32_t woken;     /* the clock when the high thread ran */
    volatile uint32_t pager_map; /* ticks that the pager's map took */
    uint32_t sample[FIGURES][SAMPLES];
};
_Static_assert(sizeof(struct bench) <= 2 * PAGE_BYTES, "stacks begin behind");

static struct bench *const bench = (struct bench *)SHARED;

static inline uint32_t clock_low(void)
{
    uint32_t low;
    __asm__ volatile("rdtsc" : "=a"(low) : : "edx", "memory");
    return low;
}

/* --- the serial port, and the end --- */

static void text_write(const char *text)
{
    for (; *text; text++) {
        struct invoked status = {{0}};
        while (!(status.a[0] & UART_EMPTY))
            sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, UART_STATUS, 1, 0, 0, 0, &status);
        sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, UART, 1, (uint8_t)*text, 0, 0, NULL);
    }
}

__attribute__((format(printf, 1, 2))) static void print(const char *pattern, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, pattern);
    format(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    text_write(line);
    text_write("\r\n");
}

static _Noreturn void end(void)
{
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, DEBUG_EXIT, 1, 0, 0, 0, NULL);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, RESET_CONTROL, 1, 6, 0, 0, NULL);
    kernel_stop(STOP_INIT);
}

static void must(enum error error, const char *what)
{
    if (!error)
        return;
    print("kbench: %s: %s", what, error_name(error));
    end();
}

/* --- objects --- */

static const struct boot_page *boot(void)
{
    return (const struct boot_page *)INIT_BOOT_ADDRESS;
}

static enum error retype(uint32_t untyped, enum object type, uint64_t pages, uint32_t slot,
                         uint64_t address)
{
    enum error error;
    do
        error = sys_invoke(untyped, OPERATION_untyped_retype, type, pages, slot, address, 0, NULL);
    while (error == ERROR_MORE);
    return error;
}

static uint32_t make(uint32_t slot, enum object type, uint64_t pages)
{
    enum error error = ERROR_NO_MEMORY;
    for (uint32_t i = 0; error && i < boot()->untyped_count; i++)
        if (boot()->untyped[i].kind == UNTYPED_MEMORY)
            error = retype(INIT_UNTYPED + i, type, pages, slot, 0);
    must(error, "retype");
    return slot;
}

/* Maps with tables as needed; returns the next free slot. */
static uint32_t map(uint32_t next, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights)
{
    enum error error;
    while ((error = sys_invoke(slot, OPERATION_page_map, space, address, rights, 0, 0, NULL)) ==
           ERROR_NO_TABLE) {
        make(next, OBJECT_table, 1);
        error = sys_invoke(next, OPERATION_table_map, space, address, 0, 0, 0, NULL);
        if (error == ERROR_OCCUPIED) /* it is the run's end that has none */
            error =
                sys_invoke(next, OPERATION_table_map, space, address + RUN_BYTES, 0, 0, 0, NULL);
        must(error, "table");
        next++;
    }
    must(error, "map");
    return next;
}

static uint32_t copy(uint32_t slot, uint32_t to)
{
    must(sys_invoke(INIT_CAPTABLE, OPERATION_captable_copy, slot, to, RIGHT_ALL, 0, 0, NULL),
         "copy");
    return to;
}

/* This program's text and constants in the second space too. */
static uint32_t program_map(uint32_t next, uint32_t space)
{
    const struct image_header *image = (const struct image_header *)INIT_IMAGE_ADDRESS;
    const struct image_region *region = (const void *)((const char *)image + image->regions.offset);
    const struct image_mapping *mapping =
        (const void *)((const char *)image + image->mappings.offset);
    for (uint32_t i = 0; i < image->regions.count; i++) {
        const struct image_mapping *m = &mapping[region[i].first_mapping];
        for (uint32_t n = 0; region[i].kind == IMAGE_CONTENT && n < region[i].mappings; n++) {
            if (m[n].domain != 0)
                continue;
            uint32_t slot = next++;
            must(retype(INIT_IMAGE, OBJECT_page, region[i].pages, slot,
                        boot()->image_address + region[i].offset),
                 "image");
            next = map(next, slot, space, m[n].address, m[n].rights);
        }
    }
    return next;
}

static uint32_t thread_make(void (*entry)(void), uint32_t space, uint32_t priority)
{
    uint32_t slot = make(bench->next_slot++, OBJECT_thread, 1);
    uint64_t stack = SHARED + (SHARED_PAGES - bench->stacks++) * PAGE_BYTES - 8;
    must(sys_invoke(slot, OPERATION_thread_configure, space, INIT_CAPTABLE, priority, bench->faults,
                    0, NULL),
         "configure");
    must(sys_invoke(slot, OPERATION_thread_set_registers, (uint64_t)entry, stack, 0, 0, 0, NULL),
         "set_registers");
    return slot;
}

static void thread_start(uint32_t slot)
{
    must(sys_invoke(slot, OPERATION_thread_resume, 0, 0, 0, 0, 0, NULL), "resume");
}

/* --- the partners --- */

static void echo(void)
{
    bench_echo(bench->pong, bench->ping);
}

static void sleeper(void)
{
    for (;;) {
        struct received received = {0};
        sys_wait(bench->bell, 0, 0, &received);
        bench->woken = clock_low();
    }
}

static void pager(void)
{
    for (;;) {
        struct received received = {0};
        sys_wait(bench->faults, 0, 0, &received);
        if (received.msg.op != KERNEL_FAULT || received.msg.w[1] != TARGET) {
            print("kbench: fault %lu at 0x%lx", (unsigned long)received.msg.w[0],
                  (unsigned long)received.msg.w[1]);
            end();
        }
        uint32_t start = clock_low();
        enum error error =
            sys_invoke(bench->page, OPERATION_page_map, INIT_SPACE, TARGET, RIGHT_READ, 0, 0, NULL);
        bench->pager_map = clock_low() - start;
        must(error, "map on fault");
        thread_start(bench->thread);
    }
}

/* --- the measuring thread --- */

static void unmap(void)
{
    must(sys_invoke(bench->page, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL), "unmap");
}

static void measure_map(uint32_t *mapped, uint32_t *unmapped)
{
    uint32_t start = clock_low();
    enum error error = sys_invoke(bench->page, OPERATION_page_map, INIT_SPACE, TARGET,
                                  RIGHT_READ | RIGHT_WRITE, 0, 0, NULL);
    uint32_t middle = clock_low();
    enum error back = sys_invoke(bench->page, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    uint32_t stop = clock_low();
    must(error, "map");
    must(back, "unmap");
    *mapped = middle - start;
    *unmapped = stop - middle;
}

static void measure_once(uint32_t figures[FIGURES])
{
    uint32_t empty = bench_empty();
    figures[NULL_CALL] = bench_null_call(bench->empty) - empty;
    figures[ROUND_TRIP] = bench_round_trip(bench->ping, bench->pong) - empty;
    uint32_t start = bench_signal(bench->bell);
    figures[SIGNAL] = bench->woken - start - empty;
    measure_map(&figures[MAP], &figures[UNMAP]);
    figures[MAP] -= empty;
    figures[UNMAP] -= empty;
    figures[FAULT_MAP] = bench_touch((const void *)TARGET) - empty;
    figures[FAULT] = figures[FAULT_MAP] - bench->pager_map;
    unmap();
}

static void measure(void)
{
    uint32_t figures[FIGURES];
    struct received first = {0};
    sys_wait(bench->pong, 0, 0, &first); /* the echo's, unasked */
    for (int i = 0; i < WARM; i++)
        measure_once(figures);
    for (int i = 0; i < SAMPLES; i++) {
        measure_once(figures);
        for (int f = 0; f < FIGURES; f++)
            bench->sample[f][i] = figures[f];
    }
    sys_signal(bench->done);
    for (;;)
        sys_wait(bench->done, 0, 0, &first);
}

/* --- init --- */

/* The longest that one entry can be asked to do, for bench/plugin/entry.c: 512 entries in two
 * tables, of the space that runs. */
static void longest_map(void)
{
    uint32_t run = make(bench->next_slot++, OBJECT_page, PAGE_RUN_MAX);
    bench->next_slot =
        map(bench->next_slot, run, INIT_SPACE, LONGEST + PAGE_BYTES, RIGHT_READ | RIGHT_WRITE);
    must(sys_invoke(run, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL), "unmap");
}

static void shared_make(uint32_t next)
{
    uint32_t shared = make(next++, OBJECT_page, SHARED_PAGES);
    uint32_t space = make(next++, OBJECT_space, SPACE_PAGES);
    next = map(next, shared, INIT_SPACE, SHARED, RIGHT_READ | RIGHT_WRITE);
    uint32_t second = copy(shared, next++);
    next = map(next, second, space, SHARED, RIGHT_READ | RIGHT_WRITE);
    next = program_map(next, space);
    bench->second_space = space;
    bench->next_slot = next;
}

static uint32_t port_make(void)
{
    uint32_t slot = bench->next_slot++, badged = bench->next_slot++;
    make(slot, OBJECT_port, 1);
    must(sys_invoke(INIT_CAPTABLE, OPERATION_captable_mint, slot, badged, RIGHT_ALL, 1, 0, NULL),
         "mint");
    return badged;
}

static void partners_make(void)
{
    bench->ping = port_make();
    bench->pong = port_make();
    bench->bell = port_make();
    bench->faults = port_make();
    bench->done = port_make();
    bench->page = make(bench->next_slot++, OBJECT_page, 1);
    bench->next_slot = map(bench->next_slot, bench->page, INIT_SPACE, TARGET, RIGHT_READ);
    bench->empty = bench->next_slot++;
    unmap();
    thread_start(thread_make(sleeper, bench->second_space, PRIORITY_HIGH));
    thread_start(thread_make(pager, bench->second_space, PRIORITY_HIGH));
    bench->thread = thread_make(measure, INIT_SPACE, PRIORITY_LOW);
    thread_start(bench->thread);
    thread_start(thread_make(echo, bench->second_space, PRIORITY_LOW));
}

static void sort(uint32_t *values)
{
    for (int i = 1; i < SAMPLES; i++)
        for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
            uint32_t swapped = values[j];
            values[j] = values[j - 1];
            values[j - 1] = swapped;
        }
}

static _Noreturn void run(void)
{
    shared_make(boot()->first_free_slot);
    longest_map();
    partners_make();
    struct received received = {0};
    must(sys_wait(bench->done, 0, 0, &received), "wait");
    for (int f = 0; f < FIGURES; f++) {
        uint32_t *values = bench->sample[f];
        sort(values);
        print("kbench: %s %u %u %u %u", figure_names[f], values[SAMPLES / 2], values[0],
              values[SAMPLES - 1], SAMPLES);
    }
    print("kbench: done");
    end();
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
    run();
}
