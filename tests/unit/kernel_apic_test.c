/* SPDX-License-Identifier: ISC
 *
 * kernel/arch/x86_64/apic.c with other instructions underneath: what it chooses by the processor's
 * features, and what it then writes where. QEMU's software emulation has neither an x2APIC nor TSC
 * deadlines, so that nothing else runs these paths.
 */
#include <string.h>

#include "tests/unit/kernel_machine.h"

/* The simulated machine has functions of these names too. */
#define arch_timer_set   x86_timer_set
#define arch_pin_route   x86_pin_route
#define arch_pin_mask    x86_pin_mask
#define arch_irq_message x86_irq_message
void x86_timer_set(uint64_t time);
enum error x86_pin_route(uint64_t pin, uint64_t vector, bool level);
void x86_pin_mask(uint64_t pin, bool masked);
void x86_irq_message(uint64_t vector, uint64_t *address, uint64_t *data);

/* kernel/arch/x86_64/vtd.c has a test of its own; here: which calls came to it. */
static uint32_t vtd_routed, vtd_masked, vtd_unmasked;
enum error vtd_route(uint64_t vector);
void vtd_mask(bool masked);

enum error vtd_route(uint64_t vector)
{
    vtd_routed = (uint32_t)vector;
    return OK;
}

void vtd_mask(bool masked)
{
    vtd_masked += masked;
    vtd_unmasked += !masked;
}

/* Instead of kernel/arch/x86_64/instructions.h. */
#define KERNEL_INSTRUCTIONS_H

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

enum { MSRS = 0x900, PAGES = 3, WORDS = 1024, BASE_AT_RESET = 0xfee00900 };

static struct {
    uint32_t features; /* of leaf 1, ecx */
    uint64_t msr[MSRS];
    uint32_t msr_writes;
    uint32_t fences, fence_after; /* msr_writes at the last one */
    uint32_t timer_mode_at_fence;
    volatile uint32_t page[PAGES][WORDS];
} cpu_fake;

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid result = {0};
    (void)subleaf;
    if (leaf == 1)
        result.ecx = cpu_fake.features;
    return result;
}

static uint64_t read_msr(uint32_t msr)
{
    assert_true(msr < MSRS);
    return cpu_fake.msr[msr];
}

static void write_msr(uint32_t msr, uint64_t value)
{
    assert_true(msr < MSRS);
    cpu_fake.msr[msr] = value;
    cpu_fake.msr_writes++;
}

static void out8(uint16_t port, uint8_t value)
{
    assert_true((port == 0x21 || port == 0xa1) && value == 0xff); /* the old controllers, masked */
}

static void memory_fence(void)
{
    cpu_fake.fences++;
    cpu_fake.fence_after = cpu_fake.msr_writes;
    cpu_fake.timer_mode_at_fence = cpu_fake.page[0][0x320 / 4];
}

static volatile uint32_t *device_page(uint32_t number)
{
    assert_true(number < PAGES);
    return cpu_fake.page[number];
}

#include "kernel/arch/x86_64/apic.c"

enum { WITH_X2APIC = 1 << 21, WITH_DEADLINES = 1 << 24 };
enum { X2_ID = 0x802, X2_EOI = 0x80b, X2_SPURIOUS = 0x80f, X2_TIMER = 0x832, X2_INITIAL = 0x838 };

static int setup(void **state)
{
    (void)state;
    memset(&cpu_fake, 0, sizeof(cpu_fake));
    cpu_fake.msr[MSR_APIC_BASE] = BASE_AT_RESET;
    x2apic = deadlines = false;
    apic_id = 0;
    timer_per_clock = 0;
    return 0;
}

static uint32_t register_of_page(uint32_t offset)
{
    return cpu_fake.page[DEVICE_PAGE_APIC][offset / 4];
}

static void an_old_processor_is_driven_by_its_page(void **state)
{
    (void)state;
    apic_start();
    assert_string_equal(apic_name(), "xAPIC");
    assert_true(cpu_fake.msr[MSR_APIC_BASE] == BASE_AT_RESET);
    assert_int_equal(cpu_fake.msr_writes, 0);
    assert_int_equal(register_of_page(0xf0), 0x1ff);
    assert_int_equal(register_of_page(0x320), VECTOR_TIMER);
    assert_int_equal(register_of_page(0x350), 0x10000);
    cpu_fake.page[DEVICE_PAGE_APIC][0xb0 / 4] = 7;
    apic_end_of_interrupt();
    assert_int_equal(register_of_page(0xb0), 0);
}

static void an_x2apic_is_driven_by_msrs_alone(void **state)
{
    (void)state;
    cpu_fake.features = WITH_X2APIC;
    cpu_fake.msr[X2_ID] = 3;
    apic_start();
    assert_string_equal(apic_name(), "x2APIC");
    assert_true(cpu_fake.msr[MSR_APIC_BASE] == (BASE_AT_RESET | 1 << 10));
    assert_int_equal(cpu_fake.msr[X2_SPURIOUS], 0x1ff);
    assert_int_equal(cpu_fake.msr[X2_TIMER], VECTOR_TIMER);
    cpu_fake.msr[X2_EOI] = 7;
    apic_end_of_interrupt();
    assert_int_equal(cpu_fake.msr[X2_EOI], 0);
    apic_timer_count_set(99);
    assert_int_equal(cpu_fake.msr[X2_INITIAL], 99);
    for (uint32_t i = 0; i < WORDS; i++)
        assert_int_equal(cpu_fake.page[DEVICE_PAGE_APIC][i], 0);
}

static void an_x2apic_that_the_firmware_left_on_stays_on(void **state)
{
    (void)state;
    cpu_fake.msr[MSR_APIC_BASE] = BASE_AT_RESET | 1 << 10;
    apic_start();
    assert_string_equal(apic_name(), "x2APIC");
}

static void without_deadlines_the_timer_counts(void **state)
{
    (void)state;
    apic_start();
    apic_timer_choose(1ull << 31); /* half a count per tick */
    assert_string_equal(apic_timer_name(), "one-shot");
    sim_clock = 1000;
    x86_timer_set(3000);
    assert_int_equal(register_of_page(0x380), 1001);
    x86_timer_set(0); /* past: at once, but not never */
    assert_int_equal(register_of_page(0x380), 1);
    x86_timer_set(UINT64_MAX);
    assert_int_equal(register_of_page(0x380), UINT32_MAX);
    assert_int_equal(cpu_fake.msr_writes, 0);
}

static void deadlines_are_written_as_they_are(void **state)
{
    (void)state;
    cpu_fake.features = WITH_DEADLINES;
    apic_start();
    apic_timer_choose(1ull << 31);
    assert_string_equal(apic_timer_name(), "TSC deadline");
    assert_int_equal(register_of_page(0x320), 2 << 17 | VECTOR_TIMER);
    x86_timer_set(123456789012345);
    assert_true(cpu_fake.msr[MSR_TSC_DEADLINE] == 123456789012345);
    x86_timer_set(0); /* would switch it off */
    assert_true(cpu_fake.msr[MSR_TSC_DEADLINE] == 1);
    assert_int_equal(register_of_page(0x380), 0);
}

/* The order that the processor's manual asks for: mode, fence, deadline. */
static void the_mode_is_fenced_before_the_first_deadline(void **state)
{
    (void)state;
    cpu_fake.features = WITH_DEADLINES;
    apic_start();
    apic_timer_choose(1);
    x86_timer_set(5);
    assert_int_equal(cpu_fake.fences, 1);
    assert_int_equal(cpu_fake.fence_after, 0);
    assert_int_equal(cpu_fake.timer_mode_at_fence, 2 << 17 | VECTOR_TIMER);
}

static void both_together(void **state)
{
    (void)state;
    cpu_fake.features = WITH_X2APIC | WITH_DEADLINES;
    apic_start();
    apic_timer_choose(1);
    x86_timer_set(77);
    assert_int_equal(cpu_fake.msr[X2_TIMER], 2 << 17 | VECTOR_TIMER);
    assert_int_equal(cpu_fake.msr[MSR_TSC_DEADLINE], 77);
    assert_int_equal(register_of_page(0x320), 0);
}

/* Device interrupts go to the processor that runs, whatever its number. */
static void interrupts_go_to_this_processor(void **state)
{
    uint64_t address, data;
    (void)state;
    cpu_fake.page[DEVICE_PAGE_APIC][0x20 / 4] = 5u << 24;
    cpu_fake.page[DEVICE_PAGE_IOAPIC][0x10 / 4] = 23 << 16; /* whatever register is selected */
    apic_start();
    x86_irq_message(0x41, &address, &data);
    assert_true(address == 0xfee05000 && data == 0x41);
    cpu_fake.page[DEVICE_PAGE_IOAPIC][0x10 / 4] = 23 << 16;
    assert_int_equal(x86_pin_route(24, 0x41, false), ERROR_BAD_ARGUMENT);
    assert_int_equal(x86_pin_route(11, 0x41, true), OK);
    assert_int_equal(cpu_fake.page[DEVICE_PAGE_IOAPIC][0x10 / 4], 0xa041); /* written last */
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

static void the_pin_of_the_iommu_is_its_own(void **state)
{
    (void)state;
    apic_start();
    assert_int_equal(x86_pin_route(IRQ_PIN_IOMMU, 0x41, false), OK);
    x86_pin_mask(IRQ_PIN_IOMMU, true);
    x86_pin_mask(IRQ_PIN_IOMMU, false);
    assert_int_equal(vtd_routed, 0x41);
    assert_int_equal(vtd_masked, 1);
    assert_int_equal(vtd_unmasked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_old_processor_is_driven_by_its_page),
        CASE(an_x2apic_is_driven_by_msrs_alone),
        CASE(an_x2apic_that_the_firmware_left_on_stays_on),
        CASE(without_deadlines_the_timer_counts),
        CASE(deadlines_are_written_as_they_are),
        CASE(the_mode_is_fenced_before_the_first_deadline),
        CASE(both_together),
        CASE(interrupts_go_to_this_processor),
        CASE(the_pin_of_the_iommu_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
