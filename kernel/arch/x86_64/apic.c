/* SPDX-License-Identifier: ISC
 *
 * Timer and interrupt controllers. The timer is one-shot: nothing ticks.
 */
#include "kernel/arch/x86_64/apic.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/irq.h"
#include "kernel/panic.h"

/* memory.c maps the two controllers in the last 2 MiB of the GiB where the kernel is linked. */
#define DEVICE_WINDOW (KERNEL_BASE + (1ull << 30) - (2ull << 20))
#define APIC          ((volatile uint32_t *)DEVICE_WINDOW)
#define IOAPIC        ((volatile uint32_t *)(DEVICE_WINDOW + PAGE_BYTES))

enum apic_register { /* in words */
                     APIC_EOI = 0xb0 / 4,
                     APIC_SPURIOUS = 0xf0 / 4,
                     APIC_TIMER = 0x320 / 4,
                     APIC_LINT0 = 0x350 / 4,
                     APIC_LINT1 = 0x360 / 4,
                     APIC_ERROR = 0x370 / 4,
                     APIC_INITIAL = 0x380 / 4,
                     APIC_CURRENT = 0x390 / 4,
                     APIC_DIVIDE = 0x3e0 / 4,
};

enum {
    APIC_MASKED = 1 << 16,
    APIC_ENABLE = 1 << 8,
    APIC_DIVIDE_BY_1 = 0xb,
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

/* The 8254: channel 2 is the one whose output can be read without an interrupt. */
enum {
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_GATE = 0x61,
    PIT_HZ = 1193182,
    PIT_COUNT = PIT_HZ / 1000, /* 1 ms: the processor's clock to 0.1 % */
};

uint64_t clock_frequency;
static uint64_t timer_per_clock; /* APIC timer counts per clock tick, 32 fraction bits */

static uint32_t ioapic_read(uint32_t index)
{
    IOAPIC[IOAPIC_SELECT] = index;
    return IOAPIC[IOAPIC_WINDOW];
}

static void ioapic_write(uint32_t index, uint32_t value)
{
    IOAPIC[IOAPIC_SELECT] = index;
    IOAPIC[IOAPIC_WINDOW] = value;
}

void apic_start(void)
{
    out8(PIC_MASTER_MASK, 0xff);
    out8(PIC_SLAVE_MASK, 0xff);
    /* First: an APIC that isn't enabled keeps every entry below masked. */
    APIC[APIC_SPURIOUS] = APIC_ENABLE | VECTOR_SPURIOUS;
    APIC[APIC_LINT0] = APIC_MASKED;
    APIC[APIC_LINT1] = APIC_MASKED;
    APIC[APIC_ERROR] = APIC_MASKED;
    APIC[APIC_DIVIDE] = APIC_DIVIDE_BY_1;
    APIC[APIC_TIMER] = VECTOR_TIMER;
    uint32_t last = ioapic_read(IOAPIC_VERSION) >> 16 & 0xff;
    for (uint32_t pin = 0; pin <= last; pin++) /* whatever the firmware left */
        ioapic_write(IOAPIC_ENTRY + 2 * pin, IOAPIC_MASKED);
}

void apic_end_of_interrupt(void)
{
    APIC[APIC_EOI] = 0;
}

/* Runs the PIT's channel 2 once through PIT_COUNT. The number of looks is bounded: a machine
 * without a PIT ends the loop too. */
static bool pit_wait(void)
{
    out8(PIT_GATE, (in8(PIT_GATE) & ~2) | 1);
    out8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, one shot */
    out8(PIT_CHANNEL_2, PIT_COUNT & 0xff);
    out8(PIT_CHANNEL_2, PIT_COUNT >> 8);
    for (uint32_t i = 0; i < 1000000; i++)
        if (in8(PIT_GATE) & 0x20)
            return true;
    return false;
}

/* Clock ticks and APIC timer counts while the PIT runs once. A host that takes the processor away
 * meanwhile makes both larger, never smaller. */
static void measure(uint64_t *clock, uint64_t *timer)
{
    APIC[APIC_INITIAL] = UINT32_MAX;
    uint64_t clock_start = arch_clock();
    uint32_t timer_start = APIC[APIC_CURRENT];
    if (!pit_wait())
        panic("no timer to calibrate the clock with (the 8254 doesn't count)");
    *timer = timer_start - APIC[APIC_CURRENT];
    *clock = arch_clock() - clock_start;
    APIC[APIC_INITIAL] = 0;
    if (*clock == 0 || *timer == 0)
        panic("the processor's clock or its APIC timer stands still");
}

/* Measures until the two smallest results agree to 0.4 %. A host so busy that they never do gets 50
 * tries, 50 ms and a little. */
void clock_calibrate(void)
{
    enum { TRIES = 50, AGREE = 256 };
    uint64_t best = UINT64_MAX, best_timer = 0;
    for (int i = 0; i < TRIES; i++) {
        uint64_t clock, timer, last = best;
        measure(&clock, &timer);
        if (clock < best) {
            best = clock;
            best_timer = timer;
        }
        uint64_t other = clock < last ? last : clock;
        if (other - best < best / AGREE)
            break;
    }
    clock_frequency = best * PIT_HZ / PIT_COUNT;
    timer_per_clock = (best_timer << 32) / best;
}

void arch_timer_set(uint64_t time)
{
    uint64_t now = arch_clock();
    unsigned __int128 counts = 1;
    if (time > now)
        counts += (unsigned __int128)(time - now) * timer_per_clock >> 32;
    if (counts > UINT32_MAX)
        counts = UINT32_MAX; /* too early; then it is set again */
    APIC[APIC_INITIAL] = (uint32_t)counts;
}

enum error arch_pin_route(uint64_t pin, uint64_t vector, bool level)
{
    uint32_t last = ioapic_read(IOAPIC_VERSION) >> 16 & 0xff;
    if (pin > last)
        return ERROR_BAD_ARGUMENT;
    uint32_t entry = IOAPIC_ENTRY + 2 * (uint32_t)pin;
    ioapic_write(entry + 1, 0); /* to the CPU with APIC ID 0 */
    ioapic_write(entry, (uint32_t)vector | (level ? IOAPIC_LEVEL | IOAPIC_ACTIVE_LOW : 0));
    return OK;
}

void arch_pin_mask(uint64_t pin, bool masked)
{
    uint32_t entry = IOAPIC_ENTRY + 2 * (uint32_t)pin;
    uint32_t value = ioapic_read(entry) & ~(uint32_t)IOAPIC_MASKED;
    ioapic_write(entry, value | (masked ? IOAPIC_MASKED : 0));
}

void arch_irq_message(uint64_t vector, uint64_t *address, uint64_t *data)
{
    *address = APIC_PHYSICAL; /* physical destination, APIC ID 0 */
    *data = vector;           /* edge, fixed delivery */
}
