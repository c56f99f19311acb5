/* SPDX-License-Identifier: ISC
 *
 * Whole-system invariants. See check.h.
 */
#include "kernel/arch/sim/check.h"

#include <string.h>

#include <sanitizer/asan_interface.h>

#include "kernel/arch/sim/check_trace.h"
#include "kernel/arch/sim/hooks.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/irq.h"
#include "kernel/port.h"

enum {
    CAPS_MAX = 100000, /* a longer list is a circle */
    GARBAGE = 0xdd,
};

/* What a page of memory is part of. */
enum page_state {
    PAGE_OUTSIDE, /* the machine's own */
    PAGE_FREE,    /* of untyped memory, not handed out */
    PAGE_DEAD,    /* of untyped memory, handed out once: its object is gone */
    PAGE_OBJECT,
};

static struct {
    enum page_state state;
    bool poisoned;
    const struct cap *owner; /* innermost */
} pages[SIM_PAGES_MAX];

/* Counts of one check; what is counted twice, in two ways, must agree. */
static struct {
    int caps, mapped;
    int ready, deadlines, faulted, space_threads, captable_threads;
} count;

static const struct captable *root_table;

/* Threads and ports, as of the last look at everything. */
enum { KEPT_MAX = 256 };
static struct {
    const struct thread *threads[KEPT_MAX];
    const struct port *ports[KEPT_MAX];
    uint32_t thread_count, port_count;
    int in_messages; /* capabilities */
} kept;

static bool late;
static bool watched;  /* what the kernel's code touches, it does for a domain: */
static bool checking; /* no, for us */

void check_late(bool is_late)
{
    late = is_late;
}

void check_reset(void)
{
    memset(pages, 0, sizeof(pages));
    memset(&kept, 0, sizeof(kept));
    checking = false;
    check_paging_reset();
    check_dma_reset();
}

void check_other_state(void)
{
    memset(pages, 0, SIM_PAGES * sizeof(pages[0]));
    check_paging_reset();
    check_dma_reset();
}

static uint64_t index_of(const void *address)
{
    return ((uint64_t)address - (uint64_t)sim_memory) / PAGE_BYTES;
}

/* Whether `object` is a live object of that type, rather than memory that was one. */
static bool is_object(const void *object, enum object type)
{
    uint64_t index = index_of(object);
    return index < sim_pages && pages[index].owner && pages[index].owner->type == type &&
           pages[index].owner->object == object;
}

/* --- memory --- */

static uint64_t physical_of(const struct cap *cap)
{
    if (cap->type == OBJECT_untyped || cap->type == OBJECT_page)
        return cap->address;
    return virt_to_phys(cap->object);
}

/* The capability's pages belong to it, instead of to the untyped memory they were cut from. */
static void own_pages(const struct cap *cap, const struct cap *parent)
{
    uint64_t first = physical_of(cap), offset = parent ? first - parent->address : 0;
    ASSERT(cap->pages >= 1 && (cap->type != OBJECT_page || cap->pages <= PAGE_RUN_MAX));
    ASSERT(!parent || offset / PAGE_BYTES + cap->pages <= parent->untyped.used);
    for (uint64_t i = 0; i < cap->pages; i++) {
        uint64_t index = (first - SIM_MEMORY_FIRST) / PAGE_BYTES + i;
        ASSERT(index < sim_pages);
        ASSERT(pages[index].owner == parent); /* else two objects share it */
        pages[index].owner = cap;
    }
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* What isn't an object any more is filled with garbage: this one was attached since it became a
 * page, which an explorer that comes from another state doesn't know. */
static bool was_ring(const uint8_t *page)
{
    return ((const struct trace_header *)page)->magic == TRACE_MAGIC;
}

static enum page_state state_now(uint64_t index)
{
    const struct cap *owner = pages[index].owner;
    if (!owner)
        return PAGE_OUTSIDE;
    if (owner->type != OBJECT_untyped)
        return PAGE_OBJECT;
    uint64_t offset = SIM_MEMORY_FIRST / PAGE_BYTES + index - owner->address / PAGE_BYTES;
    return offset < owner->untyped.used ? PAGE_DEAD : PAGE_FREE;
}

/* Memory of objects that are gone is touched again only when nothing is derived from it any more:
 * until then any access is a bug, afterwards it must be cleared before it is used. */
static void page_changed(uint64_t index, enum page_state now)
{
    uint8_t *page = sim_memory + index * PAGE_BYTES;
    const struct cap *owner = pages[index].owner;
    bool poison = now == PAGE_DEAD && cap_has_children(owner);
    if (pages[index].poisoned && !poison)
        ASAN_UNPOISON_MEMORY_REGION(page, PAGE_BYTES);
    if (now == PAGE_DEAD && pages[index].state != PAGE_DEAD)
        memset(page, GARBAGE, PAGE_BYTES);
    if (poison && !pages[index].poisoned)
        ASAN_POISON_MEMORY_REGION(page, PAGE_BYTES);
    if (now == PAGE_OBJECT && pages[index].state != PAGE_OBJECT && owner->type == OBJECT_page)
        ASSERT(late || is_zero(page) || (!pages[index].state && was_ring(page)));
    pages[index].poisoned = poison;
    pages[index].state = now;
}

/* --- capabilities --- */

static bool is_memory(const struct cap *cap)
{
    return cap->type == OBJECT_untyped && cap->untyped.kind == UNTYPED_MEMORY;
}

static void check_retyped(const struct cap *cap, const struct cap *parent)
{
    uint64_t end = parent->address + parent->pages * (uint64_t)PAGE_BYTES;
    ASSERT(cap->flags & CAP_FIRST);
    if (is_memory(parent)) {
        ASSERT(!(parent->flags & CAP_PAGES_ONLY) || cap->type == OBJECT_page ||
               (cap->type == OBJECT_untyped && cap->flags & CAP_PAGES_ONLY));
        own_pages(cap, parent);
        return;
    }
    ASSERT(cap->type == OBJECT_page && cap->address >= parent->address);
    ASSERT(cap->address + cap->pages * (uint64_t)PAGE_BYTES <= end);
    ASSERT(parent->untyped.kind != UNTYPED_IMAGE || !(cap->rights & RIGHT_WRITE));
    ASSERT((parent->untyped.kind == UNTYPED_DEVICE) == ((cap->flags & CAP_DEVICE) != 0));
}

static void check_derived(const struct cap *cap, const struct cap *parent)
{
    ASSERT(cap->type == parent->type && (cap->rights & ~parent->rights) == 0);
    ASSERT((cap->flags & CAP_DEVICE) == (parent->flags & CAP_DEVICE));
    ASSERT(cap->type != OBJECT_table);
    if (cap->type == OBJECT_ioport) {
        ASSERT(cap->number >= parent->number &&
               cap->number + cap->ioport.count <= parent->number + parent->ioport.count);
    } else if (cap->type == OBJECT_irq) {
        ASSERT(cap->number == parent->number || parent->number == 0);
        ASSERT(((cap->flags & CAP_FIRST) != 0) == (cap->number != parent->number));
        return;
    } else {
        ASSERT(cap->object == parent->object && cap->pages == parent->pages);
    }
    ASSERT(!(cap->flags & CAP_FIRST));
}

static void check_cap(const struct cap *cap, const struct cap *parent)
{
    cap_check(cap);
    count.caps++;
    if (!parent && is_memory(cap))
        own_pages(cap, NULL);
    else if (parent && parent->type == OBJECT_untyped)
        check_retyped(cap, parent);
    else if (parent)
        check_derived(cap, parent);
    if ((cap->type == OBJECT_page || cap->type == OBJECT_table) && cap->map.space)
        count.mapped++;
    ASSERT(!(cap->flags & CAP_FLUSHING) || (cap->map.space && cap->map.space->dma));
}

/* Walks the list, with the line of ancestors at hand. */
static void check_caps(const struct cap *first)
{
    const struct cap *line[DERIVATION_DEPTH_MAX + 1], *last = NULL;
    ASSERT(!first->prev && first->depth == 0);
    for (uint64_t i = 0; i < sim_pages; i++)
        pages[i].owner = NULL;
    for (const struct cap *cap = first; cap; last = cap, cap = cap->next) {
        ASSERT(cap->prev == last && count.caps < CAPS_MAX);
        ASSERT(cap->depth <= DERIVATION_DEPTH_MAX);
        ASSERT(!last || cap->depth <= last->depth + 1);
        check_cap(cap, cap->depth ? line[cap->depth - 1] : NULL);
        line[cap->depth] = cap;
    }
}

static void check_share(const struct cap *cap)
{
    const struct port *port = cap->object;
    ASSERT(cap->port.share <= PORT_SHARES);
    if (cap->port.share != 0) /* the share of all others, which may have no room */
        ASSERT(port->shares[cap->port.share].reserved && !port->shares[cap->port.share].closing);
}

/* Every capability of the list is in a slot. */
static void check_place(const struct cap *cap)
{
    uint64_t index = index_of(cap);
    ASSERT(index < sim_pages && (uint64_t)cap % sizeof(*cap) == 0);
    const struct cap *owner = pages[index].owner;
    const struct captable *table = owner ? owner->object : root_table;
    if (owner && owner->type == OBJECT_port) {
        ASSERT(!(cap->flags & (CAP_FIRST | CAP_OWNS_SHARE)) && cap->type != OBJECT_untyped);
    } else {
        ASSERT(!owner || owner->type == OBJECT_captable);
        ASSERT(cap > (const struct cap *)table && cap < (const struct cap *)table + table->slots);
    }
    if (cap->type == OBJECT_port) {
        ASSERT(is_object(cap->object, OBJECT_port));
        check_share(cap);
    }
    if (cap->type == OBJECT_captable) {
        const struct captable *named = cap->object;
        ASSERT(named == root_table || is_object(named, OBJECT_captable));
        /* Removal follows tables into tables: it ends because they contain each other in a tree. */
        ASSERT(!(cap->flags & CAP_FIRST) || named->nesting == table->nesting + 1);
    }
}

/* --- threads --- */

static void check_thread(const struct thread *thread)
{
    thread_check(thread);
    count.ready += thread->state == THREAD_READY;
    count.deadlines += thread->deadline.time != 0;
    count.faulted += thread->state == THREAD_FAULTED && thread->port;
    count.space_threads += thread->space != NULL;
    count.captable_threads += thread->captable != NULL;
    ASSERT(!thread->space || is_object(thread->space, OBJECT_space));
    ASSERT(!thread->captable || thread->captable == root_table ||
           is_object(thread->captable, OBJECT_captable));
    ASSERT(!thread->port || is_object(thread->port, OBJECT_port));
    ASSERT(!thread->port || thread->state == THREAD_WAITING || thread->state == THREAD_FAULTED);
    ASSERT((thread->state == THREAD_RUNNING) == (sim_cpu.current == thread));
}

/* A list of threads by some member: all alive; returns how many. */
#define FOR_EACH_THREAD(thread, list, member)                                                      \
    for (const struct thread *thread = CONTAINER_OF((list)->next, struct thread, member);          \
         &thread->member != (list) && (ASSERT_THREAD(thread), true);                               \
         thread = CONTAINER_OF(thread->member.next, struct thread, member))
#define ASSERT_THREAD(thread) (is_object(thread, OBJECT_thread) ? (void)0 : panic("no thread"))

static void check_ready_queues(void)
{
    int ready = 0;
    for (int priority = 0; priority < PRIORITY_COUNT; priority++) {
        const struct list *queue = &sim_cpu.ready[priority];
        ASSERT(list_empty(queue) == !(sim_cpu.ready_bits >> priority & 1));
        FOR_EACH_THREAD(thread, queue, link)
        {
            ASSERT(thread->state == THREAD_READY && thread->priority == priority);
            ASSERT(++ready <= count.ready);
        }
    }
    ASSERT(ready == count.ready);
}

/* In order, balanced, and as many as there should be. Returns the height. */
static int check_deadlines(const struct deadline *node, const struct deadline *parent,
                           uint64_t least, uint64_t most, int *found)
{
    if (!node)
        return 0;
    ASSERT_THREAD(CONTAINER_OF(node, struct thread, deadline));
    ASSERT(node->parent == parent && node->time >= least && node->time <= most && node->time);
    ASSERT(++*found <= count.deadlines);
    int low = check_deadlines(node->child[0], node, least, node->time, found);
    int high = check_deadlines(node->child[1], node, node->time, most, found);
    ASSERT(high - low == node->balance && node->balance >= -1 && node->balance <= 1);
    return 1 + (low > high ? low : high);
}

static uint64_t first_deadline(void)
{
    const struct deadline *node = sim_cpu.deadlines;
    while (node && node->child[0])
        node = node->child[0];
    return node ? node->time : 0;
}

static void check_cpu(void)
{
    const struct thread *current = sim_cpu.current;
    int best = sim_cpu.ready_bits ? 63 - __builtin_clzll(sim_cpu.ready_bits) : -1;
    ASSERT(!current || is_object(current, OBJECT_thread));
    ASSERT(current ? current->priority >= best : best == -1);
    ASSERT(!current || (current->space == sim_cpu.space && sim.loaded == current));
    ASSERT(!sim_cpu.space || is_object(sim_cpu.space, OBJECT_space));
    ASSERT(!sim_cpu.reschedule && sim_cpu.timer == sim.timer);
    ASSERT((sim_cpu.budget_end != 0) == (current && current->budget.ticks));
    ASSERT(!sim_cpu.budget_end || (sim.timer && sim.timer <= sim_cpu.budget_end));
    ASSERT(!sim_cpu.slice_end || (current && sim.timer && sim.timer <= sim_cpu.slice_end));
    ASSERT(!current || current->priority > best || sim_cpu.slice_end);
    ASSERT(!first_deadline() || (sim.timer && sim.timer <= first_deadline()));
}

/* --- ports, tables, spaces --- */

static int caps_in_table(const struct captable *table)
{
    int used = 0;
    const struct cap *slots = (const struct cap *)table;
    ASSERT(slots[0].type == OBJECT_none);
    for (uint32_t i = 1; i < table->slots; i++) {
        used += slots[i].type != OBJECT_none;
        ASSERT(i >= table->scan || slots[i].type == OBJECT_none);
    }
    FOR_EACH_THREAD(thread, &table->threads, captable_link)
    {
        ASSERT(thread->captable == table && --count.captable_threads >= 0);
    }
    return used;
}

static int caps_in_port(const struct port *port)
{
    int used = 0, share_used[PORT_SHARES + 1] = {0};
    port_check(port);
    if (port->waiter) {
        ASSERT(is_object(port->waiter, OBJECT_thread));
        ASSERT(port->waiter->state == THREAD_WAITING && port->waiter->port == port);
    }
    for (unsigned i = 0; i < PORT_QUEUE_SLOTS; i++) {
        unsigned index = (port->head + i) % PORT_QUEUE_SLOTS;
        for (int n = 0; n < 2; n++) {
            if (port->entries[index].caps[n].type == OBJECT_none)
                continue;
            ASSERT(i < port->count); /* capabilities only in messages */
            used++;
        }
        if (i < port->count)
            share_used[port->entry_share[index]]++;
    }
    for (int i = 0; i <= PORT_SHARES; i++) {
        ASSERT(port->shares[i].used == share_used[i]);
        ASSERT(!port->shares[i].closing || port->shares[i].used);
    }
    FOR_EACH_THREAD(thread, &port->faulted, link)
    {
        ASSERT(thread->state == THREAD_FAULTED && thread->port == port && --count.faulted >= 0);
    }
    return used;
}

/* Every open share has one owner. */
static void check_share_owners(const struct cap *first)
{
    static uint8_t owners[SIM_PAGES_MAX][PORT_SHARES + 1];
    memset(owners, 0, sim_pages * sizeof(owners[0]));
    for (const struct cap *cap = first; cap; cap = cap->next)
        if (cap->type == OBJECT_port && (cap->flags & CAP_OWNS_SHARE))
            ASSERT(++owners[index_of(cap->object)][cap->port.share] == 1);
    for (const struct cap *cap = first; cap; cap = cap->next) {
        if (cap->type != OBJECT_port || !(cap->flags & CAP_FIRST))
            continue;
        const struct port *port = cap->object;
        for (int i = 1; i <= PORT_SHARES; i++)
            ASSERT((port->shares[i].reserved && !port->shares[i].closing) ==
                   owners[index_of(port)][i]);
    }
}

/* --- interrupts --- */

static void check_vector(uint64_t number, bool owned)
{
    const struct irq_vector *vector = irq_vector(number);
    ASSERT(vector->taken == owned);
    ASSERT(!vector->port || (owned && is_object(vector->port, OBJECT_port) && vector->bit < 64));
    ASSERT(!vector->routed || (vector->port && sim_pin(vector->pin)->vector == number));
    ASSERT(!vector->level || (vector->routed && sim_pin(vector->pin)->level));
}

/* A vector has at most one first capability, and is bound only while that exists; a pin is open
 * only while its vector is bound. */
static void check_irqs(const struct cap *first)
{
    bool owned[IRQ_VECTOR_LAST + 1] = {false};
    for (const struct cap *cap = first; cap; cap = cap->next) {
        if (cap->type != OBJECT_irq || !(cap->flags & CAP_FIRST))
            continue;
        ASSERT(cap->number >= IRQ_VECTOR_FIRST && cap->number <= IRQ_VECTOR_LAST);
        ASSERT(!owned[cap->number]);
        owned[cap->number] = true;
    }
    for (uint64_t number = IRQ_VECTOR_FIRST; number <= IRQ_VECTOR_LAST; number++)
        check_vector(number, owned[number]);
    for (uint64_t pin = 0; pin <= SIM_PINS; pin++) {
        if (!sim.pin[pin].open)
            continue;
        const struct irq_vector *vector = irq_vector(sim.pin[pin].vector);
        ASSERT(vector->routed && sim_pin(vector->pin) == &sim.pin[pin]);
    }
}

static void check_space(const struct space *space)
{
    ASSERT((uint64_t)space->root == (uint64_t)space + PAGE_BYTES);
    ASSERT(space->root_physical == virt_to_phys(space->root));
    ASSERT(space->dma || space->end == USER_ADDRESS_END);
    FOR_EACH_THREAD(thread, &space->threads, space_link)
    {
        ASSERT(thread->space == space && --count.space_threads >= 0);
    }
    for (const struct list *l = space->maps.next; l != &space->maps; l = l->next) {
        const struct cap *cap = CONTAINER_OF(l, struct cap, map.maps);
        ASSERT(l->next->prev == l && --count.mapped >= 0);
        ASSERT(cap->type == OBJECT_page || cap->type == OBJECT_table);
        ASSERT(cap->map.space == space);
        check_place(cap);
    }
    if (space->dma)
        check_dmaspace_entries(space);
    else
        check_space_entries(space);
}

/* The data plane: threads, ports, and what the CPU has of them. Returns the capabilities that are
 * in messages. */
static int check_data_plane(void)
{
    int found = 0, deadlines = 0;
    for (uint32_t i = 0; i < kept.thread_count; i++)
        check_thread(kept.threads[i]);
    check_ready_queues();
    check_deadlines(sim_cpu.deadlines, NULL, 0, UINT64_MAX, &deadlines);
    ASSERT(deadlines == count.deadlines);
    check_cpu();
    for (uint32_t i = 0; i < kept.port_count; i++)
        found += caps_in_port(kept.ports[i]);
    ASSERT(count.faulted == 0);
    return found;
}

static void keep(const struct cap *cap)
{
    if (cap->type == OBJECT_thread) {
        ASSERT(kept.thread_count < KEPT_MAX);
        kept.threads[kept.thread_count++] = cap->object;
    } else if (cap->type == OBJECT_port) {
        ASSERT(kept.port_count < KEPT_MAX);
        kept.ports[kept.port_count++] = cap->object;
    }
}

void check_all(const struct cap *first, const struct captable *table)
{
    int found;
    checking = true;
    memset(&count, 0, sizeof(count));
    kept.thread_count = kept.port_count = 0;
    root_table = table;
    check_dma_begin();
    check_caps(first);
    for (uint64_t i = 0; i < sim_pages; i++)
        page_changed(i, state_now(i));
    for (const struct cap *cap = first; cap; cap = cap->next) {
        check_place(cap);
        if (cap->flags & CAP_FIRST)
            keep(cap);
    }
    kept.in_messages = check_data_plane();
    found = kept.in_messages + caps_in_table(table);
    if (sim_cpu.space)
        check_translations(sim_cpu.space);
    for (const struct cap *cap = first; cap; cap = cap->next) {
        if (!(cap->flags & CAP_FIRST))
            continue;
        if (cap->type == OBJECT_captable)
            found += caps_in_table(cap->object);
        else if (cap->type == OBJECT_space || cap->type == OBJECT_dmaspace)
            check_space(cap->object);
    }
    check_dma();
    check_share_owners(first);
    check_irqs(first);
    check_trace(first);
    ASSERT(found == count.caps);
    ASSERT(count.space_threads == 0 && count.captable_threads == 0);
    ASSERT(count.mapped == 0);
    sim_changes_forget();
    checking = false;
}

void check_watch(bool is_watched)
{
    watched = is_watched;
}

void check_kernel_access(uint64_t index)
{
    if (!watched || checking || pages[index].state != PAGE_OBJECT)
        return;
    if (pages[index].owner->type == OBJECT_page && !check_trace_page(index))
        panic("the kernel touches page %lu, which belongs to a domain", (unsigned long)index);
}

static bool is_counters(uint64_t index)
{
    uint64_t first = index_of(sim_counters);
    return index >= first && index < first + KERNEL_COUNTER_PAGES;
}

/* Whether the page is a thread or a port, or one where the kernel only writes what happened. */
static bool is_data_plane(uint64_t index)
{
    const struct cap *owner = pages[index].owner;
    return (owner && (owner->type == OBJECT_thread || owner->type == OBJECT_port)) ||
           check_trace_page(index) || is_counters(index);
}

void check_changed(const struct cap *first, const struct captable *table)
{
    uint64_t index;
    bool elsewhere = !sim_changes_known();
    while (!elsewhere && sim_change_take(&index))
        elsewhere = !is_data_plane(index);
    if (elsewhere) {
        check_all(first, table);
        return;
    }
    checking = true;
    memset(&count, 0, sizeof(count));
    int in_messages = check_data_plane();
    ASSERT(in_messages == kept.in_messages);
    checking = false;
}
