/* SPDX-License-Identifier: ISC
 *
 * See kernel_machine.h.
 */
#include "tests/unit/kernel_machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/sim/check_step.h"
#include "kernel/untyped.h"

enum {
    TABLE_PAGES = ROOT_SLOTS / SLOTS_PER_PAGE,
    SECONDS_MAX = 300, /* a kernel entry that doesn't end, ends the test */
};

struct machine machine;

static struct cap *root_cap(uint64_t slot, enum object type, uint8_t rights, uint64_t number,
                            uint64_t pages)
{
    struct cap *cap = cap_at(slot), *last = cap_at(slot - 1);
    *cap = (struct cap){
        .type = (uint8_t)type, .rights = rights, .number = number, .pages = (uint32_t)pages};
    if (slot > SLOT_TABLE) {
        while (last->type == OBJECT_none)
            last--;
        cap->prev = last;
        last->next = cap;
    }
    return cap;
}

static void root_caps(void)
{
    uint64_t next = SIM_MEMORY_FIRST + TABLE_PAGES * PAGE_BYTES;
    root_cap(SLOT_TABLE, OBJECT_captable, RIGHT_ALL, 0, TABLE_PAGES)->object = machine.table;
    root_cap(SLOT_IOPORTS, OBJECT_ioport, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL, 0, 0)
        ->ioport.count = 65536;
    root_cap(SLOT_IRQS, OBJECT_irq, RIGHT_SIGNAL | RIGHT_CONTROL, 0, 0);
    list_init(&root_cap(SLOT_INFO, OBJECT_page, RIGHT_READ, next, 1)->map.maps);
    next += PAGE_BYTES;
    root_cap(SLOT_IMAGE, OBJECT_untyped, RIGHT_CONTROL, next, IMAGE_PAGES)->untyped.kind =
        UNTYPED_IMAGE;
    next += IMAGE_PAGES * PAGE_BYTES;
    root_cap(SLOT_DEVICE, OBJECT_untyped, RIGHT_CONTROL, DEVICE_ADDRESS, DEVICE_PAGES)
        ->untyped.kind = UNTYPED_DEVICE;
    root_cap(SLOT_TRACE, OBJECT_trace, RIGHT_CONTROL, 0, 0);
    root_cap(SLOT_MEMORY, OBJECT_untyped, RIGHT_CONTROL, next,
             SIM_PAGES - (next - SIM_MEMORY_FIRST) / PAGE_BYTES);
    root_cap(SLOT_IOMMU, OBJECT_iommu, RIGHT_CONTROL, 0, 0);
}

/* As init is made: by the functions behind the system calls. */
static struct cap *retype_directly(enum object type, uint64_t pages, uint64_t slot)
{
    enum error error;
    do
        error = untyped_retype(cap_at(SLOT_MEMORY), type, pages, 0, machine.table, cap_at(slot));
    while (error == ERROR_MORE);
    assert_int_equal(error, OK);
    return cap_at(slot);
}

void machine_create(void)
{
    alarm(SECONDS_MAX);
    sim_reset(SIM_PAGES);
    sim_iommu_start(DOMAIN_NUMBERS, false);
    check_reset();
    machine = (struct machine){.table = (struct captable *)sim_memory, .next_slot = SLOT_FREE};
    memset(sim_memory, 0, TABLE_PAGES * PAGE_BYTES);
    captable_init(machine.table, TABLE_PAGES, 0);
    root_caps();
    struct space *space = retype_directly(OBJECT_space, SPACE_PAGES, SLOT_SPACE)->object;
    machine.main = retype_directly(OBJECT_thread, 1, SLOT_THREAD)->object;
    assert_int_equal(thread_configure(machine.main, space, machine.table, PRIORITY, 0), OK);
    assert_int_equal(thread_resume(machine.main), OK);
    schedule(&sim_cpu);
    machine_check();
}

int machine_setup(void **state)
{
    (void)state;
    machine_create();
    return 0;
}

void machine_check(void)
{
    check_all(cap_at(SLOT_TABLE), machine.table);
}

struct cap *cap_at(uint64_t slot)
{
    return captable_slot(machine.table, slot);
}

void *object_at(uint64_t slot)
{
    return cap_at(slot)->object;
}

uint32_t slot_new(void)
{
    assert_true(machine.next_slot < ROOT_SLOTS);
    return machine.next_slot++;
}

uint32_t make(enum object type, uint64_t pages)
{
    uint32_t slot = slot_new();
    enum error error;
    do
        error = INVOKE(SLOT_MEMORY, untyped_retype, type, pages, slot);
    while (error == ERROR_MORE);
    assert_int_equal(error, OK);
    return slot;
}

uint32_t make_thread_in(uint64_t space, uint64_t table, uint64_t priority, uint64_t fault_slot)
{
    uint32_t slot = make(OBJECT_thread, 1);
    /* As the kernel does for init: nobody runs at a priority that would let him. */
    assert_int_equal(thread_configure(object_at((uint32_t)slot), object_at((uint32_t)space),
                                      object_at((uint32_t)table), priority, fault_slot),
                     OK);
    assert_int_equal(INVOKE(slot, thread_set_registers, 0x400000, 0x500000, slot), OK);
    return slot;
}

uint32_t make_thread(uint64_t priority, uint64_t fault_slot)
{
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, priority, fault_slot);
    assert_int_equal(INVOKE(slot, thread_resume, 0), OK);
    return slot;
}

void run(struct thread *thread)
{
    assert_true(thread->state == THREAD_READY || thread->state == THREAD_RUNNING);
    for (int turns = 0; sim_cpu.current != thread; turns++) {
        assert_int_equal(sim_cpu.current->priority, thread->priority);
        assert_true(turns < SIM_PAGES);
        sim_cpu.current->registers.rax = CALL_yield;
        sim_syscall();
    }
}

struct registers *prepare(struct thread *thread, uint64_t call)
{
    struct registers *r = &thread->registers;
    run(thread); /* a yield writes to rax */
    *r = (struct registers){.rax = call, .rip = r->rip, .rsp = r->rsp, .rflags = r->rflags};
    return r;
}

enum error perform(struct thread *thread)
{
    run(thread);
    uint64_t call = thread->registers.rax, operation = thread->registers.rsi;
    check_step_before();
    sim_syscall();
    check_step_after();
    machine.after = thread->registers; /* the check takes it away if the thread is no more */
    machine_check();
    assert_true(error_documented(call, operation, (enum error)machine.after.rax));
    return (enum error)machine.after.rax;
}

enum error machine_invoke(struct thread *by, uint64_t slot, uint64_t operation, const uint64_t a[5])
{
    struct registers *r = prepare(by, CALL_invoke);
    r->rdi = slot;
    r->rsi = operation;
    r->rdx = a[0];
    r->r10 = a[1];
    r->r8 = a[2];
    r->r9 = a[3];
    r->r12 = a[4];
    enum error error = perform(by);
    machine.result[0] = machine.after.rdx;
    machine.result[1] = machine.after.r10;
    machine.result[2] = machine.after.r8;
    return error;
}

enum error send_by(struct thread *by, uint64_t slot, uint64_t op, uint64_t word, uint64_t caps)
{
    struct registers *r = prepare(by, CALL_send);
    r->rdi = slot;
    r->rsi = op;
    r->rdx = word;
    r->r14 = caps;
    return perform(by);
}

enum error wait_by(struct thread *by, uint64_t slot, uint64_t receive, uint64_t deadline)
{
    struct registers *r = prepare(by, CALL_wait);
    r->rdi = slot;
    r->r14 = receive;
    r->r15 = deadline;
    return perform(by);
}

enum error signal_by(struct thread *by, uint64_t slot)
{
    prepare(by, CALL_signal)->rdi = slot;
    return perform(by);
}

static unsigned remove_all(uint64_t slot, enum operation operation)
{
    enum error error = ERROR_MORE;
    unsigned steps = 0;
    while (error == ERROR_MORE) {
        error = machine_invoke(machine.main, SLOT_TABLE, operation, (const uint64_t[5]){slot});
        assert_true(++steps < STEPS_MAX);
    }
    assert_int_equal(error, OK);
    return steps;
}

unsigned delete_all(uint64_t slot)
{
    return remove_all(slot, OPERATION_captable_delete);
}

unsigned revoke_all(uint64_t slot)
{
    return remove_all(slot, OPERATION_captable_revoke);
}

/* --- what calls.def promises --- */

static const char *const error_names[ERROR_COUNT] = {
#define ERROR(name, text) [ERROR_##name] = #name,
#include "motet/errors.def"
#undef ERROR
};

static const char *const call_errors[CALL_COUNT] = {
#define CALL(name, summary, errors, bound) [CALL_##name] = errors,
#include "motet/calls.def"
};

static const char *const operation_errors[OPERATION_COUNT] = {
#define OPERATION(object, name, right, arguments, summary, errors, bound)                          \
    [OPERATION_##object##_##name] = errors,
#include "motet/calls.def"
};

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0))
            return true;
    return false;
}

/* Errors that were met, per operation, and per call behind them. */
static bool met[OPERATION_COUNT + CALL_COUNT][ERROR_COUNT];

bool error_documented(uint64_t call, uint64_t operation, enum error error)
{
    assert_in_range(error, 0, ERROR_COUNT - 1);
    bool invoked = call == CALL_invoke && operation < OPERATION_COUNT;
    if (invoked)
        met[operation][error] = true;
    if (call < CALL_COUNT)
        met[OPERATION_COUNT + call][error] = true;
    if (check_error_documented(call, operation, error))
        return true;
    fprintf(stderr, "call %d operation %d: %s isn't in calls.def\n", (int)call, (int)operation,
            error_names[error]);
    return false;
}

static int unmet(const char *kind, int number, const char *errors, const bool *seen)
{
    int count = 0;
    for (int error = 1; error < ERROR_COUNT; error++) {
        if (!has_word(errors, error_names[error]) || seen[error])
            continue;
        fprintf(stderr, "%s %d: never saw %s\n", kind, number, error_names[error]);
        count++;
    }
    return count;
}

bool error_unmet(void)
{
    int count = 0;
    for (int i = 0; i < CALL_COUNT; i++)
        count += unmet("call", i, call_errors[i], met[OPERATION_COUNT + i]);
    for (int i = 0; i < OPERATION_COUNT; i++)
        count += unmet("operation", i, operation_errors[i], met[i]);
    return count > 0;
}
