/* SPDX-License-Identifier: ISC
 *
 * Measures the kernel from inside: stands in init's place in an image of its own, with every
 * capability there is. One thread measures, in init's address space; its partners run in a second
 * one made here. When all is measured init prints a line per figure on the serial port, raw, and
 * ends the machine; bench/kernel.py reads them. Meant for -icount shift=0,sleep=off, where the
 * clock counts instructions. Refuses to go on when a call fails: a figure of a failed call is none.
 */
#include "bench/kernel/rig.h"
#include "libos/kernel.h"

#define TARGET  0x60100000ull /* what is mapped and unmapped */
#define LONGEST 0x60200000ull

uint32_t bench_empty(void);
uint32_t bench_null_call(uint64_t empty_slot);
uint32_t bench_round_trip(uint64_t to, uint64_t own);
_Noreturn void bench_echo(uint64_t to, uint64_t own);
uint32_t bench_doorbell(uint64_t bell, uint64_t own);
_Noreturn void bench_ring_back(uint64_t bell, uint64_t own);
uint32_t bench_signal(uint64_t slot);
uint32_t bench_touch(const void *address);
void _start(void);

enum figure { NULL_CALL, ROUND_TRIP, DOORBELL, SIGNAL, MAP, UNMAP, FAULT, FAULT_MAP, FIGURES };

static const char *const figure_names[FIGURES] = {[NULL_CALL] = "null_call",
                                                  [ROUND_TRIP] = "ipc_round_trip",
                                                  [DOORBELL] = "doorbell_round_trip",
                                                  [SIGNAL] = "signal_switch",
                                                  [MAP] = "map_page",
                                                  [UNMAP] = "unmap_page",
                                                  [FAULT] = "fault_round_trip",
                                                  [FAULT_MAP] = "fault_map_and_retry"};

struct bench {
    struct rig rig;
    uint32_t thread;
    uint32_t ping, pong, bell, done;
    uint32_t ring, ring_back; /* ports of the doorbells' two sides */
    uint32_t page;            /* mapped at TARGET and taken away */
    uint32_t empty;
    uint32_t overhead;           /* ticks of bench_empty, the least so far; 0: not measured */
    volatile uint32_t woken;     /* the clock when the high thread ran */
    volatile uint32_t pager_map; /* ticks that the pager's map took */
    uint32_t sample[FIGURES][SAMPLES];
};
_Static_assert(sizeof(struct bench) <= 2 * PAGE_BYTES, "stacks begin behind");

static struct bench *const bench = (struct bench *)SHARED;

/* --- the partners --- */

static void echo(void)
{
    bench_echo(bench->pong, bench->ping);
}

static void ringer(void)
{
    bench_ring_back(bench->ring_back, bench->ring);
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
        sys_wait(rig()->faults, 0, 0, &received);
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
    if (!bench->overhead || empty < bench->overhead)
        bench->overhead = empty;
    empty = bench->overhead; /* by the clock on the wall one may take longer than what it's for */
    figures[NULL_CALL] = bench_null_call(bench->empty) - empty;
    figures[ROUND_TRIP] = bench_round_trip(bench->ping, bench->pong) - empty;
    figures[DOORBELL] = bench_doorbell(bench->ring, bench->ring_back) - empty;
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
    sys_wait(bench->ring_back, 0, 0, &first);
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
    uint32_t run = make(rig()->next_slot++, OBJECT_page, PAGE_RUN_MAX);
    rig()->next_slot =
        map(rig()->next_slot, run, INIT_SPACE, LONGEST + PAGE_BYTES, RIGHT_READ | RIGHT_WRITE);
    must(sys_invoke(run, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL), "unmap");
}

static void partners_make(void)
{
    bench->ping = port_make();
    bench->pong = port_make();
    bench->bell = port_make();
    bench->ring = port_make();
    bench->ring_back = port_make();
    rig()->faults = port_make();
    bench->done = port_make();
    bench->page = make(rig()->next_slot++, OBJECT_page, 1);
    rig()->next_slot = map(rig()->next_slot, bench->page, INIT_SPACE, TARGET, RIGHT_READ);
    bench->empty = rig()->next_slot++;
    unmap();
    thread_start(thread_make(sleeper, rig()->second_space, PRIORITY_HIGH));
    thread_start(thread_make(pager, rig()->second_space, PRIORITY_HIGH));
    bench->thread = thread_make(measure, INIT_SPACE, PRIORITY_LOW);
    thread_start(bench->thread);
    thread_start(thread_make(echo, rig()->second_space, PRIORITY_LOW));
    thread_start(thread_make(ringer, rig()->second_space, PRIORITY_LOW));
}

static _Noreturn void run(void)
{
    rig_make();
    longest_map();
    partners_make();
    struct received received = {0};
    must(sys_wait(bench->done, 0, 0, &received), "wait");
    for (int f = 0; f < FIGURES; f++) {
        uint32_t *values = bench->sample[f];
        samples_sort(values);
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
