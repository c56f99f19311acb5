/* SPDX-License-Identifier: ISC
 *
 * See scene.h.
 */
#include "tests/explore/scene.h"

#include <stdio.h>
#include <string.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/port.h"
#include "kernel/untyped.h"

enum part {
    PART_THREADS = 1u << 0, /* A waits with a deadline, B is ready */
    PART_MEMORY = 1u << 1,  /* pages, page tables, a small untyped with one page of it in use */
    PART_TABLES = 1u << 2,  /* tables in tables */
    PART_CHAIN = 1u << 3,   /* a derivation that is nearly as deep as it may be */
    PART_IRQ = 1u << 4,     /* interrupts, a bound pin, I/O ports */
    PART_DEVICE = 1u << 5,  /* image and device memory */
    PART_PORT_B = 1u << 7,  /* B can wait too */
    PART_URGENT = 1u << 8,  /* A has a higher priority than main and B */
    PART_QUEUE = 1u << 6,   /* main's port: a queue about to wrap around, share 0 nearly used up */
    PART_TRACE = 1u << 9,   /* the trace, and two pages, one for its ring */
    PART_DMA = 1u << 10,    /* the IOMMU, a device's space with a page in it, one without */
};

enum {
    IMAGE_PAGES = 2,
    SLOT_MEMORY = SLOTS_PER_PAGE - 1,
    SLOT_IMAGE = SLOT_MEMORY - 1,
    SLOT_DEVICE = SLOT_MEMORY - 2,
    SLOT_IRQS = SLOT_MEMORY - 3,
    SLOT_IOPORTS = SLOT_MEMORY - 4,
    SLOT_TRACE = SLOT_MEMORY - 5,
    SLOT_IOMMU = SLOT_MEMORY - 6,
    DOMAIN_NUMBERS = 3, /* of the IOMMU: for two spaces with devices */
    CAPS_MAX = 2000,    /* a longer list is a circle */
    CHAIN_FREE = 1,     /* how many more may be derived at the end of the chain */
};

static struct {
    struct captable *table;
    struct thread *main, *a, *b;
    uint64_t next;
} scene;

struct captable *scene_root(void)
{
    return scene.table;
}

/* Mostly that of the table itself; it may have been deleted or moved. No search is so deep that
 * the root table could be empty. */
const struct cap *scene_first_cap(void)
{
    const struct cap *cap = captable_slot(scene.table, SLOT_TABLE);
    int steps = 0;
    while (cap->type == OBJECT_none && ++steps < SLOTS_PER_PAGE - 1)
        cap++;
    while (cap->prev && ++steps < CAPS_MAX)
        cap = cap->prev;
    return cap;
}

static struct cap *cap_at(uint64_t slot)
{
    return captable_slot(scene.table, slot);
}

/* --- calls of whoever runs, which must succeed --- */

static struct registers *call(uint64_t number)
{
    struct registers *r = &sim_cpu.current->registers;
    *r = (struct registers){.rax = number, .rip = r->rip, .rsp = r->rsp, .rflags = r->rflags};
    return r;
}

static enum error invoke(uint64_t slot, enum operation operation, const uint64_t a[5])
{
    struct registers *r = call(CALL_invoke);
    r->rdi = slot;
    r->rsi = operation;
    r->rdx = a[0];
    r->r10 = a[1];
    r->r8 = a[2];
    r->r9 = a[3];
    r->r12 = a[4];
    sim_syscall();
    return (enum error)r->rax;
}

#define MUST(slot, operation, ...)                                                                 \
    ASSERT(invoke(slot, OPERATION_##operation, (const uint64_t[5]){__VA_ARGS__}) == OK)

/* With all the rights that there are: a mask of more would hide rights that grow. */
#define COPY(table, from, to)                                                                      \
    MUST(table, captable_copy, from, to, ((const struct cap *)cap_at(from))->rights)

static uint64_t make(enum object type, uint64_t pages)
{
    uint64_t slot = scene.next++;
    MUST(SLOT_MEMORY, untyped_retype, type, pages, slot);
    return slot;
}

static void yield(void)
{
    call(CALL_yield);
    sim_syscall();
}

/* --- the machine --- */

static struct cap *root_cap(uint64_t slot, enum object type, uint8_t rights, uint64_t number,
                            uint64_t pages)
{
    static struct cap *last;
    struct cap *cap = cap_at(slot);
    if (slot == SLOT_TABLE)
        last = NULL;
    *cap = (struct cap){.type = (uint8_t)type,
                        .rights = rights,
                        .number = number,
                        .pages = (uint32_t)pages,
                        .prev = last};
    if (last)
        last->next = cap;
    last = cap;
    return cap;
}

static void root_caps(const struct configuration *configuration)
{
    uint64_t memory = IMAGE_ADDRESS + IMAGE_PAGES * PAGE_BYTES;
    root_cap(SLOT_TABLE, OBJECT_captable, RIGHT_CONTROL, 0, 1)->object = scene.table;
    if (configuration->parts & PART_IRQ) {
        root_cap(SLOT_IRQS, OBJECT_irq, RIGHT_SIGNAL | RIGHT_CONTROL, 0, 0);
        root_cap(SLOT_IOPORTS, OBJECT_ioport, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL,
                 IOPORT_FIRST, 0)
            ->ioport.count = IOPORT_COUNT;
    }
    if (configuration->parts & PART_TRACE)
        root_cap(SLOT_TRACE, OBJECT_trace, RIGHT_CONTROL, 0, 0);
    if (configuration->parts & PART_DMA)
        root_cap(SLOT_IOMMU, OBJECT_iommu, RIGHT_CONTROL, 0, 0);
    if (configuration->parts & PART_DEVICE) {
        root_cap(SLOT_IMAGE, OBJECT_untyped, RIGHT_CONTROL, IMAGE_ADDRESS, IMAGE_PAGES)
            ->untyped.kind = UNTYPED_IMAGE;
        root_cap(SLOT_DEVICE, OBJECT_untyped, RIGHT_CONTROL, DEVICE_ADDRESS, 2)->untyped.kind =
            UNTYPED_DEVICE;
    }
    root_cap(SLOT_MEMORY, OBJECT_untyped, RIGHT_CONTROL, memory,
             SIM_PAGES - (memory - SIM_MEMORY_FIRST) / PAGE_BYTES);
}

static struct cap *retype_directly(enum object type, uint64_t pages, uint64_t slot)
{
    ASSERT(untyped_retype(cap_at(SLOT_MEMORY), type, pages, 0, scene.table, cap_at(slot)) == OK);
    return cap_at(slot);
}

static void main_make(void)
{
    struct space *space = retype_directly(OBJECT_space, SPACE_PAGES, SLOT_SPACE)->object;
    scene.main = retype_directly(OBJECT_thread, 1, SLOT_THREAD)->object;
    ASSERT(thread_configure(scene.main, space, scene.table, PRIORITY, 0) == OK);
    ASSERT(thread_resume(scene.main) == OK);
    schedule(&sim_cpu);
}

static void port_b_make(uint64_t table)
{
    uint64_t port = make(OBJECT_port, 1);
    COPY(table, port, SLOT_PORT_A + 1);
}

/* Slots as scene.h says. */
static void domain_make(uint32_t parts)
{
    make(OBJECT_port, 1);
    uint64_t table = make(OBJECT_captable, 1), space = make(OBJECT_space, SPACE_PAGES);
    uint64_t a = make(OBJECT_thread, 1), b = make(OBJECT_thread, 1);
    COPY(table, table, SLOT_TABLE);
    COPY(table, space, SLOT_SPACE);
    COPY(table, a, SLOT_THREAD);
    MUST(table, captable_mint, SLOT_PORT, SLOT_PORT, RIGHT_SEND | RIGHT_SIGNAL, 1, 1);
    COPY(table, SLOT_PORT_A, SLOT_PORT_A);
    if (parts & PART_PORT_B)
        port_b_make(table);
    scene.a = cap_at(a)->object;
    scene.b = cap_at(b)->object;
    /* As the kernel does for init: main's own priority doesn't allow it to make an urgent one. */
    ASSERT(thread_configure(scene.a, cap_at(space)->object, cap_at(table)->object,
                            parts & PART_URGENT ? PRIORITY + 1 : PRIORITY, SLOT_PORT) == OK);
    MUST(b, thread_configure, space, table, PRIORITY, SLOT_PORT);
}

/* A waits on its port with a deadline, B is ready, main goes on. */
static void threads_start(void)
{
    ASSERT(thread_resume(scene.a) == OK && thread_resume(scene.b) == OK);
    yield();
    ASSERT(sim_cpu.current == scene.a);
    struct registers *r = call(CALL_wait);
    r->rdi = SLOT_PORT_A;
    r->r15 = sim_clock + 2 * TICK;
    sim_syscall();
    ASSERT(sim_cpu.current == scene.b);
    yield();
    ASSERT(sim_cpu.current == scene.main);
}

static void memory_make(void)
{
    for (int level = 3; level > 0; level--)
        MUST(make(OBJECT_table, 1), table_map, SLOT_SPACE, AT);
    uint64_t run = make(OBJECT_page, 2), writable = make(OBJECT_page, 1), readable = scene.next++;
    MUST(run, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE);
    MUST(SLOT_TABLE, captable_copy, writable, readable, RIGHT_READ);
    make(OBJECT_table, 1);
    uint64_t untyped = make(OBJECT_untyped, 3);
    MUST(untyped, untyped_retype, OBJECT_page, 1, scene.next++);
}

/* A table of two pages with a page in slot 2, a table in slot 3 that has a port, and another page
 * where a search for slots in use needs two steps to come. */
static void tables_make(void)
{
    uint64_t outer = make(OBJECT_captable, 2), page = make(OBJECT_page, 1);
    uint64_t inner = make(OBJECT_captable, 1);
    COPY(outer, page, 2);
    COPY(outer, inner, 3);
    COPY(outer, page, SLOTS_PER_PAGE + 36);
    MUST(inner, captable_mint, SLOT_PORT, 1, RIGHT_SEND | RIGHT_SIGNAL, 2, 2);
}

static void chain_make(void)
{
    uint64_t from = make(OBJECT_page, 1);
    while (cap_at(from)->depth < DERIVATION_DEPTH_MAX - CHAIN_FREE) {
        COPY(SLOT_TABLE, from, scene.next);
        from = scene.next++;
    }
}

static void irq_make(void)
{
    uint64_t vector = scene.next++;
    MUST(SLOT_IRQS, irq_derive, IRQ_VECTOR_FIRST, vector);
    MUST(vector, irq_bind, SLOT_PORT, 5, PIN | IRQ_PIN_LEVEL);
}

/* Tracing is on, into a copy. */
static void trace_make(void)
{
    uint64_t page = make(OBJECT_page, 1), ring = scene.next++;
    COPY(SLOT_TABLE, page, ring);
    MUST(SLOT_TRACE, trace_attach, 0, ring);
    MUST(SLOT_TRACE, trace_mask, 0, TRACE_EVENTS_ALL);
}

/* A device reaches one page, a copy; the other space and its first table are free. */
static void dma_make(void)
{
    uint64_t space = make(OBJECT_dmaspace, DMASPACE_PAGES), tables[2], page, copy;
    make(OBJECT_dmaspace, DMASPACE_PAGES);
    for (int i = 0; i < 2; i++) {
        tables[i] = make(OBJECT_table, 1);
        MUST(tables[i], table_map, space, AT);
    }
    page = make(OBJECT_page, 1);
    make(OBJECT_table, 1);
    copy = scene.next++;
    COPY(SLOT_TABLE, page, copy);
    MUST(copy, page_map, space, AT, RIGHT_READ | RIGHT_WRITE);
    MUST(SLOT_IOMMU, iommu_assign, SOURCE, space);
    sim.iommu.slow = true; /* from now on, invalidations take their time */
}

/* All but two entries of share 0 are another's, and the next entry is the last of the ring. */
static void queue_make(void)
{
    for (int i = 0; i < PORT_QUEUE_SLOTS - 1; i++) {
        struct registers *r = call(CALL_send);
        r->rdi = SLOT_PORT;
        r->rsi = 1;
        sim_syscall();
        call(CALL_wait)->rdi = SLOT_PORT;
        sim_syscall();
    }
    uint8_t used =
        PORT_QUEUE_SLOTS - ((struct port *)cap_at(SLOT_PORT)->object)->shares[0].reserved;
    MUST(SLOT_TABLE, captable_mint, SLOT_PORT, scene.next++, RIGHT_SEND, 8,
         PORT_QUEUE_SLOTS - used - 2);
}

void scene_create(const struct configuration *configuration, jmp_buf *panic)
{
    uint32_t parts = configuration->parts;
    sim_reset(SIM_PAGES);
    sim.panic = panic;
    if (parts & PART_DMA)
        sim_iommu_start(DOMAIN_NUMBERS, false);
    check_reset();
    sim_frequency = 100 * 2 * TICK; /* a slice is its hundredth part */
    scene.a = scene.b = NULL;
    scene.table = (struct captable *)phys_to_virt(SIM_MEMORY_FIRST);
    memset(scene.table, 0, PAGE_BYTES);
    captable_init(scene.table, 1, 0);
    root_caps(configuration);
    main_make();
    scene.next = SLOT_PORT;
    make(OBJECT_port, 1);
    if (parts & PART_THREADS)
        domain_make(parts);
    if (parts & PART_QUEUE)
        queue_make();
    if (parts & PART_MEMORY)
        memory_make();
    if (parts & PART_TABLES)
        tables_make();
    if (parts & PART_CHAIN)
        chain_make();
    if (parts & PART_IRQ)
        irq_make();
    if (parts & PART_TRACE)
        trace_make();
    if (parts & PART_DMA)
        dma_make();
    if (parts & PART_THREADS)
        threads_start();
    struct cap *memory = cap_at(SLOT_MEMORY);
    memory->pages = (uint32_t)memory->untyped.used + configuration->free_pages;
    check_all(scene_first_cap(), scene.table);
}

const char *scene_thread_name(const struct thread *thread)
{
    static char other[32];
    if (thread == scene.main)
        return "main";
    if (thread == scene.a)
        return "A";
    if (thread == scene.b)
        return "B";
    if (!thread)
        return "machine";
    snprintf(other, sizeof(other), "thread in page %lu",
             (unsigned long)((virt_to_phys(thread) - SIM_MEMORY_FIRST) / PAGE_BYTES));
    return other;
}

/* --- configurations --- */

#define KIND(name) (1u << ACTION_##name)
#define OP(name)   (1ull << OPERATION_##name)

#define CALLS    (KIND(send) | KIND(signal) | KIND(wait) | KIND(send_wait) | KIND(yield))
#define EVENTS   (KIND(unknown_call) | KIND(fault) | KIND(interrupt) | KIND(pin) | KIND(time))
#define REMOVALS (OP(captable_delete) | OP(captable_revoke))

const struct configuration configurations[] = {
    {"ipc",
     "messages, signals, faults, waits with deadlines, suspended threads; a full queue",
     PART_THREADS | PART_QUEUE,
     2,
     {CALLS | KIND(invoke) | KIND(fault) | KIND(time), OP(thread_suspend) | OP(thread_resume) |
                                                           OP(thread_retry) | OP(captable_delete) |
                                                           OP(captable_mint)}},
    {"time",
     "three threads, deadlines, slices, priorities",
     PART_THREADS | PART_PORT_B | PART_URGENT,
     2,
     {KIND(wait) | KIND(signal) | KIND(yield) | KIND(time) | KIND(invoke),
      OP(thread_suspend) | OP(thread_resume) | OP(thread_configure) | OP(thread_budget)}},
    {"memory",
     "retyping, mapping, page tables, reuse of memory",
     PART_MEMORY,
     11,
     {KIND(invoke), OP(untyped_retype) | OP(untyped_info) | OP(page_map) | OP(page_unmap) |
                        OP(page_info) | OP(table_map) | OP(table_unmap) | REMOVALS |
                        OP(captable_copy)}},
    {"derive",
     "derivations near the limit of their depth",
     PART_CHAIN,
     1,
     {KIND(invoke), OP(captable_copy) | OP(captable_move) | OP(untyped_retype) | REMOVALS}},
    {"tables",
     "capability tables in each other, shares of a port",
     PART_TABLES,
     2,
     {KIND(invoke), OP(captable_copy) | OP(captable_mint) | OP(captable_move) | REMOVALS |
                        OP(captable_info) | OP(untyped_retype)}},
    {"irq",
     "interrupts, pins and I/O ports while ports and threads come and go",
     PART_IRQ | PART_THREADS | PART_URGENT,
     2,
     {KIND(wait) | KIND(yield) | KIND(interrupt) | KIND(pin) | KIND(time) | KIND(invoke),
      OP(irq_derive) | OP(irq_bind) | OP(irq_ack) | OP(ioport_derive) | OP(ioport_in) |
          OP(ioport_out) | REMOVALS | OP(captable_copy)}},
    {"all",
     "everything at once: all calls, all operations",
     PART_THREADS | PART_URGENT | PART_QUEUE | PART_MEMORY | PART_TABLES | PART_IRQ | PART_DEVICE |
         PART_TRACE,
     3,
     {CALLS | EVENTS | KIND(invoke), (1ull << OPERATION_COUNT) - 1}},
    {"trace",
     "tracing on and off while threads run and the ring's page goes",
     PART_TRACE | PART_THREADS | PART_URGENT,
     2,
     {KIND(wait) | KIND(signal) | KIND(send_wait) | KIND(yield) | KIND(fault) | KIND(time) |
          KIND(invoke),
      OP(trace_attach) | OP(trace_mask) | OP(trace_label) | REMOVALS | OP(captable_copy) |
          OP(captable_move) | OP(thread_suspend) | OP(thread_resume) | OP(thread_budget)}},
    {"dma",
     "DMA spaces, a device, invalidations that take their time",
     PART_DMA,
     5,
     {KIND(invoke) | KIND(flushed), OP(page_map) | OP(page_unmap) | OP(table_map) |
                                        OP(table_unmap) | OP(iommu_assign) | OP(iommu_fault) |
                                        REMOVALS | OP(captable_copy) | OP(untyped_retype)}},
};
const int configuration_count = sizeof(configurations) / sizeof(configurations[0]);

const struct configuration *configuration_find(const char *name)
{
    for (int i = 0; i < configuration_count; i++)
        if (!strcmp(configurations[i].name, name))
            return &configurations[i];
    return NULL;
}
