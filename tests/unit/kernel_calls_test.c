/* SPDX-License-Identifier: ISC
 *
 * kernel/syscall.c, kernel/invoke.c: every call and operation meets every error that calls.def
 * lists for it, and no other; the last test makes sure of that.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

enum { EMPTY = 120, OUTSIDE = ROOT_SLOTS };

static const struct {
    const char *name;
    uint8_t object, right;
} operations[OPERATION_COUNT] = {
#define OPERATION(object, name, right, ...)                                                        \
    [OPERATION_##object##_##name] = {#object "." #name, OBJECT_##object, RIGHT_##right},
#include "motet/calls.def"
};

static enum error invoke_plainly(uint64_t slot, uint64_t operation)
{
    return machine_invoke(machine.main, slot, operation, (const uint64_t[5]){0});
}

/* A slot with an object of each type that can be made. */
static uint32_t slot_of(enum object type)
{
    switch (type) {
    case OBJECT_untyped:
        return SLOT_MEMORY;
    case OBJECT_space:
        return SLOT_SPACE;
    case OBJECT_captable:
        return SLOT_TABLE;
    case OBJECT_irq:
        return SLOT_IRQS;
    case OBJECT_ioport:
        return SLOT_IOPORTS;
    case OBJECT_trace:
        return SLOT_TRACE;
    case OBJECT_dmaspace:
        return make(type, DMASPACE_PAGES);
    case OBJECT_iommu:
        return SLOT_IOMMU;
    default:
        return make(type, 1);
    }
}

static uint32_t copy_with(uint32_t slot, uint64_t rights)
{
    uint32_t copy = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, slot, copy, rights));
    return copy;
}

/* A capability of the greatest depth. */
static uint32_t deepest_copy(uint32_t slot)
{
    while (cap_at(slot)->depth < DERIVATION_DEPTH_MAX)
        slot = copy_with(slot, RIGHT_ALL);
    return slot;
}

/* A table whose removal has begun, so that it refuses everything new. */
static uint32_t dying_table(void)
{
    uint32_t table = make(OBJECT_captable, 2);
    must(INVOKE(table, captable_copy, SLOT_SPACE, 100, RIGHT_ALL));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, table));
    return table;
}

static void unknown_calls_and_operations(void **state)
{
    (void)state;
    static const uint64_t calls[] = {CALL_COUNT, 255, 1ull << 32, UINT64_MAX};
    for (int i = 0; i < 4; i++) {
        prepare(machine.main, calls[i]);
        refused(UNKNOWN_CALL, perform(machine.main));
    }
    refused(UNKNOWN_CALL, invoke_plainly(SLOT_TABLE, OPERATION_COUNT));
    refused(UNKNOWN_CALL, invoke_plainly(SLOT_TABLE, UINT64_MAX));
}

static void slots_that_hold_nothing(void **state)
{
    (void)state;
    static const uint64_t slots[] = {0, EMPTY, OUTSIDE, 1ull << 32 | SLOT_TABLE, UINT64_MAX};
    for (int i = 0; i < 5; i++)
        for (uint64_t operation = 0; operation < OPERATION_COUNT; operation++)
            refused(EMPTY_SLOT, invoke_plainly(slots[i], operation));
}

static void every_operation_refuses_other_types(void **state)
{
    (void)state;
    uint32_t slots[OBJECT_COUNT] = {0};
    for (int type = OBJECT_untyped; type < OBJECT_COUNT; type++)
        slots[type] = slot_of((enum object)type);
    for (uint64_t operation = 0; operation < OPERATION_COUNT; operation++)
        for (int type = OBJECT_untyped; type < OBJECT_COUNT; type++)
            if (type != operations[operation].object)
                refused(WRONG_TYPE, invoke_plainly(slots[type], operation));
}

static void every_operation_asks_for_its_right(void **state)
{
    (void)state;
    uint32_t slots[OBJECT_COUNT] = {0};
    for (int type = OBJECT_untyped; type < OBJECT_COUNT; type++)
        slots[type] = slot_of((enum object)type);
    for (uint64_t operation = 0; operation < OPERATION_COUNT; operation++) {
        struct cap *cap = cap_at(slots[operations[operation].object]);
        const uint8_t rights = cap->rights;
        if (operations[operation].right == RIGHT_NONE)
            continue;
        cap->rights = (uint8_t)(rights & ~operations[operation].right);
        if (operations[operation].object == OBJECT_untyped)
            cap->rights = 0;
        assert_int_equal(invoke_plainly(slots[operations[operation].object], operation),
                         ERROR_NO_RIGHT);
        cap->rights = rights;
    }
}

static void a_call_leaves_other_registers_alone(void **state)
{
    (void)state;
    for (uint64_t call = 0; call <= CALL_COUNT; call++) {
        struct registers *r = prepare(machine.main, call);
        memset(r, 0x5a, sizeof(*r));
        r->rax = call;
        const struct registers before = *r;
        perform(machine.main);
        assert_int_equal(machine.after.rip, before.rip);
        assert_int_equal(machine.after.rsp, before.rsp);
        assert_int_equal(machine.after.rflags, before.rflags);
        assert_int_equal(machine.after.rbp, before.rbp);
        assert_int_equal(machine.after.r15, before.r15);
    }
}

static void send_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), waiting = copy_with(port, RIGHT_WAIT);
    uint32_t minted = slot_new(), deep = deepest_copy(SLOT_SPACE);
    must(INVOKE(SLOT_TABLE, captable_mint, port, minted, RIGHT_SEND, 1, 1));
    refused(EMPTY_SLOT, send_by(machine.main, EMPTY, 1, 0, 0));
    refused(EMPTY_SLOT, send_by(machine.main, OUTSIDE, 1, 0, 0));
    refused(WRONG_TYPE, send_by(machine.main, SLOT_SPACE, 1, 0, 0));
    refused(NO_RIGHT, send_by(machine.main, waiting, 1, 0, 0));
    refused(BAD_ARGUMENT, send_by(machine.main, port, 0, 0, 0));
    refused(BAD_ARGUMENT, send_by(machine.main, port, 0x10000, 0, 0));
    refused(EMPTY_SLOT, send_by(machine.main, port, 1, 0, EMPTY));
    refused(EMPTY_SLOT, send_by(machine.main, port, 1, 0, (uint64_t)OUTSIDE << 32));
    refused(WRONG_TYPE, send_by(machine.main, port, 1, 0, SLOT_MEMORY));
    refused(LIMIT, send_by(machine.main, port, 1, 0, deep));
    must(send_by(machine.main, minted, 1, 0, 0));
    refused(FULL, send_by(machine.main, minted, 1, 0, 0));
}

static void signal_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), sending = copy_with(port, RIGHT_SEND | RIGHT_WAIT);
    refused(EMPTY_SLOT, signal_by(machine.main, EMPTY));
    refused(WRONG_TYPE, signal_by(machine.main, SLOT_TABLE));
    refused(NO_RIGHT, signal_by(machine.main, sending));
}

static void wait_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), sending = copy_with(port, RIGHT_SEND | RIGHT_SIGNAL);
    refused(EMPTY_SLOT, wait_by(machine.main, EMPTY, 0, 0));
    refused(WRONG_TYPE, wait_by(machine.main, SLOT_TABLE, 0, 0));
    refused(NO_RIGHT, wait_by(machine.main, sending, 0, 0));
    refused(BAD_ARGUMENT, wait_by(machine.main, port, OUTSIDE, 0));
    refused(BAD_ARGUMENT, wait_by(machine.main, port, 0xffffffffull << 32, 0));
    refused(OCCUPIED, wait_by(machine.main, port, SLOT_TABLE, 0));
    refused(OCCUPIED, wait_by(machine.main, port, (uint64_t)SLOT_TABLE << 32 | EMPTY, 0));
    refused(TIMEOUT, wait_by(machine.main, port, 0, sim_clock));
    struct thread *other = object_at(make_thread(PRIORITY, 0));
    must(wait_by(other, port, 0, 0));
    refused(BUSY, wait_by(machine.main, port, 0, 0));
    delete_all(port);
    assert_int_equal(other->registers.rax, ERROR_PEER_DIED);
    assert_true(error_documented(CALL_wait, 0, (enum error)other->registers.rax));
}

static void retype_errors(void **state)
{
    (void)state;
    const uint64_t image = cap_at(SLOT_IMAGE)->address;
    refused(BAD_ARGUMENT, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_page, 1, OUTSIDE));
    refused(BAD_ARGUMENT, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_page, 1, 0));
    refused(BAD_ARGUMENT, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_COUNT, 1, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_MEMORY, untyped_retype, 1ull << 32 | OBJECT_page, 1, EMPTY));
    refused(BAD_ARGUMENT,
            INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 1, EMPTY, DEVICE_ADDRESS + 1));
    refused(BAD_ARGUMENT,
            INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_page, 1, EMPTY, image - PAGE_BYTES));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_port, 1, EMPTY, image));
    refused(OCCUPIED, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_page, 1, SLOT_TABLE));
    refused(NO_MEMORY, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_untyped, SIM_PAGES, EMPTY));
    refused(NO_MEMORY, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_untyped, UINT64_MAX, EMPTY));
    refused(NO_MEMORY, INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_page, 1, EMPTY,
                              image + IMAGE_PAGES * PAGE_BYTES));
    refused(MORE, INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_page, 40, EMPTY));
    uint32_t inner = make(OBJECT_untyped, 40);
    while (cap_at(inner)->depth < DERIVATION_DEPTH_MAX) {
        uint32_t next = slot_new();
        must(INVOKE(inner, untyped_retype, OBJECT_untyped, 1, next));
        inner = next;
    }
    refused(LIMIT, INVOKE(inner, untyped_retype, OBJECT_page, 1, EMPTY));
}

static void page_map_errors(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 2), read_only = copy_with(page, RIGHT_READ);
    uint32_t tables[3] = {make(OBJECT_table, 1), make(OBJECT_table, 1), make(OBJECT_table, 1)};
    refused(EMPTY_SLOT, INVOKE(page, page_map, EMPTY, AT, RIGHT_READ));
    refused(WRONG_TYPE, INVOKE(page, page_map, SLOT_TABLE, AT, RIGHT_READ));
    for (int level = 3; level > 0; level--) {
        refused(NO_TABLE, INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
        assert_int_equal(machine.result[0], level);
        must(INVOKE(tables[level - 1], table_map, SLOT_SPACE, AT));
        assert_int_equal(machine.result[0], level);
    }
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, AT, 0));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_WRITE));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_DMA));
    refused(BAD_ARGUMENT,
            INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, AT + 8, RIGHT_READ));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, 0, RIGHT_READ));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, USER_ADDRESS_END, RIGHT_READ));
    refused(BAD_ARGUMENT,
            INVOKE(page, page_map, SLOT_SPACE, USER_ADDRESS_END - PAGE_BYTES, RIGHT_READ));
    refused(BAD_ARGUMENT, INVOKE(page, page_map, SLOT_SPACE, 0ull - PAGE_BYTES, RIGHT_READ));
    refused(NO_RIGHT, INVOKE(read_only, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE));
    must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
    refused(MAPPED, INVOKE(page, page_map, SLOT_SPACE, AT + 0x10000, RIGHT_READ));
    refused(OCCUPIED, INVOKE(read_only, page_map, SLOT_SPACE, AT + PAGE_BYTES, RIGHT_READ));
    must(INVOKE(page, page_unmap, 0));
    refused(NOT_MAPPED, INVOKE(page, page_unmap, 0));
}

static void table_errors(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_table, 1), second = make(OBJECT_table, 1);
    refused(EMPTY_SLOT, INVOKE(table, table_map, EMPTY, AT));
    refused(WRONG_TYPE, INVOKE(table, table_map, SLOT_TABLE, AT));
    refused(BAD_ARGUMENT, INVOKE(table, table_map, SLOT_SPACE, AT + 1));
    refused(BAD_ARGUMENT, INVOKE(table, table_map, SLOT_SPACE, USER_ADDRESS_END));
    refused(NOT_MAPPED, INVOKE(table, table_unmap, 0));
    must(INVOKE(table, table_map, SLOT_SPACE, AT));
    refused(MAPPED, INVOKE(table, table_map, SLOT_SPACE, AT));
    must(INVOKE(second, table_map, SLOT_SPACE, AT));
    refused(BAD_STATE, INVOKE(table, table_unmap, 0));
    uint32_t third = make(OBJECT_table, 1), fourth = make(OBJECT_table, 1);
    must(INVOKE(third, table_map, SLOT_SPACE, AT));
    refused(OCCUPIED, INVOKE(fourth, table_map, SLOT_SPACE, AT));
}

static void copy_and_move_errors(void **state)
{
    (void)state;
    refused(EMPTY_SLOT, INVOKE(SLOT_TABLE, captable_copy, EMPTY, 100, RIGHT_ALL));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_copy, SLOT_SPACE, OUTSIDE, RIGHT_ALL));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_copy, SLOT_SPACE, 0, RIGHT_ALL));
    refused(OCCUPIED, INVOKE(SLOT_TABLE, captable_copy, SLOT_SPACE, SLOT_SPACE, RIGHT_ALL));
    refused(LIMIT, INVOKE(SLOT_TABLE, captable_copy, deepest_copy(SLOT_SPACE), 100, RIGHT_ALL));
    refused(WRONG_TYPE, INVOKE(SLOT_TABLE, captable_copy, SLOT_MEMORY, 100, RIGHT_ALL));
    refused(BAD_STATE, INVOKE(dying_table(), captable_copy, SLOT_SPACE, 101, RIGHT_ALL));
    refused(EMPTY_SLOT, INVOKE(SLOT_TABLE, captable_move, EMPTY, 100));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_move, SLOT_SPACE, OUTSIDE));
    refused(OCCUPIED, INVOKE(SLOT_TABLE, captable_move, SLOT_SPACE, SLOT_SPACE));
}

static void mint_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), badged = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, badged, RIGHT_ALL, 5, 0));
    uint32_t sending = copy_with(port, RIGHT_SEND);
    refused(EMPTY_SLOT, INVOKE(SLOT_TABLE, captable_mint, EMPTY, 100, RIGHT_ALL, 1, 0));
    refused(WRONG_TYPE, INVOKE(SLOT_TABLE, captable_mint, SLOT_SPACE, 100, RIGHT_ALL, 1, 0));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_mint, port, OUTSIDE, RIGHT_ALL, 1, 0));
    refused(BAD_ARGUMENT,
            INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, PORT_QUEUE_SLOTS + 1));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, 256));
    refused(OCCUPIED, INVOKE(SLOT_TABLE, captable_mint, port, badged, RIGHT_ALL, 1, 0));
    refused(NO_RIGHT, INVOKE(SLOT_TABLE, captable_mint, badged, 100, RIGHT_ALL, 6, 0));
    refused(NO_RIGHT, INVOKE(SLOT_TABLE, captable_mint, sending, 100, RIGHT_ALL, 6, 0));
    must(INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, PORT_QUEUE_SLOTS));
    refused(LIMIT, INVOKE(SLOT_TABLE, captable_mint, port, 101, RIGHT_ALL, 1, 1));
}

static void removal_errors(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    copy_with(page, RIGHT_ALL);
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_delete, OUTSIDE));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_delete, 0));
    refused(EMPTY_SLOT, INVOKE(SLOT_TABLE, captable_delete, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_revoke, UINT64_MAX));
    refused(EMPTY_SLOT, INVOKE(SLOT_TABLE, captable_revoke, EMPTY));
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, page));
    must(INVOKE(SLOT_TABLE, captable_revoke, page));
    copy_with(page, RIGHT_ALL);
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, page));
    must(INVOKE(SLOT_TABLE, captable_delete, page));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TABLE, captable_info, OUTSIDE));
}

static void thread_errors(void **state)
{
    (void)state;
    uint32_t thread = make(OBJECT_thread, 1);
    refused(BAD_STATE, INVOKE(thread, thread_resume, 0));
    refused(BAD_STATE, INVOKE(thread, thread_retry, 0));
    refused(EMPTY_SLOT, INVOKE(thread, thread_configure, EMPTY, SLOT_TABLE, 1, 0));
    refused(EMPTY_SLOT, INVOKE(thread, thread_configure, SLOT_SPACE, EMPTY, 1, 0));
    refused(WRONG_TYPE, INVOKE(thread, thread_configure, SLOT_TABLE, SLOT_TABLE, 1, 0));
    refused(WRONG_TYPE, INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_SPACE, 1, 0));
    refused(BAD_ARGUMENT,
            INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, PRIORITY_COUNT, 0));
    refused(BAD_ARGUMENT, INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 1ull << 32));
    refused(NO_RIGHT, INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, PRIORITY + 1, 0));
    refused(NO_RIGHT, INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 0, PRIORITY + 1));
    refused(BAD_ARGUMENT, INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, 2, 0, 1));
    refused(BAD_ARGUMENT,
            INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 0, PRIORITY_COUNT));
    must(INVOKE(thread, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 0, PRIORITY));
    assert_int_equal(((struct thread *)cap_at(thread)->object)->ceiling, PRIORITY);
    refused(BAD_STATE, INVOKE(thread, thread_configure, SLOT_SPACE, dying_table(), 1, 0));
    refused(BAD_STATE, INVOKE(SLOT_THREAD, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 0));
    refused(BAD_ARGUMENT, INVOKE(thread, thread_set_registers, USER_ADDRESS_END, 0, 0));
    refused(BAD_ARGUMENT, INVOKE(thread, thread_set_registers, 0, 1ull << 63, 0));
    refused(BAD_STATE, INVOKE(SLOT_THREAD, thread_set_registers, 0, 0, 0));
    refused(BAD_STATE, INVOKE(SLOT_THREAD, thread_resume, 0));
    refused(BAD_ARGUMENT, INVOKE(thread, thread_budget, 2, 1));
    refused(BAD_STATE, INVOKE(SLOT_THREAD, thread_budget, 1, 2));
}

static void irq_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), irq = slot_new();
    uint32_t sending = copy_with(port, RIGHT_SEND);
    refused(BAD_ARGUMENT, INVOKE(SLOT_IRQS, irq_derive, 0x2f, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IRQS, irq_derive, 0x70, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IRQS, irq_derive, UINT64_MAX, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IRQS, irq_derive, 0x30, OUTSIDE));
    refused(OCCUPIED, INVOKE(SLOT_IRQS, irq_derive, 0x30, SLOT_TABLE));
    must(INVOKE(SLOT_IRQS, irq_derive, 0x30, irq));
    refused(OCCUPIED, INVOKE(SLOT_IRQS, irq_derive, 0x30, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_derive, 0x31, EMPTY));
    refused(LIMIT, INVOKE(deepest_copy(SLOT_IRQS), irq_derive, 0x31, EMPTY));
    must(INVOKE(SLOT_IRQS, irq_derive, 0x31, slot_new())); /* it wasn't taken by the failure */
    refused(EMPTY_SLOT, INVOKE(irq, irq_bind, EMPTY, 0, IRQ_MESSAGE));
    refused(WRONG_TYPE, INVOKE(irq, irq_bind, SLOT_SPACE, 0, IRQ_MESSAGE));
    refused(NO_RIGHT, INVOKE(irq, irq_bind, sending, 0, IRQ_MESSAGE));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, 64, IRQ_MESSAGE));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, 0, SIM_PINS));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IRQS, irq_bind, port, 0, IRQ_MESSAGE));
    must(INVOKE(irq, irq_bind, port, 63, 5));
    refused(OCCUPIED, INVOKE(irq, irq_bind, port, 0, IRQ_MESSAGE));
    refused(BAD_STATE, INVOKE(irq, irq_ack, 0)); /* not level-triggered */
    refused(BAD_STATE, INVOKE(SLOT_IRQS, irq_ack, 0));
}

static void ioport_errors(void **state)
{
    (void)state;
    uint32_t com1 = slot_new();
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOPORTS, ioport_derive, 65536, 1, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOPORTS, ioport_derive, 65535, 2, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOPORTS, ioport_derive, 8, 0, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOPORTS, ioport_derive, 8, UINT64_MAX, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOPORTS, ioport_derive, 8, 1, OUTSIDE));
    refused(OCCUPIED, INVOKE(SLOT_IOPORTS, ioport_derive, 8, 1, SLOT_TABLE));
    refused(LIMIT, INVOKE(deepest_copy(SLOT_IOPORTS), ioport_derive, 8, 1, EMPTY));
    must(INVOKE(SLOT_IOPORTS, ioport_derive, 0x3f8, 8, com1));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_derive, 0x3f0, 8, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_in, 0x3f7, 1));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_in, 0x400, 1));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_in, 0x3fd, 4));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_in, 0x3f8, 3));
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_in, UINT64_MAX, 4));
    must(INVOKE(com1, ioport_in, 0x3fc, 4));
    assert_int_equal(machine.result[0], 0x3fc << 8 | 4);
    refused(BAD_ARGUMENT, INVOKE(com1, ioport_out, 0x3ff, 2, 7));
    assert_int_equal(sim.out_bytes, 0);
    must(INVOKE(com1, ioport_out, 0x3fe, 2, 7));
    assert_int_equal(sim.out_port, 0x3fe);
    assert_int_equal(sim.out_bytes, 2);
    assert_int_equal(sim.out_value, 7);
}

static void trace_errors(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), device = slot_new();
    uint32_t space = make(OBJECT_space, SPACE_PAGES), frozen = make(OBJECT_page, 1);
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 1, device, DEVICE_ADDRESS));
    copy_with(frozen, RIGHT_ALL);
    copy_with(space, RIGHT_ALL);
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, frozen));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, space));
    refused(BAD_STATE, INVOKE(SLOT_TRACE, trace_mask, 0, TRACE_EVENTS_ALL));
    refused(EMPTY_SLOT, INVOKE(SLOT_TRACE, trace_attach, 0, EMPTY));
    refused(WRONG_TYPE, INVOKE(SLOT_TRACE, trace_attach, 0, SLOT_SPACE));
    refused(NO_RIGHT, INVOKE(SLOT_TRACE, trace_attach, 0, SLOT_INFO));
    refused(BAD_STATE, INVOKE(SLOT_TRACE, trace_attach, 0, frozen));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_attach, 1, page));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_attach, 0, device));
    must(INVOKE(SLOT_TRACE, trace_attach, 0, page));
    refused(OCCUPIED, INVOKE(SLOT_TRACE, trace_attach, 0, page));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_mask, 1, TRACE_EVENTS_ALL));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_mask, 0, 1u << TRACE_none));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_mask, 0, 1ull << TRACE_EVENT_COUNT));
    refused(EMPTY_SLOT, INVOKE(SLOT_TRACE, trace_label, EMPTY, 1));
    refused(WRONG_TYPE, INVOKE(SLOT_TRACE, trace_label, SLOT_TABLE, 1));
    refused(NO_RIGHT, INVOKE(SLOT_TRACE, trace_label, copy_with(SLOT_SPACE, RIGHT_READ), 1));
    refused(BAD_STATE, INVOKE(SLOT_TRACE, trace_label, space, 1));
    refused(BAD_ARGUMENT, INVOKE(SLOT_TRACE, trace_label, SLOT_SPACE, UINT16_MAX + 1));
}

static void iommu_errors(void **state)
{
    (void)state;
    uint32_t space = make(OBJECT_dmaspace, DMASPACE_PAGES), page = make(OBJECT_page, 1);
    uint32_t other = make(OBJECT_dmaspace, DMASPACE_PAGES), dying, tables[3];
    refused(BAD_ARGUMENT, INVOKE(SLOT_IOMMU, iommu_assign, 0x10000, space));
    refused(EMPTY_SLOT, INVOKE(SLOT_IOMMU, iommu_assign, 0x18, EMPTY));
    refused(WRONG_TYPE, INVOKE(SLOT_IOMMU, iommu_assign, 0x18, SLOT_SPACE));
    refused(NO_RIGHT, INVOKE(SLOT_IOMMU, iommu_assign, 0x18, copy_with(space, 0)));
    for (int i = 2; i >= 0; i--)
        tables[i] = make(OBJECT_table, 1);
    must(INVOKE(tables[0], table_map, space, AT));
    must(INVOKE(tables[1], table_map, space, AT));
    must(INVOKE(page, page_map, space, AT, RIGHT_READ));
    sim.iommu.slow = true;
    refused(MORE, INVOKE(SLOT_IOMMU, iommu_assign, 0x18, space));
    sim_iommu_finish();
    must(INVOKE(SLOT_IOMMU, iommu_assign, 0x18, space));
    refused(OCCUPIED, INVOKE(SLOT_IOMMU, iommu_assign, 0x18, other));
    for (uint64_t bus = 1; bus < SIM_BUSES; bus++)
        must((sim_iommu_finish(), sim.iommu.slow = false,
              INVOKE(SLOT_IOMMU, iommu_assign, bus << 8, space)));
    sim.iommu.slow = true;
    refused(LIMIT, INVOKE(SLOT_IOMMU, iommu_assign, SIM_BUSES << 8, space));
    refused(MORE, INVOKE(page, page_unmap, 0));
    refused(BAD_STATE, INVOKE(tables[0], table_unmap, 0));
    sim_iommu_finish();
    must(INVOKE(page, page_unmap, 0));
    refused(MORE, INVOKE(tables[1], table_unmap, 0));
    sim_iommu_finish();
    must(INVOKE(tables[1], table_unmap, 0));
    dying = copy_with(other, RIGHT_ALL);
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, other));
    refused(BAD_STATE, INVOKE(SLOT_IOMMU, iommu_assign, 0x20, other));
    assert_int_equal(cap_at(dying)->type, OBJECT_none);
    must(INVOKE(SLOT_IOMMU, iommu_fault, 0));
    assert_int_equal(machine.result[2], 0);
}

static void send_wait_errors(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), sending = copy_with(port, RIGHT_SEND);
    struct registers *r = prepare(machine.main, CALL_send_wait);
    r->rdi = port;
    r->rbx = sending;
    r->rsi = 1;
    refused(NO_RIGHT, perform(machine.main)); /* nothing is sent when the wait couldn't be */
    assert_int_equal(((struct port *)object_at(port))->count, 0);
    r = prepare(machine.main, CALL_send_wait);
    r->rdi = sending;
    r->rbx = EMPTY;
    r->rsi = 1;
    refused(EMPTY_SLOT, perform(machine.main));
    r = prepare(machine.main, CALL_send_wait);
    r->rdi = port;
    r->rbx = port;
    refused(BAD_ARGUMENT, perform(machine.main));
    prepare(machine.main, CALL_yield);
    must(perform(machine.main));
}

/* Who may not use an object by invoking it may not do so by naming it either. */
static void named_capabilities_need_rights_too(void **state)
{
    (void)state;
    uint32_t thread = make(OBJECT_thread, 1), page = make(OBJECT_page, 1);
    uint32_t table = make(OBJECT_table, 1), port = make(OBJECT_port, 1), irq = slot_new();
    uint32_t space = copy_with(SLOT_SPACE, RIGHT_ALL & ~RIGHT_CONTROL);
    uint32_t captable = copy_with(SLOT_TABLE, RIGHT_ALL & ~RIGHT_CONTROL);
    must(INVOKE(SLOT_IRQS, irq_derive, 0x30, irq));
    refused(NO_RIGHT, INVOKE(thread, thread_configure, space, SLOT_TABLE, 1, 0));
    refused(NO_RIGHT, INVOKE(thread, thread_configure, SLOT_SPACE, captable, 1, 0));
    refused(NO_RIGHT, INVOKE(page, page_map, space, AT, RIGHT_READ));
    refused(NO_RIGHT, INVOKE(table, table_map, space, AT));
    refused(NO_RIGHT, INVOKE(irq, irq_bind, copy_with(port, RIGHT_SEND), 0, IRQ_MESSAGE));
}

static void nothing_enters_what_is_being_removed(void **state)
{
    (void)state;
    uint32_t space = make(OBJECT_space, SPACE_PAGES), port = make(OBJECT_port, 1);
    uint32_t page = make(OBJECT_page, 1), table = make(OBJECT_table, 1), irq = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, 0x31, irq));
    copy_with(space, RIGHT_ALL);
    copy_with(port, RIGHT_ALL);
    refused(BAD_STATE, INVOKE(dying_table(), captable_mint, port, 101, RIGHT_ALL, 1, 0));
    refused(BAD_STATE, INVOKE(dying_table(), captable_move, page, 101));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, space));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, port));
    refused(BAD_STATE, INVOKE(page, page_map, space, AT, RIGHT_READ));
    refused(BAD_STATE, INVOKE(table, table_map, space, AT));
    refused(BAD_STATE, INVOKE(irq, irq_bind, port, 0, IRQ_MESSAGE));
}

static void who_runs_in_a_table_that_is_being_removed_gets_nothing_new(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, 1), memory = make(OBJECT_untyped, 4);
    uint32_t port = make(OBJECT_port, 1);
    must(INVOKE(table, captable_copy, SLOT_SPACE, 1, RIGHT_ALL)); /* what goes first */
    must(INVOKE(table, captable_move, memory, 5));
    must(INVOKE(table, captable_copy, SLOT_IRQS, 6, RIGHT_ALL));
    must(INVOKE(table, captable_copy, SLOT_IOPORTS, 7, RIGHT_ALL));
    must(INVOKE(table, captable_copy, port, 8, RIGHT_ALL));
    struct thread *below = object_at(make_thread_in(SLOT_SPACE, table, PRIORITY, 0));
    must(thread_resume(below));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, table));
    refused(BAD_STATE, INVOKE_BY(below, 5, untyped_retype, OBJECT_page, 1, 20));
    refused(BAD_STATE, INVOKE_BY(below, 6, irq_derive, 0x32, 20));
    refused(BAD_STATE, INVOKE_BY(below, 7, ioport_derive, 1, 1, 20));
    refused(BAD_STATE, wait_by(below, 8, 20, 0));
    delete_all(table);
}

/* The last one. */
static void every_documented_error_was_met(void **state)
{
    (void)state;
    assert_false(error_unmet());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_calls_and_operations),
        TEST(slots_that_hold_nothing),
        TEST(every_operation_refuses_other_types),
        TEST(every_operation_asks_for_its_right),
        TEST(a_call_leaves_other_registers_alone),
        TEST(send_errors),
        TEST(signal_errors),
        TEST(wait_errors),
        TEST(retype_errors),
        TEST(page_map_errors),
        TEST(table_errors),
        TEST(copy_and_move_errors),
        TEST(mint_errors),
        TEST(removal_errors),
        TEST(thread_errors),
        TEST(irq_errors),
        TEST(ioport_errors),
        TEST(trace_errors),
        TEST(iommu_errors),
        TEST(send_wait_errors),
        TEST(named_capabilities_need_rights_too),
        TEST(nothing_enters_what_is_being_removed),
        TEST(who_runs_in_a_table_that_is_being_removed_gets_nothing_new),
        TEST(every_documented_error_was_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
