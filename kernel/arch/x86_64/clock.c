/* SPDX-License-Identifier: ISC
 *
 * The rates of the processor's clock (its TSC) and of the APIC timer, measured against a clock of
 * known rate: the 8254, else the HPET. Called once at boot. Every wait has a bound, and a machine
 * that has neither ends with a message.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/panic.h"

enum {
    LOOKS_MAX = 1000000, /* at a clock that should move: a tenth of a microsecond each at least */
    RUN_NS = 1000000,    /* 1 ms: the processor's clock to 0.1 % */
};

/* The 8254's channel 0: no other needs a gate that some machines don't have. Its interrupt is
 * masked in both interrupt controllers. */
enum {
    PIT_CHANNEL_0 = 0x40,
    PIT_COMMAND = 0x43,
    PIT_HZ = 1193182,
    PIT_COUNT = PIT_HZ / 1000,
    PIT_ONE_SHOT = 0x30,    /* channel 0, both bytes, mode 0 */
    PIT_READ_STATUS = 0xe2, /* of channel 0 */
    PIT_STATUS_MODE = 0x3f,
    PIT_STATUS_OUTPUT = 0x80,
};

enum hpet_register { /* in 32-bit words */
                     HPET_CAPABILITIES = 0x00 / 4,
                     HPET_PERIOD = 0x04 / 4, /* femtoseconds */
                     HPET_CONFIGURATION = 0x10 / 4,
                     HPET_COUNTER = 0xf0 / 4,
};
enum {
    HPET_REVISION = 0xff,
    HPET_ENABLE = 1 << 0,
    HPET_LEGACY = 1 << 1,
    HPET_PERIOD_MIN = 100000, /* fs: 10 GHz */
    HPET_PERIOD_MAX = 100000000,
    FS_PER_NS = 1000000,
};

/* Something that says when RUN_NS are over. */
struct reference {
    const char *name;
    bool (*run)(void); /* false: it isn't there or stands still */
};

uint64_t clock_frequency;
static const char *measured_with;

static uint8_t pit_status(void)
{
    out8(PIT_COMMAND, PIT_READ_STATUS);
    return in8(PIT_CHANNEL_0);
}

static bool pit_run(void)
{
    out8(PIT_COMMAND, PIT_ONE_SHOT);
    if ((pit_status() & PIT_STATUS_MODE) != PIT_ONE_SHOT) /* a missing chip reads all ones */
        return false;
    out8(PIT_CHANNEL_0, PIT_COUNT & 0xff);
    out8(PIT_CHANNEL_0, PIT_COUNT >> 8);
    for (uint32_t i = 0; i < LOOKS_MAX; i++)
        if (pit_status() & PIT_STATUS_OUTPUT)
            return true;
    return false;
}

static bool hpet_run(void)
{
    volatile uint32_t *hpet = device_page(DEVICE_PAGE_HPET);
    uint32_t capabilities = hpet[HPET_CAPABILITIES], period = hpet[HPET_PERIOD];
    if (capabilities == UINT32_MAX || !(capabilities & HPET_REVISION) || period < HPET_PERIOD_MIN ||
        period > HPET_PERIOD_MAX)
        return false;
    uint32_t count = (uint32_t)((uint64_t)RUN_NS * FS_PER_NS / period);
    hpet[HPET_CONFIGURATION] = (hpet[HPET_CONFIGURATION] & ~(uint32_t)HPET_LEGACY) | HPET_ENABLE;
    uint32_t start = hpet[HPET_COUNTER];
    for (uint32_t i = 0; i < LOOKS_MAX; i++)
        if (hpet[HPET_COUNTER] - start >= count)
            return true;
    return false;
}

/* Clock ticks and APIC timer counts while the reference runs once. A host that takes the processor
 * away meanwhile makes both larger, never smaller. */
static bool measure(const struct reference *reference, uint64_t *clock, uint64_t *timer)
{
    apic_timer_count_set(UINT32_MAX);
    uint64_t clock_start = arch_clock();
    uint32_t timer_start = apic_timer_count();
    if (!reference->run())
        return false;
    *timer = timer_start - apic_timer_count();
    *clock = arch_clock() - clock_start;
    apic_timer_count_set(0);
    if (*clock == 0 || *timer == 0)
        panic("the processor's clock or its APIC timer stands still");
    return true;
}

/* Measures until the two smallest results agree to 0.4 %. A host so busy that they never do gets 50
 * tries, 50 ms and a little. */
static bool calibrate_with(const struct reference *reference)
{
    enum { TRIES = 50, AGREE = 256 };
    uint64_t best = UINT64_MAX, best_timer = 0;
    for (int i = 0; i < TRIES; i++) {
        uint64_t clock, timer, last = best;
        if (!measure(reference, &clock, &timer))
            return false;
        if (clock < best) {
            best = clock;
            best_timer = timer;
        }
        uint64_t other = clock < last ? last : clock;
        if (other - best < best / AGREE)
            break;
    }
    clock_frequency = best * (1000000000 / RUN_NS);
    apic_timer_choose((best_timer << 32) / best);
    measured_with = reference->name;
    return true;
}

void clock_calibrate(void)
{
    static const struct reference references[] = {{"8254", pit_run}, {"HPET", hpet_run}};
    for (uint32_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
        if (calibrate_with(&references[i]))
            return;
    panic("no timer to measure the clock with: neither an 8254 nor an HPET counts");
}

const char *clock_reference(void)
{
    return measured_with;
}
