/* SPDX-License-Identifier: ISC
 *
 * sim: a composed image in a simulated machine. docs/simulator.md is its manual. Exit status: 0
 * when all that must hold held, 1 when something failed, 2 for misuse.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"
#include "tools/sim/composition.h"
#include "tools/sim/inspect.h"
#include "tools/sim/run.h"
#include "tools/sim/shrink.h"
#include "tools/sim/snapshot.h"
#include "tools/sim/world.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_run(const struct options *options, double took, bool brief)
{
    char text[1024];
    struct client_totals totals = clients_totals();
    options_text(options, text, sizeof(text));
    if (options->flips) {
        printf("%u flips, %u stops, %lu wrong answers, %lu of %lu answered%s: %s\n", world.flips,
               world.flip_crashes, (unsigned long)totals.wrong, (unsigned long)totals.answered,
               (unsigned long)totals.asked, world.reported ? ", reported dead" : "", text);
        fflush(stdout);
        return;
    }
    if (brief) {
        if (domain_checking())
            printf("%s", world.verdict ? world.verdict_line : "nothing said");
        else
            printf("%lu of %lu answered", (unsigned long)totals.answered,
                   (unsigned long)totals.asked);
        printf(", %lu steps, trace %016lx%s: %s\n", (unsigned long)world.steps,
               (unsigned long)world.hash, world.reported ? ", reported dead" : "", text);
        fflush(stdout);
        return;
    }
    printf("sim %s\n", text);
    printf("  %lu of %lu answered, %lu late; lost %lu doubled %lu spoiled %lu cut %lu congested "
           "%lu; interrupts lost %lu spurious %lu; lies %lu, jumps %lu\n",
           (unsigned long)totals.answered, (unsigned long)totals.asked, (unsigned long)totals.late,
           (unsigned long)world.count.lost, (unsigned long)world.count.duplicated,
           (unsigned long)world.count.corrupted, (unsigned long)world.count.truncated,
           (unsigned long)world.count.congested, (unsigned long)world.count.interrupts_lost,
           (unsigned long)world.count.interrupts_spurious, (unsigned long)world.count.lies,
           (unsigned long)world.count.jumps);
    printf(
        "  %lu steps, %lu kernel entries, %lu checks, %lu copies, %.3f s simulated in %.3f s%s\n",
        (unsigned long)world.steps, (unsigned long)world.entries, (unsigned long)world.checks,
        (unsigned long)world.copies, (double)sim_clock / 1e9, took,
        world.reported ? "; reported dead" : "");
    if (options->swaps)
        printf("  %lu swaps, %lu failed\n", (unsigned long)world.count.swaps,
               (unsigned long)world.count.swaps_failed);
    if (sim_panic_text[0])
        printf("  %s\n", sim_panic_text);
    printf("  trace %016lx\n", (unsigned long)world.hash);
    fflush(stdout);
}

/* The state before the failure, in a file of its own. */
static void save_before(const struct options *options, const struct how *how)
{
    char path[64];
    struct run_result again;
    struct how before = *how;
    if (world.steps < 2)
        return;
    before.until = world.steps - 1;
    before.quiet = true;
    mkdir("build", 0777);
    snprintf(path, sizeof(path), "build/sim-%lu-%lu.snapshot", (unsigned long)options->seed,
             (unsigned long)before.until);
    run_scenario(options, &before, &again);
    if (!again.failed && snapshot_save(path))
        fprintf(stderr, "  the step before:   %s --load %s --inspect\n", how->command, path);
}

static void report_failure(const struct options *options, const struct how *how,
                           const struct run_result *result)
{
    char text[1024];
    struct options simpler = *options;
    options_text(options, text, sizeof(text));
    fprintf(stderr, "FAILED at step %lu: %s\n", (unsigned long)world.steps, result->text);
    fprintf(stderr, "  repeat:            %s --image %s --every %lu%s %s\n", how->command,
            how->image, (unsigned long)how->interval, how->copy_first ? " --copy" : "", text);
    if (how->shrink && shrink(&simpler, how, result)) {
        options_text(&simpler, text, sizeof(text));
        fprintf(stderr, "  simpler:           %s --image %s --every %lu%s %s\n", how->command,
                how->image, (unsigned long)how->interval, how->copy_first ? " --copy" : "", text);
    }
    struct run_result again;
    run_scenario(&simpler, how, &again);
    save_before(&simpler, how);
}

static bool run_one(const struct options *options, const struct how *how)
{
    struct run_result result;
    double start = seconds();
    run_scenario(options, how, &result);
    uint64_t hash = world.hash;
    if (!how->quiet)
        print_run(options, seconds() - start, how->runs > 1 && !how->verbose);
    if (result.failed) {
        report_failure(options, how, &result);
        return false;
    }
    if (how->save && !snapshot_save(how->save))
        return false;
    if (!how->twice)
        return true;
    run_scenario(options, how, &result);
    if (world.hash == hash && !result.failed)
        return true;
    fprintf(stderr, "FAILED: the same run gave trace %016lx and %016lx\n", (unsigned long)hash,
            (unsigned long)world.hash);
    return false;
}

static void print_measure(const struct how *how, double took)
{
    struct client_totals totals = clients_totals();
    printf("{\"simulated_seconds\": %.3f, \"seconds\": %.3f, \"seconds_per_second\": %.1f, "
           "\"steps\": %lu, \"steps_per_second\": %.0f, \"checks\": %lu, \"every\": %lu, "
           "\"asked\": %lu, \"answered\": %lu}\n",
           (double)sim_clock / 1e9, took, (double)sim_clock / 1e9 / took,
           (unsigned long)world.steps, (double)world.steps / took, (unsigned long)world.checks,
           (unsigned long)how->interval, (unsigned long)totals.asked,
           (unsigned long)totals.answered);
}

static int measure(struct options *options, const struct how *how)
{
    struct run_result result;
    options_draw(options, options->seed);
    options->queries = (uint32_t)(how->measure * options->rate);
    double start = seconds();
    run_scenario(options, how, &result);
    if (result.failed)
        report_failure(options, how, &result);
    else
        print_measure(how, seconds() - start);
    return result.failed;
}

static int sweep(struct options *options, const struct how *how)
{
    struct run_result result;
    struct sweep_totals totals;
    options_draw(options, options->seed);
    double start = seconds();
    run_sweep(options, how, &result, &totals);
    if (result.failed) {
        options->kill = (uint32_t)totals.boundary;
        report_failure(options, how, &result);
        return 1;
    }
    printf("{\"messages\": %lu, \"deaths\": %lu, \"reported\": %lu, \"steps\": %lu, "
           "\"seconds\": %.3f}\n",
           (unsigned long)totals.messages, (unsigned long)totals.deaths,
           (unsigned long)totals.reported, (unsigned long)totals.steps, seconds() - start);
    return 0;
}

int main(int count, char **arguments)
{
    struct options options;
    struct how how;
    int failed = 0;
    options_read(count, arguments, &options, &how);
    if (!run_start(&how))
        return 2;
    if (how.inspect)
        return inspect(&options, &how);
    if (how.sweep)
        return sweep(&options, &how);
    if (how.measure)
        return measure(&options, &how);
    uint64_t first = options.seed;
    for (uint64_t n = 0; n < how.runs && !failed; n++) {
        options_draw(&options, first + n);
        failed = !run_one(&options, &how);
    }
    return failed;
}
