/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: system calls. The input chooses a machine of the explorer's (tests/explore/scene.h),
 * then step by step one of all the actions that its grammar has for the state (action.h: every call
 * and operation of calls.def with every class of arguments), or a call with numbers of the input's
 * own. After each step the whole system is checked, and what the call must have done.
 *
 * MOTET_FUZZ_PRINT=1 prints the steps; MOTET_FUZZ_REACHED=FILE gets, at the end, a line for each
 * error of each call and operation that was met.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/check_step.h"
#include "kernel/arch/sim/machine.h"
#include "tests/explore/action.h"
#include "tests/explore/memory.h"
#include "tests/explore/scene.h"
#include "tests/fuzz/input.h"

enum {
    STEPS_MAX = 64,
    WAITS_MAX = 8,
    REMOVAL_MAX = 3000, /* calls until everything of a machine of this size is gone */
    LAST = 0xf8,        /* first byte of all: from here on the last machine */
    RAW = 0xf0,         /* first byte of a step: from here on a call with its own numbers */
    REMOVE_ALL = 0xef,  /* one is the end: everything goes */
};

static const char *const error_names[ERROR_COUNT] = {
    [OK] = "OK",
#define ERROR(name, text) [ERROR_##name] = #name,
#include "motet/errors.def"
#undef ERROR
};

static const char *const names[CALL_COUNT + OPERATION_COUNT] = {
#define CALL(name, ...)              [CALL_##name] = #name,
#define OPERATION(object, name, ...) [CALL_COUNT + OPERATION_##object##_##name] = #object "." #name,
#include "motet/calls.def"
};

/* Bits: enum error. */
static uint32_t reached[CALL_COUNT + OPERATION_COUNT];
static bool print;

/* The explorer's way to know what a step has changed: not used here. */
void memory_touch(const void *at, size_t size)
{
    (void)at;
    (void)size;
}

static void reached_write(void)
{
    FILE *file = fopen(getenv("MOTET_FUZZ_REACHED"), "a");
    for (int i = 0; file && i < CALL_COUNT + OPERATION_COUNT; i++)
        for (int error = 0; error < ERROR_COUNT; error++)
            if (reached[i] >> error & 1)
                fprintf(file, "%s %s\n", names[i], error_names[error]);
    if (file)
        fclose(file);
}

static void start_once(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    print = getenv("MOTET_FUZZ_PRINT") != NULL;
    if (getenv("MOTET_FUZZ_REACHED"))
        atexit(reached_write);
}

static void note(uint64_t call, uint64_t operation, enum error error)
{
    if (call < CALL_COUNT)
        reached[call] |= 1u << error;
    if (call == CALL_invoke && operation < OPERATION_COUNT)
        reached[CALL_COUNT + operation] |= 1u << error;
}

/* A wait that blocks says how it ended when its thread runs again. */
static struct {
    const struct thread *thread;
    uint64_t call;
} waits[WAITS_MAX];

static void wait_began(const struct thread *thread, uint64_t call)
{
    for (int i = 0; i < WAITS_MAX; i++)
        if (!waits[i].thread || waits[i].thread == thread) {
            waits[i].thread = thread;
            waits[i].call = call;
            return;
        }
}

static void wait_ended(const struct thread *thread)
{
    for (int i = 0; i < WAITS_MAX && thread; i++) {
        if (waits[i].thread != thread)
            continue;
        if (thread->registers.rax < ERROR_COUNT)
            note(waits[i].call, 0, (enum error)thread->registers.rax);
        waits[i].thread = NULL;
    }
}

static void made(const struct thread *thread, uint64_t call, uint64_t operation, enum error error)
{
    if (thread->state == THREAD_WAITING)
        wait_began(thread, call);
    else
        note(call, operation, error);
}

static void check(void)
{
    check_all(scene_first_cap(), scene_root());
}

/* --- steps --- */

static void grammar_step(uint8_t first, struct input *input,
                         const struct configuration *configuration)
{
    static struct action actions[ACTIONS_MAX];
    char text[200];
    int count = action_list(&configuration->actions, actions);
    if (!count)
        return;
    const struct action *action =
        &actions[((uint32_t)first << 8 | input_8(input)) * (uint64_t)count >> 16];
    if (print) {
        action_describe(action, text, sizeof(text));
        fprintf(stderr, "%s: %s\n", scene_thread_name(sim_cpu.current), text);
    }
    struct thread *thread = sim_cpu.current;
    enum error error = action_perform(action);
    if (action->kind <= ACTION_invoke)
        made(thread, action->kind, action->operation, error);
}

/* A number of the input's own: small ones, those at the edges of ranges, or anything. */
static uint64_t number(struct input *input)
{
    static const uint64_t edges[] = {
        0,          64,         511,         512,
        4095,       4096,       0xffff,      UINT32_MAX,
        1ull << 32, AT,         AT + 0x1000, USER_ADDRESS_END - 1,
        INT64_MAX,  1ull << 63, UINT64_MAX,  USER_ADDRESS_END,
    };
    uint8_t byte = input_8(input);
    if (byte < 0xc0)
        return byte & 0x3f;
    return byte < 0xf0 ? edges[byte & 0xf] : input_64(input);
}

static void raw_step(struct input *input)
{
    struct thread *thread = sim_cpu.current;
    if (!thread) {
        sim_advance(number(input) % 1000);
        return;
    }
    struct registers *r = &thread->registers;
    r->rax = number(input);
    r->rdi = number(input);
    r->rsi = number(input);
    r->rdx = number(input);
    r->r10 = number(input);
    r->r8 = number(input);
    r->r9 = r->r12 = number(input);
    r->rbx = number(input);
    r->r14 = number(input) | number(input) << 32;
    r->r15 = number(input);
    uint64_t call = r->rax, operation = r->rsi;
    if (print)
        fprintf(stderr, "%s: call %lu on slot %lu, operation %lu, 0x%lx 0x%lx 0x%lx\n",
                scene_thread_name(thread), (unsigned long)call, (unsigned long)r->rdi,
                (unsigned long)operation, (unsigned long)r->rdx, (unsigned long)r->r10,
                (unsigned long)r->r8);
    check_step_before();
    sim_syscall();
    check_step_after();
    made(thread, call, operation, (enum error)r->rax);
}

/* All that was made from memory goes, whatever refers to what. */
static void remove_everything(void)
{
    struct cap *memory = NULL;
    for (const struct cap *cap = scene_first_cap(); cap; cap = cap->next)
        if (cap->type == OBJECT_untyped && cap->depth == 0 && cap->untyped.kind == UNTYPED_MEMORY)
            memory = (struct cap *)cap;
    enum error error = ERROR_MORE;
    sim.iommu.slow = false;
    for (int calls = 0; memory && error == ERROR_MORE; calls++) {
        ASSERT(calls < REMOVAL_MAX);
        error = cap_remove_step(memory, false);
        if (sim_cpu.reschedule)
            sim_cpu.steps.schedule(&sim_cpu);
        check();
    }
    ASSERT(!memory || !cap_has_children(memory));
}

static void run(struct input *input, jmp_buf *panicked)
{
    /* The last one came later: the corpus has its numbers from before. */
    uint8_t first_byte = input_8(input);
    int number_of_last = configuration_count - 1;
    const struct configuration *configuration =
        &configurations[first_byte >= LAST ? number_of_last : first_byte % number_of_last];
    scene_create(configuration, panicked);
    memset(waits, 0, sizeof(waits));
    if (sim_cpu.deadlines) /* A waits from the start */
        wait_began(CONTAINER_OF(sim_cpu.deadlines, struct thread, deadline), CALL_wait);
    for (int steps = 0; input->left && steps < STEPS_MAX; steps++) {
        uint8_t first = input_8(input);
        wait_ended(sim_cpu.current);
        if (first == REMOVE_ALL) {
            remove_everything();
            return;
        }
        if (first >= RAW)
            raw_step(input);
        else
            grammar_step(first, input, configuration);
        check();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static jmp_buf panicked;
    struct input input = {data, size};
    start_once();
    if (setjmp(panicked)) {
        fprintf(stderr, "kernel: panic: %s\n", sim_panic_text);
        abort();
    }
    run(&input, &panicked);
    return 0;
}
