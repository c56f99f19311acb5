/* SPDX-License-Identifier: ISC
 *
 * A tiny machine for the kernel's tests: a root table with the capabilities that init would have, a
 * thread `main` that runs in it, and system calls as functions. After each of them the whole system
 * is checked (kernel/arch/sim/check.h).
 */
#ifndef TESTS_KERNEL_MACHINE_H
#define TESTS_KERNEL_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/port.h"
#include "kernel/thread.h"

/* The root table. */
enum {
    SLOT_TABLE = 1, /* the table itself; first of the derivation list */
    SLOT_SPACE,
    SLOT_THREAD,
    SLOT_IOPORTS,
    SLOT_IRQS,
    SLOT_INFO,   /* page, read only, a root */
    SLOT_IMAGE,  /* untyped, IMAGE_PAGES */
    SLOT_DEVICE, /* untyped, DEVICE_PAGES */
    SLOT_TRACE,
    SLOT_MEMORY, /* untyped, all the rest */
    SLOT_FREE,
    ROOT_SLOTS = 128,
    SLOT_IOMMU = ROOT_SLOTS - 1,
    DOMAIN_NUMBERS = 4, /* of the IOMMU: 3 dmaspaces with devices */
    IMAGE_PAGES = 4,
    DEVICE_PAGES = 1024,
    PRIORITY = 10,    /* of main */
    STEPS_MAX = 5000, /* calls until a removal must be done on a machine of this size */
};
#define DEVICE_ADDRESS 0xf0000000ull
#define AT             0x400000ull /* where tests map */

struct machine {
    struct captable *table;
    struct thread *main;
    uint32_t next_slot;
    struct registers after; /* the caller's registers after the last call */
    uint64_t result[3];     /* of the last invocation */
};
extern struct machine machine;

void machine_create(void);
void machine_check(void);

/* In the root table. */
struct cap *cap_at(uint64_t slot);
void *object_at(uint64_t slot);

/* Makes an object from SLOT_MEMORY; the root table's slot where its first capability is. */
uint32_t make(enum object type, uint64_t pages);

/* An empty slot of the root table, each time another one. */
uint32_t slot_new(void);

/* A thread that runs in the root table and space, and is ready. Returns its slot. */
uint32_t make_thread(uint64_t priority, uint64_t fault_slot);
/* As above, elsewhere; not yet resumed. */
uint32_t make_thread_in(uint64_t space, uint64_t table, uint64_t priority, uint64_t fault_slot);

/* Lets `thread`, which is ready, run: others of its priority yield. */
void run(struct thread *thread);

/* The thread's registers, arguments all zero, for a call that the thread makes next. */
struct registers *prepare(struct thread *thread, uint64_t call);
/* Runs the thread and performs the call that is prepared. */
enum error perform(struct thread *thread);

enum error machine_invoke(struct thread *by, uint64_t slot, uint64_t operation,
                          const uint64_t a[5]);
/* An invocation by thread `by`, by main. */
#define INVOKE_BY(by, slot, operation, ...)                                                        \
    machine_invoke(by, slot, OPERATION_##operation, (const uint64_t[5]){__VA_ARGS__})
#define INVOKE(slot, operation, ...) INVOKE_BY(machine.main, slot, operation, __VA_ARGS__)

/* send of op and first word; wait; signal. What wait brought is in the thread's registers, at once
 * or when it was woken. */
enum error send_by(struct thread *by, uint64_t slot, uint64_t op, uint64_t word, uint64_t caps);
enum error wait_by(struct thread *by, uint64_t slot, uint64_t receive, uint64_t deadline);
enum error signal_by(struct thread *by, uint64_t slot);

/* delete and revoke in the root table, called until done: how often that was. */
unsigned delete_all(uint64_t slot);
unsigned revoke_all(uint64_t slot);

#define must(call)           assert_int_equal(call, OK)
#define refused(error, call) assert_int_equal(call, ERROR_##error)

/* For tables of tests. */
int machine_setup(void **state);
#define TEST(name) cmocka_unit_test_setup(name, machine_setup)

/* Whether calls.def says that this call, or this operation of invoke, may return this error. */
bool error_documented(uint64_t call, uint64_t operation, enum error error);

/* Whether an error that calls.def lists hasn't been met in this process; says which. */
bool error_unmet(void);

#endif
