/* SPDX-License-Identifier: ISC
 *
 * kernel/dmaspace.c, kernel/iommu.c, and kernel/space.c for DMA spaces: what devices reach, and
 * that nothing is used for anything else while an IOMMU may remember it.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

#include "kernel/dmaspace.h"
#include "kernel/iommu.h"

enum { CARD = 0x18, DISK = 0x20, BOTH = RIGHT_READ | RIGHT_WRITE };

static uint32_t space, page, tables[2];

/* A page that the card may read and write, at AT. */
static void card_with_a_page(uint64_t rights)
{
    space = make(OBJECT_dmaspace, DMASPACE_PAGES);
    page = make(OBJECT_page, 1);
    for (int i = 0; i < 2; i++) {
        tables[i] = make(OBJECT_table, 1);
        must(INVOKE(tables[i], table_map, space, AT));
    }
    must(INVOKE(page, page_map, space, AT, rights));
    must(INVOKE(SLOT_IOMMU, iommu_assign, CARD, space));
}

static void *reached(uint64_t address, bool write)
{
    return sim_dma(CARD, address, 8, write);
}

static void fault_is(uint64_t source, uint64_t address, uint64_t read)
{
    must(INVOKE(SLOT_IOMMU, iommu_fault, 0));
    assert_int_equal(machine.result[0], source);
    assert_int_equal(machine.result[1], address);
    assert_true(machine.result[2] & DMA_FAULT_REASON);
    assert_int_equal(machine.result[2] & DMA_FAULT_READ, read);
}

static void a_device_reaches_what_is_mapped_and_nothing_else(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    assert_ptr_equal(reached(AT, true), phys_to_virt(cap_at(page)->address));
    assert_ptr_equal(reached(AT + 8, false), (uint8_t *)phys_to_virt(cap_at(page)->address) + 8);
    assert_null(reached(AT + PAGE_BYTES, false));
    assert_null(reached(cap_at(page)->address, true));
    assert_null(sim_dma(DISK, AT, 8, false)); /* nobody assigned that one */
    fault_is(CARD, AT + PAGE_BYTES, DMA_FAULT_READ);
    fault_is(CARD, cap_at(page)->address, 0);
    fault_is(DISK, AT, DMA_FAULT_READ);
    must(INVOKE(SLOT_IOMMU, iommu_fault, 0));
    assert_int_equal(machine.result[2], 0);
}

static void without_write_a_device_only_reads(void **state)
{
    (void)state;
    card_with_a_page(RIGHT_READ);
    assert_non_null(reached(AT, false));
    assert_null(reached(AT, true));
    fault_is(CARD, AT, 0);
}

static void mapping_needs_the_right_dma_and_no_more_than_there_is(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    uint32_t no_dma = slot_new(), read_only = slot_new(), device = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, page, no_dma, BOTH));
    must(INVOKE(SLOT_TABLE, captable_copy, page, read_only, RIGHT_READ | RIGHT_DMA));
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 1, device, DEVICE_ADDRESS));
    refused(NO_RIGHT, INVOKE(no_dma, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
    refused(NO_RIGHT, INVOKE(read_only, page_map, space, AT + PAGE_BYTES, BOTH));
    refused(NO_RIGHT, INVOKE(device, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
    refused(NO_RIGHT, INVOKE(SLOT_INFO, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
    refused(BAD_ARGUMENT,
            INVOKE(make(OBJECT_page, 1), page_map, space, AT, RIGHT_READ | RIGHT_EXECUTE));
    refused(BAD_ARGUMENT, INVOKE(read_only, page_map, space, DMA_ADDRESS_END, RIGHT_READ));
    must(INVOKE(read_only, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
}

static void the_highest_addresses(void **state)
{
    (void)state;
    const uint64_t last = DMA_ADDRESS_END - PAGE_BYTES;
    card_with_a_page(BOTH);
    uint32_t high = make(OBJECT_page, 1), two = make(OBJECT_page, 2);
    refused(NO_TABLE, INVOKE(high, page_map, space, last, RIGHT_READ));
    assert_int_equal(machine.result[0], 2); /* level 3 is always there */
    must(INVOKE(make(OBJECT_table, 1), table_map, space, last));
    must(INVOKE(make(OBJECT_table, 1), table_map, space, last));
    must(INVOKE(high, page_map, space, last, RIGHT_READ));
    assert_non_null(reached(last, false));
    refused(BAD_ARGUMENT, INVOKE(two, page_map, space, last, RIGHT_READ));
    assert_null(reached(DMA_ADDRESS_END, false));
}

static void a_page_stays_until_the_iommu_forgot_it(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    sim.iommu.slow = true;
    refused(MORE, INVOKE(page, page_unmap, 0));
    assert_null(reached(AT, false)); /* of the tables it is gone at once */
    for (int i = 0; i < 5; i++)
        refused(MORE, INVOKE(page, page_unmap, 0));
    refused(MAPPED, INVOKE(page, page_map, space, AT, RIGHT_READ));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, page));
    assert_int_equal(cap_at(page)->type, OBJECT_page);
    sim_iommu_finish();
    delete_all(page);
}

/* An invalidation that began earlier doesn't count. */
static void an_invalidation_under_way_is_not_enough(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    uint32_t second = make(OBJECT_page, 1);
    must(INVOKE(second, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
    sim.iommu.slow = true;
    refused(MORE, INVOKE(page, page_unmap, 0));
    refused(MORE, INVOKE(second, page_unmap, 0));
    sim_iommu_finish();
    refused(MORE, INVOKE(second, page_unmap, 0)); /* its own begins now */
    must(INVOKE(page, page_unmap, 0));
    sim_iommu_finish();
    must(INVOKE(second, page_unmap, 0));
}

/* Tickets are numbers modulo 4: whoever comes back late waits for too much, not for too little. */
static void a_ticket_that_is_kept_for_long_ends(void **state)
{
    (void)state;
    uint32_t others[7];
    card_with_a_page(BOTH);
    for (int i = 0; i < 7; i++) {
        others[i] = make(OBJECT_page, 1);
        must(INVOKE(others[i], page_map, space, AT + (2 + (uint64_t)i) * PAGE_BYTES, RIGHT_READ));
    }
    sim.iommu.slow = true;
    refused(MORE, INVOKE(page, page_unmap, 0));
    for (int i = 0; i < 7; i++) {
        sim_iommu_finish();
        sim.iommu.slow = false;
        must(INVOKE(others[i], page_unmap, 0));
        uint32_t copy = slot_new();
        must(INVOKE(SLOT_TABLE, captable_move, page, copy));
        page = copy;
    }
    enum error error = ERROR_MORE;
    for (int i = 0; i < 3 && error == ERROR_MORE; i++)
        error = INVOKE(page, page_unmap, 0);
    must(error);
    refused(NOT_MAPPED, INVOKE(page, page_unmap, 0));
}

static void revoking_takes_the_devices_mapping_away(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    uint32_t run = make(OBJECT_page, 2), copy = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, run, copy, RIGHT_READ | RIGHT_WRITE | RIGHT_DMA));
    must(INVOKE(copy, page_map, space, AT + PAGE_BYTES, BOTH));
    assert_non_null(reached(AT + PAGE_BYTES, true));
    sim.iommu.slow = true;
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, run));
    assert_null(reached(AT + PAGE_BYTES, true));
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, run));
    assert_int_equal(cap_at(copy)->type, OBJECT_page);
    sim.iommu.slow = false;
    revoke_all(run);
    assert_int_equal(cap_at(copy)->type, OBJECT_none);
}

static void a_space_goes_after_its_devices(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    must(INVOKE(SLOT_IOMMU, iommu_assign, DISK, space));
    uint8_t domain = ((struct dmaspace *)object_at(space))->domain;
    sim.iommu.slow = true;
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, space));
    assert_null(reached(AT, false));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, space));
    assert_false(iommu.domains >> domain & 1); /* not to be used again yet */
    assert_true(cap_at(page)->map.space);
    sim.iommu.slow = false;
    delete_all(space);
    assert_true(iommu.domains >> domain & 1);
    assert_null(cap_at(page)->map.space);
    assert_null(cap_at(tables[0])->map.space);
    space = make(OBJECT_dmaspace, DMASPACE_PAGES);
    must(INVOKE(SLOT_IOMMU, iommu_assign, CARD, space)); /* the device is free again */
    assert_null(reached(AT, false));
}

static void deleting_a_table_in_use_takes_devices_and_mappings(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    delete_all(tables[0]);
    assert_null(cap_at(page)->map.space);
    assert_null(reached(AT, false));
    assert_int_equal(((struct dmaspace *)object_at(space))->count, 0);
    must(INVOKE(SLOT_IOMMU, iommu_assign, CARD, space)); /* it goes on without */
}

static void before_devices_nothing_waits(void **state)
{
    (void)state;
    space = make(OBJECT_dmaspace, DMASPACE_PAGES);
    uint32_t table = make(OBJECT_table, 1);
    must(INVOKE(table, table_map, space, AT));
    sim.iommu.slow = true;
    must(INVOKE(table, table_unmap, 0));
    assert_int_equal(iommu.begun, 0);
}

static void a_device_is_in_one_space(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    uint32_t other = make(OBJECT_dmaspace, DMASPACE_PAGES);
    refused(OCCUPIED, INVOKE(SLOT_IOMMU, iommu_assign, CARD, other));
    assert_int_equal(((struct dmaspace *)object_at(other))->domain, 0);
    must(INVOKE(SLOT_IOMMU, iommu_assign, CARD, space)); /* again: nothing changes */
    assert_int_equal(((struct dmaspace *)object_at(space))->count, 1);
}

static void bounds(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    for (uint64_t i = 1; i < DMASPACE_DEVICES; i++)
        must(INVOKE(SLOT_IOMMU, iommu_assign, CARD + i, space));
    refused(LIMIT, INVOKE(SLOT_IOMMU, iommu_assign, CARD + DMASPACE_DEVICES, space));
    for (uint64_t i = 1; i < DOMAIN_NUMBERS - 1; i++)
        must(INVOKE(SLOT_IOMMU, iommu_assign, 0x80 + i, make(OBJECT_dmaspace, DMASPACE_PAGES)));
    refused(LIMIT, INVOKE(SLOT_IOMMU, iommu_assign, 0xa0, make(OBJECT_dmaspace, DMASPACE_PAGES)));
}

static void with_caching_nothing_is_mapped_beneath_devices(void **state)
{
    (void)state;
    iommu.caching = true;
    card_with_a_page(BOTH);
    uint32_t second = make(OBJECT_page, 1);
    refused(BAD_STATE, INVOKE(second, page_map, space, AT + PAGE_BYTES, RIGHT_READ));
    refused(BAD_STATE, INVOKE(make(OBJECT_table, 1), table_map, space, AT + (1 << 30)));
    must(INVOKE(page, page_unmap, 0));
}

static void a_fault_interrupts_once_until_all_are_taken(void **state)
{
    (void)state;
    card_with_a_page(BOTH);
    uint32_t port = make(OBJECT_port, 1), irq = slot_new(), other = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, IRQ_VECTOR_FIRST, irq));
    must(INVOKE(SLOT_IRQS, irq_derive, IRQ_VECTOR_FIRST + 1, other));
    must(INVOKE(irq, irq_bind, port, 3, IRQ_PIN_IOMMU));
    refused(OCCUPIED, INVOKE(other, irq_bind, port, 4, IRQ_PIN_IOMMU));
    reached(0x1000, true);
    assert_int_equal(((struct port *)object_at(port))->pending, 8);
    ((struct port *)object_at(port))->pending = 0;
    for (int i = 0; i < SIM_FAULTS + 1; i++)
        reached(0x2000, true);
    assert_int_equal(((struct port *)object_at(port))->pending, 0);
    must(INVOKE(SLOT_IOMMU, iommu_fault, 0));
    assert_true(machine.result[2] & DMA_FAULT_LOST);
    delete_all(irq);
    assert_false(sim_pin(IRQ_PIN_IOMMU)->open);
    must(INVOKE(other, irq_bind, port, 4, IRQ_PIN_IOMMU));
}

static void a_machine_without_an_iommu(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), irq = slot_new();
    sim.iommu.present = false;
    must(INVOKE(SLOT_IRQS, irq_derive, IRQ_VECTOR_FIRST, irq));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, 3, IRQ_PIN_IOMMU));
    assert_non_null(sim_dma(CARD, SIM_MEMORY_FIRST, 8, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_reaches_what_is_mapped_and_nothing_else),
        TEST(without_write_a_device_only_reads),
        TEST(mapping_needs_the_right_dma_and_no_more_than_there_is),
        TEST(the_highest_addresses),
        TEST(a_page_stays_until_the_iommu_forgot_it),
        TEST(an_invalidation_under_way_is_not_enough),
        TEST(a_ticket_that_is_kept_for_long_ends),
        TEST(revoking_takes_the_devices_mapping_away),
        TEST(a_space_goes_after_its_devices),
        TEST(deleting_a_table_in_use_takes_devices_and_mappings),
        TEST(before_devices_nothing_waits),
        TEST(a_device_is_in_one_space),
        TEST(bounds),
        TEST(with_caching_nothing_is_mapped_beneath_devices),
        TEST(a_fault_interrupts_once_until_all_are_taken),
        TEST(a_machine_without_an_iommu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
