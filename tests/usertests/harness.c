/* SPDX-License-Identifier: ISC
 *
 * The tests' side of usertests. See usertests.h.
 */
#include "tests/usertests/supervisor.h"

#include <stdarg.h>

#include "libos/format.h"
#include "libos/kernel.h"

static void record(uint64_t index, enum error error)
{
    if (index < MET && error > OK && error < ERROR_COUNT)
        E->met[index] |= 1ull << error;
}

/* All registers of a call, each with all of its 64 bits. Between the register variables and the
 * instruction no memory is looked at: in the simulator's checked build that is a function call. */
static enum error enter(uint64_t call, uint64_t rdi, uint64_t rbx, uint64_t r14, uint64_t r15,
                        struct received *io)
{
    uint64_t header = msg_header(&io->msg);
    const uint64_t a0 = io->msg.w[0], a1 = io->msg.w[1], a2 = io->msg.w[2];
    const uint64_t a3 = io->msg.w[3], a4 = io->msg.w[4], a5 = io->msg.w[5];
    register uint64_t w0 __asm__("rdx") = a0;
    register uint64_t w1 __asm__("r10") = a1;
    register uint64_t w2 __asm__("r8") = a2;
    register uint64_t w3 __asm__("r9") = a3;
    register uint64_t w4 __asm__("r12") = a4;
    register uint64_t w5 __asm__("r13") = a5;
    register uint64_t to14 __asm__("r14") = r14;
    register uint64_t to15 __asm__("r15") = r15;
    __asm__ volatile(TRAP
                     : "+a"(call), "+D"(rdi), "+S"(header), "+b"(rbx), "+r"(w0), "+r"(w1), "+r"(w2),
                       "+r"(w3), "+r"(w4), "+r"(w5), "+r"(to14)
                     : "r"(to15)
                     : "rcx", "r11", "memory");
    const uint64_t b0 = w0, b1 = w1, b2 = w2, b3 = w3, b4 = w4, b5 = w5, caps = to14;
    *io = (struct received){
        .pending = rdi, .caps = (uint32_t)caps, .msg = {.tag = rbx, .w = {b0, b1, b2, b3, b4, b5}}};
    __builtin_memcpy(&io->msg, &header, 8);
    return (enum error)call;
}

enum error invoke_recorded(uint64_t slot, uint64_t operation, const uint64_t a[5])
{
    struct received io = {.msg = {.w = {a[0], a[1], a[2], a[3], a[4]}}};
    __builtin_memcpy(&io.msg, &operation, 8);
    enum error error = enter(CALL_invoke, slot, 0, 0, 0, &io);
    for (int i = 0; i < 3; i++)
        E->result[i] = io.msg.w[i];
    record(CALL_invoke, error);
    if (operation < OPERATION_COUNT)
        record(CALL_COUNT + operation, error);
    return error;
}

enum error call_recorded(uint64_t call, uint64_t rdi, uint64_t rbx, uint64_t r14, uint64_t r15,
                         struct received *io)
{
    enum error error = enter(call, rdi, rbx, r14, r15, io);
    if (call < CALL_COUNT)
        record(call, error);
    return error;
}

enum error ut_send(uint64_t port, uint64_t op, uint64_t caps)
{
    struct msg m = {.w = {1, 2, 3, 4, 5, 6}};
    __builtin_memcpy(&m, &op, 8);
    enum error error = sys_send(port, &m, caps);
    record(CALL_send, error);
    return error;
}

enum error ut_signal(uint64_t port)
{
    enum error error = sys_signal(port);
    record(CALL_signal, error);
    return error;
}

enum error ut_wait(uint64_t port, uint64_t receive, uint64_t deadline, struct received *received)
{
    struct received own = {0};
    return call_recorded(CALL_wait, port, 0, receive, deadline, received ? received : &own);
}

enum error ut_send_wait(uint64_t port, uint64_t own, uint64_t caps, uint64_t deadline,
                        struct received *io)
{
    return call_recorded(CALL_send_wait, port, own, caps, deadline, io);
}

static _Noreturn void end(enum verdict verdict)
{
    struct msg m = {.op = (uint16_t)verdict};
    sys_send(E->verdict, &m, 0);
    for (;;) /* the supervisor has taken over */
        sys_yield();
}

void test_run(uint64_t number)
{
    const struct test *test = &tests[number];
    test->function();
    if (E->fault.expected)
        fail(0, "the fault didn't come");
    end(VERDICT_PASSED);
}

void planted_run(uint64_t number)
{
    planted_tests[number].function();
    end(VERDICT_PASSED);
}

void fail(int line, const char *pattern, ...)
{
    char text[FAILURE_BYTES];
    va_list arguments;
    va_start(arguments, pattern);
    format(text, sizeof(text) - 20, pattern, arguments);
    va_end(arguments);
    size_t at = 0;
    for (; at < sizeof(E->failure) - 1 && text[at]; at++)
        E->failure[at] = text[at];
    E->failure[at] = 0;
    E->line = (uint64_t)line;
    end(VERDICT_FAILED);
}

void expect_error(int line, enum error expected, enum error got, const char *what)
{
    if (got == expected)
        return;
    fail(line, "%s instead of %s: %s", got ? error_name(got) : "OK",
         expected ? error_name(expected) : "OK", what);
}

void expect_fault(uint64_t cause, uint64_t address)
{
    E->fault.cause = E->fault.other_cause = cause;
    E->fault.address = address;
    E->fault.expected = true;
    __asm__ volatile("" : : : "memory");
}

void expect_either(uint64_t cause, uint64_t other_cause)
{
    expect_fault(cause, ANY_ADDRESS);
    E->fault.other_cause = other_cause;
}

uint32_t slot_new(void)
{
    if (E->next_slot >= E->slots - 1)
        fail(__LINE__, "no slot is left");
    return E->next_slot++;
}

uint32_t make_from(uint32_t untyped, enum object type, uint64_t pages)
{
    uint32_t slot = slot_new();
    enum error error;
    do
        error = INVOKE(untyped, untyped_retype, type, pages, slot);
    while (error == ERROR_MORE);
    must(error);
    return slot;
}

uint32_t make(enum object type, uint64_t pages)
{
    return make_from(E->memory, type, pages);
}

uint32_t copy_with(uint32_t slot, uint64_t rights)
{
    uint32_t copy = slot_new();
    must(INVOKE(E->table, captable_copy, slot, copy, rights));
    return copy;
}

uint32_t mint(uint32_t port, uint64_t rights, uint64_t badge, uint64_t share)
{
    uint32_t minted = slot_new();
    must(INVOKE(E->table, captable_mint, port, minted, rights, badge, share));
    return minted;
}

uint32_t deepest(uint32_t slot)
{
    for (;;) {
        uint32_t copy = slot_new();
        enum error error = INVOKE(E->table, captable_copy, slot, copy, RIGHT_ALL);
        if (error == ERROR_LIMIT)
            return slot;
        must(error);
        slot = copy;
    }
}

uint32_t slot_of(enum object type)
{
    switch (type) {
    case OBJECT_untyped:
        return E->memory;
    case OBJECT_captable:
        return E->table;
    case OBJECT_space:
        return make(type, SPACE_PAGES);
    case OBJECT_irq:
        return E->irqs;
    case OBJECT_ioport:
        return E->ioports;
    case OBJECT_trace:
        return E->trace;
    case OBJECT_iommu:
        return E->iommu;
    case OBJECT_dmaspace:
        return make(type, DMASPACE_PAGES);
    default:
        return make(type, 1);
    }
}

uint32_t dying_table(void)
{
    uint32_t table = make(OBJECT_captable, 2);
    must(INVOKE(table, captable_copy, E->space, 100, RIGHT_ALL));
    refused(MORE, INVOKE(E->table, captable_delete, table));
    return table;
}

uint32_t half_revoked(uint32_t slot)
{
    uint32_t parent = copy_with(slot, RIGHT_ALL);
    copy_with(parent, RIGHT_ALL);
    copy_with(parent, RIGHT_ALL);
    refused(MORE, INVOKE(E->table, captable_revoke, parent));
    return parent;
}

void remove_all(uint64_t operation, uint32_t table, uint32_t slot)
{
    enum error error;
    do
        error = invoke_recorded(table, operation, (const uint64_t[5]){slot});
    while (error == ERROR_MORE);
    must(error);
}

void tables_for(uint32_t space, uint64_t address)
{
    for (;;) {
        uint32_t table = make(OBJECT_table, 1);
        enum error error = INVOKE(table, table_map, space, address);
        if (error == ERROR_OCCUPIED)
            return;
        must(error);
    }
}

void map_at(uint32_t page, uint32_t space, uint64_t address, uint8_t rights)
{
    tables_for(space, address);
    must(INVOKE(page, page_map, space, address, rights));
}

uint64_t thread_state_of(uint32_t thread)
{
    must(INVOKE(thread, thread_info, 0));
    return E->result[0];
}

uint64_t helper_stack(void)
{
    if (E->helpers == HELPERS)
        fail(__LINE__, "no stack is left");
    uint64_t top = STACKS_ADDRESS + (++E->helpers) * HELPER_STACK_PAGES * PAGE_BYTES;
    return top - 8; /* as if it had been called */
}

uint32_t helper(void (*entry)(uint64_t), uint64_t argument, uint64_t priority, uint32_t faults)
{
    uint32_t thread = make(OBJECT_thread, 1);
    must(INVOKE(thread, thread_configure, E->space, E->table, priority, faults));
    must(INVOKE(thread, thread_set_registers, (uint64_t)entry, helper_stack(), argument));
    return thread;
}

void start(uint32_t thread)
{
    must(INVOKE(thread, thread_resume, 0));
}

void helper_end(void)
{
    kernel_stop(0); /* needs no capability */
}

void helper_waits(uint64_t port)
{
    for (;;) {
        E->note[0] = ut_wait(port, 0, 0, NULL);
        E->note[1]++;
        if (E->note[0])
            helper_end();
    }
}
