/* SPDX-License-Identifier: ISC
 *
 * What a test of usertests has (docs/usertests.md). Each runs in a domain of its own: a space, a
 * capability table, a thread of TEST_PRIORITY and memory to make objects of, all made for it and
 * all gone after it. It ends when its function returns, when a check fails, or by the fault that it
 * announced. Called from the test's own domain only; the supervisor (supervisor.c) reads the
 * environment page.
 *
 * Helper threads are of higher or lower priority than the test: who runs when is never a matter of
 * time.
 */
#ifndef TESTS_USERTESTS_H
#define TESTS_USERTESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/syscall.h"

enum {
    TEST_PRIORITY = 20,
    HIGHER = 30,  /* of helpers that run at once until they block */
    LOWER = 10,   /* of helpers that run when the test waits */
    CEILING = 62, /* what a test may give its helpers */
    TABLE_SLOTS = 256,
    EMPTY = TABLE_SLOTS - 1, /* never used */
    MEMORY_PAGES = 700,
    SHARED_PAGES = 4,
    STACK_PAGES = 8,
    HELPERS = 12,
    HELPER_STACK_PAGES = 4,
    STACKS_PAGES = STACK_PAGES + HELPERS * HELPER_STACK_PAGES,
    FAILURE_BYTES = 160,
    MET = CALL_COUNT + OPERATION_COUNT,
};

/* In every test's space. */
#define SHARED_ADDRESS 0x50000000ull /* struct environment; the supervisor has it there too */
#define INFO_ADDRESS   0x50010000ull /* the kernel information page, read-only */
#define STACKS_ADDRESS 0x50100000ull
#define PLACE          0x10000000ull /* nothing is there, not even page tables */
#define RUN_BYTES      (PAGE_RUN_MAX * (uint64_t)PAGE_BYTES)

#define KERNEL_HALF    0xffff800000000000ull /* its first address: the direct map */
#define KERNEL_TEXT    0xffffffff80100000ull
#define NOT_CANONICAL  0x0000800000000000ull
#define AT_INSTRUCTION UINT64_MAX /* of expect_fault: the address is the instruction's */
#define ANY_ADDRESS    (UINT64_MAX - 1)

enum verdict { VERDICT_PASSED = 0x5001, VERDICT_FAILED };

/* The page that test and supervisor share. */
struct environment {
    /* Slots of the table that the test runs with. */
    uint32_t table, space, thread, memory, verdict, ioports, irqs, info, trace, iommu, shared;
    uint32_t next_slot;
    uint32_t helpers;
    uint32_t slots;     /* of that table */
    uint64_t argument;  /* of a test that is made for each operation */
    uint64_t result[3]; /* of the last invocation */
    struct {
        bool expected;
        uint64_t cause, other_cause, address;
    } fault;
    uint64_t line; /* of the failed check */
    char failure[FAILURE_BYTES];
    volatile uint64_t note[8]; /* between a test and its helpers */
    uint64_t met[MET];         /* by call, behind them by operation: bit n: error n was returned */
};
_Static_assert(sizeof(struct environment) <= SHARED_PAGES * PAGE_BYTES, "fits");
_Static_assert(ERROR_COUNT <= 64, "a bit each");

#define E ((struct environment *)SHARED_ADDRESS)

struct test {
    const char *name;
    void (*function)(void);
    const char *only_in_qemu; /* why; NULL: it runs in the simulator too */
    uint64_t argument;
    bool root; /* runs with the supervisor's table, for what can't be in another */
};

/* --- calls that are recorded --- */

enum error invoke_recorded(uint64_t slot, uint64_t operation, const uint64_t a[5]);
#define INVOKE(slot, operation, ...)                                                               \
    invoke_recorded(slot, OPERATION_##operation, (const uint64_t[5]){__VA_ARGS__})

/* rdi, rbx, r14, r15 as in motet/abi.h; header and words in io->msg. */
enum error call_recorded(uint64_t call, uint64_t rdi, uint64_t rbx, uint64_t r14, uint64_t r15,
                         struct received *io);

enum error ut_send(uint64_t port, uint64_t op, uint64_t caps);
enum error ut_signal(uint64_t port);
enum error ut_wait(uint64_t port, uint64_t receive, uint64_t deadline, struct received *received);
enum error ut_send_wait(uint64_t port, uint64_t own, uint64_t caps, uint64_t deadline,
                        struct received *io);

/* --- checks --- */

__attribute__((format(printf, 2, 3))) _Noreturn void fail(int line, const char *pattern, ...);
void expect_error(int line, enum error expected, enum error got, const char *what);
#define refused(name, expression) expect_error(__LINE__, ERROR_##name, expression, #expression)
#define must(expression)          expect_error(__LINE__, OK, expression, #expression)
#define check(expression)                                                                          \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail(__LINE__, "not so: %s", #expression);                                             \
    } while (0)

/* The test ends with this fault of its own thread. */
void expect_fault(uint64_t cause, uint64_t address);
/* Where processors differ, or QEMU from them. */
void expect_either(uint64_t cause, uint64_t other_cause);

/* --- objects --- */

uint32_t slot_new(void);
uint32_t make(enum object type, uint64_t pages);
uint32_t make_from(uint32_t untyped, enum object type, uint64_t pages);
uint32_t copy_with(uint32_t slot, uint64_t rights);
uint32_t mint(uint32_t port, uint64_t rights, uint64_t badge, uint64_t share);
/* A copy of the greatest depth of derivation. */
uint32_t deepest(uint32_t slot);
/* A capability of this type with a badge of 0 and all rights. */
uint32_t slot_of(enum object type);
/* A table of which one capability was taken already: it refuses everything new. */
uint32_t dying_table(void);
/* A copy of which one of two children was revoked: nothing may be derived from it. */
uint32_t half_revoked(uint32_t slot);
void remove_all(uint64_t operation, uint32_t table, uint32_t slot);
#define delete_all(slot) remove_all(OPERATION_captable_delete, E->table, slot)
#define revoke_all(slot) remove_all(OPERATION_captable_revoke, E->table, slot)
void tables_for(uint32_t space, uint64_t address);
void map_at(uint32_t page, uint32_t space, uint64_t address, uint8_t rights);
uint64_t thread_state_of(uint32_t thread);

/* A suspended helper in this domain, with a stack; its faults go to slot `faults` (0: nowhere). */
uint32_t helper(void (*entry)(uint64_t argument), uint64_t argument, uint64_t priority,
                uint32_t faults);
void start(uint32_t thread);
uint64_t helper_stack(void);
/* What a helper does at its end: a fault (invalid opcode). */
_Noreturn void helper_end(void);
/* Waits for ever on the port in that slot, noting in E->note[0] what each wait gave. */
void helper_waits(uint64_t port);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
