/* SPDX-License-Identifier: ISC
 *
 * See search.h.
 */
#include "tests/explore/search.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/port.h"
#include "tests/explore/canonical.h"
#include "tests/explore/memory.h"
#include "tests/explore/store.h"
#include "tests/explore/translations.h"

enum {
    GARBAGE = 0xdd,
    STUCK_SECONDS = 20, /* a check that takes so long runs in a circle */
};

/* On the way to where the machine is. */
struct stop {
    uint32_t node;
    size_t mark; /* before the step to it */
    struct canonical state;
};

static struct {
    const struct configuration *configuration;
    const struct search_options *options;
    struct search_result *result;

    struct store store;
    struct stop way[DEPTH_MAX + 1];
    int depth;

    struct action tried[ACTIONS_MAX];
    struct action now;       /* under way */
    double start, cpu_start; /* seconds */
    jmp_buf broken;
} search;

static volatile sig_atomic_t ticks; /* seconds that nobody took notice of */

/* --- steps --- */

static const struct stop *here(void)
{
    return &search.way[search.depth];
}

/* Memory that was of something until this step: what is left there is garbage from now on, in the
 * way that check_all makes it, but so that it can be undone. */
static void pages_end(uint64_t ended)
{
    uint8_t *memory = phys_to_virt(SIM_MEMORY_FIRST);
    for (; ended; ended &= ended - 1) {
        uint8_t *page = memory + (uint64_t)__builtin_ctzll(ended) * PAGE_BYTES;
        memory_touch(page, PAGE_BYTES);
        memset(page, GARBAGE, PAGE_BYTES);
    }
}

/* Takes the form of the state that the step led to. */
static void arrive(struct canonical *state)
{
    canonical_take(state);
    if (!state->broken)
        pages_end(state->dead & ~here()->state.dead);
}

static enum error step(const struct action *action, size_t *mark)
{
    search.now = *action;
    *mark = memory_step(here()->state.gone);
    translations_step();
    return action_perform(action);
}

static void push(uint32_t node, size_t mark, const struct canonical *state)
{
    search.way[++search.depth] = (struct stop){.node = node, .mark = mark, .state = *state};
}

static void pop(void)
{
    memory_undo(search.way[search.depth--].mark);
}

/* The machine goes to the state of `node`, from wherever it is. */
static void go(uint32_t node)
{
    uint32_t way[DEPTH_MAX + 1];
    int length = 0, same = 0;
    for (uint32_t at = node; at != 0; at = search.store.parents[at])
        way[length++] = at;
    while (same < length && same < search.depth &&
           search.way[same + 1].node == way[length - 1 - same])
        same++;
    while (search.depth > same)
        pop();
    for (int i = length - 1 - same; i >= 0; i--) {
        struct canonical state;
        size_t mark;
        step(&search.store.actions[way[i]], &mark);
        arrive(&state);
        push(way[i], mark, &state);
    }
}

/* --- checks --- */

static void check_state(void)
{
    check_other_state();
    translations_watch();
    check_all(scene_first_cap(), scene_root());
}

/* The check fills memory that is of nothing with garbage, which pages_end has done before. */
static void check_new_state(void)
{
    static uint8_t copy[SIM_PAGES * PAGE_BYTES];
    const uint8_t *memory = phys_to_virt(SIM_MEMORY_FIRST);
    uint64_t verify = search.options->verify;
    bool compare = verify && search.result->states % verify == 0;
    if (compare)
        memcpy(copy, memory, sizeof(copy));
    check_state();
    if (compare && memcmp(copy, memory, sizeof(copy)) != 0)
        panic("the check changed memory");
}

static void check_progress(enum error error)
{
    if (error == ERROR_MORE && !sim.iommu.running) /* else it is the hardware's */
        panic("work is left (MORE), but nothing was done");
}

static void check_error(const struct action *action, enum error error)
{
    if (!action_may_change(action, error))
        panic("an error changed the state (error %d)", error);
}

/* A slot before and after the step: rights may get lost, never grow. (What is new in a slot is
 * compared with its parent by check_all, and with its source by check_step.) */
static void check_rights(const void *line, const void *before)
{
    const struct cap *now = line, *was = before;
    uint64_t page =
        (uint64_t)((const uint8_t *)line - (const uint8_t *)phys_to_virt(SIM_MEMORY_FIRST)) /
        PAGE_BYTES;
    if (!(here()->state.slots >> page & 1) || was->type == OBJECT_none)
        return;
    if (now->type == was->type && now->object == was->object && now->depth == was->depth)
        ASSERT((now->rights & ~was->rights) == 0);
}

static void longest(void)
{
    if (memory_accesses() <= search.result->longest)
        return;
    search.result->longest = memory_accesses();
    action_describe(&search.now, search.result->longest_what, sizeof(search.result->longest_what));
}

/* Whether the step led to another state, then *state is it. */
static bool led_elsewhere(const struct action *action, const struct thread *caller, size_t mark,
                          enum error error, struct canonical *state)
{
    search.result->transitions++;
    if (action->kind == ACTION_invoke)
        search.result->met[CALL_COUNT + action->operation] |= 1u << error;
    else if (action->kind < CALL_COUNT)
        search.result->met[action->kind] |= 1u << error;
    longest();
    /* A caller that goes on has new values in its registers; the next action replaces them. */
    bool goes_on = caller && sim_cpu.current == caller;
    if (!memory_changed(mark, caller, goes_on ? 2 : 0)) {
        search.result->unchanged++;
        check_progress(error);
        return false;
    }
    translations_check();
    arrive(state);
    if (state->broken) {
        check_state();
        panic("no canonical form, though the invariants hold");
    }
    if (state->hash == here()->state.hash) {
        search.result->unchanged++;
        check_progress(error);
        return false;
    }
    check_error(action, error);
    memory_compare(mark, check_rights);
    return true;
}

/* --- comparing twins: merged states must have the same successors --- */

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The sorted hashes of all states one step from where the machine is. */
static int successors(uint64_t *hashes)
{
    static struct action actions[ACTIONS_MAX];
    int count = action_list(&search.configuration->actions, actions);
    for (int i = 0; i < count; i++) {
        struct canonical state;
        size_t mark;
        step(&actions[i], &mark);
        canonical_take(&state);
        hashes[i] = state.hash;
        memory_undo(mark);
    }
    qsort(hashes, (size_t)count, sizeof(hashes[0]), compare_words);
    return count;
}

/* The machine is one step from the current state, in a state that was merged with `twin`'s. */
static void compare_twins(uint32_t twin, size_t mark, const struct canonical *state)
{
    static uint64_t mine[ACTIONS_MAX], others[ACTIONS_MAX];
    static uint8_t copy[SIM_PAGES * PAGE_BYTES];
    struct action action = search.now;
    uint32_t home = here()->node;
    memory_undo(mark);
    memcpy(copy, phys_to_virt(SIM_MEMORY_FIRST), sizeof(copy));
    step(&action, &mark);
    pages_end(state->dead & ~here()->state.dead);
    push(UINT32_MAX, mark, state);
    int count = successors(mine);
    pop();
    go(twin);
    int other_count = successors(others);
    go(home);
    search.now = action;
    search.result->verified++;
    if (memcmp(copy, phys_to_virt(SIM_MEMORY_FIRST), sizeof(copy)) != 0)
        panic("going to another state and back changed memory (state %u)", home);
    if (count != other_count || memcmp(mine, others, (size_t)count * sizeof(mine[0])) != 0)
        panic("merged states have different successors (states %u and %u)", home, twin);
}

/* --- the search --- */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_since_start(void)
{
    return seconds_of(CLOCK_MONOTONIC) - search.start;
}

static void show_progress(int depth)
{
    const struct search_result *r = search.result;
    fprintf(stderr, "\r%s: depth %d, %lu states, %lu transitions, %.0f s, %.0f MiB ",
            search.configuration->name, depth, (unsigned long)r->states,
            (unsigned long)r->transitions, seconds_since_start(),
            (double)search.store.bytes / (1 << 20));
}

/* Tries everything in one state. False when there is no more room. */
static bool expand(uint32_t node)
{
    go(node);
    translations_remember();
    int count = action_list(&search.configuration->actions, search.tried);
    for (int i = 0; i < count; i++) {
        const struct thread *caller = sim_cpu.current;
        struct canonical state;
        size_t mark;
        enum error error = step(&search.tried[i], &mark);
        if (led_elsewhere(&search.tried[i], caller, mark, error, &state)) {
            if (store_has(&search.store, state.hash)) {
                uint64_t verify = search.options->verify;
                if (++search.result->merged, verify && search.result->merged % verify == 0) {
                    compare_twins(store_owner(&search.store, state.hash), mark, &state);
                    translations_remember();
                    continue; /* it undid the step */
                }
            } else {
                check_new_state();
                if (!store_add(&search.store, state.hash, node, &search.now))
                    return false;
                search.result->states++;
                search.result->level[search.depth + 1]++;
            }
        }
        memory_undo(mark);
    }
    return true;
}

static bool is_enough(int depth)
{
    if (ticks) {
        ticks = 0;
        if (search.options->progress)
            show_progress(depth);
    }
    const struct search_options *options = search.options;
    if (options->states && search.result->states >= options->states)
        return true;
    return options->seconds && seconds_since_start() >= options->seconds;
}

static void search_levels(void)
{
    struct search_result *r = search.result;
    uint64_t next = 0;
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        uint64_t end = search.store.count;
        if (next == end) {
            r->complete = true;
            return;
        }
        if (search.options->depth && depth >= search.options->depth)
            return;
        for (; next < end; next++) {
            if (is_enough(depth))
                return;
            if (!expand((uint32_t)next)) {
                r->memory_full = true;
                return;
            }
        }
        r->closed = depth + 1;
    }
}

/* --- what is wrong --- */

static void broken(int number)
{
    if (number == SIGALRM && ++ticks < STUCK_SECONDS)
        return;
    if (number == SIGALRM)
        snprintf(sim_panic_text, sizeof(sim_panic_text), "a check doesn't end: a list is a circle");
    else
        snprintf(sim_panic_text, sizeof(sim_panic_text), "the processor's exception: %s",
                 strsignal(number));
    longjmp(search.broken, 1);
}

static void signals_set(bool on)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    static char stack[1 << 16];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const struct itimerval second = {.it_interval = {.tv_sec = on}, .it_value = {.tv_sec = on}};
    struct sigaction action = {.sa_handler = on ? broken : SIG_DFL,
                               .sa_flags = SA_NODEFER | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
    action.sa_handler = on ? broken : SIG_IGN; /* a last one may be on its way */
    sigaction(SIGALRM, &action, NULL);
    ticks = 0;
    setitimer(ITIMER_REAL, &second, NULL);
}

/* The actions from the start to what is under way, in order; returns how many. */
static int the_way(struct action *actions)
{
    int length = search.depth;
    for (int i = 0; i < length; i++)
        actions[i] = search.store.actions[search.way[i + 1].node];
    actions[length] = search.now;
    return length + 1;
}

static void save(const struct action *actions, int count)
{
    FILE *file = fopen(search.options->save, "w");
    if (!file) {
        fprintf(stderr, "explore: %s: %s\n", search.options->save, strerror(errno));
        return;
    }
    fprintf(file, "explore %s\n", search.configuration->name);
    for (int i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, &actions[i], sizeof(word));
        fprintf(file, "%016lx\n", (unsigned long)word);
    }
    fclose(file);
}

static void show_step(const struct action *action)
{
    char text[200];
    action_describe(action, text, sizeof(text));
    const char *who = action->kind >= ACTION_interrupt ? "" : scene_thread_name(sim_cpu.current);
    printf("    %s%s%s", who, *who ? ": " : "", text);
    fflush(stdout);
}

static void show_error(const struct action *action, enum error error)
{
    static const char *const names[ERROR_COUNT] = {
        "OK",
#define ERROR(name, text) #name,
#include "motet/errors.def"
#undef ERROR
    };
    bool call = action->kind <= ACTION_unknown_call;
    printf("%s%s\n", call ? " -> " : "", call && error < ERROR_COUNT ? names[error] : "");
}

/* Goes the way again from the start, saying what happens. */
static void show_way(const struct action *actions, int count)
{
    while (search.depth > 0)
        pop();
    memory_undo(0);
    for (int i = 0; i < count; i++) {
        struct canonical state;
        size_t mark;
        show_step(&actions[i]);
        if (i == count - 1) {
            printf("\n");
            return;
        }
        show_error(&actions[i], step(&actions[i], &mark));
        arrive(&state);
        push(0, mark, &state);
    }
}

static void violation(void)
{
    static struct action actions[DEPTH_MAX + 1];
    struct search_result *r = search.result;
    r->violated = true;
    snprintf(r->violation, sizeof(r->violation), "%s", sim_panic_text);
    if (!search.configuration->name || !search.store.count)
        return; /* the machine at the start: there is no way to it */
    int count = the_way(actions);
    r->violation_depth = count;
    if (search.options->save)
        save(actions, count);
    printf("%s: %s\n  after %d steps:\n", search.configuration->name, r->violation, count);
    if (setjmp(search.broken) == 0)
        show_way(actions, count);
}

static void begin(const struct configuration *configuration)
{
    search.configuration = configuration;
    search.depth = 0;
    memory_commit();
    scene_create(configuration, &search.broken);
    translations_watch();
    memory_commit();
    canonical_take(&search.way[0].state);
    search.way[0].node = 0;
}

void search_run(const struct configuration *configuration, const struct search_options *options,
                struct search_result *result)
{
    *result = (struct search_result){0};
    search.options = options;
    search.result = result;
    search.start = seconds_of(CLOCK_MONOTONIC);
    search.cpu_start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    store_open(&search.store, options->memory_bytes, options->verify);
    signals_set(true);
    if (setjmp(search.broken) == 0) {
        begin(configuration);
        check_state();
        store_add(&search.store, search.way[0].state.hash, 0, &search.now);
        result->states = result->level[0] = 1;
        search_levels();
    } else {
        violation();
    }
    signals_set(false);
    result->seconds = seconds_since_start();
    result->cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - search.cpu_start;
    result->memory_bytes = search.store.bytes;
    store_close(&search.store);
    if (options->progress)
        fprintf(stderr, "\r%*s\r", 79, "");
}

/* One step of a saved way, with all checks. */
static void replay_step(const struct action *action)
{
    struct canonical state;
    size_t mark;
    show_step(action);
    translations_remember();
    const struct thread *caller = sim_cpu.current;
    enum error error = step(action, &mark);
    show_error(action, error);
    if (!led_elsewhere(action, caller, mark, error, &state))
        canonical_take(&state);
    check_state();
    push(0, mark, &state);
}

static int way_read(const char *name, char configuration[32], struct action *actions)
{
    FILE *file = fopen(name, "r");
    unsigned long word;
    int count = 0;
    if (!file)
        return -1;
    bool good = fscanf(file, "explore %31s", configuration) == 1;
    while (good && count < DEPTH_MAX && fscanf(file, "%lx", &word) == 1)
        memcpy(&actions[count++], &word, sizeof(word));
    fclose(file);
    return good && configuration_find(configuration) ? count : -1;
}

bool search_replay(const char *name)
{
    static struct search_options options;
    static struct search_result result;
    static struct action actions[DEPTH_MAX];
    static char configuration[32];
    static int count;
    count = way_read(name, configuration, actions);
    search.options = &options;
    search.result = &result;
    if (count < 0)
        return false;
    if (setjmp(search.broken) != 0) {
        printf("the machine at the start: %s\n", sim_panic_text);
        return true;
    }
    begin(configuration_find(configuration));
    sim.panic = NULL; /* from now on a panic ends the process: gdb stops there */
    for (int i = 0; i < count; i++)
        replay_step(&actions[i]);
    printf("nothing is wrong here\n");
    return true;
}
