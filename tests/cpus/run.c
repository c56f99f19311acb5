/* SPDX-License-Identifier: ISC
 *
 * See run.h. A domain is a coroutine; run_point, which stands before each access to a ring and each
 * entry into the kernel, lets stores leave the buffers and other domains run. This file is the
 * kernel too: pending words, signal, wait.
 */
#include "tests/cpus/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "libos/kernel.h"
#include "libos/state.h"
#include "tests/cpus/memory.h"

enum {
    STACK_BYTES = 64 * 1024,
    PRIVATE_BYTES = LIBOS_PRIVATE_BYTES + 4096,
    BELL_FIRST = 16,      /* slot BELL_FIRST + n rings the owner of ring n */
    POINTS_MAX = 1000000, /* a hundred times what a run takes */
};

struct cpu {
    ucontext_t context;
    uint64_t pending;
    bool asleep, over; /* over: this life has ended */
    struct start_page start;
    struct log_page log;
    struct counter_page counters;
    _Alignas(64) uint8_t private_memory[PRIVATE_BYTES];
    _Alignas(64) uint8_t stack[STACK_BYTES];
};

struct run run;
static struct cpu cpus[CPUS];
static struct kernel_info info = {.clock_frequency = 1000000000, .clock_multiplier = 1u << 31};
static ucontext_t scheduler;
static int self; /* the running domain; CPUS: none */
static uint64_t random_state;
static uint32_t points, points_of_1;
static char failure[200];
static bool talkative;

/* By ring: wishes of its owner that a peer has read, each once; the last; doorbells to its owner.
 */
static uint32_t wishes_read[RINGS], bells[RINGS];
static uint64_t wish_last[RINGS][2];

/* --- what memory and servers call --- */

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (talkative)                                                                             \
            printf(__VA_ARGS__);                                                                   \
    } while (0)

uint32_t run_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) % below);
}

static void leave(void)
{
    int me = self;
    swapcontext(&cpus[me].context, &scheduler);
    self = me;
}

void run_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!failure[0])
        vsnprintf(failure, sizeof(failure), format, arguments);
    va_end(arguments);
    if (self != CPUS)
        leave();
}

int run_cpu(void)
{
    return self;
}

static uint32_t domains(void)
{
    return run.mode == MODE_RELAY ? 3 : 2;
}

void run_point(void)
{
    if (++points > POINTS_MAX)
        run_fail("somebody goes round for ever");
    while (!run_random(run.drain))
        memory_drain((int)run_random(domains()), 1 + run_random(4));
    if (self == 1 && run.life == 1 && ++points_of_1 == run.end_point) {
        if (run.end == END_CRASH)
            cpus[1].over = true;
        cpus[1].pending |= UINT64_C(1) << 1; /* for END_PLANNED: it isn't to sleep over it */
    }
    if (cpus[self].over || !run_random(run.go_on))
        leave();
}

static const char *field(size_t offset)
{
    switch (offset) {
    case offsetof(struct ring, produced):
        return "produced";
    case offsetof(struct ring, done):
        return "done";
    case offsetof(struct ring, sleeping):
        return "sleeping";
    case offsetof(struct ring, want_room):
        return "want_room";
    case offsetof(struct ring, current):
        return "current";
    case offsetof(struct ring, generation):
        return "generation";
    default:
        return "entry";
    }
}

static bool is_wish(size_t offset)
{
    return offset == offsetof(struct ring, sleeping) || offset == offsetof(struct ring, want_room);
}

void run_stored(int ring, size_t offset, uint64_t value)
{
    SAY("%d: ring %d: %s (%zu) = %lx\n", self, ring, field(offset), offset, value);
}

void run_loaded(int ring, size_t offset, uint64_t value)
{
    SAY("%d: ring %d: %s (%zu) is %lx\n", self, ring, field(offset), offset, value);
    if (!is_wish(offset) || !(value & 1))
        return;
    uint64_t *last = &wish_last[ring][offset == offsetof(struct ring, want_room)];
    wishes_read[ring] += *last != value;
    *last = value;
}

/* What domain 1 has made of messages, as others see it, and what it has said to be done with. */
static void check_made(uint32_t done)
{
    uint32_t each = run.mode == MODE_HOLD ? 0 : run.mode == MODE_TWICE ? 2 : 1;
    uint32_t made = ring_memory[run.mode == MODE_RELAY ? 2 : 1].seen->produced;
    if (each * done > made)
        run_fail("domain 1 is done with %u messages and has put %u", done, made);
}

void run_seen(int ring, size_t offset, uint64_t value)
{
    SAY("   ring %d: %s (%zu) is seen: %lx\n", ring, field(offset), offset, value);
    const struct ring *mine = ring_memory[ring].seen, *theirs = ring_memory[ring ^ 1].seen;
    if (offset == offsetof(struct ring, produced) && mine->produced - theirs->done > run.slots)
        run_fail("domain %d has put %u messages, %u are done", ring_memory[ring].cpu,
                 mine->produced, theirs->done);
    if (offset == offsetof(struct ring, done) && theirs->produced - mine->done > run.slots)
        run_fail("domain %d is done with %u of %u messages", ring_memory[ring].cpu, mine->done,
                 theirs->produced);
    if (offset == offsetof(struct ring, done) && ring == 1)
        check_made(mine->done);
}

/* --- the kernel --- */

static void signal(uint64_t slot)
{
    int ring = (int)(slot - BELL_FIRST), to = ring_memory[ring].cpu;
    memory_drain(self, STORES_MAX);
    SAY("%d: rings %d\n", self, to);
    cpus[to].pending |= UINT64_C(1) << ring;
    if (++bells[ring] > wishes_read[ring])
        run_fail("domain %d was rung twice for one wish", to);
}

void kernel_signal(uint64_t slot)
{
    run_point();
    signal(slot);
}

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    (void)message;
    struct cpu *cpu = &cpus[self];
    run_point();
    memory_drain(self, STORES_MAX);
    if (doorbell)
        signal(doorbell);
    SAY("%d: waits\n", self);
    while (!cpu->pending && deadline != 1) {
        cpu->asleep = true;
        leave();
    }
    cpu->asleep = false;
    uint64_t pending = cpu->pending;
    cpu->pending = 0;
    return pending;
}

void ring_fence(void)
{
    run_point();
    memory_drain(self, STORES_MAX);
}

void kernel_acknowledge(uint64_t slot)
{
    (void)slot;
}

void kernel_report(const struct msg *m)
{
    (void)m;
}

uint64_t kernel_clock(void)
{
    return points;
}

uint64_t kernel_random(void)
{
    return 0;
}

void kernel_stop(uint64_t code)
{
    run_fail("domain %d stopped with %lx", self, code);
    abort(); /* run_fail leaves for good */
}

/* --- domains --- */

static void domain_main(void)
{
    struct cpu *cpu = &cpus[self];
    struct libos *libos = (struct libos *)cpu->private_memory;
    const struct linked linked = {
        .servers = &run_server[self],
        .count = 1,
        .transport = {[START_CHANNEL] = &channel_transport},
    };
    uint32_t failed, me = (uint32_t)self;
    if (domain_init(libos, &cpu->start, &info, &linked) || loop_start(libos, &failed))
        run_fail("domain %u doesn't start", me);
    for (uint64_t pending = 0;;) {
        pending = loop_round(libos, pending);
        if (me == 1 && run.life == 1 && run.end == END_PLANNED && points_of_1 >= run.end_point) {
            memory_drain(self, STORES_MAX);
            cpu->over = true;
            leave();
        }
    }
}

static void domain_begin(int number)
{
    struct cpu *cpu = &cpus[number];
    memset(cpu->private_memory, 0, sizeof(cpu->private_memory));
    cpu->over = cpu->asleep = false;
    getcontext(&cpu->context);
    cpu->context.uc_stack.ss_sp = cpu->stack;
    cpu->context.uc_stack.ss_size = sizeof(cpu->stack);
    makecontext(&cpu->context, domain_main, 0);
}

static void connect(int number, const char *name, int ring)
{
    struct start_page *start = &cpus[number].start;
    struct start_conn *conn = &start->conn[start->conns++];
    *conn = (struct start_conn){
        .mine = (uint64_t)ring_memory[ring].written,
        .theirs = (uint64_t)ring_memory[ring ^ 1].seen,
        .slots = run.slots,
        .doorbell = (uint32_t)(BELL_FIRST + (ring ^ 1)),
        .transport = START_CHANNEL,
    };
    strcpy(conn->name, name);
}

/* The next life finds the rings as they were left, and the port's word or nothing in it. */
static void succeed(void)
{
    memory_drain(1, STORES_MAX);
    if (run.in_hand && ring_memory[1].seen->current != run.in_hand)
        run_fail("domain 1 died of message %u, and its ring names %u", run.in_hand,
                 ring_memory[1].seen->current);
    memory_reread(1);
    run.in_hand = 0;
    run.life++;
    for (int ring = 0; ring < RINGS; ring++) /* it may ring for each wish once more */
        if (ring_memory[ring].cpu != 1)
            memset(wish_last[ring], 0, sizeof(wish_last[ring]));
    if (run_random(2))
        cpus[1].pending = 0;
    SAY("1: another life\n");
    domain_begin(1);
}

static void draw(uint64_t seed)
{
    static const uint32_t one_in[] = {2, 4, 16, 64, 256};
    memset(&run, 0, sizeof(run));
    random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 8; i++)
        run_random(2);
    run.mode = (enum mode)run_random(MODES);
    run.end = (enum end)run_random(ENDS);
    run.reluctant = run_random(2);
    run.slots = 2u << run_random(2);
    run.messages = 1 + run_random(12);
    run.end_point = 1 + run_random(100 * run.messages);
    run.drain = one_in[run_random(5)];
    run.go_on = one_in[run_random(5)];
    run.life = 1;
}

static void begin(void)
{
    memory_reset();
    memset(wishes_read, 0, sizeof(wishes_read));
    memset(bells, 0, sizeof(bells));
    memset(wish_last, 0, sizeof(wish_last));
    points = points_of_1 = 0;
    failure[0] = 0;
    for (int link = 0; link < (int)domains() - 1; link++) {
        memory_add(2 * link, link, ring_bytes(run.slots));
        memory_add(2 * link + 1, link + 1, ring_bytes(run.slots));
    }
    for (int i = 0; i < (int)domains(); i++) {
        struct cpu *cpu = &cpus[i];
        memset(&cpu->start, 0, sizeof(cpu->start));
        cpu->start.magic = START_MAGIC;
        cpu->start.version = START_VERSION;
        cpu->start.private_address = (uint64_t)cpu->private_memory;
        cpu->start.private_bytes = PRIVATE_BYTES;
        cpu->start.log_address = (uint64_t)&cpu->log;
        cpu->start.counters_address = (uint64_t)&cpu->counters;
        cpu->start.domain = (uint16_t)i;
        cpu->pending = 0;
        if (i > 0)
            connect(i, "back", 2 * i - 1);
        if (i < (int)domains() - 1)
            connect(i, "out", 2 * i);
        domain_begin(i);
    }
}

/* One of those that are awake. False: there is none. */
static bool pick(void)
{
    int awake[CPUS];
    uint32_t count = 0;
    for (int i = 0; i < (int)domains(); i++)
        if (!cpus[i].asleep || cpus[i].pending)
            awake[count++] = i;
    if (count)
        self = awake[run_random(count)];
    return count;
}

static void check_end(void)
{
    for (int i = 0; i < (int)domains(); i++)
        if (((struct libos *)cpus[i].private_memory)->counters[COUNT_BROKEN_CHANNELS])
            run_fail("domain %d gave its peer up", i);
    servers_finished();
}

bool run_all(uint64_t seed, bool verbose, const char **what)
{
    talkative = verbose;
    self = CPUS;
    draw(seed);
    begin();
    while (!failure[0] && pick()) {
        swapcontext(&scheduler, &cpus[self].context);
        self = CPUS;
        if (cpus[1].over && !failure[0])
            succeed();
    }
    if (!failure[0])
        check_end();
    *what = failure;
    return !failure[0];
}
