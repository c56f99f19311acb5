/* SPDX-License-Identifier: ISC
 *
 * The trace, DMA spaces and the IOMMU, memory that only pages are made of, and what a thread may do
 * to others.
 */
#include "motet/trace.h"
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

/* --- trace --- */

#define ATTACH(page) INVOKE(E->trace, trace_attach, 0, page)

void test_trace_attach_bad_argument(void)
{
    static const uint64_t cpus[] = {1, 255, 1ull << 32, UINT64_MAX};
    uint32_t page = make(OBJECT_page, 1);
    for (unsigned i = 0; i < COUNT(cpus); i++)
        refused(BAD_ARGUMENT, INVOKE(E->trace, trace_attach, cpus[i], page));
}

void test_trace_attach_page(void)
{
    refused(EMPTY_SLOT, ATTACH(EMPTY));
    refused(EMPTY_SLOT, ATTACH(UINT64_MAX));
    refused(WRONG_TYPE, ATTACH(E->space));
    refused(NO_RIGHT, ATTACH(E->info)); /* it can't be written */
    refused(NO_RIGHT, ATTACH(copy_with(make(OBJECT_page, 1), RIGHT_READ)));
    refused(BAD_STATE, ATTACH(half_revoked(make(OBJECT_page, 1))));
}

void test_trace_attach_occupied(void)
{
    uint32_t page = make(OBJECT_page, 1), other = make(OBJECT_page, 1);
    must(ATTACH(page));
    refused(OCCUPIED, ATTACH(page));
    refused(OCCUPIED, ATTACH(other));
    must(INVOKE(E->trace, trace_mask, 0, TRACE_EVENTS_ALL));
    delete_all(page); /* while it is being written */
    must(ATTACH(other));
}

void test_trace_mask_bad_argument(void)
{
    static const uint64_t masks[] = {1, 1ull << TRACE_EVENT_COUNT, 1ull << 32, UINT64_MAX};
    must(ATTACH(make(OBJECT_page, 1)));
    for (unsigned i = 0; i < COUNT(masks); i++)
        refused(BAD_ARGUMENT, INVOKE(E->trace, trace_mask, 0, masks[i]));
    refused(BAD_ARGUMENT, INVOKE(E->trace, trace_mask, 1, TRACE_EVENTS_ALL));
}

void test_trace_mask_bad_state(void)
{
    uint32_t page = make(OBJECT_page, 1);
    refused(BAD_STATE, INVOKE(E->trace, trace_mask, 0, TRACE_EVENTS_ALL));
    must(ATTACH(page));
    delete_all(page);
    refused(BAD_STATE, INVOKE(E->trace, trace_mask, 0, TRACE_EVENTS_ALL));
}

void test_trace_label(void)
{
    refused(BAD_ARGUMENT, INVOKE(E->trace, trace_label, E->space, UINT16_MAX + 1));
    refused(BAD_ARGUMENT, INVOKE(E->trace, trace_label, E->space, UINT64_MAX));
    refused(EMPTY_SLOT, INVOKE(E->trace, trace_label, EMPTY, 1));
    refused(WRONG_TYPE, INVOKE(E->trace, trace_label, E->thread, 1));
    refused(NO_RIGHT, INVOKE(E->trace, trace_label, copy_with(E->space, RIGHT_READ), 1));
    refused(BAD_STATE,
            INVOKE(E->trace, trace_label, half_revoked(make(OBJECT_space, SPACE_PAGES)), 1));
}

/* What is written there by its owner misleads nobody but him. */
void test_trace_ring_overwritten(void)
{
    uint32_t page = make(OBJECT_page, 1), port = make(OBJECT_port, 1);
    uint32_t bell = mint(port, RIGHT_SIGNAL, 1, 0);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    must(ATTACH(page));
    must(INVOKE(E->trace, trace_mask, 0, TRACE_EVENTS_ALL));
    for (int i = 0; i < 300; i++) {
        must(ut_signal(bell));
        ((volatile uint64_t *)PLACE)[i % 512] = UINT64_MAX;
    }
}

/* --- DMA --- */

enum { SOURCE = 0x38 }; /* the first of three devices that nobody has, on bus 0 */
#define AT 0x400000ull

#define ASSIGN(source, dmaspace) INVOKE(E->iommu, iommu_assign, source, dmaspace)

static void until_done(uint64_t slot, uint64_t operation, uint64_t a0, uint64_t a1)
{
    enum error error;
    do
        error = invoke_recorded(slot, operation, (const uint64_t[5]){a0, a1});
    while (error == ERROR_MORE);
    must(error);
}

/* A space with a page at AT, which the device reaches. */
static uint32_t dmaspace_with(uint32_t tables[2], uint32_t *page, uint64_t source)
{
    uint32_t dmaspace = make(OBJECT_dmaspace, DMASPACE_PAGES);
    for (int i = 0; i < 2; i++) {
        tables[i] = make(OBJECT_table, 1);
        must(INVOKE(tables[i], table_map, dmaspace, AT));
    }
    *page = make(OBJECT_page, 1);
    must(INVOKE(*page, page_map, dmaspace, AT, RIGHT_READ | RIGHT_WRITE));
    until_done(E->iommu, OPERATION_iommu_assign, source, dmaspace);
    return dmaspace;
}

void test_iommu_assign_refused(void)
{
    static const uint64_t sources[] = {0x10000, 1ull << 32, UINT64_MAX};
    uint32_t dmaspace = make(OBJECT_dmaspace, DMASPACE_PAGES);
    for (unsigned i = 0; i < COUNT(sources); i++)
        refused(BAD_ARGUMENT, ASSIGN(sources[i], dmaspace));
    refused(EMPTY_SLOT, ASSIGN(SOURCE, EMPTY));
    refused(WRONG_TYPE, ASSIGN(SOURCE, E->space));
    refused(NO_RIGHT, ASSIGN(SOURCE, copy_with(dmaspace, RIGHT_READ)));
    refused(BAD_STATE, ASSIGN(SOURCE, half_revoked(make(OBJECT_dmaspace, DMASPACE_PAGES))));
}

void test_iommu_assign_occupied(void)
{
    uint32_t first = make(OBJECT_dmaspace, DMASPACE_PAGES);
    uint32_t second = make(OBJECT_dmaspace, DMASPACE_PAGES);
    until_done(E->iommu, OPERATION_iommu_assign, SOURCE, first);
    until_done(E->iommu, OPERATION_iommu_assign, SOURCE, first); /* it has it */
    refused(OCCUPIED, ASSIGN(SOURCE, second));
    delete_all(first);
    until_done(E->iommu, OPERATION_iommu_assign, SOURCE, second);
}

void test_iommu_assign_limit(void)
{
    uint32_t dmaspace = make(OBJECT_dmaspace, DMASPACE_PAGES);
    for (uint64_t i = 0; i < DMASPACE_DEVICES; i++)
        until_done(E->iommu, OPERATION_iommu_assign, SOURCE + i, dmaspace);
    refused(LIMIT, ASSIGN(SOURCE + DMASPACE_DEVICES, dmaspace));
}

void test_iommu_fault_none(void)
{
    must(INVOKE(E->iommu, iommu_fault, 0));
    check(E->result[2] == 0);
}

void test_dmaspace_maps_what_devices_may(void)
{
    uint32_t tables[2], page, dmaspace = dmaspace_with(tables, &page, SOURCE);
    uint32_t plain = copy_with(page, RIGHT_READ | RIGHT_WRITE);
    uint32_t read_only = copy_with(page, RIGHT_READ | RIGHT_DMA);
    refused(NO_RIGHT, INVOKE(plain, page_map, dmaspace, AT + PAGE_BYTES, RIGHT_READ));
    refused(NO_RIGHT,
            INVOKE(read_only, page_map, dmaspace, AT + PAGE_BYTES, RIGHT_READ | RIGHT_WRITE));
    refused(BAD_ARGUMENT,
            INVOKE(read_only, page_map, dmaspace, AT + PAGE_BYTES, RIGHT_READ | RIGHT_EXECUTE));
    refused(BAD_ARGUMENT, INVOKE(read_only, page_map, dmaspace, DMA_ADDRESS_END, RIGHT_READ));
    refused(OCCUPIED, INVOKE(read_only, page_map, dmaspace, AT, RIGHT_READ));
    must(INVOKE(read_only, page_map, dmaspace, AT + PAGE_BYTES, RIGHT_READ));
    refused(WRONG_TYPE,
            INVOKE(make(OBJECT_thread, 1), thread_configure, dmaspace, E->table, LOWER, 0));
}

/* Where the IOMMU takes its time, in the simulator, each of these is MORE first. */
void test_dma_is_taken_back(void)
{
    uint32_t tables[2], page;
    dmaspace_with(tables, &page, SOURCE);
    refused(BAD_STATE, INVOKE(tables[1], table_unmap, 0));
    until_done(page, OPERATION_page_unmap, 0, 0);
    until_done(tables[1], OPERATION_table_unmap, 0, 0);
    until_done(tables[0], OPERATION_table_unmap, 0, 0);
}

/* All five ways to begin: the space, each table, the page, the memory that they are made of. */
void test_dma_objects_in_any_order(void)
{
    for (int order = 0; order < 24; order++) {
        uint32_t tables[2], page, dmaspace = dmaspace_with(tables, &page, SOURCE);
        uint32_t left[4] = {dmaspace, tables[0], tables[1], page};
        for (int n = 4, code = order; n > 0; n--) {
            int which = code % n;
            code /= n;
            delete_all(left[which]);
            left[which] = left[n - 1];
        }
    }
    uint32_t tables[2], page;
    dmaspace_with(tables, &page, SOURCE);
    revoke_all(E->memory);
}

/* --- memory for pages only, ceilings, pagers --- */

void test_memory_for_pages_only(void)
{
    static const struct {
        uint64_t type, pages;
    } others[] = {{OBJECT_table, 1},    {OBJECT_space, SPACE_PAGES},
                  {OBJECT_captable, 1}, {OBJECT_thread, 1},
                  {OBJECT_port, 1},     {OBJECT_dmaspace, DMASPACE_PAGES}};
    uint32_t only = slot_new(), part = slot_new();
    refused(BAD_ARGUMENT, INVOKE(E->memory, untyped_retype, OBJECT_untyped, 8, only, 2));
    refused(BAD_ARGUMENT, INVOKE(E->memory, untyped_retype, OBJECT_untyped, 8, only, UINT64_MAX));
    must(INVOKE(E->memory, untyped_retype, OBJECT_untyped, 8, only, UNTYPED_PAGES_ONLY));
    must(INVOKE(only, untyped_retype, OBJECT_untyped, 4, part, 0)); /* no way out of it */
    for (unsigned i = 0; i < COUNT(others); i++) {
        refused(BAD_ARGUMENT,
                INVOKE(only, untyped_retype, others[i].type, others[i].pages, EMPTY, 0));
        refused(BAD_ARGUMENT,
                INVOKE(part, untyped_retype, others[i].type, others[i].pages, EMPTY, 0));
    }
    make_from(part, OBJECT_page, 4);
}

void test_thread_configure_beyond_the_ceiling(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(NO_RIGHT, INVOKE(thread, thread_configure, E->space, E->table, CEILING + 1, 0, 0));
    refused(NO_RIGHT, INVOKE(thread, thread_configure, E->space, E->table, 1, 0, CEILING + 1));
    refused(BAD_ARGUMENT,
            INVOKE(thread, thread_configure, E->space, E->table, LOWER, 0, LOWER - 1));
    refused(BAD_ARGUMENT,
            INVOKE(thread, thread_configure, E->space, E->table, LOWER, 0, PRIORITY_COUNT));
    refused(BAD_ARGUMENT,
            INVOKE(thread, thread_configure, E->space, E->table, LOWER, 0, UINT64_MAX));
    must(INVOKE(thread, thread_configure, E->space, E->table, LOWER, 0, HIGHER));
    /* Oneself: one is running, not suspended. */
    refused(BAD_STATE, INVOKE(E->thread, thread_configure, E->space, E->table, HIGHER, 0, 0));
}

void test_thread_retry_bad_state(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(BAD_STATE, INVOKE(thread, thread_retry, 0));
    refused(BAD_STATE, INVOKE(E->thread, thread_retry, 0));
}
