/* SPDX-License-Identifier: ISC
 *
 * See run.h.
 */
#include "tools/sim/flips.h"
#include "tools/sim/run.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"
#include "tools/sim/composition.h"
#include "tools/sim/snapshot.h"
#include "tools/sim/step.h"
#include "tools/sim/trace_file.h"
#include "tools/sim/world.h"

#define SECOND 1000000000ull
enum {
    LIVENESS_SECONDS = 120, /* longer than any time-out of a server */
    AFTERMATH_STEPS = 300,  /* after a death was reported: the others go on */
    NO_BOUNDARY = INT32_MAX,
    ENOUGH_PAGES = 640, /* to start with */
};

static uint8_t *image;
static uint64_t image_bytes;
static jmp_buf panicked;
static uint64_t lines_printed;
static bool verbose;

bool run_start(const struct how *how)
{
    FILE *file = fopen(how->image, "rb");
    verbose = how->verbose;
    trace_file_name(how->trace);
    sim_user_start();
    step_check_every(how->interval);
    step_copy_first(how->copy_first);
    snapshot_first_keep();
    if (!file || fseek(file, 0, SEEK_END)) {
        perror(how->image);
        return false;
    }
    image_bytes = (uint64_t)ftell(file);
    rewind(file);
    image = malloc(image_bytes);
    bool read = image && fread(image, 1, image_bytes, file) == image_bytes;
    fclose(file);
    if (!read)
        fprintf(stderr, "%s: can't be read\n", how->image);
    return read;
}

/* What the console said since the last time. */
static void print_console(void)
{
    if (world.line - lines_printed > LINES_KEPT - 1)
        lines_printed = world.line - (LINES_KEPT - 1);
    for (; lines_printed < world.line; lines_printed++)
        printf("  | %s\n", world.lines[lines_printed % LINES_KEPT]);
}

static void fail(struct run_result *result, const char *text)
{
    result->failed = true;
    snprintf(result->text, sizeof(result->text), "%s", text);
}

static void command_line_set(char *line, size_t size, const struct options *options)
{
    int used = 0;
    *line = 0;
    if (options->trace_pages)
        used = snprintf(line, size, "trace=%u ", options->trace_pages);
    if (options->swaps)
        used += snprintf(line + used, size - (size_t)used,
                         "swapper.swaps=%u swapper.every=%u swapper.domain=%u swapper.file=%u "
                         "swapper.damage=%u ",
                         options->swaps, options->swap_every, options->swap_domain,
                         options->swap_file, options->swap_damage);
    if (options->swap_probation)
        snprintf(line + used, size - (size_t)used, "swap.probation=%u", options->swap_probation);
}

static void boot(const struct options *options)
{
    char command_line[160];
    command_line_set(command_line, sizeof(command_line), options);
    snapshot_first_return();
    struct sim_boot machine = {.image = image,
                               .bytes = image_bytes,
                               .pages = options->pages,
                               .command_line = command_line,
                               .slots = 1u << options->slots % 32,
                               .panic = &panicked,
                               .seed = {options->seed, ~options->seed}};
    sim_boot(&machine);
    lines_printed = 0;
    world_start(options);
    sim_mappings_replaced();
    step_check();
    sim_points.messages = 0;
    sim_points.boundaries = options->kill ? (int64_t)options->kill - 1 : NO_BOUNDARY;
    if (!trace_file_begin())
        exit(2);
}

/* --- one step, and what to make of it --- */

/* When the clients have asked all and the last answers had their time. */
static uint64_t faults_ticks(void)
{
    const struct options *o = &world.options;
    return 2 * SECOND + o->queries * SECOND / o->rate;
}

static bool faults_over(void)
{
    return sim_clock - world.jumped > faults_ticks();
}

static uint64_t liveness_end;

static void liveness_begin(void)
{
    world.phase = PHASE_LIVENESS;
    flips_end();
    liveness_end = sim_clock + LIVENESS_SECONDS * SECOND;
    clients_liveness();
    devices_honest();
    legacy_honest();
}

/* NULL, or what was reported dead and mustn't be. */
static const char *died_wrongly(void)
{
    if (world.options.pages < ENOUGH_PAGES)
        return NULL;
    if (world.dead & ~world.killed)
        return "a domain died, and nothing had killed it";
    if (world.card_broken && !world.count.lies)
        return "the driver gave up a card that hadn't lied";
    return world.dead || world.card_broken ? NULL : "starting failed, with memory enough";
}

/* Compositions without a network stack are run for their other servers' sake. */
static bool nobody_answers(void)
{
    for (uint32_t d = 0; d < domain_count(); d++)
        if (!strcmp(domain_at(d)->name, "netd"))
            return false;
    return true;
}

/* NULL, or what mustn't be, whoever still waits for what. */
static const char *wrong(void)
{
    if (clients_totals().wrong && !world.flips)
        return "a client got a wrong answer";
    if (!world.reported && world.died & ~world.killed)
        return "a domain died, and nothing had killed it";
    if (world.reported && died_wrongly())
        return died_wrongly();
    const bool excused = world.count.lies || world.options.without || world.options.without_isa;
    if (world.verdict == VERDICT_FAILS || (world.verdict == VERDICT_TOLD && !excused))
        return world.verdict_line;
    if (world.verdict && world.verdict_time > faults_ticks() + LIVENESS_SECONDS * SECOND)
        return "what a check has come to was said much too late";
    return NULL;
}

/* A driver that begins anew, or the server that checks it, won't any more. */
static bool check_is_dead(void)
{
    for (uint32_t d = 1; d < domain_count(); d++)
        if (world.dead >> d & 1 && domain_at(d)->restarts_most)
            return true;
    return world.reported && world.options.pages < ENOUGH_PAGES;
}

/* Whoever waits for something has got it, or won't get it and that was said. */
static bool is_over(void)
{
    const bool calm = world.phase == PHASE_LIVENESS;
    if (domain_checking())
        return calm && (world.verdict || check_is_dead());
    return world.reported || (calm && (clients_waiting() == 0 || nobody_answers()));
}

static void fail_late(struct run_result *result)
{
    char text[200];
    if (domain_checking())
        snprintf(text, sizeof(text), "%s has said nothing, long after all faults had ended",
                 domain_at(domain_checking())->name);
    else
        snprintf(text, sizeof(text),
                 "%u clients got no answer within %d s after all faults had ended, and nothing was "
                 "reported dead",
                 clients_waiting(), LIVENESS_SECONDS);
    fail(result, text);
}

/* True: the run is over, well or not. */
static bool judge(struct run_result *result)
{
    const char *what = wrong();
    if (what)
        fail(result, what);
    else if (is_over())
        return true;
    else if (world.ended && !domain_checking())
        fail(result, "the machine came to its end, and nothing said why");
    else if (world.ended || (world.phase == PHASE_LIVENESS && sim_clock > liveness_end))
        fail_late(result);
    return result->failed;
}

static bool step_once(struct run_result *result)
{
    step();
    trace_file_step();
    if (step_at_boundary()) {
        const struct options *o = &world.options;
        bool again = ++world.kills < o->kills && world.phase == PHASE_FAULTS;
        sim_points.boundaries = again ? (int64_t)random_below(o->kill_every + 1) : NO_BOUNDARY;
        step_kill();
    }
    if (verbose)
        print_console();
    if (world.phase == PHASE_FAULTS && faults_over())
        liveness_begin();
    return judge(result);
}

static void panic_note(struct run_result *result)
{
    static const char too_little[] = "too little memory";
    char text[SIM_PANIC_BYTES];
    memcpy(text, sim_panic_text, sizeof(text)); /* what is put back has none */
    bool copy = step_was_copy();
    if (!strncmp(text, too_little, sizeof(too_little) - 1)) {
        world.reported = true; /* before anything ran, in words that help */
        return;
    }
    result->failed = true;
    snprintf(result->text, sizeof(result->text), "%s%s", text, copy ? " (on a copy)" : "");
}

static void aftermath(struct run_result *result)
{
    for (int i = 0; i < AFTERMATH_STEPS && world.reported && !world.ended; i++) {
        step();
        trace_file_step();
        if (verbose)
            print_console();
    }
    step_check();
    if (wrong())
        fail(result, wrong());
}

void run_scenario(const struct options *options, const struct how *how, struct run_result *result)
{
    *result = (struct run_result){0};
    if (setjmp(panicked)) {
        panic_note(result);
        trace_file_end();
        return;
    }
    if (how->load ? !snapshot_load(how->load) : (boot(options), false)) {
        fail(result, "the snapshot can't be loaded");
        return;
    }
    while (!how->until || world.steps < how->until)
        if (step_once(result))
            break;
    if (!result->failed && !how->until)
        aftermath(result);
    trace_file_end();
}

bool run_begin(const struct options *options, const struct how *how, struct run_result *result)
{
    struct how begin = *how;
    *result = (struct run_result){0};
    if (!how->load)
        begin.until = how->until ? how->until : 1;
    else
        begin.until = 1; /* nothing but loading */
    run_scenario(options, &begin, result);
    return !result->failed;
}

static void take_steps(uint64_t steps, struct run_result *result)
{
    while (steps-- && !step_once(result))
        ;
}

bool run_steps(uint64_t steps, struct run_result *result)
{
    *result = (struct run_result){0};
    if (setjmp(panicked)) {
        panic_note(result);
        return false;
    }
    sim.panic = &panicked;
    take_steps(steps, result);
    sim.panic = NULL;
    return !result->failed;
}

/* --- a death at each message boundary --- */

/* Runs on until the next message is taken. False: the scenario is over. */
static bool to_boundary(struct run_result *result)
{
    sim_points.boundaries = 0;
    do {
        step();
        if (judge(result))
            return false;
        if (world.phase == PHASE_FAULTS && faults_over())
            liveness_begin();
    } while (!step_at_boundary());
    sim_points.boundaries = NO_BOUNDARY;
    return true;
}

/* The future in which the domain dies here. */
static bool die_here(struct run_result *result, struct sweep_totals *totals)
{
    uint64_t before = world.steps;
    step_kill();
    while (!judge(result)) {
        if (world.phase == PHASE_FAULTS && faults_over())
            liveness_begin();
        step();
    }
    if (!result->failed)
        aftermath(result);
    totals->deaths++;
    totals->reported += world.reported;
    totals->steps += world.steps - before;
    return !result->failed;
}

void run_sweep(const struct options *options, const struct how *how, struct run_result *result,
               struct sweep_totals *totals)
{
    (void)how;
    *result = (struct run_result){0};
    *totals = (struct sweep_totals){0};
    if (setjmp(panicked)) {
        panic_note(result);
        return;
    }
    boot(options);
    while (to_boundary(result)) {
        totals->boundary = sim_points.messages;
        snapshot_keep();
        if (!die_here(result, totals))
            return;
        snapshot_return();
    }
    totals->messages = sim_points.messages;
}
