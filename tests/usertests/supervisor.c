/* SPDX-License-Identifier: ISC
 *
 * usertests' root program: stands in init's place, with every capability there is, and runs the
 * tests one after the other. Each gets a domain that is made for it of one stretch of memory (the
 * arena); what it made of itself is revoked afterwards, and then the arena must be whole again, the
 * supervisor's table empty where the test may have put something, and every vector free.
 *
 * Prints a line per test on the serial port, then which documented errors no test has met, then the
 * counts, and ends the machine. Boot settings: usertests.only=NAME (a part of it),
 * usertests.without=NAME (all but these: what do they alone meet?), and
 * usertests.planted: the tests that must fail instead (planted.c). Printed by init's I/O ports.
 */
#include "tests/usertests/supervisor.h"

#include <stdarg.h>
#include <string.h>

#include "libos/format.h"
#include "libos/kernel.h"
#include "libos/start.h"
#include "motet/image.h"

enum {
    ARENA_PAGES = 1000,
    TEXT_REGIONS = 8,
    UART = 0x3f8,
    UART_STATUS = UART + 5,
    UART_EMPTY = 0x20,
    DEBUG_EXIT = 0xf4,
    RESET_CONTROL = 0xcf9,
    BADGE_FAULT = 7,
    ONLY_BYTES = 64,
};

/* Slots of a test's table that the supervisor fills. */
enum {
    T_TABLE = 1,
    T_SPACE,
    T_THREAD,
    T_VERDICT,
    T_FAULT,
    T_MEMORY,
    T_IOPORTS,
    T_IRQS,
    T_INFO,
    T_TRACE,
    T_IOMMU,
    T_SHARED,
    T_FREE
};

struct text {
    uint32_t slot;
    uint64_t address;
    uint8_t rights;
};

struct supervisor {
    uint32_t next_slot;
    uint32_t arena, shared, info;
    struct text text[TEXT_REGIONS];
    uint32_t texts;
    /* Of the test under way: all made of the arena. */
    uint32_t first, table, space, thread, port, memory, fault;
    uint32_t passed, failed, skipped, ran;
    char only[ONLY_BYTES], without[ONLY_BYTES];
    bool planted;
    char why[FAILURE_BYTES];
    uint64_t met[MET];
};
_Static_assert(sizeof(struct supervisor) <= INIT_PRIVATE_BYTES, "fits init's memory");

#define S ((struct supervisor *)INIT_PRIVATE_ADDRESS)

/* How long one may run: the longest takes a few seconds under load. */
static uint64_t limit_seconds(void)
{
    if (usertests_in_simulator)
        return 2;
    return S->planted ? 5 : 60;
}

static const struct boot_page *boot(void)
{
    return (const struct boot_page *)INIT_BOOT_ADDRESS;
}

/* --- the serial port, and the end --- */

static enum error invoke(uint32_t slot, enum operation operation, uint64_t a0, uint64_t a1,
                         uint64_t a2, uint64_t a3)
{
    return sys_invoke(slot, operation, a0, a1, a2, a3, 0, NULL);
}

static void text_write(const char *text)
{
    for (; *text; text++) {
        struct invoked status = {{0}};
        while (!(status.a[0] & UART_EMPTY))
            sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, UART_STATUS, 1, 0, 0, 0, &status);
        invoke(INIT_IOPORTS, OPERATION_ioport_out, UART, 1, (uint8_t)*text, 0);
    }
}

static void format_to(char *to, size_t bytes, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    format(to, bytes, pattern, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 1, 2))) static void print(const char *pattern, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, pattern);
    format(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    text_write(line);
    text_write("\r\n");
}

static _Noreturn void end(void)
{
    invoke(INIT_IOPORTS, OPERATION_ioport_out, DEBUG_EXIT, 1, S->failed != 0, 0);
    invoke(INIT_IOPORTS, OPERATION_ioport_out, RESET_CONTROL, 1, 6, 0);
    kernel_stop(STOP_INIT);
}

static void must_be(enum error error, const char *what)
{
    if (!error)
        return;
    print("usertests: can't go on: %s: %s", what, error_name(error));
    S->failed++;
    end();
}

/* --- objects --- */

static uint32_t retype(uint32_t untyped, enum object type, uint64_t pages, uint64_t address)
{
    uint32_t slot = S->next_slot++;
    enum error error;
    do
        error = invoke(untyped, OPERATION_untyped_retype, type, pages, slot, address);
    while (error == ERROR_MORE);
    must_be(error, "retype");
    return slot;
}

static void arena_make(void)
{
    enum error error = ERROR_NO_MEMORY;
    S->arena = S->next_slot++;
    for (uint32_t i = 0; error && i < boot()->untyped_count; i++)
        if (boot()->untyped[i].kind == UNTYPED_MEMORY)
            error = invoke(INIT_UNTYPED + i, OPERATION_untyped_retype, OBJECT_untyped, ARENA_PAGES,
                           S->arena, 0);
    must_be(error, "the arena");
}

static uint32_t memory_page(uint64_t pages)
{
    enum error error = ERROR_NO_MEMORY;
    uint32_t slot = S->next_slot++;
    for (uint32_t i = 0; error && i < boot()->untyped_count; i++)
        if (boot()->untyped[i].kind == UNTYPED_MEMORY)
            do
                error =
                    invoke(INIT_UNTYPED + i, OPERATION_untyped_retype, OBJECT_page, pages, slot, 0);
            while (error == ERROR_MORE);
    must_be(error, "memory");
    return slot;
}

static void table_put(uint32_t space, uint64_t address, uint32_t from)
{
    uint32_t table = from ? retype(from, OBJECT_table, 1, 0) : S->next_slot++;
    if (!from)
        for (uint32_t i = 0; i < boot()->untyped_count; i++)
            if (boot()->untyped[i].kind == UNTYPED_MEMORY &&
                !invoke(INIT_UNTYPED + i, OPERATION_untyped_retype, OBJECT_table, 1, table, 0))
                break;
    must_be(invoke(table, OPERATION_table_map, space, address, 0, 0), "table");
}

/* Tables come from `from`; 0: from any memory. */
static void map(uint32_t page, uint32_t space, uint64_t address, uint8_t rights, uint32_t from)
{
    enum error error;
    while ((error = invoke(page, OPERATION_page_map, space, address, rights, 0)) == ERROR_NO_TABLE)
        table_put(space, address, from);
    must_be(error, "map");
}

static uint32_t copy(uint32_t slot)
{
    uint32_t to = S->next_slot++;
    must_be(invoke(INIT_CAPTABLE, OPERATION_captable_copy, slot, to, RIGHT_ALL, 0), "copy");
    return to;
}

/* This program's text and constants: a capability for each region, to map in each test's space. */
static void texts_find(void)
{
    const struct image_header *image = (const struct image_header *)INIT_IMAGE_ADDRESS;
    const struct image_region *region = (const void *)((const char *)image + image->regions.offset);
    const struct image_mapping *mapping =
        (const void *)((const char *)image + image->mappings.offset);
    for (uint32_t i = 0; i < image->regions.count; i++) {
        const struct image_mapping *m = &mapping[region[i].first_mapping];
        for (uint32_t n = 0; region[i].kind == IMAGE_CONTENT && n < region[i].mappings; n++) {
            if (m[n].domain != 0 || S->texts == TEXT_REGIONS)
                continue;
            struct text *text = &S->text[S->texts++];
            text->slot = retype(INIT_IMAGE, OBJECT_page, region[i].pages,
                                boot()->image_address + region[i].offset);
            text->address = m[n].address;
            text->rights = m[n].rights;
        }
    }
}

/* --- a domain for a test --- */

static void give(uint32_t slot, uint32_t to, uint8_t rights)
{
    must_be(invoke(S->table, OPERATION_captable_copy, slot, to, rights, 0), "give");
}

static void memory_map(void)
{
    for (uint32_t i = 0; i < S->texts; i++)
        map(S->text[i].slot, S->space, S->text[i].address, S->text[i].rights, S->arena);
    map(S->shared, S->space, SHARED_ADDRESS, RIGHT_READ | RIGHT_WRITE, S->arena);
    map(S->info, S->space, INFO_ADDRESS, RIGHT_READ, S->arena);
    uint32_t stacks = retype(S->arena, OBJECT_page, STACKS_PAGES, 0);
    map(stacks, S->space, STACKS_ADDRESS, RIGHT_READ | RIGHT_WRITE, S->arena);
}

static void table_fill(void)
{
    give(S->table, T_TABLE, RIGHT_ALL);
    give(S->space, T_SPACE, RIGHT_ALL);
    give(S->thread, T_THREAD, RIGHT_ALL);
    give(INIT_IOPORTS, T_IOPORTS, RIGHT_ALL);
    give(INIT_IRQS, T_IRQS, RIGHT_ALL);
    give(INIT_INFO_PAGE, T_INFO, RIGHT_ALL);
    give(INIT_TRACE, T_TRACE, RIGHT_ALL);
    give(boot()->iommu_slot, T_IOMMU, RIGHT_ALL);
    give(S->shared, T_SHARED, RIGHT_ALL);
    must_be(
        sys_invoke(S->table, OPERATION_captable_mint, S->port, T_VERDICT, RIGHT_SEND, 1, 2, NULL),
        "mint");
    must_be(invoke(S->table, OPERATION_captable_mint, S->port, T_FAULT, RIGHT_SEND, BADGE_FAULT),
            "mint");
    must_be(invoke(S->table, OPERATION_captable_move, S->memory, T_MEMORY, 0, 0), "move");
}

static void environment_fill(const struct test *test)
{
    struct environment *e = E;
    *e = (struct environment){.argument = test->argument};
    if (!test->root) {
        e->table = T_TABLE, e->space = T_SPACE, e->thread = T_THREAD, e->memory = T_MEMORY;
        e->verdict = T_VERDICT, e->ioports = T_IOPORTS, e->irqs = T_IRQS, e->info = T_INFO;
        e->trace = T_TRACE, e->iommu = T_IOMMU;
        e->shared = T_SHARED, e->next_slot = T_FREE, e->slots = TABLE_SLOTS;
        return;
    }
    e->table = INIT_CAPTABLE, e->space = S->space, e->thread = S->thread, e->memory = S->memory;
    e->verdict = S->port, e->ioports = INIT_IOPORTS, e->irqs = INIT_IRQS, e->info = INIT_INFO_PAGE;
    e->trace = INIT_TRACE, e->iommu = boot()->iommu_slot;
    e->shared = S->shared, e->next_slot = S->next_slot, e->slots = boot()->slots;
}

static void domain_make(const struct test *test)
{
    S->next_slot = S->first;
    S->table = retype(S->arena, OBJECT_captable, TABLE_SLOTS / SLOTS_PER_PAGE, 0);
    S->space = retype(S->arena, OBJECT_space, SPACE_PAGES, 0);
    S->thread = retype(S->arena, OBJECT_thread, 1, 0);
    S->port = retype(S->arena, OBJECT_port, 1, 0);
    memory_map();
    S->memory = retype(S->arena, OBJECT_untyped, MEMORY_PAGES, 0);
    S->fault = S->next_slot++;
    if (test->root)
        must_be(sys_invoke(INIT_CAPTABLE, OPERATION_captable_mint, S->port, S->fault, RIGHT_SEND,
                           BADGE_FAULT, 0, NULL),
                "mint");
    else
        table_fill();
    environment_fill(test);
    /* Its helpers may have more than it has. */
    must_be(sys_invoke(S->thread, OPERATION_thread_configure, S->space,
                       test->root ? INIT_CAPTABLE : S->table, TEST_PRIORITY,
                       test->root ? S->fault : T_FAULT, CEILING, NULL),
            "configure");
}

static void why(const char *text, uint64_t a, uint64_t b, uint64_t c)
{
    if (!S->why[0])
        format_to(S->why, sizeof(S->why), text, (unsigned long)a, (unsigned long)b,
                  (unsigned long)c);
}

/* --- after it --- */

static void revoke(uint32_t operation, uint32_t slot)
{
    enum error error;
    do
        error = invoke(INIT_CAPTABLE, (enum operation)operation, slot, 0, 0, 0);
    while (error == ERROR_MORE);
    if (error)
        why("after it, removing slot %lu: error %lu", slot, error, 0);
}

/* All vectors can be had again. */
static void vectors_check(void)
{
    for (uint64_t vector = IRQ_VECTOR_FIRST; vector <= IRQ_VECTOR_LAST; vector++) {
        enum error error = invoke(INIT_IRQS, OPERATION_irq_derive, vector, S->first, 0, 0);
        if (error)
            why("after it, vector 0x%lx can't be had: error %lu", vector, error, 0);
        else
            revoke(OPERATION_captable_delete, S->first);
    }
}

static void domain_end(void)
{
    revoke(OPERATION_captable_revoke, S->arena);
    for (uint32_t slot = S->first; slot < boot()->slots; slot++) {
        struct invoked info;
        sys_invoke(INIT_CAPTABLE, OPERATION_captable_info, slot, 0, 0, 0, 0, &info);
        if (info.a[0] != OBJECT_none)
            revoke(OPERATION_captable_delete, slot);
    }
    enum error error =
        invoke(S->arena, OPERATION_untyped_retype, OBJECT_untyped, ARENA_PAGES, S->first, 0);
    if (error)
        why("after it, the memory didn't come back: error %lu", error, 0, 0);
    else
        revoke(OPERATION_captable_delete, S->first);
    for (uint32_t i = 0; i < S->texts; i++)
        if (invoke(S->text[i].slot, OPERATION_page_unmap, 0, 0, 0, 0) != ERROR_NOT_MAPPED)
            why("after it, the text was mapped still", 0, 0, 0);
    vectors_check();
}

/* --- running it --- */

static void judge_fault(const struct msg *m)
{
    uint64_t address = E->fault.address;
    if (address == AT_INSTRUCTION)
        address = m->w[2];
    else if (address == ANY_ADDRESS)
        address = m->w[1];
    bool cause = m->w[0] == E->fault.cause || m->w[0] == E->fault.other_cause;
    if (!E->fault.expected)
        why("fault %lu, address 0x%lx, at 0x%lx", m->w[0], m->w[1], m->w[2]);
    else if (!cause || m->w[1] != address)
        why("fault %lu at 0x%lx, expected fault %lu", m->w[0], m->w[1], E->fault.cause);
    else if (m->tag != BADGE_FAULT)
        why("the fault came with badge %lu", m->tag, 0, 0);
}

static void judge(const struct received *r, enum error error)
{
    if (error)
        why("cut off after %lu s, error %lu", limit_seconds(), error, 0);
    else if (r->msg.op == KERNEL_FAULT)
        judge_fault(&r->msg);
    else if (r->msg.op == VERDICT_FAILED)
        format_to(S->why, sizeof(S->why), "line %lu: %s", (unsigned long)E->line, E->failure);
    else if (r->msg.op != VERDICT_PASSED)
        why("ended with message %lu, signals 0x%lx", r->msg.op, r->pending, 0);
}

static uint64_t deadline(void)
{
    const struct kernel_info *info = (const struct kernel_info *)(INIT_BOOT_ADDRESS + PAGE_BYTES);
    return kernel_clock() + limit_seconds() * info->clock_frequency;
}

static void test_one(const struct test *test, uint64_t number)
{
    S->why[0] = 0;
    domain_make(test);
    must_be(invoke(S->thread, OPERATION_thread_set_registers,
                   (uint64_t)(S->planted ? planted_run : test_run),
                   STACKS_ADDRESS + STACKS_PAGES * PAGE_BYTES - 8, number, 0),
            "set_registers");
    must_be(invoke(S->thread, OPERATION_thread_resume, 0, 0, 0, 0), "resume");
    struct received received = {0};
    judge(&received, sys_wait(S->port, 0, deadline(), &received));
    for (int i = 0; i < MET; i++)
        S->met[i] |= E->met[i];
    domain_end();
    S->ran++;
    if (S->why[0])
        print("usertest %s: FAILED: %s", test->name, S->why);
    else
        print("usertest %s: ok", test->name);
    *(S->why[0] ? &S->failed : &S->passed) += 1;
}

static void missing(const char *what, const char *error)
{
    print("usertest every_documented_error: FAILED: no test met %s of %s", error, what);
    S->failed++;
}

static bool begins(const char *text, const char *with)
{
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

static bool contains(const char *text, const char *part)
{
    while (*text && !begins(text, part))
        text++;
    return begins(text, part);
}

/* The value of a word `name=value` of the command line; for a word alone, an empty one. */
static bool setting(const char *name, char *value, size_t bytes)
{
    size_t length = strlen(name);
    for (const char *at = boot()->command_line; *at; at++) {
        if ((at != boot()->command_line && at[-1] != ' ') || !begins(at, name))
            continue;
        size_t n = 0;
        at += length;
        for (at += *at == '='; n < bytes - 1 && at[n] && at[n] != ' '; n++)
            value[n] = at[n];
        value[n] = 0;
        return true;
    }
    return false;
}

static void tests_run(const struct test *list, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (S->only[0] && !contains(list[i].name, S->only))
            continue;
        if (S->without[0] && contains(list[i].name, S->without))
            continue;
        if (usertests_in_simulator && list[i].only_in_qemu) {
            print("usertest %s: skipped: %s", list[i].name, list[i].only_in_qemu);
            S->skipped++;
            continue;
        }
        test_one(&list[i], i);
    }
}

static void prepare(void)
{
    char none[2];
    *S = (struct supervisor){.next_slot = boot()->first_free_slot};
    setting("usertests.only", S->only, sizeof(S->only));
    setting("usertests.without", S->without, sizeof(S->without));
    S->planted = setting("usertests.planted", none, sizeof(none));
    arena_make();
    texts_find();
    uint32_t shared = memory_page(SHARED_PAGES);
    map(shared, INIT_SPACE, SHARED_ADDRESS, RIGHT_READ | RIGHT_WRITE, 0);
    S->shared = copy(shared);
    S->info = copy(INIT_INFO_PAGE);
    S->first = S->next_slot;
}

void usertests_start(void)
{
    prepare();
    if (!boot()->iommu_slot) {
        S->failed++;
        print("usertests: the machine needs an IOMMU (QEMU: -machine q35 -device intel-iommu)");
        end();
    }
    if (S->planted)
        tests_run(planted_tests, planted_count);
    else
        tests_run(tests, test_count);
    if (!S->planted && !S->only[0])
        print("usertests: %u errors are documented", errors_missing(S->met, missing));
    print("usertests: %u passed, %u failed, %u skipped", S->passed, S->failed, S->skipped);
    end();
}
