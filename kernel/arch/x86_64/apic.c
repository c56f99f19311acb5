/* SPDX-License-Identifier: ISC
 *
 * Timer and interrupt controllers: see apic.h. The timer is one-shot: nothing ticks.
 */
#include "kernel/arch/x86_64/apic.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/vtd.h"
#include "kernel/irq.h"
#include "kernel/panic.h"

/* Offsets in the page of registers; as an x2APIC's MSR: 0x800 + offset / 16. */
enum apic_register {
    APIC_ID = 0x20,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_TIMER = 0x320,
    APIC_LINT0 = 0x350,
    APIC_LINT1 = 0x360,
    APIC_ERROR = 0x370,
    APIC_INITIAL = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3e0,
};

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_X2APIC = 0x800,
    BASE_X2APIC = 1 << 10,
    BASE_ENABLE = 1 << 11,
    APIC_MASKED = 1 << 16,
    APIC_ENABLE = 1 << 8,
    APIC_DIVIDE_BY_1 = 0xb,
    APIC_TIMER_DEADLINE = 2 << 17,
    APIC_ID_LAST = 0xfe,    /* that devices reach without interrupt remapping */
    CPUID_X2APIC = 1 << 21, /* leaf 1, ecx */
    CPUID_TSC_DEADLINE = 1 << 24,
    IOAPIC_SELECT = 0,
    IOAPIC_WINDOW = 0x10 / 4,
    IOAPIC_VERSION = 1,
    IOAPIC_ENTRY = 0x10,
    IOAPIC_ACTIVE_LOW = 1 << 13,
    IOAPIC_LEVEL = 1 << 15,
    IOAPIC_MASKED = 1 << 16,
    PIC_MASTER_MASK = 0x21,
    PIC_SLAVE_MASK = 0xa1,
};

static bool x2apic, deadlines;
static uint32_t apic_id;         /* of the one CPU that runs */
static uint64_t timer_per_clock; /* timer counts per clock tick, 32 fraction bits */

static uint32_t apic_read(enum apic_register offset)
{
    if (x2apic)
        return (uint32_t)read_msr(MSR_X2APIC + offset / 16);
    return device_page(DEVICE_PAGE_APIC)[offset / 4];
}

static void apic_write(enum apic_register offset, uint32_t value)
{
    if (x2apic)
        write_msr(MSR_X2APIC + offset / 16, value);
    else
        device_page(DEVICE_PAGE_APIC)[offset / 4] = value;
}

static uint32_t ioapic_read(uint32_t index)
{
    device_page(DEVICE_PAGE_IOAPIC)[IOAPIC_SELECT] = index;
    return device_page(DEVICE_PAGE_IOAPIC)[IOAPIC_WINDOW];
}

static void ioapic_write(uint32_t index, uint32_t value)
{
    device_page(DEVICE_PAGE_IOAPIC)[IOAPIC_SELECT] = index;
    device_page(DEVICE_PAGE_IOAPIC)[IOAPIC_WINDOW] = value;
}

/* A firmware that left the x2APIC on leaves no way back but through a reset of the APIC. */
static void apic_choose(void)
{
    uint64_t base = read_msr(MSR_APIC_BASE);
    x2apic = (cpuid(1, 0).ecx & CPUID_X2APIC) || (base & BASE_X2APIC);
    if (x2apic)
        write_msr(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
    apic_id = apic_read(APIC_ID) >> (x2apic ? 0 : 24);
    if (apic_id > APIC_ID_LAST)
        panic("this processor's APIC ID is %u: no device could interrupt it", apic_id);
}

void apic_start(void)
{
    out8(PIC_MASTER_MASK, 0xff);
    out8(PIC_SLAVE_MASK, 0xff);
    apic_choose();
    /* First: an APIC that isn't enabled keeps every entry below masked. */
    apic_write(APIC_SPURIOUS, APIC_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_LINT0, APIC_MASKED);
    apic_write(APIC_LINT1, APIC_MASKED);
    apic_write(APIC_ERROR, APIC_MASKED);
    apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
    apic_write(APIC_TIMER, VECTOR_TIMER);
    uint32_t last = ioapic_read(IOAPIC_VERSION) >> 16 & 0xff;
    for (uint32_t pin = 0; pin <= last; pin++) /* whatever the firmware left */
        ioapic_write(IOAPIC_ENTRY + 2 * pin, IOAPIC_MASKED);
}

const char *apic_name(void)
{
    return x2apic ? "x2APIC" : "xAPIC";
}

void apic_end_of_interrupt(void)
{
    apic_write(APIC_EOI, 0);
}

void apic_timer_count_set(uint32_t count)
{
    apic_write(APIC_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
    return apic_read(APIC_CURRENT);
}

void apic_timer_choose(uint64_t counts_per_tick)
{
    timer_per_clock = counts_per_tick;
    deadlines = cpuid(1, 0).ecx & CPUID_TSC_DEADLINE;
    if (!deadlines)
        return;
    apic_write(APIC_TIMER, APIC_TIMER_DEADLINE | VECTOR_TIMER);
    /* The mode is written to memory, a deadline to an MSR, which doesn't wait for it
     * (SDM 10.5.4.1).
     */
    memory_fence();
}

const char *apic_timer_name(void)
{
    return deadlines ? "TSC deadline" : "one-shot";
}

void arch_timer_set(uint64_t time)
{
    if (deadlines) {
        write_msr(MSR_TSC_DEADLINE, time ? time : 1); /* 0 would stop it */
        return;
    }
    uint64_t now = arch_clock();
    unsigned __int128 counts = 1;
    if (time > now)
        counts += (unsigned __int128)(time - now) * timer_per_clock >> 32;
    if (counts > UINT32_MAX)
        counts = UINT32_MAX; /* too early; then it is set again */
    apic_write(APIC_INITIAL, (uint32_t)counts);
}

enum error arch_pin_route(uint64_t pin, uint64_t vector, bool level)
{
    uint32_t last = ioapic_read(IOAPIC_VERSION) >> 16 & 0xff;
    if (pin == IRQ_PIN_IOMMU)
        return vtd_route(vector);
    if (pin > last)
        return ERROR_BAD_ARGUMENT;
    uint32_t entry = IOAPIC_ENTRY + 2 * (uint32_t)pin;
    ioapic_write(entry + 1, apic_id << 24);
    ioapic_write(entry, (uint32_t)vector | (level ? IOAPIC_LEVEL | IOAPIC_ACTIVE_LOW : 0));
    return OK;
}

void arch_pin_mask(uint64_t pin, bool masked)
{
    if (pin == IRQ_PIN_IOMMU) {
        vtd_mask(masked);
        return;
    }
    uint32_t entry = IOAPIC_ENTRY + 2 * (uint32_t)pin;
    uint32_t value = ioapic_read(entry) & ~(uint32_t)IOAPIC_MASKED;
    ioapic_write(entry, value | (masked ? IOAPIC_MASKED : 0));
}

void arch_irq_message(uint64_t vector, uint64_t *address, uint64_t *data)
{
    *address = APIC_PHYSICAL | (uint64_t)apic_id << 12; /* physical destination */
    *data = vector;                                     /* edge, fixed delivery */
}
