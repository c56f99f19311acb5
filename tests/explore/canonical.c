/* SPDX-License-Identifier: ISC
 *
 * See canonical.h.
 */
#include "tests/explore/canonical.h"

#include <string.h>

#include "kernel/arch/sim/machine.h"
#include "kernel/captable.h"
#include "kernel/dmaspace.h"
#include "kernel/iommu.h"
#include "kernel/irq.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "tests/explore/memory.h"
#include "tests/explore/scene.h"

enum {
    CAPS_MAX = 2000,
    NO_PAGE = 0xff,
    ENTRIES = 512, /* of a page table */
    ENTRY_PRESENT = 1,
};
#define ENTRY_ADDRESS 0x000ffffffffff000ull

static struct {
    uint64_t hash;
    const uint8_t *memory;
    uint8_t number[SIM_PAGES]; /* of each page, by which it is known */
    uint8_t numbers;
    bool broken;
} form;

/* Multiplication to 128 bits spreads each bit over all. */
static inline void mix(uint64_t word)
{
    __uint128_t product =
        (__uint128_t)(form.hash ^ word ^ 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;
    form.hash = (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t pointer(const void *at)
{
    uint64_t offset = (uint64_t)at - (uint64_t)form.memory;
    if (!at)
        return 0;
    if (offset >= SIM_MEMORY_BYTES) /* the CPU's lists */
        return 1ull << 60 | ((uint64_t)at - (uint64_t)&sim_cpu);
    uint64_t page = offset / PAGE_BYTES, in_page = offset % PAGE_BYTES;
    if (form.number[page] == NO_PAGE)
        return 1ull << 61 | offset;
    return 1ull << 59 | (uint64_t)form.number[page] << 12 | in_page;
}

static inline uint64_t physical(uint64_t address)
{
    uint64_t offset = address - SIM_MEMORY_FIRST;
    if (offset >= SIM_MEMORY_BYTES || form.number[offset / PAGE_BYTES] == NO_PAGE)
        return address;
    return 1ull << 59 | (uint64_t)form.number[offset / PAGE_BYTES] << 12 | address % PAGE_BYTES;
}

static inline uint64_t from_now(uint64_t time)
{
    return time ? time - sim_clock + (1ull << 62) : 0;
}

static inline void mix_list(const struct list *list)
{
    mix(pointer(list->next));
    mix(pointer(list->prev));
}

/* --- which pages are what --- */

static uint64_t page_bits(uint64_t address, uint64_t pages)
{
    uint64_t first = (address - SIM_MEMORY_FIRST) / PAGE_BYTES;
    if (address < SIM_MEMORY_FIRST || first + pages > SIM_PAGES || !pages)
        return 0;
    return (pages == 64 ? ~0ull : (1ull << pages) - 1) << first;
}

static bool by_address(const struct cap *cap)
{
    return cap->type == OBJECT_untyped || cap->type == OBJECT_page;
}

static void number_pages(const struct cap *cap)
{
    uint64_t address = by_address(cap) ? cap->address : virt_to_phys(cap->object);
    uint64_t first = (address - SIM_MEMORY_FIRST) / PAGE_BYTES;
    for (uint64_t i = first; i < first + cap->pages && i < SIM_PAGES; i++) {
        if (form.number[i] != NO_PAGE) /* image pages may be there twice */
            form.broken = form.broken || address >= IMAGE_ADDRESS + 2 * PAGE_BYTES;
        else
            form.number[i] = form.numbers++;
    }
}

static bool sane(const struct cap *cap, const struct cap *last)
{
    uint64_t offset = (uint64_t)((const uint8_t *)cap - form.memory);
    return offset < SIM_MEMORY_BYTES && offset % sizeof(*cap) == 0 && cap->prev == last &&
           cap->type > OBJECT_none && cap->type < OBJECT_COUNT &&
           (by_address(cap) || cap->type == OBJECT_irq || cap->type == OBJECT_ioport ||
            cap->type == OBJECT_trace || cap->type == OBJECT_iommu ||
            (uint64_t)((const uint8_t *)cap->object - form.memory) < SIM_MEMORY_BYTES);
}

/* Looks at the derivation list first; false when it isn't one. */
static bool number_objects(struct canonical *canonical, const struct cap *first)
{
    const struct cap *last = NULL;
    int caps = 0;
    for (const struct cap *cap = first; cap; last = cap, cap = cap->next) {
        if (++caps > CAPS_MAX || !sane(cap, last))
            return false;
        if (cap->type == OBJECT_untyped && cap->untyped.kind == UNTYPED_MEMORY) {
            uint64_t all = page_bits(cap->address, cap->pages);
            uint64_t used = page_bits(cap->address, cap->untyped.used);
            canonical->dead = (canonical->dead & ~all) | used;
            canonical->gone = (canonical->gone & ~all) | (cap_has_children(cap) ? used : 0);
        } else if ((cap->flags & CAP_FIRST) && cap->type != OBJECT_irq && cap->pages &&
                   cap->type != OBJECT_untyped && !(cap->flags & CAP_DEVICE)) {
            uint64_t bits =
                page_bits(by_address(cap) ? cap->address : virt_to_phys(cap->object), cap->pages);
            number_pages(cap);
            if (cap->type == OBJECT_captable)
                canonical->slots |= bits;
            canonical->dead &= ~bits;
            canonical->gone &= ~bits;
        }
    }
    return !form.broken;
}

/* --- capabilities --- */

/* Which slot: of a table its number, of a port its entry counted from the queue's head. */
static uint64_t place(const struct cap *cap, const uint64_t *ports)
{
    uint64_t offset = (uint64_t)((const uint8_t *)cap - form.memory);
    if (!(*ports >> (offset / PAGE_BYTES) & 1))
        return pointer(cap);
    const struct port *port = (const struct port *)(form.memory + offset / PAGE_BYTES * PAGE_BYTES);
    uint64_t in_entries = (uint64_t)((const uint8_t *)cap - (const uint8_t *)port->entries);
    uint64_t entry = in_entries / sizeof(port->entries[0]);
    uint64_t from_head = (entry + PORT_QUEUE_SLOTS - port->head) % PORT_QUEUE_SLOTS;
    return pointer(port) | from_head << 32 | in_entries % sizeof(port->entries[0]) << 40;
}

/* Which invalidation a ticket waits for: 0: none; it is modulo 4, as iommu.h says. */
static uint64_t waits_for(uint8_t ticket)
{
    uint8_t ahead = (ticket - iommu.done) & 3;
    return ahead == 3 ? 0 : ahead;
}

/* A ticket counts by what it waits for. */
static uint64_t flags_of(const struct cap *cap)
{
    if (!(cap->flags & CAP_FLUSHING))
        return cap->flags;
    return (cap->flags & (CAP_FLUSHING | (CAP_FLUSHING - 1))) |
           waits_for(cap->flags >> CAP_TICKET_SHIFT) << CAP_TICKET_SHIFT;
}

static void mix_cap(const struct cap *cap, const uint64_t *ports)
{
    mix(place(cap, ports));
    mix(cap->type | (uint64_t)cap->rights << 8 | (uint64_t)cap->depth << 16 | flags_of(cap) << 24 |
        (uint64_t)cap->pages << 32);
    switch (cap->type) {
    case OBJECT_untyped:
        mix(cap->untyped.used);
        mix(cap->untyped.cleared << 2 | cap->untyped.kind);
        break;
    case OBJECT_page:
    case OBJECT_table:
        mix(by_address(cap) ? physical(cap->address) : pointer(cap->object));
        if (cap->map.space) {
            mix(pointer(cap->map.space));
            mix(cap->map.at);
            mix_list(&cap->map.maps);
        }
        break;
    case OBJECT_port:
        mix(pointer(cap->object));
        mix(cap->port.badge << 8 | cap->port.share);
        break;
    case OBJECT_irq:
        mix(cap->number);
        break;
    case OBJECT_ioport:
        mix(cap->number << 32 | cap->ioport.count);
        break;
    default:
        mix(pointer(cap->object));
    }
}

/* --- objects --- */

static void mix_captable(const struct captable *table)
{
    const struct cap *slot = (const struct cap *)table;
    for (uint64_t first = 0; first < table->slots; first += SLOTS_PER_PAGE) {
        uint64_t used = 0;
        for (uint64_t i = 0; i < SLOTS_PER_PAGE; i++)
            used |= (uint64_t)(slot[first + i].type != OBJECT_none) << i;
        mix(used);
    }
    mix(table->slots | (uint64_t)table->scan << 32);
    mix(table->type | table->dying << 8 | table->nesting << 16);
    mix_list(&table->threads);
}

static void mix_thread(const struct thread *thread)
{
    mix(thread->state | thread->priority << 8 | thread->vital << 16 | thread->ceiling << 24 |
        (uint64_t)thread->fault_slot << 32);
    mix_list(&thread->link);
    mix(pointer(thread->space));
    mix_list(&thread->space_link);
    mix(pointer(thread->captable));
    mix_list(&thread->captable_link);
    mix(pointer(thread->port));
    mix(thread->slice_left);
    mix(from_now(thread->deadline.time));
    mix(thread->budget.ticks);
    if (thread->budget.ticks) {
        mix(thread->budget.period);
        mix(thread->budget.left);
        mix(from_now(thread->budget.refill));
    }
    if (thread->deadline.time) {
        mix(pointer(thread->deadline.parent));
        mix(pointer(thread->deadline.child[0]));
        mix(pointer(thread->deadline.child[1]));
        mix((uint64_t)(int64_t)thread->deadline.balance);
    }
    if (thread->state == THREAD_WAITING)
        mix(thread->registers.r14);
    if (thread->state == THREAD_FAULTED)
        mix(thread->fault.badge);
}

static void mix_port(const struct port *port)
{
    uint64_t caps[2] = {0};
    mix(port->pending);
    mix(pointer(port->waiter));
    mix_list(&port->faulted);
    mix(port->count);
    for (unsigned i = 0; i < PORT_QUEUE_SLOTS; i++) {
        unsigned index = (port->head + i) % PORT_QUEUE_SLOTS;
        if (i < port->count)
            mix(port->entry_share[index]);
        for (int n = 0; n < 2; n++)
            caps[n] |= (uint64_t)(port->entries[index].caps[n].type != OBJECT_none) << i;
    }
    mix(caps[0] << 32 | caps[1]);
    for (int i = 0; i <= PORT_SHARES; i++) {
        const struct port_share *share = &port->shares[i];
        mix(share->reserved | share->used << 8 | share->closing << 16 | (uint64_t)i << 24);
    }
}

/* A page table, or the root: what isn't 0. */
static void mix_entries(const uint64_t *table, int end)
{
    for (int i = 0; i < end; i += 8) {
        const uint64_t *e = &table[i];
        if (!(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]))
            continue;
        for (int k = 0; k < 8; k++)
            if (e[k])
                mix(physical(e[k] & ENTRY_ADDRESS) ^ (e[k] & ~ENTRY_ADDRESS) ^
                    (uint64_t)(i + k) << 48);
    }
    mix(0);
}

static void mix_dmaspace(const struct dmaspace *dmaspace)
{
    const struct space *space = &dmaspace->space;
    mix_list(&space->maps);
    mix(pointer(space->root));
    mix_entries(space->root, ENTRIES);
    mix_entries(space->root + ENTRIES, ENTRIES);
    mix(dmaspace->count | (uint64_t)dmaspace->domain << 8 |
        (dmaspace->domain ? waits_for(dmaspace->ticket) << 16 : 0));
    for (int i = 0; i < dmaspace->count; i++)
        mix(dmaspace->devices[i]);
}

static void mix_iommu(void)
{
    mix(iommu.domains);
    mix((uint64_t)(iommu.begun != iommu.done) | (uint64_t)sim.iommu.running << 1);
    for (int i = 0; i < SIM_CONTEXTS; i++)
        if (sim.iommu.context[i].root)
            mix(physical(sim.iommu.context[i].root) ^ (uint64_t)sim.iommu.context[i].source << 40 ^
                (uint64_t)sim.iommu.context[i].domain << 56);
}

static void mix_object(const struct cap *cap)
{
    const struct space *space = cap->object;
    switch (cap->type) {
    case OBJECT_captable:
        mix_captable(cap->object);
        break;
    case OBJECT_thread:
        mix_thread(cap->object);
        break;
    case OBJECT_port:
        mix_port(cap->object);
        break;
    case OBJECT_table:
        mix_entries(cap->object, ENTRIES);
        break;
    case OBJECT_dmaspace:
        mix_dmaspace(cap->object);
        break;
    case OBJECT_space:
        mix_list(&space->maps);
        mix_list(&space->threads);
        mix(pointer(space->root));
        mix(space->label);
        mix_entries((const uint64_t *)space + ENTRIES, ENTRIES / 2);
        break;
    default:
        break;
    }
}

/* --- the machine --- */

static void mix_cpu(void)
{
    const struct cpu *cpu = &sim_cpu;
    mix(pointer(cpu->current));
    mix(cpu->ready_bits);
    for (int i = 0; i < PRIORITY_COUNT; i++)
        if (cpu->ready[i].next != &cpu->ready[i] || cpu->ready[i].prev != &cpu->ready[i])
            mix_list(&cpu->ready[i]);
    mix(pointer(cpu->deadlines));
    mix(from_now(cpu->timer));
    mix(from_now(cpu->slice_end));
    mix(from_now(cpu->budget_end));
    mix(pointer(cpu->space));
    mix(cpu->reschedule);
    mix(pointer(cpu->trace.header));
    mix(cpu->trace.mask);
}

static void mix_irqs(void)
{
    for (uint64_t number = IRQ_VECTOR_FIRST; number <= IRQ_VECTOR_LAST; number++) {
        const struct irq_vector *v = irq_vector(number);
        if (!(v->taken | v->routed | v->level | (v->port != NULL)))
            continue;
        mix(number << 32 | v->taken | v->routed << 1 | v->level << 2);
        mix(pointer(v->port));
        if (v->port)
            mix(v->bit | (uint64_t)(v->routed ? v->pin : 0) << 8);
    }
    for (uint64_t pin = 0; pin < SIM_PINS; pin++)
        if (sim.pin[pin].open)
            mix(pin << 32 | sim.pin[pin].vector << 8 | sim.pin[pin].level);
}

void canonical_take(struct canonical *canonical)
{
    const struct cap *first = scene_first_cap();
    *canonical = (struct canonical){.slots = 1};
    form.memory = phys_to_virt(SIM_MEMORY_FIRST);
    form.hash = form.numbers = 0;
    form.broken = false;
    memset(form.number, NO_PAGE, sizeof(form.number));
    form.number[0] = form.numbers++; /* the root table */
    if (!number_objects(canonical, first)) {
        canonical->broken = true;
        return;
    }
    uint64_t ports = 0;
    for (const struct cap *cap = first; cap; cap = cap->next)
        if (cap->type == OBJECT_port && (cap->flags & CAP_FIRST))
            ports |= page_bits(virt_to_phys(cap->object), 1);
    for (const struct cap *cap = first; cap; cap = cap->next)
        mix_cap(cap, &ports);
    mix_captable(scene_root());
    for (const struct cap *cap = first; cap; cap = cap->next)
        if (cap->flags & CAP_FIRST)
            mix_object(cap);
    mix_cpu();
    mix(from_now(sim.timer));
    mix(pointer(sim.loaded));
    mix_irqs();
    if (sim.iommu.present)
        mix_iommu();
    canonical->hash = form.hash ? form.hash : 1;
}
